/* What the simulated secure processor says about a guest and about itself: reports, ID blocks,
 * certificates, and the folder that holds its one key. */
#include "tests/model/id_auth.h"
#include "tests/model/psp_bench.h"

#include "model/certificate.h"
#include "model/psp/chain.h"
#include "model/psp/state.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SEND(p, COMMAND, c) bench_command(p, COMMAND, &(c), sizeof(c), NULL, NULL)

static struct psp_bench bench;

/* A report of a running guest. */
static uint32_t take_report(struct psp *p, const struct psp_report_request *r,
			    struct psp_report_answer *a, size_t *certs)
{
	static uint8_t answer[PSP_PAYLOAD_MAX];
	size_t size;

	assert_int_equal(bench_command(p, PSP_GUEST_REPORT, r, sizeof(*r), answer, &size), 0);
	assert_true(size >= sizeof(*a));
	memcpy(a, answer, sizeof(*a));
	*certs = size - sizeof(*a);
	if (*certs != 0)
		assert_memory_equal(answer + sizeof(*a), bench.table, bench.table_size);
	return a->status;
}

static void report_states(void **state)
{
	(void)state;
	struct psp p;
	struct psp_report_request r = { .vmpl = 4 };
	struct psp_report_answer a;
	size_t certs;

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_GUEST_REPORT, r), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_GUEST_REPORT, r), PSP_INVALID_GUEST);
	bench_active(&p);
	assert_int_equal(SEND(&p, PSP_GUEST_REPORT, r), PSP_INVALID_GUEST_STATE);
	bench_machine(&bench, &p);
	bench_running(&p);
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_INVALID_PARAM);
	assert_int_equal(certs, 0);
	r.vmpl = 3;
	r.key_sel = 2;
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_INVALID_KEY); /* no VLEK */
	r.key_sel = 1;
	r.reserved[23] = 1;
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_INVALID_PARAM);
	r.reserved[23] = 0;
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_SUCCESS);
	p.guest.vcek_disabled = true;
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_INVALID_KEY);
	assert_int_equal(a.report[0], 0);
}

static void report_is_signed_under_the_chain(void **state)
{
	(void)state;
	struct psp p;
	struct psp_report_request r = { .vmpl = 2 };
	struct psp_report_answer a;
	struct psp_launch_finish f = { .host_data = { 'h', 'o', 's', 't' } };
	X509 *vcek = chain_certificate(bench.table, bench.table_size, CHAIN_VCEK);
	size_t certs;

	memset(r.report_data, 'd', sizeof(r.report_data));
	bench_machine(&bench, &p);
	bench_active(&p);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, f), PSP_SUCCESS);
	assert_int_equal(take_report(&p, &r, &a, &certs), PSP_SUCCESS);
	assert_int_equal(certs, bench.table_size);
	assert_int_equal(a.report[0], 5);
	assert_memory_equal(a.report + 0x50, r.report_data, 64);
	assert_memory_equal(a.report + 0xc0, f.host_data, 32);
	assert_int_equal(a.report[0x30], 2);
	assert_int_equal(a.report[0x188], 0x19);
	assert_memory_equal(a.report + 0x1a0, bench.chip.id, 64);
	assert_true(bench_signature_holds(a.report, vcek));
	for (size_t i = 0; i < 0x2a0; i += 31) {
		a.report[i] ^= 1;
		assert_false(bench_signature_holds(a.report, vcek));
		a.report[i] ^= 1;
	}
	X509_free(vcek);
}

static bool is_marked(X509 *x)
{
	char name[128] = "";
	ASN1_OBJECT *oid = OBJ_txt2obj(CERTIFICATE_SIMULATED_OID, 1);
	int at = X509_get_ext_by_OBJ(x, oid, -1);

	ASN1_OBJECT_free(oid);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
	return at >= 0 && strstr(name, "SIMULATED") != NULL;
}

static void chain_holds_and_is_marked(void **state)
{
	(void)state;
	X509 *cert[3];

	for (int i = 0; i < 3; i++) {
		cert[i] = chain_certificate(bench.table, bench.table_size, (enum chain_role)i);
		assert_non_null(cert[i]);
		assert_true(is_marked(cert[i]));
	}
	assert_int_equal(X509_verify(cert[CHAIN_ARK], X509_get0_pubkey(cert[CHAIN_ARK])), 1);
	assert_int_equal(X509_verify(cert[CHAIN_ASK], X509_get0_pubkey(cert[CHAIN_ARK])), 1);
	assert_int_equal(X509_verify(cert[CHAIN_VCEK], X509_get0_pubkey(cert[CHAIN_ASK])), 1);
	assert_int_equal(X509_verify(cert[CHAIN_VCEK], X509_get0_pubkey(cert[CHAIN_ARK])), 0);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	sk_X509_push(between, cert[CHAIN_ASK]);
	X509_STORE_add_cert(store, cert[CHAIN_ARK]);
	X509_STORE_CTX_init(ctx, store, cert[CHAIN_VCEK], between);
	if (X509_verify_cert(ctx) != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	sk_X509_free(between);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	for (int i = 0; i < 3; i++)
		X509_free(cert[i]);
}

/* ---- ID blocks ---- */

/* A good ID block for a guest with nothing measured: its digest is zero. */
static struct psp_launch_finish good_identity(EVP_PKEY *id, EVP_PKEY *author)
{
	struct psp_launch_finish f = { .id_block_en = 1, .auth_key_en = author != NULL };
	const uint64_t policy = BENCH_POLICY;

	memset(f.id_block + 48, 'f', 16);
	memset(f.id_block + 64, 'i', 16);
	f.id_block[80] = 1;
	f.id_block[84] = 7;
	memcpy(f.id_block + 88, &policy, 8);
	assert_int_equal(id_auth_fill(f.id_auth, id, author, f.id_block), 0);
	return f;
}

static void id_block(void **state)
{
	(void)state;
	static const struct {
		size_t at;   /* byte of struct psp_launch_finish that is changed */
		uint8_t xor;
		uint32_t status;
	} cases[] = {
		{ offsetof(struct psp_launch_finish, host_data), 1, PSP_SUCCESS },
		{ offsetof(struct psp_launch_finish, id_block), 1, PSP_BAD_MEASUREMENT },
		{ offsetof(struct psp_launch_finish, id_block) + 90, 1, PSP_POLICY_FAILURE },
		{ offsetof(struct psp_launch_finish, id_block) + 84, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth), 3, PSP_INVALID_PARAM },
		{ offsetof(struct psp_launch_finish, id_auth) + 4, 3, PSP_INVALID_PARAM },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x40, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x40 + 60, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x240, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x250, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x680, 1, PSP_BAD_SIGNATURE },
		{ offsetof(struct psp_launch_finish, id_auth) + 0x890, 1, PSP_BAD_SIGNATURE },
	};
	EVP_PKEY *id = EVP_EC_gen("P-384"), *author = EVP_EC_gen("P-384");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct psp_launch_finish f = good_identity(id, author);
		struct psp p;

		bench_machine(&bench, &p);
		bench_active(&p);
		((uint8_t *)&f)[cases[i].at] ^= cases[i].xor;
		uint32_t status = SEND(&p, PSP_LAUNCH_FINISH, f);
		if (status != cases[i].status)
			fail_msg("case %zu: status 0x%x", i, status);
	}
	EVP_PKEY_free(id);
	EVP_PKEY_free(author);
}

static void identity_is_reported(void **state)
{
	(void)state;
	EVP_PKEY *id = EVP_EC_gen("P-384"), *author = EVP_EC_gen("P-384");
	const struct psp_report_request r = { 0 };
	struct psp_report_answer a;
	uint8_t digest[48];
	size_t certs;

	for (int with_author = 0; with_author < 2; with_author++) {
		struct psp_launch_finish f = good_identity(id, with_author ? author : NULL);
		struct psp p;

		bench_machine(&bench, &p);
		bench_active(&p);
		assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, f), PSP_SUCCESS);
		assert_int_equal(take_report(&p, &r, &a, &certs), PSP_SUCCESS);
		assert_int_equal(a.report[4], 7);
		assert_memory_equal(a.report + 0x10, f.id_block + 48, 32);
		EVP_Digest(f.id_auth + 0x240, 1028, digest, NULL, EVP_sha384(), NULL);
		assert_memory_equal(a.report + 0xe0, digest, 48);
		EVP_Digest(f.id_auth + 0x880, 1028, digest, NULL, EVP_sha384(), NULL);
		assert_int_equal(memcmp(a.report + 0x110, digest, 48) == 0, with_author);
		assert_int_equal(a.report[0x48] & 1, with_author);
	}
	EVP_PKEY_free(id);
	EVP_PKEY_free(author);
}

/* ---- the state folder ---- */

static void second_start_is_the_same_chip(void **state)
{
	(void)state;
	struct err e = { 0 };
	char path[128];
	uint8_t again[4096];
	int made = 1;

	assert_int_equal(state_init(bench.folder, &made, &e), 0);
	assert_int_equal(made, 0);
	snprintf(path, sizeof(path), "%s/%s", bench.folder, STATE_KEY);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(again, 1, sizeof(again), f), bench.key_size);
	fclose(f);
	assert_memory_equal(again, bench.key, bench.key_size);
}

static void root_is_the_tables(void **state)
{
	(void)state;
	struct err e = { 0 };
	char path[128];
	X509 *ark = chain_certificate(bench.table, bench.table_size, CHAIN_ARK);

	snprintf(path, sizeof(path), "%s/root.pem", bench.folder);
	assert_int_equal(state_root(bench.folder, path, &e), 0);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	X509 *root = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(root);
	assert_int_equal(X509_cmp(root, ark), 0);
	X509_free(root);
	X509_free(ark);
}

static void others_may_not_touch_the_folder(void **state)
{
	(void)state;
	static const mode_t bad[] = { 0755, 0710, 0702 };
	char key[128], elsewhere[128];
	int made;

	for (size_t i = 0; i < 3; i++) {
		struct err e = { 0 };
		chmod(bench.folder, bad[i]);
		assert_int_equal(state_init(bench.folder, &made, &e), -EX_HOST);
	}
	chmod(bench.folder, 0700);
	snprintf(key, sizeof(key), "%s/%s", bench.folder, STATE_KEY);
	chmod(key, 0640);
	assert_int_equal(state_init(bench.folder, &made, &(struct err){ 0 }), -EX_HOST);
	chmod(key, 0600);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", bench.folder);
	assert_int_equal(rename(key, elsewhere), 0);
	assert_int_equal(symlink("elsewhere", key), 0);
	assert_int_equal(state_init(bench.folder, &made, &(struct err){ 0 }), -EX_HOST);
	assert_int_equal(rename(elsewhere, key), 0);
	assert_int_equal(state_init(bench.folder, &made, &(struct err){ 0 }), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(bench.folder, 65534, 65534), 0);
		assert_int_equal(state_init(bench.folder, &made, &(struct err){ 0 }), -EX_HOST);
		assert_int_equal(chown(bench.folder, 0, 0), 0);
	}
}

static void key_and_certificate_belong_together(void **state)
{
	(void)state;
	struct psp_chip chip = bench.chip;
	struct err e = { 0 };
	uint8_t *other_key, *other_table;
	size_t key_size, table_size;

	assert_int_equal(chain_make(&other_key, &key_size, &other_table, &table_size, &e), 0);
	assert_int_equal(chain_load(other_key, key_size, bench.table, bench.table_size, &chip, &e),
			 -EX_MALFORMED);
	assert_null(chip.key);
	OPENSSL_free(other_key);
	OPENSSL_free(other_table);
	for (size_t cut = 0; cut < 200; cut++)
		assert_int_equal(chain_load(bench.key, bench.key_size, bench.table, cut, &chip,
					    &(struct err){ 0 }), -EX_MALFORMED);
}

static int set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_states),
		cmocka_unit_test(report_is_signed_under_the_chain),
		cmocka_unit_test(chain_holds_and_is_marked),
		cmocka_unit_test(id_block),
		cmocka_unit_test(identity_is_reported),
		cmocka_unit_test(second_start_is_the_same_chip),
		cmocka_unit_test(root_is_the_tables),
		cmocka_unit_test(others_may_not_touch_the_folder),
		cmocka_unit_test(key_and_certificate_belong_together),
	};

	return cmocka_run_group_tests_name("psp_chain", tests, set_up, tear_down);
}
