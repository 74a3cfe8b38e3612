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
	return 0;
}

static int lock(const char *name, const struct disk *d, struct err *e)
{
	if (flock(d->fd, (d->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, EX_BUSY, "%s: in use by another VM or program: stop that first",
			       name);
	return err_errno(e, EX_HOST, errno, "%s: cannot be locked", name);
}

/* The label to restore: the present one, at level s0 when its categories belong to the dead. */
static int find_original(const char *name, struct disk *d, struct mcs_table *table, struct err *e)
{
	char now[LABEL_MAX], cut[LABEL_MAX];
	struct label_parts p;
	struct mcs_pair pair;
	int rc = label_read(name, d->fd, now, e);

	if (rc != 0)
		return rc;
	memcpy(cut, now, LABEL_MAX);
	if (!label_split(cut, &p) || (strcmp(p.type, "pavise_image_t") != 0 &&
				      strcmp(p.type, "pavise_image_ro_t") != 0))
		return err_set(e, EX_HOST, "%s: labelled %s, not pavise_image_t: keep images "
			       "in /var/lib/pavise (new files there get it)", name, now);
	if (strcmp(p.level, "s0") == 0) {
		snprintf(d->original, LABEL_MAX, "%s", now);
		return 0;
	}
	if (strncmp(p.level, "s0:", 3) != 0 || !mcs_parse(p.level + 3, &pair) ||
	    mcs_held(table, &pair))
		return err_set(e, EX_BUSY, "%s: labelled %s, so another VM uses it: stop that one",
			       name, now);
	/* A crash left it. Images are taken at s0 only, and shared content is never relabelled:
	 * so this is what it had. */
	snprintf(d->original, LABEL_MAX, "%.80s:%.40s:pavise_image_t:s0", p.user, p.role);
	return 0;
}

int disk_take(const char *name, struct disk *d, const struct labels *l, struct mcs_table *table,
	      struct err *e)
{
	int rc = 0;

	/* The label first: for a type that is not ours even a lock is denied. */
	if (l->on)
		rc = find_original(name, d, table, e);
	if (rc == 0)
		rc = lock(name, d, e);
	if (rc != 0 || (d->readonly && strstr(d->original, ":pavise_image_ro_t:s0") != NULL)) {
		d->original[0] = '\0';
		return rc;
	}
	return label_write(l, name, d->fd, d->readonly ? l->image_ro : l->image, e);
}

int disk_restore(const char *name, struct disk *d, const struct labels *l, struct err *e)
{
	if (!l->on || d->original[0] == '\0')
		return 0;
	int rc = label_write(l, name, d->fd, d->original, e);
	d->original[0] = '\0';
	return rc;
}
