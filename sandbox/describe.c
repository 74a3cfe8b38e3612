#include "sandbox/describe.h"

#include "common/isolation.h"
#include "sandbox/vm.h"

#include <jansson.h>
#include <time.h>
#include <unistd.h>

_Static_assert((unsigned)VM_MISSING_LABELS == (unsigned)ISOLATION_NO_LABELS &&
		       (unsigned)VM_MISSING_LIMITS == (unsigned)ISOLATION_NO_LIMITS &&
		       (unsigned)VM_MISSING_RECORDS == (unsigned)ISOLATION_NO_RECORDS,
	       "one bit, one defence");

static json_t *missing_of(unsigned missing)
{
	json_t *list = json_array();

	for (unsigned bit = 0; bit < ISOLATION_DEFENCES; bit++)
		if ((missing >> bit & 1) != 0)
			json_array_append_new(list, json_string(isolation_defence(bit)));
	return list;
}

/* Paths hold any bytes; what is shown does not. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static json_t *disk_of(const struct disk *d)
{
	char path[RECORDS_PATH_MAX];

	records_file_name(d->fd, path);
	make_printable(path);
	return json_pack("{s:s, s:b, s:I}", "path", path, "readonly", d->readonly, "size",
			 (json_int_t)d->size);
}

/* NULL, so that the key is left out: there is no cgroup. */
static json_t *cgroup_of(const struct limits *l)
{
	return l->memory == 0 ? NULL : json_pack("{s:I, s:I}", "memory", (json_int_t)l->memory,
						 "tasks", (json_int_t)l->tasks);
}

static json_t *process_of(const struct child *c)
{
	return json_pack("{s:s, s:i, s:I, s:s, s:{s:I, s:I, s:I}, s:o*}", "name", c->name, "pid",
			 c->pid > 0 ? (int)c->pid : 0, "uid", (json_int_t)c->id, "label", c->label,
			 "limits", "file_size", (json_int_t)c->file_limit, "descriptors",
			 (json_int_t)c->fd_limit, "threads", (json_int_t)c->thread_limit, "cgroup",
			 cgroup_of(&c->cgroup));
}

/* Seconds since the guest's first instruction. */
static json_int_t uptime_of(const struct vm *vm)
{
	int64_t began = vm->timings.at[TIMING_SEALED];
	struct timespec t;

	if (vm->phase != VM_RUNNING || began == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (json_int_t)t.tv_sec - began / 1000000;
}

static const char *tee_of(const struct vm *vm)
{
	return vm->opt->tee == PLAN_TEE_SNP ? "snp" : vm->opt->tee == PLAN_TEE_TDX ? "tdx" : "none";
}

size_t describe_vm(const void *described, char *out, size_t size)
{
	const struct vm *vm = described;
	json_t *processes = json_array(), *disks = json_array();
	char pair[MCS_TEXT];

	mcs_text(&vm->run.pair, pair);
	for (unsigned i = 0; i < vm->child_count; i++)
		json_array_append_new(processes, process_of(&vm->child[i]));
	for (unsigned i = 0; i < vm->opt->disk_count; i++)
		json_array_append_new(disks, disk_of(&vm->disk[i]));
	json_t *all = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:b, s:b, s:i, s:I,"
				" s:I, s:i, s:o, s:o, s:o*}",
				"format", "pavise-status", "version", 0, "name", vm->opt->name,
				"uuid", vm->records.subject.uuid, "phase",
				vm->phase == VM_RUNNING ? "running" : "starting", "isolation",
				vm->opt->required ? "required" : "degraded", "missing",
				missing_of(vm->missing), "pair", pair, "tee", tee_of(vm),
				"simulated", vm->opt->simulated, "vtpm", vm->opt->vtpm, "cpus",
				(int)vm->opt->cpus, "memory", (json_int_t)vm->opt->memory, "uptime",
				uptime_of(vm), "launcher", (int)getpid(), "processes", processes,
				"disks", disks, "cgroup", cgroup_of(&vm->cgroup.limits));
	if (all == NULL)
		return 0;
	size_t length = json_dumpb(all, out, size, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(all);
	return length <= size ? length : 0;
}
