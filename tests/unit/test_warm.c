/* A verifier that keeps certificates, signatures and collateral says of everything what one says
 * that keeps nothing: good evidence, wrong evidence, another time, a later revocation. */
#include "attest/appraise/request.h"
#include "attest/appraise/warm.h"
#include "common/rfc3339.h"
#include "tests/unit/fake_snp.h"
#include "tests/unit/fake_tcb.h"
#include "tests/unit/fake_tdx.h"
#include "tests/unit/fake_x509.h"
#include "tests/unit/snp_vectors.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400L

static struct warm *warm;
static struct fake_snp chip;
static struct fake_tdx platform;
static struct policy policy;
static struct checks cold_result, warm_result;
static uint8_t snp_root[FAKE_SNP_TABLE_SIZE], tdx_root[8192];
static char tcb_text[FAKE_TCB_TEXT + 256], qe_text[FAKE_TCB_TEXT + 256];
static uint8_t signer_der[8192];
static unsigned char *lists[2];

static int set_up_group(void **state)
{
	(void)state;
	fake_snp_make(&chip);
	fake_tdx_make(&platform, 4, TDX_BODY_TD_1_0);
	memset(platform.qe_report + 128, 0x11, 32); /* MRSIGNER of fake_qe_identity() */
	platform.qe_report[48] = 0x11;		    /* ATTRIBUTES */
	fake_tdx_sign(&platform);
	return 0;
}

static int tear_down_group(void **state)
{
	(void)state;
	fake_snp_free(&chip);
	fake_tdx_free(&platform);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	warm = warm_new();
	policy_built_in(POLICY_PERMISSIVE, &policy);
	return warm != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	warm_free(warm);
	for (size_t i = 0; i < 2; i++) {
		OPENSSL_free(lists[i]);
		lists[i] = NULL;
	}
	return 0;
}

static struct request snp_request(void)
{
	size_t size = fake_cert_der(chip.ark, snp_root, sizeof(snp_root));

	return (struct request){ .kind = REQUEST_SNP,
				 .policy = &policy,
				 .now = FAKE_SNP_NOW,
				 .evidence = { chip.report, sizeof(chip.report), "report" },
				 .cert_table = { chip.table, chip.table_size, "table" },
				 .trust_root = { snp_root, size, "root" } };
}

static struct request tdx_request(void)
{
	size_t size = fake_cert_der(platform.chain.cert[TDX_ROLE_ROOT], tdx_root, sizeof(tdx_root));

	return (struct request){ .kind = REQUEST_TDX,
				 .policy = &policy,
				 .now = FAKE_TDX_NOW,
				 .evidence = { platform.quote, platform.quote_size, "quote" },
				 .trust_root = { tdx_root, size, "root" } };
}

static void add_blob(struct request *r, const void *data, size_t size, const char *name)
{
	r->collateral[r->collateral_count++] = (struct blob){ data, size, name };
}

/* TCB info and QE identity of the platform, signed by the root's signer. */
static void add_collateral(struct request *r)
{
	EVP_PKEY *key = fake_p256();
	struct fake_tdx_how how = fake_tdx_how(&platform, TDX_ROLE_PCK);
	struct fake_tcb tcb = fake_tcb();
	struct fake_qe qe = fake_qe();
	static char body[FAKE_TCB_TEXT];

	how.subject = "Intel SGX TCB Signing";
	how.issuer = "Test Root CA";
	how.key = key;
	how.issuer_key = platform.key[TDX_ROLE_ROOT];
	how.serial = 200;
	how.is_pck = false;
	X509 *signer = fake_tdx_cert(&how);
	tcb.fmspc = "B0C06F000000";
	memset(tcb.level[1].sgx, 0, 16);
	memset(tcb.level[1].tdx, 0, 16);
	fake_tcb_info(&tcb, body, sizeof(body));
	add_blob(r, tcb_text, fake_signed("tcbInfo", body, key, tcb_text, sizeof(tcb_text)),
		 "tcb.json");
	fake_qe_identity(&qe, body, sizeof(body));
	add_blob(r, qe_text, fake_signed("enclaveIdentity", body, key, qe_text, sizeof(qe_text)),
		 "qe.json");
	add_blob(r, signer_der, fake_cert_der(signer, signer_der, sizeof(signer_der)), "signer");
	add_blob(r, tdx_root, r->trust_root.size, "root");
	X509_free(signer);
	EVP_PKEY_free(key);
}

static enum exit_status judge(struct request *r, struct warm *w, struct checks *out)
{
	struct err e = { 0 };

	checks_init(out);
	r->warm = w;
	int status = appraise(r, out, &e);
	r->warm = NULL;
	return status < 0 ? (enum exit_status) - status : checks_verdict(out);
}

static void assert_same_check(const struct check *a, const struct check *b)
{
	assert_string_equal(a->id, b->id);
	if (a->status != b->status)
		fail_msg("%s: cold %d, warm %d: %s", a->id, (int)a->status, (int)b->status,
			 b->note);
	assert_int_equal(a->failure, b->failure);
	assert_string_equal(a->have, b->have);
	assert_string_equal(a->need, b->need);
	assert_string_equal(a->note, b->note);
	assert_string_equal(a->component, b->component);
	assert_string_equal(a->advisory, b->advisory);
	assert_string_equal(a->next, b->next);
}

/* The verdict, which is the same without and with what is kept, twice: to the last word. */
static enum exit_status ask(struct request *r)
{
	enum exit_status cold = judge(r, NULL, &cold_result);

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(judge(r, warm, &warm_result), cold);
		assert_int_equal(warm_result.count, cold_result.count);
		for (size_t k = 0; k < cold_result.count; k++)
			assert_same_check(&cold_result.item[k], &warm_result.item[k]);
		assert_int_equal(warm_result.claim_count, cold_result.claim_count);
		for (size_t k = 0; k < cold_result.claim_count; k++) {
			assert_string_equal(cold_result.claim[k].name, warm_result.claim[k].name);
			assert_string_equal(cold_result.claim[k].value, warm_result.claim[k].value);
		}
		assert_string_equal(checks_verdict_name(&cold_result),
				    checks_verdict_name(&warm_result));
	}
	return cold;
}

static void assert_status(const char *id, enum check_status status)
{
	for (size_t i = 0; i < warm_result.count; i++)
		if (strcmp(warm_result.item[i].id, id) == 0) {
			assert_int_equal(warm_result.item[i].status, status);
			return;
		}
	fail_msg("check %s is not in the result", id);
}

/* Each step-th byte from *p on changed, by a verifier that has seen the good ones. */
static void flip(struct request *r, const uint8_t *at, size_t size, size_t step)
{
	uint8_t *p = (uint8_t *)(uintptr_t)at;

	assert_int_equal(ask(r), EX_OK);
	for (size_t i = 0; i < size; i += step) {
		p[i] ^= (uint8_t)(1u << i % 8);
		enum exit_status v = ask(r);
		p[i] ^= (uint8_t)(1u << i % 8);
		if (v == EX_OK)
			fail_msg("byte %zu changed: affirmed", i);
	}
	assert_int_equal(ask(r), EX_OK);
}

static void changed_bytes_snp(void **state)
{
	(void)state;
	struct request r = snp_request();

	flip(&r, chip.table, chip.table_size, 37);
	flip(&r, chip.report, sizeof(chip.report), 41);
}

static void changed_bytes_tdx(void **state)
{
	(void)state;
	struct request r = tdx_request();

	flip(&r, platform.quote, platform.at_certs, 29);
	flip(&r, platform.quote + platform.at_certs, platform.quote_size - platform.at_certs, 7);
}

/* An evidence's certificates that are good ones, of others. */
static void other_chains(void **state)
{
	(void)state;
	struct request r = tdx_request();
	X509 *own = platform.chain.cert[TDX_ROLE_CA];
	EVP_PKEY *other = fake_p256();
	struct fake_tdx_how how = fake_tdx_how(&platform, TDX_ROLE_CA);

	assert_int_equal(ask(&r), EX_OK);
	/* The CA as it was but for its key and its signature: nothing of the old one counts. */
	how.key = other;
	X509_up_ref(own);
	fake_tdx_set(&platform, TDX_ROLE_CA, &how);
	fake_tdx_sign(&platform);
	r = tdx_request();
	assert_int_equal(ask(&r), EX_UNAUTHENTIC);
	assert_status("tdx.chain.ca", CHECK_PASS);
	assert_status("tdx.chain.pck", CHECK_FAIL);
	how = fake_tdx_how(&platform, TDX_ROLE_CA);
	how.issuer_key = other; /* not the root's */
	fake_tdx_set(&platform, TDX_ROLE_CA, &how);
	fake_tdx_sign(&platform);
	r = tdx_request();
	assert_int_equal(ask(&r), EX_UNAUTHENTIC);
	assert_status("tdx.chain.ca", CHECK_FAIL);
	X509_free(platform.chain.cert[TDX_ROLE_CA]);
	platform.chain.cert[TDX_ROLE_CA] = own;
	fake_tdx_sign(&platform);
	r = tdx_request();
	assert_int_equal(ask(&r), EX_OK);
	/* A root that nobody trusts any more. */
	r.trust_root.data = NULL;
	assert_int_equal(ask(&r), EX_REFUSED);
	assert_status("tdx.root", CHECK_FAIL);
	EVP_PKEY_free(other);
}

/* What is kept says nothing of the time. */
static void other_times(void **state)
{
	(void)state;
	struct request tdx = tdx_request(), snp = snp_request();

	policy.snp.allow_expired = false;
	policy.tdx.require_collateral = true;
	add_collateral(&tdx);
	assert_int_equal(ask(&snp), EX_OK);
	ask(&tdx);
	assert_status("tdx.validity", CHECK_PASS);
	assert_status("tdx.collateral", CHECK_PASS);
	snp.now = tdx.now += 60L * 365 * DAY;
	assert_int_equal(ask(&snp), EX_COLLATERAL);
	assert_status("snp.validity", CHECK_FAIL);
	assert_status("snp.chain.vek", CHECK_PASS);
	ask(&tdx);
	assert_status("tdx.validity", CHECK_FAIL);
	assert_status("tdx.collateral", CHECK_FAIL);
	snp.now = tdx.now = 0;
	assert_int_equal(ask(&snp), EX_COLLATERAL);
	ask(&tdx);
	assert_status("tdx.validity", CHECK_FAIL);
}

/* Revocation lists that come after the certificates were seen. */
static void revoked_later(void **state)
{
	(void)state;
	struct request r = tdx_request();
	const long serial =
		ASN1_INTEGER_get(X509_get0_serialNumber(platform.chain.cert[TDX_ROLE_PCK]));
	size_t size;

	policy.tdx.require_revocation = false;
	lists[0] = fake_tdx_crl(&platform, TDX_ROLE_CA, platform.key[TDX_ROLE_CA], 0, -DAY, DAY,
				&size);
	add_blob(&r, lists[0], size, "list");
	assert_int_equal(ask(&r), EX_OK);
	lists[1] = fake_tdx_crl(&platform, TDX_ROLE_CA, platform.key[TDX_ROLE_CA], serial, -DAY,
				DAY, &size);
	r.collateral[0] = (struct blob){ lists[1], size, "list" };
	assert_int_equal(ask(&r), EX_UNAUTHENTIC);
	assert_status("tdx.revocation", CHECK_FAIL);
	/* A changed list is not the one whose signature held. */
	lists[0][40] ^= 1;
	r.collateral[0] = (struct blob){ lists[0], size, "list" };
	assert_int_not_equal(ask(&r), EX_OK);

	const long ask_serial = ASN1_INTEGER_get(X509_get0_serialNumber(chip.ask));
	struct fake_crl how = { .issuer = "ARK-Test",
				.key = chip.ark_key,
				.serial = &ask_serial,
				.from = -DAY,
				.to = DAY,
				.pss = true,
				.salt = 48,
				.md = EVP_sha384() };
	static uint8_t list[8192];
	r = snp_request();
	for (how.count = 0; how.count < 2; how.count++) {
		X509_CRL *crl = fake_x509_crl(&how);
		r.crl[0] = (struct blob){ list, fake_crl_der(crl, list, sizeof(list)), "list" };
		r.crl_count = 1;
		assert_int_equal(ask(&r), how.count == 0 ? EX_OK : EX_UNAUTHENTIC);
		assert_status("snp.revocation", how.count == 0 ? CHECK_PASS : CHECK_FAIL);
		X509_CRL_free(crl);
	}
}

/* Collateral is the same only if each of its bytes, names and places is. */
static void other_collateral(void **state)
{
	(void)state;
	struct request r = tdx_request();

	add_collateral(&r);
	ask(&r);
	assert_status("tdx.tcb_info", CHECK_PASS);
	assert_status("tdx.qe_identity", CHECK_PASS);
	for (size_t i = 0; i < r.collateral_count; i++) {
		uint8_t *p = (uint8_t *)(uintptr_t)r.collateral[i].data;
		for (size_t k = 1; k < r.collateral[i].size && i != 3; k += 61) {
			p[k] ^= 1;
			ask(&r);
			p[k] ^= 1;
		}
	}
	ask(&r);
	r.collateral[0].name = "another name"; /* it is told in the result */
	ask(&r);
	size_t all = r.collateral_count;
	for (r.collateral_count = 0; r.collateral_count < all; r.collateral_count++)
		ask(&r);
	struct blob first = r.collateral[0];
	r.collateral[0] = r.collateral[1];
	r.collateral[1] = first;
	ask(&r);
	assert_status("tdx.tcb_info", CHECK_PASS);
}

/* A platform after the other, each with its own keys: the room stays the same. */
static void bounded(void **state)
{
	(void)state;
	struct cert_cache *c = warm_certs(warm);
	EVP_PKEY *key = fake_p256();
	struct err e = { 0 };

	for (long i = 1; i <= 3L * CERT_CACHE_CERTS; i++) {
		struct fake_cert how = { .subject = "A", .key = key, .serial = i, .ca = true };
		X509 *made = fake_x509_cert(&how);
		uint8_t der[4096], object[32] = { (uint8_t)i, 1 }, point[64] = { (uint8_t)i };
		struct certs got;
		size_t size = fake_cert_der(made, der, sizeof(der));
		assert_int_equal(certs_read_cached(c, "A", der, size, &got, &e), 0);
		assert_int_equal(cert_check_issued_cached(c, "A", got.cert[0], got.cert[0], &e), 0);
		cert_cache_held(c, object, got.cert[0]);
		cert_cache_add_key(c, point, key);
		assert_true(cert_cache_holds(c, object, got.cert[0]));
		assert_int_equal(cert_cache_certs(c),
				 i < (long)CERT_CACHE_CERTS ? i : (long)CERT_CACHE_CERTS);
		assert_true(cert_cache_proofs(c) <= CERT_CACHE_PROOFS);
		certs_free(&got);
		X509_free(made);
	}
	assert_int_equal(cert_cache_proofs(c), CERT_CACHE_PROOFS);
	uint8_t first[64] = { 1 }, last[64] = { (uint8_t)(3 * CERT_CACHE_CERTS) };
	assert_null(cert_cache_key(c, first));
	EVP_PKEY *again = cert_cache_key(c, last);
	assert_ptr_equal(again, key);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
}

/* Read twice, it is one; another text, another certificate, another signer is not. */
static void keyed_by_bytes(void **state)
{
	(void)state;
	struct cert_cache *c = warm_certs(warm);
	EVP_PKEY *key = fake_p256(), *other = fake_p256();
	struct fake_cert how = { .subject = "A", .key = key, .serial = 1, .ca = true };
	X509 *a = fake_x509_cert(&how);
	how.key = other;
	X509 *b = fake_x509_cert(&how); /* of the same name */
	how = (struct fake_cert){
		.subject = "L", .issuer = "A", .key = key, .issuer_key = key, .serial = 2
	};
	X509 *leaf = fake_x509_cert(&how);
	uint8_t der[8192], object[32] = { 1 };
	struct certs one, two;
	struct err e = { 0 };
	size_t n = fake_cert_der(a, der, sizeof(der));

	n += fake_cert_der(b, der + n, sizeof(der) - n);
	n += fake_cert_der(leaf, der + n, sizeof(der) - n);
	assert_int_equal(certs_read_cached(c, "file", der, n, &one, &e), 0);
	assert_int_equal(certs_read_cached(c, "file", der, n, &two, &e), 0);
	assert_int_equal(one.count, 3);
	assert_int_equal(two.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(one.cert[i], two.cert[i]);
	assert_ptr_not_equal(one.cert[0], one.cert[1]);
	certs_free(&two);
	assert_int_equal(certs_read_cached(c, "file", der, n - 1, &two, &e), -EX_MALFORMED);
	/* Held under A's key, and therefore not under B's; what failed leaves nothing. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(cert_check_issued_cached(c, "L", one.cert[2], one.cert[1], &e),
				 -EX_UNAUTHENTIC);
		assert_int_equal(cert_cache_proofs(c), i);
		assert_int_equal(cert_check_issued_cached(c, "L", one.cert[2], one.cert[0], &e), 0);
	}
	assert_int_equal(cert_cache_proofs(c), 1);
	/* Of certificates that are not its own it knows nothing, whatever they hold. */
	cert_cache_held(c, object, a);
	assert_int_equal(cert_cache_proofs(c), 1);
	cert_cache_held(c, object, one.cert[0]);
	assert_true(cert_cache_holds(c, object, one.cert[0]));
	assert_false(cert_cache_holds(c, object, one.cert[1]));
	assert_false(cert_cache_holds(c, object, a));
	object[31] = 1;
	assert_false(cert_cache_holds(c, object, one.cert[0]));
	/* Nothing but what was given is remembered of it. */
	uint8_t note[4] = { 1, 2, 3, 4 }, got[4] = { 0 };
	assert_false(cert_cache_noted(c, one.cert[0], CERT_NOTE_PCK, got, sizeof(got)));
	cert_cache_note(c, one.cert[0], CERT_NOTE_PCK, note, sizeof(note));
	assert_true(cert_cache_noted(c, one.cert[0], CERT_NOTE_PCK, got, sizeof(got)));
	assert_memory_equal(got, note, sizeof(note));
	assert_false(cert_cache_noted(c, one.cert[1], CERT_NOTE_PCK, got, sizeof(got)));
	assert_false(cert_cache_noted(c, one.cert[0], CERT_NOTE_PCK, got, 3));
	certs_free(&one);
	X509_free(a);
	X509_free(b);
	X509_free(leaf);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void take(struct blob *out, const char *path)
{
	size_t size;

	out->data = vector_read(path, &size);
	out->size = size;
	out->name = "file";
}

static void drop(struct blob *b)
{
	free((void *)(uintptr_t)b->data);
	*b = (struct blob){ 0 };
}

/* Every chip's report, in turn, with each policy, changed and not. */
static void real_warm_snp(void **state)
{
	(void)state;
	char path[256];

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < SNP_VECTORS; i++) {
		struct snp_certs certs = snp_vector_certs(i, NULL);
		struct request r = { .kind = REQUEST_SNP,
				     .policy = &policy,
				     .now = snp_vector_time(&certs) };
		snp_certs_free(&certs);
		snprintf(path, sizeof(path), "snp/%s/report.bin", snp_vectors[i].name);
		take(&r.evidence, path);
		snprintf(path, sizeof(path), "snp/%s/%s", snp_vectors[i].name, snp_vectors[i].vek);
		take(&r.vek, path);
		snprintf(path, sizeof(path), "snp/chains/%s.pem", snp_vectors[i].chain);
		take(&r.chain, path);
		for (enum policy_base b = 0; b < POLICY_BASES; b++) {
			policy_built_in(b, &policy);
			ask(&r);
			assert_status("snp.chain.vek", CHECK_PASS);
			assert_status("snp.signature", CHECK_PASS);
		}
		((uint8_t *)(uintptr_t)r.evidence.data)[0x90] ^= 1;
		ask(&r);
		assert_status("snp.signature", CHECK_FAIL);
		drop(&r.evidence);
		drop(&r.vek);
		drop(&r.chain);
	}
}

static void real_warm_tdx(void **state)
{
	(void)state;
	static const struct {
		const char *name, *time, *collateral;
	} quotes[] = {
		{ "v4-uptodate", "2025-07-01T00:00:00Z", "v4-uptodate/collateral.json" },
		{ "v5-uptodate", "2026-04-01T00:00:00Z", NULL },
		{ "v4-platform-outofdate-module-uptodate", "2025-03-01T00:00:00Z", NULL },
		{ "v4-debug-td-outofdate", "2026-04-01T00:00:00Z",
		  "v4-debug-td-outofdate/tcb_info.json" },
		{ "v4-gce-ccel", "2025-01-01T00:00:00Z", NULL },
		{ "v4-untrusted-root", "2025-01-01T00:00:00Z", NULL },
	};
	char path[256];
	int64_t now;

	if (vectors_present() < 0)
		skip();
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		struct request r = { .kind = REQUEST_TDX, .policy = &policy };
		assert_true(rfc3339_parse(quotes[i].time, &now));
		r.now = (time_t)now;
		snprintf(path, sizeof(path), "tdx/%s/quote.bin", quotes[i].name);
		take(&r.evidence, path);
		if (quotes[i].collateral != NULL) {
			snprintf(path, sizeof(path), "tdx/%s", quotes[i].collateral);
			take(&r.collateral[r.collateral_count++], path);
		}
		for (enum policy_base b = 0; b < POLICY_BASES; b++) {
			policy_built_in(b, &policy);
			ask(&r);
			assert_status("tdx.chain.pck", CHECK_PASS);
			assert_status("tdx.signature", CHECK_PASS);
		}
		r.now = 0;
		ask(&r);
		assert_status("tdx.validity", CHECK_FAIL);
		drop(&r.evidence);
		drop(&r.collateral[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_bytes_snp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changed_bytes_tdx, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_chains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_collateral, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keyed_by_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(real_warm_snp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(real_warm_tdx, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("warm", tests, set_up_group, tear_down_group);
}
