/* pavise-init: the first process of a guest that was made by `pavise image build`. It believes the
 * command line and the initrd, which are measured, and nothing else; on any doubt it says so on the
 * console and powers off. docs/PROTOCOL.image. */
#include "common/bytes.h"
#include "guest/data.h"
#include "guest/modules.h"
#include "guest/params.h"
#include "guest/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT "/bin/pavise-agent"
#define INIT "/sbin/init"
#define KEY_FD 3

static char *const environment[] = {
	"HOME=/", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=linux",
	NULL
};

/* One write for a line: the agent and the kernel write to the same console. */
static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	n = n < 0 ? 0 : n > (int)sizeof(text) - 2 ? (int)sizeof(text) - 2 : n;
	text[n] = '\n';
	dprintf(STDERR_FILENO, "pavise-init: %.*s", n + 1, text);
}

static void __attribute__((noreturn)) power_off(void)
{
	sync();
	data_flush();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) refuse(const struct err *e)
{
	say("REFUSED: %s", e->text);
	power_off();
}

/* The kernel may start us without a console, and its /dev is empty. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static int mount_all(struct err *e)
{
	static const struct {
		const char *type, *place;
		unsigned long flags;
		int needed; /* the others the agent alone asks for, and it says what it lacks */
	} table[] = {
		{ "devtmpfs", "/dev", MS_NOSUID, 1 },
		{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 1 },
		{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, 1 },
		{ "securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0 },
		{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (i == 0)
			open_console();
		if (strcmp(table[i].type, "devpts") == 0)
			mkdir(table[i].place, 0755);
		/* EBUSY: the kernel has mounted it itself (CONFIG_DEVTMPFS_MOUNT). */
		if (mount(table[i].type, table[i].place, table[i].type, table[i].flags, NULL) !=
			    0 &&
		    errno != EBUSY && table[i].needed)
			return err_errno(e, EX_HOST, errno, "%s: cannot be mounted",
					 table[i].place);
	}
	open_console();
	return 0;
}

static int read_params(struct guest_params *p, struct err *e)
{
	char text[PARAMS_CMDLINE_MAX + 2];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (n < 0 || memchr(text, '\0', (size_t)n) != NULL)
		return err_set(e, EX_HOST, "/proc/cmdline: cannot be read");
	text[n] = '\0';
	return guest_params_parse(text, p, e);
}

/* In a view of the file systems of its own: it needs /sys and the initrd's libraries when the rest
 * of the guest has gone to its root. key: its end of the socket, or -1. */
static void __attribute__((noreturn)) become_agent(const struct guest_params *p, int key)
{
	char id[2 * PARAMS_DIGEST + 32] = "data-key-id=";
	char fd[16];
	char *argv[] = { AGENT, id, fd, NULL };

	snprintf(fd, sizeof(fd), "data-key=%d", KEY_FD);
	hex_encode(p->data_id, PARAMS_DIGEST, id + strlen(id));
	if (!p->has_data)
		argv[1] = NULL;
	if (unshare(CLONE_NEWNS) == 0 &&
	    (key < 0 || key == KEY_FD || dup2(key, KEY_FD) == KEY_FD) &&
	    (key < 0 || fcntl(KEY_FD, F_SETFD, 0) == 0))
		execve(AGENT, argv, environment);
	say("%s: cannot be started: %s", AGENT, strerror(errno));
	_exit(1);
}

/* *key: our end of the socket over which the agent brings the data disk's key; -1: none. */
static int start_agent(const struct guest_params *p, int *key, struct err *e)
{
	int ends[2] = { -1, -1 };

	if (p->has_data && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(e, EX_HOST, errno, "socketpair");
	pid_t pid = fork();
	if (pid < 0)
		return err_errno(e, EX_HOST, errno, "fork");
	if (pid == 0)
		become_agent(p, ends[1]);
	if (ends[1] >= 0)
		close(ends[1]);
	*key = ends[0];
	return 0;
}

/* Waits for the owner, for ever if need be: there is nothing to run without the disk. */
static int take_data_key(int fd, struct err *e)
{
	struct data_key_message m;
	uint64_t size = 0;

	say("waiting for the key of the data disk");
	ssize_t n = recv(fd, &m, sizeof(m), MSG_TRUNC);
	if (n != (ssize_t)sizeof(m))
		return err_set(e, EX_HOST, "data disk: the agent has ended without its key");
	int rc = data_open(&m, &size, e);
	explicit_bzero(&m, sizeof(m));
	if (send(fd, e->text, strlen(e->text) + 1, MSG_NOSIGNAL) < 0)
		say("the agent does not hear");
	close(fd);
	if (rc == 0)
		say("data disk: open at " DATA_LINK ", %llu bytes", (unsigned long long)size);
	return rc;
}

/* The workload's init takes our place; a program of pavise.run is waited for. */
static int start_workload(const struct guest_params *p, struct err *e)
{
	const char *path = p->run[0] != '\0' ? p->run : INIT;
	char *const argv[] = { (char *)path, NULL };
	int status = 0;

	say("starting %s", path);
	pid_t pid = p->run[0] != '\0' ? fork() : 0;
	if (pid < 0)
		return err_errno(e, EX_HOST, errno, "fork");
	if (pid == 0) {
		execve(path, argv, environment);
		if (p->run[0] == '\0')
			return err_errno(e, EX_HOST, errno, "%s: cannot be run", path);
		say("%s: cannot be run: %s", path, strerror(errno));
		_exit(127);
	}
	/* Others' children end here, too: whoever loses its parent is ours. */
	for (pid_t done; (done = wait(&status)) != pid;)
		if (done < 0 && errno != EINTR)
			return err_errno(e, EX_HOST, errno, "wait");
	say("%s ended with %s %d", path, WIFEXITED(status) ? "status" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	power_off();
}

static int boot(struct err *e)
{
	struct guest_params p = { .has_data = false };
	int key = -1, rc = mount_all(e);

	if (rc == 0)
		rc = read_params(&p, e);
	if (rc == 0)
		rc = modules_load(MODULES_FOLDER, e);
	/* configfs, where a confidential guest asks for its report, may be a module. */
	if (rc == 0)
		(void)mount("configfs", "/sys/kernel/config", "configfs", MS_NOSUID | MS_NODEV,
			    NULL);
	if (rc == 0)
		rc = root_mount(&p, e);
	if (rc == 0)
		say("root file system: pinned, %llu blocks", (unsigned long long)p.root_blocks);
	if (rc == 0)
		rc = start_agent(&p, &key, e);
	if (rc == 0 && p.has_data)
		rc = take_data_key(key, e);
	if (rc == 0)
		rc = root_enter(e);
	return rc == 0 ? start_workload(&p, e) : rc;
}

int main(void)
{
	struct err e = { 0 };

	if (getpid() != 1) {
		fputs("pavise-init: is the first process of a guest and nothing else: see pavise "
		      "image\n",
		      stderr);
		return EX_USAGE_ERROR;
	}
	umask(022);
	(void)boot(&e);
	refuse(&e);
}
