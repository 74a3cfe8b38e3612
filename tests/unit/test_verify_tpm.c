/* Appraisals of TPM quotes alone: everything that must be affirmed, and each thing that must not.
 */
#include "attest/appraise/appraise_common.h"

#include "attest/appraise/log_case.h"
#include "attest/tpm/event_meaning.h"
#include "common/bytes.h"
#include "tests/unit/fake_ca.h"
#include "tests/unit/fake_tpm.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t nonce[20] = "nonce of our choice";

/* A quote of two banks over what a small log leads to, and a policy. */
struct world {
	struct fake_tpm tpm;
	struct pcr_values values[EXPECT_BANKS];
	uint8_t log[4096], quote[4096], signature[4096], pcrs[EXPECT_BANKS * 8 * 48];
	size_t log_size, pcrs_size;
	struct request request;
	struct policy policy;
	struct checks checks;
};

static void add_event(struct writer *w, uint32_t pcr, uint32_t type, const void *data, size_t n)
{
	uint8_t digest[48];

	write_le32(w, pcr);
	write_le32(w, type);
	write_le32(w, 2);
	EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL);
	write_le16(w, TPM_ALG_SHA256);
	write_copy(w, digest, 32);
	EVP_Digest(data, n, digest, NULL, EVP_sha384(), NULL);
	write_le16(w, TPM_ALG_SHA384);
	write_copy(w, digest, 48);
	write_le32(w, (uint32_t)n);
	write_copy(w, data, n);
}

/* SecureBoot = 1, EFI_GLOBAL_VARIABLE. */
static const uint8_t secure_boot[] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa,
				       0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c, 10,   0,
				       0,    0,	   0,	 0,    0,    0,	   1,	 0,    0,
				       0,    0,	   0,	 0,    0,    'S',  0,	 'e',  0,
				       'c',  0,	   'u',	 0,    'r',  0,	   'e',	 0,    'B',
				       0,    'o',  0,	 'o',  0,    't',  0,	 1 };

static void begin_log(struct writer *w)
{
	static const uint8_t zero[20];

	write_le32(w, 0);
	write_le32(w, EV_NO_ACTION);
	write_copy(w, zero, 20);
	write_le32(w, 37);
	write_copy(w, "Spec ID Event03", 16);
	write_copy(w, "\0\0\0\0\0\2\0\2\2\0\0\0", 12);
	write_le16(w, TPM_ALG_SHA256);
	write_le16(w, 32);
	write_le16(w, TPM_ALG_SHA384);
	write_le16(w, 48);
	write_u8(w, 0);
}

enum fault { NONE, NO_SEPARATOR, TWO_SEPARATORS, ERROR_SEPARATOR, UNKNOWN_EVENT, OPAQUE_TAIL };

static void make_log(struct world *w, enum fault fault)
{
	struct writer out = writer_over(w->log, sizeof(w->log));

	begin_log(&out);
	add_event(&out, 0, EV_S_CRTM_VERSION, "v", 1);
	add_event(&out, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, secure_boot, sizeof(secure_boot));
	if (fault == UNKNOWN_EVENT)
		add_event(&out, 1, 0x12345678, "?", 1);
	for (uint32_t i = 0; i < 8; i++) {
		if (fault == NO_SEPARATOR && i == 3)
			continue;
		add_event(&out, i, EV_SEPARATOR,
			  fault == ERROR_SEPARATOR && i == 2 ? "\1\0\0\0" : "\0\0\0\0", 4);
	}
	if (fault == TWO_SEPARATORS)
		add_event(&out, 5, EV_SEPARATOR, "\0\0\0\0", 4);
	if (fault == OPAQUE_TAIL)
		write_copy(&out, "no event", 8);
	assert_false(out.bad);
	w->log_size = out.pos;
}

/* PCR values that the log leads to; PCR 4 is off by one bit with `wrong`. */
static void make_values(struct world *w, bool wrong)
{
	struct writer out = writer_over(w->pcrs, sizeof(w->pcrs));
	struct replay replay;
	struct err e = { 0 };

	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)bank);
		assert_int_equal(eventlog_replay_known(w->log, w->log_size, alg, &replay, &e), 0);
		w->values[bank].given = 0xFF;
		for (unsigned i = 0; i < 8; i++) {
			memcpy(w->values[bank].value[i], replay.pcr[i], 48);
			w->values[bank].value[i][0] ^= wrong && i == 4;
			write_copy(&out, w->values[bank].value[i], tpm_alg_size(alg));
		}
	}
	assert_false(out.bad);
	w->pcrs_size = out.pos;
}

static void sign(struct world *w)
{
	struct request *r = &w->request;
	size_t n = fake_tpm_quote(&w->tpm, nonce, sizeof(nonce), w->values, w->quote);
	size_t m = fake_tpm_sign(&w->tpm, w->quote, n, w->signature);

	r->evidence = (struct blob){ w->quote, n, "quote" };
	r->signature = (struct blob){ w->signature, m, "signature" };
	r->pcrs = (struct blob){ w->pcrs, w->pcrs_size, "pcrs" };
	r->event_log = (struct blob){ w->log, w->log_size, "log" };
}

static struct world *make(uint16_t scheme, enum fault fault, bool wrong)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	fake_tpm_make(&w->tpm, scheme, TPM_ALG_SHA256, TPMA_AK_SET);
	make_log(w, fault);
	make_values(w, wrong);
	policy_built_in(POLICY_RECOMMENDED, &w->policy);
	w->request = (struct request){ .kind = REQUEST_TPM,
				       .policy = &w->policy,
				       .nonce = nonce,
				       .nonce_size = sizeof(nonce),
				       .now = FAKE_CA_NOW,
				       .ak = { w->tpm.public_area, w->tpm.public_size, "ak" } };
	sign(w);
	return w;
}

static void destroy(struct world *w)
{
	fake_tpm_free(&w->tpm);
	free(w);
}

static enum exit_status verdict(struct world *w)
{
	struct err e = { 0 };

	memset(&w->checks, 0, sizeof(w->checks));
	if (appraise(&w->request, &w->checks, &e) < 0)
		return (enum exit_status)e.status;
	return checks_verdict(&w->checks);
}

static const struct check *find(const struct world *w, const char *id)
{
	size_t i = 0;

	while (i < w->checks.count && strcmp(w->checks.item[i].id, id) != 0)
		i++;
	if (i == w->checks.count)
		fail_msg("no check %s", id);
	return &w->checks.item[i];
}

static void is(const struct world *w, const char *id, enum check_status status)
{
	const struct check *k = find(w, id);

	if (k->status != status)
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}

/* The verdict, and that this very check is the one that failed. */
static void refused(struct world *w, enum exit_status want, const char *id)
{
	enum exit_status got = verdict(w);

	if (got != want)
		fail_msg("%s: verdict %d, not %d", id, (int)got, (int)want);
	is(w, id, CHECK_FAIL);
}

static void affirms(void **state)
{
	(void)state;
	static const uint16_t schemes[] = { TPM_ALG_RSASSA, TPM_ALG_RSAPSS, TPM_ALG_ECDSA };

	for (size_t i = 0; i < 3; i++) {
		struct world *w = make(schemes[i], NONE, false);
		assert_int_equal(verdict(w), EX_OK);
		is(w, "quote.signature", CHECK_PASS);
		is(w, "quote.binding", CHECK_PASS);
		is(w, "quote.pcr_digest", CHECK_PASS);
		is(w, "log.replay.sha256.0", CHECK_PASS);
		is(w, "log.replay.sha384.7", CHECK_PASS);
		is(w, "log.separators", CHECK_PASS);
		assert_true(w->checks.no_reference);
		destroy(w);
	}
}

/* The key as a bare public key, the signature without TPMT_SIGNATURE. */
static void bare(void **state)
{
	(void)state;
	static const uint16_t schemes[] = { TPM_ALG_RSASSA, TPM_ALG_RSAPSS };

	for (size_t i = 0; i < 2; i++) {
		struct world *w = make(schemes[i], NONE, false);
		uint8_t *der = NULL;
		int n = i2d_PUBKEY(w->tpm.key, &der);
		w->request.signature.data += 6;
		w->request.signature.size -= 6;
		assert_int_equal(verdict(w), EX_OK); /* the public area says the scheme */
		w->request.ak = (struct blob){ der, (size_t)n, "ak" };
		/* A bare key does not: RSASSA it is then. */
		assert_int_equal(verdict(w), i == 0 ? EX_OK : EX_UNAUTHENTIC);
		is(w, "quote.signature", i == 0 ? CHECK_PASS : CHECK_FAIL);
		is(w, "ak.form", CHECK_SKIPPED);
		w->request.signature.size -= 1;
		refused(w, EX_MALFORMED, "quote.signature");
		OPENSSL_free(der);
		destroy(w);
	}
}

static void every_byte_counts(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->request.event_log.data = NULL;
	const struct {
		uint8_t *data;
		size_t size;
	} parts[] = { { w->quote, w->request.evidence.size },
		      { w->signature, w->request.signature.size },
		      { w->pcrs, w->pcrs_size },
		      { w->tpm.public_area, w->tpm.public_size } };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t k = 0; k < parts[i].size; k++) {
			parts[i].data[k] ^= 1;
			enum exit_status got = verdict(w);
			parts[i].data[k] ^= 1;
			/* Bits of the public area that mean nothing here: userWithAuth and such. */
			bool may = i == 3 && k >= 4 && k < 8;
			if (!may && got != EX_UNAUTHENTIC && got != EX_MALFORMED)
				fail_msg("part %zu, byte %zu: verdict %d", i, k, (int)got);
		}
	assert_int_equal(verdict(w), EX_OK);
	destroy(w);
}

static void nonces(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->request.nonce = (const uint8_t *)"nonce of other's choice";
	refused(w, EX_UNAUTHENTIC, "quote.binding");
	is(w, "freshness", CHECK_FAIL);
	w->request.nonce = nonce;
	w->request.nonce_size = 19;
	refused(w, EX_UNAUTHENTIC, "quote.binding");
	w->request.nonce = NULL;
	assert_int_equal(verdict(w), EX_OK);
	is(w, "freshness", CHECK_SKIPPED);
	w->policy.require_nonce = true;
	refused(w, EX_REFUSED, "freshness");
	destroy(w);
}

static void forms(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->quote[0] ^= 1;
	refused(w, EX_UNAUTHENTIC, "quote.form");
	w->quote[0] ^= 1;
	w->quote[5] = 0x17; /* TPM_ST_ATTEST_CERTIFY */
	refused(w, EX_UNAUTHENTIC, "quote.form");
	w->quote[5] = 0x18;
	w->request.evidence.size -= 1;
	refused(w, EX_MALFORMED, "quote.form");
	w->request.evidence.size += 1;
	w->request.policy = NULL;
	refused(w, EX_REFUSED, "policy.given");
	destroy(w);
	w = make(TPM_ALG_ECDSA, NONE, false);
	w->request.ak = (struct blob){ (const uint8_t *)"junk", 4, "ak" };
	refused(w, EX_MALFORMED, "ak.form");
	destroy(w);
}

static void selections(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->policy.tpm.quoted = 0x1FF;
	refused(w, EX_REFUSED, "quote.selection");
	w->policy.tpm.quoted = 0xFF;
	w->policy.tpm.banks = (struct policy_words){ true, 1u << TPM_BANK_SHA384 };
	assert_int_equal(verdict(w), EX_OK);
	w->policy.tpm.banks.set |= 1u << TPM_BANK_SHA512;
	refused(w, EX_REFUSED, "quote.selection");
	w->policy.tpm.banks.set = 1u << TPM_BANK_SHA256;
	w->values[0].given = 0; /* a quote over another bank alone */
	sign(w);
	w->request.pcrs.data = w->pcrs + (size_t)8 * 32;
	w->request.pcrs.size = (size_t)8 * 48;
	refused(w, EX_REFUSED, "quote.selection");
	destroy(w);
}

/* A quote of SHA-1 values counts when the policy says so, and not else. */
static void sha1(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	uint8_t value[20] = { 1 }, digest[32];

	w->request.event_log.data = NULL;
	memset(w->values, 0, sizeof(w->values));
	size_t n = fake_tpm_quote(&w->tpm, nonce, sizeof(nonce), w->values, w->quote);
	/* The selection is before the digest of 2 + 32 bytes: two banks of 6 bytes each. */
	w->quote[n - 34 - 12 + 1] = TPM_ALG_SHA1;
	w->quote[n - 34 - 12 + 3] = 1;
	EVP_Digest(value, 20, digest, NULL, EVP_sha256(), NULL);
	memcpy(w->quote + n - 32, digest, 32);
	w->request.signature.size = fake_tpm_sign(&w->tpm, w->quote, n, w->signature);
	w->request.pcrs = (struct blob){ value, 20, "pcrs" };
	refused(w, EX_REFUSED, "quote.selection");
	is(w, "quote.pcr_digest", CHECK_PASS);
	w->policy.tpm.allow_sha1 = true;
	assert_int_equal(verdict(w), EX_OK);
	destroy(w);
}

static void pins(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	struct policy_digests *pin = &w->policy.tpm.ak_sha256;
	uint8_t *der = NULL;

	*pin = (struct policy_digests){ .count = 1, .size = 32 };
	refused(w, EX_UNAUTHENTIC, "ak.provenance");
	EVP_Digest(w->tpm.public_area, w->tpm.public_size, pin->value[0], NULL, EVP_sha256(), NULL);
	assert_int_equal(verdict(w), EX_OK);
	is(w, "ak.provenance", CHECK_PASS);
	int n = i2d_PUBKEY(w->tpm.key, &der);
	EVP_Digest(der, (size_t)n, pin->value[0], NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_int_equal(verdict(w), EX_OK);
	*pin = (struct policy_digests){ .count = 0 };
	w->policy.tpm.require_provenance = true;
	refused(w, EX_REFUSED, "ak.provenance");
	/* The list at the top of a policy is one of pins, too. */
	w->policy.ak_count = 1;
	EVP_Digest(w->tpm.public_area, w->tpm.public_size, w->policy.ak_sha256[0], NULL,
		   EVP_sha256(), NULL);
	assert_int_equal(verdict(w), EX_OK);
	destroy(w);
}

static struct blob pem_of(X509 *a, X509 *b, uint8_t *room, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, a), 1);
	if (b != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, b), 1);
	int n = BIO_read(bio, room, (int)size);
	BIO_free(bio);
	assert_true(n > 0);
	return (struct blob){ room, (size_t)n, "certificates" };
}

static void certified(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_RSASSA, NONE, false);
	struct fake_ca ca, other;
	uint8_t room[2][8192];

	fake_ca_make(&ca);
	fake_ca_make(&other);
	X509 *cert = fake_ca_certify(&ca, w->tpm.key);
	w->policy.tpm.require_provenance = true;
	w->request.trust_root = pem_of(ca.root, NULL, room[0], sizeof(room[0]));
	refused(w, EX_COLLATERAL, "ak.provenance"); /* no certificate of it */
	w->request.chain = pem_of(ca.issuer, cert, room[1], sizeof(room[1]));
	assert_int_equal(verdict(w), EX_OK);
	is(w, "ak.provenance", CHECK_PASS);
	w->request.now = FAKE_CA_UNTIL + 1;
	refused(w, EX_COLLATERAL, "ak.provenance");
	w->request.now = FAKE_CA_NOW;
	w->request.trust_root = pem_of(other.root, NULL, room[0], sizeof(room[0]));
	refused(w, EX_UNAUTHENTIC, "ak.provenance");
	w->request.trust_root = pem_of(ca.root, ca.issuer, room[0], sizeof(room[0]));
	assert_int_equal(verdict(w), EX_MALFORMED);
	/* The certificate is the key. */
	w->request.trust_root = pem_of(ca.root, NULL, room[0], sizeof(room[0]));
	w->request.chain.data = NULL;
	w->request.ak = pem_of(cert, ca.issuer, room[1], sizeof(room[1]));
	assert_int_equal(verdict(w), EX_OK);
	X509_free(cert);
	fake_ca_free(&ca);
	fake_ca_free(&other);
	destroy(w);
}

static void references(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	struct policy_pcrs *p = &w->policy.tpm.pcrs;

	w->policy.tpm.require_reference = true;
	refused(w, EX_REFUSED, "reference.pcrs");
	p->bank[0].given = 1u << 4;
	p->bank[0].count[4] = 2;
	memcpy(p->bank[0].value[4][1], w->values[0].value[4], 32);
	assert_int_equal(verdict(w), EX_OK);
	assert_false(w->checks.no_reference);
	is(w, "pcr.sha256.4", CHECK_PASS);
	p->bank[0].value[4][1][31] ^= 1;
	refused(w, EX_REFUSED, "pcr.sha256.4");
	assert_string_equal(find(w, "pcr.sha256.4")->component, "pcr 4");
	memcpy(p->bank[0].value[4][1], w->values[0].value[4], 32);
	w->request.pcrs.data = NULL; /* nobody says what was quoted */
	refused(w, EX_REFUSED, "pcr.sha256.4");
	w->request.pcrs.data = w->pcrs;
	p->bank[1].given = 1u << 9; /* not quoted */
	p->bank[1].count[9] = 1;
	refused(w, EX_REFUSED, "pcr.sha384.9");
	/* "reference" of a policy, as bundles have it. */
	memset(p, 0, sizeof(*p));
	w->policy.bank[0] = true;
	memcpy(w->policy.reference, w->values, sizeof(w->values));
	assert_int_equal(verdict(w), EX_OK);
	w->policy.reference[0].value[1][0] ^= 1;
	refused(w, EX_REFUSED, "pcr.sha256.1");
	w->policy.has_plan = true;
	assert_int_not_equal(verdict(w), EX_OK);
	destroy(w);
}

/* Values that the quote does not cover are nobody's, whatever the file says. */
static void unquoted_values(void **state)
{
	(void)state;
	static char text[512];
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	char hex[65];

	memset(w->values, 0, sizeof(w->values));
	w->values[0].given = 1;
	sign(w);
	hex_encode(w->values[0].value[0], 32, hex);
	int n = snprintf(text, sizeof(text), "{\"sha256\": {\"0\": \"%s\", \"4\": \"%s\"}}", hex,
			 hex);
	w->request.pcrs = (struct blob){ (uint8_t *)text, (size_t)n, "pcrs" };
	w->request.event_log.data = NULL;
	w->policy.tpm.pcrs.bank[0].given = 1u << 4;
	w->policy.tpm.pcrs.bank[0].count[4] = 1;
	refused(w, EX_REFUSED, "pcr.sha256.4");
	is(w, "quote.pcr_digest", CHECK_PASS);
	destroy(w);
}

/* No values for what is quoted, or no values at all. */
static void missing_values(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->request.pcrs = (struct blob){ (const uint8_t *)"{\"sha256\": {}}", 14, "pcrs" };
	refused(w, EX_UNAUTHENTIC, "quote.pcr_digest");
	is(w, "log.replay", CHECK_SKIPPED);
	w->request.pcrs = (struct blob){ (const uint8_t *)"junk", 4, "pcrs" };
	refused(w, EX_MALFORMED, "quote.pcr_digest");
	destroy(w);
}

/* A log of other banks than the quote's explains nothing. */
static void other_banks(void **state)
{
	(void)state;
	static const uint8_t event[33] = { [4] = EV_S_CRTM_VERSION, [28] = 1, [32] = 'v' };
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->request.event_log = (struct blob){ event, sizeof(event), "log" };
	refused(w, EX_REFUSED, "log.replay");
	destroy(w);
}

/* A TPM's log is no CC log: there are no registers above RTMR3, and nothing extends MRTD. */
static void cc_strays(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	struct log_policy policy;
	uint8_t rtmr[EVENTLOG_RTMRS][48];

	policy_log_base(POLICY_RECOMMENDED, &policy);
	for (unsigned i = 0; i < EVENTLOG_RTMRS; i++)
		memcpy(rtmr[i], w->values[1].value[i + 1], 48);
	memset(&w->checks, 0, sizeof(w->checks));
	check_cc_log(w->log, w->log_size, (const uint8_t(*)[48])rtmr, &policy, NULL, &w->checks);
	assert_int_equal(checks_verdict(&w->checks), EX_MALFORMED);
	is(w, "log.replay", CHECK_FAIL);
	is(w, "log.replay.rtmr0", CHECK_PASS);
	destroy(w);
}

static void clocks(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->policy.tpm.require_safe_clock = true;
	assert_int_equal(verdict(w), EX_OK);
	is(w, "quote.clock", CHECK_PASS);
	/* magic, type, signer, extraData, clock, two counters, then safe. */
	w->quote[4 + 2 + 36 + 2 + sizeof(nonce) + 16] = 0;
	w->request.signature.size =
		fake_tpm_sign(&w->tpm, w->quote, w->request.evidence.size, w->signature);
	refused(w, EX_REFUSED, "quote.clock");
	destroy(w);
}

static void log_faults(void **state)
{
	(void)state;
	static const struct {
		enum fault fault;
		enum exit_status verdict;
		const char *id;
	} cases[] = {
		{ NO_SEPARATOR, EX_REFUSED, "log.separators" },
		{ TWO_SEPARATORS, EX_REFUSED, "log.separators" },
		{ ERROR_SEPARATOR, EX_REFUSED, "log.separators" },
		{ OPAQUE_TAIL, EX_MALFORMED, "log.form" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = make(TPM_ALG_ECDSA, cases[i].fault, false);
		refused(w, cases[i].verdict, cases[i].id);
		w->policy.log.allow_separators = w->policy.log.allow_opaque_tail = true;
		assert_int_equal(verdict(w), EX_OK);
		destroy(w);
	}
	struct world *w = make(TPM_ALG_ECDSA, UNKNOWN_EVENT, false);
	assert_int_equal(verdict(w), EX_OK);
	w->policy.log.allow_unknown_events = false;
	refused(w, EX_REFUSED, "log.events");
	destroy(w);
}

static void log_registers(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, true);

	refused(w, EX_UNAUTHENTIC, "log.replay.sha256.4");
	assert_string_equal(find(w, "log.replay.sha256.4")->component, "PCR 4");
	w->policy.log.pcrs = 0xEF; /* everything but PCR 4 */
	assert_int_equal(verdict(w), EX_OK);
	is(w, "log.replay.sha256.4", CHECK_SKIPPED);
	w->log_size = 0;
	w->request.event_log.size = 0;
	refused(w, EX_MALFORMED, "log.form");
	w->request.event_log.data = NULL;
	assert_int_equal(verdict(w), EX_OK);
	w->policy.log.require = true;
	refused(w, EX_REFUSED, "log.form");
	destroy(w);
}

static void log_secure_boot(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);

	w->policy.log.secure_boot = (struct policy_words){ true, 1u << SECURE_BOOT_ON };
	assert_int_equal(verdict(w), EX_OK);
	is(w, "log.secure_boot", CHECK_PASS);
	w->policy.log.secure_boot.set = 1u << SECURE_BOOT_OFF;
	refused(w, EX_REFUSED, "log.secure_boot");
	/* A register that does not replay vouches for nothing. */
	w->policy.log.secure_boot.set = 1u << SECURE_BOOT_ON;
	w->policy.log.pcrs = 0x7F;
	w->values[0].value[7][0] ^= 1;
	w->values[1].value[7][0] ^= 1;
	memcpy(w->pcrs + (size_t)7 * 32, w->values[0].value[7], 32);
	memcpy(w->pcrs + (size_t)(8 * 32 + 7 * 48), w->values[1].value[7], 48);
	sign(w);
	refused(w, EX_REFUSED, "log.secure_boot");
	is(w, "log.replay.sha256.7", CHECK_SKIPPED);
	destroy(w);
}

static void built_ins(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, TWO_SEPARATORS, false);

	policy_built_in(POLICY_NONE, &w->policy);
	assert_int_equal(verdict(w), EX_OK);
	assert_true(w->checks.only_authentic);
	is(w, "log.replay.sha256.0", CHECK_PASS);
	is(w, "log.separators", CHECK_SKIPPED);
	w->pcrs[0] ^= 1;
	refused(w, EX_UNAUTHENTIC, "quote.pcr_digest");
	w->pcrs[0] ^= 1;
	policy_built_in(POLICY_STRICT, &w->policy);
	refused(w, EX_REFUSED, "reference.pcrs");
	is(w, "ak.provenance", CHECK_FAIL);
	is(w, "log.separators", CHECK_FAIL);
	destroy(w);
}

static const struct claim *claim(const struct world *w, const char *name)
{
	size_t i = 0;

	while (i < w->checks.claim_count && strcmp(w->checks.claim[i].name, name) != 0)
		i++;
	if (i == w->checks.claim_count)
		fail_msg("no claim %s", name);
	return &w->checks.claim[i];
}

static void claims(void **state)
{
	(void)state;
	struct world *w = make(TPM_ALG_ECDSA, NONE, false);
	char hex[97];

	assert_int_equal(verdict(w), EX_OK);
	hex_encode(nonce, sizeof(nonce), hex);
	assert_string_equal(claim(w, "tpm.extra_data")->value, hex);
	hex_encode(w->values[1].value[7], 48, hex);
	assert_string_equal(claim(w, "tpm.pcr.sha384.7")->value, hex);
	assert_string_equal(claim(w, "tpm.reset_count")->value, "7");
	assert_string_equal(claim(w, "tpm.firmware_version")->value, "2019102300163636");
	assert_string_equal(claim(w, "tpm.selection.sha256")->value, "0000ff");
	assert_string_equal(claim(w, "log.secure_boot")->value, "on");
	destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(affirms),
		cmocka_unit_test(bare),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(nonces),
		cmocka_unit_test(forms),
		cmocka_unit_test(selections),
		cmocka_unit_test(sha1),
		cmocka_unit_test(pins),
		cmocka_unit_test(certified),
		cmocka_unit_test(references),
		cmocka_unit_test(unquoted_values),
		cmocka_unit_test(missing_values),
		cmocka_unit_test(other_banks),
		cmocka_unit_test(cc_strays),
		cmocka_unit_test(clocks),
		cmocka_unit_test(log_faults),
		cmocka_unit_test(log_registers),
		cmocka_unit_test(log_secure_boot),
		cmocka_unit_test(built_ins),
		cmocka_unit_test(claims),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
