#include "sandbox/vm_manifest.h"

#include "sandbox/layers.h"
#include "sandbox/proc_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What is otherwise than ordered; NULL: nothing. */
static const char *fault_of(const struct manifest_process *p, const struct proc_status *s)
{
	for (int i = 0; layer_on(LAYER_IDS) && i < 4; i++)
		if (s->uid[i] != p->uid || s->gid[i] != p->gid)
			return "its user or group id is another";
	if (layer_on(LAYER_IDS) && s->groups != 0)
		return "it has supplementary groups";
	if (layer_on(LAYER_CAPABILITIES) &&
	    (s->inheritable | s->permitted | s->effective | s->bounding | s->ambient) != 0)
		return "it holds a capability";
	if (layer_on(LAYER_CAPABILITIES) && s->no_new_privs != 1)
		return "no_new_privs is not set";
	if (layer_on(LAYER_SECCOMP) && (s->seccomp != 2 || s->seccomp_filters < p->filters))
		return "its system call filter is missing";
	return s->tracer != 0 ? "somebody traces it" : NULL;
}

static int check_task(void *context, int task, pid_t tid, struct err *e)
{
	const struct manifest_process *p = context;
	char text[PROC_STATUS_MAX], label[LABEL_MAX];
	struct proc_status s;
	ssize_t n = proc_read(task, "status", text, sizeof(text));

	if (n == -ENOENT || n == -ESRCH)
		return 0; /* it just ended */
	if (n < 0)
		return err_errno(e, EX_HOST, (int)-n, "%s: thread %d: its status", p->role,
				 (int)tid);
	int rc = proc_status_parse(text, (size_t)n, &s, e);
	if (rc != 0)
		return rc;
	const char *fault = fault_of(p, &s);
	if (fault != NULL)
		return err_set(e, EX_INTERNAL, "%s: thread %d says it is sealed, but %s: see its "
			       "log (--keep-logs)", p->role, (int)tid, fault);
	if (p->label[0] == '\0' || !layer_on(LAYER_LABEL))
		return 0;
	rc = proc_label(task, label, sizeof(label));
	if (rc == -ENOENT || rc == -ESRCH)
		return 0;
	if (rc != 0)
		return err_errno(e, EX_HOST, -rc, "%s: thread %d: its label", p->role, (int)tid);
	if (strcmp(label, p->label) != 0)
		return err_set(e, EX_INTERNAL, "%s: thread %d runs as %.100s, not as %.100s",
			       p->role, (int)tid, label, p->label);
	return 0;
}

static int check_process(int proc, const struct manifest_process *p, struct err *e)
{
	int process = proc_open(proc, p->pid, p->start, e);

	if (process < 0)
		return process;
	int rc = proc_each_task(process, check_task, (void *)(uintptr_t)p, e);
	close(process);
	return rc;
}

int vm_check_sealed(const struct vm *vm, struct err *e)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (proc < 0)
		return err_errno(e, EX_HOST, errno, "/proc: cannot be opened: mount it");
	for (unsigned i = 0; rc == 0 && i < vm->manifest.count; i++)
		rc = check_process(proc, &vm->manifest.process[i], e);
	close(proc);
	return rc;
}
