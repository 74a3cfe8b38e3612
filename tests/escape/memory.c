/* Memory that is written and then executed. Done means that the written code ran. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <unistd.h>

#define PAGE 4096u
#define RW (PROT_READ | PROT_WRITE)

static bool anonymous_rwx(void)
{
	void *p = mmap(NULL, PAGE, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	memcpy(p, code_bytes, sizeof(code_bytes));
	return code_runs(p);
}

static bool protect_later(void)
{
	void *p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	memcpy(p, code_bytes, sizeof(code_bytes));
	return mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0 && code_runs(p);
}

/* Memory it has already, so only the one call is needed. */
static bool protect_data(void)
{
	static unsigned char page[2 * PAGE] __attribute__((aligned(PAGE)));

	memcpy(page, code_bytes, sizeof(code_bytes));
	return mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0 && code_runs(page);
}

static bool stack(void)
{
	unsigned char here[2 * PAGE];
	unsigned char *page = here + (PAGE - (uintptr_t)here % PAGE) % PAGE;

	memcpy(page, code_bytes, sizeof(code_bytes));
	return mprotect(page, PAGE, RW | PROT_EXEC) == 0 && code_runs(page);
}

static int __attribute__((noinline, aligned(PAGE))) patched(void)
{
	__asm__ volatile(".fill 64, 1, 0x90");
	return 1;
}

static bool own_code(void)
{
	void *p;
	int (*f)(void) = patched;

	memcpy(&p, &f, sizeof(p));
	if (mprotect(p, PAGE, RW | PROT_EXEC) != 0)
		return false;
	memcpy(p, code_bytes, sizeof(code_bytes));
	return code_runs(p);
}

static bool maps_and_runs(int fd)
{
	if (fd < 0 || write(fd, code_bytes, sizeof(code_bytes)) != (ssize_t)sizeof(code_bytes))
		return false;
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return p != MAP_FAILED && code_runs(p);
}

static bool memory_file(void)
{
	return maps_and_runs(memfd_create("code", MFD_CLOEXEC));
}

static bool file(void)
{
	return maps_and_runs(open("/tmp/escape-code", O_RDWR | O_CREAT | O_TRUNC, 0700));
}

static bool segment(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
	if (id < 0)
		return false;
	void *p = shmat(id, NULL, SHM_EXEC);
	shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		return false;
	memcpy(p, code_bytes, sizeof(code_bytes));
	return code_runs(p);
}

/* What the guest wrote, executed as the VMM's own code. */
static bool guest_memory(void)
{
	int fd = own_descriptor("ram");

	if (fd < 0 || pwrite(fd, code_bytes, sizeof(code_bytes), (off_t)(1u << 20)) < 0)
		return false;
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, (off_t)(1u << 20));
	return p != MAP_FAILED && code_runs(p);
}

/* Every mapping that can be read from then on is executable too. */
static bool read_implies_exec(void)
{
	if (personality(READ_IMPLIES_EXEC) < 0)
		return false;
	void *p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	memcpy(p, code_bytes, sizeof(code_bytes));
	return code_runs(p);
}

static const struct attempt attempts[] = {
	{ "wx-mmap", "writable and executable memory", VM_ROLES, anonymous_rwx },
	{ "wx-mprotect", "memory made executable after it was written", VM_ROLES, protect_later },
	{ "wx-data", "its own data made executable", VM_ROLES, protect_data },
	{ "wx-stack", "its stack made executable", VM_ROLES, stack },
	{ "wx-text", "its own code made writable", VM_ROLES, own_code },
	{ "wx-memfd", "a memory file mapped executable", VM_ROLES, memory_file },
	{ "wx-file", "a file it wrote mapped executable", VM_ROLES, file },
	{ "wx-shm", "an executable shared memory segment", VM_ROLES, segment },
	{ "wx-guest", "guest memory mapped executable", KVM_ROLES, guest_memory },
	{ "wx-personality", "read implies execute", VM_ROLES, read_implies_exec },
};

const struct class class_memory = CLASS("memory", attempts);
