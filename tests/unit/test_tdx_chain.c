/* Synthetic PCK chains: the good one is taken with its root trusted, each break of it is named; so
 * is each way in which Intel's extension can be another than it must be. */
#include "tests/unit/tdx_judge.h"

#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400l
#define YEAR (365 * DAY)

static struct fake_tdx_how how(enum tdx_role role)
{
	return fake_tdx_how(&tdx, role);
}

/* The quote with that certificate in the chain's place for it. */
static void replace(enum tdx_role role, const struct fake_tdx_how *h)
{
	fake_tdx_set(&tdx, role, h);
	if (role == TDX_ROLE_ROOT)
		given.trust_root = tdx.chain.cert[role];
	fake_tdx_sign(&tdx);
}

static void root_must_be_trusted(void **state)
{
	(void)state;
	given.trust_root = NULL;
	assert_only("tdx.root", EX_REFUSED);
	assert_false(result.private_root);
	assert_true(find("tdx.root")->next[0] != '\0');
}

/* Same names, another key. */
static void other_root(void **state)
{
	(void)state;
	struct fake_tdx_how h = how(TDX_ROLE_ROOT);
	EVP_PKEY *key = EVP_EC_gen("P-256");

	h.key = h.issuer_key = key;
	X509 *root = fake_tdx_cert(&h);
	given.trust_root = root;
	assert_only("tdx.root", EX_UNAUTHENTIC);
	given.trust_root = tdx.chain.cert[TDX_ROLE_ROOT];
	fake_tdx_set(&tdx, TDX_ROLE_ROOT, &h); /* in the chain, too: it has not signed the CA */
	fake_tdx_sign(&tdx);
	given.trust_root = tdx.chain.cert[TDX_ROLE_ROOT];
	assert_only("tdx.chain.ca", EX_UNAUTHENTIC);
	X509_free(root);
	EVP_PKEY_free(key);
}

static void der_is_taken(void **state)
{
	(void)state;
	tdx.der = true;
	fake_tdx_sign(&tdx);
	assert_int_equal(judge(), EX_OK);
	tdx.quote[tdx.at_certs] ^= 1;
	assert_only("tdx.certs", EX_MALFORMED);
	assert_skipped("tdx.root");
	assert_skipped("tdx.qe.signature");
}

static void order_and_number(void **state)
{
	(void)state;
	X509 *root = tdx.chain.cert[TDX_ROLE_ROOT];

	/* Leaf, root, CA. */
	tdx.chain.cert[TDX_ROLE_ROOT] = tdx.chain.cert[TDX_ROLE_CA];
	tdx.chain.cert[TDX_ROLE_CA] = root;
	fake_tdx_sign(&tdx);
	judge();
	assert_fails("tdx.root", EX_UNAUTHENTIC);
	assert_fails("tdx.chain.pck", EX_UNAUTHENTIC);
	tdx.chain.cert[TDX_ROLE_CA] = tdx.chain.cert[TDX_ROLE_ROOT];
	tdx.chain.cert[TDX_ROLE_ROOT] = root;
	fake_tdx_sign(&tdx);
	assert_int_equal(judge(), EX_OK);
	/* Two of them only, and four. */
	struct err e = { 0 };
	struct tdx_chain c;
	uint8_t *pem = tdx.quote + tdx.at_certs;
	size_t size = tdx.quote_size - tdx.at_certs;
	assert_int_equal(tdx_chain_parse(pem, size, NULL, &c, &e), 0);
	tdx_chain_free(&c);
	uint8_t *last = memmem(pem + 30, size - 30, "-----BEGIN", 10);
	assert_non_null(last);
	assert_int_equal(tdx_chain_parse(last, (size_t)(pem + size - last), NULL, &c, &e), -EX_MALFORMED);
	assert_int_equal(tdx_chain_parse(pem, (size_t)(last - pem), NULL, &c, &e), -EX_MALFORMED);
	assert_int_equal(tdx_chain_parse(pem, 0, NULL, &c, &e), -EX_MALFORMED);
	uint8_t *four = malloc(2 * size);
	assert_non_null(four);
	memcpy(four, pem, size);
	memcpy(four + size, pem, size);
	assert_int_equal(tdx_chain_parse(four, 2 * size, NULL, &c, &e), -EX_MALFORMED);
	assert_int_equal(tdx_chain_parse(four, size + (size_t)(last - pem), NULL, &c, &e), -EX_MALFORMED);
	free(four);
}

/* Each certificate with one thing wrong. */
static void links(void **state)
{
	(void)state;
	static const char *const ids[] = { "tdx.chain.pck", "tdx.chain.ca", "tdx.chain.root" };
	EVP_PKEY *other = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384");

	for (unsigned i = 0; i < TDX_ROLES; i++) {
		enum tdx_role role = (enum tdx_role)i;
		for (unsigned k = 0; k < 4; k++) {
			struct fake_tdx_how h = how(role);
			if (k == 0)
				h.issuer_key = other;
			else if (k == 1)
				h.issuer = "Somebody";
			else if (k == 2)
				h.md = EVP_sha512();
			else if (role == TDX_ROLE_PCK)
				h.digital_signature = false;
			else
				h.cert_sign = false;
			replace(role, &h);
			judge();
			/* A CA that may not issue: the one below tells. */
			const char *id = k == 3 && role == TDX_ROLE_CA ? ids[0] : ids[i];
			assert_fails(id, EX_UNAUTHENTIC);
			tdx_judge_renew(4, TDX_BODY_TD_1_0);
		}
	}
	/* The PCK as a CA; a root under which there may be no CA. */
	struct fake_tdx_how h = how(TDX_ROLE_PCK);
	h.ca = h.cert_sign = true;
	replace(TDX_ROLE_PCK, &h);
	assert_only("tdx.chain.pck", EX_UNAUTHENTIC);
	tdx_judge_renew(4, TDX_BODY_TD_1_0);
	h = how(TDX_ROLE_ROOT);
	h.pathlen = 0;
	replace(TDX_ROLE_ROOT, &h);
	assert_only("tdx.chain.root", EX_UNAUTHENTIC);
	tdx_judge_renew(4, TDX_BODY_TD_1_0);
	/* A PCK of another curve cannot have signed the QE's report either. */
	h = how(TDX_ROLE_PCK);
	h.key = p384;
	replace(TDX_ROLE_PCK, &h);
	judge();
	assert_fails("tdx.chain.pck", EX_UNAUTHENTIC);
	assert_fails("tdx.qe.signature", EX_UNAUTHENTIC);
	EVP_PKEY_free(other);
	EVP_PKEY_free(p384);
}

static void validity(void **state)
{
	(void)state;
	policy_tdx_base(POLICY_PERMISSIVE, &policy);
	given.now = FAKE_TDX_NOW - 2 * YEAR;
	judge();
	assert_skipped("tdx.validity");
	given.policy = NULL;
	assert_only("tdx.validity", EX_COLLATERAL);
	given.now = FAKE_TDX_NOW + 7 * YEAR;
	assert_only("tdx.validity", EX_COLLATERAL);
	given.now = FAKE_TDX_NOW;
	assert_int_equal(judge(), EX_OK);
	for (unsigned i = 0; i < TDX_ROLES; i++) { /* each of the three counts */
		struct fake_tdx_how h = how((enum tdx_role)i);
		h.to = -DAY;
		replace((enum tdx_role)i, &h);
		assert_only("tdx.validity", EX_COLLATERAL);
		assert_string_equal(find("tdx.validity")->component,
				    tdx_role_name((enum tdx_role)i));
		tdx_judge_renew(4, TDX_BODY_TD_1_0);
	}
}

/* ---- revocation ---- */

static struct collateral lists;

static void give_list(enum tdx_role issuer, EVP_PKEY *key, long serial, long from, long to)
{
	struct err e = { 0 };
	size_t size;
	unsigned char *der = fake_tdx_crl(&tdx, issuer, key, serial, from, to, &size);

	if (collateral_add(&lists, "test list", der, size, &e) != 0)
		fail_msg("%s", e.text);
	given.collateral = &lists;
	OPENSSL_free(der);
}

static void no_lists(void)
{
	collateral_free(&lists);
	given.collateral = NULL;
}

static void give(enum tdx_role issuer, long serial)
{
	give_list(issuer, tdx.key[issuer], serial, -DAY, 30 * DAY);
}

static void revoked(void **state)
{
	(void)state;
	give(TDX_ROLE_CA, 0);
	give(TDX_ROLE_ROOT, 0);
	judge();
	assert_passes("tdx.revocation");
	no_lists();
	give(TDX_ROLE_CA, 100); /* the PCK's serial */
	give(TDX_ROLE_ROOT, 0);
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("tdx.revocation")->note, "PCK certificate"));
	no_lists();
	give(TDX_ROLE_ROOT, 101); /* the CA's */
	give(TDX_ROLE_CA, 0);
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("tdx.revocation")->note, "PCK CA"));
	given.policy = NULL; /* authenticity, whatever the policy */
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	no_lists();
	given.policy = &policy;
	give(TDX_ROLE_ROOT, 100); /* a serial of another issuer */
	give(TDX_ROLE_CA, 101);
	judge();
	assert_passes("tdx.revocation");
	no_lists();
}

static void lists_demanded(void **state)
{
	(void)state;
	judge();
	assert_skipped("tdx.revocation");
	policy.require_revocation = true;
	assert_only("tdx.revocation", EX_COLLATERAL);
	give(TDX_ROLE_CA, 0);
	assert_only("tdx.revocation", EX_COLLATERAL);
	give(TDX_ROLE_ROOT, 0);
	judge();
	assert_passes("tdx.revocation");
	no_lists();
}

static void lists_of_others(void **state)
{
	(void)state;
	EVP_PKEY *other = EVP_EC_gen("P-256");

	give_list(TDX_ROLE_CA, other, 0, -DAY, DAY);
	give(TDX_ROLE_ROOT, 0);
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	no_lists();
	EVP_PKEY_free(other);
}

static void old_lists(void **state)
{
	(void)state;
	policy.require_revocation = true;
	give_list(TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 0, -2 * DAY, -DAY);
	give(TDX_ROLE_ROOT, 0);
	assert_only("tdx.revocation", EX_COLLATERAL);
	policy.require_revocation = false;
	judge();
	assert_skipped("tdx.revocation"); /* permissive */
	no_lists();
	/* However old: revoked is revoked. */
	give_list(TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 100, -2 * DAY, -DAY);
	give(TDX_ROLE_ROOT, 0);
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	no_lists();
	/* A fresh list beside an old one that says the same. */
	policy.require_revocation = true;
	give_list(TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 0, -2 * DAY, -DAY);
	give(TDX_ROLE_CA, 0);
	give_list(TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 0, -3 * DAY, -2 * DAY);
	give(TDX_ROLE_ROOT, 0);
	judge();
	assert_passes("tdx.revocation");
	no_lists();
	policy.require_revocation = false;
	/* A fresh list beside an old one that knows better. */
	give(TDX_ROLE_CA, 0);
	give_list(TDX_ROLE_CA, tdx.key[TDX_ROLE_CA], 100, -2 * DAY, -DAY);
	give(TDX_ROLE_ROOT, 0);
	assert_only("tdx.revocation", EX_UNAUTHENTIC);
	no_lists();
}

/* ---- Intel's extension ---- */

static int parse_pck(const struct fake_tdx_how *h, struct tdx_pck *out)
{
	X509 *cert = fake_tdx_cert(h);
	struct err e = { 0 };
	int r = tdx_pck_parse(cert, out, &e);

	X509_free(cert);
	return r;
}

static void pck_fields(void **state)
{
	(void)state;
	struct fake_tdx_how h = how(TDX_ROLE_PCK);
	struct tdx_pck p;

	h.pck.pce_svn = 0xFFFE;
	h.pck.smt = true;
	assert_int_equal(parse_pck(&h, &p), 0);
	assert_memory_equal(p.ppid, h.pck.ppid, 16);
	assert_memory_equal(p.component, h.pck.component, 16); /* 0 to 255: two encodings */
	assert_memory_equal(p.cpu_svn, h.pck.cpu_svn, 16);
	assert_int_equal(p.pce_svn, 0xFFFE);
	assert_memory_equal(p.fmspc, h.pck.fmspc, 6);
	assert_memory_equal(p.pce_id, h.pck.pce_id, 2);
	assert_int_equal(p.sgx_type, 1);
	assert_true(p.has_platform_instance && p.has_configuration);
	assert_memory_equal(p.platform_instance, h.pck.platform_instance, 16);
	assert_true(p.dynamic_platform && p.cached_keys && p.smt);
	h.pck.smt = h.pck.cached_keys = false;
	assert_int_equal(parse_pck(&h, &p), 0);
	assert_true(p.dynamic_platform && !p.cached_keys && !p.smt);
	/* Of the processor CA. */
	h.pck.has_platform_instance = h.pck.has_configuration = false;
	assert_int_equal(parse_pck(&h, &p), 0);
	assert_false(p.has_platform_instance || p.has_configuration);
}

static void members_missing_or_twice(void **state)
{
	(void)state;
	static const char *const ends[] = { "1",   "2",	  "3",	  "4",	  "5",	 "2.1",
					    "2.2", "2.9", "2.16", "2.17", "2.18" };
	struct tdx_pck p;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct fake_tdx_how h = how(TDX_ROLE_PCK);
		h.drop = ends[i];
		assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
		h.drop = NULL;
		h.twice = ends[i];
		assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	}
	struct fake_tdx_how h = how(TDX_ROLE_PCK);
	h.twice = "6";
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h.twice = "7.3";
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h.twice = NULL;
	h.sgx_twice = true;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h.sgx_twice = h.is_pck = false;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
}

/* One member in another encoding than the only one. */
static void members_odd(void **state)
{
	(void)state;
	static const struct {
		const char *end, *value;
		size_t size;
	} odd[] = {
		{ "2.1", "\2\2\1\0", 4 },     /* 256 */
		{ "2.1", "\2\1\x80", 3 },     /* -128 */
		{ "2.1", "\2\2\0\5", 4 },     /* not minimal */
		{ "2.1", "\2\x81\1\5", 4 },   /* length not minimal */
		{ "2.1", "\4\1\5", 3 },	      /* OCTET STRING */
		{ "2.1", "\x0A\1\5", 3 },     /* ENUMERATED */
		{ "2.1", "\2\0", 2 },	      /* empty */
		{ "2.1", "\2\1\5\2\1\5", 6 }, /* two values */
		{ "2.1", "", 0 },	      /* none */
		{ "2.17", "\2\3\1\0\0", 5 },  /* 65536 */
		{ "2.17", "\2\x09\1\0\0\0\0\0\0\0\0", 11 },
		{ "2.18", "\4\1\5", 3 },	  /* too short */
		{ "4", "\4\5\1\2\3\4\5", 7 },	  /* FMSPC of 5 bytes */
		{ "4", "\4\7\1\2\3\4\5\6\7", 9 }, /* of 7 */
		{ "3", "\2\1\0", 3 },		  /* INTEGER */
		{ "5", "\2\1\0", 3 },		  /* INTEGER instead of ENUMERATED */
		{ "6", "\4\1\0", 3 },
		{ "7.1", "\1\1\1", 3 }, /* BOOLEAN: DER has 00 and FF only */
		{ "7.1", "\2\1\1", 3 },
		{ "7", "\4\0", 2 },
		{ "2", "\x31\0", 2 }, /* SET */
		{ "2", "\x30\0", 2 }, /* nothing in it */
	};
	struct tdx_pck p;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct fake_tdx_how h = how(TDX_ROLE_PCK);
		h.raw_oid = odd[i].end;
		h.raw = odd[i].value;
		h.raw_size = odd[i].size;
		if (parse_pck(&h, &p) != -EX_MALFORMED)
			fail_msg("odd value %zu of .%s was taken", i, odd[i].end);
	}
}

static void extension_odd(void **state)
{
	(void)state;
	uint8_t sgx[1024 + 1];
	struct fake_tdx_how h = how(TDX_ROLE_PCK);
	size_t n = fake_tdx_sgx(&h, sgx);
	struct tdx_pck p;

	h.sgx = sgx;
	h.sgx_size = n;
	assert_int_equal(parse_pck(&h, &p), 0);
	h.sgx_size = n - 1;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	sgx[n] = 0;
	h.sgx_size = n + 1;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h.sgx_size = n;
	sgx[0] = 0x31;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	sgx[0] = 0x30;
	sgx[4 + 2 + 2 + 9] = 8; /* the first member's OID: one that does not exist */
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h.sgx_size = 0;
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
	h = how(TDX_ROLE_PCK);
	h.critical = true; /* an unknown critical extension beside it */
	assert_int_equal(parse_pck(&h, &p), -EX_MALFORMED);
}

static void pck_form_is_a_check(void **state)
{
	(void)state;
	struct fake_tdx_how h = how(TDX_ROLE_PCK);

	h.drop = "4";
	replace(TDX_ROLE_PCK, &h);
	assert_only("tdx.pck.form", EX_MALFORMED);
	assert_false(has_claim("tdx.pck.fmspc"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tdx_judge_set_up, tdx_judge_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(root_must_be_trusted),
		TEST(other_root),
		TEST(der_is_taken),
		TEST(order_and_number),
		TEST(links),
		TEST(validity),
		TEST(revoked),
		TEST(lists_demanded),
		TEST(lists_of_others),
		TEST(old_lists),
		TEST(pck_fields),
		TEST(members_missing_or_twice),
		TEST(members_odd),
		TEST(extension_odd),
		TEST(pck_form_is_a_check),
	};

	return cmocka_run_group_tests_name("tdx_chain", tests, NULL, NULL);
}
