/* Where the agent gets its reports: configfs-tsm as a folder of ordinary files, and the platform
 * model's ports as a small machine that answers in every wrong way. */
#include "attest/agent/tee_tsm.h"
#include "common/plan.h"
#include "model/agent/tee_sim.h"
#include "model/agent_ports.h"
#include "model/psp_wire.h"
#include "model/tdx_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t data[TEE_DATA] = { 1, 2, 3, [63] = 64 };
static struct tee_report got;

/* ---- configfs-tsm ---- */

static char folder[64];

static void put(const char *name, const void *bytes, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pavise-agent/%s", folder, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

static void drop(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pavise-agent/%s", folder, name);
	unlink(path);
}

/* An entry as the kernel would show it. */
static void fill(void)
{
	uint8_t report[TEE_SNP_REPORT] = { 5 };

	memcpy(report + TEE_SNP_REPORT_DATA, data, TEE_DATA);
	put("provider", "sev_guest\n", 10);
	put("inblob", "", 0);
	put("outblob", report, sizeof(report));
	put("auxblob", "certificates", 12);
	put("generation", "1\n", 2);
}

static int make_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pavise-tsm-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pavise-agent", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	fill();
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "provider", "inblob", "outblob", "auxblob",
					     "generation" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		drop(names[i]);
	snprintf(path, sizeof(path), "%s/pavise-agent", folder);
	rmdir(path);
	return rmdir(folder);
}

static void tsm_reports(void **state)
{
	(void)state;
	struct agent_tee t;
	struct err e = { 0 };
	char path[128];
	uint8_t in[TEE_DATA + 1];

	assert_int_equal(tsm_open(folder, &t, &e), 1);
	assert_string_equal(t.provider, "hardware");
	assert_int_equal(t.kind, TEE_SNP);
	assert_int_equal(t.report(&t, data, &got, &e), 0);
	assert_int_equal(got.report[0], 5);
	assert_int_equal(got.size, TEE_SNP_REPORT);
	assert_int_equal(got.certs_size, 12);
	assert_memory_equal(got.certs, "certificates", 12);
	snprintf(path, sizeof(path), "%s/pavise-agent/inblob", folder);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(in, 1, sizeof(in), f), TEE_DATA);
	fclose(f);
	assert_memory_equal(in, data, TEE_DATA);
}

/* The same for a trust domain: what the kernel gives is a quote, and no certificates beside it. */
static uint8_t quote[TEE_QUOTE_MAX + 1];

static void put_quote(uint16_t version, size_t size)
{
	memset(quote, 0, sizeof(quote));
	quote[0] = (uint8_t)version;
	memcpy(quote + (version >= 5 ? 54 : 48) + 520, data, TEE_DATA);
	put("outblob", quote, size);
}

static void tsm_quotes(void **state)
{
	(void)state;
	static const size_t sizes[] = { 5000, TEE_QUOTE_MAX, 48 + 6 + 584 };
	struct agent_tee t;
	struct err e = { 0 };

	put("provider", "tdx_guest\n", 10);
	assert_int_equal(tsm_open(folder, &t, &e), 1);
	assert_int_equal(t.kind, TEE_TDX);
	for (uint16_t version = 4; version <= 5; version++)
		for (size_t i = 0; i < 3; i++) {
			put_quote(version, sizes[i]);
			if (t.report(&t, data, &got, &e) != 0)
				fail_msg("%s", e.text);
			assert_int_equal(got.size, sizes[i]);
			assert_int_equal(got.certs_size, 0);
			assert_memory_equal(got.report, quote, sizes[i]);
		}
}

static void broken_quotes_are_refused(void **state)
{
	(void)state;
	struct agent_tee t;

	put("provider", "tdx_guest\n", 10);
	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), 1);
	static const struct {
		uint16_t version;
		size_t size;
	} table[] = { { 4, 0 },	 { 4, 1 },    { 4, 48 + 583 },	      { 5, 54 + 583 },
		      { 3, 5000 }, { 6, 5000 }, { 4, TEE_QUOTE_MAX + 1 } };
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		put_quote(table[i].version, table[i].size);
		if (t.report(&t, data, &got, &(struct err){ 0 }) != -EX_GUEST)
			fail_msg("case %zu", i);
	}
	put_quote(4, 5000);
	quote[48 + 520 + 63] ^= 1; /* somebody else's data */
	put("outblob", quote, 5000);
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
}

static void tsm_without_certificates(void **state)
{
	(void)state;
	struct agent_tee t;
	struct err e = { 0 };

	drop("auxblob");
	assert_int_equal(tsm_open(folder, &t, &e), 1);
	assert_int_equal(t.report(&t, data, &got, &e), 0);
	assert_int_equal(got.certs_size, 0);
	put("auxblob", "", 0);
	assert_int_equal(t.report(&t, data, &got, &e), 0);
	assert_int_equal(got.certs_size, 0);
}

static void no_tsm_is_a_plain_guest(void **state)
{
	(void)state;
	struct agent_tee t;
	struct err e = { 0 };

	assert_int_equal(tsm_open("/nonexistent/tsm/report", &t, &e), 0);
	assert_int_equal(e.status, EX_OK);
}

static void other_providers_are_refused(void **state)
{
	(void)state;
	struct agent_tee t;

	put("provider", "arm_cca_guest\n", 14);
	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), -EX_GUEST);
	put("provider", "tdx_guests\n", 11);
	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), -EX_GUEST);
	put("provider", "sev_guests\n", 11);
	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), -EX_GUEST);
	drop("provider");
	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), -EX_GUEST);
}

static void broken_reports_are_refused(void **state)
{
	(void)state;
	static uint8_t large[TEE_CERTS_MAX];
	uint8_t report[TEE_SNP_REPORT + 1] = { 5 };
	struct agent_tee t;

	assert_int_equal(tsm_open(folder, &t, &(struct err){ 0 }), 1);
	memcpy(report + TEE_SNP_REPORT_DATA, data, TEE_DATA);
	put("outblob", report, TEE_SNP_REPORT - 1);
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
	put("outblob", report, TEE_SNP_REPORT + 1);
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
	report[TEE_SNP_REPORT_DATA + 63] ^= 1; /* somebody else's data */
	put("outblob", report, TEE_SNP_REPORT);
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
	fill();
	put("auxblob", large, sizeof(large));
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
	fill();
	drop("generation");
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
	fill();
	drop("inblob");
	assert_int_equal(t.report(&t, data, &got, &(struct err){ 0 }), -EX_GUEST);
}

/* ---- the model's ports ---- */

static struct {
	enum { IDLE, SIZE, BYTES } step;
	uint32_t size, at, status;
	uint32_t kind;          /* as told */
	uint32_t request_size;  /* that is expected */
	uint8_t request[sizeof(struct psp_report_request)];
	union {
		struct psp_report_answer snp;
		struct {
			struct tdx_quote_answer head;
			uint8_t quote[1000];
		} tdx;
		uint8_t bytes[sizeof(struct psp_report_answer)];
	} answer;
	uint32_t answer_size; /* as told */
	uint32_t read_at;     /* bytes given; the first word is the size */
	bool size_given;
} model;

static void answer_request(void)
{
	if (model.kind == PLAN_TEE_TDX)
		memcpy(model.answer.tdx.quote + 48 + 520, model.request, TEE_DATA);
	else
		memcpy(model.answer.snp.report + TEE_SNP_REPORT_DATA, model.request, TEE_DATA);
	model.status = model.status == AGENT_PORT_IDLE ? AGENT_PORT_READY : model.status;
}

static void model_out(uint16_t port, uint32_t value)
{
	if (port == AGENT_PORT_COMMAND) {
		model.step = value == AGENT_PORT_BEGIN ? SIZE : IDLE;
		if (value == AGENT_PORT_SUBMIT)
			answer_request();
		if (value == AGENT_PORT_IDENTIFY) {
			memcpy(model.answer.bytes, &model.kind, sizeof(model.kind));
			model.status = model.status == AGENT_PORT_IDLE ? AGENT_PORT_READY
								       : model.status;
		}
		return;
	}
	assert_int_equal(port, AGENT_PORT_DATA);
	if (model.step == SIZE) {
		assert_int_equal(value, model.request_size);
		model.step = BYTES;
		model.at = 0;
		return;
	}
	assert_int_equal(model.step, BYTES);
	assert_true(model.at + 4 <= model.request_size);
	memcpy(model.request + model.at, &value, 4);
	model.at += 4;
}

static uint32_t model_in(uint16_t port)
{
	uint32_t word = 0;

	if (port == AGENT_PORT_COMMAND)
		return model.status;
	if (!model.size_given) {
		model.size_given = true;
		return model.answer_size;
	}
	if (model.read_at + 4 <= sizeof(model.answer))
		memcpy(&word, model.answer.bytes + model.read_at, 4);
	else
		memcpy(&word, "cert", 4);
	model.read_at += 4;
	return word;
}

static const struct sim_ports ports = { .in = model_in, .out = model_out };

static void reset_model(enum plan_tee kind)
{
	memset(&model, 0, sizeof(model));
	model.kind = kind;
	if (kind == PLAN_TEE_TDX) {
		model.request_size = sizeof(struct tdx_quote_request);
		model.answer.tdx.head.size = sizeof(model.answer.tdx.quote);
		model.answer.tdx.quote[0] = 4;
		model.answer_size = sizeof(model.answer.tdx);
		return;
	}
	model.request_size = sizeof(struct psp_report_request);
	model.answer.snp.report_size = PSP_REPORT_SIZE;
	model.answer.snp.certs_size = 7;
	model.answer_size = sizeof(model.answer.snp) + 7;
	model.answer.snp.report[0] = 5;
}

static void ports_say_what_guest_this_is(void **state)
{
	(void)state;
	enum tee_kind kind = TEE_SNP;
	struct err e = { 0 };

	for (int i = 0; i < 6; i++) {
		static const uint32_t kinds[] = { PLAN_TEE_TDX, PLAN_TEE_SNP, PLAN_TEE_PLAIN, 4,
						  PLAN_TEE_TDX, PLAN_TEE_TDX };
		reset_model(PLAN_TEE_SNP);
		model.kind = kinds[i];
		model.answer_size = i == 4 ? 5 : 4;
		model.status = i == 5 ? AGENT_PORT_ERROR : AGENT_PORT_IDLE;
		assert_int_equal(sim_identify(&ports, &kind, &e), i < 2 ? 0 : -EX_GUEST);
		if (i < 2)
			assert_int_equal(kind, i == 0 ? TEE_TDX : TEE_SNP);
	}
}

static void ports_report(void **state)
{
	(void)state;
	struct err e = { 0 };

	reset_model(PLAN_TEE_SNP);
	if (sim_report(&ports, TEE_SNP, data, &got, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(got.report[0], 5);
	assert_int_equal(got.size, TEE_SNP_REPORT);
	assert_int_equal(got.certs_size, 7);
	assert_memory_equal(got.certs, "certcer", 7);
	assert_memory_equal(got.report + TEE_SNP_REPORT_DATA, data, TEE_DATA);
}

static void ports_quote(void **state)
{
	(void)state;
	struct err e = { 0 };

	reset_model(PLAN_TEE_TDX);
	if (sim_report(&ports, TEE_TDX, data, &got, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(got.size, sizeof(model.answer.tdx.quote));
	assert_int_equal(got.certs_size, 0);
	assert_memory_equal(got.report, model.answer.tdx.quote, got.size);
	assert_memory_equal(got.report + 48 + 520, data, TEE_DATA);
}

static void ports_that_lie(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		reset_model(PLAN_TEE_SNP);
		if (i == 0)
			model.status = AGENT_PORT_ERROR;
		else if (i == 1)
			model.status = 0xffffffff; /* no such port */
		else if (i == 2)
			model.answer_size = sizeof(model.answer.snp) - 1;
		else if (i == 3)
			model.answer_size = 0xffffffff;
		else if (i == 4)
			model.answer.snp.certs_size = 8;
		else if (i == 5)
			model.answer.snp.report_size = PSP_REPORT_SIZE - 1;
		else
			model.answer.snp.status = PSP_INVALID_KEY;
		struct err e = { 0 };
		assert_int_equal(sim_report(&ports, TEE_SNP, data, &got, &e), -EX_GUEST);
	}
}

static void ports_that_lie_about_quotes(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		reset_model(PLAN_TEE_TDX);
		if (i == 0)
			model.status = AGENT_PORT_ERROR;
		else if (i == 1)
			model.answer_size = sizeof(struct tdx_quote_answer) - 1;
		else if (i == 2)
			model.answer_size = 0xffffffff;
		else if (i == 3)
			model.answer.tdx.head.size++;
		else if (i == 4)
			model.answer.tdx.head.size = 0xffffffff;
		else if (i == 5)
			model.answer.tdx.head.status = 1;
		else
			model.answer.tdx.quote[0] = 3;
		struct err e = { 0 };
		assert_int_equal(sim_report(&ports, TEE_TDX, data, &got, &e), -EX_GUEST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tsm_reports, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(tsm_without_certificates, make_folder,
						remove_folder),
		cmocka_unit_test(no_tsm_is_a_plain_guest),
		cmocka_unit_test_setup_teardown(other_providers_are_refused, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(broken_reports_are_refused, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(tsm_quotes, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(broken_quotes_are_refused, make_folder,
						remove_folder),
		cmocka_unit_test(ports_say_what_guest_this_is),
		cmocka_unit_test(ports_report),
		cmocka_unit_test(ports_quote),
		cmocka_unit_test(ports_that_lie),
		cmocka_unit_test(ports_that_lie_about_quotes),
	};

	return cmocka_run_group_tests_name("agent_tee", tests, NULL, NULL);
}
