#include "tests/model/td_world.h"

#include "attest/binding.h"
#include "common/bytes.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void make_plan(struct td_world *w)
{
	const struct plain_input in = {
		.firmware = { "fw", w->firmware, sizeof(w->firmware) },
		.kernel = { "kernel", w->kernel, sizeof(w->kernel) },
		.initrd = { "initrd", w->kernel, 3000 },
		.cmdline = "console=ttyS0",
		.max_cpus = 4,
	};
	struct plain_contents c;
	struct err e = { 0 };

	assert_int_equal(tdx_plan_build(&in, PLAN_TDX_XFAM, &w->built, &e), 0);
	assert_int_equal(tdx_plan_open("plan", &w->built.plan, &c, &e), 0);
	assert_int_equal(expect_base_make(&c, &w->base, &e), 0);
	assert_int_equal(tdx_measure(&w->built.plan, NULL, NULL, &w->measured, &e), 0);
	free(w->plan);
	w->plan_size = plan_file_size(&w->built.plan);
	w->plan = malloc(w->plan_size);
	assert_non_null(w->plan);
	assert_int_equal(plan_write(&w->built.plan, w->plan, w->plan_size, &e), 0);
}

/* As the VMM: each page added, then, unless it is of zeros, extended. */
static void add_region(struct td_world *w, const struct plan_region *g)
{
	for (uint64_t at = 0; at < g->size; at += 4096) {
		const struct tdx_page_add page = { .gpa = g->gpa + at };

		assert_int_equal(tdx_bench_ask(&w->bench, TDX_PAGE_ADD, &page, sizeof(page)), 0);
		for (uint64_t i = 0; g->type != PLAN_ZERO && i < 4096; i += 256) {
			struct tdx_mr_extend chunk = { .gpa = g->gpa + at + i };
			uint64_t left = at + i < g->size ? g->size - at - i : 0;

			if (g->data != NULL)
				memcpy(chunk.data, g->data + at + i, left < 256 ? left : 256);
			assert_int_equal(tdx_bench_ask(&w->bench, TDX_MR_EXTEND, &chunk,
						       sizeof(chunk)), 0);
		}
	}
}

static void launch(struct td_world *w, uint64_t attributes)
{
	struct tdx_mng_init init = tdx_bench_params();

	init.attributes = attributes;
	init.xfam = w->built.plan.tdx.xfam;
	assert_int_equal(tdx_bench_ask(&w->bench, TDX_MNG_INIT, &init, sizeof(init)), 0);
	for (uint32_t i = 0; i < w->built.plan.region_count; i++)
		if (plan_is_launched(w->built.plan.region[i].type))
			add_region(w, &w->built.plan.region[i]);
	assert_int_equal(tdx_bench_ask(&w->bench, TDX_MR_FINALIZE, NULL, 0), 0);
}

/* As the firmware. */
static void boot(struct td_world *w, const struct machine *m)
{
	struct fw_log_inputs in;
	struct fw_event ev;
	struct err e = { 0 };

	assert_int_equal(expect_inputs(&w->base, m, &in, &e), 0);
	for (unsigned i = 0; fw_cc_event(&in, i, &ev); i++) {
		struct tdx_rtmr_extend x = { .index = ev.pcr };

		memcpy(x.data, ev.digest.sha384, sizeof(x.data));
		assert_int_equal(tdx_bench_ask(&w->bench, TDX_RTMR_EXTEND, &x, sizeof(x)), 0);
	}
	assert_int_equal(fw_cc_log_build(&in, w->log, sizeof(w->log), &w->log_size), 0);
	w->log_size = sizeof(w->log); /* as Linux shows it: with what fills the rest */
	assert_int_equal(tdx_expect(&w->base, m, &w->expected, &e), 0);
}

void td_world_other_key(struct td_world *w)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	OPENSSL_free(w->key);
	w->key = NULL;
	int n = i2d_PUBKEY(key, &w->key);

	assert_true(n > 0);
	w->key_size = (size_t)n;
	EVP_PKEY_free(key);
}

void td_world_quote(struct td_world *w)
{
	const struct binding b = { .nonce = w->nonce,
				   .nonce_size = sizeof(w->nonce),
				   .public_key = w->key,
				   .public_key_size = w->key_size };
	struct tdx_mr_report r;
	struct err e = { 0 };

	assert_int_equal(binding_sha512(&b, r.report_data, &e), 0);
	assert_int_equal(tdx_bench_ask(&w->bench, TDX_MR_REPORT, &r, sizeof(r)), 0);
	w->quote_size = tdx_quote_make(&w->bench.sim, tdx_bench_payload(&w->bench), w->quote);
	assert_true(w->quote_size > 0);
}

void td_world_make(struct td_world *w, const struct machine *m, uint64_t attributes)
{
	memset(w, 0, sizeof(*w));
	tdx_bench_make(&w->bench);
	fake_firmware_tdx(w->firmware);
	fake_kernel(w->kernel);
	memset(w->nonce, 'n', sizeof(w->nonce));
	make_plan(w);
	launch(w, attributes);
	boot(w, m);
	td_world_other_key(w);
	td_world_quote(w);
}

void td_world_other_plan(struct td_world *w)
{
	w->kernel[sizeof(w->kernel) - 1] ^= 1;
	make_plan(w);
}

void td_world_free(struct td_world *w)
{
	tdx_bench_free(&w->bench);
	OPENSSL_free(w->key);
	free(w->plan);
	memset(w, 0, sizeof(*w));
}

static json_t *base64_json(const uint8_t *data, size_t size)
{
	char *text = malloc(size / 3 * 4 + 8);

	assert_non_null(text);
	EVP_EncodeBlock((uint8_t *)text, data, (int)size);
	json_t *j = json_string(text);
	free(text);
	return j;
}

char *td_world_json(const struct td_world *w)
{
	char nonce[2 * TD_NONCE_SIZE + 1];

	hex_encode(w->nonce, sizeof(w->nonce), nonce);
	json_t *tee = json_pack("{s:s, s:s, s:o}", "type", "tdx", "provider", "simulated", "quote",
				base64_json(w->quote, w->quote_size));
	if (w->log_size > 0)
		json_object_set_new(tee, "cc_log", base64_json(w->log, w->log_size));
	json_t *j = json_pack("{s:s, s:i, s:s, s:o, s:{s:s, s:o}}", "format", "pavise-evidence",
			      "version", 0, "nonce", nonce, "tee", tee, "agent", "name",
			      "pavise-agent", "public_key", base64_json(w->key, w->key_size));
	assert_non_null(j);
	char *text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	assert_non_null(text);
	return text;
}
