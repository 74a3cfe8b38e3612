#include "attest/appraise/policy_snp.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct snp_policy, f)

/* By enum snp_component. */
static const char *const components[] = { "bootloader", "tee", "snp", "microcode", "fmc", NULL };
_Static_assert(sizeof(components) / sizeof(components[0]) == SNP_COMPONENTS + 1,
	       "a name for each component that a policy can name");

const struct policy_key policy_snp_keys[] = {
	{ "measurements", POLICY_DIGESTS, FIELD(measurements), SNP_MEASUREMENT_SIZE, NULL,
	  "the launch digest is one of these" },
	{ "require_measurement", POLICY_BOOL, FIELD(require_measurement), 0, NULL,
	  "reference values of the launch digest must be given" },
	{ "min_tcb", POLICY_NUMBERS, FIELD(min_tcb), 255, components,
	  "REPORTED_TCB and LAUNCH_TCB are at least this, component by component" },
	{ "allow_debug", POLICY_BOOL, FIELD(allow_debug), 0, NULL,
	  "a guest launched with DEBUG, which the host can read and change" },
	{ "allow_migration", POLICY_BOOL, FIELD(allow_migration), 0, NULL,
	  "a guest that a migration agent may move" },
	{ "allow_smt", POLICY_BOOL, FIELD(allow_smt), 0, NULL,
	  "a guest that may share a core with another one" },
	{ "vmpl", POLICY_OPTIONAL, FIELD(vmpl), 3, NULL,
	  "the report was asked for at this privilege level" },
	{ "host_data", POLICY_BYTES, FIELD(host_data), 32, NULL, "HOST_DATA is this" },
	{ "min_guest_svn", POLICY_NUMBER, FIELD(min_guest_svn), UINT32_MAX, NULL,
	  "GUEST_SVN is at least this" },
	{ "id_key_digests", POLICY_DIGESTS, FIELD(id_key_digests), SNP_MEASUREMENT_SIZE, NULL,
	  "one of these ID keys signed the launch" },
	{ "author_key_digests", POLICY_DIGESTS, FIELD(author_key_digests), SNP_MEASUREMENT_SIZE,
	  NULL, "one of these author keys signed the ID key" },
	{ .name = NULL },
};

void policy_snp_base(enum policy_base base, struct snp_policy *out)
{
	*out = (struct snp_policy){
		.allow_migration = base == POLICY_PERMISSIVE,
		.allow_smt = base != POLICY_STRICT,
		.require_measurement = base == POLICY_STRICT,
		.vmpl = { .given = base != POLICY_PERMISSIVE },
	};
}
