/* attest/x509: certificates, revocation lists and times, from chains made here and from real ones.
 */
#include "attest/x509/cert.h"
#include "attest/x509/crl.h"
#include "attest/x509/when.h"
#include "tests/unit/fake_x509.h"
#include "tests/unit/vectors.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY (24L * 3600)

static struct {
	EVP_PKEY *root_key, *leaf_key, *rsa_key, *p384_key;
	X509 *root, *leaf, *rsa_root;
} w;

static int make_world(void **state)
{
	(void)state;
	w.root_key = fake_p256();
	w.leaf_key = fake_p256();
	w.p384_key = EVP_EC_gen("P-384");
	w.rsa_key = EVP_RSA_gen(4096);
	w.root = fake_x509_cert(&(struct fake_cert){
		.subject = "Root", .key = w.root_key, .serial = 1, .ca = true });
	w.leaf = fake_x509_cert(&(struct fake_cert){ .subject = "Leaf",
						     .issuer = "Root",
						     .key = w.leaf_key,
						     .issuer_key = w.root_key,
						     .serial = 7 });
	w.rsa_root = fake_x509_cert(&(struct fake_cert){ .subject = "ARK",
							 .key = w.rsa_key,
							 .serial = 2,
							 .ca = true,
							 .pss = true,
							 .salt = 48,
							 .md = EVP_sha384() });
	return w.p384_key != NULL && w.rsa_key != NULL ? 0 : -1;
}

static int free_world(void **state)
{
	(void)state;
	X509_free(w.root);
	X509_free(w.leaf);
	X509_free(w.rsa_root);
	EVP_PKEY_free(w.root_key);
	EVP_PKEY_free(w.leaf_key);
	EVP_PKEY_free(w.rsa_key);
	EVP_PKEY_free(w.p384_key);
	return 0;
}

/* The list as a file has it; the result of crl_read. */
static int read_crl(const struct fake_crl *how, struct crl *out, struct err *e)
{
	static uint8_t der[8192];
	X509_CRL *list = fake_x509_crl(how);
	size_t n = fake_crl_der(list, der, sizeof(der));

	X509_CRL_free(list);
	*e = (struct err){ 0 };
	return crl_read("list", der, n, out, e);
}

static void test_times(void **state)
{
	char text[WHEN_TEXT_SIZE];
	time_t t = 0;

	(void)state;
	assert_true(when_from_asn1(X509_get0_notBefore(w.root), &t));
	assert_int_equal(t, FAKE_X509_NOW - 182 * DAY);
	assert_false(when_from_asn1(NULL, &t));
	when_text(FAKE_X509_NOW, text);
	assert_string_equal(text, "2027-01-15T08:00:00Z");
	when_text((time_t)1 << 40, text);
	assert_string_equal(text, "?");
}

static void test_certificates_of_a_file(void **state)
{
	uint8_t der[4096];
	char pem[8192] = "\n";
	struct certs c;
	struct err e = { 0 };

	(void)state;
	size_t one = fake_cert_der(w.leaf, der, sizeof(der));
	size_t n = one + fake_cert_der(w.root, der + one, sizeof(der) - one);
	assert_int_equal(certs_read("file", der, n, &c, &e), 0);
	assert_int_equal(c.count, 2);
	assert_int_equal(X509_cmp(c.cert[0], w.leaf), 0);
	assert_true(cert_is_root(c.cert[1]) && !cert_is_root(c.cert[0]));
	certs_free(&c);
	fake_cert_pem(w.leaf, pem, sizeof(pem));
	fake_cert_pem(w.root, pem, sizeof(pem));
	/* With the NUL that quotes have behind it. */
	assert_int_equal(certs_read("file", (uint8_t *)pem, strlen(pem) + 1, &c, &e), 0);
	assert_int_equal(c.count, 2);
	assert_int_equal(X509_cmp(c.cert[1], w.root), 0);
	certs_free(&c);
	/* What is not one of the two forms, whole. */
	assert_int_equal(certs_read("file", der, n - 1, &c, &e), -EX_MALFORMED);
	assert_int_equal(c.count, 0);
	assert_int_equal(certs_read("file", der, 0, &c, &e), -EX_MALFORMED);
	assert_int_equal(certs_read("file", (uint8_t *)"\n\n", 2, &c, &e), -EX_MALFORMED);
	memcpy(der + one, "-----BEGIN", 10);
	assert_int_equal(certs_read("file", der, n, &c, &e), -EX_MALFORMED);
	size_t end = strlen(pem);
	pem[end] = 'x';
	assert_int_equal(certs_read("file", (uint8_t *)pem, end + 1, &c, &e), -EX_MALFORMED);
	pem[0] = '\0';
	for (unsigned i = 0; i <= CERTS_MAX; i++)
		fake_cert_pem(w.leaf, pem, sizeof(pem));
	assert_int_equal(certs_read("file", (uint8_t *)pem, strlen(pem), &c, &e), -EX_MALFORMED);
}

static int issued(const struct fake_cert *how, X509 *issuer)
{
	X509 *cert = fake_x509_cert(how);
	struct err e = { 0 };
	int r = cert_check_issued("certificate", cert, issuer, &e);

	X509_free(cert);
	return r;
}

static void test_who_may_issue(void **state)
{
	struct fake_cert good = { .subject = "Leaf",
				  .issuer = "Root",
				  .key = w.leaf_key,
				  .issuer_key = w.root_key,
				  .serial = 7 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(issued(&good, w.root), 0);
	assert_int_equal(cert_check_issued("root", w.root, w.root, &e), 0);
	assert_int_equal(cert_check_issued("root", w.rsa_root, w.rsa_root, &e), 0);
	struct fake_cert other = good;
	other.issuer = "Other";
	assert_int_equal(issued(&other, w.root), -EX_UNAUTHENTIC);
	other = good;
	other.issuer_key = w.leaf_key;
	assert_int_equal(issued(&other, w.root), -EX_UNAUTHENTIC);
	other = good;
	other.md = EVP_sha384();
	assert_int_equal(issued(&other, w.root), -EX_UNAUTHENTIC);
	/* Issued by a leaf: by its key and in its name, but it may not. */
	other = good;
	other.issuer = "Leaf";
	other.issuer_key = w.leaf_key;
	assert_int_equal(issued(&other, w.leaf), -EX_UNAUTHENTIC);
	/* A key of another kind. */
	X509 *p384 = fake_x509_cert(&(struct fake_cert){
		.subject = "Root", .key = w.p384_key, .serial = 3, .ca = true });
	other = good;
	other.issuer_key = w.p384_key;
	assert_int_equal(issued(&other, p384), -EX_UNAUTHENTIC);
	X509_free(p384);
}

static void test_algorithms_of_rsa(void **state)
{
	struct fake_cert good = { .subject = "Leaf",
				  .issuer = "ARK",
				  .key = w.leaf_key,
				  .issuer_key = w.rsa_key,
				  .pss = true,
				  .salt = 48,
				  .md = EVP_sha384() };

	(void)state;
	assert_int_equal(issued(&good, w.rsa_root), 0);
	struct fake_cert other = good;
	other.salt = 32;
	assert_int_equal(issued(&other, w.rsa_root), -EX_UNAUTHENTIC);
	other = good;
	other.md = EVP_sha256();
	assert_int_equal(issued(&other, w.rsa_root), -EX_UNAUTHENTIC);
	other = good;
	other.pss = false;
	assert_int_equal(issued(&other, w.rsa_root), -EX_UNAUTHENTIC);
}

static void test_validity_of_a_certificate(void **state)
{
	X509 *cert = fake_x509_cert(&(struct fake_cert){
		.subject = "Leaf", .key = w.leaf_key, .from = -DAY, .to = DAY });
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cert_check_time("it", cert, FAKE_X509_NOW - DAY, &e), 0);
	assert_int_equal(cert_check_time("it", cert, FAKE_X509_NOW + DAY, &e), 0);
	assert_int_equal(cert_check_time("it", cert, FAKE_X509_NOW - DAY - 1, &e), -EX_COLLATERAL);
	assert_string_equal(e.text, "it: valid from 2027-01-14T08:00:00Z to 2027-01-16T08:00:00Z "
				    "only");
	assert_int_equal(cert_check_time("it", cert, FAKE_X509_NOW + DAY + 1, &e), -EX_COLLATERAL);
	X509_free(cert);
}

static void test_names_and_keys(void **state)
{
	uint8_t a[48], b[48];
	char name[5];

	(void)state;
	cert_common_name(X509_get_subject_name(w.root), name, sizeof(name));
	assert_string_equal(name, "Root");
	cert_common_name(X509_get_subject_name(w.root), name, 4);
	assert_string_equal(name, "");
	assert_int_equal(cert_key_digest(w.root, a), 0);
	assert_int_equal(cert_key_digest(w.leaf, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_list_answers(void **state)
{
	static const long serials[] = { 3, 7, 0 };
	struct crl c;
	struct err e;

	(void)state;
	assert_int_equal(
		read_crl(&(struct fake_crl){ .issuer = "Root", .key = w.root_key }, &c, &e), 0);
	assert_int_equal(c.entries, 0);
	assert_string_equal(c.issuer, "Root");
	assert_int_equal(crl_lookup(&c, w.leaf), CRL_GOOD);
	assert_int_equal(crl_check("list", &c, w.root, "leaf", w.leaf, FAKE_X509_NOW, &e), 0);
	assert_int_equal(crl_lookup(&c, w.rsa_root), CRL_OTHER_ISSUER);
	assert_int_equal(crl_check("list", &c, w.root, "ark", w.rsa_root, FAKE_X509_NOW, &e),
			 -EX_UNAUTHENTIC);
	crl_free(&c);
	assert_int_equal(read_crl(&(struct fake_crl){ .issuer = "Root",
						      .key = w.root_key,
						      .serial = serials,
						      .count = 3 },
				  &c, &e),
			 0);
	assert_int_equal(c.entries, 3);
	assert_int_equal(crl_lookup(&c, w.leaf), CRL_REVOKED);
	assert_int_equal(crl_check("list", &c, w.root, "leaf", w.leaf, FAKE_X509_NOW, &e),
			 -EX_UNAUTHENTIC);
	assert_string_equal(e.text, "leaf: revoked by the list of \"Root\"");
	assert_int_equal(crl_lookup(&c, w.root), CRL_GOOD);
	crl_free(&c);
}

/* Every VCEK has serial number 0: only the list of its own issuer may speak of it. */
static void test_serial_zero(void **state)
{
	static const long zero[] = { 0 };
	X509 *vcek = fake_x509_cert(&(struct fake_cert){ .subject = "SEV-VCEK",
							 .issuer = "ASK",
							 .key = w.leaf_key,
							 .issuer_key = w.root_key });
	struct fake_crl how = { .issuer = "ARK",
				.key = w.rsa_key,
				.serial = zero,
				.count = 1,
				.pss = true,
				.salt = 48,
				.md = EVP_sha384() };
	struct crl c;
	struct err e;

	(void)state;
	assert_int_equal(read_crl(&how, &c, &e), 0);
	assert_int_equal(crl_check_issuer("list", &c, w.rsa_root, &e), 0);
	assert_int_equal(crl_lookup(&c, vcek), CRL_OTHER_ISSUER);
	crl_free(&c);
	how.issuer = "ASK";
	assert_int_equal(read_crl(&how, &c, &e), 0);
	assert_int_equal(crl_lookup(&c, vcek), CRL_REVOKED);
	crl_free(&c);
	X509_free(vcek);
}

static int list_issuer(const struct fake_crl *how, X509 *issuer)
{
	struct crl c;
	struct err e;

	assert_int_equal(read_crl(how, &c, &e), 0);
	int r = crl_check_issuer("list", &c, issuer, &e);
	crl_free(&c);
	return r;
}

static void test_issuer_of_a_list(void **state)
{
	struct fake_crl good = { .issuer = "Root", .key = w.root_key };
	struct fake_crl amd = {
		.issuer = "ARK", .key = w.rsa_key, .pss = true, .salt = 48, .md = EVP_sha384()
	};

	(void)state;
	assert_int_equal(list_issuer(&good, w.root), 0);
	assert_int_equal(list_issuer(&good, w.rsa_root), -EX_UNAUTHENTIC);
	struct fake_crl other = good;
	other.key = w.leaf_key;
	assert_int_equal(list_issuer(&other, w.root), -EX_UNAUTHENTIC);
	other = good;
	other.md = EVP_sha384();
	assert_int_equal(list_issuer(&other, w.root), -EX_UNAUTHENTIC);
	other = good;
	other.issuer = "Leaf";
	other.key = w.leaf_key;
	assert_int_equal(list_issuer(&other, w.leaf), -EX_UNAUTHENTIC);
	/* A CA that may sign certificates, but no lists. */
	X509 *half = fake_x509_cert(&(struct fake_cert){ .subject = "Root",
							 .key = w.root_key,
							 .ca = true,
							 .key_usage = "critical,keyCertSign" });
	assert_int_equal(list_issuer(&good, half), -EX_UNAUTHENTIC);
	X509_free(half);
	assert_int_equal(list_issuer(&amd, w.rsa_root), 0);
	other = amd;
	other.salt = 20;
	assert_int_equal(list_issuer(&other, w.rsa_root), -EX_UNAUTHENTIC);
	other = amd;
	other.pss = false;
	assert_int_equal(list_issuer(&other, w.rsa_root), -EX_UNAUTHENTIC);
}

/* The algorithm beside the signature is not what is signed: here it is changed, and the signed one
 * is not. */
static void test_two_algorithms(void **state)
{
	static const uint8_t sha256[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 };
	uint8_t der[1024];
	X509_CRL *list = fake_x509_crl(
		&(struct fake_crl){ .issuer = "Root", .key = w.root_key, .md = EVP_sha384() });
	size_t n = fake_crl_der(list, der, sizeof(der));
	struct crl c;
	struct err e = { 0 };

	(void)state;
	X509_CRL_free(list);
	uint8_t *inner = memmem(der, n, sha256, sizeof(sha256) - 1);
	assert_non_null(inner);
	uint8_t *outer =
		memmem(inner + 1, n - (size_t)(inner + 1 - der), sha256, sizeof(sha256) - 1);
	assert_non_null(outer);
	outer[7] = 2;
	assert_int_equal(crl_read("list", der, n, &c, &e), 0);
	assert_int_equal(crl_check_issuer("list", &c, w.root, &e), -EX_UNAUTHENTIC);
	assert_non_null(strstr(e.text, "another algorithm"));
	crl_free(&c);
}

static void test_lists_that_are_refused(void **state)
{
	static const long serials[] = { 9 };
	const struct fake_crl wrong[] = {
		{ .no_next = true },
		{ .version = 1 },
		{ .extension = "2.5.29.27" }, /* delta CRL indicator */
		{ .extension = "2.5.29.28" }, /* distribution point */
		{ .extension = "1.3.6.1.4.1.99999.1", .critical = true },
		{ .entry_extension = "2.5.29.29", .critical = true }, /* certificate issuer */
	};
	struct crl c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fake_crl how = wrong[i];
		how.issuer = "Root";
		how.key = w.root_key;
		how.serial = serials;
		how.count = 1;
		assert_int_equal(read_crl(&how, &c, &e), -EX_MALFORMED);
		assert_null(c.list);
	}
	/* Not critical, and of no meaning for us. */
	struct fake_crl fine = { .issuer = "Root",
				 .key = w.root_key,
				 .serial = serials,
				 .count = 1,
				 .extension = "1.3.6.1.4.1.99999.1",
				 .entry_extension = "2.5.29.21" };
	assert_int_equal(read_crl(&fine, &c, &e), 0);
	crl_free(&c);
}

static void test_time_of_a_list(void **state)
{
	struct crl c;
	struct err e;

	(void)state;
	assert_int_equal(read_crl(&(struct fake_crl){ .issuer = "Root",
						      .key = w.root_key,
						      .from = -DAY,
						      .to = DAY },
				  &c, &e),
			 0);
	assert_int_equal(crl_check_time("list", &c, FAKE_X509_NOW - DAY, &e), 0);
	assert_int_equal(crl_check_time("list", &c, FAKE_X509_NOW + DAY, &e), 0);
	assert_int_equal(crl_check_time("list", &c, FAKE_X509_NOW - DAY - 1, &e), -EX_COLLATERAL);
	assert_int_equal(crl_check("list", &c, w.root, "leaf", w.leaf, FAKE_X509_NOW + DAY + 1, &e),
			 -EX_COLLATERAL);
	crl_free(&c);
}

static void test_forms_of_a_list(void **state)
{
	uint8_t der[1024];
	char pem[4096];
	X509_CRL *list = fake_x509_crl(&(struct fake_crl){ .issuer = "Root", .key = w.root_key });
	size_t n = fake_crl_der(list, der, sizeof(der));
	BIO *bio = BIO_new(BIO_s_mem());
	struct crl c;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PEM_write_bio_X509_CRL(bio, list), 1);
	int size = BIO_read(bio, pem, sizeof(pem) / 2);
	assert_true(size > 0);
	assert_int_equal(crl_read("list", (uint8_t *)pem, (size_t)size, &c, &e), 0);
	crl_free(&c);
	/* Twice: the second one would go unseen. */
	memcpy(pem + size, pem, (size_t)size);
	assert_int_equal(crl_read("list", (uint8_t *)pem, 2 * (size_t)size, &c, &e), -EX_MALFORMED);
	assert_int_equal(crl_read("list", der, n - 1, &c, &e), -EX_MALFORMED);
	assert_int_equal(crl_read("list", der, 0, &c, &e), -EX_MALFORMED);
	der[n] = 0;
	assert_int_equal(crl_read("list", der, n + 1, &c, &e), -EX_MALFORMED);
	/* A certificate is no list. */
	n = fake_cert_der(w.leaf, der, sizeof(der));
	assert_int_equal(crl_read("list", der, n, &c, &e), -EX_MALFORMED);
	BIO_free(bio);
	X509_CRL_free(list);
}

static void test_real_lists(void **state)
{
	static const char folder[] = "tdx/v5-uptodate/";
	struct certs root;
	struct crl list, pck;
	struct err e = { 0 };
	size_t n;
	time_t now = 1774000000; /* 2026-03-20 */

	(void)state;
	if (vectors_present() < 0)
		skip();
	uint8_t *data = vector_read("tdx/roots/intel_sgx_root_ca.pem", &n);
	assert_int_equal(certs_read("root", data, n, &root, &e), 0);
	free(data);
	char path[128];
	snprintf(path, sizeof(path), "%sroot_ca_crl.der", folder);
	data = vector_read(path, &n);
	assert_int_equal(crl_read("root CRL", data, n, &list, &e), 0);
	free(data);
	assert_int_equal(crl_check("root CRL", &list, root.cert[0], "root", root.cert[0], now, &e),
			 0);
	snprintf(path, sizeof(path), "%spck_crl_platform.der", folder);
	data = vector_read(path, &n);
	assert_int_equal(crl_read("PCK CRL", data, n, &pck, &e), 0);
	free(data);
	assert_int_equal(pck.entries, 57);
	assert_string_equal(pck.issuer, "Intel SGX PCK Platform CA");
	assert_int_equal(crl_check_issuer("PCK CRL", &pck, root.cert[0], &e), -EX_UNAUTHENTIC);
	crl_free(&list);
	crl_free(&pck);
	certs_free(&root);
}

/* The bits behind the last byte of base64 say nothing, and so must be what they always are. */
static void test_base64_has_one_form(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	/* Signatures vary in length too: of so many certificates some end in padding. */
	static const char *const names[] = { "a", "ab", "abc", "abcd", "abcde", "abcdef", "b", "bc",
					     "bcd", "bcde", "bcdef", "bcdefg", "c", "cd", "cde" };
	EVP_PKEY *key = fake_p256();
	unsigned changed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		X509 *cert = fake_x509_cert(&(struct fake_cert){ .subject = names[i], .key = key });
		char text[4096] = "";
		struct certs certs;
		struct err e = { 0 };
		fake_cert_pem(cert, text, sizeof(text));
		X509_free(cert);
		assert_int_equal(certs_read("pem", (uint8_t *)text, strlen(text), &certs, &e), 0);
		certs_free(&certs);
		char *pad = strchr(text, '=');
		if (pad == NULL)
			continue;
		pad[-1] = alphabet[(strchr(alphabet, pad[-1]) - alphabet) ^ 1];
		assert_int_equal(certs_read("pem", (uint8_t *)text, strlen(text), &certs, &e),
				 -EX_MALFORMED);
		changed++;
	}
	EVP_PKEY_free(key);
	assert_true(changed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_has_one_form),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_certificates_of_a_file),
		cmocka_unit_test(test_who_may_issue),
		cmocka_unit_test(test_algorithms_of_rsa),
		cmocka_unit_test(test_validity_of_a_certificate),
		cmocka_unit_test(test_names_and_keys),
		cmocka_unit_test(test_list_answers),
		cmocka_unit_test(test_serial_zero),
		cmocka_unit_test(test_issuer_of_a_list),
		cmocka_unit_test(test_two_algorithms),
		cmocka_unit_test(test_lists_that_are_refused),
		cmocka_unit_test(test_time_of_a_list),
		cmocka_unit_test(test_forms_of_a_list),
		cmocka_unit_test(test_real_lists),
	};

	return cmocka_run_group_tests(tests, make_world, free_world);
}
