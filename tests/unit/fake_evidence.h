/* Good evidence for tests, with the plan and policy it is good for. */
#ifndef PAVISE_TESTS_UNIT_FAKE_EVIDENCE_H
#define PAVISE_TESTS_UNIT_FAKE_EVIDENCE_H

#include "attest/appraise/appraise.h"
#include "tests/unit/fake_files.h"
#include "tests/unit/fake_tpm.h"

struct fake_world {
	uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE], initrd[3000];
	struct plain_plan built;
	struct plain_contents contents;
	struct expect_base base;
	struct expectation expected; /* for policy's second machine: 2 cpus, 512 MiB, 2 slots */
	struct fake_tpm tpm;
	struct policy policy; /* both banks, nonce, cpus 1 or 2 */
	struct evidence evidence;
};

/* Fills *w; aborts when anything fails. The evidence is affirmed by the policy. */
void fake_world_make(struct fake_world *w, uint16_t scheme, uint16_t hash);
/* Signs evidence anew after its parts were changed: quote over its nonce, key and PCRs. */
void fake_world_sign(struct fake_world *w);
void fake_world_free(struct fake_world *w);

/* Appraises w->evidence with w->policy. out is emptied first. */
enum exit_status fake_world_judge(const struct fake_world *w, const uint8_t *nonce,
				  size_t nonce_size, struct checks *out);

/* The evidence as JSON (malloc). */
char *fake_world_json(const struct fake_world *w);

#endif
