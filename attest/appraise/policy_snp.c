#include "attest/appraise/policy_snp.h"

#include "attest/snp/bits.h"

#include <stddef.h>
#include <string.h>

#define FIELD(f) offsetof(struct snp_policy, f)

/* By enum snp_component. */
static const char *const components[] = { "bootloader", "tee", "snp", "microcode", "fmc", NULL };
_Static_assert(sizeof(components) / sizeof(components[0]) == SNP_COMPONENTS + 1,
	       "a name for each component that a policy can name");
static const char *const version[] = { "major", "minor", "build", NULL };
static const char *const abi[] = { "major", "minor", NULL };
static const char *const products[] = { "milan", "genoa", "turin", NULL };
static const char *const signing_keys[] = { "vcek", "vlek", NULL };

const struct policy_key policy_snp_keys[] = {
	{ "measurements", POLICY_DIGESTS, FIELD(measurements), SNP_MEASUREMENT_SIZE, NULL,
	  "the launch digest is one of these" },
	{ "require_measurement", POLICY_BOOL, FIELD(require_measurement), 0, NULL,
	  "reference values of the launch digest must be given" },
	{ "require_revocation", POLICY_BOOL, FIELD(require_revocation), 0, NULL,
	  "a current revocation list of AMD's must be given" },
	{ "allow_expired", POLICY_BOOL, FIELD(allow_expired), 0, NULL,
	  "certificates and revocation lists that were valid once" },
	{ "products", POLICY_WORDS, FIELD(products), 0, products,
	  "the processor is of one of these generations" },
	{ "denied_products", POLICY_WORDS, FIELD(denied_products), 0, products,
	  "the processor is of none of these generations" },
	{ "chip_ids", POLICY_DIGESTS, FIELD(chip_ids), SNP_CHIP_ID_SIZE, NULL,
	  "CHIP_ID is one of these; a masked one is none" },
	{ "signing_keys", POLICY_WORDS, FIELD(signing_keys), 0, signing_keys,
	  "the report is signed with a key of one of these kinds" },
	{ "providers", POLICY_TEXTS, FIELD(providers), 127, NULL,
	  "a VLEK is of one of these providers (its cspID)" },
	{ "min_tcb", POLICY_NUMBERS, FIELD(min_tcb), 255, components,
	  "REPORTED_TCB and LAUNCH_TCB are at least this, component by component" },
	{ "min_tcb_reported", POLICY_NUMBERS, FIELD(min_of[SNP_TCB_REPORTED]), 255, components,
	  "REPORTED_TCB is at least this: what the VEK vouches for" },
	{ "min_tcb_launch", POLICY_NUMBERS, FIELD(min_of[SNP_TCB_LAUNCH]), 255, components,
	  "LAUNCH_TCB is at least this: what launched or imported the guest" },
	{ "min_tcb_committed", POLICY_NUMBERS, FIELD(min_of[SNP_TCB_COMMITTED]), 255, components,
	  "COMMITTED_TCB is at least this: what the host cannot roll back below" },
	{ "min_tcb_current", POLICY_NUMBERS, FIELD(min_of[SNP_TCB_CURRENT]), 255, components,
	  "CURRENT_TCB is at least this: what runs" },
	{ "min_firmware", POLICY_NUMBERS, FIELD(min_firmware), 255, version,
	  "the version of the firmware that runs is at least this" },
	{ "min_committed_firmware", POLICY_NUMBERS, FIELD(min_committed_firmware), 255, version,
	  "the version of the committed firmware is at least this" },
	{ "allow_provisional", POLICY_BOOL, FIELD(allow_provisional), 0, NULL,
	  "firmware that runs without being committed, and can be rolled back" },
	{ "launch_mitigations", POLICY_MASK, FIELD(launch_mitigations), 0, NULL,
	  "LAUNCH_MIT_VECTOR has these bits (reports of version 5)" },
	{ "current_mitigations", POLICY_MASK, FIELD(current_mitigations), 0, NULL,
	  "CURRENT_MIT_VECTOR has these bits (reports of version 5)" },
	{ "require_platform", POLICY_WORDS, FIELD(require_platform), 0, snp_platform_names,
	  "PLATFORM_INFO says that these are on" },
	{ "forbid_platform", POLICY_WORDS, FIELD(forbid_platform), 0, snp_platform_names,
	  "PLATFORM_INFO does not say that these are on" },
	{ "require_guest_policy", POLICY_WORDS, FIELD(require_guest_policy), 0, snp_guest_names,
	  "the guest was launched with these bits in its policy" },
	{ "forbid_guest_policy", POLICY_WORDS, FIELD(forbid_guest_policy), 0, snp_guest_names,
	  "the guest was launched without these bits in its policy" },
	{ "min_guest_abi", POLICY_NUMBERS, FIELD(min_guest_abi), 255, abi,
	  "the guest's policy demanded at least this ABI of the firmware" },
	{ "allow_debug", POLICY_BOOL, FIELD(allow_debug), 0, NULL,
	  "a guest launched with DEBUG, which the host can read and change" },
	{ "allow_migration", POLICY_BOOL, FIELD(allow_migration), 0, NULL,
	  "a guest that a migration agent may move" },
	{ "migration_agents", POLICY_DIGESTS, FIELD(migration_agents), 32, NULL,
	  "if there is a migration agent, REPORT_ID_MA is one of these" },
	{ "allow_smt", POLICY_BOOL, FIELD(allow_smt), 0, NULL,
	  "a guest that may share a core with another one" },
	{ "vmpl", POLICY_OPTIONAL, FIELD(vmpl), 3, NULL,
	  "the report was asked for at this privilege level" },
	{ "host_data", POLICY_BYTES, FIELD(host_data), 32, NULL, "HOST_DATA is this" },
	{ "family_id", POLICY_BYTES, FIELD(family_id), 16, NULL, "FAMILY_ID is this" },
	{ "image_id", POLICY_BYTES, FIELD(image_id), 16, NULL, "IMAGE_ID is this" },
	{ "min_guest_svn", POLICY_NUMBER, FIELD(min_guest_svn), UINT32_MAX, NULL,
	  "GUEST_SVN is at least this" },
	{ "id_key_digests", POLICY_DIGESTS, FIELD(id_key_digests), SNP_MEASUREMENT_SIZE, NULL,
	  "one of these ID keys signed the launch" },
	{ "author_key_digests", POLICY_DIGESTS, FIELD(author_key_digests), SNP_MEASUREMENT_SIZE,
	  NULL, "one of these author keys signed the ID key" },
	{ .name = NULL },
};

/* The index of a name in a table of bits. */
static uint32_t bit_of(const char *const *names, const char *name)
{
	for (uint32_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	return 0;
}

void policy_snp_base(enum policy_base base, struct snp_policy *out)
{
	bool strict = base == POLICY_STRICT;

	*out = (struct snp_policy){
		.allow_migration = base == POLICY_PERMISSIVE,
		.allow_smt = !strict,
		.allow_provisional = !strict,
		.allow_expired = base == POLICY_PERMISSIVE,
		.require_measurement = strict,
		.require_revocation = strict,
		.vmpl = { .given = base != POLICY_PERMISSIVE },
	};
	/* Without it nobody has looked for memory that answers at two addresses (AMD-SB-3015). */
	if (strict)
		out->require_platform = (struct policy_words){
			.given = true,
			.set = bit_of(snp_platform_names, "alias_check_complete"),
		};
}
