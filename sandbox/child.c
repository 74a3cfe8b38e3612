#include "sandbox/child.h"

#include "sandbox/jail.h"
#include "sandbox/layers.h"
#include "sandbox/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
	int step; /* enum child_step */
	int cause; /* errno */
};

static const char *const step_text[CHILD_STEPS] = {
	[CHILD_PARENT] = "the launcher is gone",
	[CHILD_MOUNTS] = "its mounts",
	[CHILD_IDS] = "its user id",
	[CHILD_ROOT] = "its empty root",
	[CHILD_LIMITS] = "its resource limits",
	[CHILD_FDS] = "its descriptors",
	[CHILD_LABEL] = "its label",
	[CHILD_CAPS] = "dropping capabilities",
	[CHILD_NNP] = "no_new_privs",
	[CHILD_LANDLOCK] = "its Landlock rules",
	[CHILD_EXEC] = "executing its program",
};

static void __attribute__((noreturn)) fail(int sync, enum child_step step, int rc)
{
	struct failure f = { .step = step, .cause = -rc };

	(void)!send(sync, &f, sizeof(f), MSG_NOSIGNAL);
	_exit(EX_HOST);
}

/* A descriptor at number `at`; the sources are all above the numbers to be filled. */
static int place(int fd, int at)
{
	return dup2(fd, at) < 0 ? -errno : 0;
}

/* Log to 0..2, passed descriptors from 3 on, program and sync pipe behind them (close-on-exec),
 * all others closed. */
static int place_fds(const struct child_spec *s, int *binary, int *sync)
{
	int base = 3 + (int)s->fd_count;
	int sources[CHILD_FD_MAX + 3], count = 0, rc = 0;

	for (size_t i = 0; i < s->fd_count; i++)
		sources[count++] = s->fds[i];
	sources[count++] = *binary;
	sources[count++] = *sync;
	sources[count++] = s->log;
	for (int i = 0; i < count; i++) {
		sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3 + CHILD_FD_MAX + 3);
		if (sources[i] < 0)
			return -errno;
	}
	for (int at = 0; at < 3 && rc == 0; at++)
		rc = place(sources[count - 1], at);
	for (int i = 0; i < count - 1 && rc == 0; i++)
		rc = place(sources[i], 3 + i);
	*binary = base;
	*sync = base + 1;
	if (rc == 0 && (fcntl(*binary, F_SETFD, FD_CLOEXEC) != 0 ||
			fcntl(*sync, F_SETFD, FD_CLOEXEC) != 0 ||
			(layer_on(LAYER_DESCRIPTORS) &&
			 close_range((unsigned)base + 2, ~0u, 0) != 0)))
		rc = -errno;
	return rc;
}

/* The death signal asks for the launcher alive at that moment: a closed pipe says it is not. */
static int check_parent(int sync)
{
	struct pollfd p = { .fd = sync, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return -errno;
	if (poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLIN)) != 0)
		return -ESRCH;
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		signal(n, SIG_DFL);
	/* A log that reaches its size limit must not end the process: writes fail instead. */
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn)) run_child(const struct child_spec *s, int sync)
{
	struct jail jail;
	int binary = s->binary, rc;
	char go;

	/* The parent writes the id maps first; until then nothing of ours has a user. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || recv(sync, &go, 1, 0) != 1)
		fail(sync, CHILD_PARENT, -errno);
	reset_signals();
	if (layer_on(LAYER_NAMESPACES) &&
	    (rc = jail_mounts(&jail, s->mount_point, s->state, s->id, s->group)) != 0)
		fail(sync, CHILD_MOUNTS, rc);
	if ((rc = jail_ids(s->id, s->group)) != 0)
		fail(sync, CHILD_IDS, rc);
	if (layer_on(LAYER_NAMESPACES) && (rc = jail_enter(&jail)) != 0)
		fail(sync, CHILD_ROOT, rc);
	if ((rc = place_fds(s, &binary, &sync)) != 0)
		fail(sync, CHILD_FDS, rc);
	if (layer_on(LAYER_LIMITS) &&
	    (rc = jail_limits(s->file_limit, s->fd_limit, s->thread_limit)) != 0)
		fail(sync, CHILD_LIMITS, rc);
	if (strcmp(s->label, "none") != 0 && (rc = lsm_set(LSM_EXEC, s->label)) != 0)
		fail(sync, CHILD_LABEL, rc);
	if (layer_on(LAYER_CAPABILITIES) && (rc = jail_capabilities()) != 0)
		fail(sync, CHILD_CAPS, rc);
	if (layer_on(LAYER_CAPABILITIES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail(sync, CHILD_NNP, -errno);
	if (s->state != NULL && layer_on(LAYER_LANDLOCK) && (rc = jail_landlock()) != 0)
		fail(sync, CHILD_LANDLOCK, rc);
	/* Change of ids cleared the death signal (prctl(2)). */
	if ((rc = check_parent(sync)) != 0)
		fail(sync, CHILD_PARENT, rc);
	char *const environment[] = { NULL };
	execveat(binary, "", (char *const *)s->argv, environment, AT_EMPTY_PATH);
	fail(sync, CHILD_EXEC, -errno);
}

static int write_map(pid_t pid, const char *file, uid_t id, const char *name, struct err *e)
{
	char path[48], line[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int n = snprintf(line, sizeof(line), "%u %u 1\n", id, id);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot open its %s", name, file);
	int rc = 0;
	if (write(fd, line, (size_t)n) != n)
		rc = err_errno(e, EX_HOST, errno, "%s: cannot write its %s", name, file);
	close(fd);
	return rc;
}

/* End of file: exec closed the child's end. Anything else is the step that failed. */
static int await_exec(const struct child_spec *s, int sync, struct err *e)
{
	struct failure f;
	ssize_t n;

	do
		n = recv(sync, &f, sizeof(f), 0);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(f) || f.step <= 0 || f.step >= CHILD_STEPS)
		return err_set(e, EX_INTERNAL, "%s: ended before its program ran", s->name);
	return err_errno(e, EX_HOST, f.cause, "%s: %s", s->name, step_text[f.step]);
}

static int write_maps(pid_t child, const struct child_spec *s, struct err *e)
{
	int rc = 0;

	if (layer_on(LAYER_NAMESPACES))
		rc = write_map(child, "uid_map", s->id, s->name, e);
	if (rc == 0 && layer_on(LAYER_NAMESPACES))
		rc = write_map(child, "gid_map", s->group, s->name, e);
	return rc;
}

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | \
		    CLONE_NEWUTS | CLONE_NEWCGROUP)

int child_start(const struct child_spec *s, pid_t *pid, int *pidfd, struct err *e)
{
	int sync[2], child_pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | (layer_on(LAYER_NAMESPACES) ? NAMESPACES : 0),
		.pidfd = (uintptr_t)&child_pidfd,
		.exit_signal = SIGCHLD,
	};

	/* Born inside: no moment outside the limits. */
	if (s->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint32_t)s->cgroup;
	}
	if (s->fd_count > CHILD_FD_MAX)
		return err_set(e, EX_INTERNAL, "%s: too many descriptors", s->name);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) != 0)
		return err_errno(e, EX_HOST, errno, "%s: socketpair", s->name);
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0) {
		close(sync[0]);
		run_child(s, sync[1]);
	}
	int cause = errno;
	close(sync[1]);
	if (child < 0) {
		close(sync[0]);
		return err_errno(e, EX_HOST, cause, "%s: cannot start in new namespaces (see "
				 "/proc/sys/user/max_*_namespaces)", s->name);
	}
	int rc = write_maps(child, s, e);
	if (rc == 0 && send(sync[0], "g", 1, MSG_NOSIGNAL) != 1)
		rc = err_errno(e, EX_INTERNAL, errno, "%s: ended at once", s->name);
	if (rc == 0)
		rc = await_exec(s, sync[0], e);
	close(sync[0]);
	if (rc != 0) {
		syscall(SYS_pidfd_send_signal, child_pidfd, SIGKILL, NULL, 0);
		waitpid(child, NULL, 0);
		close(child_pidfd);
		return rc;
	}
	*pid = child;
	*pidfd = child_pidfd;
	return 0;
}
