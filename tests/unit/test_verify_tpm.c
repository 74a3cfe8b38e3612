/* Appraisals of TPM quotes alone: everything that must be affirmed, and each thing that must not.
 */
#include "common/bytes.h"
#include "tests/unit/fake_ca.h"
#include "tests/unit/tpm_world.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void affirms(void **state)
{
	(void)state;
	static const uint16_t schemes[] = { TPM_ALG_RSASSA, TPM_ALG_RSAPSS, TPM_ALG_ECDSA };

	for (size_t i = 0; i < 3; i++) {
		struct world *w = world_make(schemes[i], NONE, false);
		assert_int_equal(world_verdict(w), EX_OK);
		world_is(w, "quote.signature", CHECK_PASS);
		world_is(w, "quote.binding", CHECK_PASS);
		world_is(w, "quote.pcr_digest", CHECK_PASS);
		world_is(w, "log.replay.sha256.0", CHECK_PASS);
		world_is(w, "log.replay.sha384.7", CHECK_PASS);
		world_is(w, "log.separators", CHECK_PASS);
		assert_true(w->checks.no_reference);
		world_free(w);
	}
}

/* The key as a bare public key, the signature without TPMT_SIGNATURE. */
static void bare(void **state)
{
	(void)state;
	static const uint16_t schemes[] = { TPM_ALG_RSASSA, TPM_ALG_RSAPSS };

	for (size_t i = 0; i < 2; i++) {
		struct world *w = world_make(schemes[i], NONE, false);
		uint8_t *der = NULL;
		int n = i2d_PUBKEY(w->tpm.key, &der);
		w->request.signature.data += 6;
		w->request.signature.size -= 6;
		assert_int_equal(world_verdict(w), EX_OK); /* the public area says the scheme */
		w->request.ak = (struct blob){ der, (size_t)n, "ak" };
		/* A bare key does not: RSASSA it is then. */
		assert_int_equal(world_verdict(w), i == 0 ? EX_OK : EX_UNAUTHENTIC);
		world_is(w, "quote.signature", i == 0 ? CHECK_PASS : CHECK_FAIL);
		world_is(w, "ak.form", CHECK_SKIPPED);
		w->request.signature.size -= 1;
		world_refused(w, EX_MALFORMED, "quote.signature");
		OPENSSL_free(der);
		world_free(w);
	}
}

static void every_byte_counts(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

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
			enum exit_status got = world_verdict(w);
			parts[i].data[k] ^= 1;
			/* Bits of the public area that mean nothing here: userWithAuth and such. */
			bool may = i == 3 && k >= 4 && k < 8;
			if (!may && got != EX_UNAUTHENTIC && got != EX_MALFORMED)
				fail_msg("part %zu, byte %zu: verdict %d", i, k, (int)got);
		}
	assert_int_equal(world_verdict(w), EX_OK);
	world_free(w);
}

static void nonces(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->request.nonce = (const uint8_t *)"nonce of other's choice";
	world_refused(w, EX_UNAUTHENTIC, "quote.binding");
	world_is(w, "freshness", CHECK_FAIL);
	w->request.nonce = world_nonce;
	w->request.nonce_size = 19;
	world_refused(w, EX_UNAUTHENTIC, "quote.binding");
	w->request.nonce = NULL;
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "freshness", CHECK_SKIPPED);
	w->policy.require_nonce = true;
	world_refused(w, EX_REFUSED, "freshness");
	world_free(w);
}

static void forms(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->quote[0] ^= 1;
	world_refused(w, EX_UNAUTHENTIC, "quote.form");
	w->quote[0] ^= 1;
	w->quote[5] = 0x17; /* TPM_ST_ATTEST_CERTIFY */
	world_refused(w, EX_UNAUTHENTIC, "quote.form");
	w->quote[5] = 0x18;
	w->request.evidence.size -= 1;
	world_refused(w, EX_MALFORMED, "quote.form");
	w->request.evidence.size += 1;
	w->request.policy = NULL;
	world_refused(w, EX_REFUSED, "policy.given");
	world_free(w);
	w = world_make(TPM_ALG_ECDSA, NONE, false);
	w->request.ak = (struct blob){ (const uint8_t *)"junk", 4, "ak" };
	world_refused(w, EX_MALFORMED, "ak.form");
	world_free(w);
}

static void selections(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->policy.tpm.quoted = 0x1FF;
	world_refused(w, EX_REFUSED, "quote.selection");
	w->policy.tpm.quoted = 0xFF;
	w->policy.tpm.banks = (struct policy_words){ true, 1u << TPM_BANK_SHA384 };
	assert_int_equal(world_verdict(w), EX_OK);
	w->policy.tpm.banks.set |= 1u << TPM_BANK_SHA512;
	world_refused(w, EX_REFUSED, "quote.selection");
	w->policy.tpm.banks.set = 1u << TPM_BANK_SHA256;
	w->values[0].given = 0; /* a quote over another bank alone */
	world_sign(w);
	w->request.pcrs.data = w->pcrs + (size_t)8 * 32;
	w->request.pcrs.size = (size_t)8 * 48;
	world_refused(w, EX_REFUSED, "quote.selection");
	world_free(w);
}

/* A quote of SHA-1 values counts when the policy says so, and not else. */
static void sha1(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	uint8_t value[20] = { 1 }, digest[32];

	w->request.event_log.data = NULL;
	memset(w->values, 0, sizeof(w->values));
	size_t n = fake_tpm_quote(&w->tpm, world_nonce, sizeof(world_nonce), w->values, w->quote);
	/* The selection is before the digest of 2 + 32 bytes: two banks of 6 bytes each. */
	w->quote[n - 34 - 12 + 1] = TPM_ALG_SHA1;
	w->quote[n - 34 - 12 + 3] = 1;
	EVP_Digest(value, 20, digest, NULL, EVP_sha256(), NULL);
	memcpy(w->quote + n - 32, digest, 32);
	w->request.signature.size = fake_tpm_sign(&w->tpm, w->quote, n, w->signature);
	w->request.pcrs = (struct blob){ value, 20, "pcrs" };
	world_refused(w, EX_REFUSED, "quote.selection");
	world_is(w, "quote.pcr_digest", CHECK_PASS);
	w->policy.tpm.allow_sha1 = true;
	assert_int_equal(world_verdict(w), EX_OK);
	world_free(w);
}

static void pins(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	struct policy_digests *pin = &w->policy.tpm.ak_sha256;
	uint8_t *der = NULL;

	*pin = (struct policy_digests){ .count = 1, .size = 32 };
	world_refused(w, EX_UNAUTHENTIC, "ak.provenance");
	EVP_Digest(w->tpm.public_area, w->tpm.public_size, pin->value[0], NULL, EVP_sha256(), NULL);
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "ak.provenance", CHECK_PASS);
	int n = i2d_PUBKEY(w->tpm.key, &der);
	EVP_Digest(der, (size_t)n, pin->value[0], NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_int_equal(world_verdict(w), EX_OK);
	*pin = (struct policy_digests){ .count = 0 };
	w->policy.tpm.require_provenance = true;
	world_refused(w, EX_REFUSED, "ak.provenance");
	/* The list at the top of a policy is one of pins, too. */
	w->policy.ak_count = 1;
	EVP_Digest(w->tpm.public_area, w->tpm.public_size, w->policy.ak_sha256[0], NULL,
		   EVP_sha256(), NULL);
	assert_int_equal(world_verdict(w), EX_OK);
	world_free(w);
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
	struct world *w = world_make(TPM_ALG_RSASSA, NONE, false);
	struct fake_ca ca, other;
	uint8_t room[2][8192];

	fake_ca_make(&ca);
	fake_ca_make(&other);
	X509 *cert = fake_ca_certify(&ca, w->tpm.key);
	w->policy.tpm.require_provenance = true;
	w->request.trust_root = pem_of(ca.root, NULL, room[0], sizeof(room[0]));
	world_refused(w, EX_COLLATERAL, "ak.provenance"); /* no certificate of it */
	w->request.chain = pem_of(ca.issuer, cert, room[1], sizeof(room[1]));
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "ak.provenance", CHECK_PASS);
	w->request.now = FAKE_CA_UNTIL + 1;
	world_refused(w, EX_COLLATERAL, "ak.provenance");
	w->request.now = FAKE_CA_NOW;
	w->request.trust_root = pem_of(other.root, NULL, room[0], sizeof(room[0]));
	world_refused(w, EX_UNAUTHENTIC, "ak.provenance");
	w->request.trust_root = pem_of(ca.root, ca.issuer, room[0], sizeof(room[0]));
	assert_int_equal(world_verdict(w), EX_MALFORMED);
	/* The certificate is the key. */
	w->request.trust_root = pem_of(ca.root, NULL, room[0], sizeof(room[0]));
	w->request.chain.data = NULL;
	w->request.ak = pem_of(cert, ca.issuer, room[1], sizeof(room[1]));
	assert_int_equal(world_verdict(w), EX_OK);
	X509_free(cert);
	fake_ca_free(&ca);
	fake_ca_free(&other);
	world_free(w);
}

static void references(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	struct policy_pcrs *p = &w->policy.tpm.pcrs;

	w->policy.tpm.require_reference = true;
	world_refused(w, EX_REFUSED, "reference.pcrs");
	p->bank[0].given = 1u << 4;
	p->bank[0].count[4] = 2;
	memcpy(p->bank[0].value[4][1], w->values[0].value[4], 32);
	assert_int_equal(world_verdict(w), EX_OK);
	assert_false(w->checks.no_reference);
	world_is(w, "pcr.sha256.4", CHECK_PASS);
	p->bank[0].value[4][1][31] ^= 1;
	world_refused(w, EX_REFUSED, "pcr.sha256.4");
	assert_string_equal(world_find(w, "pcr.sha256.4")->component, "pcr 4");
	memcpy(p->bank[0].value[4][1], w->values[0].value[4], 32);
	w->request.pcrs.data = NULL; /* nobody says what was quoted */
	world_refused(w, EX_REFUSED, "pcr.sha256.4");
	w->request.pcrs.data = w->pcrs;
	p->bank[1].given = 1u << 9; /* not quoted */
	p->bank[1].count[9] = 1;
	world_refused(w, EX_REFUSED, "pcr.sha384.9");
	/* "reference" of a policy, as bundles have it. */
	memset(p, 0, sizeof(*p));
	w->policy.bank[0] = true;
	memcpy(w->policy.reference, w->values, sizeof(w->values));
	assert_int_equal(world_verdict(w), EX_OK);
	w->policy.reference[0].value[1][0] ^= 1;
	world_refused(w, EX_REFUSED, "pcr.sha256.1");
	w->policy.has_plan = true;
	assert_int_not_equal(world_verdict(w), EX_OK);
	world_free(w);
}

/* Values that the quote does not cover are nobody's, whatever the file says. */
static void unquoted_values(void **state)
{
	(void)state;
	static char text[512];
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	char hex[65];

	memset(w->values, 0, sizeof(w->values));
	w->values[0].given = 1;
	world_sign(w);
	hex_encode(w->values[0].value[0], 32, hex);
	int n = snprintf(text, sizeof(text), "{\"sha256\": {\"0\": \"%s\", \"4\": \"%s\"}}", hex,
			 hex);
	w->request.pcrs = (struct blob){ (uint8_t *)text, (size_t)n, "pcrs" };
	w->request.event_log.data = NULL;
	w->policy.tpm.pcrs.bank[0].given = 1u << 4;
	w->policy.tpm.pcrs.bank[0].count[4] = 1;
	world_refused(w, EX_REFUSED, "pcr.sha256.4");
	world_is(w, "quote.pcr_digest", CHECK_PASS);
	world_free(w);
}

/* No values for what is quoted, or no values at all. */
static void missing_values(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->request.pcrs = (struct blob){ (const uint8_t *)"{\"sha256\": {}}", 14, "pcrs" };
	world_refused(w, EX_UNAUTHENTIC, "quote.pcr_digest");
	world_is(w, "log.replay", CHECK_SKIPPED);
	w->request.pcrs = (struct blob){ (const uint8_t *)"junk", 4, "pcrs" };
	world_refused(w, EX_MALFORMED, "quote.pcr_digest");
	world_free(w);
}

/* A log of other banks than the quote's explains nothing. */
static void other_banks(void **state)
{
	(void)state;
	static const uint8_t event[33] = { [4] = EV_S_CRTM_VERSION, [28] = 1, [32] = 'v' };
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->request.event_log = (struct blob){ event, sizeof(event), "log" };
	world_refused(w, EX_REFUSED, "log.replay");
	world_free(w);
}

/* A TPM's log is no CC log: there are no registers above RTMR3, and nothing extends MRTD. */
static void cc_strays(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	struct log_policy policy;
	uint8_t rtmr[EVENTLOG_RTMRS][48];

	policy_log_base(POLICY_RECOMMENDED, &policy);
	for (unsigned i = 0; i < EVENTLOG_RTMRS; i++)
		memcpy(rtmr[i], w->values[1].value[i + 1], 48);
	memset(&w->checks, 0, sizeof(w->checks));
	check_cc_log(w->log, w->log_size, (const uint8_t(*)[48])rtmr, &policy, NULL, &w->checks);
	assert_int_equal(checks_verdict(&w->checks), EX_MALFORMED);
	world_is(w, "log.replay", CHECK_FAIL);
	world_is(w, "log.replay.rtmr0", CHECK_PASS);
	world_free(w);
}

static void clocks(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->policy.tpm.require_safe_clock = true;
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "quote.clock", CHECK_PASS);
	/* magic, type, signer, extraData, clock, two counters, then safe. */
	w->quote[4 + 2 + 36 + 2 + sizeof(world_nonce) + 16] = 0;
	w->request.signature.size =
		fake_tpm_sign(&w->tpm, w->quote, w->request.evidence.size, w->signature);
	world_refused(w, EX_REFUSED, "quote.clock");
	world_free(w);
}

static void built_ins(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, TWO_SEPARATORS, false);

	policy_built_in(POLICY_NONE, &w->policy);
	assert_int_equal(world_verdict(w), EX_OK);
	assert_true(w->checks.only_authentic);
	world_is(w, "log.replay.sha256.0", CHECK_PASS);
	world_is(w, "log.separators", CHECK_SKIPPED);
	w->pcrs[0] ^= 1;
	world_refused(w, EX_UNAUTHENTIC, "quote.pcr_digest");
	w->pcrs[0] ^= 1;
	policy_built_in(POLICY_STRICT, &w->policy);
	world_refused(w, EX_REFUSED, "reference.pcrs");
	world_is(w, "ak.provenance", CHECK_FAIL);
	world_is(w, "log.separators", CHECK_FAIL);
	world_free(w);
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
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);
	char hex[97];

	assert_int_equal(world_verdict(w), EX_OK);
	hex_encode(world_nonce, sizeof(world_nonce), hex);
	assert_string_equal(claim(w, "tpm.extra_data")->value, hex);
	hex_encode(w->values[1].value[7], 48, hex);
	assert_string_equal(claim(w, "tpm.pcr.sha384.7")->value, hex);
	assert_string_equal(claim(w, "tpm.reset_count")->value, "7");
	assert_string_equal(claim(w, "tpm.firmware_version")->value, "2019102300163636");
	assert_string_equal(claim(w, "tpm.selection.sha256")->value, "0000ff");
	assert_string_equal(claim(w, "log.secure_boot")->value, "on");
	world_free(w);
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
		cmocka_unit_test(built_ins),
		cmocka_unit_test(claims),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
