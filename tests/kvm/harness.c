#include "tests/kvm/harness.h"

#include "common/file.h"
#include "firmware/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *build_folder(void)
{
	const char *folder = getenv("PAVISE_BUILD");

	return folder ? folder : "build";
}

__attribute__((noreturn)) static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

int harness_usable(const char **reason)
{
	int fd;

	*reason = "not root: only root can drop the capability bounding set, as the launcher does";
	if (geteuid() != 0)
		return -1;
	*reason = "needs Landlock";
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		return -1;
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	*reason = "no usable /dev/kvm";
	int version = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
	close(fd);
	return version == KVM_API_VERSION ? 0 : -1;
}

static void load_guest(struct harness *h)
{
	struct err e = { 0 };
	char path[512];
	size_t size;

	snprintf(path, sizeof(path), "%s/tests/guests/%s.bin", build_folder(), h->guest);
	if (file_read("guest", path, 1 << 20, 0, &h->image, &size, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	h->plan.tee = PLAN_TEE_PLAIN;
	h->plan.min_ram = 4u << 20;
	h->plan.max_cpus = FW_BOOT_CPU_MAX;
	h->plan.vcpu = (struct plan_vcpu){ GUEST_BASE, GUEST_STACK, GUEST_CR3 };
	h->plan.region_count = 2;
	h->plan.region[0] = (struct plan_region){ PLAN_FIRMWARE, GUEST_BASE, size, h->image };
	h->plan.region[1] = (struct plan_region){ PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, FW_PAGE, NULL };
}

void harness_init(struct harness *h, const char *guest)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->guest, sizeof(h->guest), "%s", guest);
	h->program = "pavise-vmm";
	h->memory = 16u << 20;
	h->cpus = 1;
	h->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	h->tpm_fd = -1;
	h->control = h->ram = h->log = h->console = h->error = -1;
	load_guest(h);
}

/* The child gets this descriptor under the same number. */
static int pass(struct harness *h, int fd)
{
	if (fd < 0 || h->fd_count == HARNESS_FDS_MAX)
		give_up("descriptor");
	h->fd[h->fd_count++] = fd;
	return fd;
}

void harness_add_arg(struct harness *h, const char *fmt, ...)
{
	va_list args;

	if (h->arg_count == HARNESS_ARGS_MAX)
		give_up("arguments");
	va_start(args, fmt);
	vsnprintf(h->arg[h->arg_count++], sizeof(h->arg[0]), fmt, args);
	va_end(args);
}

void harness_add_fd(struct harness *h, const char *key, int fd)
{
	harness_add_arg(h, "%s=%d", key, pass(h, fd));
}

void harness_add_device(struct harness *h, const char *type, int fd)
{
	harness_add_arg(h, "dev=%s:%d", type, pass(h, fd));
}

static int make_memfd(const char *name, uint64_t size, int seals)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    (seals && fcntl(fd, F_ADD_SEALS, seals) < 0))
		give_up(name);
	return fd;
}

static void *plan_bytes(const struct harness *h, size_t *size)
{
	struct err e = { 0 };
	void *bytes;

	*size = h->raw_plan ? h->raw_plan_size : plan_file_size(&h->plan);
	bytes = malloc(*size + 1);
	if (!bytes || *size == 0)
		give_up("plan");
	if (h->raw_plan)
		memcpy(bytes, h->raw_plan, *size);
	else if (plan_write(&h->plan, bytes, *size, &e) < 0)
		give_up(e.text);
	return bytes;
}

static int make_plan(const struct harness *h)
{
	const int seals = h->unsealed_plan ? F_SEAL_SHRINK
		: F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	size_t size;
	void *bytes = plan_bytes(h, &size);
	int fd = make_memfd("plan", 0, 0);

	if (write(fd, bytes, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, seals) < 0)
		give_up("plan");
	free(bytes);
	return fd;
}

static void add_descriptors(struct harness *h, int control, int plan)
{
	harness_add_arg(h, "control=%d", pass(h, control));
	harness_add_arg(h, "plan=%d", pass(h, plan));
	harness_add_arg(h, "ram=%d", pass(h, h->ram));
	harness_add_arg(h, "log=%d", pass(h, h->log));
	harness_add_arg(h, "console=%d", pass(h, h->console));
	if (h->kvm_fd >= 0)
		harness_add_arg(h, "kvm=%d", pass(h, h->kvm_fd));
	if (h->tpm_fd >= 0)
		harness_add_arg(h, "tpm=%d", pass(h, h->tpm_fd));
	harness_add_arg(h, "name=test");
	harness_add_arg(h, "label=none");
	harness_add_arg(h, "memory=%llu", (unsigned long long)h->memory);
	harness_add_arg(h, "cpus=%u", h->cpus);
}

/* The VMM refuses to run with any capability. With an empty bounding set exec gives root none. */
int harness_drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	}
	return (int)syscall(SYS_capset, &header, none);
}

__attribute__((noreturn)) static void child(const struct harness *h)
{
	char *argv[HARNESS_ARGS_MAX + 2] = { 0 };
	char path[512];

	snprintf(path, sizeof(path), "%s/bin/%s", build_folder(), h->program);
	argv[0] = path;
	for (unsigned i = 0; i < h->arg_count; i++)
		argv[1 + i] = (char *)(uintptr_t)h->arg[i];
	for (unsigned i = 0; i < h->fd_count; i++) {
		if (fcntl(h->fd[i], F_SETFD, 0) < 0)
			_exit(126);
	}
	if (dup2(h->error, STDERR_FILENO) < 0 || harness_drop_capabilities() < 0)
		_exit(126);
	execv(path, argv);
	_exit(127);
}

static bool wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, HARNESS_TIMEOUT_MS) == 1;
}

static void collect_text(int fd, char *text)
{
	ssize_t n = pread(fd, text, HARNESS_TEXT_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

void harness_peek(struct harness *h)
{
	collect_text(h->console, h->console_text);
}

/* Waits for the process, at most the time of one answer. */
static void collect(struct harness *h)
{
	int status = 0;

	for (int ms = 0; h->pid > 0 && ms < HARNESS_TIMEOUT_MS; ms++) {
		if (waitpid(h->pid, &status, WNOHANG) == h->pid) {
			h->pid = 0;
			h->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
			break;
		}
		usleep(1000);
	}
	harness_peek(h);
	collect_text(h->log, h->log_text);
	collect_text(h->error, h->error_text);
}

/* The next record but for what tells times; false: none came. */
static bool next_record(struct harness *h, struct record *r)
{
	struct err e = { 0 };

	do {
		if (!wait_readable(h->control) || record_receive(h->control, "vmm", r, &e) != 1)
			return false;
		if (r->type == RECORD_TIMING && r->a < VM_MOMENTS)
			h->moment[r->a] = r->b;
	} while (r->type == RECORD_TIMING);
	return true;
}

/* 0 when the record of that type came. */
static int expect(struct harness *h, enum record_type type, struct record *r)
{
	if (next_record(h, r)) {
		if (r->type == RECORD_EXIT) {
			h->ended = true;
			h->end = r->a;
			h->detail = r->b;
		}
		if (r->type == type)
			return 0;
	}
	collect(h);
	return -1;
}

int harness_start(struct harness *h)
{
	struct record r;
	int pair[2], plan;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		give_up("socketpair");
	plan = make_plan(h);
	h->control = pair[0];
	h->ram = make_memfd("ram", h->memory + h->ram_excess,
			    h->unsealed_ram ? F_SEAL_GROW : F_SEAL_SHRINK | F_SEAL_GROW);
	h->log = make_memfd("log", 0, 0);
	h->console = make_memfd("console", 0, 0);
	h->error = make_memfd("error", 0, 0);
	add_descriptors(h, pair[1], plan);
	fflush(stdout);
	h->pid = fork();
	if (h->pid < 0)
		give_up("fork");
	if (h->pid == 0)
		child(h);
	for (unsigned i = 0; i < h->fd_count; i++) {
		if (h->fd[i] != h->ram && h->fd[i] != h->log && h->fd[i] != h->console)
			close(h->fd[i]);
	}
	h->kvm_fd = -1;
	if (expect(h, RECORD_READY, &r) < 0)
		return -1;
	h->ready = true;
	return 0;
}

int harness_send(struct harness *h, enum record_type type)
{
	struct err e = { 0 };

	return record_send(h->control, type, 0, 0, &e) < 0 ? -1 : 0;
}

int harness_seal(struct harness *h)
{
	struct record r;

	if (harness_send(h, RECORD_SEAL) < 0 || expect(h, RECORD_SEALED, &r) < 0)
		return -1;
	h->sealed = true;
	return 0;
}

int harness_finish(struct harness *h)
{
	struct record r;

	/* A test that closed its end can only wait for the process. */
	if (h->control >= 0 && expect(h, RECORD_EXIT, &r) < 0)
		return -1;
	collect(h);
	return 0;
}

int harness_run(struct harness *h)
{
	if (harness_start(h) < 0 || harness_seal(h) < 0 || harness_send(h, RECORD_GO) < 0)
		return -1;
	return harness_finish(h);
}

void harness_free(struct harness *h)
{
	const int fd[] = { h->control, h->ram, h->log, h->console, h->error, h->kvm_fd };

	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
		h->pid = 0;
	}
	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
	free(h->image);
	h->image = NULL;
}

bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}
