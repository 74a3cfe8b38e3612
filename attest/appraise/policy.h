/* An appraisal policy (docs/PROTOCOL.policy): what a relying party accepts. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_H
#define PAVISE_ATTEST_APPRAISE_POLICY_H

#include "attest/appraise/evidence.h"

#include <stdbool.h>

#define POLICY_FILE_MAX (1u << 20) /* bytes */
#define POLICY_LIST_MAX 16u

struct policy {
	bool has_plan;	 /* a plan's files, else reference values */
	char plan[4096]; /* as written: relative to the policy file */
	uint32_t cpus[POLICY_LIST_MAX], pci_slots[POLICY_LIST_MAX];
	uint64_t memory[POLICY_LIST_MAX]; /* bytes */
	size_t cpus_count, pci_slots_count, memory_count;
	struct pcr_values reference[EXPECT_BANKS];
	bool bank[EXPECT_BANKS]; /* which banks are demanded; one at least */
	bool require_nonce;
	uint8_t ak_sha256[POLICY_LIST_MAX][32]; /* of TPMT_PUBLIC */
	size_t ak_count;			/* 0: no key is pinned */
};

/* Parses size bytes of JSON; unknown keys are errors. -EX_MALFORMED. */
int policy_parse(const char *object, const char *text, size_t size, struct policy *out,
		 struct err *e);

#endif
