#include "image/pack.h"

#include "common/checked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ID_MAX 0xfffffffell /* of users and groups; the last one is nobody's */
#define XATTR_MAX 4096u

static int refuse(const char *path, const char *why, struct err *e)
{
	return err_set(e, EX_MALFORMED, "member %.200s: %s", path, why);
}

static int out_failed(struct pack *p, struct err *e)
{
	const char *why = archive_error_string(p->out);

	return err_set(e, archive_errno(p->out) == EPIPE ? EX_INTERNAL : EX_HOST,
		       "root: cannot be packed: %s", why != NULL ? why : "unknown");
}

/* A file that has more than one name: the first stands for all, so it must be there already. */
static int hard_link(struct pack *p, struct archive_entry *in, struct archive_entry *out,
		     const char *path, struct err *e)
{
	char target[MEMBER_PATH_MAX + 1];
	const char *name = archive_entry_hardlink(in);
	struct err why = { 0 };

	if (name == NULL || member_path(name, target, &why) < 0)
		return refuse(path, "a hard link to an absolute or outside path", e);
	if (members_kind(p->members, target) != MEMBER_FILE)
		return refuse(path, "a hard link to what is no file before it", e);
	archive_entry_set_hardlink(out, target);
	archive_entry_set_filetype(out, AE_IFREG);
	return 0;
}

/* Where a symbolic link leads does not matter: nothing is ever unpacked on this machine. */
static int symbolic_link(struct archive_entry *in, struct archive_entry *out, const char *path,
			 struct err *e)
{
	const char *target = archive_entry_symlink(in);

	if (target == NULL || target[0] == '\0' || strlen(target) > MEMBER_PATH_MAX)
		return refuse(path, "a symbolic link to nothing, or to too much", e);
	archive_entry_set_symlink(out, target);
	archive_entry_set_filetype(out, AE_IFLNK);
	return 0;
}

static int regular(struct pack *p, struct archive_entry *in, struct archive_entry *out,
		   const char *path, uint64_t *size, struct err *e)
{
	int64_t n = archive_entry_size_is_set(in) ? archive_entry_size(in) : -1;

	if (n < 0 || !ck_add_u64(p->size, (uint64_t)n, &p->size) || p->size > p->rules->size_max)
		return err_set(e, EX_MALFORMED,
			       "member %.200s: with it the root has more than %llu bytes: --limit",
			       path, (unsigned long long)p->rules->size_max);
	archive_entry_set_size(out, n);
	archive_entry_set_filetype(out, AE_IFREG);
	*size = (uint64_t)n;
	return 0;
}

/* Kind, and what only this kind has. */
static int kind(struct pack *p, struct archive_entry *in, struct archive_entry *out,
		const char *path, enum member_kind *k, uint64_t *size, struct err *e)
{
	*k = MEMBER_FILE;
	if (archive_entry_hardlink(in) != NULL)
		return hard_link(p, in, out, path, e);
	switch (archive_entry_filetype(in)) {
	case AE_IFREG:
		return regular(p, in, out, path, size, e);
	case AE_IFLNK:
		*k = MEMBER_LINK;
		return symbolic_link(in, out, path, e);
	case AE_IFDIR:
		*k = MEMBER_FOLDER;
		archive_entry_set_filetype(out, AE_IFDIR);
		return 0;
	default:
		return refuse(path, "a device, FIFO or socket: the guest makes its own", e);
	}
}

/* Of extended attributes those that mean the same in any guest. Labels of this machine do not. */
static int attributes(struct archive_entry *in, struct archive_entry *out, const char *path,
		      struct err *e)
{
	const char *name;
	const void *value;
	size_t size;

	if (archive_entry_acl_count(in, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E) > 0)
		return refuse(path, "has an ACL, which the image cannot hold: setfacl -b", e);
	archive_entry_xattr_reset(in);
	while (archive_entry_xattr_next(in, &name, &value, &size) == ARCHIVE_OK) {
		if (name == NULL || (strncmp(name, "user.", 5) != 0 &&
				     strcmp(name, "security.capability") != 0))
			continue;
		if (size > XATTR_MAX)
			return refuse(path, "an extended attribute too large for the image", e);
		archive_entry_xattr_add_entry(out, name, value, size);
	}
	return 0;
}

static int owner(const struct pack *p, struct archive_entry *in, struct archive_entry *out,
		 const char *path, struct err *e)
{
	int64_t uid = p->rules->all_root ? 0 : archive_entry_uid(in);
	int64_t gid = p->rules->all_root ? 0 : archive_entry_gid(in);

	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return refuse(path, "its owner is no number of a user and a group", e);
	archive_entry_set_uid(out, uid);
	archive_entry_set_gid(out, gid);
	return 0;
}

/* Folders above it that came in no member of their own. */
static int add_missing(struct pack *p, const char *path, struct err *e)
{
	char above[MEMBER_PATH_MAX + 1];
	size_t n;
	int rc = 0;

	while (rc == 0 && (n = members_missing(p->members, path)) != 0) {
		struct archive_entry *folder = archive_entry_new();
		memcpy(above, path, n);
		above[n] = '\0';
		if (folder == NULL)
			return err_set(e, EX_HOST, "out of memory");
		archive_entry_set_pathname(folder, above);
		archive_entry_set_filetype(folder, AE_IFDIR);
		archive_entry_set_perm(folder, 0755);
		uint64_t none;
		rc = pack_entry(p, folder, &none, e);
		archive_entry_free(folder);
	}
	return rc;
}

static int write_entry(struct pack *p, struct archive_entry *in, struct archive_entry *out,
		       const char *path, uint64_t *size, struct err *e)
{
	enum member_kind k;
	int rc = kind(p, in, out, path, &k, size, e);

	if (rc == 0)
		rc = owner(p, in, out, path, e);
	if (rc == 0)
		rc = attributes(in, out, path, e);
	if (rc == 0)
		rc = members_add(p->members, path, k, e);
	if (rc < 0)
		return rc;
	archive_entry_set_pathname(out, path);
	archive_entry_set_perm(out, archive_entry_perm(in) & 07777);
	archive_entry_set_mtime(out, 0, 0);
	return archive_write_header(p->out, out) == ARCHIVE_OK ? 0 : out_failed(p, e);
}

int pack_entry(struct pack *p, struct archive_entry *entry, uint64_t *size, struct err *e)
{
	const char *name = archive_entry_pathname(entry);
	char path[MEMBER_PATH_MAX + 1];

	*size = 0;
	if (name == NULL)
		return err_set(e, EX_MALFORMED, "root: a member's name is no text");
	int rc = member_path(name, path, e);
	if (rc < 0 || path[0] == '\0') /* the root itself: it is root's, 0755 */
		return rc;
	rc = add_missing(p, path, e);
	if (rc < 0)
		return rc;
	struct archive_entry *out = archive_entry_new();
	if (out == NULL)
		return err_set(e, EX_HOST, "out of memory");
	rc = write_entry(p, entry, out, path, size, e);
	archive_entry_free(out);
	return rc;
}

int pack_data(struct pack *p, const void *data, size_t size, struct err *e)
{
	return archive_write_data(p->out, data, size) == (la_ssize_t)size ? 0 : out_failed(p, e);
}
