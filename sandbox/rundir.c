#include "sandbox/rundir.h"

#include "sandbox/disk_record.h"
#include "sandbox/reclaim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 3 /* NAME/tpm/file */

/* The folder says itself whose it is: a link OWNER -> "cA,cB", there before the folder gets its
 * name. */
#define OWNER "pair"

/* Removes a folder's contents without following links: children may have made files in it. What a
 * folder with owed labels is known by stays in it. */
static void empty_folder(int parent, const char *name, int depth, bool keep_record)
{
	struct dirent *entry;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (keep_record && (strcmp(entry->d_name, OWNER) == 0 ||
				    strcmp(entry->d_name, RUN_CGROUP) == 0 ||
				    strcmp(entry->d_name, DISK_RECORD_FILE) == 0))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || depth <= 1)
			continue;
		empty_folder(fd, entry->d_name, depth - 1, false);
		unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static void remove_folder(int base, const char *name)
{
	empty_folder(base, name, DEPTH_MAX, false);
	unlinkat(base, name, AT_REMOVEDIR);
}

/* Before it has its name, and when it is about to go, it is called after the pair, which nobody else
 * can hold. */
static void unnamed(const struct mcs_pair *pair, char out[MCS_TEXT + 1])
{
	out[0] = '.';
	mcs_text(pair, out + 1);
}

int rundir_unname(int base, const struct mcs_pair *pair, const char *name, bool *named)
{
	char path[NAME_MAX_LENGTH + sizeof("/" OWNER)], owner[MCS_TEXT] = "", first[MCS_TEXT + 1];

	*named = false;
	unnamed(pair, first);
	if (name[0] != '\0') {
		snprintf(path, sizeof(path), "%.32s/" OWNER, name);
		ssize_t n = readlinkat(base, path, owner, sizeof(owner) - 1);
		owner[n > 0 ? n : 0] = '\0';
		*named = strcmp(owner, first + 1) == 0;
		if (*named && renameat2(base, name, base, first, RENAME_NOREPLACE) != 0)
			return -1;
	}
	return openat(base, first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void rundir_clear(int base, const struct mcs_pair *pair, bool keep_record)
{
	char first[MCS_TEXT + 1];

	unnamed(pair, first);
	if (keep_record)
		empty_folder(base, first, DEPTH_MAX, true);
	else
		remove_folder(base, first);
	fsync(base); /* the entry of the pair goes after it, on the disk too */
}

/* Root's alone: whoever can rename in here can put a socket of his own in our place. */
int rundir_open_base(const char *base, bool make, int *fd, struct err *e)
{
	struct stat st;

	*fd = -1;
	if (make && mkdir(base, 0700) != 0 && errno != EEXIST)
		return err_errno(e, EX_HOST, errno, "%s: cannot make the run directory", base);
	*fd = open(base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT && !make)
		return 0;
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot open the run directory", base);
	if (fstat(*fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return 0;
	close(*fd);
	*fd = -1;
	return err_set(e, EX_HOST, "%s: must be root's with mode 0700: chmod 0700 it, or name "
		       "another with --run-dir", base);
}

int rundir_open_table(const char *base, struct mcs_table *t, struct err *e)
{
	char pairs[PATH_MAX];

	if ((size_t)snprintf(pairs, sizeof(pairs), "%s/.pairs", base) >= sizeof(pairs))
		return err_set(e, EX_USAGE_ERROR, "run directory: name too long");
	return mcs_open(pairs, MCS_CATEGORIES, t, e);
}

/* Makes the folder complete under the pair's name, then gives it the VM's, which fails when
 * that is taken. A crash at any point leaves something rundir_unname can tell apart. */
static int make_name(struct rundir *d, const char *cgroup, struct err *e)
{
	char first[MCS_TEXT + 1];
	int rc = 0;

	unnamed(&d->pair, first);
	if (mkdirat(d->base, first, 0700) != 0 ||
	    (d->dir = openat(d->base, first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    symlinkat(first + 1, d->dir, OWNER) != 0 || symlinkat(cgroup, d->dir, RUN_CGROUP) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s: cannot make it", d->path);
	else if (renameat2(d->base, first, d->base, d->name, RENAME_NOREPLACE) == 0)
		return 0;
	else if (errno == EEXIST)
		rc = err_set(e, EX_BUSY, "%s: this name is in use: stop that VM or choose another",
			     d->name);
	else
		rc = err_errno(e, EX_HOST, errno, "%s: cannot get its name", d->path);
	if (d->dir >= 0)
		close(d->dir);
	d->dir = -1;
	remove_folder(d->base, first);
	mcs_release(&d->table, &d->pair);
	return rc;
}

int rundir_make(const char *base, const char *name, const char *cgroup, struct rundir *d,
		struct err *e)
{
	struct reclaim reclaim = { .base = -1, .cgroup = cgroup };
	int rc;

	*d = (struct rundir){ .base = -1, .dir = -1, .table = { .dir = -1 } };
	snprintf(d->name, sizeof(d->name), "%s", name);
	int n = snprintf(d->path, sizeof(d->path), "%s/%s", base, name);
	if (base[0] != '/' || n < 0 || (size_t)n + sizeof("/control.sock") > sizeof(d->path))
		return err_set(e, EX_USAGE_ERROR, "run directory '%.120s': not an absolute path "
			       "of at most %d characters: choose another", base,
			       RUN_PATH_MAX - 48);
	if ((rc = rundir_open_base(base, true, &d->base, e)) != 0)
		return rc;
	reclaim.base = d->base;
	rc = rundir_open_table(base, &d->table, e);
	if (rc == 0)
		rc = mcs_allocate(&d->table, name, reclaim_dead, &reclaim, &d->pair, e);
	if (rc == 0)
		rc = make_name(d, cgroup, e);
	if (rc != 0) {
		mcs_close(&d->table);
		close(d->base);
		d->base = -1;
	}
	return rc;
}

void rundir_remove(struct rundir *d)
{
	if (d->dir >= 0) {
		bool owed = disk_record_there(d->dir), named;
		int folder = rundir_unname(d->base, &d->pair, d->name, &named);
		/* The folder first: while the pair is held nobody else cleans up after us. */
		if (folder >= 0) {
			close(folder);
			rundir_clear(d->base, &d->pair, owed);
			if (!owed)
				mcs_release(&d->table, &d->pair);
		}
		close(d->dir);
	}
	mcs_close(&d->table);
	if (d->base >= 0)
		close(d->base);
	d->base = d->dir = -1;
}

int rundir_log(struct rundir *d, const struct labels *l, const char *file, int *fd, struct err *e)
{
	*fd = openat(d->dir, file, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "%s/%s: cannot make the log", d->path, file);
	int rc = label_write(l, file, *fd, l->log, e);
	if (rc != 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

int rundir_folder(struct rundir *d, const struct labels *l, const char *folder, const char *label,
		  uid_t id, struct err *e)
{
	int fd = -1, rc = 0;

	if (mkdirat(d->dir, folder, 0700) != 0 ||
	    (fd = openat(d->dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    fchown(fd, id, id) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s/%s: cannot make the folder", d->path, folder);
	if (rc == 0)
		rc = label_write(l, folder, fd, label, e);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A log longer than max loses its beginning: what happened last explains the end. */
int rundir_copy_log(struct rundir *d, const char *file, size_t max, int fd, struct err *e)
{
	char buffer[16384];
	struct stat st;
	int from = openat(d->dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (from < 0)
		return errno == ENOENT ? 0 : err_errno(e, EX_HOST, errno, "%s: cannot read", file);
	if (fstat(from, &st) == 0 && (size_t)st.st_size > max)
		lseek(from, st.st_size - (off_t)max, SEEK_SET);
	for (size_t left = max; left > 0 && rc == 0;) {
		ssize_t n = read(from, buffer, left < sizeof(buffer) ? left : sizeof(buffer));
		if (n <= 0)
			break;
		left -= (size_t)n;
		if (write(fd, buffer, (size_t)n) != n)
			rc = err_errno(e, EX_HOST, errno, "%s: cannot copy the log", file);
	}
	close(from);
	return rc;
}
