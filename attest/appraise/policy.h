/* An appraisal policy (docs/PROTOCOL.policy): what a relying party accepts. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_H
#define PAVISE_ATTEST_APPRAISE_POLICY_H

#include "attest/appraise/evidence.h"
#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"
#include "attest/appraise/policy_log.h"
#include "attest/appraise/policy_snp.h"
#include "attest/appraise/policy_tdx.h"
#include "attest/appraise/policy_tpm.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define POLICY_FILE_MAX (1u << 20) /* bytes */

struct policy {
	enum policy_base base; /* the built-in that the rest starts from */
	bool any_tee;	       /* for every kind of machine; else: */
	enum evidence_tee tee; /* which kind of machine it is for */
	struct snp_policy snp;
	struct tdx_policy tdx;
	struct tpm_policy tpm;
	struct log_policy log;
	bool has_plan;	 /* reference values from a plan's files */
	char plan[4096]; /* as written: relative to the policy file */
	uint32_t cpus[POLICY_LIST_MAX], pci_slots[POLICY_LIST_MAX];
	uint64_t memory[POLICY_LIST_MAX]; /* bytes */
	size_t cpus_count, pci_slots_count, memory_count;
	/* A signed bundle of reference values (docs/PROTOCOL.references), its path as that of the
	 * plan; "": none. With one the key is given. */
	char references[4096];
	struct policy_bytes references_key; /* SHA-384 of the key that must have signed it */
	uint32_t min_svn;		    /* least security version of its firmware */
	struct pcr_values reference[EXPECT_BANKS];
	bool bank[EXPECT_BANKS]; /* which banks are demanded; none: those that are quoted */
	bool require_nonce;
	uint8_t ak_sha256[POLICY_LIST_MAX][32]; /* of TPMT_PUBLIC */
	size_t ak_count;			/* 0: no key is pinned */
};

/* Parses size bytes of JSON; unknown keys are errors. -EX_MALFORMED. */
int policy_parse(const char *object, const char *text, size_t size, struct policy *out,
		 struct err *e);

/* The built-in policy. */
void policy_built_in(enum policy_base base, struct policy *out);

/* The base of that name ("strict", "recommended", "permissive", "none"), or -1. */
int policy_base_of_name(const char *name);
const char *policy_base_name(enum policy_base base);

/* Says in text, a key a line, what the policy accepts. */
void policy_explain(FILE *f, const struct policy *p);

#endif
