#include "sandbox/watch.h"

#include "sandbox/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <selinux/selinux.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u
#define TRIES 1000

/* The kernel's page (security/selinux/include/security.h, struct selinux_kernel_status): sequence is
 * odd while it is being written, and goes up by two with each switch of enforcement and with each
 * load; policyload counts the loads alone. */
struct status {
	uint32_t version; /* 1 */
	uint32_t sequence;
	uint32_t enforcing;
	uint32_t policyload;
	uint32_t deny_unknown;
};

/* A copy that was not written to meanwhile. */
static bool copy_status(const struct watch *w, struct status *out)
{
	const struct status *s = w->page;

	for (int i = 0; i < TRIES; i++) {
		out->sequence = __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);
		out->version = __atomic_load_n(&s->version, __ATOMIC_RELAXED);
		out->enforcing = __atomic_load_n(&s->enforcing, __ATOMIC_RELAXED);
		out->policyload = __atomic_load_n(&s->policyload, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (out->sequence % 2 == 0 &&
		    __atomic_load_n(&s->sequence, __ATOMIC_RELAXED) == out->sequence)
			return true;
	}
	return false;
}

int watch_open(struct watch *w, const char *path, struct err *e)
{
	struct status now;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	*w = (struct watch){ .page = NULL };
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot be opened, so SELinux cannot be "
				 "watched: boot with it enforcing, or start with --isolation "
				 "degraded", path);
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int cause = errno;
	close(fd);
	if (page == MAP_FAILED)
		return err_errno(e, EX_HOST, cause, "%s: cannot be mapped", path);
	w->page = page;
	if (copy_status(w, &now) && now.version == 1) {
		w->sequence = now.sequence;
		w->policyload = now.policyload;
		return 0;
	}
	watch_close(w);
	return err_set(e, EX_HOST, "%s: not version 1 of the kernel's status page", path);
}

void watch_close(struct watch *w)
{
	if (w->page != NULL)
		munmap((void *)(uintptr_t)w->page, PAGE);
	w->page = NULL;
}

enum watch_event watch_look(struct watch *w)
{
	struct status now;

	/* The kernel writes in no time: a page that is never still is taken for the worst. */
	if (!copy_status(w, &now) || now.enforcing != 1)
		return WATCH_OFF;
	uint32_t changes = (now.sequence - w->sequence) / 2;
	uint32_t loads = now.policyload - w->policyload;
	w->sequence = now.sequence;
	w->policyload = now.policyload;
	if (changes == 0)
		return WATCH_SAME;
	/* More changes than loads: it was off and is on again. */
	return changes > loads ? WATCH_OFF : WATCH_POLICY;
}

int watch_check(struct watch *w, struct err *e)
{
	static const char GONE[] = "isolation is gone, so the VM is ended at once";
	struct err why = { 0 };
	enum watch_event event = w->page == NULL ? WATCH_SAME : watch_look(w);

	if (event == WATCH_OFF)
		return err_set(e, EX_HOST, "%s: SELinux was switched to permissive: setenforce 1, "
			       "then start it again", GONE);
	if (event == WATCH_SAME)
		return 0;
	/* Numbers of classes are the old policy's. */
	selinux_flush_class_cache();
	if (labels_check_host(&why) == 0)
		return 0;
	return err_set(e, EX_HOST, "%s: another policy was loaded: %.400s", GONE, why.text);
}
