/* The part of a policy that is for Intel TDX: the object "tdx" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_TDX_H
#define PAVISE_ATTEST_APPRAISE_POLICY_TDX_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"
#include "attest/tdx/quote.h"

#include <stdbool.h>
#include <stdint.h>

/* XFAM bits that the TDX module lets a guest have; x87 and SSE cannot be taken from it. */
#define TDX_XFAM_KNOWN 0x6DBE7ull
#define TDX_XFAM_FIXED 0x3ull

struct tdx_policy {
	/* Of the guest (TD) */
	bool allow_debug, allow_migration, require_sept_ve_disable;
	uint64_t attributes_allowed; /* further bits of TDATTRIBUTES that may be set */
	uint64_t xfam_allowed, xfam_required;
	bool require_mrtd;
	struct policy_digests mrtd, rtmr[TDX_RTMRS];
	struct policy_digests mrconfigid, mrowner, mrownerconfig, mrservicetd, mrseam;
	/* Of the platform */
	bool require_collateral, require_revocation;
	struct policy_words tcb_status; /* bit n: tdx_status_words[n] is accepted */
	struct policy_time min_tcb_date;
	uint64_t min_tcb_evaluation; /* 0: any */
};

/* The words of "tcb_status" in the order of its bits, NULL at the end: Intel's names. */
extern const char *const tdx_status_words[];

/* Fills *out with what the built-in policy has. */
void policy_tdx_base(enum policy_base base, struct tdx_policy *out);

#endif
