/* What the plans of plain, SEV-SNP and TDX machines have in common: their input files, and the
 * parts a plan is taken apart into. */
#ifndef PAVISE_ATTEST_MEASURE_PARTS_H
#define PAVISE_ATTEST_MEASURE_PARTS_H

#include "attest/measure/plain.h"
#include "common/err.h"
#include "common/plan.h"
#include "firmware/layout.h"

/* Checks the inputs of a plan for `variant` and fills out->image and out->cmdline.
 * -EX_MALFORMED for a file, -EX_USAGE_ERROR for a value. */
int parts_check(const struct plain_input *in, enum fw_variant variant, struct plain_plan *out,
		struct err *e);

/* Fills the hash page of a checked and laid out plan. */
int parts_hash_page(const struct plain_input *in, enum fw_variant variant, struct plain_plan *out,
		    struct err *e);

/* Appends a region to *p, whose table has room. */
void parts_add_region(struct plan *p, enum plan_region_type type, uint64_t gpa, const uint8_t *data,
		      uint64_t size);

/* Appends boot block, kernel, initrd if any and command line, and sets p->min_ram.
 * -EX_MALFORMED when they are too large; `object` names the kernel. */
int parts_add_staged(struct plan *p, const struct measure_file *kernel,
		     const struct measure_file *initrd, const char *cmdline, struct err *e);

/* Whether both have the same regions (but for their bytes) in the same order, and need as much RAM. */
int parts_same_regions(const struct plan *a, const struct plan *b);

/* Pages of 4096 bytes that the VMM adds to a confidential guest before it runs (without VMSAs). */
uint32_t parts_launched_pages(const struct plan *p);

/* Takes a parsed plan of machine `tee` apart: all parts present, image of `variant`, kernel well
 * formed, and a hash page that is that of the parts. Addresses, start state and order are left
 * to the caller. -EX_MALFORMED. */
int parts_open(const char *object, const struct plan *plan, enum plan_tee tee,
	       enum fw_variant variant, struct plain_contents *out, struct err *e);

#endif
