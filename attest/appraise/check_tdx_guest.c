/* What a quote claims of how the guest (TD) was configured, against what the policy accepts. */
#include "attest/appraise/check_tdx.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static void mask_text(uint64_t v, char out[32])
{
	snprintf(out, 32, "0x%llx", (unsigned long long)v);
}

/* Bits 7:0 are the group TUD ("TD under debug"): any of them makes the guest the host's. */
static void check_debug(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	uint64_t tud = b->td_attributes & TDX_ATTR_TUD;
	const char *what = tud == TDX_ATTR_DEBUG ? "DEBUG" : "bits of TDATTRIBUTES.TUD";

	if (check_tdx_unjudged(a, "tdx.debug"))
		return;
	if (tud == 0)
		check_pass(a->checks, "tdx.debug", "off", "the host cannot debug this guest");
	else if (a->policy->allow_debug)
		check_pass(a->checks, "tdx.debug", "on",
			   "%s: the host can read and change this guest; the policy allows it",
			   what);
	else
		check_fail(a->checks, "tdx.debug", EX_REFUSED, "on", "off",
			   "launched with %s: the host can read and change this guest", what);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* MIGRATABLE lets a migration TD have the guest's state; from TD 1.5 on MRSERVICETD says that one
 * is bound to it. */
static void check_migration(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	bool able = (b->td_attributes & TDX_ATTR_MIGRATABLE) != 0;
	bool bound = b->mrservicetd != NULL && !all_zero(b->mrservicetd, TDX_DIGEST_SIZE);

	if (check_tdx_unjudged(a, "tdx.migration"))
		return;
	if (!able && !bound)
		check_pass(a->checks, "tdx.migration", "none", "not migratable, no service TD");
	else if (a->policy->allow_migration)
		check_pass(a->checks, "tdx.migration", "possible", "the policy allows it");
	else
		check_fail(
			a->checks, "tdx.migration", EX_REFUSED, "possible", "none", "%s",
			able ? "MIGRATABLE: a migration TD may hold this guest's memory: another "
			       "guest that must be trusted as well"
			     : "a service TD is bound to this guest: another guest that must be "
			       "trusted as well");
}

static void check_sept_ve(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	bool set = (b->td_attributes & TDX_ATTR_SEPT_VE_DISABLE) != 0;

	if (check_tdx_unjudged(a, "tdx.sept_ve"))
		return;
	if (set)
		check_pass(a->checks, "tdx.sept_ve", "disabled",
			   "the host cannot cause exceptions by taking pages away");
	else if (a->policy->require_sept_ve_disable)
		check_fail(a->checks, "tdx.sept_ve", EX_REFUSED, "enabled", "disabled",
			   "SEPT_VE_DISABLE is not set: the host can cause exceptions in the guest "
			   "by taking pages away");
	else
		check_skip(a->checks, "tdx.sept_ve",
			   "SEPT_VE_DISABLE is not set; the policy does not ask for it");
}

static void check_attributes(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	uint64_t own = TDX_ATTR_TUD | TDX_ATTR_MIGRATABLE; /* checks of their own */
	char have[32], need[32], what[32];

	if (check_tdx_unjudged(a, "tdx.attributes"))
		return;
	uint64_t extra = b->td_attributes & ~own & ~a->policy->attributes_allowed;
	mask_text(b->td_attributes, have);
	mask_text(a->policy->attributes_allowed, need);
	mask_text(extra, what);
	if (extra == 0)
		check_pass(a->checks, "tdx.attributes", have, "only bits that the policy allows");
	else
		check_fail(a->checks, "tdx.attributes", EX_REFUSED, have, need,
			   "TDATTRIBUTES has bits that the policy does not allow: %s", what);
}

static void check_xfam(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	char have[32], need[32], what[32];

	if (check_tdx_unjudged(a, "tdx.xfam"))
		return;
	uint64_t extra = b->xfam & ~a->policy->xfam_allowed;
	uint64_t missing = a->policy->xfam_required & ~b->xfam;
	mask_text(b->xfam, have);
	mask_text(extra != 0 ? a->policy->xfam_allowed : a->policy->xfam_required, need);
	mask_text(extra != 0 ? extra : missing, what);
	if (extra != 0)
		check_fail(a->checks, "tdx.xfam", EX_REFUSED, have, need,
			   "XFAM has bits that the policy does not allow: %s", what);
	else if (missing != 0)
		check_fail(a->checks, "tdx.xfam", EX_REFUSED, have, need,
			   "XFAM lacks bits that the policy demands: %s", what);
	else
		check_pass(a->checks, "tdx.xfam", have, "the features that the policy wants");
}

void check_tdx_guest(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	const struct tdx_body *b = &s->quote.body;

	check_debug(a, b);
	check_migration(a, b);
	check_sept_ve(a, b);
	check_attributes(a, b);
	check_xfam(a, b);
}
