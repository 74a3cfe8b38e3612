#include "tests/model/psp_process.h"

#include "common/record.h"
#include "tests/kvm/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program(void)
{
	static char path[512];
	const char *folder = getenv("PAVISE_BUILD");

	snprintf(path, sizeof(path), "%s/bin/pavise-psp-sim", folder ? folder : "build");
	return path;
}

int psp_chip_make(struct psp_process *p)
{
	int status = -1;
	pid_t pid;

	snprintf(p->folder, sizeof(p->folder), "/tmp/pavise-chip-XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(126);
		execl(program(), "pavise-psp-sim", "init", "--state", p->folder, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int open_part(const struct psp_process *p, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	return open(path, O_RDONLY);
}

__attribute__((noreturn)) static void child(const struct psp_process *p, int control, int psp)
{
	char arg[5][32];
	int fd[5] = { control, psp, p->log, open_part(p, "chip.key"), open_part(p, "certs.bin") };
	static const char *const key[5] = { "control", "psp", "log", "key", "certs" };

	for (unsigned i = 0; i < 5; i++) {
		if (fcntl(fd[i], F_SETFD, 0) < 0)
			_exit(126);
		snprintf(arg[i], sizeof(arg[i]), "%s=%d", key[i], fd[i]);
	}
	if (harness_drop_capabilities() < 0)
		_exit(126);
	execl(program(), "pavise-psp-sim", "label=none", arg[0], arg[1], arg[2], arg[3], arg[4],
	      (char *)NULL);
	_exit(127);
}

int psp_start(struct psp_process *p)
{
	int control[2], psp[2];
	struct record r;
	struct err e = { 0 };

	p->log = memfd_create("psp-log", MFD_CLOEXEC);
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
	    record_receive(p->control, "psp", &r, &e) != 1 || r.type != RECORD_READY)
		return -1;
	return psp[0];
}

void psp_stop(struct psp_process *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
	close(p->control);
	close(p->log);
}

void psp_chip_remove(struct psp_process *p)
{
	static const char *const names[] = { "chip.key", "certs.bin", "root.pem" };
	char path[128];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->folder, names[i]);
		unlink(path);
	}
	rmdir(p->folder);
}
