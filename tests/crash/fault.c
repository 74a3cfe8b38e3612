/* The launcher's fault points at work: counts passages, and kills where it is told to (fault.h).
 *
 * Nothing here may be a fault point itself, so all of it is bare system calls. What is counted is
 * in memory that launcher and children share: a child has lost its descriptors and its root long
 * before its last point. */
#include "tests/crash/fault.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define OFFSETS (2u << 20)  /* bytes of program that points can lie in */
#define PASSAGES 65536u

struct shared {
	uint32_t passed[OFFSETS];
	uint32_t count;
	uint32_t wanted; /* 1: the helper is to kill the launcher, 2: it has */
	uint32_t hit;
	struct passage passage[PASSAGES];
};

enum mode { OFF, RECORD, KILL, KILL_LAUNCHER };

static struct shared *shared;
static enum mode mode;
static int out = -1;
static uint32_t fault_offset, fault_number;
static long launcher;

extern const char __executable_start; /* of the linker: where offset 0 is loaded */

void fault_point(uintptr_t place);

static long bare(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void *map_shared(size_t size)
{
	register long r10 __asm__("r10") = MAP_SHARED | MAP_ANONYMOUS;
	register long r8 __asm__("r8") = -1;
	register long r9 __asm__("r9") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_mmap), "D"(0), "S"(size), "d"(PROT_READ | PROT_WRITE), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result < 0 && result > -4096 ? NULL : (void *)result;
}

static void await_word(uint32_t *word, uint32_t until)
{
	for (;;) {
		uint32_t now = __atomic_load_n(word, __ATOMIC_SEQ_CST);
		if (now >= until)
			return;
		bare(SYS_futex, (long)word, FUTEX_WAIT, now, 0);
	}
}

static void set_word(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	bare(SYS_futex, (long)word, FUTEX_WAKE, 64, 0);
}

/* A child cannot name the launcher, which is outside of its pid namespace: so a process beside the
 * launcher kills it. It holds no descriptor, and ends when the launcher does. */
static void start_helper(void)
{
	if (bare(SYS_fork, 0, 0, 0, 0) != 0)
		return;
	bare(SYS_close_range, 0, ~0u, 0, 0);
	bare(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	if (bare(SYS_getppid, 0, 0, 0, 0) == launcher) {
		await_word(&shared->wanted, 1);
		/* Who passed goes on when the launcher is gone: the end of the launcher would end
		 * this process before it can say so. */
		bare(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0);
		bare(SYS_kill, launcher, SIGKILL, 0, 0);
		while (bare(SYS_getppid, 0, 0, 0, 0) == launcher)
			bare(SYS_sched_yield, 0, 0, 0, 0);
		set_word(&shared->wanted, 2);
	}
	bare(SYS_exit_group, 0, 0, 0, 0);
	__builtin_unreachable();
}

static bool parse(const char *text)
{
	static const struct {
		const char *word;
		enum mode mode;
	} words[] = { { "record:", RECORD }, { "kill:", KILL }, { "launcher:", KILL_LAUNCHER } };
	char *end;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0) {
			mode = words[i].mode;
			text += strlen(words[i].word);
			out = (int)strtol(text, &end, 10);
			if (mode == RECORD)
				return true;
			fault_offset = (uint32_t)strtoul(end + 1, &end, 16);
			fault_number = (uint32_t)strtoul(end + 1, &end, 10);
			return fault_offset != 0 && fault_number != 0;
		}
	return false;
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("PAVISE_FAULT");

	if (text == NULL || (shared = map_shared(sizeof(*shared))) == NULL || !parse(text)) {
		mode = OFF;
		return;
	}
	launcher = bare(SYS_getpid, 0, 0, 0, 0);
	if (mode == KILL_LAUNCHER)
		start_helper();
}

/* What a child's fault was can only be said now: it had no descriptor to say it on. */
__attribute__((destructor)) static void finish(void)
{
	if (mode == RECORD)
		bare(SYS_write, out, (long)shared->passage,
		     (long)(shared->count * sizeof(shared->passage[0])), 0);
	else if (mode != OFF && shared->hit != 0)
		bare(SYS_write, out, (long)FAULT_HIT, sizeof(FAULT_HIT) - 1, 0);
	mode = OFF;
}

static void die(bool is_child)
{
	shared->hit = 1;
	if (mode == KILL_LAUNCHER && is_child) {
		set_word(&shared->wanted, 1);
		await_word(&shared->wanted, 2);
		return;
	}
	if (!is_child) {
		bare(SYS_write, out, (long)FAULT_HIT, sizeof(FAULT_HIT) - 1, 0);
		bare(SYS_kill, launcher, SIGKILL, 0, 0);
	}
	/* The first process of a pid namespace cannot send itself SIGKILL (pid_namespaces(7)), but
	 * an instruction that is none kills it just as suddenly. */
	__builtin_trap();
}

void fault_point(uintptr_t place)
{
	uintptr_t offset = place - (uintptr_t)&__executable_start;

	if (mode == OFF || offset >= OFFSETS)
		return;
	const bool is_child = bare(SYS_getpid, 0, 0, 0, 0) != launcher;
	uint32_t number = __atomic_add_fetch(&shared->passed[offset], 1, __ATOMIC_SEQ_CST);
	if (mode == RECORD) {
		uint32_t at = __atomic_fetch_add(&shared->count, 1, __ATOMIC_SEQ_CST);
		if (at >= PASSAGES)
			__builtin_trap(); /* a record with a hole would hide points */
		shared->passage[at] = (struct passage){ (uint32_t)offset, is_child };
	} else if (offset == fault_offset && number == fault_number) {
		die(is_child);
	}
}
