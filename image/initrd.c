#include "image/initrd.h"

#include "common/bytes.h"
#include "common/file.h"
#include "image/digest.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct initrd_file *find(struct initrd *i, const char *path)
{
	for (size_t n = 0; n < i->count; n++)
		if (strcmp(i->files[n].path, path) == 0)
			return &i->files[n];
	return NULL;
}

static int put(struct initrd *i, const char *path, unsigned mode, void *data, size_t size,
	       struct err *e)
{
	const struct initrd_file *there = find(i, path);

	if (there != NULL) {
		int same = there->mode == mode && there->size == size &&
			   (size == 0 || memcmp(there->data, data, size) == 0);
		free(data);
		return same ? 0 : err_set(e, EX_HOST, "initrd: two different files for %s", path);
	}
	char *name = strdup(path);
	if (name == NULL || i->count == INITRD_FILES_MAX) {
		free(name);
		free(data);
		return err_set(e, EX_HOST, name == NULL ? "out of memory"
							: "initrd: too many files");
	}
	struct initrd_file *f = &i->files[i->count++];
	f->path = name;
	f->mode = mode;
	f->data = data;
	f->size = size;
	return 0;
}

int initrd_add_folder(struct initrd *i, const char *path, struct err *e)
{
	char above[256];
	int rc = 0;

	if (strlen(path) >= sizeof(above))
		return err_set(e, EX_HOST, "initrd: %s: too long", path);
	for (const char *at = path; rc == 0 && at != NULL;) {
		at = strchr(at, '/');
		size_t n = at != NULL ? (size_t)(at - path) : strlen(path);
		memcpy(above, path, n);
		above[n] = '\0';
		rc = put(i, above, S_IFDIR | 0755, NULL, 0, e);
		if (at != NULL)
			at++;
	}
	return rc;
}

int initrd_add(struct initrd *i, const char *path, unsigned mode, void *data, size_t size,
	       struct err *e)
{
	char above[256] = "";
	const char *slash = strrchr(path, '/');

	if (slash != NULL && (size_t)(slash - path) < sizeof(above)) {
		memcpy(above, path, (size_t)(slash - path));
		int rc = initrd_add_folder(i, above, e);
		if (rc < 0) {
			free(data);
			return rc;
		}
	}
	return put(i, path, S_IFREG | mode, data, size, e);
}

int initrd_add_file(struct initrd *i, const char *path, unsigned mode, const char *from,
		    struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int rc = file_read("initrd", from, INITRD_FILE_MAX, 0, &data, &size, e);

	return rc == 0 ? initrd_add(i, path, mode, data, size, e) : rc;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct initrd_file *)a)->path, ((const struct initrd_file *)b)->path);
}

static int write_one(struct archive *a, const struct initrd_file *f, int64_t inode, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();

	if (entry == NULL)
		return err_set(e, EX_HOST, "out of memory");
	archive_entry_set_pathname(entry, f->path);
	archive_entry_set_mode(entry, f->mode);
	archive_entry_set_size(entry, (int64_t)f->size);
	archive_entry_set_ino(entry, inode);
	archive_entry_set_nlink(entry, S_ISDIR(f->mode) ? 2 : 1);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	int good = archive_write_header(a, entry) == ARCHIVE_OK &&
		   (f->size == 0 ||
		    archive_write_data(a, f->data, f->size) == (la_ssize_t)f->size);
	archive_entry_free(entry);
	return good ? 0 : err_set(e, EX_HOST, "initrd: %s", archive_error_string(a));
}

int initrd_write(struct initrd *i, const char *path, struct err *e)
{
	struct archive *a = archive_write_new();
	int rc = 0;

	if (a == NULL)
		return err_set(e, EX_HOST, "out of memory");
	qsort(i->files, i->count, sizeof(i->files[0]), by_path);
	if (archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_filename(a, path) != ARCHIVE_OK)
		rc = err_set(e, EX_HOST, "%s: %s", path, archive_error_string(a));
	for (size_t n = 0; rc == 0 && n < i->count; n++)
		rc = write_one(a, &i->files[n], (int64_t)n + 1, e);
	if (rc == 0 && archive_write_close(a) != ARCHIVE_OK)
		rc = err_set(e, EX_HOST, "%s: %s", path, archive_error_string(a));
	archive_write_free(a);
	return rc;
}

json_t *initrd_list(struct initrd *i)
{
	json_t *list = json_array();

	for (size_t n = 0; list != NULL && n < i->count; n++) {
		const struct initrd_file *f = &i->files[n];
		uint8_t digest[DIGEST];
		char hex[2 * DIGEST + 1];
		struct err unused = { 0 };
		if (S_ISDIR(f->mode))
			continue;
		int bad = digest_bytes(f->data, f->size, digest, &unused);
		hex_encode(digest, DIGEST, hex);
		if (bad != 0 ||
		    json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", f->path,
							  "size", (json_int_t)f->size, "sha256",
							  hex)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

void initrd_free(struct initrd *i)
{
	for (size_t n = 0; n < i->count; n++) {
		free(i->files[n].path);
		free(i->files[n].data);
	}
	i->count = 0;
}
