#include "cli/front_start.h"

#include "sandbox/jail.h"
#include "sandbox/labels.h"
#include "sandbox/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "/pavise-attest-front"
#define OWN_TYPE "pavise_attestd_t"
#define FRONT_TYPE "pavise_attest_front_t"
#define FILES_MAX 7
#define FILE_LIMIT (1ull << 30) /* bytes of a log that is a file */
#define DESCRIPTORS 512ull
#define PROCESSES 1024ull /* of that user, who may have others; the filter forbids new ones */

/* The program's arguments, and the descriptors that they name: number 3 and up, in this order. */
struct front_args {
	char text[16][LABEL_MAX + 16];
	char *argv[17];
	unsigned count;
	int fd[FILES_MAX];
	unsigned fds;
};

static void add_number(struct front_args *a, const char *key, uint64_t value)
{
	snprintf(a->text[a->count], sizeof(a->text[0]), "%s=%llu", key, (unsigned long long)value);
	a->argv[a->count] = a->text[a->count];
	a->count++;
}

static void add_text(struct front_args *a, const char *key, const char *value)
{
	snprintf(a->text[a->count], sizeof(a->text[0]), "%s%s", key, value);
	a->argv[a->count] = a->text[a->count];
	a->count++;
}

static void add_fd(struct front_args *a, const char *key, int fd)
{
	if (fd < 0)
		return;
	add_number(a, key, 3 + a->fds);
	a->fd[a->fds++] = fd;
}

static void make_args(const struct front_spec *s, const char *label, int broker,
		      struct front_args *a)
{
	*a = (struct front_args){ 0 };
	add_text(a, "pavise-attest-front", "");
	add_text(a, "label=", label);
	add_fd(a, "listen", s->listen);
	add_fd(a, "broker", broker);
	add_fd(a, "cert", s->cert);
	add_fd(a, "key", s->key);
	add_fd(a, "client_ca", s->client_ca);
	add_fd(a, "collateral", s->collateral);
	add_number(a, "log", 2);
	add_number(a, "rate", s->rate);
	add_number(a, "burst", s->burst);
	add_number(a, "seconds", s->seconds);
	add_number(a, "connections", s->connections);
}

/* Its label: ours, with the type of the front. */
static int make_label(bool required, char *out, struct err *e)
{
	char own[LABEL_MAX];
	struct label_parts p;

	snprintf(out, LABEL_MAX, "none");
	if (!required)
		return 0;
	int r = lsm_get(LSM_CURRENT, own);
	if (r < 0)
		return err_errno(e, EX_HOST, -r,
				 "isolation: no SELinux label: enable SELinux, or say "
				 "--isolation degraded");
	if (!label_split(own, &p) || strcmp(p.type, OWN_TYPE) != 0)
		return err_set(e, EX_HOST,
			       "isolation: not in the domain " OWN_TYPE ": is the policy module "
			       "loaded and the program labelled? Or say --isolation degraded");
	int n = snprintf(out, LABEL_MAX, "%s:%s:" FRONT_TYPE ":%s", p.user, p.role, p.level);
	return n > 0 && n < LABEL_MAX ? 0 : err_set(e, EX_HOST, "isolation: label too long");
}

static int open_program(int *fd, struct err *e)
{
	char path[PATH_MAX + sizeof(PROGRAM)];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	memcpy(slash, PROGRAM, sizeof(PROGRAM));
	*fd = open(path, O_PATH | O_CLOEXEC);
	return *fd >= 0 ? 0 : err_errno(e, EX_HOST, errno, "%s: cannot be opened", path);
}

/* Descriptors to their places, from copies above all of these; everything else is closed. */
static int place_fds(const struct front_args *a, int *program)
{
	int copy[FILES_MAX];
	int last = 3 + (int)a->fds;

	*program = fcntl(*program, F_DUPFD_CLOEXEC, 32);
	for (unsigned i = 0; i < a->fds; i++)
		if ((copy[i] = fcntl(a->fd[i], F_DUPFD_CLOEXEC, 32)) < 0)
			return -errno;
	for (unsigned i = 0; i < a->fds; i++)
		if (dup2(copy[i], 3 + (int)i) < 0)
			return -errno;
	if (*program < 0 || dup2(*program, last) < 0 || fcntl(last, F_SETFD, FD_CLOEXEC) != 0)
		return -errno;
	*program = last;
	return close_range((unsigned)last + 1, ~0u, 0) == 0 ? 0 : -errno;
}

/* Bounding set and limits as root; with the user every other capability goes. The front checks
 * that none is left. */
static int drop(const struct front_spec *s)
{
	int r = jail_limits(FILE_LIMIT, DESCRIPTORS, PROCESSES);

	for (int cap = 0; r == 0 && cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			r = -errno;
	if (r == 0 && (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
		       setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
		       setresuid(s->uid, s->uid, s->uid) != 0))
		r = -errno;
	return r;
}

static void __attribute__((noreturn)) run_front(const struct front_spec *s,
						const struct front_args *a, const char *label,
						int program, pid_t parent)
{
	char *const environment[] = { NULL };
	const char *step = "descriptors";
	int r = place_fds(a, &program);

	if (r == 0) {
		step = "user, limits or capabilities";
		r = drop(s);
	}
	if (r == 0 && strcmp(label, "none") != 0) {
		step = "label";
		r = lsm_set(LSM_EXEC, label);
	}
	if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		       prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent))
		r = -errno;
	if (r == 0) {
		step = "its program";
		execveat(program, "", a->argv, environment, AT_EMPTY_PATH);
		r = -errno;
	}
	dprintf(STDERR_FILENO, "pavise-attestd: front: %s: %s\n", step, strerror(-r));
	_exit(EX_HOST);
}

int front_start(const struct front_spec *s, int *broker, pid_t *pid, struct err *e)
{
	struct front_args args;
	char label[LABEL_MAX];
	int pair[2], program = -1;
	pid_t parent = getpid();

	int r = make_label(s->required, label, e);
	if (r == 0)
		r = open_program(&program, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		close(program);
		return err_errno(e, EX_HOST, errno, "socketpair");
	}
	make_args(s, label, pair[1], &args);
	*pid = fork();
	if (*pid == 0)
		run_front(s, &args, label, program, parent);
	int cause = errno;
	close(pair[1]);
	close(program);
	*broker = pair[0];
	if (*pid > 0)
		return 0;
	close(pair[0]);
	return err_errno(e, EX_HOST, cause, "fork");
}
