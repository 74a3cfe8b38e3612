/* MRTD and RTMRs of trust domains: golden values, plans and what is wrong with them, and what each
 * choice of the host changes. */
#include "attest/measure/snp/plan.h"
#include "attest/measure/tdx/expect.h"
#include "attest/measure/tdx/plan.h"
#include "common/bytes.h"
#include "firmware/hashpage.h"
#include "tests/unit/fake_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE];
static struct plain_plan built;

static int set_up(void **state)
{
	(void)state;
	fake_firmware_tdx(firmware);
	fake_kernel(kernel);
	return 0;
}

static struct plain_input sample(void)
{
	return (struct plain_input){ .firmware = { "fw", firmware, sizeof(firmware) },
				     .kernel = { "kernel", kernel, sizeof(kernel) },
				     .initrd = { "initrd", kernel, 100 },
				     .cmdline = "quiet",
				     .max_cpus = 3,
				     .require_tpm = 1 };
}

static void assert_hex(const uint8_t *data, const char *hex)
{
	char text[2 * MRTD_SIZE + 1];

	hex_encode(data, MRTD_SIZE, text);
	assert_string_equal(text, hex);
}

/* Computed by independent calculators from the module's ABI. */
static void golden_digests(void **state)
{
	(void)state;
	uint8_t page[MRTD_PAGE], out[MRTD_SIZE];
	struct mrtd_step low = { .added = 1 };
	struct mrtd_step measured = { .added = 1, .extended = 1, .gpa = FW_RESET_PAGE };
	struct mrtd_step added = { .added = 1, .gpa = 0x809000 };
	struct err e = { 0 };
	struct mrtd m;

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)i;
	assert_int_equal(mrtd_open(&m, NULL, NULL, &e), 0);
	assert_int_equal(mrtd_value(&m, out, &e), 0);
	assert_hex(out, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
			"274edebfe76f65fbd51ad2f14898b95b");
	assert_int_equal(mrtd_page(&m, &low, NULL, &e), 0);
	assert_int_equal(mrtd_value(&m, out, &e), 0);
	assert_hex(out, "8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e"
			"34aac48ce45ffa1f5a23c7d62980d570");
	mrtd_close(&m);
	assert_int_equal(mrtd_open(&m, NULL, NULL, &e), 0);
	assert_int_equal(mrtd_page(&m, &measured, page, &e), 0);
	assert_int_equal(mrtd_page(&m, &added, NULL, &e), 0);
	assert_int_equal(mrtd_value(&m, out, &e), 0);
	assert_int_equal(m.pages, 2);
	assert_hex(out, "14ec74131df1cfef14ae147c746411a1dfc09b242c8f2c2bf29d2879732f88ec"
			"7e54676660e809c9676e1b2ee2cca8f8");
	mrtd_close(&m);
}

struct values {
	uint8_t mrtd[MRTD_SIZE], rtmr[2][MRTD_SIZE];
};

static void measure(const struct plain_input *in, uint64_t xfam, const struct machine *m,
		    struct values *out)
{
	struct tdx_expectation *x = calloc(1, sizeof(*x));
	struct tdx_measured measured;
	struct plain_contents c;
	struct expect_base base;
	struct err e = { 0 };

	assert_non_null(x);
	assert_int_equal(tdx_plan_build(in, xfam, &built, &e), 0);
	assert_int_equal(tdx_plan_open("plan", &built.plan, &c, &e), 0);
	assert_int_equal(tdx_measure(&built.plan, NULL, NULL, &measured, &e), 0);
	assert_int_equal(expect_base_make(&c, &base, &e), 0);
	assert_int_equal(tdx_expect(&base, m, x, &e), 0);
	memcpy(out->mrtd, measured.mrtd, MRTD_SIZE);
	memcpy(out->rtmr, x->rtmr, sizeof(x->rtmr));
	free(x);
}

/* Which of the three differ: "m", "0", "1". */
static void assert_tells(const struct values *a, const struct values *b, const char *want)
{
	char told[4];

	snprintf(told, sizeof(told), "%s%s%s", memcmp(a->mrtd, b->mrtd, MRTD_SIZE) != 0 ? "m" : "",
		 memcmp(a->rtmr[0], b->rtmr[0], MRTD_SIZE) != 0 ? "0" : "",
		 memcmp(a->rtmr[1], b->rtmr[1], MRTD_SIZE) != 0 ? "1" : "");
	assert_string_equal(told, want);
}

static const struct machine usual = { .memory = 512u << 20, .cpus = 1, .pci_slots = 2 };

/* MRTD is that of the plan alone; RTMR 0 tells the machine; RTMR 1 the files. */
static void machines_and_files(void **state)
{
	(void)state;
	struct plain_input in = sample(), other = in;
	struct values first, v;
	struct machine m = usual;

	measure(&in, PLAN_TDX_XFAM, &m, &first);
	measure(&in, 3, &m, &v);
	assert_tells(&first, &v, "");
	m.memory += 2 << 20;
	measure(&in, PLAN_TDX_XFAM, &m, &v);
	assert_tells(&first, &v, "0");
	m = usual;
	m.cpus = 3;
	measure(&in, PLAN_TDX_XFAM, &m, &v);
	assert_tells(&first, &v, "0");
	m = usual;
	m.pci_slots = 3;
	measure(&in, PLAN_TDX_XFAM, &m, &v);
	assert_tells(&first, &v, "0");
	other.cmdline = "quiet ";
	measure(&other, PLAN_TDX_XFAM, &usual, &v);
	assert_tells(&first, &v, "m01");
	other = in;
	other.initrd = (struct measure_file){ .name = "none" };
	measure(&other, PLAN_TDX_XFAM, &usual, &v);
	assert_tells(&first, &v, "m01");
	firmware[sizeof(firmware) - 100] ^= 1; /* in no field: code of the last page */
	measure(&in, PLAN_TDX_XFAM, &usual, &v);
	firmware[sizeof(firmware) - 100] ^= 1;
	assert_tells(&first, &v, "m");
	kernel[sizeof(kernel) - 1] ^= 1;
	measure(&in, PLAN_TDX_XFAM, &usual, &v);
	kernel[sizeof(kernel) - 1] ^= 1;
	assert_tells(&first, &v, "m01");
	measure(&in, PLAN_TDX_XFAM, &usual, &v);
	assert_tells(&first, &v, "");
}

static void without_a_tpm(void **state)
{
	(void)state;
	struct plain_input in = sample();
	struct tdx_expectation *x = calloc(1, sizeof(*x));
	struct values with, without;
	struct machine m = usual;
	struct plain_contents c;
	struct expect_base base;
	struct err e = { 0 };

	assert_non_null(x);
	in.require_tpm = 0;
	measure(&in, PLAN_TDX_XFAM, &m, &with);
	m.no_tpm = true;
	measure(&in, PLAN_TDX_XFAM, &m, &without);
	assert_tells(&with, &without, "0");
	in.require_tpm = 1;
	assert_int_equal(tdx_plan_build(&in, PLAN_TDX_XFAM, &built, &e), 0);
	assert_int_equal(tdx_plan_open("plan", &built.plan, &c, &e), 0);
	assert_int_equal(expect_base_make(&c, &base, &e), 0);
	assert_int_equal(tdx_expect(&base, &m, x, &e), -EX_USAGE_ERROR);
	m = usual;
	m.cpus = 4;
	assert_int_equal(tdx_expect(&base, &m, x, &e), -EX_USAGE_ERROR);
	m = usual;
	m.memory = 64 << 20;
	assert_int_equal(tdx_expect(&base, &m, x, &e), -EX_USAGE_ERROR);
	free(x);
}

/* The firmware of that machine takes the hash page of its plan, and no other firmware does. */
static void firmware_takes_the_hash_page(void **state)
{
	(void)state;
	struct plain_input in = sample();
	struct fw_hash_page page;
	struct err e = { 0 };

	assert_int_equal(tdx_plan_build(&in, PLAN_TDX_XFAM, &built, &e), 0);
	memcpy(&page, built.hash_page, sizeof(page));
	assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_TDX), 0);
	assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_SNP), STOP_VARIANT);
}

static int open_plan(const struct plan *p)
{
	struct plain_contents c;
	struct err e = { 0 };
	int r = tdx_plan_open("plan", p, &c, &e);

	if (r < 0)
		assert_non_null(strstr(e.text, "plan"));
	return r;
}

/* A plan opens as it was made and not with any change of layout or order. */
static void opens_its_own_plan_only(void **state)
{
	(void)state;
	struct plain_input in = sample();
	struct plain_contents c;
	struct err e = { 0 };
	struct plan good, p;

	assert_int_equal(tdx_plan_build(&in, PLAN_TDX_XFAM, &built, &e), 0);
	size_t size = plan_file_size(&built.plan);
	uint8_t *file = malloc(size);
	assert_non_null(file);
	assert_int_equal(plan_write(&built.plan, file, size, &e), 0);
	assert_int_equal(plan_parse("plan", file, size, &good, &e), 0);
	assert_int_equal(open_plan(&good), 0);
	assert_int_equal(plain_plan_open("plan", &good, &c, &e), -EX_MALFORMED);
	assert_int_equal(snp_plan_open("plan", &good, &c, &e), -EX_MALFORMED);
	for (uint32_t i = 0; i < good.region_count; i++) {
		p = good;
		p.region[i].gpa += 4096;
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
		p = good;
		memmove(&p.region[i], &p.region[i + 1],
			(good.region_count - i) * sizeof(p.region[0]));
		p.region_count--;
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
	}
	for (uint32_t i = 1; i < 5; i++) {
		p = good;
		p.region[i] = good.region[i % 4 + 1];
		p.region[i % 4 + 1] = good.region[i];
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
	}
	p = good;
	p.min_ram += 2 << 20;
	assert_int_equal(open_plan(&p), -EX_MALFORMED);
	p = good;
	p.max_cpus++;
	assert_int_equal(open_plan(&p), -EX_MALFORMED);
	free(file);
}

static int see(void *arg, const struct mrtd_step *step, struct err *e)
{
	uint8_t *last = arg;

	(void)e;
	assert_true(step->added);
	assert_int_equal(step->extended, strcmp(step->what, "zero") != 0);
	memcpy(last, step->digest, MRTD_SIZE);
	return step->number == 500 ? -EX_HOST : 0;
}

static void explains_the_order(void **state)
{
	(void)state;
	struct plain_input in = sample();
	uint8_t last[MRTD_SIZE] = { 0 };
	struct tdx_measured measured;
	struct err e = { 0 };

	assert_int_equal(tdx_plan_build(&in, PLAN_TDX_XFAM, &built, &e), 0);
	assert_int_equal(tdx_measure(&built.plan, see, last, &measured, &e), 0);
	assert_memory_equal(last, measured.mrtd, MRTD_SIZE);
	assert_int_equal(measured.pages, 2 + FW_SCRATCH_SIZE / FW_PAGE + 3);
	assert_int_equal(measured.extended, 2 + 3);
}

static void refuses_features(void **state)
{
	(void)state;
	static const uint64_t bad[] = { 0, 1, 2, 0xE6, 0xE3, 0x27, 0x807, 0x1003, 0x20003, 0xFF,
					1ull << 63 | 3 };
	static const uint64_t good[] = { 3, 7, 0xE7, 0x1803, 0x60003, 0x6DBE7 };
	struct plain_input in = sample();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(tdx_plan_build(&in, bad[i], &built, &e), -EX_USAGE_ERROR);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(tdx_plan_build(&in, good[i], &built, &e), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_digests),
		cmocka_unit_test(machines_and_files),
		cmocka_unit_test(without_a_tpm),
		cmocka_unit_test(firmware_takes_the_hash_page),
		cmocka_unit_test(opens_its_own_plan_only),
		cmocka_unit_test(explains_the_order),
		cmocka_unit_test(refuses_features),
	};

	return cmocka_run_group_tests_name("measure_tdx", tests, set_up, NULL);
}
