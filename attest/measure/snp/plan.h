/* The launch plan of an SEV-SNP guest (docs/PROTOCOL.plan), and what the security processor
 * measures of it. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_PLAN_H
#define PAVISE_ATTEST_MEASURE_SNP_PLAN_H

#include "attest/measure/plain.h"
#include "attest/measure/snp/digest.h"
#include "common/err.h"
#include "common/plan.h"

#include <stdint.h>

/* Checks the inputs and fills *out like plain_plan_build. in->max_cpus processors, exactly, make
 * the guest: each has a VMSA. policy: guest policy of LAUNCH_START. -EX_MALFORMED for a file,
 * -EX_USAGE_ERROR for a value. */
int snp_plan_build(const struct plain_input *in, uint64_t policy, struct plain_plan *out,
		   struct err *e);

/* Checks that a parsed plan is the one that snp_plan_build makes of its own parts, region by
 * region, and takes it apart. -EX_MALFORMED. */
int snp_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		  struct err *e);

/* The launch digest of a parsed SEV-SNP plan, whole: every launched region in table order, then
 * the VMSAs. each: NULL, or told of every page. -EX_INTERNAL when libcrypto fails. */
int snp_measure(const struct plan *p, snp_step_fn *each, void *arg, uint8_t ld[SNP_DIGEST_SIZE],
		struct err *e);

/* The ID block (SEV-SNP firmware ABI, "ID block"): 96 bytes to be signed by the guest's owner;
 * a launch with it fails when digest or policy are others. Family and image ID stay zero. */
#define SNP_ID_BLOCK_SIZE 96u
void snp_id_block(const uint8_t ld[SNP_DIGEST_SIZE], uint64_t policy, uint32_t svn,
		  uint8_t out[SNP_ID_BLOCK_SIZE]);

#endif
