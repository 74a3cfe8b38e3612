/* The event log of a TDX guest (CCEL): do the registers of the quote follow from it? Each register
 * counts for itself: what a running system extends (RTMR2, RTMR3) need not be in the log. */
#include "attest/appraise/check_tdx.h"

#include "attest/tpm/eventlog.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>

/* Registers that must follow where no policy says: those of firmware and boot loader. */
#define DEFAULT_REGISTERS 0x7u

/* Index 0 of a log is MRTD, which no event extends (UEFI 2.10 §38.4.1). */
#define INDEX_OF(rtmr) ((rtmr) + 1u)

static const char *const ids[] = { "tdx.ccel.form",   "tdx.ccel.rtmr.0", "tdx.ccel.rtmr.1",
				   "tdx.ccel.rtmr.2", "tdx.ccel.rtmr.3", "tdx.ccel.separators" };
#define IDS (sizeof(ids) / sizeof(ids[0]))

static void skip_from(const struct tdx_appraisal *a, size_t first, const char *why)
{
	for (size_t i = first; i < IDS; i++)
		check_skip(a->checks, ids[i], "%s", why);
}

static bool has_sha384(const struct eventlog *log)
{
	for (uint32_t i = 0; log->crypto_agile && i < log->alg_count; i++)
		if (log->algs[i].alg == TPM_ALG_SHA384)
			return true;
	return false;
}

static int replay_log(const struct tdx_appraisal *a, struct replay *out, struct err *e)
{
	struct eventlog log;
	int r = eventlog_open(a->ccel, a->ccel_size, &log, e);

	if (r == 0 && !has_sha384(&log))
		r = err_set(e, EX_MALFORMED, "CCEL: no Spec ID event that lists SHA-384");
	if (r == 0)
		r = eventlog_replay_known(a->ccel, a->ccel_size, TPM_ALG_SHA384, out, e);
	return r;
}

static void check_form(const struct tdx_appraisal *a, const struct replay *log)
{
	uint32_t others = log->touched & ~0x1Eu;
	char have[24];

	snprintf(have, sizeof(have), "%zu", a->ccel_size);
	if (others != 0)
		check_fail(a->checks, "tdx.ccel.form", EX_MALFORMED, have, NULL,
			   "CCEL: extends registers that a TD does not have (mask 0x%x)", others);
	else if (log->tail.kind == EVENTLOG_END_OPAQUE)
		check_pass(a->checks, "tdx.ccel.form", have,
			   "a crypto-agile log; its last %zu bytes, from offset %zu on, are no "
			   "event: not used",
			   log->tail.size, log->tail.offset);
	else
		check_pass(a->checks, "tdx.ccel.form", have, "a crypto-agile log, read to its end");
}

static void check_register(const struct tdx_appraisal *a, const struct tdx_subject *s,
			   const struct replay *log, unsigned n)
{
	uint32_t demanded = a->policy != NULL && a->policy->ccel_registers.given
				    ? a->policy->ccel_registers.set
				    : DEFAULT_REGISTERS;
	const char *id = ids[1 + n];
	const uint8_t *quoted = s->quote.body.rtmr[n], *replayed = log->pcr[INDEX_OF(n)];
	bool unknown = (log->unknown & 1u << INDEX_OF(n)) != 0;
	char have[2 * TDX_DIGEST_SIZE + 1], need[2 * TDX_DIGEST_SIZE + 1], component[8];

	hex_encode(replayed, TDX_DIGEST_SIZE, have);
	hex_encode(quoted, TDX_DIGEST_SIZE, need);
	snprintf(component, sizeof(component), "rtmr %u", n);
	if (!unknown && CRYPTO_memcmp(quoted, replayed, TDX_DIGEST_SIZE) == 0)
		check_pass(a->checks, id, have, "the quote's RTMR%u follows from the log", n);
	else if ((demanded & 1u << n) != 0)
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, need,
			   "the quote's RTMR%u does not follow from the log: a changed log, or "
			   "something extended the register without a word in it",
			   n);
	else
		check_skip(a->checks, id,
			   "the quote's RTMR%u does not follow from the log: extended beyond it; "
			   "the policy does not ask for this one",
			   n);
	check_tell(a->checks, component, NULL, NULL);
}

/* One separator a register ends what firmware measures; a second one would let what came after it
 * pass for what came before. */
static void check_separators(const struct tdx_appraisal *a)
{
	unsigned seen[TDX_RTMRS + 1] = { 0 };
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (check_tdx_unjudged(a, "tdx.ccel.separators"))
		return;
	if (eventlog_open(a->ccel, a->ccel_size, &log, &e) < 0) {
		check_fail_err(a->checks, "tdx.ccel.separators", &e);
		return;
	}
	while (eventlog_next(&log, &ev, &e) > 0)
		if (ev.type == EV_SEPARATOR && ev.pcr <= TDX_RTMRS)
			seen[ev.pcr]++;
	for (unsigned i = 0; i <= TDX_RTMRS; i++) {
		if (seen[i] <= 1)
			continue;
		if (a->policy->allow_duplicate_separators)
			check_skip(a->checks, "tdx.ccel.separators",
				   "register %u of the log has %u separators; the policy lets it "
				   "pass",
				   i, seen[i]);
		else
			check_fail(a->checks, "tdx.ccel.separators", EX_REFUSED, NULL, "1",
				   "duplicate separator: register %u of the log has %u", i,
				   seen[i]);
		return;
	}
	check_pass(a->checks, "tdx.ccel.separators", NULL, "at most one in each register");
}

void check_tdx_ccel(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	struct replay log = { 0 };
	struct err e = { 0 };

	if (a->ccel == NULL && a->policy != NULL && a->policy->require_ccel) {
		check_fail(a->checks, ids[0], EX_REFUSED, "none", "--ccel F",
			   "the policy wants the event log");
		skip_from(a, 1, "no event log was given");
		return;
	}
	if (a->ccel == NULL) {
		skip_from(a, 0, "no event log was given");
		return;
	}
	if (replay_log(a, &log, &e) < 0) {
		check_fail_err(a->checks, ids[0], &e);
		skip_from(a, 1, "the event log is malformed");
		return;
	}
	check_form(a, &log);
	for (unsigned i = 0; i < TDX_RTMRS; i++)
		check_register(a, s, &log, i);
	check_separators(a);
}
