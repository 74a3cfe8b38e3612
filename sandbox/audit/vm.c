/* One VM: its manifest, then each of its processes, then what it must not share with others. */
#include "sandbox/audit/audit.h"
#include "sandbox/proc_state.h"

#include <string.h>
#include <unistd.h>

static int open_answer(struct report *r, enum vm_question q, const struct manifest_process *p,
		       const char *text, struct err *e)
{
	return report_open(r, &vm_question[q], e, "%s: %s", p->role, text);
}

static int audit_process(const struct audit *a, const struct subject *s,
			 const struct manifest_process *p, struct report *r, struct err *e)
{
	struct err why = { 0 };
	int process = proc_open(a->proc, p->pid, p->start, &why), rc;

	if (process < 0)
		return open_answer(r, Q_PROCESSES, p, why.text, e);
	rc = audit_tasks(p, process, r, e);
	if (rc == 0)
		rc = audit_descriptors(s, p, process, r, e);
	if (rc == 0)
		rc = audit_memory(p, process, r, e);
	if (rc == 0)
		rc = audit_limits(a, s, p, process, r, e);
	if (rc == 0)
		rc = audit_jail(p, process, r, e);
	if (rc == 0)
		rc = report_unknown(r, &vm_question[Q_LANDLOCK], e, "%s: no kernel shows it",
				    p->role);
	close(process);
	return rc;
}

/* Any other process, of this VM or another, in that namespace. */
static const struct manifest_process *who_shares(const struct audit *a, const struct subject *s,
						 unsigned process, int kind,
						 const struct subject **whose)
{
	const uint64_t mine = s->space[process][kind];

	for (size_t i = 0; i < a->count; i++) {
		const struct subject *o = &a->subject[i];
		for (unsigned k = 0; k < o->m.count; k++)
			if ((o != s || k != process) && o->space[k][kind] == mine &&
			    (o->m.process[k].pid != s->m.process[process].pid)) {
				*whose = o;
				return &o->m.process[k];
			}
	}
	return NULL;
}

static int audit_namespaces(const struct audit *a, const struct subject *s, struct report *r,
			    struct err *e)
{
	const struct question *q = &vm_question[Q_NAMESPACES];
	const struct subject *whose = NULL;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < s->m.count; i++)
		for (int k = 0; rc == 0 && k < MANIFEST_NAMESPACES; k++) {
			const char *role = s->m.process[i].role, *kind = manifest_namespace[k];
			if (s->space[i][k] == 0) {
				rc = report_unknown(r, q, e, "%s: %s: cannot be read", role, kind);
				continue;
			}
			if (s->space[i][k] == s->m.host_namespace[k]) {
				rc = report_open(r, q, e, "%s: %s: the host's", role, kind);
				continue;
			}
			const struct manifest_process *p = who_shares(a, s, i, k, &whose);
			if (p != NULL)
				rc = report_open(r, q, e, "%s: %s: shared with %s of %s", role,
						 kind, p->role, whose->name);
		}
	return rc;
}

static int audit_pair(const struct audit *a, const struct subject *s, struct report *r,
		      struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		const struct subject *o = &a->subject[i];
		if (o != s && o->m.count != 0 && strcmp(o->m.pair, s->m.pair) == 0)
			rc = report_open(r, &vm_question[Q_PAIR], e, "%s: %s has it too",
					 s->m.pair, o->name);
	}
	return rc;
}

static int audit_defences(const struct subject *s, struct report *r, struct err *e)
{
	const struct question *q = &vm_question[Q_DEFENCES];
	int rc = 0;

	if (!s->m.required)
		rc = report_open(r, q, e, "degraded isolation was asked for");
	for (unsigned i = 0; rc == 0 && i < MANIFEST_MISSING; i++)
		if ((s->m.missing & 1u << i) != 0)
			rc = report_open(r, q, e, "without %s", manifest_missing[i]);
	return rc;
}

int audit_vm(const struct audit *a, const struct subject *s, struct report *r, struct err *e)
{
	int rc;

	report_ask(r, &vm_question[Q_MANIFEST]);
	if (s->unreadable.status != EX_OK)
		return report_unknown(r, &vm_question[Q_MANIFEST], e, "%s", s->unreadable.text);
	for (int q = Q_MANIFEST + 1; q < VM_QUESTIONS; q++)
		report_ask(r, &vm_question[q]);
	if (strcmp(s->m.name, s->name) != 0) {
		rc = report_open(r, &vm_question[Q_MANIFEST], e, "it is of %s", s->m.name);
		if (rc != 0)
			return rc;
	}
	if ((rc = audit_defences(s, r, e)) != 0 || (rc = audit_selinux(a, s, r, e)) != 0 ||
	    (rc = audit_pair(a, s, r, e)) != 0 ||
	    (rc = audit_strangers(a, s, &vm_question[Q_STRANGERS], r, e)) != 0)
		return rc;
	for (unsigned i = 0; rc == 0 && i < s->m.count; i++)
		rc = audit_process(a, s, &s->m.process[i], r, e);
	return rc == 0 ? audit_namespaces(a, s, r, e) : rc;
}

static const struct question strangers = {
	.id = "all.strangers", .weight = 10, .gate = true,
	.what = "every process of a VM's label or user ids is in a manifest",
	.why = "what a dead launcher left, or somebody started by hand, holds a VM's rights",
	.fix = "pavise-launch --reclaim; else find out who started it, then kill it",
};

int audit_all(const struct audit *a, struct report *r, struct err *e)
{
	report_ask(r, &strangers);
	return audit_strangers(a, NULL, &strangers, r, e);
}
