/* The part of a policy that is for SEV-SNP: the object "snp" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_SNP_H
#define PAVISE_ATTEST_APPRAISE_POLICY_SNP_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"
#include "attest/snp/report.h"

struct snp_policy {
	bool allow_debug, allow_migration, allow_smt;
	bool require_measurement; /* a plan or measurements must be given */
	struct policy_number vmpl;
	struct policy_numbers min_tcb; /* by enum snp_component */
	struct policy_bytes host_data;
	uint64_t min_guest_svn; /* 0: no minimum */
	struct policy_digests measurements, id_key_digests, author_key_digests;
};

/* Fills *out with what the built-in policy has. */
void policy_snp_base(enum policy_base base, struct snp_policy *out);

#endif
