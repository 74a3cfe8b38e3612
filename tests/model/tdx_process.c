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

static const char *program(const char *name)
{
	static char path[512];
	const char *folder = getenv("PAVISE_BUILD");

	snprintf(path, sizeof(path), "%s/bin/%s", folder ? folder : "build", name);
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
		execl(program("pavise-tdx-sim"), "pavise-tdx-sim", "init", "--state", p->folder,
		      (char *)NULL);
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

/* Runs the program with label=none and KEY=FD for each descriptor. */
__attribute__((noreturn)) static void become(const char *name, const char *const *key,
					     const int *fd, unsigned count,
					     const char *const *more)
{
	char arg[FDS][32];
	const char *argv[FDS + 5] = { name, "label=none" };

	for (unsigned i = 0; i < count; i++) {
		if (fcntl(fd[i], F_SETFD, 0) < 0)
			_exit(126);
		snprintf(arg[i], sizeof(arg[i]), "%s=%d", key[i], fd[i]);
		argv[2 + i] = arg[i];
	}
	for (unsigned i = 0; more[i]; i++)
		argv[2 + count + i] = more[i];
	if (harness_drop_capabilities() < 0)
		_exit(126);
	execv(program(name), (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int expect(int control, enum record_type type)
{
	struct pollfd wait = { .fd = control, .events = POLLIN };
	struct record r;
	struct err e = { 0 };

	if (poll(&wait, 1, HARNESS_TIMEOUT_MS) != 1 ||
	    record_receive(control, "tdx", &r, &e) != 1 || r.type != type)
		return -1;
	return 0;
}

int tdx_start(struct tdx_process *p)
{
	static const char *const key[FDS] = { "control", "psp", "qgs", "log", "key", "certs" };
	static const char *const none[] = { NULL };
	int control[2], psp[2];

	p->quote_pid = 0;
	p->log = memfd_create("tdx-log", MFD_CLOEXEC);
	if (p->log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, psp) < 0)
		return -1;
	fflush(stdout);
	p->pid = fork();
	if (p->pid == 0) {
		const int fd[FDS] = { control[1], psp[1], listen_for_quotes(p), p->log,
				      open_part(p, TDX_STATE_KEY), open_part(p, TDX_STATE_CERTS) };

		become("pavise-tdx-sim", key, fd, FDS, none);
	}
	close(control[1]);
	close(psp[1]);
	p->control = control[0];
	return expect(p->control, RECORD_READY) == 0 ? psp[0] : -1;
}

static int seal(int control)
{
	struct err e = { 0 };

	if (record_send(control, RECORD_SEAL, 0, 0, &e) < 0)
		return -1;
	return expect(control, RECORD_SEALED);
}

int tdx_quote_start(struct tdx_process *p)
{
	static const char *const key[] = { "control", "channel", "log", "dir" };
	static const char *const more[] = { "qgs=unix", "name=qgs", NULL };
	int control[2], channel[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		return -1;
	fflush(stdout);
	p->quote_pid = fork();
	if (p->quote_pid == 0) {
		const int fd[] = { control[1], channel[1], p->log,
				   open(p->folder, O_PATH | O_DIRECTORY) };

		become("pavise-quote", key, fd, 4, more);
	}
	close(control[1]);
	close(channel[1]);
	p->quote_control = control[0];
	if (expect(control[0], RECORD_READY) < 0 || seal(control[0]) < 0 || seal(p->control) < 0)
		return -1;
	return channel[0];
}

int tdx_read_registers(int fd, struct tdx_registers *out)
{
	const struct tdx_header ask = { .magic = TDX_WIRE_MAGIC, .command = TDX_MR_READ };
	uint8_t answer[sizeof(ask) + sizeof(*out) + 1];

	if (write(fd, &ask, sizeof(ask)) != (ssize_t)sizeof(ask) ||
	    read(fd, answer, sizeof(answer)) != (ssize_t)(sizeof(ask) + sizeof(*out)))
		return -1;
	memcpy(out, answer + sizeof(ask), sizeof(*out));
	return 0;
}

static void end(pid_t *pid, int control)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
	close(control);
}

void tdx_stop(struct tdx_process *p)
{
	end(&p->quote_pid, p->quote_control);
	end(&p->pid, p->control);
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
