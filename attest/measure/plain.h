/* The launch plan of a plain virtual machine, made from files or read back from a plan file. The
 * structures serve the plans of SEV-SNP guests and trust domains as well (snp/plan.h, tdx/plan.h). */
#ifndef PAVISE_ATTEST_MEASURE_PLAIN_H
#define PAVISE_ATTEST_MEASURE_PLAIN_H

#include "common/err.h"
#include "common/plan.h"
#include "firmware/layout.h"

#include <stddef.h>
#include <stdint.h>

/* Greatest sizes taken of the files, in bytes. */
#define MEASURE_KERNEL_MAX (256u << 20)
#define MEASURE_INITRD_MAX (1024u << 20)
#define MEASURE_CMDLINE_MAX 2047u /* without the NUL */

/* A byte string of a file, with the name its errors use. */
struct measure_file {
	const char *name;
	const uint8_t *data; /* NULL, with size 0: no such file (initrd only) */
	size_t size;
};

struct plain_input {
	struct measure_file firmware, kernel, initrd;
	const char *cmdline; /* "" when there is none */
	uint32_t max_cpus;   /* 1..256 */
	int any_cpus;	     /* SEV-SNP: 1 to max_cpus processors, not max_cpus exactly */
	int require_tpm;     /* 0 or 1 */
};

/* A plan with the bytes that no input file holds. */
struct plain_plan {
	struct plan plan; /* data pointers: into the inputs and into this struct */
	struct fw_image_header image;
	uint8_t hash_page[FW_PAGE];
	char cmdline[MEASURE_CMDLINE_MAX + 1];
};

/* Checks the inputs and fills *out, which borrows them and must not be moved (the plan points
 * into it). Deterministic. -EX_MALFORMED for a file, -EX_USAGE_ERROR for a value. */
int plain_plan_build(const struct plain_input *in, struct plain_plan *out, struct err *e);

/* What a plan says, taken apart: everything the measurements of a plain machine depend on,
 * but the boot block. Pointers borrow from the plan. */
struct plain_contents {
	struct fw_image_header image;
	struct fw_hash_record record; /* as it lies in memory: little endian */
	struct measure_file firmware, hash_page, kernel, initrd;
	const char *cmdline; /* with NUL */
};

/* Checks that a parsed plan is one of a plain machine and agrees with itself: the firmware would
 * stop where blobs and hash page differ, so nothing could ever match it. -EX_MALFORMED. */
int plain_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		    struct err *e);

#endif
