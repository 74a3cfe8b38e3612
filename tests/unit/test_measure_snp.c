/* Launch digests of SEV-SNP: golden values, the VMSA, plans and images and what is wrong with them,
 * the ID block. */
#include "attest/measure/hash_page.h"
#include "attest/measure/image.h"
#include "attest/measure/snp/plan.h"
#include "attest/measure/snp/vmsa.h"
#include "common/bytes.h"
#include "common/start_state.h"
#include "firmware/hashpage.h"
#include "tests/unit/fake_files.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE];

static int set_up(void **state)
{
	(void)state;
	fake_firmware_snp(firmware);
	fake_kernel(kernel);
	return 0;
}

static void assert_hex(const uint8_t *data, const char *hex)
{
	char text[2 * SNP_DIGEST_SIZE + 1];

	hex_encode(data, SNP_DIGEST_SIZE, text);
	assert_string_equal(text, hex);
}

/* A processor at its reset vector, as another VMM starts it; RDX holds the processor signature. */
static void reset_vmsa(uint8_t page[SNP_PAGE_SIZE])
{
	const struct start_state reset = {
		.cs = { .base = 0xFFFF0000,
			.limit = 0xFFFF,
			.selector = 0xF000,
			.attributes = 0x9B },
		.data = { .limit = 0xFFFF, .attributes = 0x93 },
		.tr = { .limit = 0xFFFF, .attributes = 0x8B },
		.ldtr = { .limit = 0xFFFF, .attributes = 0x82 },
		.gdtr = { .limit = 0xFFFF },
		.idtr = { .limit = 0xFFFF },
		.rip = 0xFFF0,
		.rflags = 2,
		.cr0 = 0x10,
		.dr6 = 0xFFFF0FF0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406,
		.xcr0 = 1,
		.sev_features = 1,
		.mxcsr = 0x1F80,
		.fcw = 0x37F,
	};

	snp_vmsa_fill(&reset, page);
	page[0x310] = 0x12;
	page[0x311] = 0x0F;
	page[0x312] = 0x80;
}

/* Golden digests, computed by independent calculators from the firmware ABI. */
static void golden_digests(void **state)
{
	(void)state;
	uint8_t page[SNP_PAGE_SIZE], hash[SNP_DIGEST_SIZE];
	struct snp_digest d;
	struct err e = { 0 };

	assert_int_equal(snp_digest_open(&d, &e), 0);
	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)i;
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_ZERO, 0, NULL, &e), 0);
	assert_hex(d.value, "70c0ecaab9608f14ebf8ac6f0f07bcd8728f4e2ab30382b539b4de4de904ca9f"
			    "8ebdf4b2cd3cd84dd996bd55dd794676");
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_NORMAL, 0x1000, page, &e), 0);
	assert_hex(d.value, "2cf84d09c742e20481335ec3eb21d25649eedf73d7661175ce1a0349b41a57f9"
			    "b883ba4cec1def201baa18d3842de7f2");
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_SECRETS, 0x2000, page, &e), 0);
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_CPUID, 0x3000, page, &e), 0);
	assert_hex(d.value, "d3535154781001523fd0059d30f9bd35f60c24cfdff2f9bb2b94fc297357ef13"
			    "4cc9185f1d7409a80b9778e4a76e372f");
	reset_vmsa(page);
	assert_int_equal(EVP_Digest(page, sizeof(page), hash, NULL, EVP_sha384(), NULL), 1);
	assert_hex(hash, "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b"
			 "3856f55378e9518d0da99452d51c553a");
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_VMSA, SNP_VMSA_GPA, page, &e), 0);
	assert_hex(d.value, "95c6db3ea9fcde87ff35f331d3071ae96f9743b50d8d1125c3619c4cc634950d"
			    "ba86264eea2ad322123ffc9833b11d1c");
	snp_digest_close(&d);
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

static void digest_of(const struct plain_input *in, uint64_t policy, uint8_t ld[SNP_DIGEST_SIZE])
{
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct err e = { 0 };

	assert_non_null(p);
	assert_int_equal(snp_plan_build(in, policy, p, &e), 0);
	assert_int_equal(snp_measure(&p->plan, NULL, NULL, ld, &e), 0);
	free(p);
}

static void changed(const struct plain_input *in, const uint8_t first[SNP_DIGEST_SIZE])
{
	uint8_t ld[SNP_DIGEST_SIZE];

	digest_of(in, PLAN_SNP_POLICY, ld);
	assert_memory_not_equal(ld, first, sizeof(ld));
}

static void every_input_is_measured(void **state)
{
	(void)state;
	uint8_t first[SNP_DIGEST_SIZE], again[SNP_DIGEST_SIZE];
	struct plain_input in = sample();

	digest_of(&in, PLAN_SNP_POLICY, first);
	digest_of(&in, 0x20000, again);
	assert_memory_equal(first, again, sizeof(first)); /* but for the policy */
	in.max_cpus = 2;
	changed(&in, first);
	in = sample();
	in.cmdline = "quiet ";
	changed(&in, first);
	in = sample();
	in.initrd.size = 99;
	changed(&in, first);
	in = sample();
	in.require_tpm = 0;
	changed(&in, first);
	firmware[sizeof(firmware) - 1] ^= 1;
	in = sample();
	changed(&in, first);
	firmware[sizeof(firmware) - 1] ^= 1;
	kernel[sizeof(kernel) - 1] ^= 1;
	changed(&in, first);
	kernel[sizeof(kernel) - 1] ^= 1;
	digest_of(&in, PLAN_SNP_POLICY, again);
	assert_memory_equal(first, again, sizeof(first));
}

/* The firmware of that machine takes the hash page of its plan, and no other firmware does. */
static void firmware_takes_the_hash_page(void **state)
{
	(void)state;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();
	struct fw_hash_page page;
	struct err e = { 0 };

	assert_non_null(p);
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), 0);
	memcpy(&page, p->hash_page, sizeof(page));
	assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_SNP), 0);
	assert_int_equal(page.record.max_cpus, 3);
	assert_int_equal(page.record.min_ram, p->plan.min_ram);
	assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_PLAIN), STOP_VARIANT);
	free(p);
}

static int open_plan(const struct plan *p)
{
	struct plain_contents c;
	struct err e = { 0 };
	int r = snp_plan_open("plan", p, &c, &e);

	if (r < 0)
		assert_non_null(strstr(e.text, "plan"));
	return r;
}

/* A plan opens as it was made and not with any change of layout, order or start state. */
static void opens_its_own_plan_only(void **state)
{
	(void)state;
	struct plain_plan *made = calloc(1, sizeof(*made));
	struct plain_input in = sample();
	struct plain_contents c;
	struct err e = { 0 };

	assert_non_null(made);
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, made, &e), 0);
	size_t size = plan_file_size(&made->plan);
	uint8_t *file = malloc(size);
	assert_non_null(file);
	assert_int_equal(plan_write(&made->plan, file, size, &e), 0);
	struct plan good;
	assert_int_equal(plan_parse("plan", file, size, &good, &e), 0);
	assert_int_equal(open_plan(&good), 0);
	assert_int_equal(plain_plan_open("plan", &good, &c, &e), -EX_MALFORMED);
	struct plan p = good;
	p.snp.policy = 0x20000;
	assert_int_equal(open_plan(&p), 0);
	for (uint32_t i = 0; i < good.region_count; i++) {
		p = good;
		p.region[i].gpa += 4096;
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
		p = good;
		memmove(&p.region[i], &p.region[i + 1],
			(good.region_count - i) * sizeof(p.region[0]));
		p.region_count--;
		/* Without its initrd the hash page is another, too. */
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
	}
	for (uint32_t i = 1; i < 5; i++) {
		p = good;
		p.region[i] = good.region[i % 4 + 1];
		p.region[i % 4 + 1] = good.region[i];
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
	}
	uint64_t *const start[] = { &p.vcpu.rip,      &p.vcpu.rsp,	   &p.vcpu.cr3,
				    &p.snp.ap_rip,    &p.snp.sev_features, &p.min_ram,
				    &p.region[1].size };
	for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++) {
		p = good;
		*start[i] ^= 4096;
		assert_int_equal(open_plan(&p), -EX_MALFORMED);
	}
	p = good;
	p.snp.cpus--;
	assert_int_equal(open_plan(&p), -EX_MALFORMED);
	p.snp.cpus = 0;
	assert_int_equal(open_plan(&p), 0);
	free(file);
	free(made);
}

/* A hash page that fits another least memory does not make it the firmware's. */
static void opens_no_other_memory(void **state)
{
	(void)state;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();
	struct err e = { 0 };

	assert_non_null(p);
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), 0);
	for (uint64_t more = 0; more <= 2 << 20; more += 2 << 20) {
		p->plan.min_ram += more;
		struct hash_page_input hashes = { .variant = FW_VARIANT_SNP,
						  .kernel = kernel,
						  .kernel_size = sizeof(kernel),
						  .initrd = kernel,
						  .initrd_size = 100,
						  .cmdline = "quiet",
						  .min_ram = p->plan.min_ram,
						  .max_cpus = 3,
						  .require_tpm = 1 };
		assert_int_equal(hash_page_fill(&hashes, p->hash_page, &e), 0);
		assert_int_equal(open_plan(&p->plan), more == 0 ? 0 : -EX_MALFORMED);
	}
	free(p);
}

/* One plan for every number of processors: its digests come at once and one by one alike, and are
 * those of exact plans with the same limits. */
static void serves_any_number(void **state)
{
	(void)state;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();
	static uint8_t ld[64][SNP_DIGEST_SIZE];
	uint8_t one[SNP_DIGEST_SIZE];
	struct err e = { 0 };

	assert_non_null(p);
	in.max_cpus = 64;
	in.any_cpus = 1;
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), 0);
	assert_int_equal(p->plan.snp.cpus, 0);
	assert_int_equal(open_plan(&p->plan), 0);
	assert_int_equal(snp_measure_sizes(&p->plan, 64, ld, &e), 0);
	for (uint32_t n = 1; n <= 64; n++) {
		assert_int_equal(snp_measure_cpus(&p->plan, n, NULL, NULL, one, &e), 0);
		assert_memory_equal(one, ld[n - 1], sizeof(one));
		for (uint32_t other = 1; other < n; other++)
			assert_memory_not_equal(one, ld[other - 1], sizeof(one));
	}
	assert_int_equal(snp_measure(&p->plan, NULL, NULL, one, &e), -EX_USAGE_ERROR);
	assert_int_equal(snp_measure_cpus(&p->plan, 0, NULL, NULL, one, &e), -EX_USAGE_ERROR);
	assert_int_equal(snp_measure_cpus(&p->plan, 65, NULL, NULL, one, &e), -EX_USAGE_ERROR);
	in.any_cpus = 0;
	digest_of(&in, PLAN_SNP_POLICY, one);
	assert_memory_equal(one, ld[63], sizeof(one));
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), 0);
	assert_int_equal(snp_measure_cpus(&p->plan, 63, NULL, NULL, one, &e), -EX_USAGE_ERROR);
	free(p);
}

static void put(uint8_t *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* One word of the image at a time; the table of sites of the sample lies at 3072. */
static void images_are_checked(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint32_t value;
		int taken;
	} row[] = {
		{ 48, 63, 0 }, /* waiting loop in the header */
		{ 48, 64, 1 },
		{ 48, 8191, 1 },
		{ 48, 8192, 0 },
		{ 52, 60, 0 }, /* table of sites */
		{ 52, 8192 - 28, 0 },
		{ 52, 3073, 0 },
		{ 56, 0, 0 },
		{ 56, 1, 1 },
		{ 56, 5, 0 }, /* a fifth site of whatever follows */
		{ 56, 0x20000000, 0 },
		{ 56, 0xFFFFFFFF, 0 },
		{ 60, 1, 0 },	   /* reserved */
		{ 3072, 2050, 0 }, /* not that instruction */
		{ 3072, 60, 0 },
		{ 3072, 3070, 0 },
		{ 3072, 8190, 0 },
		{ 3072, 0xFFFFFFFE, 0 },
		{ 3072 + 4, 2, 0 },
		{ 3072 + 4, 4, 0 },
		{ 3072 + 4, 0, 0 },
		{ 3072 + 4, 5, 0 },
		{ 3072 + 8, 2048, 0 }, /* of another kind */
		{ 3072 + 12, 4, 0 },   /* two last ones */
		{ 3072 + 20, 4, 0 },
		{ 3072 + 28, 2, 1 }, /* none */
		{ 2048, 0xFF010FF3, 0 },
	};
	struct fw_image_header h;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err e = { 0 };
		fake_firmware_snp(firmware);
		put(firmware + row[i].offset, row[i].value);
		int r = firmware_image_check("fw", firmware, sizeof(firmware), FW_VARIANT_SNP, &h,
					     &e);
		if (r != (row[i].taken ? 0 : -EX_MALFORMED))
			fail_msg("row %zu gave %d: %s", i, r, e.text);
	}
	fake_firmware_snp(firmware);
}

/* An instruction whose bytes lie in two pages is refused though it is the right one. */
static void sites_stay_in_a_page(void **state)
{
	(void)state;
	static const uint8_t vmgexit[] = { 0xF3, 0x0F, 0x01, 0xD9 };
	struct fw_image_header h;

	for (uint32_t at = 4091; at <= 4096; at++) {
		struct err e = { 0 };
		fake_firmware_snp(firmware);
		put(firmware + 56, 1);
		put(firmware + 3072, at);
		put(firmware + 3076, FW_SITE_VMGEXIT);
		memcpy(firmware + at, vmgexit, sizeof(vmgexit));
		int r = firmware_image_check("fw", firmware, sizeof(firmware), FW_VARIANT_SNP, &h,
					     &e);
		assert_int_equal(r, at <= 4092 || at == 4096 ? 0 : -EX_MALFORMED);
	}
	fake_firmware_snp(firmware);
}

/* A plain image has none of it. */
static void plain_images_have_no_sites(void **state)
{
	(void)state;
	struct fw_image_header h;

	for (size_t offset = 48; offset < 64; offset += 4) {
		struct err e = { 0 };
		fake_firmware(firmware);
		assert_int_equal(firmware_image_check("fw", firmware, sizeof(firmware),
						      FW_VARIANT_PLAIN, &h, &e),
				 0);
		firmware[offset] = 1;
		assert_int_equal(firmware_image_check("fw", firmware, sizeof(firmware),
						      FW_VARIANT_PLAIN, &h, &e),
				 -EX_MALFORMED);
	}
	fake_firmware_snp(firmware);
}

struct seen {
	uint32_t pages, stop_at;
	enum snp_page_type type[256];
	uint64_t gpa[256];
	uint8_t last[SNP_DIGEST_SIZE];
};

static int see(void *arg, const struct snp_step *step, struct err *e)
{
	struct seen *s = arg;

	assert_true(step->number == s->pages + 1 && s->pages < 256);
	s->type[s->pages] = step->type;
	s->gpa[s->pages++] = step->gpa;
	memcpy(s->last, step->digest, sizeof(s->last));
	if (s->pages == s->stop_at)
		return err_set(e, EX_HOST, "enough");
	return 0;
}

static void explains_the_order(void **state)
{
	(void)state;
	static struct seen s;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();
	uint8_t ld[SNP_DIGEST_SIZE];
	struct err e = { 0 };

	assert_non_null(p);
	assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), 0);
	assert_int_equal(snp_measure(&p->plan, see, &s, ld, &e), 0);
	assert_int_equal(s.pages, 2 + 112 + 3 + 3);
	assert_memory_equal(s.last, ld, sizeof(ld));
	assert_int_equal(s.gpa[0], FW_IMAGE);
	assert_int_equal(s.gpa[1], FW_IMAGE + FW_PAGE);
	assert_int_equal(s.type[1], SNP_PAGE_NORMAL);
	assert_int_equal(s.gpa[2], FW_SCRATCH);
	assert_int_equal(s.type[113], SNP_PAGE_ZERO);
	assert_int_equal(s.gpa[113], FW_HASH_PAGE - FW_PAGE);
	assert_int_equal(s.gpa[114], FW_HASH_PAGE);
	assert_int_equal(s.type[114], SNP_PAGE_NORMAL);
	assert_int_equal(s.gpa[115], FW_CPUID_PAGE);
	assert_int_equal(s.type[115], SNP_PAGE_CPUID);
	assert_int_equal(s.gpa[116], FW_SECRETS_PAGE);
	assert_int_equal(s.type[116], SNP_PAGE_SECRETS);
	for (size_t i = 117; i < 120; i++)
		assert_true(s.type[i] == SNP_PAGE_VMSA && s.gpa[i] == SNP_VMSA_GPA);
	memset(&s, 0, sizeof(s));
	s.stop_at = 5;
	assert_int_equal(snp_measure(&p->plan, see, &s, ld, &e), -EX_HOST);
	assert_int_equal(s.pages, 5);
	free(p);
}

static void id_block_form(void **state)
{
	(void)state;
	uint8_t ld[SNP_DIGEST_SIZE], block[SNP_ID_BLOCK_SIZE];
	static const uint8_t tail[] = { 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0xB, 0, 0, 0, 0, 0x80 };
	static const uint8_t zero[32];

	memset(ld, 0x5A, sizeof(ld));
	memset(block, 0xFF, sizeof(block));
	snp_id_block(ld, 0x80000000000B0000ull, 7, block);
	assert_memory_equal(block, ld, sizeof(ld));
	assert_memory_equal(block + 48, zero, sizeof(zero));
	assert_memory_equal(block + 80, tail, sizeof(tail));
}

static void refuses_values(void **state)
{
	(void)state;
	static const uint64_t policy[] = { 0, 0x10000, 1ull << 26 | 0x30000, UINT64_MAX };
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();

	assert_non_null(p);
	for (size_t i = 0; i < sizeof(policy) / sizeof(policy[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(snp_plan_build(&in, policy[i], p, &e), -EX_USAGE_ERROR);
	}
	for (uint32_t cpus = 0; cpus <= 257; cpus += 257) {
		struct err e = { 0 };
		in.max_cpus = cpus;
		assert_int_equal(snp_plan_build(&in, PLAN_SNP_POLICY, p, &e), -EX_USAGE_ERROR);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_digests),
		cmocka_unit_test(every_input_is_measured),
		cmocka_unit_test(firmware_takes_the_hash_page),
		cmocka_unit_test(opens_its_own_plan_only),
		cmocka_unit_test(opens_no_other_memory),
		cmocka_unit_test(serves_any_number),
		cmocka_unit_test(images_are_checked),
		cmocka_unit_test(sites_stay_in_a_page),
		cmocka_unit_test(plain_images_have_no_sites),
		cmocka_unit_test(explains_the_order),
		cmocka_unit_test(id_block_form),
		cmocka_unit_test(refuses_values),
	};

	return cmocka_run_group_tests_name("measure_snp", tests, set_up, NULL);
}
