#include "sandbox/reclaim.h"

#include "sandbox/cgroup.h"
#include "sandbox/disk_record.h"
#include "sandbox/leftover.h"
#include "sandbox/options.h"
#include "sandbox/records_dead.h"
#include "sandbox/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A process that held images may be dying: for all of a VM, and only the first time that it is
 * reclaimed, or whoever locks one could hold up every launch. */
#define LOCK_TRIES 50
#define LOCK_MS 100

/* What became of an image. */
enum outcome {
	DONE, /* its label is the one it had */
	LEFT, /* it is another one's by now, or gone */
	KEPT, /* not now: the next time perhaps */
};

static void say(const char *what, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void say(const char *what, const char *name, const char *fmt, ...)
{
	char text[DISK_RECORD_PATH + 1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* In one piece: others write here too. */
	fprintf(stderr, "pavise: %s %s: %s\n", what, name, text);
}

static void say_reclaimed(const char *name, const char *text)
{
	say("reclaimed", name, "%s", text);
}

/* One image of a dead VM. */
struct image {
	const struct disk_record *record;
	const char *vm, *path; /* both to be printed */
	char level[MCS_TEXT + 4];
	unsigned *waits; /* left of LOCK_TRIES */
};

static enum outcome left(const struct image *i, const char *cause)
{
	say("left of", i->vm, "%s: %s: left as it is", i->path, cause);
	return LEFT;
}

static enum outcome kept(const struct image *i, const char *cause)
{
	say("left of", i->vm, "%s: %s: kept for the next command", i->path, cause);
	return KEPT;
}

/* By path, but never through a link, and without waking up a device: what is opened for real is
 * what was looked at. */
static enum outcome open_image(const struct image *i, int *fd)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	const struct disk_record *r = i->record;
	enum outcome outcome = DONE;
	struct stat st;
	char self[32];

	*fd = -1;
	int at = (int)syscall(SYS_openat2, AT_FDCWD, r->path, &how, sizeof(how));
	if (at < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
			       left(i, "not there any more") : kept(i, strerror(errno));
	if (fstat(at, &st) != 0 || !S_ISREG(st.st_mode) || major(st.st_dev) != r->major ||
	    minor(st.st_dev) != r->minor || st.st_ino != r->inode)
		outcome = left(i, "another file than it was");
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	if (outcome == DONE && (*fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		outcome = kept(i, strerror(errno));
	close(at);
	return outcome;
}

/* Does it carry the dead VM's pair? LEFT: no, nor its own label; owed is for DONE. */
static enum outcome judge(const struct image *i, int fd, bool *owed)
{
	char now[LABEL_MAX], cut[LABEL_MAX], text[LABEL_MAX + 32];
	struct label_parts p;
	struct err e = { 0 };

	*owed = false;
	if (label_read(i->path, fd, now, &e) != 0)
		return kept(i, "its label cannot be read");
	if (strcmp(now, i->record->original) == 0)
		return DONE;
	memcpy(cut, now, LABEL_MAX);
	*owed = label_split(cut, &p) && disk_type_is_ours(&p) && strcmp(p.level, i->level) == 0;
	if (*owed)
		return DONE;
	snprintf(text, sizeof(text), "labelled %s by now", now);
	return left(i, text);
}

static bool lock(const struct image *i, int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_MS * 1000000L };

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (*i->waits == 0)
			return false;
		--*i->waits;
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum outcome put_back(const struct image *i, int fd)
{
	const struct labels on = { .on = true };
	struct err e = { 0 };
	bool owed;
	enum outcome outcome = judge(i, fd, &owed);

	if (outcome != DONE || !owed)
		return outcome;
	if (!lock(i, fd))
		return kept(i, "still in use by a program");
	/* Now nobody else of us can change it. */
	outcome = judge(i, fd, &owed);
	if (outcome != DONE || !owed)
		return outcome;
	if (label_write(&on, "its label", fd, i->record->original, &e) != 0)
		return kept(i, e.text);
	say("reclaimed", i->vm, "%s labelled %s again", i->path, i->record->original);
	return DONE;
}

static bool settle(const struct disk_record *r, const struct mcs_dead *dead, const char *vm,
		   unsigned *waits)
{
	struct image i = { .record = r, .vm = vm, .waits = waits };
	char path[DISK_RECORD_PATH];
	int fd;

	disk_record_path(r->path, path);
	i.path = path;
	snprintf(i.level, sizeof(i.level), "s0:");
	mcs_text(&dead->pair, i.level + 3);
	enum outcome outcome = open_image(&i, &fd);
	if (outcome == DONE)
		outcome = put_back(&i, fd);
	if (fd >= 0)
		close(fd);
	return outcome != KEPT;
}

/* True when no label is owed any more. */
static bool settle_all(int folder, const struct mcs_dead *dead, const char *vm, unsigned waits)
{
	struct disk_record r;
	struct err e = { 0 };
	char *text;
	size_t size;
	bool all = true;
	int got = 1;

	if (disk_record_read(folder, &text, &size, &e) != 0) {
		say("left of", vm, "%s", e.text);
		return false;
	}
	const char *at = text;
	/* A record that is cut off is of a launcher that died writing it: it had changed nothing. */
	for (unsigned i = 0; size > 0 && got == 1 && i <= VM_DISK_MAX; i++) {
		got = disk_record_next(&at, text + size, &r);
		if (got == 1)
			all = settle(&r, dead, vm, &waits) && all;
	}
	free(text);
	return all;
}

/* Where its cgroup is, as its launcher was told. */
static const char *cgroup_parent(int folder, const char *otherwise, char out[PATH_MAX])
{
	ssize_t n = folder < 0 ? -1 : readlinkat(folder, RUN_CGROUP, out, PATH_MAX - 1);

	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? out : otherwise;
}

static bool end_processes(const struct mcs_dead *dead, const char *vm, const char *parent)
{
	struct err e = { 0 };
	bool found = false;
	int n = cgroup_reclaim(parent, &dead->pair, &found, &e);

	if (n == 0 && found)
		say_reclaimed(vm, "cgroup removed");
	if (n == 0)
		n = leftover_end(&dead->pair, &e);
	if (n < 0)
		say("left of", vm, "%s: kept for the next command", e.text);
	else if (n > 0)
		say("reclaimed", vm, "%d of its processes ended", n);
	return n >= 0;
}

/* Said in vain it is no reason to keep anything. */
static void record_end(int folder, const struct mcs_dead *dead)
{
	struct err e = { 0 };

	if (dead->name[0] != '\0' && records_dead(folder, dead->name, &e) != 0)
		say("left of", dead->name, "%s", e.text);
}

bool reclaim_dead(void *context, const struct mcs_dead *dead)
{
	struct reclaim *r = context;
	char pair[MCS_TEXT], parent[PATH_MAX];
	bool first;

	mcs_text(&dead->pair, pair);
	const char *vm = dead->name[0] != '\0' ? dead->name : pair;
	if (dead->pid > 0)
		say("reclaimed", vm, "its launcher (pid %d) died", (int)dead->pid);
	else
		say_reclaimed(vm, "its launcher died");
	int folder = rundir_unname(r->base, &dead->pair, dead->name, &first);
	bool lost = folder < 0 && errno != ENOENT;
	if (lost)
		say("left of", vm, "its folder: %s: kept for the next command", strerror(errno));
	bool clear = !lost &&
		     end_processes(dead, vm, cgroup_parent(folder, r->cgroup, parent));
	if (folder >= 0) {
		record_end(folder, dead);
		clear = clear && settle_all(folder, dead, vm, first ? LOCK_TRIES : 0);
		close(folder);
		rundir_clear(r->base, &dead->pair, !clear);
		if (clear)
			say_reclaimed(vm, "folder removed");
	}
	if (clear)
		say("reclaimed", vm, "pair %s given back", pair);
	else
		r->kept++;
	return clear;
}

int reclaim_all(const char *run_dir, const char *cgroup, struct err *e)
{
	struct reclaim r = { .base = -1, .cgroup = cgroup };
	struct mcs_table table = { .dir = -1 };
	int rc = rundir_open_base(run_dir, false, &r.base, e);

	if (rc != 0 || r.base < 0)
		return rc;
	rc = rundir_open_table(run_dir, &table, e);
	if (rc == 0)
		rc = mcs_reclaim(&table, reclaim_dead, &r, e);
	mcs_close(&table);
	close(r.base);
	if (rc == 0 && r.kept > 0)
		rc = err_set(e, EX_BUSY, "%u dead VMs still hold something: see above, and reclaim "
			     "again", r.kept);
	return rc;
}
