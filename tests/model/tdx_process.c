#include "tests/model/tdx_process.h"

#include "common/record.h"
#include "model/tdx_sim/state.h"
#include "tests/kvm/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS 6

static const char *program(void)
{
	static char path[512];
	const char *folder = getenv("PAVISE_BUILD");

	snprintf(path, sizeof(path), "%s/bin/pavise-tdx-sim", folder ? folder : "build");
	return path;
}

int tdx_platform_make(struct tdx_process *p)
{
	int status = -1;
	pid_t pid;

	snprintf(p->folder, sizeof(p->folder), "/tmp/pavise-tdx-XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(126);
		execl(program(), "pavise-tdx-sim", "init", "--state", p->folder, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int open_part(const struct tdx_process *p, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	return open(path, O_RDONLY);
}

static int listen_for_quotes(const struct tdx_process *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/qgs", p->folder);
	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0)
		return -1;
	return fd;
}

__attribute__((noreturn)) static void child(const struct tdx_process *p, int control, int psp)
{
	static const char *const key[FDS] = { "control", "psp", "qgs", "log", "key", "certs" };
	const int fd[FDS] = { control, psp, listen_for_quotes(p), p->log,
			      open_part(p, TDX_STATE_KEY), open_part(p, TDX_STATE_CERTS) };
	char arg[FDS][32];

	for (unsigned i = 0; i < FDS; i++) {
		if (fcntl(fd[i], F_SETFD, 0) < 0)
			_exit(126);
		snprintf(arg[i], sizeof(arg[i]), "%s=%d", key[i], fd[i]);
	}
	if (harness_drop_capabilities() < 0)
		_exit(126);
	execl(program(), "pavise-tdx-sim", "label=none", arg[0], arg[1], arg[2], arg[3], arg[4],
	      arg[5], (char *)NULL);
	_exit(127);
}

int tdx_start(struct tdx_process *p)
{
	int control[2], psp[2];
	struct record r;
	struct err e = { 0 };

	p->log = memfd_create("tdx-log", MFD_CLOEXEC);
	if (p->log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, psp) < 0)
		return -1;
	fflush(stdout);
	p->pid = fork();
	if (p->pid == 0)
		child(p, control[1], psp[1]);
	close(control[1]);
	close(psp[1]);
	p->control = control[0];
	struct pollfd wait = { .fd = p->control, .events = POLLIN };
	if (poll(&wait, 1, HARNESS_TIMEOUT_MS) != 1 ||
	    record_receive(p->control, "tdx", &r, &e) != 1 || r.type != RECORD_READY)
		return -1;
	return psp[0];
}

void tdx_stop(struct tdx_process *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
	close(p->control);
	close(p->log);
}

void tdx_platform_remove(struct tdx_process *p)
{
	static const char *const names[] = { TDX_STATE_KEY, TDX_STATE_CERTS, TDX_STATE_SIGNING_KEY,
					     TDX_STATE_SIGNING, "root.pem", "qgs" };
	char path[128];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->folder, names[i]);
		unlink(path);
	}
	rmdir(p->folder);
}
