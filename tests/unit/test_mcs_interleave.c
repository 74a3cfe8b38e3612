/* The table of category pairs under every interleaving of two launchers, at the granularity of
 * calls into the C library: any may be followed by the other launcher's next one, or never come.
 *
 * Two launchers are coroutines that run sandbox/mcs.c on one real directory. Each of its calls goes
 * through a trampoline that the build makes (tests/crash/find_points.py: no call is forgotten) and
 * ends in fault_point(), which hands over to the scheduler. The scheduler walks through all its
 * choices depth-first by running the whole story anew for each: who goes on, who dies, which number
 * is drawn. Three categories: three pairs. */
#include "sandbox/mcs.h"
#include "sandbox/procid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LAUNCHERS 2
#define PAIRS 3
#define HELD_MAX 2
#define FDS_MAX 8
#define STACK 65536
#define DEPTH_MAX 1024
#define RESIDENT 300 /* pid of a third one, which lives or is dead as the story begins */
#define FINDER 400   /* pid of a fourth, who counts what is free at the end */

struct launcher {
	ucontext_t context;
	char *stack;
	pid_t pid;
	bool alive, done;
	struct mcs_table table;
	struct mcs_pair pair[HELD_MAX];
	bool holds[HELD_MAX];
	unsigned busy;      /* allocations refused with EX_BUSY */
	int fd[FDS_MAX];    /* open now, to be closed when it dies */
	DIR *listing;
	uint32_t drawn;
	int wants;          /* LOCK_EX or LOCK_SH while it waits for the lock */
	int has;            /* what it has of the lock */
	const char *error;  /* what cannot be */
};

/* What a story consists of. */
struct story {
	void (*act)(struct launcher *l, unsigned number);
	bool crash;        /* one launcher may die, at any step */
	bool draws;        /* every outcome of a draw; else the first pair */
	int resident;      /* 1: a living one holds a pair, -1: a dead one does, 0: there is none */
	unsigned busy;     /* allocations that have to be refused, when nobody dies */
	bool lock_broken;  /* flock does nothing: does this test see it? */
};

static struct launcher launchers[LAUNCHERS];
static struct launcher *current;   /* NULL: the test itself */
static ucontext_t scheduler;
static const struct story *story;
static char folder[64];
static pid_t caller; /* for whom the test itself calls */
static const char *violation;

/* ---- choices ------------------------------------------------------------------------------- */

static unsigned chosen[DEPTH_MAX], options[DEPTH_MAX], depth, known;

static unsigned choose(unsigned n)
{
	if (n <= 1)
		return 0;
	assert_true(depth < DEPTH_MAX);
	if (depth == known) {
		chosen[known] = 0;
		options[known++] = n;
	}
	return chosen[depth++];
}

/* The next story that was not told yet; false: that was all. */
static bool next_choices(void)
{
	while (known > 0 && chosen[known - 1] + 1 == options[known - 1])
		known--;
	if (known == 0)
		return false;
	chosen[known - 1]++;
	return true;
}

/* ---- calls of mcs.c ------------------------------------------------------------------------ */

int __real_openat(int dir, const char *path, int flags, ...);
int __real_close(int fd);
DIR *__real_fdopendir(int fd);
int __real_closedir(DIR *d);
int __real_flock(int fd, int operation);

void fault_point(uintptr_t place);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_close(int fd);
DIR *__wrap_fdopendir(int fd);
int __wrap_closedir(DIR *d);
int __wrap_fsync(int fd);
int __wrap_flock(int fd, int operation);
pid_t __wrap_getpid(void);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
bool __wrap_procid_start(pid_t pid, uint64_t *start);
bool __wrap_procid_boot(char out[PROCID_BOOT]);

/* Before any call of mcs.c but those below of which nobody else sees anything: the scheduler
 * decides who goes on. */
void fault_point(uintptr_t place)
{
	(void)place;
	if (current != NULL)
		swapcontext(&current->context, &scheduler);
}

static void note_fd(int from, int to)
{
	for (int i = 0; current != NULL && i < FDS_MAX; i++)
		if (current->fd[i] == from) {
			current->fd[i] = to;
			return;
		}
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	fault_point(0);
	int fd = __real_openat(dir, path, flags, mode);
	if (fd >= 0)
		note_fd(-1, fd);
	return fd;
}

int __wrap_close(int fd)
{
	note_fd(fd, -1);
	return __real_close(fd);
}

DIR *__wrap_fdopendir(int fd)
{
	DIR *d = __real_fdopendir(fd);

	if (current != NULL && d != NULL) {
		note_fd(fd, -1);
		current->listing = d;
	}
	return d;
}

int __wrap_closedir(DIR *d)
{
	if (current != NULL)
		current->listing = NULL;
	return __real_closedir(d);
}

/* Machines that stop are not of this test. */
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

/* Who wants the lock waits here, not in the kernel; the kernel's word has to agree. */
int __wrap_flock(int fd, int operation)
{
	if (current == NULL)
		return __real_flock(fd, operation);
	current->wants = operation == LOCK_UN ? 0 : operation;
	fault_point(0);
	current->wants = 0;
	current->has = operation == LOCK_UN ? 0 : operation;
	if (story->lock_broken)
		return 0;
	int rc = __real_flock(fd, operation | LOCK_NB);
	if (rc != 0)
		current->error = "the lock was not free";
	return rc;
}

pid_t __wrap_getpid(void)
{
	return current != NULL ? current->pid : caller;
}

/* mcs.c draws until a pair is free: each draw after the first is the next pair. */
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
	static uint32_t finders;
	uint32_t *drawn = current != NULL ? &current->drawn : &finders, number = ++*drawn;

	(void)flags;
	assert_int_equal(size, sizeof(number));
	if (story->draws && current != NULL)
		number = choose(PAIRS);
	memcpy(out, &number, size);
	return (ssize_t)size;
}

bool __wrap_procid_start(pid_t pid, uint64_t *start)
{
	if (current != NULL && pid != current->pid)
		fault_point(0);
	*start = 7;
	for (int i = 0; i < LAUNCHERS; i++)
		if (launchers[i].pid == pid)
			return launchers[i].alive;
	return pid == FINDER || (pid == RESIDENT && story->resident > 0);
}

bool __wrap_procid_boot(char out[PROCID_BOOT])
{
	snprintf(out, PROCID_BOOT, "00000000-0000-0000-0000-000000000000");
	return true;
}

/* ---- what launchers do --------------------------------------------------------------------- */

static void allocate(struct launcher *l, unsigned slot)
{
	struct err e = { 0 };
	int rc = mcs_allocate(&l->table, "vm", NULL, NULL, &l->pair[slot], &e);

	if (rc == 0)
		l->holds[slot] = true;
	else if (rc == -EX_BUSY)
		l->busy++;
	else
		l->error = "an allocation failed";
}

static void use(struct launcher *l, unsigned slot)
{
	if (l->holds[slot] && !mcs_held(&l->table, &l->pair[slot]))
		l->error = "a pair is not held while it is used";
}

static void release(struct launcher *l, unsigned slot)
{
	if (!l->holds[slot])
		return;
	/* Held until the entry is gone, which is the last that this does. */
	mcs_release(&l->table, &l->pair[slot]);
	l->holds[slot] = false;
}

static void hold(struct launcher *l, unsigned number)
{
	(void)number;
	allocate(l, 0);
	release(l, 0);
}

static void hold_and_use(struct launcher *l, unsigned number)
{
	(void)number;
	allocate(l, 0);
	use(l, 0);
	release(l, 0);
}

/* The first one comes again. */
static void again(struct launcher *l, unsigned number)
{
	hold(l, number);
	if (number == 0)
		hold(l, number);
}

/* Three allocations of both together. */
static void two_and_one(struct launcher *l, unsigned number)
{
	allocate(l, 0);
	if (number == 0)
		allocate(l, 1);
}

static void run_launcher(int number)
{
	struct launcher *l = &launchers[number];

	story->act(l, (unsigned)number);
	l->done = true; /* and alive until the other one is done */
	for (;;)
		swapcontext(&l->context, &scheduler);
}

/* ---- the scheduler ------------------------------------------------------------------------- */

static void close_all(struct launcher *l)
{
	for (int i = 0; i < FDS_MAX; i++)
		if (l->fd[i] >= 0)
			__real_close(l->fd[i]);
	if (l->listing != NULL)
		__real_closedir(l->listing);
	mcs_close(&l->table); /* and with it its lock */
}

static bool may_go_on(const struct launcher *l)
{
	if (!l->alive || l->done)
		return false;
	for (int i = 0; l->wants != 0 && !story->lock_broken && i < LAUNCHERS; i++)
		if (&launchers[i] != l && launchers[i].alive &&
		    (launchers[i].has == LOCK_EX || (launchers[i].has != 0 && l->wants == LOCK_EX)))
			return false;
	return true;
}

static void check_step(void)
{
	const struct launcher *a = &launchers[0], *b = &launchers[1];

	for (int i = 0; i < HELD_MAX; i++)
		for (int k = 0; k < HELD_MAX; k++)
			if (a->alive && b->alive && a->holds[i] && b->holds[k] &&
			    mcs_index(&a->pair[i]) == mcs_index(&b->pair[k]))
				violation = "two living launchers hold one pair";
	for (int i = 0; i < LAUNCHERS; i++)
		if (launchers[i].error != NULL && violation == NULL)
			violation = launchers[i].error;
}

static void start_launcher(const int number)
{
	struct launcher *const l = &launchers[number];
	struct err e = { 0 };

	/* A new stack each time: whoever died on the old one left its frames there, which the address
	 * sanitizer would take for living ones. */
	free(l->stack);
	*l = (struct launcher){ .stack = malloc(STACK), .pid = 100 + number, .alive = true };
	assert_non_null(l->stack);
	memset(l->fd, 0xff, sizeof(l->fd));
	assert_int_equal(mcs_open(folder, 3, &l->table, &e), 0);
	getcontext(&l->context);
	l->context.uc_stack.ss_sp = l->stack;
	l->context.uc_stack.ss_size = STACK;
	l->context.uc_link = NULL;
	makecontext(&l->context, (void (*)(void))(void *)run_launcher, 1, number);
}

static void step(struct launcher *l)
{
	current = l;
	swapcontext(&scheduler, &l->context);
	current = NULL;
}

/* Whoever may go on, or die: every choice of that. True when somebody died. */
static bool run_both(void)
{
	bool died = false;

	while (violation == NULL) {
		struct launcher *ready[LAUNCHERS];
		unsigned count = 0, living = 0;
		for (int i = 0; i < LAUNCHERS; i++) {
			living += launchers[i].alive && !launchers[i].done;
			if (may_go_on(&launchers[i]))
				ready[count++] = &launchers[i];
		}
		if (living == 0)
			break;
		if (count == 0) {
			violation = "nobody can go on";
			break;
		}
		unsigned choice = choose(story->crash && !died ? 2 * count : count);
		if (choice < count) {
			step(ready[choice]);
			check_step();
		} else {
			ready[choice - count]->alive = false;
			close_all(ready[choice - count]);
			died = true;
		}
	}
	return died;
}

static void make_resident(void)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%d 7 resident\n", RESIDENT);

	if (story->resident == 0)
		return;
	int fd = __real_openat(launchers[0].table.dir, "c0.c2", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, text, (size_t)n), n);
	__real_close(fd);
}

/* All that the living do not hold can be had: nothing is lost. */
static void check_end(bool died)
{
	unsigned got = 0, busy = 0, expected = PAIRS - (story->resident > 0 ? 1 : 0);
	struct mcs_pair found[PAIRS];
	struct err e = { 0 };
	struct mcs_table t;

	for (int i = 0; i < LAUNCHERS; i++) {
		busy += launchers[i].busy;
		launchers[i].alive = false;
	}
	if (!died && busy != story->busy)
		violation = "another number of allocations refused than there were too many";
	caller = FINDER;
	assert_int_equal(mcs_open(folder, 3, &t, &e), 0);
	while (got < expected && mcs_allocate(&t, "finder", NULL, NULL, &found[got], &e) == 0)
		got++;
	if (got != expected)
		violation = "a pair is lost";
	for (unsigned i = 0; i < got; i++)
		mcs_release(&t, &found[i]);
	(void)unlinkat(t.dir, "c0.c2", 0);
	mcs_close(&t);
}

/* Tells the story in every way; the number of ways, up to the first violation. */
static unsigned long explore(const struct story *s)
{
	unsigned long ways = 0;

	story = s;
	known = 0;
	violation = NULL;
	do {
		depth = 0;
		for (int i = 0; i < LAUNCHERS; i++)
			start_launcher(i);
		make_resident();
		for (int i = 0; i < LAUNCHERS; i++)
			step(&launchers[i]); /* to its first call */
		bool died = run_both();
		for (int i = 0; i < LAUNCHERS; i++)
			if (launchers[i].alive)
				close_all(&launchers[i]);
		if (violation == NULL)
			check_end(died);
		ways++;
	} while (violation == NULL && next_choices());
	return ways;
}

static void holds_in_every_way(const char *what, const struct story *s)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	unsigned long ways = explore(s);
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("# %s: %lu interleavings, %.1f s\n", what, ways,
		      (double)(end.tv_sec - start.tv_sec) +
		      (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	if (violation != NULL)
		fail_msg("%s, in way %lu", violation, ways);
	assert_true(ways > 1);
}

static void one_comes_again(void **state)
{
	(void)state;
	holds_in_every_way("one comes again", &(struct story){ .act = again });
}

static void both_use_theirs(void **state)
{
	(void)state;
	holds_in_every_way("both use theirs", &(struct story){ .act = hold_and_use });
}

static void every_draw(void **state)
{
	(void)state;
	holds_in_every_way("every draw", &(struct story){ .act = hold, .draws = true });
}

static void one_dies_at_any_step(void **state)
{
	(void)state;
	holds_in_every_way("one dies", &(struct story){ .act = again, .crash = true });
	holds_in_every_way("one dies as both use theirs",
			   &(struct story){ .act = hold_and_use, .crash = true });
}

static void both_reclaim_what_a_dead_one_left(void **state)
{
	(void)state;
	holds_in_every_way("what a dead one left is reclaimed, one dies",
			   &(struct story){ .act = hold, .crash = true, .resident = -1 });
}

static void one_too_many_is_refused(void **state)
{
	(void)state;
	holds_in_every_way("three allocations of two free pairs",
			   &(struct story){ .act = two_and_one, .resident = 1, .busy = 1 });
	holds_in_every_way("the same, one dies",
			   &(struct story){ .act = two_and_one, .resident = 1, .busy = 1,
					    .crash = true });
}

/* Without the lock an entry that is just being written looks like one of the dead. */
static void a_missing_lock_is_seen(void **state)
{
	(void)state;
	unsigned long ways =
		explore(&(struct story){ .act = hold, .lock_broken = true });
	print_message("# without the lock: %s, in way %lu\n",
		      violation != NULL ? violation : "nothing", ways);
	assert_non_null(violation);
}

static int make_folder(void **state)
{
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)state;
	snprintf(folder, sizeof(folder), "%s/pavise-mcs.XXXXXX", memory);
	if (mkdtemp(folder) == NULL)
		return 1;
	return 0;
}

static int drop_folder(void **state)
{
	static const char *const entries[] = { "c0.c1", "c0.c2", "c1.c2" };
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)unlinkat(dir, entries[i], 0); /* of a story that broke */
	close(dir);
	for (int i = 0; i < LAUNCHERS; i++) {
		free(launchers[i].stack);
		launchers[i].stack = NULL;
	}
	return rmdir(folder);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(one_comes_again),
		WITH_FOLDER(both_use_theirs),
		WITH_FOLDER(every_draw),
		WITH_FOLDER(one_dies_at_any_step),
		WITH_FOLDER(both_reclaim_what_a_dead_one_left),
		WITH_FOLDER(one_too_many_is_refused),
		WITH_FOLDER(a_missing_lock_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
