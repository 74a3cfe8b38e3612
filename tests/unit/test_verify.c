/* Appraisal of synthetic evidence: the good one is affirmed, every change of it is not. */
#include "tests/unit/fake_evidence.h"

#include "attest/tpm/eventlog.h"
#include "common/bytes.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fake_world *world, *pristine;
static struct checks result;
static uint8_t nonce[32];

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof(*world));
	pristine = calloc(1, sizeof(*pristine));
	if (world == NULL || pristine == NULL)
		return -1;
	fake_world_make(world, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	memcpy(pristine, world, sizeof(*world));
	memset(nonce, 'n', sizeof(nonce));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_world_free(world);
	free(world);
	free(pristine);
	return 0;
}

/* A fresh copy for each test. The plan's pointers lead into `world` itself and stay right. */
static int renew(void **state)
{
	(void)state;
	memcpy(world, pristine, sizeof(*world));
	return 0;
}

static enum exit_status judge(void)
{
	return fake_world_judge(world, nonce, sizeof(nonce), &result);
}

static const struct check *find(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("check %s is not in the result", id);
	return &absent;
}

static void assert_fails(const char *id, enum exit_status failure)
{
	const struct check *k = find(id);

	assert_int_equal(k->status, CHECK_FAIL);
	assert_int_equal(k->failure, failure);
}

static void good_is_affirmed(void **state)
{
	(void)state;
	enum exit_status v = judge();

	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			print_message("%s: %s\n", result.item[i].id, result.item[i].note);
	assert_int_equal(v, EX_OK);
	assert_string_equal(find("reference.machine")->have, "cpus 2, memory 512M, pci_slots 2");
	assert_int_equal(find("log.replay.sha384.7")->status, CHECK_PASS);
	assert_int_equal(find("pcr.sha256.0")->status, CHECK_PASS);
	assert_int_equal(find("ak.provenance")->status, CHECK_SKIPPED);
	assert_int_equal(find("tee.evidence")->status, CHECK_SKIPPED);
}

/* Flips each byte of n at p; every flip must cost the verdict, with one of the classes allowed. */
static void flip_each(const char *what, uint8_t *p, size_t n, unsigned allowed)
{
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 1;
		enum exit_status v = judge();
		p[i] ^= 1;
		if (v == EX_OK || v > EX_MALFORMED || (allowed >> v & 1) == 0)
			fail_msg("%s byte %zu flipped: verdict %d", what, i, (int)v);
	}
	assert_int_equal(judge(), EX_OK);
}

#define UNAUTHENTIC (1u << EX_UNAUTHENTIC)
#define MALFORMED (1u << EX_MALFORMED)
#define REFUSED (1u << EX_REFUSED)

static void every_byte_counts(void **state)
{
	(void)state;
	struct evidence *ev = &world->evidence;

	flip_each("nonce", ev->nonce, ev->nonce_size, UNAUTHENTIC);
	flip_each("agent key", ev->public_key, ev->public_key_size, UNAUTHENTIC | MALFORMED);
	flip_each("ak", ev->ak_public, ev->ak_public_size, UNAUTHENTIC | MALFORMED);
	flip_each("quote", ev->quote, ev->quote_size, UNAUTHENTIC | MALFORMED);
	flip_each("signature", ev->signature, ev->signature_size, UNAUTHENTIC | MALFORMED);
	for (unsigned i = 0; i < EXPECT_PCRS; i++) {
		flip_each("sha256", ev->pcrs[0].value[i], 32, UNAUTHENTIC);
		flip_each("sha384", ev->pcrs[1].value[i], 48, UNAUTHENTIC);
	}
	/* Digests make the replay fail, forms the parse; texts are compared with the plan's log. */
	flip_each("log", ev->event_log, ev->event_log_size, UNAUTHENTIC | MALFORMED | REFUSED);
}

static void cut_anywhere(void **state)
{
	(void)state;
	size_t *sizes[] = { &world->evidence.quote_size, &world->evidence.signature_size,
			    &world->evidence.ak_public_size };

	for (size_t k = 0; k < 3; k++) {
		size_t whole = *sizes[k];
		for (size_t n = 1; n < whole; n++) {
			*sizes[k] = n;
			assert_int_not_equal(judge(), EX_OK);
		}
		*sizes[k] = whole;
	}
	size_t whole = world->evidence.event_log_size;
	for (size_t n = 1; n < whole; n++) {
		world->evidence.event_log_size = n;
		assert_int_not_equal(judge(), EX_OK);
	}
}

/* Padding after the log is not part of it; anything else is. */
static void log_padding(void **state)
{
	(void)state;
	struct evidence *ev = &world->evidence;
	size_t end = ev->event_log_size;

	ev->event_log_size = end + 1000;
	assert_int_equal(judge(), EX_OK);
	memset(ev->event_log + end, 0xFF, 1000);
	assert_int_equal(judge(), EX_OK);
	ev->event_log[end + 999] = 0;
	assert_int_equal(judge(), EX_MALFORMED);
}

/* The main promise: other firmware gives another PCR 0, named with both values. */
static void changed_firmware(void **state)
{
	(void)state;
	struct fake_world *other = calloc(1, sizeof(*other));

	assert_non_null(other);
	fake_world_make(other, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	other->firmware[FAKE_FIRMWARE_SIZE - 1] ^= 1; /* in its note: nothing reads it */
	struct err e = { 0 };
	assert_int_equal(plain_plan_open("plan", &other->built.plan, &other->contents, &e), 0);
	assert_int_equal(expect_base_make(&other->contents, &other->base, &e), 0);
	enum exit_status v = fake_world_judge(other, nonce, sizeof(nonce), &result);
	fake_world_free(other);
	free(other);
	assert_int_equal(v, EX_REFUSED);
	assert_fails("pcr.sha256.0", EX_REFUSED);
	assert_non_null(strstr(find("pcr.sha256.0")->note, "PCR 0"));
	assert_non_null(strstr(find("pcr.sha256.0")->note, "firmware"));
	assert_int_equal(strlen(find("pcr.sha256.0")->have), 64);
	assert_int_equal(strlen(find("pcr.sha256.0")->need), 64);
	assert_string_not_equal(find("pcr.sha256.0")->have, find("pcr.sha256.0")->need);
	assert_int_equal(find("pcr.sha256.4")->status, CHECK_PASS);
	assert_fails("reference.log", EX_REFUSED);
	assert_non_null(strstr(find("reference.log")->note, "HCRTM"));
}

/* Another kernel changes the hash page and so PCR 1 of every machine; the values named as needed
 * are still those of the machine that ran. */
static void changed_kernel(void **state)
{
	(void)state;
	struct fake_world *other = calloc(1, sizeof(*other));
	struct err e = { 0 };
	char need[65];

	assert_non_null(other);
	fake_world_make(other, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	other->kernel[FAKE_KERNEL_SIZE - 1] ^= 1;
	struct plain_input in = { .firmware = { "fw", other->firmware, FAKE_FIRMWARE_SIZE },
				  .kernel = { "kernel", other->kernel, FAKE_KERNEL_SIZE },
				  .initrd = { "initrd", other->initrd, sizeof(other->initrd) },
				  .cmdline = "console=ttyS0",
				  .max_cpus = 4,
				  .require_tpm = 1 };
	assert_int_equal(plain_plan_build(&in, &other->built, &e), 0);
	assert_int_equal(plain_plan_open("plan", &other->built.plan, &other->contents, &e), 0);
	assert_int_equal(expect_base_make(&other->contents, &other->base, &e), 0);
	struct machine m = { .memory = 512u << 20, .cpus = 2, .pci_slots = 2 };
	assert_int_equal(expect_machine(&other->base, &m, &other->expected, &e), 0);
	hex_encode(other->expected.pcr[0][1], 32, need);
	enum exit_status v = fake_world_judge(other, nonce, sizeof(nonce), &result);
	fake_world_free(other);
	free(other);
	assert_int_equal(v, EX_REFUSED);
	assert_fails("pcr.sha256.4", EX_REFUSED);
	assert_fails("pcr.sha256.1", EX_REFUSED);
	assert_string_equal(find("pcr.sha256.1")->need, need);
	assert_string_equal(find("reference.machine")->have, "cpus 2, memory 512M, pci_slots 2");
}

static void other_machine(void **state)
{
	(void)state;
	world->policy.cpus_count = 1; /* only 1 processor allowed, the evidence has 2 */
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("reference.machine", EX_REFUSED);
	assert_fails("pcr.sha384.1", EX_REFUSED);
	assert_int_equal(find("pcr.sha384.0")->status, CHECK_PASS);
}

static void freshness(void **state)
{
	(void)state;
	assert_int_equal(fake_world_judge(world, NULL, 0, &result), EX_REFUSED);
	assert_fails("freshness", EX_REFUSED);
	world->policy.require_nonce = false;
	assert_int_equal(fake_world_judge(world, NULL, 0, &result), EX_OK);
	assert_int_equal(find("freshness")->status, CHECK_SKIPPED);
	uint8_t other[32] = { 1 };
	assert_int_equal(fake_world_judge(world, other, 32, &result), EX_UNAUTHENTIC);
	assert_int_equal(fake_world_judge(world, nonce, 31, &result), EX_UNAUTHENTIC);
}

static void no_policy(void **state)
{
	(void)state;
	struct appraisal a = { .evidence = &world->evidence,
			       .nonce = nonce,
			       .nonce_size = sizeof(nonce),
			       .checks = &result };
	struct err e = { 0 };

	memset(&result, 0, sizeof(result));
	assert_int_equal(check_bundle(&a, &e), 0);
	assert_int_equal(checks_verdict(&result), EX_REFUSED);
	assert_fails("policy.given", EX_REFUSED);
	assert_int_equal(find("quote.signature")->status, CHECK_PASS);
}

static void no_vtpm(void **state)
{
	(void)state;
	world->evidence.has_vtpm = false;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("vtpm.present", EX_REFUSED);
	assert_int_equal(find("quote.signature")->status, CHECK_SKIPPED);
}

/* A bank that the policy demands and the quote leaves out. */
static void bank_missing(void **state)
{
	(void)state;
	world->evidence.pcrs[1].given = 0;
	fake_world_sign(world);
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("quote.selection", EX_REFUSED);
	world->policy.bank[1] = false;
	assert_int_equal(judge(), EX_OK);
}

/* One PCR given that the quote does not cover. */
static void value_not_quoted(void **state)
{
	(void)state;
	world->evidence.pcrs[0].given |= 1u << 11;
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("quote.selection", EX_UNAUTHENTIC);
}

static void other_values(void **state)
{
	(void)state;
	world->evidence.pcrs[1].value[6][0] ^= 1;
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("quote.pcr_digest", EX_UNAUTHENTIC);
	/* Quoted, but the log does not explain them. */
	fake_world_sign(world);
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_int_equal(find("quote.pcr_digest")->status, CHECK_PASS);
	assert_fails("log.replay.sha384.6", EX_UNAUTHENTIC);
	assert_int_equal(find("log.replay.sha256.6")->status, CHECK_PASS);
}

/* A restricted key signs with one scheme; a signature of another one is not the TPM's. */
static void other_scheme(void **state)
{
	(void)state;
	struct fake_world *rsa = calloc(1, sizeof(*rsa));

	assert_non_null(rsa);
	fake_world_make(rsa, TPM_ALG_RSASSA, TPM_ALG_SHA256);
	assert_int_equal(fake_world_judge(rsa, nonce, sizeof(nonce), &result), EX_OK);
	rsa->tpm.scheme = TPM_ALG_RSAPSS;
	fake_world_sign(rsa);
	enum exit_status v = fake_world_judge(rsa, nonce, sizeof(nonce), &result);
	fake_world_free(rsa);
	free(rsa);
	assert_int_equal(v, EX_UNAUTHENTIC);
	assert_fails("quote.signature", EX_UNAUTHENTIC);
}

/* PCRs above 7 belong to the running system. */
static void more_pcrs_quoted(void **state)
{
	(void)state;
	world->evidence.pcrs[0].given |= 1u << 11;
	world->evidence.pcrs[0].value[11][0] = 1;
	fake_world_sign(world);
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("log.replay.sha256.11")->status, CHECK_SKIPPED);
}

static void wrong_attributes(void **state)
{
	(void)state;
	static const uint32_t attributes[] = {
		TPMA_AK_SET & ~TPMA_RESTRICTED,
		TPMA_AK_SET & ~TPMA_FIXED_TPM,
		TPMA_AK_SET & ~TPMA_FIXED_PARENT,
		TPMA_AK_SET & ~TPMA_SIGN,
		TPMA_AK_SET & ~TPMA_SENSITIVE_DATA_ORIGIN,
		TPMA_AK_SET | TPMA_DECRYPT,
	};

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		for (size_t k = 0; k < 4; k++)
			world->evidence.ak_public[4 + k] = (uint8_t)(attributes[i] >> (24 - 8 * k));
		fake_world_sign(world);
		assert_int_equal(judge(), EX_UNAUTHENTIC);
		assert_fails("ak.form", EX_UNAUTHENTIC);
		assert_int_equal(find("quote.signature")->status, CHECK_PASS);
	}
}

static void pinned_key(void **state)
{
	(void)state;
	world->policy.ak_count = 1;
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	assert_fails("ak.provenance", EX_UNAUTHENTIC);
	assert_int_equal(EVP_Digest(world->evidence.ak_public, world->evidence.ak_public_size,
				    world->policy.ak_sha256[0], NULL, EVP_sha256(), NULL),
			 1);
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("ak.provenance")->status, CHECK_PASS);
}

/* Evidence with PCRs and log that agree and are quoted, but with one event more: appends an
 * event of that PCR and type with that data to log and PCR values. */
static void append_event(uint32_t pcr, uint32_t type, const void *data, uint32_t size)
{
	struct evidence *ev = &world->evidence;
	struct writer w = writer_over(ev->event_log + ev->event_log_size,
				      sizeof(ev->event_log) - ev->event_log_size);

	write_le32(&w, pcr);
	write_le32(&w, type);
	write_le32(&w, EXPECT_BANKS);
	for (unsigned i = 0; i < EXPECT_BANKS; i++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)i);
		uint8_t digest[48];
		EVP_Digest(data, size, digest, NULL, tpm_alg_md(alg), NULL);
		write_le16(&w, alg);
		write_copy(&w, digest, tpm_alg_size(alg));
		assert_int_equal(tpm_pcr_extend(alg, ev->pcrs[i].value[pcr], digest), 0);
	}
	write_le32(&w, size);
	write_copy(&w, data, size);
	assert_false(w.bad);
	ev->event_log_size += w.pos;
	fake_world_sign(world);
}

static void use_reference(void)
{
	world->policy.has_plan = false;
	memcpy(world->policy.reference, world->evidence.pcrs, sizeof(world->evidence.pcrs));
}

static void second_separator(void **state)
{
	(void)state;
	append_event(3, 4, "\0\0\0", 4);
	use_reference(); /* even a policy with these very values must not take it */
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("log.separators", EX_REFUSED);
	assert_int_equal(find("log.replay.sha256.3")->status, CHECK_PASS);
}

/* PFP: a separator with other data marks an error; nothing in the digests shows it. */
static void odd_separator(void **state)
{
	(void)state;
	struct evidence *ev = &world->evidence;
	struct eventlog log;
	struct event event = { 0 };
	struct err e = { 0 };

	assert_int_equal(eventlog_open(ev->event_log, ev->event_log_size, &log, &e), 0);
	while (event.type != EV_SEPARATOR)
		assert_int_equal(eventlog_next(&log, &event, &e), 1);
	ev->event_log[event.data - ev->event_log] = 1;
	use_reference();
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("log.separators", EX_REFUSED);
}

static void unknown_event(void **state)
{
	(void)state;
	append_event(7, 0x80000001u, "SecureBoot", 10);
	use_reference();
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("log.events", EX_REFUSED);
}

static void reference_values(void **state)
{
	(void)state;
	use_reference();
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("pcr.sha256.4")->status, CHECK_PASS);
	world->policy.reference[0].value[4][0] ^= 1;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("pcr.sha256.4", EX_REFUSED);
}

/* Through JSON and back, and each character of the text replaced: never affirmed unless the
 * change is in what the host claims or leaves every value the same. */
static void json_round_trip(void **state)
{
	(void)state;
	char *text = fake_world_json(world);
	size_t size = strlen(text);
	struct evidence *back = calloc(1, sizeof(*back));
	struct err e = { 0 };

	assert_non_null(back);
	assert_int_equal(evidence_parse("text", text, size, back, &e), 0);
	assert_memory_equal(back->event_log, world->evidence.event_log, EVIDENCE_LOG_MAX);
	assert_memory_equal(back->quote, world->evidence.quote, EVIDENCE_PART_MAX);
	assert_string_equal(back->claim_vm, "test");
	size_t claims = (size_t)(strstr(text, "host_claims") - text);
	for (size_t i = 0; i < claims; i += i < 2000 ? 1 : 7) {
		char old = text[i];
		text[i] = old == 'A' ? 'B' : 'A';
		e = (struct err){ 0 };
		if (evidence_parse("text", text, size, back, &e) == 0) {
			memcpy(&world->evidence, back, sizeof(*back));
			if (judge() == EX_OK && memcmp(back, &pristine->evidence,
						       offsetof(struct evidence, claim_vm)) != 0)
				fail_msg("character %zu ('%c') changed: affirmed", i, old);
		} else {
			assert_int_equal(e.status, EX_MALFORMED);
		}
		text[i] = old;
	}
	free(back);
	free(text);
}

/* What the host says of itself is shown, bounded, and never changes the verdict. */
static void claims_of_the_host(void **state)
{
	static const char long_text[] =
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; /* 65 */
	static const struct {
		const char *claims, *note; /* NULL: refused */
	} rows[] = {
		{ "{}", "none made" },
		{ "{\"vm\":\"web\",\"isolation\":\"required\"}",
		  "untrusted, not used: the host says vm \"web\", isolation \"required\"" },
		{ "{\"vm\":\"web\",\"isolation\":\"degraded\",\"missing\":[]}",
		  "untrusted, not used: the host says vm \"web\", isolation \"degraded\"" },
		{ "{\"vm\":\"web\",\"isolation\":\"degraded\",\"missing\":[\"labels\",\"x\"]}",
		  "untrusted, not used: the host says vm \"web\", isolation \"degraded\" without "
		  "labels, x" },
		{ "{\"missing\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]}",
		  "untrusted, not used: the host says vm \"\", isolation \"\" without "
		  "1, 2, 3, 4, 5, 6, 7, 8" },
		{ "{\"missing\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}", NULL },
		{ "{\"missing\":\"labels\"}", NULL },
		{ "{\"missing\":[1]}", NULL },
		{ "{\"missing\":[\"\"]}", NULL },
		{ "{\"lacking\":[]}", NULL },
	};
	char *text = fake_world_json(world);
	struct evidence *back = calloc(1, sizeof(*back));
	json_t *j = json_loads(text, 0, NULL);

	(void)state;
	assert_non_null(back);
	for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		bool last = i == sizeof(rows) / sizeof(rows[0]);
		const char *note = last ? NULL : rows[i].note;
		json_t *claims = last ? json_pack("{s:[s]}", "missing", long_text)
				      : json_loads(rows[i].claims, 0, NULL);
		struct err e = { 0 };

		json_object_set_new(j, "host_claims", claims);
		char *changed = json_dumps(j, 0);
		int r = evidence_parse("text", changed, strlen(changed), back, &e);
		free(changed);
		assert_int_equal(r, note == NULL ? -EX_MALFORMED : 0);
		if (note == NULL)
			continue;
		memcpy(&world->evidence, back, sizeof(*back));
		assert_int_equal(judge(), EX_OK);
		assert_int_equal(find("host.claims")->status, CHECK_SKIPPED);
		assert_string_equal(find("host.claims")->note, note);
	}
	json_decref(j);
	free(back);
	free(text);
}

/* The objects "tpm" and "event_log" of a policy hold for the vTPM of a bundle, too. */
static void vtpm_demands(void **state)
{
	(void)state;
	struct tpm_policy *p = &world->policy.tpm;
	struct policy_pcrs *pcrs = &p->pcrs;

	p->require_safe_clock = true;
	pcrs->bank[1].given = 1u << 4;
	pcrs->bank[1].count[4] = 1;
	memcpy(pcrs->bank[1].value[4][0], world->evidence.pcrs[1].value[4], 48);
	p->quoted = 0xFF;
	p->banks = (struct policy_words){ true, 1u << TPM_BANK_SHA256 };
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("quote.clock")->status, CHECK_PASS);
	pcrs->bank[1].value[4][0][0] ^= 1;
	assert_int_equal(judge(), EX_REFUSED);
	pcrs->bank[1].value[4][0][0] ^= 1;
	p->quoted = 0x1FF;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("quote.selection", EX_REFUSED);
	p->quoted = 0xFF;
	p->require_provenance = true;
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("ak.provenance", EX_REFUSED);
	p->ak_sha256 = (struct policy_digests){ .count = 1, .size = 32 };
	assert_int_equal(judge(), EX_UNAUTHENTIC);
	EVP_Digest(world->evidence.ak_public, world->evidence.ak_public_size,
		   p->ak_sha256.value[0], NULL, EVP_sha256(), NULL);
	assert_int_equal(judge(), EX_OK);
	/* The firmware logs no state of Secure Boot. */
	world->policy.log.secure_boot = (struct policy_words){ true, 1u << 2 };
	assert_int_equal(judge(), EX_REFUSED);
	assert_fails("log.secure_boot", EX_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_is_affirmed, renew),
		cmocka_unit_test_setup(log_padding, renew),
		cmocka_unit_test_setup(changed_firmware, renew),
		cmocka_unit_test_setup(changed_kernel, renew),
		cmocka_unit_test_setup(other_machine, renew),
		cmocka_unit_test_setup(freshness, renew),
		cmocka_unit_test_setup(no_policy, renew),
		cmocka_unit_test_setup(no_vtpm, renew),
		cmocka_unit_test_setup(bank_missing, renew),
		cmocka_unit_test_setup(value_not_quoted, renew),
		cmocka_unit_test_setup(other_values, renew),
		cmocka_unit_test_setup(other_scheme, renew),
		cmocka_unit_test_setup(more_pcrs_quoted, renew),
		cmocka_unit_test_setup(wrong_attributes, renew),
		cmocka_unit_test_setup(pinned_key, renew),
		cmocka_unit_test_setup(second_separator, renew),
		cmocka_unit_test_setup(odd_separator, renew),
		cmocka_unit_test_setup(unknown_event, renew),
		cmocka_unit_test_setup(reference_values, renew),
		cmocka_unit_test_setup(vtpm_demands, renew),
		cmocka_unit_test_setup(every_byte_counts, renew),
		cmocka_unit_test_setup(cut_anywhere, renew),
		cmocka_unit_test_setup(json_round_trip, renew),
		cmocka_unit_test_setup(claims_of_the_host, renew),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
