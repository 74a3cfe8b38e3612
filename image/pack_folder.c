/* Members of a folder, sorted by name: what order a file system lists them in must not count. */
#include "image/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536u

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int copy_content(struct pack *p, const char *path, uint64_t size, struct err *e)
{
	static uint8_t block[BLOCK];
	int rc = 0, fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s", path);
	for (uint64_t done = 0; rc == 0 && done < size;) {
		ssize_t n = read(fd, block, size - done < BLOCK ? (size_t)(size - done) : BLOCK);
		if (n <= 0)
			rc = err_set(e, EX_HOST, "%s: changed while it was read", path);
		else
			rc = pack_data(p, block, (size_t)n, e);
		done += n > 0 ? (uint64_t)n : 0;
	}
	close(fd);
	return rc;
}

static int pack_one(struct pack *p, struct archive *disk, const FTSENT *f, size_t root,
		    struct err *e)
{
	struct archive_entry *entry = archive_entry_new();
	const char *name = f->fts_path + root;
	uint64_t size = 0;

	if (entry == NULL)
		return err_set(e, EX_HOST, "out of memory");
	archive_entry_copy_sourcepath(entry, f->fts_path);
	archive_entry_set_pathname(entry, name + strspn(name, "/"));
	int rc = archive_read_disk_entry_from_file(disk, entry, -1, f->fts_statp) == ARCHIVE_OK
			 ? pack_entry(p, entry, &size, e)
			 : err_set(e, EX_HOST, "%s: %s", f->fts_path, archive_error_string(disk));
	if (rc == 0 && size != 0)
		rc = copy_content(p, f->fts_path, size, e);
	archive_entry_free(entry);
	return rc;
}

static int walk(struct pack *p, FTS *fts, struct archive *disk, size_t root, struct err *e)
{
	FTSENT *f;
	int rc = 0;

	while (rc == 0 && (errno = 0, f = fts_read(fts)) != NULL) {
		if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
			rc = err_errno(e, EX_HOST, f->fts_errno, "%s", f->fts_path);
		else if (f->fts_info != FTS_DP && f->fts_level > 0)
			rc = pack_one(p, disk, f, root, e);
	}
	if (rc == 0 && errno != 0)
		rc = err_errno(e, EX_HOST, errno, "root");
	return rc;
}

int pack_folder(struct pack *p, const char *path, struct err *e)
{
	char *const paths[] = { (char *)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	struct archive *disk = archive_read_disk_new();
	int rc = 0;

	if (fts == NULL || disk == NULL)
		rc = err_errno(e, EX_HOST, errno, "%s", path);
	if (rc == 0)
		rc = walk(p, fts, disk, strlen(path), e);
	archive_read_free(disk);
	if (fts != NULL)
		fts_close(fts);
	return rc;
}
