/* Members of a root file system as they come from outside: the rules for their names, and which
 * have been seen. */
#ifndef PAVISE_IMAGE_MEMBERS_H
#define PAVISE_IMAGE_MEMBERS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define MEMBER_PATH_MAX 4095u /* bytes */
#define MEMBER_NAME_MAX 255u  /* of one component */
#define MEMBERS_MAX 2000000u

enum member_kind { MEMBER_NONE, MEMBER_FILE, MEMBER_FOLDER, MEMBER_LINK };

struct members; /* a set of paths with their kinds */

struct members *members_new(void); /* NULL: no memory */
void members_free(struct members *m);

/* "./a//b/" becomes "a/b", "." becomes "". -EX_MALFORMED, naming the member: absolute, with a "..",
 * or longer than a file system holds. out: MEMBER_PATH_MAX + 1 bytes. */
int member_path(const char *name, char *out, struct err *e);

/* Adds a path as member_path gives it, and says by the error what speaks against it: it is there
 * already, or something that is no folder stands where a folder of its path should. Folders of its
 * path that are not there yet are for the caller to add first (members_missing). */
int members_add(struct members *m, const char *path, enum member_kind kind, struct err *e);

/* The first folder on the way to path that is not there: its length in bytes, 0 when all are. */
size_t members_missing(const struct members *m, const char *path);

enum member_kind members_kind(const struct members *m, const char *path);

/* May the guest find an absolute path? False only when it surely cannot: links are not followed. */
bool members_may_have(const struct members *m, const char *absolute);

#endif
