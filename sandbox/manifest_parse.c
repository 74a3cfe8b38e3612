/* A manifest read back. It was written by root and lies in root's folder; it is parsed as if it
 * were not, since the audit says nothing of a VM whose manifest it cannot trust to be whole. */
#include "sandbox/manifest.h"

#include "common/json.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define OBJECT MANIFEST_FILE

static int get_text(const json_t *o, const char *key, int required, char *out, size_t size,
		    struct err *e)
{
	const char *text = "";
	int rc = json_get_string(OBJECT, o, key, required, &text, e);

	if (rc != 0)
		return rc;
	if (strlen(text) >= size || (required && text[0] == '\0'))
		return err_set(e, EX_MALFORMED, OBJECT ": \"%s\" is not 1 to %zu characters", key,
			       size - 1);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return err_set(e, EX_MALFORMED, OBJECT ": \"%s\" is not printable", key);
	snprintf(out, size, "%s", text);
	return 0;
}

static int get_number(const json_t *o, const char *key, uint64_t most, uint64_t *out, struct err *e)
{
	int rc = json_get_u64(OBJECT, o, key, 1, out, e);

	if (rc == 0 && *out > most)
		rc = err_set(e, EX_MALFORMED, OBJECT ": \"%s\" is above %llu", key,
			     (unsigned long long)most);
	return rc;
}

static int get_u32(const json_t *o, const char *key, uint32_t *out, struct err *e)
{
	uint64_t v = 0;
	int rc = get_number(o, key, UINT32_MAX, &v, e);

	*out = (uint32_t)v;
	return rc;
}

static int get_pid(const json_t *o, pid_t *pid, uint64_t *start, struct err *e)
{
	uint64_t v = 0;
	int rc = get_number(o, "pid", INT_MAX, &v, e);

	*pid = (pid_t)v;
	if (rc == 0 && v == 0)
		rc = err_set(e, EX_MALFORMED, OBJECT ": process 0");
	return rc == 0 ? json_get_u64(OBJECT, o, "start", 1, start, e) : rc;
}

static int get_list(const json_t *o, const char *key, size_t most, const json_t **out,
		    struct err *e)
{
	int rc = json_get_array(OBJECT, o, key, 1, out, e);

	if (rc == 0 && json_array_size(*out) > most)
		rc = err_set(e, EX_MALFORMED, OBJECT ": more than %zu in \"%s\"", most, key);
	return rc;
}

/* An object of an array. */
static int get_member(const json_t *list, size_t i, const char *const *keys, const json_t **out,
		      struct err *e)
{
	*out = json_array_get(list, i);
	if (!json_is_object(*out))
		return err_set(e, EX_MALFORMED, OBJECT ": no object where one belongs");
	return json_only_keys(OBJECT, *out, keys, e);
}

/* Files of a cgroup are opened by these names: no path may hide in one. */
static bool limit_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz._") == strlen(name);
}

static int get_limits(const json_t *limits, struct manifest_cgroup *c, struct err *e)
{
	if (json_object_size(limits) > MANIFEST_LIMITS)
		return err_set(e, EX_MALFORMED, OBJECT ": more than %d limits", MANIFEST_LIMITS);
	for (void *it = json_object_iter((json_t *)limits); it != NULL;
	     it = json_object_iter_next((json_t *)limits, it)) {
		const char *name = json_object_iter_key(it), *value = NULL;
		int rc = json_get_string(OBJECT, limits, name, 1, &value, e);
		if (rc != 0)
			return rc;
		if (!limit_name(name) || strlen(name) >= sizeof(c->limit[0].file) ||
		    strlen(value) >= sizeof(c->limit[0].value))
			return err_set(e, EX_MALFORMED, OBJECT ": limit \"%.32s\"", name);
		manifest_limits(c, name, value);
	}
	return 0;
}

static int get_cgroup(const json_t *o, struct manifest_cgroup *c, struct err *e)
{
	static const char *const keys[] = { "path", "limits", NULL };
	const json_t *group = NULL, *limits = NULL;
	int rc = json_get_object(OBJECT, o, "cgroup", 0, &group, e);

	if (rc != 0 || group == NULL)
		return rc;
	if ((rc = json_only_keys(OBJECT, group, keys, e)) != 0 ||
	    (rc = get_text(group, "path", 1, c->path, sizeof(c->path), e)) != 0 ||
	    (rc = json_get_object(OBJECT, group, "limits", 1, &limits, e)) != 0)
		return rc;
	if (c->path[0] != '/' || strstr(c->path, "..") != NULL)
		return err_set(e, EX_MALFORMED, OBJECT ": cgroup %.64s", c->path);
	return get_limits(limits, c, e);
}

static int get_fds(const json_t *o, struct manifest_process *p, struct err *e)
{
	static const char *const keys[] = { "number", "kind", "access", "file", "label", NULL };
	const json_t *list = NULL, *one = NULL;
	int rc = get_list(o, "descriptors", sizeof(p->fd) / sizeof(p->fd[0]), &list, e);

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		struct manifest_fd *f = &p->fd[p->fd_count++];
		if ((rc = get_member(list, i, keys, &one, e)) != 0 ||
		    (rc = get_u32(one, "number", &f->number, e)) != 0 ||
		    (rc = get_text(one, "kind", 1, f->is.kind, FD_KIND_MAX, e)) != 0 ||
		    (rc = get_text(one, "access", 1, f->is.access, 4, e)) != 0 ||
		    (rc = get_text(one, "file", 1, f->is.file, FILE_ID_MAX, e)) != 0 ||
		    (rc = get_text(one, "label", 0, f->is.label, LABEL_MAX, e)) != 0)
			return rc;
		for (unsigned k = 0; k + 1 < p->fd_count; k++)
			if (p->fd[k].number == f->number)
				return err_set(e, EX_MALFORMED, OBJECT ": descriptor %u twice",
					       f->number);
	}
	return rc;
}

static int get_made(const json_t *o, struct manifest_process *p, struct err *e)
{
	static const char *const keys[] = { "kind", "most", "file", NULL };
	const json_t *list = NULL, *one = NULL;
	int rc = get_list(o, "makes", MANIFEST_MADE, &list, e);

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		struct manifest_made *m = &p->made[p->made_count++];
		if ((rc = get_member(list, i, keys, &one, e)) != 0 ||
		    (rc = get_text(one, "kind", 1, m->kind, FD_KIND_MAX, e)) != 0 ||
		    (rc = get_u32(one, "most", &m->most, e)) != 0 ||
		    (rc = get_text(one, "file", 0, m->file, FILE_ID_MAX, e)) != 0)
			return rc;
	}
	return rc;
}

static int get_rlimits(const json_t *o, struct manifest_process *p, struct err *e)
{
	const json_t *limits = NULL;
	int rc = json_get_object(OBJECT, o, "rlimits", 1, &limits, e);

	if (rc == 0 && json_object_size(limits) != MANIFEST_RLIMITS)
		rc = err_set(e, EX_MALFORMED, OBJECT ": \"rlimits\" is not %d limits",
			     MANIFEST_RLIMITS);
	for (int i = 0; rc == 0 && i < MANIFEST_RLIMITS; i++)
		rc = json_get_u64(OBJECT, limits, manifest_rlimit[i], 1, &p->rlimit[i], e);
	return rc;
}

static int get_process(const json_t *o, struct manifest_process *p, struct err *e)
{
	int rc, foreign = 0;

	if ((rc = get_text(o, "role", 1, p->role, sizeof(p->role), e)) != 0 ||
	    (rc = get_pid(o, &p->pid, &p->start, e)) != 0 ||
	    (rc = get_u32(o, "uid", &p->uid, e)) != 0 ||
	    (rc = get_u32(o, "gid", &p->gid, e)) != 0 ||
	    (rc = get_text(o, "label", 0, p->label, sizeof(p->label), e)) != 0 ||
	    (rc = get_text(o, "program", 1, p->program, sizeof(p->program), e)) != 0 ||
	    (rc = json_get_bool(OBJECT, o, "foreign", 1, &foreign, e)) != 0 ||
	    (rc = get_u32(o, "filters", &p->filters, e)) != 0 ||
	    (rc = get_rlimits(o, p, e)) != 0 || (rc = get_fds(o, p, e)) != 0 ||
	    (rc = get_made(o, p, e)) != 0 || (rc = get_cgroup(o, &p->cgroup, e)) != 0)
		return rc;
	p->foreign = foreign != 0;
	return 0;
}

static int get_processes(const json_t *o, struct manifest *m, struct err *e)
{
	static const char *const keys[] = { "role", "pid", "start", "uid", "gid", "label",
					    "program", "foreign", "filters", "rlimits",
					    "descriptors", "makes", "cgroup", NULL };
	const json_t *list = NULL, *one = NULL;
	int rc = get_list(o, "processes", MANIFEST_PROCESSES, &list, e);

	if (rc == 0 && json_array_size(list) == 0)
		return err_set(e, EX_MALFORMED, OBJECT ": no process");
	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		struct manifest_process *p = &m->process[m->count++];
		rc = get_member(list, i, keys, &one, e);
		if (rc == 0)
			rc = get_process(one, p, e);
		for (unsigned k = 0; rc == 0 && k + 1 < m->count; k++)
			if (m->process[k].pid == p->pid)
				rc = err_set(e, EX_MALFORMED, OBJECT ": process %d twice", p->pid);
	}
	return rc;
}

static int get_missing(const json_t *o, unsigned *out, struct err *e)
{
	const json_t *list = NULL;
	int rc = get_list(o, "missing", MANIFEST_MISSING, &list, e);

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		unsigned bit = 0;
		while (bit < MANIFEST_MISSING &&
		       (name == NULL || strcmp(name, manifest_missing[bit]) != 0))
			bit++;
		if (bit == MANIFEST_MISSING)
			return err_set(e, EX_MALFORMED, OBJECT ": unknown word in \"missing\"");
		*out |= 1u << bit;
	}
	return rc;
}

static int get_head(const json_t *o, struct manifest *m, struct err *e)
{
	char format[32], isolation[16];
	uint64_t version;
	struct mcs_pair pair;
	int rc;

	if ((rc = get_text(o, "format", 1, format, sizeof(format), e)) != 0 ||
	    (rc = get_number(o, "version", UINT32_MAX, &version, e)) != 0 ||
	    (rc = get_text(o, "name", 1, m->name, sizeof(m->name), e)) != 0 ||
	    (rc = get_text(o, "isolation", 1, isolation, sizeof(isolation), e)) != 0 ||
	    (rc = get_missing(o, &m->missing, e)) != 0 ||
	    (rc = get_text(o, "pair", 1, m->pair, sizeof(m->pair), e)) != 0)
		return rc;
	m->required = strcmp(isolation, "required") == 0;
	if (strcmp(format, "pavise-manifest") != 0 || version != 0)
		return err_set(e, EX_MALFORMED, OBJECT ": %s version %llu: made by another pavise",
			       format, (unsigned long long)version);
	if (!m->required && strcmp(isolation, "degraded") != 0)
		return err_set(e, EX_MALFORMED, OBJECT ": isolation %s", isolation);
	return mcs_parse(m->pair, &pair) ? name_check(m->name, e) :
					   err_set(e, EX_MALFORMED, OBJECT ": pair %s", m->pair);
}

static int get_all(const json_t *o, struct manifest *m, struct err *e)
{
	static const char *const keys[] = { "format", "version", "name", "isolation", "missing",
					    "pair", "launcher", "host_namespaces", "cgroup",
					    "processes", NULL };
	const json_t *launcher = NULL, *spaces = NULL;
	int rc = json_only_keys(OBJECT, o, keys, e);

	if (rc == 0)
		rc = get_head(o, m, e);
	if (rc == 0)
		rc = json_get_object(OBJECT, o, "launcher", 1, &launcher, e);
	if (rc == 0)
		rc = get_pid(launcher, &m->launcher, &m->launcher_start, e);
	if (rc == 0)
		rc = json_get_object(OBJECT, o, "host_namespaces", 1, &spaces, e);
	for (int i = 0; rc == 0 && i < MANIFEST_NAMESPACES; i++)
		rc = json_get_u64(OBJECT, spaces, manifest_namespace[i], 1, &m->host_namespace[i],
				  e);
	if (rc == 0)
		rc = get_cgroup(o, &m->cgroup, e);
	return rc == 0 ? get_processes(o, m, e) : rc;
}

int manifest_parse(const char *text, size_t size, struct manifest *out, struct err *e)
{
	json_t *o = NULL;
	int rc;

	*out = (struct manifest){ 0 };
	if (size > MANIFEST_SIZE_MAX)
		return err_set(e, EX_MALFORMED, OBJECT ": %zu bytes", size);
	rc = json_parse(OBJECT, text, size, &o, e);
	if (rc == 0)
		rc = get_all(o, out, e);
	json_decref(o);
	/* name_check says a wrong option. */
	if (rc == -EX_USAGE_ERROR) {
		e->status = EX_MALFORMED;
		rc = -EX_MALFORMED;
	}
	return rc;
}
