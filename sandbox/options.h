/* The command line of pavise-launch. */
#ifndef PAVISE_SANDBOX_OPTIONS_H
#define PAVISE_SANDBOX_OPTIONS_H

#include "common/err.h"
#include "common/plan.h"

#include <stdbool.h>
#include <stdint.h>

#define VM_DISK_MAX 8
#define VM_LOG_MAX (VM_DISK_MAX + 5) /* disks, vsock, vmm, console, vtpm, psp */
#define VM_HOST_DATA 32              /* bytes of SEV-SNP HOST_DATA */
#define VM_RAM_ALIGN (2ull << 20)

struct option_disk {
	int fd;
	bool readonly;
};

/* A log the caller wants a copy of. */
struct option_log {
	const char *name; /* "console", "vmm", "vtpm", "dev-blk0"... */
	int fd;           /* opened for appending */
};

struct options {
	const char *name;
	int plan_fd;
	uint64_t memory; /* bytes */
	uint32_t cpus;
	struct option_disk disk[VM_DISK_MAX];
	unsigned disk_count;
	struct option_log log[VM_LOG_MAX];
	unsigned log_count;
	bool vtpm;
	enum plan_tee tee;      /* what the plan must be for */
	bool simulated;         /* --platform sim: the platform model instead of hardware */
	int psp_key, psp_certs; /* its chip; -1: none */
	const char *host_data;  /* 64 hexadecimal digits; NULL: none */
	int id_block, id_auth;  /* the guest owner's, both or none; -1: none */
	bool required; /* isolation */
	const char *libexec; /* NULL: where the launcher itself is */
	const char *run_dir;
};

/* Parses and checks what needs no other knowledge. Pointers borrow from argv.
 * -EX_USAGE_ERROR. */
int options_parse(int argc, char **argv, struct options *o, struct err *e);

/* Checks that need the host: enough memory. */
int options_check_host(const struct options *o, struct err *e);

#endif
