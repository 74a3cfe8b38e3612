#include "sandbox/mcs.h"

#include "sandbox/procid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_TRIES 64

/* Reads a decimal category without sign or leading zero. */
static bool parse_category(const char **text, unsigned *out)
{
	const char *p = *text;
	unsigned v = 0;
	int digits = 0;

	if (*p++ != 'c')
		return false;
	for (; *p >= '0' && *p <= '9' && digits < 5; p++, digits++)
		v = v * 10 + (unsigned)(*p - '0');
	if (digits == 0 || (digits > 1 && (*text)[1] == '0') || v >= MCS_CATEGORIES)
		return false;
	*text = p;
	*out = v;
	return true;
}

static bool parse_pair(const char *text, char separator, struct mcs_pair *out)
{
	unsigned low, high;

	if (!parse_category(&text, &low) || *text++ != separator ||
	    !parse_category(&text, &high) || *text != '\0' || low >= high)
		return false;
	*out = (struct mcs_pair){ .low = (uint16_t)low, .high = (uint16_t)high };
	return true;
}

bool mcs_parse(const char *text, struct mcs_pair *out)
{
	return parse_pair(text, ',', out);
}

void mcs_text(const struct mcs_pair *p, char *out)
{
	snprintf(out, MCS_TEXT, "c%u,c%u", p->low, p->high);
}

static void file_name(const struct mcs_pair *p, char *out)
{
	snprintf(out, MCS_TEXT, "c%u.c%u", p->low, p->high);
}

uint32_t mcs_index(const struct mcs_pair *p)
{
	uint32_t before = (uint32_t)p->low * (2 * MCS_CATEGORIES - 1 - p->low) / 2;

	return before + (uint32_t)(p->high - p->low - 1);
}

int mcs_open(const char *path, unsigned categories, struct mcs_table *t, struct err *e)
{
	struct stat st;

	t->dir = -1;
	t->categories = categories;
	if (categories < 3 || categories > MCS_CATEGORIES)
		return err_set(e, EX_INTERNAL, "category pool of %u: not 3 to 1024", categories);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(e, EX_HOST, errno, "%s: cannot make the table of categories",
				 path);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot open the table of categories",
				 path);
	/* Whoever may write here can free a pair that is in use. */
	if (fstat(dir, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		close(dir);
		return err_set(e, EX_HOST, "%s: others than its owner may write it: remove it "
			       "while no VM runs", path);
	}
	t->dir = dir;
	return 0;
}

void mcs_close(struct mcs_table *t)
{
	if (t->dir >= 0)
		close(t->dir);
	t->dir = -1;
}

#define OWNER_TEXT 128 /* bytes of an entry at most */

/* "PID START NAME BOOT" of this process. */
static int owner_text(const char *name, char out[OWNER_TEXT], struct err *e)
{
	char boot[PROCID_BOOT];
	uint64_t start;

	if (!procid_start(getpid(), &start) || !procid_boot(boot))
		return err_set(e, EX_HOST, "/proc: own start time or boot id not readable: mount "
			       "/proc");
	snprintf(out, OWNER_TEXT, "%d %" PRIu64 " %.32s %s\n", (int)getpid(), start, name, boot);
	return 0;
}

/* Is there such a process, of this boot? A table on a disk outlives the clock that START is of. */
static bool lives(const char *text, struct mcs_dead *owner)
{
	char boot[PROCID_BOOT], now_boot[PROCID_BOOT], *end;
	uint64_t start, now;
	long pid = strtol(text, &end, 10);

	start = strtoull(end, &end, 10);
	int fields = sscanf(end, " %32[a-z0-9-] %36[0-9a-f-]", owner->name, boot);
	if (pid <= 0 || pid > INT_MAX || fields < 1) {
		owner->name[0] = '\0';
		return false;
	}
	owner->pid = (pid_t)pid;
	if (fields == 2 && procid_boot(now_boot) && strcmp(boot, now_boot) != 0)
		return false;
	return procid_start(owner->pid, &now) && now == start;
}

enum entry { ENTRY_NONE, ENTRY_LIVING, ENTRY_DEAD };

/* Whose an entry is. The table is locked while one is written, so a garbled one is what a crash
 * left. What is no regular file is nobody's entry, yet its pair cannot be taken. */
static enum entry read_entry(int dir, const char *file, struct mcs_dead *owner)
{
	char text[OWNER_TEXT];
	struct stat st;

	owner->name[0] = '\0';
	owner->pid = 0;
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ENTRY_NONE : ENTRY_LIVING;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return ENTRY_LIVING;
	}
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	enum entry found = lives(text, owner) ? ENTRY_LIVING : ENTRY_DEAD;
	/* Given back by its owner after we had opened it, who ended then? */
	if (found == ENTRY_DEAD && (fstat(fd, &st) != 0 || st.st_nlink == 0))
		found = ENTRY_NONE;
	close(fd);
	return found;
}

static int reclaim_dead(struct mcs_table *t, mcs_reclaimed_fn *reclaimed, void *context,
			struct err *e)
{
	struct mcs_dead dead;
	struct dirent *entry;

	int copy = openat(t->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (d == NULL) {
		if (copy >= 0)
			close(copy);
		return err_errno(e, EX_HOST, errno, "table of categories: cannot list it");
	}
	while ((entry = readdir(d)) != NULL) {
		if (parse_pair(entry->d_name, '.', &dead.pair) &&
		    read_entry(t->dir, entry->d_name, &dead) == ENTRY_DEAD &&
		    (reclaimed == NULL || reclaimed(context, &dead)))
			unlinkat(t->dir, entry->d_name, 0);
	}
	closedir(d);
	return 0;
}

/* Uniform in [0, bound): values of the last, incomplete stripe are drawn again. */
static int random_below(uint32_t bound, uint32_t *out, struct err *e)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
	uint32_t v;

	do {
		if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
			return err_errno(e, EX_HOST, errno, "getrandom");
	} while (v >= limit);
	*out = v % bound;
	return 0;
}

/* The pair with number n when all pairs of the pool are counted. */
static struct mcs_pair pair_number(unsigned categories, uint32_t n)
{
	unsigned low = 0;

	while (n >= categories - 1 - low) {
		n -= categories - 1 - low;
		low++;
	}
	return (struct mcs_pair){ .low = (uint16_t)low, .high = (uint16_t)(low + 1 + n) };
}

/* 1: taken, 0: somebody holds it. */
static int try_take(struct mcs_table *t, const struct mcs_pair *p, const char *owner, struct err *e)
{
	char file[MCS_TEXT];
	size_t size = strlen(owner);

	file_name(p, file);
	int fd = openat(t->dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "table of categories: cannot make %s", file);
	/* On the disk before anything bears the pair: a machine that stops must find it again. */
	if (write(fd, owner, size) != (ssize_t)size || fsync(fd) != 0 || fsync(t->dir) != 0) {
		int cause = errno;
		unlinkat(t->dir, file, 0);
		close(fd);
		return err_errno(e, EX_HOST, cause, "table of categories: cannot write %s", file);
	}
	close(fd);
	return 1;
}

static int take_random(struct mcs_table *t, const char *owner, struct mcs_pair *out, struct err *e)
{
	uint32_t all = t->categories * (t->categories - 1) / 2, n = 0;
	int got = 0;

	for (int i = 0; i < RANDOM_TRIES && got == 0; i++) {
		int rc = random_below(all, &n, e);
		if (rc != 0)
			return rc;
		*out = pair_number(t->categories, n);
		got = try_take(t, out, owner, e);
	}
	/* Nearly full: look at every pair once, from the last random place on. */
	for (uint32_t i = 0; i < all && got == 0; i++) {
		*out = pair_number(t->categories, (n + i) % all);
		got = try_take(t, out, owner, e);
	}
	if (got == 0)
		return err_set(e, EX_BUSY, "categories: all %u pairs are held by running VMs: "
			       "stop one first", all);
	return got < 0 ? got : 0;
}

static int lock(struct mcs_table *t, struct err *e)
{
	return flock(t->dir, LOCK_EX) == 0 ? 0 :
	       err_errno(e, EX_HOST, errno, "table of categories: cannot lock it");
}

int mcs_reclaim(struct mcs_table *t, mcs_reclaimed_fn *reclaimed, void *context, struct err *e)
{
	int rc = lock(t, e);

	if (rc != 0)
		return rc;
	rc = reclaim_dead(t, reclaimed, context, e);
	flock(t->dir, LOCK_UN);
	return rc;
}

int mcs_allocate(struct mcs_table *t, const char *name, mcs_reclaimed_fn *reclaimed, void *context,
		 struct mcs_pair *out, struct err *e)
{
	char owner[OWNER_TEXT];
	int rc = owner_text(name, owner, e);

	if (rc != 0 || (rc = lock(t, e)) != 0)
		return rc;
	rc = reclaim_dead(t, reclaimed, context, e);
	if (rc == 0)
		rc = take_random(t, owner, out, e);
	flock(t->dir, LOCK_UN);
	return rc;
}

void mcs_release(struct mcs_table *t, const struct mcs_pair *p)
{
	char file[MCS_TEXT];

	file_name(p, file);
	unlinkat(t->dir, file, 0);
}

bool mcs_held(struct mcs_table *t, const struct mcs_pair *p)
{
	struct mcs_dead owner;
	char file[MCS_TEXT];

	file_name(p, file);
	/* The lock keeps an entry that is just being written from looking garbled. */
	if (flock(t->dir, LOCK_SH) != 0)
		return true;
	bool held = read_entry(t->dir, file, &owner) == ENTRY_LIVING;
	flock(t->dir, LOCK_UN);
	return held;
}
