#include "tests/model/psp_bench.h"

#include "model/psp/chain.h"
#include "model/psp/state.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static size_t read_part(const char *folder, const char *name, uint8_t *out, size_t max)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(out, 1, max, f);
	fclose(f);
	return n;
}

void bench_make(struct psp_bench *b)
{
	struct err e = { 0 };
	int made = 0;

	snprintf(b->folder, sizeof(b->folder), "/tmp/pavise-psp-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	if (state_init(b->folder, &made, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(made, 1);
	b->key_size = read_part(b->folder, STATE_KEY, b->key, sizeof(b->key));
	b->table_size = read_part(b->folder, STATE_CERTS, b->table, sizeof(b->table));
	struct psp p;
	psp_init(&p);
	b->chip = p.chip;
	if (chain_load(b->key, b->key_size, b->table, b->table_size, &b->chip, &e) != 0)
		fail_msg("%s", e.text);
}

void bench_remove(struct psp_bench *b)
{
	static const char *const names[] = { STATE_KEY, STATE_CERTS, "root.pem" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
		unlink(path);
	}
	rmdir(b->folder);
	EVP_PKEY_free(b->chip.key);
}

void bench_machine(const struct psp_bench *b, struct psp *p)
{
	psp_init(p);
	p->chip = b->chip;
	p->platform.fms = BENCH_FMS;
}

uint32_t bench_command(struct psp *p, enum psp_command command, const void *data, size_t size,
		       void *out, size_t *out_size)
{
	uint8_t message[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
	uint8_t answer[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
	struct psp_header h = { .magic = PSP_MAGIC, .command = command, .size = (uint32_t)size };
	struct err e = { 0 };
	size_t got = 0;

	memcpy(message, &h, sizeof(h));
	if (size != 0)
		memcpy(message + sizeof(h), data, size);
	if (psp_handle(p, message, sizeof(h) + size, answer, &got, &e) != 0)
		fail_msg("%s", e.text);
	memcpy(&h, answer, sizeof(h));
	assert_int_equal(h.magic, PSP_MAGIC);
	assert_int_equal(h.command, command);
	assert_int_equal(h.size, got - sizeof(h));
	if (out_size != NULL)
		*out_size = h.size;
	if (out != NULL)
		memcpy(out, answer + sizeof(h), h.size);
	return h.status;
}

struct psp_launch_start bench_start(void)
{
	return (struct psp_launch_start){ .policy = BENCH_POLICY };
}

struct psp_launch_update bench_update(uint64_t gpa, enum psp_page_type type)
{
	return (struct psp_launch_update){ .gpa = gpa,
					   .page_type = type,
					   .rmp_state = PSP_PAGE_PRE_GUEST,
					   .rmp_asid = BENCH_ASID };
}

void bench_create(struct psp *p)
{
	const struct psp_gctx_create c = { .page_state = PSP_PAGE_FIRMWARE };

	assert_int_equal(bench_command(p, PSP_GCTX_CREATE, &c, sizeof(c), NULL, NULL), 0);
}

void bench_started(struct psp *p)
{
	const struct psp_launch_start c = bench_start();

	bench_create(p);
	assert_int_equal(bench_command(p, PSP_LAUNCH_START, &c, sizeof(c), NULL, NULL), 0);
}

void bench_active(struct psp *p)
{
	const struct psp_activate c = { .asid = BENCH_ASID };

	bench_started(p);
	assert_int_equal(bench_command(p, PSP_ACTIVATE, &c, sizeof(c), NULL, NULL), 0);
}

void bench_running(struct psp *p)
{
	const struct psp_launch_finish c = { 0 };

	bench_active(p);
	assert_int_equal(bench_command(p, PSP_LAUNCH_FINISH, &c, sizeof(c), NULL, NULL), 0);
}

int bench_signature_holds(const uint8_t report[PSP_REPORT_SIZE], X509 *vcek)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;

	assert_non_null(sig);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_lebin2bn(report + 0x2a0, 72, NULL),
					BN_lebin2bn(report + 0x2a0 + 72, 72, NULL)), 1);
	int size = i2d_ECDSA_SIG(sig, &der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_non_null(ctx);
	int good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL,
					X509_get0_pubkey(vcek)) == 1 &&
		   EVP_DigestVerify(ctx, der, (size_t)size, report, 0x2a0) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return good;
}
