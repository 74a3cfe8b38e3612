/* Checks of the event log: it must explain the quoted PCRs, and hold nothing else. */
#include "attest/appraise/appraise.h"

#include "attest/appraise/appraise_common.h"
#include "attest/appraise/log_case.h"
#include "attest/tpm/eventlog.h"
#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

#define HCRTM_TEXT "HCRTM"
#define CMDLINE_PREFIX "cmdline: "

/* 0: parses to its end, crypto-agile. Names the first thing that is wrong. */
static int walk(const struct evidence *ev, struct err *e)
{
	struct eventlog log;
	struct event event;
	int r = eventlog_open(ev->event_log, ev->event_log_size, &log, e);

	if (r == 0 && !log.crypto_agile)
		return err_set(e, EX_MALFORMED, "event log: the old SHA-1 form: no Spec ID event");
	while (r == 0 && (r = eventlog_next(&log, &event, e)) > 0)
		r = 0;
	return r;
}

static void check_replay(const struct appraisal *a, enum expect_bank bank)
{
	const struct pcr_values *given = &a->evidence->pcrs[bank];
	uint16_t alg = expect_bank_alg(bank);
	char id[32], have[2 * TPM_DIGEST_MAX + 1], need[2 * TPM_DIGEST_MAX + 1];
	struct replay replay;
	struct err e = { 0 };

	if (eventlog_replay(a->evidence->event_log, a->evidence->event_log_size, alg, &replay, &e) <
	    0) {
		check_fail_err(a->checks, "log.replay", &e);
		return;
	}
	for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
		if ((given->given >> i & 1) == 0)
			continue;
		check_id(id, "log.replay", bank, i);
		hex_encode(replay.pcr[i], tpm_alg_size(alg), have);
		hex_encode(given->value[i], tpm_alg_size(alg), need);
		if (i >= EXPECT_PCRS)
			check_skip(a->checks, id, "not the firmware's: its log says nothing of it");
		else if (memcmp(replay.pcr[i], given->value[i], tpm_alg_size(alg)) == 0)
			check_pass(a->checks, id, have, "the log leads to the quoted value");
		else
			check_fail(
				a->checks, id, EX_UNAUTHENTIC, have, need,
				"PCR %u (%s): the log leads to another value than the quoted one",
				i, tpm_alg_name(alg));
	}
}

static bool data_is(const struct event *ev, const char *text)
{
	return ev->size == strlen(text) && memcmp(ev->data, text, ev->size) == 0;
}

/* Are the digests of an event those of n bytes at data? Nothing else vouches for event data. */
static bool digests_are_of(const struct eventlog *log, const struct event *ev, const void *data,
			   size_t n)
{
	uint8_t want[TPM_DIGEST_MAX];

	for (uint32_t i = 0; i < log->alg_count; i++) {
		const EVP_MD *md = tpm_alg_md(log->algs[i].alg);
		if (ev->digest[i] == NULL || md == NULL ||
		    !EVP_Digest(n == 0 ? "" : data, n, want, NULL, md, NULL) ||
		    memcmp(want, ev->digest[i], log->algs[i].size) != 0)
			return false;
	}
	return true;
}

static bool separator_is_sound(const struct eventlog *log, const struct event *ev)
{
	static const uint8_t zero[4];

	return ev->size == sizeof(zero) && memcmp(ev->data, zero, sizeof(zero)) == 0 &&
	       digests_are_of(log, ev, zero, sizeof(zero));
}

/* PFP §3.3.2.2 wants a separator in each of PCR 0 to 7 before control leaves the firmware; a
 * second one, or one that marks an error, hides what came in between. */
static void check_separators(const struct appraisal *a)
{
	unsigned count[EXPECT_PCRS] = { 0 };
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };
	bool sound =
		eventlog_open(a->evidence->event_log, a->evidence->event_log_size, &log, &e) == 0;

	while (sound && eventlog_next(&log, &ev, &e) > 0) {
		if (ev.type != EV_SEPARATOR)
			continue;
		if (ev.pcr >= EXPECT_PCRS || !separator_is_sound(&log, &ev)) {
			check_fail(a->checks, "log.separators", EX_REFUSED, NULL, NULL,
				   "event %u: a separator with other data than four zero bytes, or "
				   "above PCR 7",
				   ev.index);
			return;
		}
		count[ev.pcr]++;
	}
	for (unsigned i = 0; i < EXPECT_PCRS; i++) {
		if (count[i] == 1)
			continue;
		char have[16];
		snprintf(have, sizeof(have), "%u", count[i]);
		check_fail(a->checks, "log.separators", EX_REFUSED, have, "1",
			   "PCR %u: exactly one separator is needed", i);
		return;
	}
	check_pass(a->checks, "log.separators", NULL, "exactly one in each of PCR 0 to 7");
}

/* One of the events that our firmware writes, firmware/events.h. */
static bool is_known(const struct eventlog *log, const struct event *ev)
{
	const size_t prefix = strlen(CMDLINE_PREFIX);

	switch (ev->type) {
	case EV_NO_ACTION:
		return ev->pcr == 0 && ev->size == 17 &&
		       memcmp(ev->data, "StartupLocality\0\4", 17) == 0;
	case EV_EFI_HCRTM_EVENT:
		return ev->pcr == 0 && data_is(ev, HCRTM_TEXT);
	case EV_S_CRTM_VERSION:
		return ev->pcr == 0 && digests_are_of(log, ev, ev->data, ev->size);
	case EV_PLATFORM_CONFIG_FLAGS:
		return ev->pcr == 1 &&
		       (data_is(ev, "pavise-boot-block") || data_is(ev, "pavise-acpi") ||
			data_is(ev, "pavise-hash-page"));
	case EV_SEPARATOR:
		return ev->pcr < EXPECT_PCRS;
	case EV_IPL:
		if (ev->pcr == 4)
			return data_is(ev, "kernel") || data_is(ev, "initrd");
		return ev->pcr == 5 && ev->size >= prefix &&
		       memcmp(ev->data, CMDLINE_PREFIX, prefix) == 0 &&
		       digests_are_of(log, ev, ev->data + prefix, ev->size - prefix);
	default:
		return false;
	}
}

static void check_events(const struct appraisal *a)
{
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (eventlog_open(a->evidence->event_log, a->evidence->event_log_size, &log, &e) < 0) {
		check_fail_err(a->checks, "log.events", &e);
		return;
	}
	while (eventlog_next(&log, &ev, &e) > 0)
		if (!is_known(&log, &ev)) {
			check_fail(a->checks, "log.events", EX_REFUSED, NULL, NULL,
				   "event %u at offset %zu: PCR %u, type 0x%08x: unknown, or its "
				   "digest is not of its data",
				   ev.index, ev.offset, ev.pcr, ev.type);
			return;
		}
	check_pass(a->checks, "log.events", NULL, "only events of the firmware");
}

void check_event_log(const struct appraisal *a)
{
	static const char *const rest[] = { "log.replay", "log.separators", "log.events",
					    "log.secure_boot" };
	struct log_case whole = { .checks = a->checks,
				  .data = a->evidence->event_log,
				  .size = a->evidence->event_log_size,
				  .policy = &a->policy->log,
				  .unjudged = a->evidence->tee == EVIDENCE_PLAIN
						      ? appraise_unjudged(a)
						      : HOST_VTPM };
	struct err e = { 0 };

	if (walk(a->evidence, &e) < 0) {
		check_fail_err(a->checks, "log.form", &e);
		for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
			check_skip(a->checks, rest[i], "the event log is malformed");
		return;
	}
	check_pass(a->checks, "log.form", NULL, "crypto-agile TCG event log");
	for (unsigned i = 0; i < EXPECT_BANKS; i++)
		if (a->evidence->pcrs[i].given != 0)
			check_replay(a, (enum expect_bank)i);
	if (a->policy->base == POLICY_NONE) {
		check_skip(a->checks, "log.separators", UNJUDGED);
		check_skip(a->checks, "log.events", UNJUDGED);
	} else {
		check_separators(a);
		check_events(a);
	}
	/* A register that does not replay has failed above. */
	check_log_secure_boot(&whole, 0xFF);
}
