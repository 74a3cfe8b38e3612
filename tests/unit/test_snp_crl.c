/* Revocation lists of synthetic chains: which are taken, what they revoke, and what none can say.
 */
#include "tests/unit/fake_x509.h"
#include "tests/unit/snp_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY (24l * 3600)
#define ID "snp.revocation"

static uint8_t list[REQUEST_CRL_MAX][2048];

/* A list of the ARK's, of nobody. */
static struct fake_crl ark_list(void)
{
	return (struct fake_crl){ .issuer = "ARK-Test",
				  .key = chip.ark_key,
				  .from = -DAY,
				  .to = DAY,
				  .pss = true,
				  .salt = 48,
				  .md = EVP_sha384() };
}

static void give(const struct fake_crl *how)
{
	X509_CRL *crl = fake_x509_crl(how);
	uint8_t *out = list[given.crl_count];

	given.crl[given.crl_count++] =
		(struct blob){ out, fake_crl_der(crl, out, sizeof(list[0])), "the list" };
	X509_CRL_free(crl);
}

static void give_only(const struct fake_crl *how)
{
	given.crl_count = 0;
	give(how);
}

static void none_given(void **state)
{
	(void)state;
	assert_int_equal(judge(), EX_OK);
	assert_skipped(ID);
	policy.require_revocation = true;
	assert_only(ID, EX_COLLATERAL);
	assert_non_null(strstr(find(ID)->next, "--crl"));
}

static void good(void **state)
{
	(void)state;
	struct fake_crl how = ark_list();
	static const long others[] = { 77, 3 };

	policy.require_revocation = true;
	give(&how);
	assert_int_equal(judge(), EX_OK);
	assert_passes(ID);
	assert_non_null(strstr(find(ID)->note, "no list can name a VEK"));
	how.serial = others;
	how.count = 2;
	give_only(&how);
	assert_int_equal(judge(), EX_OK);
	given.without_policy = true; /* authenticity, which needs no policy */
	assert_int_equal(judge(), EX_OK);
	assert_passes(ID);
}

/* Serial numbers of the chain: 1 the ARK's, 2 the ASK's, 0 every VEK's. */
static void revoked(void **state)
{
	(void)state;
	static const long ark[] = { 9, 1 }, ask[] = { 2 };
	struct fake_crl how = ark_list();

	how.serial = ask;
	how.count = 1;
	give(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	assert_string_equal(find(ID)->component, "ASK");
	/* Revoked stays revoked: under an old list, a lenient policy, beside a list without it. */
	how.from = -9 * DAY;
	how.to = -8 * DAY;
	give_only(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	policy_snp_base(POLICY_PERMISSIVE, &policy);
	assert_only(ID, EX_UNAUTHENTIC);
	given.without_policy = true;
	assert_only(ID, EX_UNAUTHENTIC);
	struct fake_crl clean = ark_list();
	give(&clean);
	assert_only(ID, EX_UNAUTHENTIC);
	how = ark_list();
	how.serial = ark;
	how.count = 2;
	give_only(&clean);
	give(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	assert_string_equal(find(ID)->component, "ARK");
}

/* The ARK's list says nothing of certificates that the ASK issued: 0 on it is no VEK's. On the
 * ASK's own it would be every VEK's, and such a list alone is not what was asked for. */
static void serial_zero(void **state)
{
	(void)state;
	static const long zero[] = { 0 };
	struct fake_crl how = ark_list();

	how.serial = zero;
	how.count = 1;
	give(&how);
	assert_int_equal(judge(), EX_OK);
	how.issuer = "SEV-Test";
	how.key = chip.ask_key;
	give_only(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	assert_string_equal(find(ID)->component, "VEK");
	how.count = 0;
	give_only(&how);
	assert_only(ID, EX_COLLATERAL);
	how = ark_list();
	give(&how);
	assert_int_equal(judge(), EX_OK);
}

static void not_current(void **state)
{
	(void)state;
	struct fake_crl how = ark_list();

	how.to = -1;
	give(&how);
	assert_only(ID, EX_COLLATERAL);
	policy.allow_expired = true;
	assert_int_equal(judge(), EX_OK);
	assert_skipped(ID);
	how = ark_list();
	how.from = 1; /* of the future: no policy takes it */
	give_only(&how);
	assert_only(ID, EX_COLLATERAL);
	policy.allow_expired = false;
	given.now = FAKE_SNP_NOW + 2;
	assert_int_equal(judge(), EX_OK);
}

static void wrong_issuer(void **state)
{
	(void)state;
	struct fake_crl how = ark_list();
	EVP_PKEY *other = fake_snp_rsa(4096);

	how.issuer = "ARK-Other"; /* another product's */
	how.key = other;
	give(&how);
	assert_only(ID, EX_COLLATERAL);
	struct fake_crl mine = ark_list();
	give(&mine); /* of several, one is enough */
	assert_int_equal(judge(), EX_OK);
	how.issuer = "ARK-Test"; /* the name alone */
	give_only(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	EVP_PKEY_free(other);
}

static void wrong_algorithm(void **state)
{
	(void)state;
	struct fake_crl how = ark_list();

	how.pss = false;
	give(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	how = ark_list();
	how.salt = 32;
	give_only(&how);
	assert_only(ID, EX_UNAUTHENTIC);
	how = ark_list();
	how.md = EVP_sha256();
	give_only(&how);
	assert_only(ID, EX_UNAUTHENTIC);
}

/* A changed byte is never taken for the list it was. */
static void tampered(void **state)
{
	(void)state;
	static const long serial[] = { 2 };
	struct fake_crl how = ark_list();

	how.serial = serial;
	how.count = 1;
	give(&how);
	for (size_t i = 0; i < given.crl[0].size; i += 3) {
		list[0][i] ^= 1;
		enum exit_status v = judge();
		list[0][i] ^= 1;
		if (v == EX_OK)
			fail_msg("byte %zu changed: taken", i);
	}
	given.crl[0].size--;
	assert_only(ID, EX_MALFORMED);
	given.crl[0].size = 0;
	assert_only(ID, EX_MALFORMED);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, snp_judge_renew)
	const struct CMUnitTest tests[] = {
		CASE(none_given),  CASE(good),	       CASE(revoked),	      CASE(serial_zero),
		CASE(not_current), CASE(wrong_issuer), CASE(wrong_algorithm), CASE(tampered),
	};
	return cmocka_run_group_tests(tests, snp_judge_set_up, snp_judge_tear_down);
}
