#include "sandbox/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

int disk_check(const char *name, struct disk *d, struct err *e)
{
	struct stat st;
	int flags = fcntl(d->fd, F_GETFL);

	d->original[0] = '\0';
	d->locked = false;
	if (flags < 0 || fstat(d->fd, &st) != 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "%s: descriptor %d", name, d->fd);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EX_USAGE_ERROR, "%s: not a regular file: give a raw image", name);
	int mode = flags & O_ACCMODE;
	if ((flags & O_PATH) != 0 || (d->readonly ? mode != O_RDONLY : mode != O_RDWR))
		return err_set(e, EX_USAGE_ERROR, "%s: not opened for %s", name,
			       d->readonly ? "reading alone" : "reading and writing");
	if (st.st_size < (off_t)DISK_SECTOR || st.st_size % (off_t)DISK_SECTOR != 0)
		return err_set(e, EX_MALFORMED, "%s: %lld bytes are not a whole number of "
			       "%u-byte sectors: give a raw image", name, (long long)st.st_size,
			       DISK_SECTOR);
	d->size = (uint64_t)st.st_size;
	d->device = st.st_dev;
	d->inode = st.st_ino;
	return 0;
}

bool disk_same(const struct disk *a, const struct disk *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static int lock(const char *name, struct disk *d, bool shared, struct err *e)
{
	d->locked = flock(d->fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
	if (d->locked)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, EX_BUSY, "%s: in use by another VM or program: stop that first",
			       name);
	return err_errno(e, EX_HOST, errno, "%s: cannot be locked", name);
}

static void unlock(struct disk *d)
{
	/* The opening is the caller's, and may live on with the lock of it. */
	if (d->locked)
		flock(d->fd, LOCK_UN);
	d->locked = false;
}

bool disk_type_is_ours(const struct label_parts *p)
{
	return strcmp(p->type, "pavise_image_t") == 0 || strcmp(p->type, "pavise_image_ro_t") == 0;
}

/* Its label, in one piece and in parts (of `cut`), if its type is ours. */
static int read_ours(const char *name, const struct disk *d, char now[LABEL_MAX],
		     char cut[LABEL_MAX], struct label_parts *p, struct err *e)
{
	int rc = label_read(name, d->fd, now, e);

	if (rc != 0)
		return rc;
	memcpy(cut, now, LABEL_MAX);
	if (label_split(cut, p) && disk_type_is_ours(p))
		return 0;
	return err_set(e, EX_HOST, "%s: labelled %s, not pavise_image_t: keep images "
		       "in /var/lib/pavise (new files there get it)", name, now);
}

/* Content that all VMs may read at once, and none may write. */
static bool is_shared(const struct label_parts *p)
{
	return strcmp(p->type, "pavise_image_ro_t") == 0 && strcmp(p->level, "s0") == 0;
}

/* The label to restore: the present one, at level s0 when its categories belong to the dead. */
static int find_original(const char *name, struct disk *d, const char *now,
			 const struct label_parts *p, struct mcs_table *table, struct err *e)
{
	struct mcs_pair pair;

	if (strcmp(p->level, "s0") == 0) {
		snprintf(d->original, LABEL_MAX, "%s", now);
		return 0;
	}
	if (strncmp(p->level, "s0:", 3) != 0 || !mcs_parse(p->level + 3, &pair) ||
	    mcs_held(table, &pair))
		return err_set(e, EX_BUSY, "%s: labelled %s, so another VM uses it: stop that one",
			       name, now);
	/* A crash left it, and no reclaim found it (it was moved, say). Images are taken at s0
	 * only, and shared content is never relabelled: so this is what it had. */
	snprintf(d->original, LABEL_MAX, "%.80s:%.40s:pavise_image_t:s0", p->user, p->role);
	return 0;
}

/* A label of one VM makes the image that VM's alone, whatever it does with it: so the lock is
 * exclusive unless the label stays. */
static int take_labelled(const char *name, struct disk *d, struct mcs_table *table, struct err *e)
{
	char before[LABEL_MAX], now[LABEL_MAX], cut[LABEL_MAX];
	struct label_parts p;
	/* The label first: for a type that is not ours even a lock is denied. */
	int rc = read_ours(name, d, before, cut, &p, e);

	if (rc != 0)
		return rc;
	bool shared = is_shared(&p);
	if (shared && !d->readonly)
		return err_set(e, EX_USAGE_ERROR, "%s: labelled %s, content that VMs share: give "
			       "it read-only, or a copy of it", name, before);
	if ((rc = lock(name, d, shared, e)) != 0 ||
	    (rc = read_ours(name, d, now, cut, &p, e)) != 0)
		return rc;
	/* Whoever had the lock before us may have changed it. */
	if (strcmp(before, now) != 0)
		return err_set(e, EX_BUSY, "%s: another VM has used it just now: try again", name);
	return shared ? 0 : find_original(name, d, now, &p, table, e);
}

int disk_take(const char *name, struct disk *d, const struct labels *l, struct mcs_table *table,
	      struct err *e)
{
	int rc = l->on ? take_labelled(name, d, table, e) : lock(name, d, d->readonly, e);

	if (rc != 0)
		unlock(d);
	return rc;
}

int disk_label(const char *name, const struct disk *d, const struct labels *l, struct err *e)
{
	if (d->original[0] == '\0')
		return 0;
	return label_write(l, name, d->fd, d->readonly ? l->image_ro : l->image, e);
}

int disk_restore(const char *name, struct disk *d, const struct labels *l, struct err *e)
{
	int rc = 0;

	if (l->on && d->original[0] != '\0')
		rc = label_write(l, name, d->fd, d->original, e);
	d->original[0] = '\0';
	unlock(d);
	return rc;
}
