/* Synthetic chains: the good one is taken with its root trusted, each break of it is named. */
#include "tests/unit/snp_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static EVP_PKEY *other_rsa; /* RSA 4096 of nobody in the chain */
static X509 *made[8];	    /* certificates of one test */
static unsigned made_count;

static int set_up(void **state)
{
	other_rsa = fake_snp_rsa(4096);
	return snp_judge_set_up(state);
}

static int tear_down(void **state)
{
	EVP_PKEY_free(other_rsa);
	return snp_judge_tear_down(state);
}

static int clear(void **state)
{
	(void)state;
	while (made_count > 0)
		X509_free(made[--made_count]);
	return 0;
}

static void replace(enum snp_role role, const struct fake_snp_how *how)
{
	made[made_count] = fake_snp_cert(how);
	given.cert[role] = made[made_count++];
}

static struct fake_snp_how how(enum snp_role role)
{
	return fake_snp_how(&chip, role);
}

static void good_is_taken(void **state)
{
	(void)state;
	enum exit_status v = judge();

	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL)
			print_message("%s: %s\n", result.item[i].id, result.item[i].note);
	assert_int_equal(v, EX_OK);
	assert_true(result.private_root);
	assert_string_equal(checks_verdict_name(&result), "affirming (simulated or private root)");
	assert_string_equal(find("snp.vek.tcb")->have,
			    "bootloader 10, tee 0, snp 23, microcode 200");
}

static void root_must_be_trusted(void **state)
{
	(void)state;
	given.trust_root = NULL;
	assert_only("snp.root", EX_REFUSED);
	assert_non_null(strstr(find("snp.root")->note, "simulated or private root"));
	assert_false(result.private_root);
}

/* Same names, another key: neither as the trusted root nor in the chain. */
static void other_root(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_ARK);

	h.key = h.issuer_key = other_rsa;
	made[made_count] = fake_snp_cert(&h);
	given.trust_root = made[made_count++];
	assert_only("snp.root", EX_UNAUTHENTIC);
	given.cert[SNP_ROLE_ARK] = given.trust_root;
	assert_only("snp.chain.ask", EX_UNAUTHENTIC);
}

/* Issued again by the same key: still the root that is trusted. */
static void root_reissued(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_ARK);

	h.to += 1000;
	replace(SNP_ROLE_ARK, &h);
	assert_int_equal(judge(), EX_OK);
}

static void root_from_option_only(void **state)
{
	(void)state;
	given.cert[SNP_ROLE_ARK] = NULL;
	assert_int_equal(judge(), EX_OK);
	given.trust_root = NULL;
	judge();
	assert_fails("snp.root", EX_COLLATERAL);
	assert_fails("snp.chain.ask", EX_COLLATERAL);
}

static void certificate_missing(void **state)
{
	(void)state;
	given.cert[SNP_ROLE_ASK] = NULL;
	assert_int_equal(judge(), EX_COLLATERAL);
	assert_fails("snp.chain.ask", EX_COLLATERAL);
	assert_fails("snp.chain.vek", EX_COLLATERAL);
	snp_judge_renew(NULL);
	given.cert[SNP_ROLE_VEK] = NULL;
	assert_int_equal(judge(), EX_COLLATERAL);
	assert_fails("snp.chain.vek", EX_COLLATERAL);
	assert_int_equal(find("snp.signature")->status, CHECK_SKIPPED);
}

static void wrong_issuer(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	h.issuer = "SEV-Other";
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	h = how(SNP_ROLE_VEK);
	h.issuer_key = other_rsa;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	snp_judge_renew(NULL);
	h = how(SNP_ROLE_ASK);
	h.issuer_key = other_rsa;
	replace(SNP_ROLE_ASK, &h);
	assert_only("snp.chain.ask", EX_UNAUTHENTIC);
}

/* An ARK that did not sign itself: its key is right, its bytes are anyone's. */
static void root_not_self_signed(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_ARK);

	h.issuer_key = other_rsa;
	replace(SNP_ROLE_ARK, &h);
	assert_only("snp.chain.ark", EX_UNAUTHENTIC);
}

/* A VEK's key may not issue anything: its holder would make chips of its own. */
static void issuer_is_no_ca(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_ASK);

	h.ca = false;
	replace(SNP_ROLE_ASK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	h = how(SNP_ROLE_ASK);
	h.key_usage = false;
	replace(SNP_ROLE_ASK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
}

static void other_signature_scheme(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	h.pkcs1 = true;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	h = how(SNP_ROLE_VEK);
	h.salt = 32;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	h = how(SNP_ROLE_VEK);
	h.md = EVP_sha256();
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
}

static void wrong_key_type(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_VEK);
	EVP_PKEY *small = fake_snp_rsa(2048);

	h.key = fake_snp_ec("P-256");
	replace(SNP_ROLE_VEK, &h);
	EVP_PKEY_free(h.key);
	assert_only("snp.vek.form", EX_MALFORMED);
	assert_int_equal(find("snp.signature")->status, CHECK_SKIPPED);
	h.key = small;
	replace(SNP_ROLE_VEK, &h);
	judge();
	assert_fails("snp.vek.form", EX_MALFORMED);
	/* A CA with a short key, whose signature on the VEK is right. */
	snp_judge_renew(NULL);
	h = how(SNP_ROLE_ASK);
	h.key = small;
	replace(SNP_ROLE_ASK, &h);
	h = how(SNP_ROLE_VEK);
	h.issuer_key = small;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.chain.vek", EX_UNAUTHENTIC);
	EVP_PKEY_free(small);
}

static void validity(void **state)
{
	(void)state;
	static const enum snp_role roles[] = { SNP_ROLE_VEK, SNP_ROLE_ASK, SNP_ROLE_ARK };

	for (size_t i = 0; i < 3; i++) {
		snp_judge_renew(NULL);
		struct fake_snp_how h = how(roles[i]);
		h.to = -1;
		replace(roles[i], &h);
		assert_only("snp.validity", EX_COLLATERAL);
		assert_non_null(strstr(find("snp.validity")->note, snp_role_name(roles[i])));
		h = how(roles[i]);
		h.from = 1;
		replace(roles[i], &h);
		assert_only("snp.validity", EX_COLLATERAL);
		given.now = FAKE_SNP_NOW + 2;
		assert_int_equal(judge(), EX_OK);
	}
}

static void tcb_mismatch(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SNP_TCB_SIZE; i++) {
		struct fake_snp_how h = how(SNP_ROLE_VEK);
		h.tcb[i] ^= 1;
		clear(NULL);
		replace(SNP_ROLE_VEK, &h);
		assert_only("snp.vek.tcb", EX_UNAUTHENTIC);
	}
}

static void chip_mismatch(void **state)
{
	(void)state;
	uint8_t id[SNP_CHIP_ID_SIZE];
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	memcpy(id, chip.report + 0x1A0, sizeof(id));
	h.hwid = id;
	h.hwid_octets = true;
	replace(SNP_ROLE_VEK, &h);
	assert_int_equal(judge(), EX_OK); /* the other encoding of the same */
	id[63] ^= 1;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.vek.chip", EX_UNAUTHENTIC);
	memset(id, 0, sizeof(id));
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.vek.chip", EX_UNAUTHENTIC);
}

static void chip_masked(void **state)
{
	(void)state;
	uint8_t zero[64] = { 0 };

	sign_report(0x1A0, zero, sizeof(zero));
	assert_only("snp.vek.chip", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("snp.vek.chip")->note, "masks"));
}

/* VCEK and VLEK are for different purposes: one never stands for the other. */
static void kinds_do_not_mix(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	sign_report(0x48, "\4", 1); /* SIGNING_KEY = VLEK */
	assert_only("snp.vek.kind", EX_UNAUTHENTIC);
	sign_report(0x48, "\x08", 1); /* reserved */
	assert_only("snp.vek.kind", EX_UNAUTHENTIC);
	snp_judge_renew(NULL);
	h.csp = "CN=provider.example";
	h.hwid_size = 0;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.vek.kind", EX_UNAUTHENTIC);
	sign_report(0x48, "\4", 1);
	assert_int_equal(judge(), EX_OK);
	assert_int_equal(find("snp.vek.chip")->status, CHECK_SKIPPED);
}

static void product_mismatch(void **state)
{
	(void)state;
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	h.product = "Milan-B0";
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.product", EX_UNAUTHENTIC);
	snp_judge_renew(NULL);
	sign_report(0x189, "\x1", 1); /* a Milan's model */
	assert_only("snp.product", EX_UNAUTHENTIC);
	sign_report(0x188, "\x77", 1); /* no family we know */
	assert_only("snp.product", EX_REFUSED);
}

/* MASK_CHIP_KEY: zeros stand where the signature would, and no key is named. */
static void unsigned_report(void **state)
{
	(void)state;
	sign_report(0x48, "\x1e", 1);
	judge();
	assert_fails("snp.vek.kind", EX_UNAUTHENTIC);
	assert_fails("snp.signature", EX_UNAUTHENTIC);
	snp_judge_renew(NULL);
	given.report[0x48] = 2;
	memset(given.report + SNP_REPORT_SIGNED, 0, SNP_REPORT_SIZE - SNP_REPORT_SIGNED);
	assert_only("snp.signature", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("snp.signature")->note, "MASK_CHIP_KEY"));
	assert_string_equal(claim("snp.key_info.mask_chip_key"), "on");
}

/* Products of the future: genuine perhaps, but nobody here knows their TCB versions. */
static void unknown_products(void **state)
{
	(void)state;
	static const char *const names[] = { "Venus", "Venice" };

	for (size_t i = 0; i < 2; i++) {
		struct fake_snp_how h = how(SNP_ROLE_VEK);
		clear(NULL);
		h.product = names[i];
		replace(SNP_ROLE_VEK, &h);
		assert_only("snp.vek.form", EX_REFUSED);
		assert_non_null(strstr(find("snp.vek.form")->note, names[i]));
	}
	snp_judge_renew(NULL);
	sign_report(0x188, "\x1a\x50", 2); /* family and model of Venice */
	assert_only("snp.product", EX_REFUSED);
	assert_string_equal(find("snp.product")->have, "Venice");
}

/* Turin: FMC in front, a chip id of 8 bytes, structVersion 1. */
static void turin(void **state)
{
	(void)state;
	static const uint8_t tcb[] = { 1, 2, 3, 4, 0, 0, 0, 81 };
	uint8_t old[SNP_REPORT_SIZE];
	struct fake_snp_how h = how(SNP_ROLE_VEK);

	memcpy(old, chip.report, sizeof(old));
	memset(chip.report + 0x1A8, 0, 56);
	memcpy(chip.report + 0x38, tcb, 8);
	memcpy(chip.report + 0x1E0, tcb, 8);
	memcpy(chip.report + 0x1F0, tcb, 8);
	memcpy(chip.report + 0x180, tcb, 8);
	h.product = "Turin";
	h.struct_version = 1;
	h.hwid_size = 8;
	memcpy(h.tcb, tcb, 8);
	replace(SNP_ROLE_VEK, &h);
	sign_report(0x188, "\x1a\x02", 2);
	enum exit_status v = judge();
	assert_string_equal(find("snp.vek.tcb")->have,
			    "fmc 1, bootloader 2, tee 3, snp 4, microcode 81");
	policy.min_tcb.given = 1u << SNP_FMC;
	policy.min_tcb.value[SNP_FMC] = 2;
	enum exit_status old_fmc = judge();
	/* Eight bytes are the whole id: more of them are another chip's. */
	policy.min_tcb.given = 0;
	chip.report[0x1B0] = 1;
	sign_report(0x188, "\x1a\x02", 2);
	enum exit_status long_id = judge();
	memcpy(chip.report, old, sizeof(old));
	assert_int_equal(v, EX_OK);
	assert_int_equal(old_fmc, EX_REFUSED);
	assert_int_equal(long_id, EX_UNAUTHENTIC);
	assert_fails("snp.vek.chip", EX_UNAUTHENTIC);
	/* Genoa has none to ask for. */
	snp_judge_renew(NULL);
	policy.min_tcb.given = 1u << SNP_FMC;
	assert_only("snp.tcb.minimum", EX_REFUSED);
	assert_string_equal(find("snp.tcb.minimum")->have, "fmc not defined");
}

/* Extensions: missing, twice, in an encoding that AMD does not use. */
static void vek_extensions(void **state)
{
	(void)state;
	static const char *const all[] = { "1",	  "2",	 "3.1", "3.2", "3.3", "3.4",
					   "3.5", "3.6", "3.7", "3.8", "4" };
	static const struct {
		const char *oid, *raw;
		size_t size;
	} odd[] = {
		{ "3.1", "\2\1\x8a", 3 }, { "3.1", "\2\2\0\x0a", 4 },  { "3.1", "\2\1\x0a\0", 4 },
		{ "3.1", "\2\2\1\0", 4 }, { "3.1", "\4\1\x0a", 3 },    { "1", "\2\1\1", 3 },
		{ "1", "", 0 },		  { "2", "\x0c\5Genoa", 7 },   { "2", "\x16\5Genoa!", 8 },
		{ "2", "\x16\0", 2 },	  { "2", "\x16\6Genoa\0", 8 }, { "4", "\4\3abc", 5 },
		{ "4", "abcdefgh", 8 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct fake_snp_how h = how(SNP_ROLE_VEK);
		clear(NULL);
		h.drop = all[i];
		replace(SNP_ROLE_VEK, &h);
		assert_only("snp.vek.form", EX_MALFORMED);
		h.drop = NULL;
		h.twice = all[i];
		replace(SNP_ROLE_VEK, &h);
		assert_only("snp.vek.form", EX_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct fake_snp_how h = how(SNP_ROLE_VEK);
		clear(NULL);
		h.raw_oid = odd[i].oid;
		h.raw = odd[i].raw;
		h.raw_size = odd[i].size;
		replace(SNP_ROLE_VEK, &h);
		assert_only("snp.vek.form", EX_MALFORMED);
	}
	struct fake_snp_how h = how(SNP_ROLE_VEK);
	clear(NULL);
	h.critical = true;
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.vek.form", EX_MALFORMED);
	h.critical = false;
	h.csp = "CN=both"; /* of a chip and of a provider */
	replace(SNP_ROLE_VEK, &h);
	assert_only("snp.vek.form", EX_MALFORMED);
}

/* Another chip's key signed, the chain is whole: only the signature tells, and says so. */
static void other_signer(void **state)
{
	(void)state;
	EVP_PKEY *mine = chip.vek_key;

	chip.vek_key = fake_snp_ec("P-384");
	sign_report(0, "\3", 1);
	EVP_PKEY_free(chip.vek_key);
	chip.vek_key = mine;
	assert_only("snp.signature", EX_UNAUTHENTIC);
	assert_non_null(strstr(find("snp.signature")->note, "another key signed"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, snp_judge_renew, clear)
	const struct CMUnitTest tests[] = {
		CASE(good_is_taken),
		CASE(root_must_be_trusted),
		CASE(other_root),
		CASE(root_reissued),
		CASE(root_from_option_only),
		CASE(certificate_missing),
		CASE(wrong_issuer),
		CASE(root_not_self_signed),
		CASE(issuer_is_no_ca),
		CASE(other_signature_scheme),
		CASE(wrong_key_type),
		CASE(validity),
		CASE(tcb_mismatch),
		CASE(chip_mismatch),
		CASE(chip_masked),
		CASE(kinds_do_not_mix),
		CASE(product_mismatch),
		CASE(unsigned_report),
		CASE(unknown_products),
		CASE(turin),
		CASE(vek_extensions),
		CASE(other_signer),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
