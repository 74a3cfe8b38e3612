/* Members of a tar, of any compression that libarchive knows. It is hostile input; libarchive
 * parses it, pack.c decides. */
#include "image/pack.h"

#define BLOCK 65536u

static int read_failed(struct archive *a, const char *path, struct err *e)
{
	const char *why = archive_error_string(a);

	return err_set(e, EX_MALFORMED, "%s: cannot be read as a tar: %s", path,
		       why != NULL ? why : "unknown");
}

/* Holes of sparse files arrive as zeros. */
static int copy_content(struct pack *p, struct archive *a, const char *path, uint64_t size,
			struct err *e)
{
	static uint8_t block[BLOCK];
	int rc = 0;

	for (uint64_t done = 0; rc == 0 && done < size;) {
		la_ssize_t n = archive_read_data(a, block, sizeof(block));
		if (n < 0)
			return read_failed(a, path, e);
		if (n == 0 || (uint64_t)n > size - done)
			return err_set(e, EX_MALFORMED, "%s: a member has not its size", path);
		done += (uint64_t)n;
		rc = pack_data(p, block, (size_t)n, e);
	}
	return rc;
}

static int copy_members(struct pack *p, struct archive *a, const char *path, struct err *e)
{
	struct archive_entry *entry;
	int rc = 0, r, count = 0;

	while (rc == 0 && (r = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
		uint64_t size = 0;
		if (r != ARCHIVE_OK)
			return read_failed(a, path, e);
		count = 1;
		rc = pack_entry(p, entry, &size, e);
		if (rc == 0)
			rc = copy_content(p, a, path, size, e);
	}
	if (rc == 0 && count == 0)
		rc = err_set(e, EX_MALFORMED, "%s: has no members", path);
	return rc;
}

int pack_tar(struct pack *p, const char *path, struct err *e)
{
	struct archive *a = archive_read_new();

	if (a == NULL)
		return err_set(e, EX_HOST, "out of memory");
	archive_read_support_filter_all(a);
	archive_read_support_format_tar(a);
	int rc = archive_read_open_filename(a, path, BLOCK) == ARCHIVE_OK
			 ? copy_members(p, a, path, e)
			 : read_failed(a, path, e);
	archive_read_free(a);
	return rc;
}
