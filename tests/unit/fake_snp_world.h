/* Good evidence of an SEV-SNP guest for tests, with a host's vTPM beside it. */
#ifndef PAVISE_TESTS_UNIT_FAKE_SNP_WORLD_H
#define PAVISE_TESTS_UNIT_FAKE_SNP_WORLD_H

#include "tests/unit/fake_evidence.h"
#include "tests/unit/fake_snp.h"

struct fake_snp_world {
	struct fake_world plain; /* its evidence and policy are those of the SNP guest */
	struct fake_snp chip;
	X509 *trust_root; /* borrowed; NULL: none */
};

/* Fills *w; aborts when anything fails. The evidence is affirmed by the policy. */
void fake_snp_world_make(struct fake_snp_world *w);
/* Binds and signs the report anew after nonce, key, vTPM or report were changed. */
void fake_snp_world_sign(struct fake_snp_world *w);
void fake_snp_world_free(struct fake_snp_world *w);

/* As fake_world_judge. Without a policy: policy NULL. */
enum exit_status fake_snp_world_judge(const struct fake_snp_world *w, const struct policy *policy,
				      const uint8_t *nonce, size_t nonce_size, struct checks *out);

/* The evidence as JSON (malloc). */
char *fake_snp_world_json(const struct fake_snp_world *w);

#endif
