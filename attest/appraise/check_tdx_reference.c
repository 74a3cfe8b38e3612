/* A quote and its log against what the policy's plan leads to. */
#include "attest/appraise/check_tdx.h"

#include "attest/appraise/log_compare.h"
#include "attest/appraise/tdx_reference.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static void check_register(const struct tdx_appraisal *a, const char *id, const char *name,
			   const char *meaning, const uint8_t *have, const uint8_t *need)
{
	char have_hex[2 * TDX_DIGEST_SIZE + 1], need_hex[2 * TDX_DIGEST_SIZE + 1];

	hex_encode(have, TDX_DIGEST_SIZE, have_hex);
	hex_encode(need, TDX_DIGEST_SIZE, need_hex);
	if (CRYPTO_memcmp(have, need, TDX_DIGEST_SIZE) == 0)
		check_pass(a->checks, id, have_hex, "what the plan's files lead to: %s", meaning);
	else
		check_fail(a->checks, id, EX_REFUSED, have_hex, need_hex,
			   "%s is not what the plan's files lead to: it measures %s", name,
			   meaning);
}

static void check_machine(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	static const char id[] = "reference.machine";
	const struct tdx_reference *r = a->reference;
	char have[96];

	if (!r->has_machine) {
		check_skip(a->checks, id, "the policy states none: any that the plan allows");
		return;
	}
	snprintf(have, sizeof(have), "cpus %u, memory %lluM, pci_slots %u%s", r->machine.cpus,
		 (unsigned long long)(r->machine.memory >> 20), r->machine.pci_slots,
		 r->machine.no_tpm ? ", no vTPM" : "");
	if (CRYPTO_memcmp(b->rtmr[0], r->expected->rtmr[0], TDX_DIGEST_SIZE) == 0)
		check_pass(a->checks, id, have, "the machine that matches");
	else
		check_fail(a->checks, id, EX_REFUSED, have, NULL,
			   "no machine that the policy allows has this RTMR0; the values below "
			   "are for this one");
}

/* The host's choice: which memory, processors and slots the machine has. The firmware, which MRTD
 * measures, checks the boot block and makes the ACPI tables of it. */
static bool is_hosts_choice(const struct event *need)
{
	static const char *const names[] = { "pavise-boot-block", "pavise-acpi" };
	bool found = false;

	for (size_t i = 0; i < 2 && need->type == FW_EV_PLATFORM_CONFIG_FLAGS; i++)
		found |= need->size == strlen(names[i]) &&
			 memcmp(need->data, names[i], need->size) == 0;
	return found;
}

/* True: replaying the log gives RTMR0. */
static bool log_leads_to(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	uint8_t rtmr[EVENTLOG_RTMRS][48];
	uint32_t touched = 0;
	struct err e = { 0 };

	return eventlog_replay_rtmr(a->ccel, a->ccel_size, rtmr, &touched, &e) == 0 &&
	       CRYPTO_memcmp(rtmr[0], b->rtmr[0], TDX_DIGEST_SIZE) == 0;
}

/* RTMR0 of any machine that the plan allows: by the log, whose events but two are known. */
static void check_rtmr0_by_log(const struct tdx_appraisal *a, const struct tdx_body *b,
			       enum log_answer answer)
{
	static const char id[] = "tdx.rtmr.0";
	char have[2 * TDX_DIGEST_SIZE + 1];

	hex_encode(b->rtmr[0], TDX_DIGEST_SIZE, have);
	if (a->ccel == NULL)
		check_skip(a->checks, id,
			   "the policy states no machine and there is no event log: not judged; "
			   "what it says of files, MRTD says, too");
	else if (!log_leads_to(a, b))
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, NULL,
			   "the event log leads to another value than the attested one");
	else if (answer != LOG_SAME)
		check_fail(a->checks, id, EX_REFUSED, have, NULL,
			   "the event log, which leads to this value, is not what the plan's files "
			   "lead to: see reference.log");
	else
		check_pass(a->checks, id, have,
			   "by the event log: what the plan's files lead to, on a machine of the "
			   "host's choice");
}

/* LOG_MALFORMED without a log, too. */
static enum log_answer compare(const struct tdx_appraisal *a, struct log_difference *d)
{
	const struct tdx_reference *r = a->reference;

	if (a->ccel == NULL)
		return LOG_MALFORMED;
	return log_compare(a->ccel, a->ccel_size, r->expected->log, r->expected->log_size,
			   TPM_ALG_SHA384, r->has_machine ? NULL : is_hosts_choice, d);
}

void check_tdx_registers(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	const struct tdx_reference *r = a->reference;
	struct log_difference d;

	check_register(a, "tdx.mrtd", "MRTD", "firmware and hash page", b->mrtd, r->mrtd);
	if (r->has_machine)
		check_register(a, "tdx.rtmr.0", "RTMR0", tdx_rtmr_meaning(0), b->rtmr[0],
			       r->expected->rtmr[0]);
	else
		check_rtmr0_by_log(a, b, compare(a, &d));
	check_register(a, "tdx.rtmr.1", "RTMR1", tdx_rtmr_meaning(1), b->rtmr[1],
		       r->expected->rtmr[1]);
}

void check_tdx_machine(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	static const char good[] = "byte for byte what the plan's files lead to";
	static const char hosts[] = "what the plan's files lead to, on a machine of the host's "
				    "choice";
	struct log_difference d = { 0 };

	if (a->reference == NULL) {
		check_skip(a->checks, "reference.machine", "the policy names no plan");
		check_skip(a->checks, "reference.log", "the policy names no plan");
		return;
	}
	check_machine(a, b);
	if (a->ccel == NULL)
		check_skip(a->checks, "reference.log", "no event log given");
	else
		check_log_answer(a->checks, compare(a, &d), &d, true,
				 a->reference->has_machine ? good : hosts);
}
