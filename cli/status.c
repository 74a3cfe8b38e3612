#include "cli/status.h"

#include "common/isolation.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 33
#define LABEL_SIZE 256
#define PATH_SIZE 2048
#define NUMBER_MAX ((uint64_t)INT64_MAX) /* what JSON's readers agree on, and then some */

static int get_text(const char *path, const json_t *o, const char *key, size_t size,
		    const char **out, struct err *e)
{
	int r = json_get_string(path, o, key, 1, out, e);

	if (r < 0)
		return r;
	size_t n = strnlen(*out, size);
	for (size_t i = 0; i < n && n < size; i++)
		if ((*out)[i] < ' ' || (*out)[i] > '~')
			n = size;
	if (n < size)
		return 0;
	return err_set(e, EX_MALFORMED, "%s: \"%s\" is not printable, or too long", path, key);
}

static int get_number(const char *path, const json_t *o, const char *key, uint64_t max,
		      uint64_t *out, struct err *e)
{
	int r = json_get_u64(path, o, key, 1, out, e);

	if (r == 0 && *out > max)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is above %llu", path, key,
			       (unsigned long long)max);
	return r;
}

/* One of the words, of which there are n; which one in *out. */
static int get_word(const json_t *o, const char *key, const char *const *words, unsigned n,
		    unsigned *out, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string("status", o, key, 1, &text, e);

	for (*out = 0; r == 0 && *out < n; (*out)++)
		if (strcmp(text, words[*out]) == 0)
			return 0;
	return r < 0 ? r : err_set(e, EX_MALFORMED, "status: \"%s\" has an unknown value", key);
}

static int get_missing(const json_t *o, unsigned *out, struct err *e)
{
	const json_t *list = NULL;
	int r = json_get_array("status", o, "missing", 1, &list, e);

	*out = 0;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		unsigned bit = 0;
		while (bit < ISOLATION_DEFENCES &&
		       (text == NULL || strcmp(text, isolation_defence(bit)) != 0))
			bit++;
		if (bit == ISOLATION_DEFENCES || (*out >> bit & 1) != 0)
			return err_set(e, EX_MALFORMED, "status: \"missing\" names what is no "
				       "defence, or one twice");
		*out |= 1u << bit;
	}
	return r;
}

static int read_limits(const json_t *o, struct status_process *p, struct err *e)
{
	static const char *const keys[] = { "file_size", "descriptors", "threads", NULL };
	static const char path[] = "status.processes.limits";
	const json_t *limits = NULL;
	int r = json_get_object("status.processes", o, "limits", 1, &limits, e);

	if (r == 0)
		r = json_only_keys(path, limits, keys, e);
	if (r == 0)
		r = get_number(path, limits, "file_size", NUMBER_MAX, &p->file_size, e);
	if (r == 0)
		r = get_number(path, limits, "descriptors", NUMBER_MAX, &p->descriptors, e);
	return r < 0 ? r : get_number(path, limits, "threads", NUMBER_MAX, &p->threads, e);
}

static int read_cgroup(const char *path, const json_t *o, struct status_cgroup *c, struct err *e)
{
	static const char *const keys[] = { "memory", "tasks", NULL };
	const json_t *cgroup = NULL;
	int r = json_get_object(path, o, "cgroup", 0, &cgroup, e);

	if (r < 0 || cgroup == NULL)
		return r;
	c->given = true;
	r = json_only_keys("status.cgroup", cgroup, keys, e);
	if (r == 0)
		r = get_number("status.cgroup", cgroup, "memory", NUMBER_MAX, &c->memory, e);
	return r < 0 ? r : get_number("status.cgroup", cgroup, "tasks", NUMBER_MAX, &c->tasks, e);
}

static int read_process(const json_t *o, struct status_process *p, struct err *e)
{
	static const char *const keys[] = { "name", "pid", "uid", "label", "limits", "cgroup",
					    NULL };
	static const char path[] = "status.processes";

	if (!json_is_object(o))
		return err_set(e, EX_MALFORMED, "%s: an entry is no object", path);
	int r = json_only_keys(path, o, keys, e);
	if (r == 0)
		r = get_text(path, o, "name", NAME_SIZE, &p->name, e);
	if (r == 0)
		r = get_number(path, o, "pid", INT32_MAX, &p->pid, e);
	if (r == 0)
		r = get_number(path, o, "uid", UINT32_MAX, &p->uid, e);
	if (r == 0)
		r = get_text(path, o, "label", LABEL_SIZE, &p->label, e);
	if (r == 0)
		r = read_limits(o, p, e);
	return r < 0 ? r : read_cgroup(path, o, &p->cgroup, e);
}

static int read_disk(const json_t *o, struct status_disk *d, struct err *e)
{
	static const char *const keys[] = { "path", "readonly", "size", NULL };
	static const char path[] = "status.disks";

	if (!json_is_object(o))
		return err_set(e, EX_MALFORMED, "%s: an entry is no object", path);
	int r = json_only_keys(path, o, keys, e);
	if (r == 0)
		r = get_text(path, o, "path", PATH_SIZE, &d->path, e);
	if (r == 0)
		r = json_get_bool(path, o, "readonly", 1, &d->readonly, e);
	return r < 0 ? r : get_number(path, o, "size", NUMBER_MAX, &d->size, e);
}

static int read_lists(const json_t *o, struct status *s, struct err *e)
{
	const json_t *processes = NULL, *disks = NULL;
	int r = json_get_array("status", o, "processes", 1, &processes, e);

	if (r == 0)
		r = json_get_array("status", o, "disks", 1, &disks, e);
	if (r < 0)
		return r;
	if (json_array_size(processes) > STATUS_PROCESS_MAX ||
	    json_array_size(disks) > STATUS_DISK_MAX)
		return err_set(e, EX_MALFORMED, "status: more processes or disks than a VM has");
	for (; r == 0 && s->process_count < json_array_size(processes); s->process_count++)
		r = read_process(json_array_get(processes, s->process_count),
				 &s->process[s->process_count], e);
	for (; r == 0 && s->disk_count < json_array_size(disks); s->disk_count++)
		r = read_disk(json_array_get(disks, s->disk_count), &s->disk[s->disk_count], e);
	return r;
}

static int read_words(const json_t *o, struct status *s, struct err *e)
{
	static const char *const phases[] = { "starting", "running" };
	static const char *const isolations[] = { "degraded", "required" };
	static const char *const tees[] = { "none", "snp", "tdx" };
	unsigned phase = 0, isolation = 0, tee = 0;
	int r = get_word(o, "phase", phases, 2, &phase, e);

	if (r == 0)
		r = get_word(o, "isolation", isolations, 2, &isolation, e);
	if (r == 0)
		r = get_word(o, "tee", tees, 3, &tee, e);
	if (r == 0)
		r = get_missing(o, &s->missing, e);
	if (r == 0)
		r = json_get_bool("status", o, "simulated", 1, &s->simulated, e);
	if (r == 0)
		r = json_get_bool("status", o, "vtpm", 1, &s->vtpm, e);
	s->running = phase == 1;
	s->required = isolation == 1;
	s->tee = tees[tee < 3 ? tee : 0];
	if (r == 0 && s->required && s->missing != 0)
		return err_set(e, EX_MALFORMED, "status: required isolation that lacks a defence");
	return r;
}

static int read_all(const json_t *o, const char *name, struct status *s, struct err *e)
{
	static const char *const keys[] = { "format", "version", "name", "uuid", "phase",
					    "isolation", "missing", "pair", "tee", "simulated",
					    "vtpm", "cpus", "memory", "uptime", "launcher",
					    "processes", "disks", "cgroup", NULL };
	const char *format = "";
	uint64_t version = 0;
	int r = json_get_string("status", o, "format", 1, &format, e);

	if (r == 0)
		r = json_get_u64("status", o, "version", 1, &version, e);
	if (r == 0 && (strcmp(format, "pavise-status") != 0 || version != 0))
		return err_set(e, EX_MALFORMED, "status: not pavise-status 0: versions differ");
	if (r == 0)
		r = json_only_keys("status", o, keys, e);
	if (r == 0)
		r = get_text("status", o, "name", NAME_SIZE, &s->name, e);
	if (r == 0 && strcmp(s->name, name) != 0)
		return err_set(e, EX_MALFORMED, "status: of another VM");
	if (r == 0)
		r = get_text("status", o, "uuid", 37, &s->uuid, e);
	if (r == 0)
		r = get_text("status", o, "pair", 16, &s->pair, e);
	if (r == 0)
		r = get_number("status", o, "cpus", UINT32_MAX, &s->cpus, e);
	if (r == 0)
		r = get_number("status", o, "memory", NUMBER_MAX, &s->memory, e);
	if (r == 0)
		r = get_number("status", o, "uptime", NUMBER_MAX, &s->uptime, e);
	if (r == 0)
		r = get_number("status", o, "launcher", INT32_MAX, &s->launcher, e);
	if (r == 0)
		r = read_cgroup("status", o, &s->cgroup, e);
	if (r == 0)
		r = read_words(o, s, e);
	return r < 0 ? r : read_lists(o, s, e);
}

int status_parse(const char *text, size_t size, const char *name, struct status *out,
		 struct err *e)
{
	*out = (struct status){ .json = NULL };
	int r = json_parse("status", text, size, &out->json, e);

	return r < 0 ? r : read_all(out->json, name, out, e);
}

void status_free(struct status *s)
{
	json_decref(s->json);
	s->json = NULL;
}

void status_isolation(const struct status *s, char out[STATUS_ISOLATION])
{
	char missing[ISOLATION_TEXT];

	isolation_missing_text(s->missing, missing);
	if (s->required || s->missing == 0)
		snprintf(out, STATUS_ISOLATION, "%s", s->required ? "required" : "degraded");
	else
		snprintf(out, STATUS_ISOLATION, "degraded: no %s", missing);
}

void status_tee(const struct status *s, char out[STATUS_TEE])
{
	snprintf(out, STATUS_TEE, "%s%s", s->tee, s->simulated ? " (simulated)" : "");
}
