/* What an SEV-SNP report came without and collateral has: attest/appraise/check_snp_collateral.c. */
#include "attest/appraise/request.h"
#include "tests/unit/fake_snp_world.h"
#include "tests/unit/fake_x509.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400L
#define BLOBS 5u

static struct fake_snp_world *world;
static struct policy policy;
static struct checks result;
static uint8_t bytes[BLOBS][SNP_CERT_FILE_MAX], root[SNP_CERT_FILE_MAX];
static size_t root_size;
static X509 *other_chip, *other_tcb;

/* A VEK of the same ASK that is not this report's. */
static X509 *other_vek(bool chip)
{
	struct fake_snp_how how = fake_snp_how(&world->chip, SNP_ROLE_VEK);
	uint8_t hwid[SNP_CHIP_ID_SIZE];

	memcpy(hwid, how.hwid, how.hwid_size);
	hwid[0] ^= chip;
	how.hwid = hwid;
	how.tcb[7] ^= !chip;
	return fake_snp_cert(&how);
}

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof(*world));
	if (world == NULL)
		return -1;
	fake_snp_world_make(world);
	other_chip = other_vek(true);
	other_tcb = other_vek(false);
	root_size = fake_cert_der(world->chip.ark, root, sizeof(root));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	X509_free(other_chip);
	X509_free(other_tcb);
	fake_snp_world_free(world);
	free(world);
	return 0;
}

static struct request bare(void)
{
	struct request r = { .kind = REQUEST_SNP,
			     .evidence = { world->plain.evidence.report, SNP_REPORT_SIZE, "report" },
			     .trust_root = { root, root_size, "root" },
			     .policy = &policy,
			     .now = FAKE_SNP_NOW };

	policy_built_in(POLICY_RECOMMENDED, &policy);
	return r;
}

static void add_cert(struct request *r, X509 *cert)
{
	uint8_t *out = bytes[r->collateral_count];

	r->collateral[r->collateral_count++] =
		(struct blob){ out, fake_cert_der(cert, out, SNP_CERT_FILE_MAX), "certificate" };
}

static void add_list(struct request *r, EVP_PKEY *key, const long *serial, size_t count, long to)
{
	struct fake_crl how = { .issuer = "ARK-Test", .key = key, .serial = serial, .count = count,
				.from = -2 * DAY, .to = to, .pss = true, .salt = 48,
				.md = EVP_sha384() };
	X509_CRL *crl = fake_x509_crl(&how);
	uint8_t *out = bytes[r->collateral_count];

	r->collateral[r->collateral_count++] =
		(struct blob){ out, fake_crl_der(crl, out, SNP_CERT_FILE_MAX), "list" };
	X509_CRL_free(crl);
}

static int judge(const struct request *r)
{
	struct err e = { 0 };

	memset(&result, 0, sizeof(result));
	int status = appraise(r, &result, &e);
	return status < 0 ? status : (int)checks_verdict(&result);
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

static void whole_chain(void **state)
{
	struct request r = bare();

	(void)state;
	assert_int_equal(judge(&r), EX_COLLATERAL);
	assert_int_equal(find("snp.collateral")->status, CHECK_SKIPPED);
	add_cert(&r, other_chip);
	add_cert(&r, other_tcb);
	add_cert(&r, world->chip.ark);
	add_cert(&r, world->chip.ask);
	assert_int_equal(judge(&r), EX_COLLATERAL); /* the right VEK is still missing */
	assert_string_equal(find("snp.collateral")->have, "");
	add_cert(&r, world->chip.vek);
	assert_int_equal(judge(&r), EX_OK);
	assert_int_equal(find("snp.collateral")->status, CHECK_PASS);
	assert_string_equal(find("snp.collateral")->have, "VEK, ASK, ARK");
	/* A chain is no reason to trust its root. */
	r.trust_root = (struct blob){ 0 };
	assert_int_equal(judge(&r), EX_REFUSED);
}

static void what_came_first_stays(void **state)
{
	struct request r = bare();
	uint8_t vek[SNP_CERT_FILE_MAX];

	(void)state;
	r.vek = (struct blob){ vek, fake_cert_der(other_chip, vek, sizeof(vek)), "vek" };
	add_cert(&r, world->chip.vek);
	add_cert(&r, world->chip.ask);
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	assert_int_equal(find("snp.vek.chip")->status, CHECK_FAIL);
	assert_string_equal(find("snp.collateral")->have, "ASK");
}

static void lists(void **state)
{
	struct request r = bare();
	long serial = ASN1_INTEGER_get(X509_get0_serialNumber(world->chip.ask));

	(void)state;
	add_cert(&r, world->chip.vek);
	add_cert(&r, world->chip.ask);
	add_cert(&r, world->chip.ark);
	policy.snp.require_revocation = true;
	assert_int_equal(judge(&r), EX_COLLATERAL);
	assert_int_equal(find("snp.revocation")->status, CHECK_FAIL);
	add_list(&r, world->chip.ark_key, NULL, 0, DAY);
	assert_int_equal(judge(&r), EX_OK);
	assert_int_equal(find("snp.revocation")->status, CHECK_PASS);
	r.collateral_count--;
	add_list(&r, world->chip.ark_key, NULL, 0, -DAY);
	assert_int_equal(judge(&r), EX_COLLATERAL);
	r.collateral_count--;
	add_list(&r, world->chip.ask_key, NULL, 0, DAY); /* of the ARK by name only */
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	r.collateral_count--;
	add_list(&r, world->chip.ark_key, &serial, 1, DAY);
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	assert_int_equal(find("snp.revocation")->status, CHECK_FAIL);
}

static void no_collateral(void **state)
{
	struct request r = bare();

	(void)state;
	r.collateral[r.collateral_count++] = (struct blob){ (const uint8_t *)"{}", 2, "empty" };
	r.cert_table = (struct blob){ world->chip.table, world->chip.table_size, "table" };
	assert_int_equal(judge(&r), EX_MALFORMED);
	assert_int_equal(find("snp.collateral")->status, CHECK_FAIL);
}

/* Evidence that was served with collateral (docs/PROTOCOL.evidence). */
static void inside_evidence(void **state)
{
	char *text = fake_snp_world_json(world), *with = NULL;
	json_t *j = json_loads(text, 0, NULL), *tee = json_object_get(j, "tee");
	struct collateral collateral = { 0 };
	struct request r = bare();
	struct err e = { 0 };
	char *bundle = NULL;
	uint8_t nonce[32];
	size_t size;

	(void)state;
	memset(nonce, 'n', sizeof(nonce));
	add_cert(&r, world->chip.vek);
	add_cert(&r, world->chip.ask);
	for (size_t i = 0; i < r.collateral_count; i++)
		assert_int_equal(collateral_add(&collateral, "x", r.collateral[i].data,
						r.collateral[i].size, &e), 0);
	assert_int_equal(collateral_write(&collateral, FAKE_SNP_NOW, &bundle, &size, &e), 0);
	json_object_del(tee, "cert_table");
	json_object_set_new(j, "collateral", json_loads(bundle, 0, NULL));
	with = json_dumps(j, 0);
	r = (struct request){ .kind = REQUEST_BUNDLE,
			      .evidence = { (const uint8_t *)with, strlen(with), "evidence" },
			      .policy = &world->plain.policy,
			      .trust_root = { root, root_size, "root" },
			      .now = FAKE_SNP_NOW,
			      .nonce = nonce,
			      .nonce_size = sizeof(nonce) };
	assert_int_equal(judge(&r), EX_OK);
	assert_string_equal(find("snp.collateral")->have, "VEK, ASK");
	free(with);
	json_object_set_new(j, "collateral", json_object());
	with = json_dumps(j, 0);
	r.evidence = (struct blob){ (const uint8_t *)with, strlen(with), "evidence" };
	assert_int_equal(judge(&r), EX_MALFORMED);
	assert_int_equal(find("snp.collateral")->status, CHECK_FAIL);
	collateral_free(&collateral);
	json_decref(j);
	free(with);
	free(bundle);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_chain), cmocka_unit_test(what_came_first_stays),
		cmocka_unit_test(lists),       cmocka_unit_test(no_collateral),
		cmocka_unit_test(inside_evidence),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
