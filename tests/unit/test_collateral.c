/* attest/collateral: what is recognised, what is proven, bundles that come back as they went. */
#include "attest/collateral/survey.h"
#include "tests/unit/fake_collateral.h"
#include "tests/unit/fake_snp.h"
#include "tests/unit/vectors.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY (24L * 3600)

static struct fake_collateral f;
static struct collateral c;
static struct survey survey;

static int make_world(void **state)
{
	(void)state;
	fake_collateral_make(&f);
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	fake_collateral_free(&f);
	collateral_free(&c);
	return 0;
}

static int add(const void *data, size_t size)
{
	struct err e = { 0 };

	return collateral_add(&c, "file", data, size, &e);
}

static int add_text(const char *text)
{
	return add(text, strlen(text));
}

/* Everything that the world has, in single files. */
static void add_all(void)
{
	collateral_free(&c);
	assert_int_equal(add_text(f.tcb), 0);
	assert_int_equal(add_text(f.qe), 0);
	assert_int_equal(add_text(f.signer_chain), 0);
	assert_int_equal(add_text(f.ca_chain), 0);
	assert_int_equal(add(f.root_crl, f.root_crl_size), 0);
	assert_int_equal(add(f.pck_crl, f.pck_crl_size), 0);
}

static enum exit_status look(const uint8_t *root, time_t now)
{
	struct collateral_trust t = { .root = root, .now = now };

	survey_make(&c, &t, &survey);
	return survey_status(&c, &survey);
}

static void test_kinds_by_content(void **state)
{
	static const enum collateral_kind kinds[] = { COLLATERAL_TCB_INFO, COLLATERAL_QE_IDENTITY,
						      COLLATERAL_CERTS,	   COLLATERAL_CERTS,
						      COLLATERAL_CRL,	   COLLATERAL_CRL };

	(void)state;
	add_all();
	assert_int_equal(c.parts, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(c.part[i].kind, kinds[i]);
	/* The same again changes nothing. */
	assert_int_equal(add_text(f.tcb), 0);
	assert_int_equal(c.parts, 6);
	/* What is none of these. */
	static const char *const none[] = {
		"", "{}", "text", "{\"a\":1}", "0", "30820a", "-----BEGIN PUBLIC KEY-----\n"
	};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(add_text(none[i]), 1);
	assert_int_equal(add("\x30\x82\x01\x00\x00\x00", 6), 1);
	assert_int_equal(c.parts, 6);
	/* What is one, and breaks its form. */
	static const char *const wrong[] = { "{",
					     "{\"tcbInfo\":{}}",
					     "{\"tcb_info\":\"{}\"}",
					     "{\"enclaveIdentity\":{},\"signature\":\"00\"}",
					     "-----BEGIN CERTIFICATE-----\nAAAA\n",
					     "-----BEGIN X509 CRL-----\nAAAA\n",
					     "{\"tcb_info\":1}",
					     "{\"pck_crl\":\"30zz\"}",
					     "{\"tcbInfo\":{},\"tcbInfo\":{}}" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(add_text(wrong[i]), -EX_MALFORMED);
	assert_int_equal(c.parts, 6);
}

static void test_sgx_is_refused(void **state)
{
	struct fake_tcb tcb = fake_tcb();
	struct fake_qe qe = fake_qe();

	(void)state;
	collateral_free(&c);
	tcb.id = "SGX";
	fake_collateral_tcb(&f, &tcb);
	assert_int_equal(add_text(f.tcb), -EX_MALFORMED);
	qe.id = "QE";
	fake_collateral_qe(&f, &qe);
	assert_int_equal(add_text(f.qe), -EX_MALFORMED);
}

static void test_all_good(void **state)
{
	(void)state;
	add_all();
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_OK);
	assert_true(survey.private_root);
	assert_int_equal(survey.gaps, 0);
	for (size_t i = 0; i < c.parts; i++)
		assert_int_equal(survey.proof[i].answer, COLLATERAL_GOOD);
	assert_true(survey.proof[0].revocation_seen);
	assert_int_equal(survey.proof[0].until, 1801440000); /* nextUpdate, 2027-02-01 */
	/* Nobody said that this root counts. */
	assert_int_equal(look(NULL, FAKE_X509_NOW), EX_UNAUTHENTIC);
	for (size_t i = 0; i < c.parts; i++)
		assert_int_equal(survey.proof[i].answer, COLLATERAL_BAD);
}

static void test_dates(void **state)
{
	(void)state;
	add_all();
	assert_int_equal(look(f.root_digest, 1798761599), EX_COLLATERAL); /* 2026-12-31 */
	assert_int_equal(survey.proof[0].answer, COLLATERAL_STALE);
	assert_int_equal(survey.proof[1].answer, COLLATERAL_STALE);
	assert_int_equal(survey.proof[2].answer, COLLATERAL_GOOD);
	assert_int_equal(look(f.root_digest, 1801440000), EX_OK);
	assert_int_equal(look(f.root_digest, 1801440001), EX_COLLATERAL);
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW + 400 * DAY), EX_COLLATERAL);
	for (size_t i = 0; i < c.parts; i++)
		assert_int_equal(survey.proof[i].answer, COLLATERAL_STALE);
}

/* Each thing that a proof needs, taken away. */
static void test_missing(void **state)
{
	(void)state;
	collateral_free(&c);
	assert_int_equal(add_text(f.tcb), 0);
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_COLLATERAL);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_MISSING);
	assert_int_equal(survey.gaps, 3);
	/* The signer without its root. */
	char pem[FAKE_PEM_SIZE] = "";
	fake_cert_pem(f.signer, pem, sizeof(pem));
	assert_int_equal(add_text(pem), 0);
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_MISSING);
	/* Without a list the proof stands, and says that none was asked. */
	assert_int_equal(add_text(f.ca_chain), 0);
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_GOOD);
	assert_false(survey.proof[0].revocation_seen);
	/* A list without its issuer; certificates alone lack nothing. */
	collateral_free(&c);
	assert_int_equal(add(f.pck_crl, f.pck_crl_size), 0);
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_COLLATERAL);
	collateral_free(&c);
	assert_int_equal(add_text(f.ca_chain), 0);
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_OK);
}

static void test_signatures(void **state)
{
	(void)state;
	/* A number changed. */
	char *at = strstr(f.tcb, "\"svn\":9");
	at[6] = '8';
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_BAD);
	assert_int_equal(survey.proof[1].answer, COLLATERAL_GOOD);
	at[6] = '9';
	/* Signed by another certificate of the same root's. */
	fake_collateral_signer(&f, &(struct fake_cert){ .subject = "Intel SGX PCK Certificate" });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_MISSING);
	/* Of the right name, issued by a CA of another root. */
	EVP_PKEY *other = fake_p256();
	fake_collateral_signer(&f, &(struct fake_cert){ .issuer_key = other });
	add_all();
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_UNAUTHENTIC);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_BAD);
	EVP_PKEY_free(other);
	/* A CA of that name may issue, not sign. */
	fake_collateral_signer(&f, &(struct fake_cert){ .ca = true });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_MISSING);
	fake_collateral_signer(&f, &(struct fake_cert){ .from = -2 * DAY, .to = -DAY });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_STALE);
}

static void test_revocation(void **state)
{
	static const long signer[] = { 3 }, ca[] = { 2 };

	(void)state;
	fake_collateral_root_crl(&f, &(struct fake_crl){ .serial = signer, .count = 1 });
	add_all();
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_UNAUTHENTIC);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_BAD);
	assert_non_null(strstr(survey.proof[0].why.text, "revoked"));
	/* Revoked is revoked, however old the list. */
	fake_collateral_root_crl(
		&f,
		&(struct fake_crl){ .serial = signer, .count = 1, .from = -9 * DAY, .to = -DAY });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_BAD);
	/* The CA, which signs the PCK list. */
	fake_collateral_root_crl(&f, &(struct fake_crl){ .serial = ca, .count = 1 });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_GOOD);
	assert_int_equal(survey.proof[5].answer, COLLATERAL_BAD);
	/* A list that somebody else signed in the root's name. */
	fake_collateral_root_crl(&f, &(struct fake_crl){ .key = f.ca_key });
	add_all();
	look(f.root_digest, FAKE_X509_NOW);
	assert_int_equal(survey.proof[4].answer, COLLATERAL_BAD);
	assert_int_equal(survey.proof[0].answer, COLLATERAL_BAD);
}

static void test_which_one_counts(void **state)
{
	struct fake_tcb tcb = fake_tcb();
	uint8_t fmspc[6] = { 0x00, 0x90, 0x6E, 0xD5 }, pce[2] = { 0 };

	(void)state;
	add_all();
	tcb.issued = "2027-01-10T00:00:00Z";
	tcb.evaluation = 18;
	fake_collateral_tcb(&f, &tcb);
	assert_int_equal(add_text(f.tcb), 0);
	tcb.issued = "2027-03-01T00:00:00Z";
	tcb.next = "2027-04-01T00:00:00Z";
	tcb.evaluation = 19;
	fake_collateral_tcb(&f, &tcb);
	assert_int_equal(add_text(f.tcb), 0);
	tcb.fmspc = "000000000001";
	fake_collateral_tcb(&f, &tcb);
	assert_int_equal(add_text(f.tcb), 0);
	/* The later one of those that are current; else the latest. */
	assert_int_equal(collateral_tcb_info(&c, fmspc, pce, FAKE_X509_NOW)->tcb->evaluation, 18);
	assert_int_equal(collateral_tcb_info(&c, fmspc, pce, 1798761601)->tcb->evaluation, 17);
	assert_int_equal(
		collateral_tcb_info(&c, fmspc, pce, FAKE_X509_NOW + 365 * DAY)->tcb->evaluation,
		19);
	fmspc[5] = 9;
	assert_null(collateral_tcb_info(&c, fmspc, pce, FAKE_X509_NOW));
	fmspc[5] = 0;
	pce[1] = 1;
	assert_null(collateral_tcb_info(&c, fmspc, pce, FAKE_X509_NOW));
	assert_non_null(collateral_qe_identity(&c, FAKE_X509_NOW));
	collateral_free(&c);
	assert_null(collateral_qe_identity(&c, FAKE_X509_NOW));
}

static void test_form_of_quotes(void **state)
{
	static const char *const lists[] = { "hex", "base64", "pem" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *text = fake_collateral_form(&f, lists[i]);
		collateral_free(&c);
		assert_int_equal(add_text(text), 0);
		/* Both chains of the signer are one. */
		assert_int_equal(c.parts, 6);
		assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_OK);
		free(text);
	}
	/* Parts of it may be absent or null; a text without its signature is none. */
	char *text = fake_collateral_form(&f, "hex");
	json_t *j = json_loads(text, 0, NULL);
	free(text);
	json_object_set_new(j, "pck_crl", json_null());
	json_object_del(j, "qe_identity");
	text = json_dumps(j, 0);
	collateral_free(&c);
	assert_int_equal(add_text(text), 0);
	assert_int_equal(c.parts, 4);
	free(text);
	json_object_del(j, "tcb_info_signature");
	text = json_dumps(j, 0);
	assert_int_equal(add_text(text), -EX_MALFORMED);
	free(text);
	json_decref(j);
}

static json_t *bundle(void)
{
	struct err e = { 0 };
	char *text;
	size_t size;

	add_all();
	assert_int_equal(collateral_write(&c, FAKE_X509_NOW, &text, &size, &e), 0);
	json_t *j = json_loadb(text, size, 0, NULL);
	free(text);
	assert_non_null(j);
	return j;
}

static int parse_json(json_t *j)
{
	char *text = json_dumps(j, 0);
	struct err e = { 0 };

	collateral_free(&c);
	int r = collateral_parse("bundle", (uint8_t *)text, strlen(text), &c, &e);
	free(text);
	assert_true(r == 0 || c.parts == 0);
	return r;
}

static void test_bundle_comes_back(void **state)
{
	json_t *j = bundle();

	(void)state;
	assert_int_equal(parse_json(j), 0);
	assert_int_equal(c.parts, 6);
	assert_int_equal(c.created, FAKE_X509_NOW);
	assert_int_equal(look(f.root_digest, FAKE_X509_NOW), EX_OK);
	assert_int_equal(c.part[0].size, strlen(f.tcb));
	assert_memory_equal(c.part[0].data, f.tcb, c.part[0].size);
	json_decref(j);
}

static void test_bundles_that_are_refused(void **state)
{
	static const struct {
		const char *key;
		const char *value; /* JSON; NULL: taken away */
	} of_part[] = {
		{ "kind", NULL },
		{ "kind", "\"crl\"" },
		{ "kind", "\"thing\"" },
		{ "origin", NULL },
		{ "sha256", NULL },
		{ "sha256", "\"00\"" },
		{ "sha256", "\"00000000000000000000000000000000000000000000000000000000000000"
			    "00\"" },
		{ "text", NULL },
		{ "text", "\"{}\"" },
		{ "base64", "\"AAAA\"" },
		{ "more", "1" },
	}, of_bundle[] = {
		{ "version", "1" },	  { "version", NULL }, { "created", NULL },
		{ "created", "\"now\"" }, { "parts", NULL },   { "parts", "{}" },
		{ "parts", "[1]" },	  { "more", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of_part) / sizeof(of_part[0]); i++) {
		json_t *j = bundle(), *part = json_array_get(json_object_get(j, "parts"), 0);
		if (of_part[i].value == NULL)
			json_object_del(part, of_part[i].key);
		else
			json_object_set_new(part, of_part[i].key,
					    json_loads(of_part[i].value, JSON_DECODE_ANY, NULL));
		if (parse_json(j) != -EX_MALFORMED)
			fail_msg("part %zu: %s", i, of_part[i].key);
		json_decref(j);
	}
	for (size_t i = 0; i < sizeof(of_bundle) / sizeof(of_bundle[0]); i++) {
		json_t *j = bundle();
		if (of_bundle[i].value == NULL)
			json_object_del(j, of_bundle[i].key);
		else
			json_object_set_new(j, of_bundle[i].key,
					    json_loads(of_bundle[i].value, JSON_DECODE_ANY, NULL));
		if (parse_json(j) != -EX_MALFORMED)
			fail_msg("bundle %zu: %s", i, of_bundle[i].key);
		json_decref(j);
	}
}

static void test_limits(void **state)
{
	struct err e = { 0 };
	char text[64];
	static uint8_t big[COLLATERAL_PART_MAX + 64];

	(void)state;
	collateral_free(&c);
	/* A certificate padded beyond what a part may hold. */
	memset(big, '\n', sizeof(big));
	memcpy(big, f.ca_chain, strlen(f.ca_chain));
	assert_int_equal(collateral_add(&c, "file", big, sizeof(big), &e), -EX_MALFORMED);
	for (unsigned i = 0; i < COLLATERAL_PARTS_MAX; i++) {
		snprintf(text, sizeof(text), "%*s", (int)i + 1, "\n");
		char *one;
		assert_true(asprintf(&one, "%s%s", f.ca_chain, text) > 0);
		assert_int_equal(add_text(one), 0);
		free(one);
	}
	assert_int_equal(c.parts, COLLATERAL_PARTS_MAX);
	assert_int_equal(add_text(f.signer_chain), -EX_MALFORMED);
	assert_int_equal(c.parts, COLLATERAL_PARTS_MAX);
	collateral_free(&c);
	assert_int_equal(collateral_parse("f", (const uint8_t *)"x", 1, &c, &e), -EX_MALFORMED);
}

static void test_descriptions(void **state)
{
	char text[256];

	(void)state;
	add_all();
	survey_describe(&c.part[0], text, sizeof(text));
	assert_string_equal(text, "TDX TCB info, FMSPC 00906ed50000, evaluation 17");
	survey_describe(&c.part[1], text, sizeof(text));
	assert_string_equal(text, "TD_QE identity, evaluation 17");
	survey_describe(&c.part[2], text, sizeof(text));
	assert_string_equal(text, "certificates: Intel SGX TCB Signing, Intel SGX Root CA");
	survey_describe(&c.part[4], text, sizeof(text));
	assert_string_equal(text, "revocation list of \"Intel SGX Root CA\", 0 entries");
	survey_describe(&c.part[4], text, 20);
	assert_int_equal(strlen(text), 19);
}

static void test_dates_of_parts(void **state)
{
	time_t from, to;

	(void)state;
	add_all();
	for (size_t i = 0; i < c.parts; i++) {
		bool dated = survey_dates(&c.part[i], &from, &to);
		assert_int_equal(dated, c.part[i].kind != COLLATERAL_CERTS);
		if (dated)
			assert_true(from < FAKE_X509_NOW && FAKE_X509_NOW < to);
	}
	survey_dates(&c.part[1], &from, &to);
	assert_int_equal(to, 1801440000);
}

static void add_der(X509 *cert)
{
	uint8_t der[FAKE_DER_SIZE];
	size_t n = fake_cert_der(cert, der, sizeof(der));

	assert_int_equal(add(der, n), 0);
}

static void add_amd_list(const struct fake_snp *amd, const long *serial, size_t count)
{
	uint8_t der[FAKE_DER_SIZE];
	X509_CRL *list = fake_x509_crl(&(struct fake_crl){ .issuer = "ARK-Test",
							   .key = amd->ark_key,
							   .serial = serial,
							   .count = count,
							   .pss = true,
							   .salt = 48,
							   .md = EVP_sha384() });
	size_t n = fake_crl_der(list, der, sizeof(der));

	X509_CRL_free(list);
	assert_int_equal(add(der, n), 0);
}

/* ARK, ASK and VCEK of a chip, and the ARK's list: it can revoke the ASK, and says nothing of a
 * VCEK, though that has serial number 0. */
static void test_amd(void **state)
{
	static const long zero[] = { 0 };
	struct fake_snp amd;
	uint8_t root[48];
	char text[512];

	(void)state;
	fake_snp_make(&amd);
	assert_int_equal(cert_key_digest(amd.ark, root), 0);
	collateral_free(&c);
	add_der(amd.vek);
	add_der(amd.ask);
	add_der(amd.ark);
	assert_int_equal(look(root, FAKE_SNP_NOW), EX_OK);
	assert_int_equal(survey.gaps, 0);
	survey_describe(&c.part[0], text, sizeof(text));
	assert_non_null(strstr(text, "certificates: SEV-VCEK (chip "));
	assert_non_null(strstr(text, "bootloader 10"));
	add_amd_list(&amd, zero, 1);
	assert_int_equal(look(root, FAKE_SNP_NOW), EX_OK);
	assert_false(survey.proof[0].revocation_seen);
	assert_true(survey.proof[1].revocation_seen);
	const long ask[] = { fake_snp_how(&amd, SNP_ROLE_ASK).serial };
	add_amd_list(&amd, ask, 1);
	assert_int_equal(look(root, FAKE_SNP_NOW), EX_UNAUTHENTIC);
	assert_int_equal(survey.proof[1].answer, COLLATERAL_BAD);
	fake_snp_free(&amd);
}

static void add_vector(const char *name)
{
	struct err e = { 0 };
	size_t n;
	uint8_t *data = vector_read(name, &n);

	if (collateral_add(&c, name, data, n, &e) != 0)
		fail_msg("%s: %s", name, e.text);
	free(data);
}

static void test_real_collateral(void **state)
{
	static const char *const files[] = { "tcb_info.json", "qe_identity.json",
					     "tcb_signing_chain.pem", "root_ca_crl.der",
					     "pck_crl_platform.der" };
	char name[128];

	(void)state;
	if (vectors_present() < 0)
		skip();
	collateral_free(&c);
	add_vector("tdx/v4-uptodate/collateral.json");
	assert_int_equal(look(NULL, 1750400000), EX_OK); /* 2025-06-20 */
	assert_false(survey.private_root);
	assert_int_equal(look(NULL, 1774000000), EX_COLLATERAL);
	collateral_free(&c);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "tdx/v4-platform-outofdate-module-uptodate/%s",
			 files[i]);
		add_vector(name);
	}
	/* The PCK CA's certificate is in quotes. */
	look(NULL, 1740000000); /* 2025-02-19 */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(survey.proof[i].answer, COLLATERAL_GOOD);
	assert_int_equal(survey.proof[4].answer, COLLATERAL_MISSING);
	/* Written with one more blank, it is no longer what was signed. */
	collateral_free(&c);
	add_vector("tdx/v4-platform-outofdate-module-uptodate/tcb_signing_chain.pem");
	size_t n;
	char *text = (char *)vector_read("tdx/v5-uptodate/qe_identity.json", &n), *spaced;
	assert_true(asprintf(&spaced, "%.20s %s", text, text + 20) == (int)n + 1);
	assert_int_equal(add(spaced, n + 1), 0);
	free(spaced);
	free(text);
	look(NULL, 1774000000);
	assert_int_equal(survey.proof[1].answer, COLLATERAL_BAD);
}

int main(void)
{
#define FRESH(t) cmocka_unit_test_setup_teardown(t, make_world, free_world)
	const struct CMUnitTest tests[] = {
		FRESH(test_kinds_by_content),
		FRESH(test_sgx_is_refused),
		FRESH(test_all_good),
		FRESH(test_dates),
		FRESH(test_missing),
		FRESH(test_signatures),
		FRESH(test_revocation),
		FRESH(test_which_one_counts),
		FRESH(test_form_of_quotes),
		FRESH(test_bundle_comes_back),
		FRESH(test_bundles_that_are_refused),
		FRESH(test_limits),
		FRESH(test_descriptions),
		FRESH(test_dates_of_parts),
		FRESH(test_amd),
		FRESH(test_real_collateral),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
