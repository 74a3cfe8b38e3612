#include "attest/appraise/log_case.h"

#include "attest/tpm/event_meaning.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define SECURE_BOOT_PCR 7u
#define SECURE_BOOT_RTMR 1u /* index of RTMR0 */
#define FIRMWARE_PCRS 8u    /* PCR 0..7 have separators */

static const char *const log_ids[] = { "log.form",   "log.replay",  "log.separators",
				       "log.events", "log.digests", "log.secure_boot" };

static void skip_from(struct checks *c, size_t first, const char *why)
{
	for (size_t i = first; i < sizeof(log_ids) / sizeof(log_ids[0]); i++)
		check_skip(c, log_ids[i], "%s", why);
}

void skip_log_checks(struct checks *checks, const char *why)
{
	skip_from(checks, 0, why);
}

static void name_register(const struct log_case *c, uint32_t index, char out[16])
{
	if (c->cc)
		snprintf(out, 16, "RTMR%u", index - 1);
	else
		snprintf(out, 16, "PCR %u", index);
}

static void name_check(const struct log_case *c, uint16_t alg, uint32_t index, char out[32])
{
	if (c->cc)
		snprintf(out, 32, "log.replay.rtmr%u", index - 1);
	else
		snprintf(out, 32, "log.replay.%s.%u", tpm_alg_name(alg), index);
}

static bool is_enforced(const struct log_case *c, uint32_t index)
{
	uint64_t mask = c->cc ? c->policy->rtmrs << 1 : c->policy->pcrs;

	return (mask >> index & 1) != 0;
}

/* Is it a log whose events can be told apart? Says how it ends. */
static bool check_form(const struct log_case *c)
{
	static const char *const ends[] = { "its end is exact", "zeros follow", "0xFF follow" };
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };
	int r = eventlog_open(c->data, c->size, &log, &e);

	if (r < 0) {
		check_fail_err(c->checks, log_ids[0], &e);
		return false;
	}
	while ((r = eventlog_next(&log, &ev, &e)) > 0)
		;
	if (r == 0) {
		check_pass(c->checks, log_ids[0], NULL, "%s, %s",
			   log.crypto_agile ? "crypto-agile" : "legacy SHA-1", ends[log.tail.kind]);
		return true;
	}
	if (c->policy->allow_opaque_tail)
		check_pass(c->checks, log_ids[0], NULL,
			   "opaque tail of %zu bytes at offset %zu, allowed: %s", log.tail.size,
			   log.tail.offset, e.text);
	else
		check_fail(c->checks, log_ids[0], EX_MALFORMED, NULL, NULL,
			   "opaque tail of %zu bytes at offset %zu: %s", log.tail.size,
			   log.tail.offset, e.text);
	return true;
}

static void tell_register(const struct log_case *c, uint32_t index)
{
	char component[16];

	name_register(c, index, component);
	check_tell(c->checks, component, NULL, NULL);
}

/* True: the log leads to the attested value. */
static bool check_register(const struct log_case *c, const struct log_bank *bank,
			   const struct replay *replay, uint32_t index)
{
	size_t n = tpm_alg_size(bank->alg);
	bool enforced = is_enforced(c, index);
	char id[32], have[2 * TPM_DIGEST_MAX + 1], need[2 * TPM_DIGEST_MAX + 1];
	bool same = (replay->unknown >> index & 1) == 0 &&
		    CRYPTO_memcmp(replay->pcr[index], bank->value[index], n) == 0;

	name_check(c, bank->alg, index, id);
	hex_encode(replay->pcr[index], n, have);
	hex_encode(bank->value[index], n, need);
	if (same && (enforced || (replay->touched >> index & 1) != 0))
		check_pass(c->checks, id, have, "the log leads to the attested value");
	else if (!enforced && (replay->touched >> index & 1) == 0)
		check_skip(c->checks, id, "the log says nothing of it");
	else if (!enforced)
		check_skip(c->checks, id,
			   "the log leads to another value; the policy does not ask for this "
			   "register");
	else if ((replay->unknown >> index & 1) != 0)
		check_fail(c->checks, id, EX_UNAUTHENTIC, NULL, need,
			   "the log cannot say: an event without a digest of this bank, or a "
			   "StartupLocality that makes no sense");
	else
		check_fail(c->checks, id, EX_UNAUTHENTIC, have, need,
			   "the log leads to another value than the attested one");
	tell_register(c, index);
	return same;
}

static bool log_has(const struct log_case *c, uint16_t alg)
{
	struct eventlog log;
	struct err e = { 0 };
	bool found = false;

	if (eventlog_open(c->data, c->size, &log, &e) < 0)
		return false;
	for (uint32_t i = 0; i < log.alg_count; i++)
		found |= log.algs[i].alg == alg;
	return found;
}

static void check_bank(const struct log_case *c, const struct log_bank *bank, uint32_t *replayed)
{
	struct replay replay;
	struct err e = { 0 };

	if (eventlog_replay_known(c->data, c->size, bank->alg, &replay, &e) < 0) {
		check_fail_err(c->checks, log_ids[1], &e);
		return;
	}
	uint32_t stray = replay.touched & (c->cc ? ~0x1Eu : 0);
	if (stray != 0)
		check_fail(c->checks, log_ids[1], EX_MALFORMED, NULL, NULL,
			   "extends registers that a CC log does not have (mask 0x%x)", stray);
	for (uint32_t i = 0; i < TPM_PCR_COUNT; i++)
		if ((bank->given >> i & 1) != 0 && check_register(c, bank, &replay, i))
			*replayed |= 1u << i;
}

/* Registers that replayed in a bank that counts. */
static uint32_t check_replay(const struct log_case *c)
{
	uint32_t replayed = 0;
	unsigned banks = 0;

	for (size_t i = 0; i < c->bank_count; i++) {
		const struct log_bank *bank = &c->bank[i];
		if (bank->given == 0 || tpm_alg_size(bank->alg) == 0 || !log_has(c, bank->alg) ||
		    (bank->alg == TPM_ALG_SHA1 && !c->allow_sha1))
			continue;
		check_bank(c, bank, &replayed);
		banks++;
	}
	if (banks == 0)
		check_fail(c->checks, log_ids[1], EX_REFUSED, NULL, NULL,
			   "the log and the quote have no bank in common that counts");
	return replayed;
}

/* PFP §3.3.2.2: four bytes, zeros or ones; 1 says that the firmware met an error. */
static bool separator_is_sound(const struct eventlog *log, const struct event *ev)
{
	static const uint8_t ends[2][4] = { { 0 }, { 0xFF, 0xFF, 0xFF, 0xFF } };

	return ev->size == 4 && event_match(log, ev) == EVENT_OF_DATA &&
	       (memcmp(ev->data, ends[0], 4) == 0 || memcmp(ev->data, ends[1], 4) == 0);
}

/* Counts them by register. False: one of the firmware's is not sound; *bad names it. */
static bool count_separators(const struct log_case *c, unsigned count[TPM_PCR_COUNT],
			     struct event *bad)
{
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (eventlog_open(c->data, c->size, &log, &e) < 0)
		return true;
	while (eventlog_next(&log, &ev, &e) > 0) {
		/* Boot loaders have separators of their own in higher registers. */
		if (ev.type != EV_SEPARATOR || ev.pcr >= FIRMWARE_PCRS)
			continue;
		count[ev.pcr]++;
		if (!separator_is_sound(&log, &ev)) {
			*bad = ev;
			return false;
		}
	}
	return true;
}

/* A second separator hides what came in between: what the firmware measured, or what ran after
 * it. A CC log has one in some of its registers only. */
static void check_separators(const struct log_case *c)
{
	unsigned count[TPM_PCR_COUNT] = { 0 };
	struct event bad = { 0 };
	char have[16];

	if (c->policy->allow_separators) {
		check_skip(c->checks, log_ids[2], "the policy accepts any");
		return;
	}
	if (!count_separators(c, count, &bad)) {
		check_fail(c->checks, log_ids[2], EX_REFUSED, NULL, NULL,
			   "event %u: a separator whose data are not four equal bytes 0 or 0xFF, "
			   "or not what was measured",
			   bad.index);
		return;
	}
	for (uint32_t i = c->cc ? 1 : 0; i < FIRMWARE_PCRS; i++) {
		if (count[i] == 1 || (c->cc && count[i] == 0))
			continue;
		snprintf(have, sizeof(have), "%u", count[i]);
		check_fail(c->checks, log_ids[2], EX_REFUSED, have, "1", "%s",
			   count[i] == 0 ? "a separator is missing" : "duplicate separator");
		tell_register(c, i);
		return;
	}
	check_pass(c->checks, log_ids[2], NULL, "%s",
		   c->cc ? "none twice" : "exactly one in each of PCR 0 to 7");
}

static void check_events(const struct log_case *c)
{
	uint32_t unknown = 0, opaque = 0, measured = 0;
	struct event ev, first = { 0 };
	struct eventlog log;
	struct err e = { 0 };

	if (eventlog_open(c->data, c->size, &log, &e) < 0)
		return;
	while (eventlog_next(&log, &ev, &e) > 0) {
		if (event_type_name(ev.type) == NULL && unknown++ == 0)
			first = ev;
		measured += event_extends(&ev);
		opaque += event_match(&log, &ev) == EVENT_OPAQUE;
	}
	if (c->unjudged != NULL)
		check_skip(c->checks, log_ids[3], "%s", c->unjudged);
	else if (unknown == 0)
		check_pass(c->checks, log_ids[3], NULL, "every type is one of the profile's");
	else if (c->policy->allow_unknown_events)
		check_pass(c->checks, log_ids[3], NULL, "%u of unknown type, allowed: %s", unknown,
			   "they count in the replay as all others");
	else
		check_fail(c->checks, log_ids[3], EX_REFUSED, NULL, NULL,
			   "event %u at offset %zu: unknown type 0x%08x", first.index, first.offset,
			   first.type);
	check_skip(c->checks, log_ids[4],
		   "%u of %u measured events are opaque: their digests are of something that the "
		   "log does not hold",
		   opaque, measured);
}

void check_log_secure_boot(const struct log_case *c, uint32_t replayed)
{
	static const char *const names[] = { "unknown", "off", "on" };
	uint32_t reg = c->cc ? SECURE_BOOT_RTMR : SECURE_BOOT_PCR;
	enum secure_boot state = SECURE_BOOT_UNKNOWN;

	/* A register that does not replay vouches for nothing. */
	if ((replayed >> reg & 1) != 0)
		state = eventlog_secure_boot(c->data, c->size, reg);
	claim_text(c->checks, "log.secure_boot", names[state]);
	if (c->unjudged != NULL)
		check_skip(c->checks, log_ids[5], "%s", c->unjudged);
	else if (!c->policy->secure_boot.given)
		check_skip(c->checks, log_ids[5], "%s; the policy does not ask", names[state]);
	else if ((c->policy->secure_boot.set >> state & 1) != 0)
		check_pass(c->checks, log_ids[5], names[state], "a state that the policy accepts");
	else
		check_fail(c->checks, log_ids[5], EX_REFUSED, names[state],
			   "one of the policy's event_log.secure_boot",
			   "a state that the policy does not accept");
}

void check_log_case(const struct log_case *c)
{
	if (c->data == NULL) {
		if (c->policy->require && c->unjudged == NULL)
			check_fail(c->checks, log_ids[0], EX_REFUSED, "none", "an event log",
				   "the policy wants one");
		else
			check_skip(c->checks, log_ids[0], "no event log given");
		skip_from(c->checks, 1, "no event log given");
		return;
	}
	if (!check_form(c)) {
		skip_from(c->checks, 1, "the event log is malformed");
		return;
	}
	uint32_t replayed = check_replay(c);
	if (c->unjudged != NULL)
		check_skip(c->checks, log_ids[2], "%s", c->unjudged);
	else
		check_separators(c);
	check_events(c);
	check_log_secure_boot(c, replayed);
}

void check_cc_log(const uint8_t *data, size_t size, const uint8_t rtmr[EVENTLOG_RTMRS][48],
		  const struct log_policy *policy, const char *unjudged, struct checks *checks)
{
	struct log_case c = { .checks = checks,
			      .data = data,
			      .size = size,
			      .cc = true,
			      .policy = policy,
			      .unjudged = unjudged,
			      .bank_count = 1 };

	c.bank[0].alg = TPM_ALG_SHA384;
	for (unsigned i = 0; i < EVENTLOG_RTMRS; i++) {
		c.bank[0].value[i + 1] = rtmr[i];
		c.bank[0].given |= 1u << (i + 1);
	}
	check_log_case(&c);
}
