/* pavise doctor: what a host must have, row by row. A row is probed through struct doctor_host, so
 * that tests can give hosts that nobody has. Probes look and change nothing. */
#ifndef PAVISE_CLI_DOCTOR_DOCTOR_H
#define PAVISE_CLI_DOCTOR_DOCTOR_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Kinds of host, a mask. */
#define KIND_PLAIN 1u
#define KIND_SNP   2u
#define KIND_TDX   4u
#define KIND_SIM   8u /* SEV-SNP and TDX on the platform model: protects nothing */
#define KINDS_ALL  15u
#define KIND_COUNT 4

extern const char *const doctor_kind_names[KIND_COUNT]; /* bit n of the mask is called [n] */

/* Facilities of the kernel that only a system call can tell of. */
enum doctor_feature {
	FEATURE_LANDLOCK,      /* answer: the ABI, from 1 */
	FEATURE_SECCOMP,       /* 0: filters may kill the process */
	FEATURE_LSM_SELF,      /* 0: lsm_get_self_attr(2) exists, whatever it answers */
	FEATURE_MEMFD_NOEXEC,  /* 0: memfd_create(2) takes MFD_NOEXEC_SEAL */
};

enum doctor_selinux { SELINUX_ABSENT, SELINUX_PERMISSIVE, SELINUX_ENFORCING };

/* The host that is looked at. Functions answer 0 or more, or a negative errno; context is theirs
 * alone. */
struct doctor_host {
	void *context;
	const char *programs; /* folder of the pavise-* programs */
	/* A small file as text, cut at size - 1 bytes. */
	int (*read)(void *context, const char *path, char *out, size_t size);
	int (*mode)(void *context, const char *path, unsigned *mode); /* st_mode */
	int (*open)(void *context, const char *path, int flags);      /* a device; answers the fd */
	int (*ioctl)(void *context, int fd, unsigned long request, uint64_t arg);
	void (*close)(void *context, int fd);
	void (*cpuid)(void *context, uint32_t leaf, uint32_t out[4]); /* eax ebx ecx edx */
	int (*kernel)(void *context, enum doctor_feature feature);
	/* First line that the program prints for --version. */
	int (*version)(void *context, const char *path, char *out, size_t size);
	/* SELinux; the last four are asked on hosts only that have it. */
	enum doctor_selinux (*selinux)(void *context);
	bool (*selinux_mcs)(void *context);
	int (*selinux_knows)(void *context, const char *label);  /* -EINVAL: not in the policy */
	int (*selinux_walls)(void *context, struct err *e);      /* sandbox/labels.h */
	int (*label)(void *context, const char *path, char *out, size_t size);
};

enum doctor_state { DOCTOR_FOUND, DOCTOR_MISSING, DOCTOR_UNKNOWN };

struct doctor_finding {
	enum doctor_state state;
	char detail[512]; /* one line, printable */
};

struct doctor_row {
	const char *id;  /* stable: docs/doctor.schema.json */
	unsigned kinds;  /* that need it */
	/* ISOLATION: required, but with degraded isolation. */
	enum { ROW_ADVISED, ROW_REQUIRED, ROW_ISOLATION } need;
	void (*probe)(const struct doctor_host *h, struct doctor_finding *f);
	const char *fix; /* a sentence without its full stop */
};

extern const struct doctor_row doctor_rows[];
extern const size_t doctor_row_count;

/* What was found, finding[n] for doctor_rows[n]. */
struct doctor_result {
	bool degraded;
	unsigned kinds; /* shown; rows of others are not probed */
	struct doctor_finding *finding;
};

/* Probes every row of r->kinds; r->finding has room for doctor_row_count. */
void doctor_examine(const struct doctor_host *h, struct doctor_result *r);

/* Rows that keep the kind (one bit) from being ready: missing or unknown, and required. */
unsigned doctor_lacks(const struct doctor_result *r, unsigned kind);
bool doctor_required(const struct doctor_row *row, bool degraded);

/* Prints all: rows in groups by the kinds that need them, then a verdict on each kind. 0 or
 * -EX_HOST when it cannot be written. */
int doctor_print_text(const struct doctor_result *r, FILE *out, struct err *e);
int doctor_print_json(const struct doctor_result *r, unsigned judged, FILE *out, struct err *e);

/* This host. `programs` is borrowed. */
struct doctor_host doctor_this_host(const char *programs);

/* First line of `PATH --version`, run with an empty environment, some seconds and no more than
 * size - 1 bytes. Length or a negative errno. */
int doctor_program_version(const char *path, char *out, size_t size);

#endif
