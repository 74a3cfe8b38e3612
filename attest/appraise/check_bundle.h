/* Reference values out of the signed bundle that a policy names (docs/PROTOCOL.references). */
#ifndef PAVISE_ATTEST_APPRAISE_CHECK_BUNDLE_H
#define PAVISE_ATTEST_APPRAISE_CHECK_BUNDLE_H

#include "attest/appraise/request.h"
#include "attest/measure/references.h"

/* Zeroed by the caller; value_bundle_free, even after an error. */
struct value_bundle {
	struct references values;
	bool given;    /* the policy names one */
	bool believed; /* "reference.bundle" has passed */
};

/* Check "reference.bundle": is r->references signed with the key that the policy pins, current, and
 * for a firmware that is not too old? p: NULL when
 * there is no policy. -EX_MALFORMED when it breaks its form, -EX_USAGE_ERROR when
 * the policy names one that was not given. */
int check_value_bundle(const struct request *r, const struct policy *p, struct value_bundle *out,
		       struct checks *checks, struct err *e);
void value_bundle_free(struct value_bundle *b);

/* Check `id`: is the launch digest with this guest policy a value of the bundle, which was given?
 */
void check_bundled_snp(const struct value_bundle *b, const char *id, const uint8_t *measurement,
		       uint64_t policy, struct checks *checks);
/* The same for an MRTD, with RTMR 0 and 1 (rtmr) as the value has them, if it says them. */
void check_bundled_tdx(const struct value_bundle *b, const char *id, const uint8_t *mrtd,
		       const uint8_t *const rtmr[REFERENCES_RTMRS], struct checks *checks);
/* Check `id`, for people: is RTMR n (0 or 1) that of a value with this MRTD? "tdx.mrtd" decides. */
void check_bundled_rtmr(const struct value_bundle *b, const char *id, const uint8_t *mrtd,
			unsigned n, const uint8_t rtmr[REFERENCES_DIGEST_SIZE],
			struct checks *checks);

#endif
