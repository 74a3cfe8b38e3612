#include "image/members.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct member {
	struct member *next; /* all of them, to be freed */
	enum member_kind kind;
	char path[];
};

struct members {
	void *tree; /* of tsearch(3) */
	struct member *first;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

struct members *members_new(void)
{
	return calloc(1, sizeof(struct members));
}

static void keep(void *member)
{
	(void)member;
}

void members_free(struct members *m)
{
	if (m == NULL)
		return;
	tdestroy(m->tree, keep);
	for (struct member *at = m->first, *next; at != NULL; at = next) {
		next = at->next;
		free(at);
	}
	free(m);
}

static int bad_name(const char *name, const char *why, struct err *e)
{
	return err_set(e, EX_MALFORMED, "member %.200s: %s", name, why);
}

int member_path(const char *name, char *out, struct err *e)
{
	const char *at = name;
	size_t used = 0;

	if (name[0] == '/')
		return bad_name(name, "an absolute path: pack the root from inside its folder", e);
	if (strlen(name) > MEMBER_PATH_MAX)
		return bad_name(name, "its path is too long", e);
	while (*at != '\0') {
		size_t n = strcspn(at, "/");
		if (n == 2 && memcmp(at, "..", 2) == 0)
			return bad_name(name, "\"..\" in its path", e);
		if (n > MEMBER_NAME_MAX)
			return bad_name(name, "a name of its path is too long", e);
		if (n != 0 && !(n == 1 && at[0] == '.')) {
			if (used != 0)
				out[used++] = '/';
			memcpy(out + used, at, n);
			used += n;
		}
		at += n + (at[n] == '/');
	}
	out[used] = '\0';
	return 0;
}

/* A key that tfind can compare; the caller frees. NULL: no memory. */
static struct member *make(const char *path, size_t n, enum member_kind kind)
{
	struct member *k = calloc(1, sizeof(*k) + n + 1);

	if (k != NULL) {
		k->kind = kind;
		memcpy(k->path, path, n);
	}
	return k;
}

static enum member_kind kind_of(const struct members *m, const char *path, size_t n)
{
	struct member *key = make(path, n, MEMBER_NONE);
	void *const *found = key != NULL ? tfind(key, &m->tree, compare) : NULL;
	enum member_kind kind = found != NULL ? ((const struct member *)*found)->kind : MEMBER_NONE;

	free(key);
	return kind;
}

enum member_kind members_kind(const struct members *m, const char *path)
{
	return kind_of(m, path, strlen(path));
}

size_t members_missing(const struct members *m, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (kind_of(m, path, (size_t)(slash - path)) == MEMBER_NONE)
			return (size_t)(slash - path);
	return 0;
}

int members_add(struct members *m, const char *path, enum member_kind kind, struct err *e)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (kind_of(m, path, (size_t)(slash - path)) != MEMBER_FOLDER)
			return bad_name(path, "what stands above it is no folder", e);
	if (members_kind(m, path) != MEMBER_NONE)
		return bad_name(path, "there are two of this name, or its folder comes after "
				      "what is in it", e);
	if (m->count == MEMBERS_MAX)
		return err_set(e, EX_MALFORMED, "root: more than %u members", MEMBERS_MAX);
	struct member *new = make(path, strlen(path), kind);
	if (new == NULL)
		return err_set(e, EX_HOST, "out of memory");
	new->next = m->first;
	m->first = new;
	m->count++;
	return tsearch(new, &m->tree, compare) != NULL ? 0
						       : err_set(e, EX_HOST, "out of memory");
}

bool members_may_have(const struct members *m, const char *absolute)
{
	const char *path = absolute + 1;

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (kind_of(m, path, (size_t)(slash - path)) == MEMBER_LINK)
			return true;
	enum member_kind kind = members_kind(m, path);
	return kind == MEMBER_FILE || kind == MEMBER_LINK;
}
