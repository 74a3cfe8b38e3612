/* Stands in for pavise-vmm and pavise-dev in the launcher's own tests: speaks the records and
 * reports what it was given. What the VMM does is chosen by the VM's name:
 *   off      powers off            fwstop  firmware stop 0x41     crash  triple fault
 *   die      ends with status 9    mute    never gets ready       hold   runs until stopped
 *   badtime  tells a moment that is none
 *   liar     sends SEALED before it was asked                     deaf   ignores STOP
 *   cling    clears its death signal and stays, whatever closes
 *   quote    asks for a quote, says what it hears, runs until stopped
 * or by what it has its first device do, before it runs until stopped:
 *   fill     write to every page of guest memory    some   to those of its first 64 MiB
 *   bomb     make processes until that fails
 *   both     the VMM fills guest memory, then the device as much of its own
 * and what mistakes.h lists, for the audit of running VMs: each runs until stopped.
 * As a simulated TDX platform it refuses every quote. It is linked statically and reports over its
 * log, as the real ones do. */
#include "common/quote_wire.h"
#include "common/record.h"
#include "sandbox/lsm.h"
#include "tests/sandbox/mistakes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CONTROL 3

static void say_ids(void)
{
	uid_t r, f, s;
	gid_t gr, gf, gs;

	getresuid(&r, &f, &s);
	getresgid(&gr, &gf, &gs);
	printf("uid %u %u %u gid %u %u %u groups %d pid %d ppid %d\n", r, f, s, gr, gf, gs,
	       getgroups(0, NULL), (int)getpid(), (int)getppid());
}

static void say_privileges(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	unsigned bounding = 0, ambient = 0;

	syscall(SYS_capget, &h, d);
	for (int c = 0; c < 64; c++) {
		bounding += prctl(PR_CAPBSET_READ, c, 0, 0, 0) > 0;
		ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) > 0;
	}
	printf("caps %x %x %x bounding %u ambient %u securebits %x nnp %d\n",
	       d[0].effective | d[1].effective, d[0].permitted | d[1].permitted,
	       d[0].inheritable | d[1].inheritable, bounding, ambient,
	       (unsigned)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void say_root(void)
{
	struct statfs fs;
	struct dirent *entry;
	DIR *d = opendir("/");
	int entries = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			entries++;
	if (d != NULL)
		closedir(d);
	memset(&fs, 0, sizeof(fs));
	statfs("/", &fs);
	printf("root %s entries %d type %lx flags %lx write %s proc %s\n",
	       d == NULL ? strerror(errno) : "open", entries, (long)fs.f_type, (long)fs.f_flags,
	       mkdir("/x", 0700) == 0 ? "yes" : strerror(errno),
	       access("/proc/self", F_OK) == 0 ? "yes" : "no");
}

static void say_limits(void)
{
	struct rlimit core, files, size, threads;

	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_FSIZE, &size);
	getrlimit(RLIMIT_NPROC, &threads);
	printf("limits core %lu/%lu nofile %lu/%lu fsize %lu/%lu nproc %lu/%lu\n",
	       core.rlim_cur, core.rlim_max, files.rlim_cur, files.rlim_max, size.rlim_cur,
	       size.rlim_max, threads.rlim_cur, threads.rlim_max);
}

static void say_fds(void)
{
	struct stat st;

	for (int fd = 0; fd < 64; fd++)
		if (fstat(fd, &st) == 0)
			printf("fd %d type %o flags %x cloexec %d null %d\n", fd,
			       st.st_mode & S_IFMT, (unsigned)fcntl(fd, F_GETFL),
			       fcntl(fd, F_GETFD) & FD_CLOEXEC,
			       S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
}

static void say_all(char **argv)
{
	char label[LABEL_MAX];
	struct utsname u;
	int rc = lsm_get(LSM_CURRENT, label);

	for (int i = 0; argv[i] != NULL; i++)
		printf("arg %s\n", argv[i]);
	say_ids();
	say_privileges();
	say_root();
	say_limits();
	say_fds();
	uname(&u);
	printf("label %s\n", rc == 0 ? label : strerror(-rc));
	fflush(stdout);
}

static const char *value_of(char **argv, const char *key)
{
	for (int i = 0; argv[i] != NULL; i++)
		if (strncmp(argv[i], key, strlen(key)) == 0)
			return argv[i] + strlen(key);
	return "";
}

/* Waits for one record of this type, answering nothing else. */
static void expect(uint32_t type)
{
	struct err e = { 0 };
	struct record r;

	if (record_receive(CONTROL, "launcher", &r, &e) != 1 || r.type != type) {
		printf("expected record %u\n", type);
		exit(EX_INTERNAL);
	}
}

static void tell(enum record_type type, uint32_t a, uint32_t b)
{
	struct err e = { 0 };

	if (record_send(CONTROL, type, a, b, &e) != 0)
		exit(EX_INTERNAL);
}

static void ask_for_quote(int fd)
{
	const struct quote_request q = { .magic = QUOTE_MAGIC, .id = 1 };
	struct quote_answer a = { 0 };

	if (send(fd, &q, sizeof(q), MSG_NOSIGNAL) != (ssize_t)sizeof(q) ||
	    recv(fd, &a, sizeof(a), 0) < (ssize_t)sizeof(a))
		printf("quote: %s\n", strerror(errno));
	else
		printf("quote: status %u\n", a.status);
	fflush(stdout);
}

/* A quote generation service that has always the same error, until the launcher has a word. */
static void refuse_quotes(int listener)
{
	static const unsigned char refusal[20] = { 0, 0, 0, 16, 1, 0, 1, 0, 1,    0,
						   0, 0, 16, 0, 0, 0, 1, 0x20, 1, 0 };
	struct pollfd p[2] = { { .fd = CONTROL, .events = POLLIN },
			       { .fd = listener, .events = POLLIN } };
	char request[4096];

	while (poll(p, 2, -1) > 0 && p[0].revents == 0) {
		int fd = accept(listener, NULL, NULL);
		printf("asked for a quote: %s\n", fd < 0 ? strerror(errno) : "refused");
		fflush(stdout);
		if (fd < 0 || recv(fd, request, sizeof(request), 0) <= 0 ||
		    send(fd, refusal, sizeof(refusal), MSG_NOSIGNAL) < 0)
			printf("and not heard: %s\n", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

/* ---- what a device is asked to do, over its vhost-user connection --------------------------- */

struct wish {
	char what;      /* 'f' fill the memory passed, 'o' own memory, 'b' make processes */
	uint64_t bytes; /* of memory */
};

/* Every page written to once; false: it cannot be mapped. */
static bool fill(int fd, uint64_t bytes)
{
	const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	volatile char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (map == MAP_FAILED)
		return false;
	for (uint64_t at = 0; at < bytes; at += 4096)
		map[at] = 1;
	return true;
}

static void make_processes(void)
{
	int count = 0;
	pid_t pid;

	while (count < 1000 && (pid = fork()) >= 0) {
		if (pid == 0)
			for (;;)
				pause();
		count++;
	}
	printf("made %d processes: %s\n", count, strerror(errno));
}

static void fulfil(const struct wish *w, int fd)
{
	if (w->what == 'b')
		make_processes();
	else if (fill(w->what == 'f' ? fd : -1, w->bytes))
		printf("filled %llu MiB\n", (unsigned long long)w->bytes >> 20);
	else
		printf("cannot map: %s\n", strerror(errno));
	fflush(stdout);
}

/* Until the launcher has a word. */
static void serve_wishes(int vhost)
{
	struct pollfd p[2] = { { .fd = CONTROL, .events = POLLIN },
			       { .fd = vhost, .events = POLLIN } };

	while (poll(p, 2, -1) > 0 && p[0].revents == 0) {
		struct wish w;
		char room[CMSG_SPACE(sizeof(int))];
		struct iovec to = { &w, sizeof(w) };
		struct msghdr m = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = room,
				    .msg_controllen = sizeof(room) };
		if (recvmsg(vhost, &m, 0) != (ssize_t)sizeof(w))
			return;
		const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		int fd = -1;
		if (c != NULL && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		fulfil(&w, fd);
		if (send(vhost, "d", 1, MSG_NOSIGNAL) != 1)
			return;
	}
}

/* Passes guest memory along; back when the device is done, or dead. */
static void ask_device(int vhost, int ram, const struct wish *w)
{
	char room[CMSG_SPACE(sizeof(int))] = "", done;
	struct iovec from = { (void *)(uintptr_t)w, sizeof(*w) };
	struct msghdr m = { .msg_iov = &from, .msg_iovlen = 1, .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &ram, sizeof(ram));
	bool answered = sendmsg(vhost, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*w) &&
			recv(vhost, &done, 1, 0) == 1;
	printf("the device: %s\n", answered ? "done" : "gone");
	fflush(stdout);
}

/* What a VM of this name has its device do. */
static const struct {
	const char *does;
	char what;
	uint64_t bytes; /* 0: as much as guest memory */
} wishes[] = {
	{ "fill", 'f', 0 }, { "some", 'f', 64u << 20 }, { "bomb", 'b', 0 }, { "both", 'o', 0 },
};

static bool wants_device(const char *does)
{
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		if (strcmp(does, wishes[i].does) == 0)
			return true;
	return false;
}

static void use_device(const char *does, char **argv)
{
	const char *first = strchr(value_of(argv, "dev="), ':');
	const int ram = (int)strtol(value_of(argv, "ram="), NULL, 10);
	const uint64_t memory = strtoull(value_of(argv, "memory="), NULL, 10);

	if (strcmp(does, "both") == 0 && fill(ram, memory))
		printf("filled all of it\n");
	fflush(stdout);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish w = { wishes[i].what,
					wishes[i].bytes == 0 ? memory : wishes[i].bytes };
		if (first != NULL && strcmp(does, wishes[i].does) == 0)
			ask_device((int)strtol(first + 1, NULL, 10), ram, &w);
	}
}

static int run_vmm(const char *does, char **argv)
{
	const int quote = (int)strtol(value_of(argv, "quote="), NULL, 10);

	expect(RECORD_GO);
	printf("go\n");
	fflush(stdout);
	if (strcmp(does, "badtime") == 0)
		tell(RECORD_TIMING, VM_MOMENTS, 1);
	if (strcmp(does, "off") == 0) {
		tell(RECORD_TIMING, VM_MOMENT_MADE, 12000);
		tell(RECORD_TIMING, VM_MOMENT_LOADED, 112000);
		tell(RECORD_TIMING, VM_MOMENT_RUNS, 113000);
		tell(RECORD_TIMING, VM_MOMENT_HANDED_OVER, 143000);
		tell(RECORD_TIMING, VM_MOMENT_ENDED, 643000);
		tell(RECORD_TIMING, VM_MOMENT_PAGES, 117);
		tell(RECORD_EXIT, VM_END_POWER_OFF, 0);
	} else if (strcmp(does, "fwstop") == 0) {
		tell(RECORD_TIMING, VM_MOMENT_RUNS, 113000);
		tell(RECORD_TIMING, VM_MOMENT_ENDED, 143000);
		tell(RECORD_EXIT, VM_END_FIRMWARE_STOP, 0x41);
	} else if (strcmp(does, "crash") == 0)
		tell(RECORD_EXIT, VM_END_TRIPLE_FAULT, 0);
	if (strcmp(does, "quote") == 0)
		ask_for_quote(quote);
	if (wants_device(does))
		use_device(does, argv);
	mistake_when_running(does);
	if (strcmp(does, "cling") == 0)
		prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (strcmp(does, "deaf") == 0 || strcmp(does, "cling") == 0)
		for (;;)
			pause();
	expect(RECORD_STOP);
	if (strcmp(does, "hold") == 0) {
		tell(RECORD_TIMING, VM_MOMENT_RUNS, 113000);
		tell(RECORD_TIMING, VM_MOMENT_ENDED, 163000);
	}
	if (strcmp(does, "hold") == 0 || strcmp(does, "quote") == 0 || wants_device(does) ||
	    is_mistake(does))
		tell(RECORD_EXIT, VM_END_STOPPED, 0);
	return 0;
}

int main(int argc, char **argv)
{
	const char *does = value_of(argv, "name=");

	(void)argc;
	say_all(argv);
	if (strcmp(does, "die") == 0) {
		printf("the dummy was told to die\n");
		return 9;
	}
	if (strcmp(does, "mute") == 0)
		for (;;)
			pause();
	if (strcmp(does, "liar") == 0)
		tell(RECORD_SEALED, 0, 0);
	tell(RECORD_READY, 0, 0);
	expect(RECORD_SEAL);
	mistake_before_seal(argv, does);
	tell(RECORD_SEALED, 0, 0);
	if (*does != '\0')
		return run_vmm(does, argv);
	if (*value_of(argv, "qgs=") != '\0')
		refuse_quotes((int)strtol(value_of(argv, "qgs="), NULL, 10));
	if (*value_of(argv, "vhost=") != '\0')
		serve_wishes((int)strtol(value_of(argv, "vhost="), NULL, 10));
	expect(RECORD_STOP);
	return 0;
}
