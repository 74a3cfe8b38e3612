#include "attest/appraise/policy_tdx.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct tdx_policy, f)
#define ATTRIBUTES_KNOWN                                                                           \
	(TDX_ATTR_LASS | TDX_ATTR_SEPT_VE_DISABLE | TDX_ATTR_PKS | TDX_ATTR_KL | TDX_ATTR_TPA |    \
	 TDX_ATTR_PERFMON)

const char *const tdx_status_words[] = {
	"UpToDate",
	"SWHardeningNeeded",
	"ConfigurationNeeded",
	"ConfigurationAndSWHardeningNeeded",
	"OutOfDate",
	"OutOfDateConfigurationNeeded",
	"TDRelaunchAdvised",
	"TDRelaunchAdvisedConfigurationNeeded",
	NULL,
};

const struct policy_key policy_tdx_keys[] = {
	{ "allow_debug", POLICY_BOOL, FIELD(allow_debug), 0, NULL,
	  "a guest launched with DEBUG, which the host can read and change" },
	{ "allow_migration", POLICY_BOOL, FIELD(allow_migration), 0, NULL,
	  "a guest that can be moved to another machine (MIGRATABLE, or a service TD)" },
	{ "require_sept_ve_disable", POLICY_BOOL, FIELD(require_sept_ve_disable), 0, NULL,
	  "SEPT_VE_DISABLE must be set: the host cannot cause exceptions by taking pages away" },
	{ "attributes_allowed", POLICY_MASK, FIELD(attributes_allowed), 0, NULL,
	  "bits of TDATTRIBUTES that may be set, besides DEBUG and MIGRATABLE" },
	{ "xfam_allowed", POLICY_MASK, FIELD(xfam_allowed), 0, NULL,
	  "processor features (XFAM) that the guest may use" },
	{ "xfam_required", POLICY_MASK, FIELD(xfam_required), 0, NULL,
	  "processor features (XFAM) that the guest must be able to use" },
	{ "require_mrtd", POLICY_BOOL, FIELD(require_mrtd), 0, NULL,
	  "reference values of MRTD must be given" },
	{ "mrtd", POLICY_DIGESTS, FIELD(mrtd), TDX_DIGEST_SIZE, NULL,
	  "MRTD, the measurement of the guest at launch, is one of these" },
	{ "rtmr0", POLICY_DIGESTS, FIELD(rtmr[0]), TDX_DIGEST_SIZE, NULL,
	  "RTMR0 (firmware and its configuration) is one of these" },
	{ "rtmr1", POLICY_DIGESTS, FIELD(rtmr[1]), TDX_DIGEST_SIZE, NULL,
	  "RTMR1 (boot loader and kernel) is one of these" },
	{ "rtmr2", POLICY_DIGESTS, FIELD(rtmr[2]), TDX_DIGEST_SIZE, NULL,
	  "RTMR2 (command line, initrd, the system) is one of these" },
	{ "rtmr3", POLICY_DIGESTS, FIELD(rtmr[3]), TDX_DIGEST_SIZE, NULL,
	  "RTMR3 (what the system measures itself) is one of these" },
	{ "mrconfigid", POLICY_DIGESTS, FIELD(mrconfigid), TDX_DIGEST_SIZE, NULL,
	  "MRCONFIGID is one of these" },
	{ "mrowner", POLICY_DIGESTS, FIELD(mrowner), TDX_DIGEST_SIZE, NULL,
	  "MROWNER is one of these" },
	{ "mrownerconfig", POLICY_DIGESTS, FIELD(mrownerconfig), TDX_DIGEST_SIZE, NULL,
	  "MROWNERCONFIG is one of these" },
	{ "mrservicetd", POLICY_DIGESTS, FIELD(mrservicetd), TDX_DIGEST_SIZE, NULL,
	  "MRSERVICETD (TD 1.5) is one of these" },
	{ "mrseam", POLICY_DIGESTS, FIELD(mrseam), TDX_DIGEST_SIZE, NULL,
	  "MRSEAM, the TDX module itself, is one of these" },
	{ "require_collateral", POLICY_BOOL, FIELD(require_collateral), 0, NULL,
	  "TCB info and QE identity must be given and be in date" },
	{ "require_revocation", POLICY_BOOL, FIELD(require_revocation), 0, NULL,
	  "both revocation lists must be given" },
	{ "tcb_status", POLICY_WORDS, FIELD(tcb_status), 0, tdx_status_words,
	  "TCB status that is accepted; Revoked never is" },
	{ "min_tcb_date", POLICY_TIME, FIELD(min_tcb_date), 0, NULL,
	  "the platform's TCB level has this tcbDate or a later one" },
	{ "min_tcb_evaluation", POLICY_NUMBER, FIELD(min_tcb_evaluation), UINT32_MAX, NULL,
	  "TCB info and QE identity have this tcbEvaluationDataNumber or a later one" },
	{ .name = NULL },
};

void policy_tdx_base(enum policy_base base, struct tdx_policy *out)
{
	bool strict = base == POLICY_STRICT, permissive = base == POLICY_PERMISSIVE;

	*out = (struct tdx_policy){
		.allow_migration = permissive,
		.require_sept_ve_disable = strict,
		.attributes_allowed = strict ? ATTRIBUTES_KNOWN : ~0ull,
		.xfam_allowed = strict ? TDX_XFAM_KNOWN : ~0ull,
		.xfam_required = TDX_XFAM_FIXED,
		.require_mrtd = strict,
		.require_collateral = !permissive,
		.require_revocation = strict,
		.tcb_status = { .given = true,
				.set = strict	    ? 0x1
				       : permissive ? 0xFF
						    : 0x3 },
	};
}
