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
 * the guest, for each has a VMSA; with in->any_cpus any number of them up to that. policy: guest policy of LAUNCH_START. -EX_MALFORMED for a file,
 * -EX_USAGE_ERROR for a value. */
int snp_plan_build(const struct plain_input *in, uint64_t policy, struct plain_plan *out,
		   struct err *e);

/* Checks that a parsed plan is the one that snp_plan_build makes of its own parts, region by
 * region, and takes it apart. -EX_MALFORMED. */
int snp_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		  struct err *e);

/* The launch digest of a parsed SEV-SNP plan, whole: every launched region in table order, then
 * the VMSAs. each: NULL, or told of every page. -EX_USAGE_ERROR for a plan that serves any number
 * of processors: use the next two. -EX_INTERNAL when libcrypto fails, here and below. */
int snp_measure(const struct plan *p, snp_step_fn *each, void *arg, uint8_t ld[SNP_DIGEST_SIZE],
		struct err *e);

/* The same for a launch with `cpus` processors; -EX_USAGE_ERROR when the plan does not serve them. */
int snp_measure_cpus(const struct plan *p, uint32_t cpus, snp_step_fn *each, void *arg,
		     uint8_t ld[SNP_DIGEST_SIZE], struct err *e);

/* The digests of launches with 1 to `most` processors: that of n into ld[n - 1]. The VMSAs come
 * last, so this costs no more than the last one alone. For an exact plan, ld[most - 1] alone is
 * one of a launch. -EX_USAGE_ERROR when the plan does not serve `most`. */
int snp_measure_sizes(const struct plan *p, uint32_t most, uint8_t (*ld)[SNP_DIGEST_SIZE],
		      struct err *e);

/* The ID block (SEV-SNP firmware ABI, "ID block"): 96 bytes to be signed by the guest's owner;
 * a launch with it fails when digest or policy are others. Family and image ID stay zero. */
#define SNP_ID_BLOCK_SIZE 96u
void snp_id_block(const uint8_t ld[SNP_DIGEST_SIZE], uint64_t policy, uint32_t svn,
		  uint8_t out[SNP_ID_BLOCK_SIZE]);

#endif
