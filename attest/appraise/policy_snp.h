/* The part of a policy that is for SEV-SNP: the object "snp" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_SNP_H
#define PAVISE_ATTEST_APPRAISE_POLICY_SNP_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"
#include "attest/snp/report.h"

/* The report's TCB versions that a minimum can be for alone. */
enum snp_tcb { SNP_TCB_REPORTED, SNP_TCB_LAUNCH, SNP_TCB_COMMITTED, SNP_TCB_CURRENT, SNP_TCBS };

/* Members of a firmware version. */
enum snp_version_part { SNP_VERSION_MAJOR, SNP_VERSION_MINOR, SNP_VERSION_BUILD };

struct snp_policy {
	bool allow_debug, allow_migration, allow_smt;
	bool allow_provisional;	  /* CURRENT firmware or TCB that is not committed */
	bool allow_expired;	  /* certificates and revocation lists that were valid once */
	bool require_measurement; /* a plan or measurements must be given */
	bool require_revocation;  /* a revocation list must be given */
	struct policy_number vmpl;
	struct policy_numbers min_tcb;		/* by enum snp_component: REPORTED and LAUNCH */
	struct policy_numbers min_of[SNP_TCBS]; /* by enum snp_component: each alone */
	struct policy_numbers min_firmware, min_committed_firmware, min_guest_abi;
	uint64_t launch_mitigations, current_mitigations; /* bits that must be set */
	struct policy_bytes host_data, family_id, image_id;
	uint64_t min_guest_svn; /* 0: no minimum */
	struct policy_digests measurements, id_key_digests, author_key_digests;
	struct policy_digests chip_ids, migration_agents; /* CHIP_ID, REPORT_ID_MA */
	struct policy_words products, denied_products;	  /* bit n: SNP_MILAN + n */
	struct policy_words signing_keys;		  /* bit n: enum snp_signing_key */
	struct policy_words require_guest_policy, forbid_guest_policy; /* snp_guest_bits */
	struct policy_words require_platform, forbid_platform;	       /* snp_platform_bits */
	struct policy_texts providers;				       /* cspID of a VLEK */
};

/* Fills *out with what the built-in policy has. */
void policy_snp_base(enum policy_base base, struct snp_policy *out);

#endif
