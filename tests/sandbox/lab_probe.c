/* Tries, in the lab, what must not be possible, and says how it ended:
 *
 *   lab_probe root PID          memory and descriptors of a process, as unconfined root
 *   lab_probe attack PID PATH...  as a VM process against another VM's process and files
 *   lab_probe exec LABEL SOCKET PROGRAM ARG...   installed under the launcher's path, so in
 *                               its domain: executes PROGRAM as LABEL, "-" for no label, with a socket
 *                               labelled SOCKET as descriptor 3
 *
 *   lab_probe listen PATH GROUP  stands in for the host's quote generation service, as unconfined
 *                               root: refuses one quote on a socket for that group
 *
 *   lab_probe bomb COUNT        makes that many processes, says how many it got, ends them
 *   lab_probe reclaim PARENT CATEGORIES   as the launcher does it: a dead one's cgroup
 *
 * One line for each attempt: "NAME: done" or "NAME: error text". */
#include "sandbox/cgroup.h"
#include "sandbox/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
	fflush(stdout);
}

static void try_memory(pid_t pid)
{
	char path[40], byte;
	struct iovec to = { &byte, 1 }, from = { (void *)0x1000, 1 };

	long rc = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
	say("ptrace", rc);
	if (rc == 0)
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	/* Nothing is mapped at the address: a permitted caller gets "Bad address". */
	say("process_vm_readv", process_vm_readv(pid, &to, 1, &from, 1, 0));
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	say("/proc/PID/mem", open(path, O_RDONLY));
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	say("pidfd_getfd", pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 1, 0));
}

static void try_processes(pid_t pid)
{
	say("signal 0", kill(pid, 0));
	say("SIGSTOP", kill(pid, SIGSTOP));
	try_memory(pid);
}

static void try_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	say("connect to its control socket",
	    fd < 0 ? -1 : connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static void try_kernel(void)
{
	struct io_uring_params ring;
	void *p;

	memset(&ring, 0, sizeof(ring));
	say("inet socket", socket(AF_INET, SOCK_STREAM, 0));
	say("netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("writable and executable memory", p == MAP_FAILED ? -1 : 0);
	say("userfaultfd", syscall(SYS_userfaultfd, 0));
	say("io_uring", syscall(SYS_io_uring_setup, 1, &ring));
	int rc = lsm_set(LSM_EXEC, "system_u:system_r:pavise_vtpm_t:s0:c1,c2");
	errno = -rc;
	say("label for exec", rc);
	rc = lsm_set(LSM_SOCKCREATE, "system_u:system_r:pavise_vtpm_t:s0:c1,c2");
	errno = -rc;
	say("label for sockets", rc);
	say("open /dev/kvm", open("/dev/kvm", O_RDWR));
	say("open /etc/shadow", open("/etc/shadow", O_RDONLY));
	execl("/bin/sh", "sh", "-c", "true", NULL);
	say("execute a shell", -1);
}

static int attack(char **argv)
{
	char label[LABEL_MAX];

	printf("label %s\n", lsm_get(LSM_CURRENT, label) == 0 ? label : "?");
	try_processes((pid_t)strtol(argv[0], NULL, 10));
	try_connect(argv[1]);
	for (char **path = argv + 2; *path != NULL; path++) {
		say("open its file for reading", open(*path, O_RDONLY));
		say("open its file for writing", open(*path, O_WRONLY));
	}
	try_kernel();
	return 0;
}

static int exec_as(char **argv)
{
	const char *label = argv[0], *socket_label = argv[1];
	int pair[2], rc = 0;

	if (strcmp(socket_label, "-") != 0)
		rc = lsm_set(LSM_SOCKCREATE, socket_label);
	if (rc != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0 || dup2(pair[0], 3) < 0 ||
	    lsm_set(LSM_SOCKCREATE, "") != 0) {
		printf("socket: cannot be prepared\n");
		return 1;
	}
	if (strcmp(label, "-") != 0 && (rc = lsm_set(LSM_EXEC, label)) != 0) {
		errno = -rc;
		say("label", -1);
		return 1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 1;
	execv(argv[2], argv + 2);
	say("exec", -1);
	return 1;
}

static int refuse_quote(const char *path, gid_t group)
{
	static const unsigned char refusal[20] = { 0, 0, 0, 16, 1, 0, 1, 0, 1,    0,
						   0, 0, 16, 0, 0, 0, 1, 0x20, 1, 0 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char request[4096];

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	umask(0117);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    chown(path, 0, group) != 0 || listen(fd, 1) != 0) {
		say("listen", -1);
		return 1;
	}
	int peer = accept(fd, NULL, NULL);
	say("accept", peer);
	say("read", recv(peer, request, sizeof(request), 0));
	say("write", send(peer, refusal, sizeof(refusal), MSG_NOSIGNAL));
	return 0;
}

static int bomb(int wanted)
{
	int made = 0;
	pid_t pid[64];

	errno = 0;
	while (made < wanted && made < 64 && (pid[made] = fork()) >= 0)
		if (pid[made++] == 0)
			for (;;)
				pause();
	printf("made %d of %d: %s\n", made, wanted, strerror(errno));
	while (made > 0)
		kill(pid[--made], SIGKILL);
	return 0;
}

static int reclaim(const char *parent, const char *categories)
{
	struct mcs_pair pair;
	struct err e = { 0 };
	bool found = false;
	int rc = mcs_parse(categories, &pair) ? cgroup_reclaim(parent, &pair, &found, &e) : -1;

	printf("reclaim %s: %s\n", rc == 0 ? "done" : e.text, found ? "found" : "nothing");
	return rc != 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "bomb") == 0)
		return bomb((int)strtol(argv[2], NULL, 10));
	if (argc >= 4 && strcmp(argv[1], "reclaim") == 0)
		return reclaim(argv[2], argv[3]);
	if (argc >= 3 && strcmp(argv[1], "root") == 0)
		return try_memory((pid_t)strtol(argv[2], NULL, 10)), 0;
	if (argc >= 4 && strcmp(argv[1], "attack") == 0)
		return attack(argv + 2);
	if (argc >= 5 && strcmp(argv[1], "exec") == 0)
		return exec_as(argv + 2);
	if (argc >= 4 && strcmp(argv[1], "listen") == 0)
		return refuse_quote(argv[2], (gid_t)strtol(argv[3], NULL, 10));
	return 64;
}
