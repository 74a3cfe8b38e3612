/* Every thread, not only the first: filters, capabilities, ids and labels belong to threads. */
#include "sandbox/audit/audit.h"
#include "sandbox/proc_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct look {
	const struct manifest_process *p;
	struct report *r;
};

static bool holds_capability(const struct proc_status *s)
{
	return (s->inheritable | s->permitted | s->effective | s->bounding | s->ambient) != 0;
}

static bool has_other_ids(const struct manifest_process *p, const struct proc_status *s)
{
	for (int i = 0; i < 4; i++)
		if (s->uid[i] != p->uid || s->gid[i] != p->gid)
			return true;
	return s->groups != 0;
}

static int judge(const struct look *l, pid_t tid, const struct proc_status *s, struct err *e)
{
	const char *role = l->p->role;
	int t = (int)tid, rc = 0;

	if (s->seccomp != 2 || s->seccomp_filters < l->p->filters)
		rc = report_open(l->r, &vm_question[Q_FILTERS], e,
				 "%s: thread %d: %u of %u "
				 "(Seccomp %u)",
				 role, t, s->seccomp_filters, l->p->filters, s->seccomp);
	if (rc == 0 && holds_capability(s))
		rc = report_open(
			l->r, &vm_question[Q_CAPABILITIES], e,
			"%s: thread %d: inheritable"
			" %llx, permitted %llx, effective %llx, bounding %llx, ambient %llx",
			role, t, (unsigned long long)s->inheritable,
			(unsigned long long)s->permitted, (unsigned long long)s->effective,
			(unsigned long long)s->bounding, (unsigned long long)s->ambient);
	if (rc == 0 && s->no_new_privs != 1)
		rc = report_open(l->r, &vm_question[Q_NO_NEW_PRIVS], e, "%s: thread %d", role, t);
	if (rc == 0 && s->tracer != 0)
		rc = report_open(l->r, &vm_question[Q_TRACED], e, "%s: thread %d: by process %u",
				 role, t, s->tracer);
	if (rc == 0 && has_other_ids(l->p, s))
		rc = report_open(l->r, &vm_question[Q_IDS], e,
				 "%s: thread %d: user %u %u %u %u, "
				 "group %u %u %u %u, %u other groups; ordered %u and %u",
				 role, t, s->uid[0], s->uid[1], s->uid[2], s->uid[3], s->gid[0],
				 s->gid[1], s->gid[2], s->gid[3], s->groups, l->p->uid, l->p->gid);
	return rc;
}

static int judge_label(const struct look *l, int task, pid_t tid, struct err *e)
{
	char label[LABEL_MAX];

	if (l->p->label[0] == '\0')
		return report_open(l->r, &vm_question[Q_LABEL], e,
				   "%s: thread %d: none was ordered", l->p->role, (int)tid);
	int rc = proc_label(task, label, sizeof(label));
	if (rc == -ESRCH || rc == -ENOENT)
		return 0;
	if (rc != 0)
		return report_unknown(l->r, &vm_question[Q_LABEL], e, "%s: thread %d: %s",
				      l->p->role, (int)tid, strerror(-rc));
	return strcmp(label, l->p->label) == 0
		       ? 0
		       : report_open(l->r, &vm_question[Q_LABEL], e,
				     "%s: thread %d: %s, ordered %s", l->p->role, (int)tid, label,
				     l->p->label);
}

/* All that is asked of a status file is unknown. */
static int no_status(const struct look *l, pid_t tid, const char *why, struct err *e)
{
	static const enum vm_question asked[] = { Q_FILTERS, Q_CAPABILITIES, Q_NO_NEW_PRIVS,
						  Q_TRACED, Q_IDS };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(asked) / sizeof(asked[0]); i++)
		rc = report_unknown(l->r, &vm_question[asked[i]], e, "%s: thread %d: %s",
				    l->p->role, (int)tid, why);
	return rc;
}

static int look_at_task(void *context, int task, pid_t tid, struct err *e)
{
	const struct look *l = context;
	char text[PROC_STATUS_MAX];
	struct proc_status s;
	struct err why = { 0 };
	ssize_t n = proc_read(task, "status", text, sizeof(text));

	if (n == -ENOENT || n == -ESRCH)
		return 0; /* it just ended */
	if (n < 0)
		return no_status(l, tid, strerror((int)-n), e);
	if (proc_status_parse(text, (size_t)n, &s, &why) != 0)
		return no_status(l, tid, why.text, e);
	int rc = judge(l, tid, &s, e);
	return rc == 0 ? judge_label(l, task, tid, e) : rc;
}

/* The kernel gives what cannot be dumped to root (proc(5)). swtpm can: nothing of ours can change
 * it after its exec, and its user id is its alone. */
static int judge_dumpable(const struct manifest_process *p, int process, struct report *r,
			  struct err *e)
{
	struct stat st;

	if (fstatat(process, "fd", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return report_unknown(r, &vm_question[Q_DUMPABLE], e, "%s: %s", p->role,
				      strerror(errno));
	return st.st_uid == 0 || p->foreign
		       ? 0
		       : report_open(r, &vm_question[Q_DUMPABLE], e, "%s", p->role);
}

int audit_tasks(const struct manifest_process *p, int process, struct report *r, struct err *e)
{
	struct look l = { p, r };
	struct err why = { 0 };
	int rc = proc_each_task(process, look_at_task, &l, &why);

	if (rc != 0)
		rc = no_status(&l, p->pid, why.text, e);
	return rc == 0 ? judge_dumpable(p, process, r, e) : rc;
}
