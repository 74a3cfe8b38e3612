/* The record of owed labels: what is written is read back, and a crash's half of it, or anything else,
 * gives nothing that was not written. */
#include "sandbox/disk_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ORIGINAL "system_u:object_r:pavise_image_t:s0"
#define ODD_NAME "a name\nof\\it\x1b[2J\xc3\xbc"
#define ODD_WRITTEN "a\\040name\\012of\\134it\\033[2J\\303\\274"

static char folder_path[64];
static int folder;

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder_path, sizeof(folder_path), "/tmp/pavise-record.XXXXXX");
	if (mkdtemp(folder_path) == NULL)
		return 1;
	folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder < 0;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int drop_folder(void **state)
{
	(void)state;
	close(folder);
	return nftw(folder_path, drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct disk made(const char *name, const char *original)
{
	struct disk d = { .fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) };
	struct err e = { 0 };

	assert_true(d.fd >= 0);
	assert_int_equal(ftruncate(d.fd, 4096), 0);
	assert_int_equal(disk_check(name, &d, &e), 0);
	snprintf(d.original, LABEL_MAX, "%s", original);
	return d;
}

static void assert_entry(const struct disk_record *r, const struct disk *d, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder_path, name);
	assert_string_equal(r->path, path);
	assert_string_equal(r->original, ORIGINAL);
	assert_int_equal(r->major, major(d->device));
	assert_int_equal(r->minor, minor(d->device));
	assert_int_equal(r->inode, d->inode);
}

static void written_and_read(void **state)
{
	struct disk d[3] = { made("plain", ORIGINAL), made("shared", ""), made(ODD_NAME, ORIGINAL) };
	struct disk_record r;
	struct err e = { 0 };
	char *text;
	size_t size;

	(void)state;
	assert_false(disk_record_there(folder));
	assert_int_equal(disk_record_write(folder, d, 3, &e), 0);
	assert_true(disk_record_there(folder));
	assert_int_equal(disk_record_read(folder, &text, &size, &e), 0);
	const char *at = text;
	assert_int_equal(disk_record_next(&at, text + size, &r), 1);
	assert_entry(&r, &d[0], "plain");
	assert_int_equal(disk_record_next(&at, text + size, &r), 1);
	assert_entry(&r, &d[2], ODD_NAME);
	assert_int_equal(disk_record_next(&at, text + size, &r), 0);
	/* Nothing in it could be taken for a command by a terminal, nor for another line. */
	assert_non_null(memmem(text, size, ODD_WRITTEN "\n", sizeof(ODD_WRITTEN)));
	free(text);
	disk_record_remove(folder);
	assert_false(disk_record_there(folder));
	for (int i = 0; i < 3; i++)
		close(d[i].fd);
}

/* Without a label to change there is nothing to owe; one record is never written over another. */
static void none_and_twice(void **state)
{
	struct disk d = made("image", "");
	struct err e = { 0 };
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(disk_record_write(folder, &d, 1, &e), 0);
	assert_false(disk_record_there(folder));
	assert_int_equal(disk_record_read(folder, &text, &size, &e), 0);
	assert_int_equal(size, 0);
	snprintf(d.original, LABEL_MAX, ORIGINAL);
	assert_int_equal(disk_record_write(folder, &d, 1, &e), 0);
	assert_int_equal(disk_record_write(folder, &d, 1, &e), -EX_HOST);
	close(d.fd);
}

static void every_cut_is_seen(void **state)
{
	struct disk d[2] = { made("one", ORIGINAL), made(ODD_NAME, ORIGINAL) };
	struct err e = { 0 };
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(disk_record_write(folder, d, 2, &e), 0);
	assert_int_equal(disk_record_read(folder, &text, &size, &e), 0);
	for (size_t cut = 0; cut < size; cut++) {
		char *part = malloc(cut > 0 ? cut : 1); /* the sanitizer sees a byte too many */
		const char *at = part;
		struct disk_record r;
		int got = 1, entries = 0;
		memcpy(part, text, cut);
		while ((got = disk_record_next(&at, part + cut, &r)) == 1)
			assert_entry(&r, &d[entries], entries == 0 ? "one" : ODD_NAME), entries++;
		assert_int_equal(got, -1);
		free(part);
	}
	free(text);
	close(d[0].fd);
	close(d[1].fd);
}

#define GOOD "8:1 42 " ORIGINAL " /x\n"

static void what_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"end",
		"END\n",
		"end\nend\n",
		" " GOOD,
		"08:1 42 " ORIGINAL " /x\n",
		"8:1 042 " ORIGINAL " /x\n",
		":1 42 " ORIGINAL " /x\n",
		"4294967296:1 42 " ORIGINAL " /x\n",
		"8:1 18446744073709551616 " ORIGINAL " /x\n",
		"8:1 -1 " ORIGINAL " /x\n",
		"8:1 42 " ORIGINAL " x\n",
		"8:1 42 " ORIGINAL " \n",
		"8:1 42 " ORIGINAL "\n",
		"8:1 42 " ORIGINAL " /x",
		"8:1 42 " ORIGINAL " /a b\n",
		"8:1 42 " ORIGINAL " /a\tb\n",
		"8:1 42 " ORIGINAL " /\xc3\xbc\n",
		"8:1 42 " ORIGINAL " /a\\\n",
		"8:1 42 " ORIGINAL " /a\\12\n",
		"8:1 42 " ORIGINAL " /a\\000b\n",
		"8:1 42 " ORIGINAL " /a\\400b\n",
		"8:1 42 " ORIGINAL " /a\\141b\n", /* a letter needs no escape */
		"8:1 42 " ORIGINAL " /a\\089b\n",
		"8:1 42  /x\n",
		"8:1 42 u:r:pavise_image_t /x\n",
		"8:1 42 :r:pavise_image_t:s0 /x\n",
		"8:1 42 u::pavise_image_t:s0 /x\n",
		"8:1 42 u:r:shadow_t:s0 /x\n",
		"8:1 42 u:r:pavise_image_ro_t:s0 /x\n",
		"8:1 42 u:r:pavise_image_t:s0:c1,c2 /x\n",
		"8:1 42 u:r:pavise_image_t:s0-s0:c0.c1023 /x\n",
	};
	struct disk_record r;
	const char *at = GOOD;

	(void)state;
	assert_int_equal(disk_record_next(&at, at + sizeof(GOOD) - 1, &r), 1); /* the control */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		at = bad[i];
		if (disk_record_next(&at, bad[i] + strlen(bad[i]), &r) != -1)
			fail_msg("taken: '%s'", bad[i]);
	}
}

/* Paths and labels are as long as they may be, and no longer. */
static void lengths(void **state)
{
	static char text[DISK_RECORD_LINE + 64], path[PATH_MAX + 1], line[DISK_RECORD_LINE];
	struct disk_record r;

	(void)state;
	for (int length = PATH_MAX - 2; length <= PATH_MAX; length++) {
		memset(path, 'a', sizeof(path));
		path[0] = '/';
		path[length] = '\0';
		int n = snprintf(text, sizeof(text), "8:1 42 " ORIGINAL " %s\n", path);
		const char *at = text;
		assert_int_equal(disk_record_next(&at, text + n, &r), length < PATH_MAX ? 1 : -1);
	}
	memset(r.path, '\n', PATH_MAX - 1);
	r.path[0] = '/';
	r.path[PATH_MAX - 1] = '\0';
	size_t size = disk_record_line(&r, line);
	const char *at = line;
	assert_int_equal(disk_record_next(&at, line + size, &r), 1);
	for (int length = 200; length < 300; length += 20) {
		memset(path, 'u', sizeof(path));
		path[length] = '\0';
		int n = snprintf(text, sizeof(text), "8:1 42 %s:r:pavise_image_t:s0 /x\n", path);
		at = text;
		assert_int_equal(disk_record_next(&at, text + n, &r), length < 235 ? 1 : -1);
	}
}

static void a_file_without_bounds_is_not_read(void **state)
{
	struct err e = { 0 };
	char *text;
	size_t size;
	int fd = openat(folder, DISK_RECORD_FILE, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	close(fd);
	assert_int_equal(disk_record_read(folder, &text, &size, &e), -EX_MALFORMED);
	assert_null(text);
	disk_record_remove(folder);
	assert_int_equal(symlinkat("/etc/passwd", folder, DISK_RECORD_FILE), 0);
	memset(&e, 0, sizeof(e));
	assert_int_equal(disk_record_read(folder, &text, &size, &e), -EX_HOST);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(written_and_read),
		WITH_FOLDER(none_and_twice),
		WITH_FOLDER(every_cut_is_seen),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(lengths),
		WITH_FOLDER(a_file_without_bounds_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
