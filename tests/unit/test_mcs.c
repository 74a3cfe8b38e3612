/* The table of category pairs: what two VMs get must be incomparable, whatever crashes. */
#include "sandbox/mcs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char table_path[64];

static int make_table(void **state)
{
	(void)state;
	snprintf(table_path, sizeof(table_path), "/tmp/pavise-mcs.XXXXXX");
	return mkdtemp(table_path) == NULL;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int drop_table(void **state)
{
	(void)state;
	return nftw(table_path, drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct mcs_table open_table(unsigned categories)
{
	struct err e = { 0 };
	struct mcs_table t;

	assert_int_equal(mcs_open(table_path, categories, &t, &e), 0);
	return t;
}

static struct mcs_pair take(struct mcs_table *t)
{
	struct err e = { 0 };
	struct mcs_pair p;

	assert_int_equal(mcs_allocate(t, "vm", NULL, NULL, &p, &e), 0);
	return p;
}

/* Is the set of a inside the set of b? For pairs: only when they are equal. */
static int subset(struct mcs_pair a, struct mcs_pair b)
{
	return (a.low == b.low || a.low == b.high) && (a.high == b.low || a.high == b.high);
}

static void pairs_are_two_categories_and_incomparable(void **state)
{
	struct mcs_table t = open_table(MCS_CATEGORIES);
	struct mcs_pair p[100];

	(void)state;
	for (int i = 0; i < 100; i++) {
		p[i] = take(&t);
		assert_true(p[i].low < p[i].high && p[i].high < MCS_CATEGORIES);
		for (int k = 0; k < i; k++)
			assert_false(subset(p[i], p[k]));
	}
	mcs_close(&t);
}

static void pairs_differ_between_tables(void **state)
{
	struct mcs_pair first[8];
	int same = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct mcs_table t = open_table(MCS_CATEGORIES);
		for (int i = 0; i < 8; i++) {
			struct mcs_pair p = take(&t);
			if (round == 0)
				first[i] = p;
			else
				same += mcs_index(&p) == mcs_index(&first[i]);
			mcs_release(&t, &p);
		}
		mcs_close(&t);
	}
	assert_int_not_equal(same, 8); /* drawn, not counted up: 8 equal ones in 2^152 */
}

static void exhausted_is_a_clear_error(void **state)
{
	struct mcs_table t = open_table(5); /* 10 pairs */
	struct mcs_pair p[10], more;
	struct err e = { 0 };
	int seen[5][5] = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		p[i] = take(&t);
		assert_int_equal(seen[p[i].low][p[i].high]++, 0);
	}
	assert_int_equal(mcs_allocate(&t, "vm", NULL, NULL, &more, &e), -EX_BUSY);
	assert_non_null(strstr(e.text, "all 10 pairs"));
	mcs_release(&t, &p[7]);
	more = take(&t);
	assert_int_equal(mcs_index(&more), mcs_index(&p[7]));
	mcs_close(&t);
}

static struct mcs_dead reclaimed;

static bool note(void *context, const struct mcs_dead *dead)
{
	++*(int *)context;
	reclaimed = *dead;
	return true;
}

static bool keep(void *context, const struct mcs_dead *dead)
{
	note(context, dead);
	return false;
}

/* What a child took that was killed. */
static struct mcs_pair doomed(struct mcs_table *t, pid_t *child)
{
	struct mcs_pair p = { 0, 0 };
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	*child = fork();
	if (*child == 0) {
		struct err ce = { 0 };
		if (mcs_allocate(t, "doomed", keep, &(int){ 0 }, &p, &ce) == 0 &&
		    write(pipes[1], &p, sizeof(p)) == sizeof(p))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(pipes[0], &p, sizeof(p)), sizeof(p));
	assert_int_equal(waitpid(*child, NULL, 0), *child);
	close(pipes[0]);
	close(pipes[1]);
	return p;
}

static void dead_owners_are_reclaimed(void **state)
{
	struct mcs_table t = open_table(MCS_CATEGORIES);
	struct mcs_pair mine = take(&t), dead, next;
	struct err e = { 0 };
	int count = 0;
	pid_t child;

	(void)state;
	dead = doomed(&t, &child);
	assert_false(mcs_held(&t, &dead));
	assert_true(mcs_held(&t, &mine));
	assert_int_equal(mcs_allocate(&t, "next", note, &count, &next, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(reclaimed.name, "doomed");
	assert_int_equal(reclaimed.pid, child);
	assert_int_equal(mcs_index(&reclaimed.pair), mcs_index(&dead));
	assert_true(mcs_held(&t, &mine)); /* the living keep theirs */
	mcs_close(&t);
}

/* Whoever cannot clear up after a dead owner says so, and the pair stays out of use. */
static void a_pair_is_kept_until_it_is_free(void **state)
{
	struct mcs_table t = open_table(3); /* 3 pairs */
	struct mcs_pair p;
	struct err e = { 0 };
	int count = 0;
	pid_t child;

	(void)state;
	struct mcs_pair dead = doomed(&t, &child);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mcs_allocate(&t, "vm", keep, &count, &p, &e), 0);
		assert_int_not_equal(mcs_index(&p), mcs_index(&dead));
	}
	assert_int_equal(mcs_allocate(&t, "vm", keep, &count, &p, &e), -EX_BUSY);
	assert_int_equal(mcs_reclaim(&t, keep, &count, &e), 0);
	assert_int_equal(count, 4);
	assert_int_equal(mcs_reclaim(&t, note, &count, &e), 0);
	assert_int_equal(mcs_reclaim(&t, note, &count, &e), 0);
	assert_int_equal(count, 5); /* it was there once */
	assert_int_equal(mcs_index(&reclaimed.pair), mcs_index(&dead));
	p = take(&t);
	assert_int_equal(mcs_index(&p), mcs_index(&dead));
	mcs_close(&t);
}

static void write_entry(const struct mcs_table *t, const char *file, const char *text)
{
	int fd = openat(t->dir, file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Process and start time may come again after the machine started anew; the boot id does not. */
static void an_owner_of_another_boot_is_dead(void **state)
{
	struct mcs_table t = open_table(MCS_CATEGORIES);
	struct mcs_pair mine = take(&t), other = { 3, 7 };
	char text[128], file[32];

	(void)state;
	snprintf(file, sizeof(file), "c%u.c%u", mine.low, mine.high);
	int fd = openat(t.dir, file, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 38);
	text[n] = '\0';
	write_entry(&t, "c3.c7", text);
	assert_true(mcs_held(&t, &other)); /* the control: ours under another name */
	mcs_release(&t, &other);
	text[n - 2] = text[n - 2] == 'f' ? '0' : 'f';
	write_entry(&t, "c3.c7", text);
	assert_false(mcs_held(&t, &other));
	mcs_close(&t);
}

/* Nothing of it is followed, waited for or removed; what looks like an entry blocks its pair. */
static void what_is_no_entry_is_left_alone(void **state)
{
	struct mcs_table t = open_table(4); /* 6 pairs */
	char outside[80], path[128];
	struct stat st;
	int count = 0;
	struct err e = { 0 };
	struct mcs_pair p;

	(void)state;
	snprintf(outside, sizeof(outside), "%s.outside", table_path);
	snprintf(path, sizeof(path), "%s/c0.c2", table_path);
	close(open(outside, O_WRONLY | O_CREAT | O_EXCL, 0600));
	assert_int_equal(symlink(outside, path), 0);
	assert_int_equal(mkdirat(t.dir, "c0.c1", 0700), 0);
	assert_int_equal(mkfifoat(t.dir, "c0.c3", 0600), 0);
	write_entry(&t, "README", "12 1 x\n");
	write_entry(&t, "c1.c0", "12 1 x\n"); /* no pair */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mcs_allocate(&t, "vm", note, &count, &p, &e), 0);
		assert_true(p.low > 0);
	}
	assert_int_equal(mcs_allocate(&t, "vm", note, &count, &p, &e), -EX_BUSY);
	assert_int_equal(count, 0);
	assert_int_equal(stat(outside, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fstatat(t.dir, "README", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(t.dir, "c1.c0", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(t.dir, "c0.c2", &st, AT_SYMLINK_NOFOLLOW), 0);
	unlink(outside);
	mcs_close(&t);
}

static void a_reused_pid_is_not_the_owner(void **state)
{
	struct mcs_table t = open_table(MCS_CATEGORIES);
	struct mcs_pair p = { 3, 7 };
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "%d 1 ghost\n", (int)getpid());
	write_entry(&t, "c3.c7", text);
	assert_false(mcs_held(&t, &p)); /* our pid, another start time */
	mcs_close(&t);
}

static void garbled_entries_are_reclaimed(void **state)
{
	struct mcs_table t = open_table(3); /* 3 pairs */
	static const char *const names[] = { "c0.c1", "c0.c2", "c1.c2" };
	static const char *const texts[] = { "", "12", "-1 5 x\n" };

	(void)state;
	for (int i = 0; i < 3; i++)
		write_entry(&t, names[i], texts[i]);
	take(&t);
	mcs_close(&t);
}

static void race(int barrier, int out)
{
	struct mcs_table t;
	struct err e = { 0 };
	struct mcs_pair p[25];
	char go;

	if (mcs_open(table_path, 21, &t, &e) != 0 || read(barrier, &go, 1) != 0)
		_exit(1);
	for (int i = 0; i < 25; i++)
		if (mcs_allocate(&t, "vm", NULL, NULL, &p[i], &e) != 0)
			_exit(2);
	if (write(out, p, sizeof(p)) != sizeof(p) || read(barrier, &go, 1) != 0)
		_exit(3);
	pause(); /* an owner that ends would give its pairs back */
}

/* 8 processes take 200 of 210 pairs at once. */
static void processes_never_share_a_pair(void **state)
{
	int barrier[2], out[2], seen[21][21] = { 0 };
	pid_t child[8];
	struct mcs_pair p;

	(void)state;
	assert_int_equal(pipe(barrier) + pipe(out), 0);
	for (int i = 0; i < 8; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			close(barrier[1]);
			race(barrier[0], out[1]);
		}
	}
	close(barrier[1]); /* end of file lets all go at the same moment */
	close(out[1]);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(read(out[0], &p, sizeof(p)), sizeof(p));
		assert_int_equal(seen[p.low][p.high]++, 0);
	}
	for (int i = 0; i < 8; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
	}
	close(barrier[0]);
	close(out[0]);
}

static void a_table_others_may_write_is_refused(void **state)
{
	struct err e = { 0 };
	struct mcs_table t;

	(void)state;
	assert_int_equal(chmod(table_path, 0777), 0);
	assert_int_equal(mcs_open(table_path, MCS_CATEGORIES, &t, &e), -EX_HOST);
	assert_int_equal(t.dir, -1);
}

static void index_is_dense_and_unique(void **state)
{
	static uint8_t seen[523776];

	(void)state;
	for (unsigned a = 0; a < 1024; a++)
		for (unsigned b = a + 1; b < 1024; b++) {
			struct mcs_pair p = { (uint16_t)a, (uint16_t)b };
			assert_true(mcs_index(&p) < sizeof(seen));
			assert_int_equal(seen[mcs_index(&p)]++, 0);
		}
}

static void parses_only_what_it_writes(void **state)
{
	static const char *const bad[] = { "", "c1", "c1,", "c2,c1", "c1,c1", "c1,c1024", "c01,c2",
					   "c1,c2 ", "c1,c2,c3", "c1.c2", " c1,c2", "c-1,c2" };
	struct mcs_pair p = { 5, 1023 }, q;
	char text[MCS_TEXT];

	(void)state;
	mcs_text(&p, text);
	assert_string_equal(text, "c5,c1023");
	assert_true(mcs_parse(text, &q));
	assert_int_equal(mcs_index(&p), mcs_index(&q));
	assert_true(mcs_parse("c0,c1", &q));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mcs_parse(bad[i], &q));
}

#define WITH_TABLE(f) cmocka_unit_test_setup_teardown(f, make_table, drop_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(pairs_are_two_categories_and_incomparable),
		WITH_TABLE(pairs_differ_between_tables),
		WITH_TABLE(exhausted_is_a_clear_error),
		WITH_TABLE(dead_owners_are_reclaimed),
		WITH_TABLE(a_pair_is_kept_until_it_is_free),
		WITH_TABLE(an_owner_of_another_boot_is_dead),
		WITH_TABLE(what_is_no_entry_is_left_alone),
		WITH_TABLE(a_reused_pid_is_not_the_owner),
		WITH_TABLE(garbled_entries_are_reclaimed),
		WITH_TABLE(processes_never_share_a_pair),
		WITH_TABLE(a_table_others_may_write_is_refused),
		cmocka_unit_test(index_is_dense_and_unique),
		cmocka_unit_test(parses_only_what_it_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
