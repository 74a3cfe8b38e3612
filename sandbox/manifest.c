#include "sandbox/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const manifest_namespace[MANIFEST_NAMESPACES] = { "user", "pid", "mnt", "net",
							      "ipc", "uts", "cgroup" };

const char *const manifest_rlimit[MANIFEST_RLIMITS] = {
	[MANIFEST_FSIZE] = "fsize",     [MANIFEST_NOFILE] = "nofile",
	[MANIFEST_NPROC] = "nproc",     [MANIFEST_CORE] = "core",
	[MANIFEST_MEMLOCK] = "memlock", [MANIFEST_MSGQUEUE] = "msgqueue",
};

const char *const manifest_missing[MANIFEST_MISSING] = { "labels", "limits", "records" };

void manifest_makes(struct manifest_process *p, const char *kind, unsigned most, const char *file)
{
	if (p->made_count == MANIFEST_MADE || most == 0)
		return;
	struct manifest_made *m = &p->made[p->made_count++];
	*m = (struct manifest_made){ .most = most };
	snprintf(m->kind, sizeof(m->kind), "%s", kind);
	snprintf(m->file, sizeof(m->file), "%s", file);
}

void manifest_limits(struct manifest_cgroup *c, const char *file, const char *value)
{
	if (c->limit_count == MANIFEST_LIMITS)
		return;
	struct manifest_limit *l = &c->limit[c->limit_count++];
	snprintf(l->file, sizeof(l->file), "%s", file);
	snprintf(l->value, sizeof(l->value), "%s", value);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Only when there is one. What lacks a key for want of memory, manifest_parse refuses. */
static void put_text(json_t *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_set_new(o, key, json_string(value));
}

static void put_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *cgroup_json(const struct manifest_cgroup *c)
{
	json_t *o = json_object(), *limits = json_object();

	put_text(o, "path", c->path);
	for (unsigned i = 0; i < c->limit_count; i++)
		put_text(limits, c->limit[i].file, c->limit[i].value);
	json_object_set_new(o, "limits", limits);
	return o;
}

static json_t *fds_json(const struct manifest_process *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->fd_count; i++) {
		json_t *o = json_object();
		put_number(o, "number", p->fd[i].number);
		put_text(o, "kind", p->fd[i].is.kind);
		put_text(o, "access", p->fd[i].is.access);
		put_text(o, "file", p->fd[i].is.file);
		put_text(o, "label", p->fd[i].is.label);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *made_json(const struct manifest_process *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->made_count; i++) {
		json_t *o = json_object();
		put_text(o, "kind", p->made[i].kind);
		put_number(o, "most", p->made[i].most);
		put_text(o, "file", p->made[i].file);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *process_json(const struct manifest_process *p)
{
	json_t *o = json_object(), *limits = json_object();

	put_text(o, "role", p->role);
	put_number(o, "pid", (uint64_t)p->pid);
	put_number(o, "start", p->start);
	put_number(o, "uid", p->uid);
	put_number(o, "gid", p->gid);
	put_text(o, "label", p->label);
	put_text(o, "program", p->program);
	json_object_set_new(o, "foreign", json_boolean(p->foreign));
	put_number(o, "filters", p->filters);
	for (int i = 0; i < MANIFEST_RLIMITS; i++)
		put_number(limits, manifest_rlimit[i], p->rlimit[i]);
	json_object_set_new(o, "rlimits", limits);
	json_object_set_new(o, "descriptors", fds_json(p));
	json_object_set_new(o, "makes", made_json(p));
	if (p->cgroup.path[0] != '\0')
		json_object_set_new(o, "cgroup", cgroup_json(&p->cgroup));
	return o;
}

static json_t *manifest_json(const struct manifest *m)
{
	json_t *o = json_object(), *missing = json_array(), *spaces = json_object();
	json_t *list = json_array(), *launcher = json_object();

	put_text(o, "format", "pavise-manifest");
	put_number(o, "version", 0);
	put_text(o, "name", m->name);
	put_text(o, "isolation", m->required ? "required" : "degraded");
	for (unsigned i = 0; i < MANIFEST_MISSING; i++)
		if ((m->missing & 1u << i) != 0)
			json_array_append_new(missing, json_string(manifest_missing[i]));
	json_object_set_new(o, "missing", missing);
	put_text(o, "pair", m->pair);
	put_number(launcher, "pid", (uint64_t)m->launcher);
	put_number(launcher, "start", m->launcher_start);
	json_object_set_new(o, "launcher", launcher);
	for (int i = 0; i < MANIFEST_NAMESPACES; i++)
		put_number(spaces, manifest_namespace[i], m->host_namespace[i]);
	json_object_set_new(o, "host_namespaces", spaces);
	if (m->cgroup.path[0] != '\0')
		json_object_set_new(o, "cgroup", cgroup_json(&m->cgroup));
	for (unsigned i = 0; i < m->count; i++)
		json_array_append_new(list, process_json(&m->process[i]));
	json_object_set_new(o, "processes", list);
	return o;
}

static int write_new(int dir, const char *text, struct err *e)
{
	size_t size = strlen(text);
	int fd = openat(dir, MANIFEST_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int rc = 0;

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, MANIFEST_FILE ": cannot make it");
	if (write(fd, text, size) != (ssize_t)size)
		rc = err_errno(e, EX_HOST, errno, MANIFEST_FILE ": cannot write it");
	close(fd);
	return rc;
}

int manifest_write(const struct manifest *m, int dir, struct err *e)
{
	json_t *o = manifest_json(m);
	char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(1));
	int rc;

	json_decref(o);
	if (text == NULL)
		return err_set(e, EX_HOST, MANIFEST_FILE ": out of memory");
	rc = strlen(text) > MANIFEST_SIZE_MAX ?
		     err_set(e, EX_INTERNAL, MANIFEST_FILE ": %zu bytes", strlen(text)) :
		     write_new(dir, text, e);
	free(text);
	return rc;
}
