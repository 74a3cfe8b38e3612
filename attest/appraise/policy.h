/* An appraisal policy (docs/PROTOCOL.policy): what a relying party accepts. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_H
#define PAVISE_ATTEST_APPRAISE_POLICY_H

#include "attest/appraise/evidence.h"
#include "attest/snp/report.h"

#include <jansson.h>
#include <stdbool.h>

#define POLICY_FILE_MAX (1u << 20) /* bytes */
#define POLICY_LIST_MAX 16u

/* The object "snp". */
struct snp_policy {
	bool allow_debug, allow_migration, allow_smt;
	uint32_t vmpl;
	bool min_tcb_given[SNP_COMPONENTS];
	uint8_t min_tcb[SNP_COMPONENTS];
	bool host_data_given;
	uint8_t host_data[32];
	uint32_t min_guest_svn; /* 0: no minimum */
	uint8_t measurement[POLICY_LIST_MAX][SNP_MEASUREMENT_SIZE];
	uint8_t id_key[POLICY_LIST_MAX][SNP_MEASUREMENT_SIZE];
	uint8_t author_key[POLICY_LIST_MAX][SNP_MEASUREMENT_SIZE];
	size_t measurement_count, id_key_count, author_key_count; /* 0: absent */
};

struct policy {
	enum evidence_tee tee; /* which kind of machine it is for */
	struct snp_policy snp; /* with EVIDENCE_SNP */
	bool has_plan;	       /* a plan's files, else reference values */
	char plan[4096];       /* as written: relative to the policy file */
	uint32_t cpus[POLICY_LIST_MAX], pci_slots[POLICY_LIST_MAX];
	uint64_t memory[POLICY_LIST_MAX]; /* bytes */
	size_t cpus_count, pci_slots_count, memory_count;
	struct pcr_values reference[EXPECT_BANKS];
	bool bank[EXPECT_BANKS]; /* which banks are demanded; one at least, but for a TEE */
	bool require_nonce;
	uint8_t ak_sha256[POLICY_LIST_MAX][32]; /* of TPMT_PUBLIC */
	size_t ak_count;			/* 0: no key is pinned */
};

/* Parses size bytes of JSON; unknown keys are errors. -EX_MALFORMED. */
int policy_parse(const char *object, const char *text, size_t size, struct policy *out,
		 struct err *e);

/* Its object "snp" and what goes with it; root is the whole policy. -EX_MALFORMED. */
int policy_parse_snp(const json_t *root, struct policy *out, struct err *e);

/* What both kinds of policy have (policy.c): the array of a key with 1..POLICY_LIST_MAX members,
 * *count 0 when it is absent; a string of it without inner NUL, or NULL; the path of the plan. */
int policy_list(const char *path, const json_t *root, const char *key, int required,
		const json_t **list, size_t *count, struct err *e);
const char *policy_text_at(const json_t *list, size_t i);
int policy_plan(const json_t *root, struct policy *out, struct err *e);
/* Member list of digests of n bytes each into out (POLICY_LIST_MAX of them). */
int policy_digests(const char *path, const json_t *root, const char *key, size_t n, uint8_t *out,
		   size_t *count, struct err *e);

#endif
