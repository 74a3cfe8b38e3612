/* Where the agent gets its reports: configfs-tsm as a folder of ordinary files, and the platform
 * model's ports as a small machine that answers in every wrong way. */
#include "attest/agent/tee_tsm.h"
#include "model/agent/tee_sim.h"
#include "model/agent_ports.h"
#include "model/psp_wire.h"

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
	assert_int_equal(t.report(&t, data, &got, &e), 0);
	assert_int_equal(got.report[0], 5);
	assert_int_equal(got.certs_size, 12);
	assert_memory_equal(got.certs, "certificates", 12);
	snprintf(path, sizeof(path), "%s/pavise-agent/inblob", folder);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(in, 1, sizeof(in), f), TEE_DATA);
	fclose(f);
	assert_memory_equal(in, data, TEE_DATA);
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

	put("provider", "tdx_guest\n", 10);
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
	uint8_t request[sizeof(struct psp_report_request)];
	struct psp_report_answer answer;
	uint32_t answer_size; /* as told */
	uint32_t read_at;     /* bytes given; the first word is the size */
	bool size_given;
} model;

static void answer_request(void)
{
	memcpy(model.answer.report + TEE_SNP_REPORT_DATA, model.request, TEE_DATA);
	model.status = model.status == AGENT_PORT_IDLE ? AGENT_PORT_READY : model.status;
}

static void model_out(uint16_t port, uint32_t value)
{
	if (port == AGENT_PORT_COMMAND) {
		model.step = value == AGENT_PORT_BEGIN ? SIZE : IDLE;
		if (value == AGENT_PORT_SUBMIT)
			answer_request();
		return;
	}
	assert_int_equal(port, AGENT_PORT_DATA);
	if (model.step == SIZE) {
		assert_int_equal(value, sizeof(model.request));
		model.step = BYTES;
		model.at = 0;
		return;
	}
	assert_int_equal(model.step, BYTES);
	assert_true(model.at + 4 <= sizeof(model.request));
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
		memcpy(&word, (const uint8_t *)&model.answer + model.read_at, 4);
	else
		memcpy(&word, "cert", 4);
	model.read_at += 4;
	return word;
}

static const struct sim_ports ports = { .in = model_in, .out = model_out };

static void reset_model(void)
{
	memset(&model, 0, sizeof(model));
	model.answer.report_size = PSP_REPORT_SIZE;
	model.answer.certs_size = 7;
	model.answer_size = sizeof(model.answer) + 7;
	model.answer.report[0] = 5;
}

static void ports_report(void **state)
{
	(void)state;
	struct err e = { 0 };

	reset_model();
	if (sim_report(&ports, data, &got, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(got.report[0], 5);
	assert_int_equal(got.certs_size, 7);
	assert_memory_equal(got.certs, "certcer", 7);
	assert_memory_equal(got.report + TEE_SNP_REPORT_DATA, data, TEE_DATA);
}

static void ports_that_lie(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		reset_model();
		if (i == 0)
			model.status = AGENT_PORT_ERROR;
		else if (i == 1)
			model.status = 0xffffffff; /* no such port */
		else if (i == 2)
			model.answer_size = sizeof(model.answer) - 1;
		else if (i == 3)
			model.answer_size = 0xffffffff;
		else if (i == 4)
			model.answer.certs_size = 8;
		else if (i == 5)
			model.answer.report_size = PSP_REPORT_SIZE - 1;
		else
			model.answer.status = PSP_INVALID_KEY;
		struct err e = { 0 };
		assert_int_equal(sim_report(&ports, data, &got, &e), -EX_GUEST);
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
		cmocka_unit_test(ports_report),
		cmocka_unit_test(ports_that_lie),
	};

	return cmocka_run_group_tests_name("agent_tee", tests, NULL, NULL);
}
