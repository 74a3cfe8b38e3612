#include "tests/model/tdx_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void tdx_bench_make(struct tdx_bench *b)
{
	struct err e = { 0 };

	memset(b, 0, sizeof(*b));
	assert_int_equal(tdx_chain_make(&b->made, &e), 0);
	assert_int_equal(tdx_chain_load(b->made.pck_key, b->made.pck_key_size,
					(const uint8_t *)b->made.certs, b->made.certs_size,
					&b->pck, &e), 0);
	assert_int_equal(tdx_sim_open(&b->sim, b->pck, (const uint8_t *)b->made.certs,
				      b->made.certs_size, &e), 0);
}

void tdx_bench_free(struct tdx_bench *b)
{
	tdx_sim_close(&b->sim);
	EVP_PKEY_free(b->pck);
	tdx_chain_made_free(&b->made);
}

void tdx_bench_other(const struct tdx_bench *b, struct tdx_sim *other)
{
	struct err e = { 0 };

	assert_int_equal(tdx_sim_open(other, b->pck, (const uint8_t *)b->made.certs,
				      b->made.certs_size, &e), 0);
}

uint64_t tdx_bench_ask(struct tdx_bench *b, uint32_t command, const void *payload, size_t size)
{
	uint8_t message[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
	struct tdx_header h = { .magic = TDX_WIRE_MAGIC, .command = command,
				.size = (uint32_t)size };
	struct err e = { 0 };
	size_t got = 0;

	memcpy(message, &h, sizeof(h));
	if (size > 0)
		memcpy(message + sizeof(h), payload, size);
	if (tdx_sim_handle(&b->sim, message, sizeof(h) + size, b->answer, &got, &e) != 0)
		fail_msg("command %u: %s", command, e.text);
	memcpy(&h, b->answer, sizeof(h));
	assert_int_equal(h.magic, TDX_WIRE_MAGIC);
	assert_int_equal(h.command, command);
	assert_int_equal(h.size, got - sizeof(h));
	if (h.status != TDX_ST_SUCCESS)
		assert_int_equal(h.size, 0);
	return h.status;
}

const uint8_t *tdx_bench_payload(const struct tdx_bench *b)
{
	return b->answer + sizeof(struct tdx_header);
}

struct tdx_mng_init tdx_bench_params(void)
{
	struct tdx_mng_init p = { .attributes = BENCH_ATTRIBUTES, .xfam = BENCH_XFAM, .gpaw = 48,
				  .max_cpus = 4 };

	memset(p.mrconfigid, 'c', sizeof(p.mrconfigid));
	memset(p.mrowner, 'o', sizeof(p.mrowner));
	memset(p.mrownerconfig, 'O', sizeof(p.mrownerconfig));
	return p;
}

void tdx_bench_init(struct tdx_bench *b)
{
	const struct tdx_mng_init p = tdx_bench_params();

	assert_int_equal(tdx_bench_ask(b, TDX_MNG_INIT, &p, sizeof(p)), TDX_ST_SUCCESS);
}

void tdx_bench_run(struct tdx_bench *b)
{
	tdx_bench_init(b);
	assert_int_equal(tdx_bench_ask(b, TDX_MR_FINALIZE, NULL, 0), TDX_ST_SUCCESS);
}
