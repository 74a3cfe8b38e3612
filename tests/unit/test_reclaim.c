/* What a launcher that was killed leaves, and what the next one makes of it: a child makes it, with the
 * launcher's own functions, and kills itself. Labels are real extended attributes (test_disk.c). */
#include "sandbox/disk_record.h"
#include "sandbox/procid.h"
#include "sandbox/reclaim.h"
#include "sandbox/rundir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define XATTR "security.selinux"
#define ORIGINAL "system_u:object_r:pavise_image_t:s0"
#define NO_CGROUP "/sys/fs/cgroup/pavise-none-there"
#define PATH 160

static char top[48], run[64], image[2][80], said[8192];

/* ---- the ground ---- */

static void set_label(const char *path, const char *label)
{
	assert_int_equal(setxattr(path, XATTR, label, strlen(label) + 1, 0), 0);
}

static void assert_label(const char *path, const char *label)
{
	char now[LABEL_MAX] = "";

	assert_true(getxattr(path, XATTR, now, sizeof(now) - 1) > 0);
	assert_string_equal(now, label);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
}

static bool labels_work(void)
{
	return setxattr(top, XATTR, ORIGINAL, sizeof(ORIGINAL), 0) == 0;
}

static int make_ground(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/pavise-reclaim.XXXXXX");
	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(run, sizeof(run), "%s/run", top);
	for (int i = 0; i < 2; i++) {
		snprintf(image[i], sizeof(image[i]), "%s/image%d", top, i);
		make_file(image[i]);
		if (labels_work())
			set_label(image[i], ORIGINAL);
	}
	return 0;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int drop_ground(void **state)
{
	(void)state;
	return nftw(top, drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- a launcher that dies ---- */

enum death { TAKEN, RECORDED, ONE_LABELLED, LABELLED, RESTORED };

struct dead {
	struct mcs_pair pair;
	pid_t pid;
	char text[MCS_TEXT];    /* "cA,cB" */
	char label[LABEL_MAX];  /* what it gave its images */
};

static struct labels labels_of(const struct mcs_pair *pair)
{
	char text[MCS_TEXT];
	struct labels l;

	memset(&l, 0, sizeof(l));
	l.on = true;
	mcs_text(pair, text);
	snprintf(l.image, LABEL_MAX, "unconfined_u:object_r:pavise_image_t:s0:%s", text);
	snprintf(l.image_ro, LABEL_MAX, "unconfined_u:object_r:pavise_image_ro_t:s0:%s", text);
	return l;
}

/* As vm_prepare.c does it, image 1 being read only. Exits with 0 at `death`. */
static int live(enum death death, int out)
{
	struct disk d[2];
	struct rundir r;
	struct err e = { 0 };
	int rc = rundir_make(run, "web", NO_CGROUP, &r, &e);
	struct labels l = labels_of(&r.pair);

	for (int i = 0; rc == 0 && i < 2; i++) {
		d[i] = (struct disk){ .fd = open(image[i], i == 0 ? O_RDWR : O_RDONLY),
				      .readonly = i == 1 };
		rc = disk_check("disk", &d[i], &e);
		if (rc == 0)
			rc = disk_take("disk", &d[i], &l, &r.table, &e);
	}
	if (rc != 0 || mkdirat(r.dir, "tpm", 0700) != 0 || write(out, &r.pair, 4) != 4)
		return 1;
	if (death >= RECORDED)
		rc = disk_record_write(r.dir, d, 2, &e);
	for (int i = 0; rc == 0 && i < (death >= LABELLED ? 2 : death == ONE_LABELLED); i++)
		rc = disk_label("disk", &d[i], &l, &e);
	for (int i = 0; rc == 0 && death == RESTORED && i < 2; i++)
		rc = disk_restore("disk", &d[i], &l, &e);
	return rc != 0;
}

static struct dead killed(enum death death)
{
	struct dead d;
	int out[2], status;

	memset(&d, 0, sizeof(d));
	assert_int_equal(pipe(out), 0);
	d.pid = fork();
	if (d.pid == 0) {
		if (live(death, out[1]) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(d.pid, &status, 0), d.pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(read(out[0], &d.pair, 4), 4);
	close(out[0]);
	close(out[1]);
	mcs_text(&d.pair, d.text);
	snprintf(d.label, sizeof(d.label), "%s", labels_of(&d.pair).image);
	return d;
}

/* ---- the one who comes after ---- */

/* Reclaims, and keeps in `said` what it says. */
static int reclaim(void)
{
	char path[PATH];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/said", top);
	int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDERR_FILENO);
	int rc = reclaim_all(run, "/nowhere", &e);
	dup2(saved, STDERR_FILENO);
	ssize_t n = pread(fd, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(saved);
	close(fd);
	return rc;
}

static void assert_said(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void assert_said(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (strstr(said, line) == NULL)
		fail_msg("wanted '%s' in:\n%s", line, said);
}

static void assert_not_said(const char *text)
{
	if (strstr(said, text) != NULL)
		fail_msg("'%s' in:\n%s", text, said);
}

/* A path in the run directory; of the last call only. */
static const char *in_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *in_run(const char *fmt, ...)
{
	static char path[PATH];
	int n = snprintf(path, sizeof(path), "%s/", run);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	return path;
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool entry_there(const struct dead *d)
{
	return there(in_run(".pairs/c%u.c%u", d->pair.low, d->pair.high));
}

static void assert_clean(const struct dead *d)
{
	assert_false(there(in_run("web")));
	assert_false(there(in_run(".%s", d->text)));
	assert_false(entry_there(d));
	assert_int_equal(reclaim(), 0);
	assert_string_equal(said, ""); /* and so there is no more to say */
}

static void need_labels(void)
{
	if (!labels_work()) {
		print_message("# SKIP security labels cannot be written by this user, or on this "
			      "kernel\n");
		skip();
	}
}

/* ---- tests ---- */

static void nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(reclaim(), 0); /* no run directory: none is made */
	assert_string_equal(said, "");
	assert_int_equal(access(run, F_OK), -1);
	assert_int_equal(mkdir(run, 0755), 0);
	assert_int_equal(reclaim(), -EX_HOST); /* others may enter */
	chmod(run, 0700);
	assert_int_equal(reclaim(), 0);
	assert_string_equal(said, "");
}

static void a_living_launcher_is_left_alone(void **state)
{
	struct rundir r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(rundir_make(run, "web", NO_CGROUP, &r, &e), 0);
	assert_int_equal(reclaim(), 0);
	assert_string_equal(said, "");
	char cgroup[PATH] = "";
	assert_true(readlinkat(r.dir, RUN_CGROUP, cgroup, sizeof(cgroup) - 1) > 0);
	assert_string_equal(cgroup, NO_CGROUP); /* its reclaimer need not be told */
	assert_true(mcs_held(&r.table, &r.pair));
	rundir_remove(&r);
	assert_false(there(in_run("web")));
}

/* Wherever it died, the images are what they were, with the user they had. */
static void labels_come_back(void **state)
{
	(void)state;
	need_labels();
	for (enum death death = TAKEN; death <= RESTORED; death++) {
		struct dead d = killed(death);
		if (death == LABELLED) {
			assert_label(image[0], d.label); /* the control */
			assert_label(image[1], labels_of(&d.pair).image_ro);
		}
		assert_int_equal(reclaim(), 0);
		assert_said("pavise: reclaimed web: its launcher (pid %d) died\n", (int)d.pid);
		assert_said("pavise: reclaimed web: folder removed\n");
		assert_said("pavise: reclaimed web: pair %s given back\n", d.text);
		for (int i = 0; i < 2; i++) {
			assert_label(image[i], ORIGINAL);
			if (death == LABELLED)
				assert_said("reclaimed web: %s labelled " ORIGINAL " again\n",
					    image[i]);
		}
		if (death <= RECORDED || death == RESTORED)
			assert_not_said("labelled");
		assert_clean(&d);
	}
}

/* Any launch does it, and its own VM is not held up by it. */
static void the_next_launch_does_it(void **state)
{
	struct rundir r;
	struct err e = { 0 };

	(void)state;
	need_labels();
	killed(LABELLED);
	assert_int_equal(rundir_make(run, "web", NO_CGROUP, &r, &e), 0);
	assert_label(image[0], ORIGINAL);
	assert_label(image[1], ORIGINAL);
	assert_false(disk_record_there(r.dir));
	rundir_remove(&r);
}

/* Each of the images is another one's affair by now: said, left, and the pair is free. */
static void what_was_moved_is_left(void **state)
{
	static const char *const ways[] = { "moved", "replaced", "link", "linked folder",
					    "relabelled" };
	char other[PATH], folder[PATH];

	(void)state;
	need_labels();
	snprintf(other, sizeof(other), "%s/other", top);
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		const char *now = image[0];
		snprintf(folder, sizeof(folder), "%s/folder", top);
		snprintf(image[0], sizeof(image[0]), "%s/folder/image", top);
		assert_int_equal(mkdir(folder, 0700), 0);
		make_file(image[0]);
		set_label(image[0], ORIGINAL);
		struct dead d = killed(LABELLED);
		if (way == 0) {
			assert_int_equal(rename(image[0], other), 0);
			now = other;
		} else if (way == 1) {
			assert_int_equal(rename(image[0], other), 0);
			make_file(image[0]);
			set_label(image[0], d.label);
		} else if (way == 2) {
			assert_int_equal(rename(image[0], other), 0);
			assert_int_equal(symlink(other, image[0]), 0);
			now = other;
		} else if (way == 3) {
			assert_int_equal(rename(folder, other), 0);
			assert_int_equal(symlink(other, folder), 0);
		} else {
			snprintf(d.label, sizeof(d.label), "u:r:pavise_image_t:s0:c1,c1023");
			set_label(image[0], d.label);
		}
		assert_int_equal(reclaim(), 0);
		assert_said("pavise: left of web: %s: ", image[0]);
		assert_said("%s", way == 1 ? "another file than it was: left as it is\n" :
				  way == 4 ? "labelled u:r:pavise_image_t:s0:c1,c1023 by now: left" :
					     "not there any more: left as it is\n");
		assert_label(now, d.label);
		assert_label(image[1], ORIGINAL); /* the other one is not forgotten */
		assert_clean(&d);
		nftw(other, drop_one, 8, FTW_DEPTH | FTW_PHYS);
		nftw(folder, drop_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

/* An image that is held by somebody may be free later: until then the pair is nobody's. */
static void what_is_held_is_kept(void **state)
{
	struct rundir r;
	struct err e = { 0 };

	(void)state;
	need_labels();
	struct dead d = killed(LABELLED);
	int fd = open(image[0], O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(reclaim(), -EX_BUSY);
	assert_said("pavise: left of web: %s: still in use by a program: ", image[0]);
	assert_not_said("given back");
	assert_label(image[0], d.label);
	assert_label(image[1], ORIGINAL);
	assert_true(entry_there(&d));
	assert_true(there(in_run(".%s/" DISK_RECORD_FILE, d.text)));
	assert_false(there(in_run(".%s/tpm", d.text)));
	/* The name is free, and the pair is not, for as long as it takes; nobody waits again. */
	assert_false(there(in_run("web")));
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(rundir_make(run, "web", NO_CGROUP, &r, &e), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 4);
	assert_int_not_equal(mcs_index(&r.pair), mcs_index(&d.pair));
	assert_label(image[0], d.label);
	rundir_remove(&r);
	assert_true(entry_there(&d));
	close(fd);
	assert_int_equal(reclaim(), 0);
	assert_said("reclaimed web: %s labelled " ORIGINAL " again\n", image[0]);
	assert_label(image[0], ORIGINAL);
	assert_clean(&d);
}

/* A launcher that cannot put a label back at its end leaves the record for the next command. */
static void an_end_without_the_label(void **state)
{
	struct rundir r;
	struct err e = { 0 };
	struct labels l;
	struct disk d = { .fd = open(image[0], O_RDWR | O_CLOEXEC) };

	(void)state;
	need_labels();
	assert_int_equal(rundir_make(run, "web", NO_CGROUP, &r, &e), 0);
	l = labels_of(&r.pair);
	assert_int_equal(disk_check("disk", &d, &e), 0);
	assert_int_equal(disk_take("disk", &d, &l, &r.table, &e), 0);
	assert_int_equal(disk_record_write(r.dir, &d, 1, &e), 0);
	assert_int_equal(disk_label("disk", &d, &l, &e), 0);
	struct dead owed = { .pair = r.pair };
	mcs_text(&r.pair, owed.text);
	rundir_remove(&r);
	assert_false(there(in_run("web")));
	assert_true(there(in_run(".%s/" DISK_RECORD_FILE, owed.text)));
	assert_true(entry_there(&owed));
	assert_int_equal(reclaim(), 0); /* its owner, this process, lives */
	assert_string_equal(said, "");
	close(d.fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A reclaimer that is killed leaves one of these, and a second one ends what it began. */
static void a_reclaimer_that_dies(void **state)
{
	char from[PATH], to[PATH];

	(void)state;
	need_labels();
	for (int step = 0; step < 5; step++) {
		struct dead d = killed(LABELLED);
		snprintf(from, sizeof(from), "%s", in_run("web"));
		snprintf(to, sizeof(to), "%s", in_run(".%s", d.text));
		if (step >= 1) /* it had taken the name away, */
			assert_int_equal(rename(from, to), 0);
		if (step >= 2) /* restored one image, */
			set_label(image[0], ORIGINAL);
		if (step >= 3) { /* then the other, and began to remove the folder, */
			set_label(image[1], ORIGINAL);
			assert_int_equal(unlink(in_run(".%s/pair", d.text)), 0);
		}
		if (step >= 4) /* which is gone, and the entry is not */
			nftw(to, drop_one, 8, FTW_DEPTH | FTW_PHYS);
		assert_int_equal(reclaim(), 0);
		assert_said("pair %s given back", d.text);
		assert_label(image[0], ORIGINAL);
		assert_label(image[1], ORIGINAL);
		assert_clean(&d);
	}
}

/* Nothing in a record leads to a file that is not an image with the dead VM's pair. */
static void a_record_that_lies(void **state)
{
	char text[1024], label[LABEL_MAX];
	struct stat st;

	(void)state;
	need_labels();
	struct dead d = killed(TAKEN);
	snprintf(label, sizeof(label), "u:r:var_lib_t:s0:%s", d.text);
	set_label(image[0], label);
	set_label(image[1], d.label);
	assert_int_equal(stat(image[0], &st), 0);
	snprintf(text, sizeof(text), "%u:%u %lu " ORIGINAL " %s\n%u:%u 1 " ORIGINAL " %s\nend\n",
		 (unsigned)(st.st_dev >> 8 & 0xfff), (unsigned)(st.st_dev & 0xff), st.st_ino, image[0],
		 (unsigned)(st.st_dev >> 8 & 0xfff), (unsigned)(st.st_dev & 0xff), image[1]);
	write_file(in_run("web/" DISK_RECORD_FILE), text);
	assert_int_equal(reclaim(), 0);
	assert_said("%s: labelled %s by now", image[0], label);
	assert_said("%s: another file than it was", image[1]);
	assert_label(image[0], label);
	assert_label(image[1], d.label);
	assert_clean(&d);
}

/* Half a record is of a launcher that died writing it: no label had changed. */
static void a_record_that_was_not_finished(void **state)
{
	(void)state;
	need_labels();
	struct dead d = killed(TAKEN);
	write_file(in_run("web/" DISK_RECORD_FILE), "8:1 42 system_u:obj");
	assert_int_equal(reclaim(), 0);
	assert_not_said("left of");
	assert_clean(&d);
}

/* The folder of a name is a VM's only if it says so. */
static void another_vms_folder(void **state)
{
	struct rundir r;
	struct err e = { 0 };

	(void)state;
	killed(TAKEN);
	/* Its name was taken over, and so was another dead one's. */
	nftw(in_run("web"), drop_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(rundir_make(run, "other", NO_CGROUP, &r, &e), 0);
	write_file(in_run(".pairs/c0.c1"), "1 1 other\n");
	assert_int_equal(reclaim(), 0);
	assert_said("reclaimed other: pair c0,c1 given back");
	assert_not_said("folder removed");
	assert_true(there(in_run("other")));
	rundir_remove(&r);
}

/* Something in the way of a step is said, and the pair stays until the way is free. */
static void a_folder_that_cannot_be_had(void **state)
{
	(void)state;
	struct dead d = killed(TAKEN);
	write_file(in_run(".%s", d.text), "in the way");
	assert_int_equal(reclaim(), -EX_BUSY);
	assert_said("pavise: left of web: its folder: File exists: kept for the next command\n");
	assert_true(there(in_run("web")));
	assert_true(entry_there(&d));
	assert_int_equal(unlink(in_run(".%s", d.text)), 0);
	assert_int_equal(reclaim(), 0);
	assert_clean(&d);
}

static pid_t orphan(uid_t id)
{
	int out[2];
	pid_t pid = 0;

	assert_int_equal(pipe(out), 0);
	pid_t parent = fork();
	if (parent == 0) {
		pid = fork();
		if (pid == 0) {
			if (setresuid(id, id, id) != 0 || write(out[1], &(pid_t){ getpid() },
								 sizeof(pid)) != sizeof(pid))
				_exit(1);
			for (;;)
				pause();
		}
		_exit(0);
	}
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	close(out[0]);
	close(out[1]);
	return pid;
}

static bool gone(pid_t pid)
{
	uint64_t start;

	return !procid_start(pid, &start);
}

/* A process that cleared its death signal is found by its user id. */
static void processes_that_outlive_their_launcher(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("# SKIP not root: user ids are root's to give\n");
		skip();
	}
	struct dead d = killed(TAKEN);
	uid_t first = MCS_UID_BASE + mcs_index(&d.pair) * MCS_UIDS;
	pid_t own[2] = { orphan(first), orphan(first + MCS_UIDS - 1) };
	pid_t foreign[2] = { orphan(first - 1), orphan(first + MCS_UIDS) };
	assert_int_equal(reclaim(), 0);
	assert_said("reclaimed web: 2 of its processes ended\n");
	for (int i = 0; i < 2; i++) {
		assert_true(gone(own[i]));
		assert_false(gone(foreign[i]));
		kill(foreign[i], SIGKILL);
	}
	assert_clean(&d);
}

#define WITH_GROUND(f) cmocka_unit_test_setup_teardown(f, make_ground, drop_ground)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_GROUND(nothing_to_do),
		WITH_GROUND(a_living_launcher_is_left_alone),
		WITH_GROUND(labels_come_back),
		WITH_GROUND(the_next_launch_does_it),
		WITH_GROUND(what_was_moved_is_left),
		WITH_GROUND(what_is_held_is_kept),
		WITH_GROUND(an_end_without_the_label),
		WITH_GROUND(a_reclaimer_that_dies),
		WITH_GROUND(a_record_that_lies),
		WITH_GROUND(a_record_that_was_not_finished),
		WITH_GROUND(another_vms_folder),
		WITH_GROUND(a_folder_that_cannot_be_had),
		WITH_GROUND(processes_that_outlive_their_launcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
