#include "image/root.h"

#include "image/pack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Where the guest's init mounts what is not the root's (guest/root.c). */
static const char *const needed[] = { "dev", "proc", "run", "sys", "tmp" };

static int add_needed(struct pack *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(needed) / sizeof(needed[0]); i++) {
		enum member_kind kind = members_kind(p->members, needed[i]);
		struct archive_entry *folder;
		uint64_t none;
		if (kind == MEMBER_FOLDER)
			continue;
		if (kind != MEMBER_NONE)
			return err_set(e, EX_MALFORMED, "member %s: has to be a folder", needed[i]);
		if ((folder = archive_entry_new()) == NULL)
			return err_set(e, EX_HOST, "out of memory");
		archive_entry_set_pathname(folder, needed[i]);
		archive_entry_set_filetype(folder, AE_IFDIR);
		archive_entry_set_perm(folder, 0755);
		rc = pack_entry(p, folder, &none, e);
		archive_entry_free(folder);
	}
	return rc;
}

static int pack_all(struct pack *p, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "--root %s", path);
	int rc = S_ISDIR(st.st_mode) ? pack_folder(p, path, e) : pack_tar(p, path, e);
	if (rc == 0)
		rc = add_needed(p, e);
	if (rc == 0 && !members_may_have(p->members, p->rules->run))
		rc = err_set(e, EX_MALFORMED, "root: has no %s: name what to start with --run",
			     p->rules->run);
	return rc;
}

int root_pack(const char *path, const struct root_rules *rules, int out, struct err *e)
{
	struct pack p = { .rules = rules,
			  .out = archive_write_new(),
			  .members = members_new() };
	int rc = 0;

	if (p.out == NULL || p.members == NULL)
		rc = err_set(e, EX_HOST, "out of memory");
	/* xattrheader: libarchive's own form of attributes would come beside the usual one. */
	if (rc == 0 && (archive_write_set_format_pax_restricted(p.out) != ARCHIVE_OK ||
			archive_write_set_options(p.out, "xattrheader=SCHILY") != ARCHIVE_OK ||
			archive_write_open_fd(p.out, out) != ARCHIVE_OK))
		rc = err_set(e, EX_HOST, "root: libarchive: %s", archive_error_string(p.out));
	if (rc == 0)
		rc = pack_all(&p, path, e);
	if (rc == 0 && archive_write_close(p.out) != ARCHIVE_OK)
		rc = err_set(e, EX_HOST, "root: cannot be packed: %s", archive_error_string(p.out));
	archive_write_free(p.out);
	members_free(p.members);
	return rc;
}
