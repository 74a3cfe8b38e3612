/* Resource limits and the cgroup. */
#include "sandbox/audit/audit.h"
#include "sandbox/audit/proc_text.h"
#include "sandbox/proc_state.h"

#include <stdio.h>
#include <string.h>

/* Their names in /proc/PID/limits, in the manifest's order. */
static const char *const limit_name[MANIFEST_RLIMITS] = {
	[MANIFEST_FSIZE] = "Max file size",	  [MANIFEST_NOFILE] = "Max open files",
	[MANIFEST_NPROC] = "Max processes",	  [MANIFEST_CORE] = "Max core file size",
	[MANIFEST_MEMLOCK] = "Max locked memory", [MANIFEST_MSGQUEUE] = "Max msgqueue size",
};

static int audit_rlimits(const struct manifest_process *p, int process, struct report *r,
			 struct err *e)
{
	const struct question *q = &vm_question[Q_RLIMITS];
	char text[4096];
	uint64_t soft, hard;
	int rc = 0;

	if (proc_read(process, "limits", text, sizeof(text)) <= 0)
		return report_unknown(r, q, e, "%s: its limits cannot be read", p->role);
	for (int i = 0; rc == 0 && i < MANIFEST_RLIMITS; i++) {
		if (!limit_find(text, limit_name[i], &soft, &hard))
			rc = report_unknown(r, q, e, "%s: no line %s", p->role, limit_name[i]);
		else if (soft > p->rlimit[i] || hard > p->rlimit[i])
			rc = report_open(r, q, e, "%s: %s: %llu (hard %llu), ordered %llu", p->role,
					 manifest_rlimit[i], (unsigned long long)soft,
					 (unsigned long long)hard,
					 (unsigned long long)p->rlimit[i]);
	}
	return rc;
}

static int judge_value(const struct audit *a, const char *role, const struct manifest_cgroup *c,
		       const struct manifest_limit *l, struct report *r, struct err *e)
{
	const struct question *q = &vm_question[Q_CGROUP];
	char file[256], value[64];

	snprintf(file, sizeof(file), "fs/cgroup%s/%s", c->path, l->file);
	audit_word(a->sys, file, value, sizeof(value));
	if (value[0] == '\0')
		return report_unknown(r, q, e, "%s: %s cannot be read", role, file);
	if (strcmp(value, "max") == 0)
		return report_open(r, q, e, "%s: %s: no limit, ordered %s", role, l->file,
				   l->value);
	return strcmp(value, l->value) == 0 ? 0
					    : report_open(r, q, e, "%s: %s: %s, ordered %s", role,
							  l->file, value, l->value);
}

static int judge_cgroup(const struct audit *a, const char *role, const struct manifest_cgroup *c,
			struct report *r, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < c->limit_count; i++)
		rc = judge_value(a, role, c, &c->limit[i], r, e);
	return rc;
}

int audit_limits(const struct audit *a, const struct subject *s, const struct manifest_process *p,
		 int process, struct report *r, struct err *e)
{
	const struct question *q = &vm_question[Q_CGROUP];
	char path[256] = "";
	int rc = audit_rlimits(p, process, r, e);

	if (rc != 0)
		return rc;
	if (p->cgroup.path[0] == '\0' || s->m.cgroup.path[0] == '\0')
		return report_open(r, q, e, "%s: no limits were ordered", p->role);
	if (!proc_cgroup(process, path, sizeof(path)))
		return report_unknown(r, q, e, "%s: its cgroup cannot be read", p->role);
	if (strcmp(path, p->cgroup.path) != 0)
		return report_open(r, q, e, "%s: in %s, ordered %s", p->role, path, p->cgroup.path);
	rc = judge_cgroup(a, p->role, &p->cgroup, r, e);
	/* The whole VM's, once. */
	return rc == 0 && p == &s->m.process[0] ? judge_cgroup(a, "the VM", &s->m.cgroup, r, e)
						: rc;
}
