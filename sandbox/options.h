/* The command line of pavise-launch. */
#ifndef PAVISE_SANDBOX_OPTIONS_H
#define PAVISE_SANDBOX_OPTIONS_H

#include "common/err.h"
#include "common/plan.h"

#include <stdbool.h>
#include <stdint.h>

#define VM_DISK_MAX 8
#define VM_LOG_MAX (VM_DISK_MAX + 6) /* disks, vsock, vmm, console, vtpm, psp or tdx, quote */
#define VM_HOST_DATA 32              /* bytes of SEV-SNP HOST_DATA */
#define VM_MR 48                     /* bytes of TDX MRCONFIGID, MROWNER, MROWNERCONFIG */
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

/* Where the host's quote generation service is. */
enum option_quote { OPTION_QUOTE_NONE, OPTION_QUOTE_UNIX, OPTION_QUOTE_VSOCK };

struct options {
	bool reclaim; /* no VM: bring in order what dead launchers left; of the rest run_dir and cgroup count */
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
	int sim_key, sim_certs; /* its keys; -1: none */
	const char *host_data;  /* SEV-SNP: 64 hexadecimal digits; NULL: none */
	int id_block, id_auth;  /* SEV-SNP, the guest owner's: both or none; -1: none */
	int certs;              /* SEV-SNP: the certificate table a guest may ask for; -1: none */
	const char *mrconfigid, *mrowner, *mrownerconfig; /* TDX: 96 hexadecimal digits, or NULL */
	enum option_quote quote;        /* TDX */
	int quote_dir;                  /* of a unix socket: its directory */
	const char *quote_name;         /* and its name there */
	uint32_t quote_cid, quote_port; /* of a vsock */
	bool required; /* isolation */
	bool timings;  /* say at the end what took how long */
	const char *libexec; /* NULL: where the launcher itself is */
	const char *run_dir;
	const char *cgroup;  /* the cgroup that holds those of VMs */
};

/* Parses and checks what needs no other knowledge. Pointers borrow from argv.
 * -EX_USAGE_ERROR. */
int options_parse(int argc, char **argv, struct options *o, struct err *e);

/* Checks that need the host: enough memory. */
int options_check_host(const struct options *o, struct err *e);

#endif
