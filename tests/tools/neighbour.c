/* neighbour VICTIM DISK VICTIM-LABEL OTHER-LABEL: four attempts of a process of one VM on another
 * VM.
 *
 * Runs as unconfined root in the lab, which lets it into the device domain
 * (tests/lab/neighbour.cil, never installed). It opens the victim's disk and takes its agent
 * channel, then executes itself in the device domain at the other VM's level, with both descriptors
 * inherited, as if they had leaked. There it tries: the disk by path, the leaked disk, the control
 * socket by path, the leaked channel. The same is done at the victim's own level: the two leaked
 * descriptors work there, which proves that the attempts are real. The verdict comes back in the
 * exit status, since the domain may write nowhere. */
#include "cli/control_client.h"
#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISK_PATH = 1, DISK_LEAKED = 2, SOCKET_PATH = 4, CHANNEL_LEAKED = 8, RAN = 64 };

#define DISK_FD 10
#define CHANNEL_FD 11

static int try_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (fd < 0)
		return 0;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
}

/* In the device domain: what can be reached? */
static int probe(const char *disk, const char *socket_path)
{
	struct stat st;
	char byte;
	int reached = RAN;

	if (open(disk, O_RDONLY) >= 0)
		reached |= DISK_PATH;
	if (fstat(DISK_FD, &st) == 0 && S_ISREG(st.st_mode) && pread(DISK_FD, &byte, 1, 0) == 1)
		reached |= DISK_LEAKED;
	if (try_connect(socket_path))
		reached |= SOCKET_PATH;
	if (fstat(CHANNEL_FD, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    send(CHANNEL_FD, "x", 0, MSG_DONTWAIT) == 0)
		reached |= CHANNEL_LEAKED;
	return reached;
}

static int set_exec_label(const char *label)
{
	int fd = open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
	size_t n = strlen(label) + 1;
	int ok = fd >= 0 && write(fd, label, n) == (ssize_t)n;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Executes this program as `label`; its probe() status, or -1. */
static int run_as(const char *label, const char *disk, const char *socket_path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!set_exec_label(label))
			_exit(1);
		execl("/proc/self/exe", "neighbour", "--probe", disk, socket_path, (char *)NULL);
		_exit(2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    !(WEXITSTATUS(status) & RAN))
		return -1;
	return WEXITSTATUS(status) & ~RAN;
}

static void show(const char *who, int reached)
{
	static const struct {
		int bit;
		const char *text;
	} attempts[] = {
		{ DISK_PATH, "open the disk by its path" },
		{ DISK_LEAKED, "read a leaked descriptor of the disk" },
		{ SOCKET_PATH, "connect to the control socket" },
		{ CHANNEL_LEAKED, "use a leaked descriptor of the agent channel" },
	};

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		printf("%-28s %-46s %s\n", who, attempts[i].text,
		       (reached & attempts[i].bit) != 0 ? "SUCCEEDED" : "denied");
}

static int leak_descriptors(const char *victim, const char *disk, struct err *e)
{
	struct control_record answer;
	int control = -1, channel = -1, status;
	int fd = open(disk, O_RDWR);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s", disk);
	status = control_connect(NULL, victim, &control, e);
	if (status == 0)
		status = control_ask(control, CONTROL_ATTEST_CHANNEL, &answer, &channel, e);
	if (status < 0)
		return status;
	/* dup2 clears close-on-exec. */
	if (dup2(fd, DISK_FD) < 0 || dup2(channel, CHANNEL_FD) < 0)
		return err_errno(e, EX_HOST, errno, "dup2");
	return 0;
}

static int compare(char **argv, struct err *e)
{
	char socket_path[108];

	snprintf(socket_path, sizeof(socket_path), "/run/pavise/%s/control.sock", argv[1]);
	if (leak_descriptors(argv[1], argv[2], e) < 0)
		return -e->status;
	int own = run_as(argv[3], argv[2], socket_path);
	int other = run_as(argv[4], argv[2], socket_path);
	if (own < 0 || other < 0)
		return err_set(
			e, EX_HOST,
			"cannot enter the device domain: is tests/lab/neighbour.cil loaded?");
	show("second VM's device process:", other);
	show("control, first VM's own:", own);
	if (other != 0)
		return err_set(e, EX_REFUSED, "the second VM reached the first");
	if (own != (DISK_LEAKED | CHANNEL_LEAKED))
		return err_set(e, EX_INTERNAL,
			       "the control run differs: the attempts prove nothing");
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc == 4 && strcmp(argv[1], "--probe") == 0)
		return probe(argv[2], argv[3]);
	if (argc != 5)
		(void)err_set(&e, EX_USAGE_ERROR,
			      "usage: neighbour VICTIM DISK VICTIM-LABEL OTHER-LABEL");
	else
		(void)compare(argv, &e);
	return e.status == EX_OK ? EX_OK : err_report(&e, "neighbour");
}
