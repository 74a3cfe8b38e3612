/* What a launcher says of its VM (docs/PROTOCOL.control, DESCRIBE), read strictly: every key known,
 * every number and list bounded, every text printable. */
#ifndef PAVISE_CLI_STATUS_H
#define PAVISE_CLI_STATUS_H

#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_PROCESS_MAX 32
#define STATUS_DISK_MAX 16

/* Limits of a cgroup; given false: there is none. */
struct status_cgroup {
	bool given;
	uint64_t memory, tasks; /* bytes; processes and threads */
};

struct status_process {
	const char *name, *label;
	uint64_t pid, uid; /* pid 0: it has ended */
	uint64_t file_size, descriptors, threads; /* resource limits */
	struct status_cgroup cgroup;
};

struct status_disk {
	const char *path; /* as the launcher sees it now */
	uint64_t size;	  /* bytes */
	int readonly;
};

struct status {
	json_t *json; /* owned: texts borrow from it */
	const char *name, *uuid, *pair, *tee; /* tee "none", "snp" or "tdx" */
	int simulated, vtpm;
	bool running, required;
	unsigned missing; /* enum isolation_missing */
	uint64_t cpus, memory, uptime, launcher;
	struct status_cgroup cgroup; /* of all its processes together */
	struct status_process process[STATUS_PROCESS_MAX];
	size_t process_count;
	struct status_disk disk[STATUS_DISK_MAX];
	size_t disk_count;
};

/* Reads size bytes about the VM that was asked by that name. -EX_MALFORMED. status_free, also after
 * an error. */
int status_parse(const char *text, size_t size, const char *name, struct status *out,
		 struct err *e);
void status_free(struct status *s);

/* Connects to the launcher of the VM, asks, reads. -EX_BUSY: there is no such VM (*reached false),
 * or it does not answer. status_free as above. */
int status_ask(const char *run_dir, const char *name, struct status *out, bool *reached,
	       struct err *e);

/* "required", or "degraded: no labels, limits". out holds STATUS_ISOLATION bytes. */
#define STATUS_ISOLATION 64
void status_isolation(const struct status *s, char out[STATUS_ISOLATION]);

/* "none", "snp", "snp (simulated)" ... */
#define STATUS_TEE 24
void status_tee(const struct status *s, char out[STATUS_TEE]);

#endif
