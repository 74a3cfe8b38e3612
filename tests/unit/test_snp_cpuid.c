/* The CPUID page of an SEV-SNP guest: what is cleared, what is left out, what must be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/kvm/kvm.h"
#include "vmm/tee/snp_cpuid.h"

#include <string.h>

#define ONES 0xFFFFFFFFu

static union kvm_cpuid_table t;
static struct snp_cpuid_page page;

static void begin(void)
{
	memset(&t, 0, sizeof(t));
	memset(&page, 0xA5, sizeof(page));
}

static void put(uint32_t leaf, int subleaf, uint32_t value)
{
	struct kvm_cpuid_entry2 *c = &t.head.entries[t.head.nent++];

	*c = (struct kvm_cpuid_entry2){ .function = leaf, .eax = value, .ebx = value, .ecx = value,
					.edx = value };
	/* KVM leaves an index behind that counts only with the flag. */
	c->index = subleaf >= 0 ? (uint32_t)subleaf : 77;
	c->flags = subleaf >= 0 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
}

static void fill(void)
{
	struct err e = { 0 };

	assert_int_equal(snp_cpuid_fill(&t, &page, &e), 0);
}

static const struct snp_cpuid_entry *find(uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < page.count; i++)
		if (page.entry[i].leaf == leaf && page.entry[i].subleaf == subleaf)
			return &page.entry[i];
	return NULL;
}

/* As find, but the entry must be there. */
static const struct snp_cpuid_entry *need(uint32_t leaf, uint32_t subleaf)
{
	static const struct snp_cpuid_entry none;
	const struct snp_cpuid_entry *x = find(leaf, subleaf);

	if (!x)
		fail_msg("no entry %x.%x", leaf, subleaf);
	return x ? x : &none;
}

static void the_page_has_the_firmware_abi_layout(void **state)
{
	uint32_t word;
	uint64_t xcr0;

	(void)state;
	begin();
	put(0, -1, 0x10);
	put(0xD, 1, 0x0B);
	fill();
	memcpy(&word, &page, 4);
	assert_int_equal(word, 2);
	for (size_t i = 4; i < 16; i++)
		assert_int_equal(((const uint8_t *)&page)[i], 0);
	memcpy(&word, (const uint8_t *)&page + 16 + 48, 4);
	assert_int_equal(word, 0xD);
	memcpy(&word, (const uint8_t *)&page + 16 + 48 + 4, 4);
	assert_int_equal(word, 1);
	memcpy(&xcr0, (const uint8_t *)&page + 16 + 48 + 8, 8);
	assert_int_equal(xcr0, 1);
	memcpy(&word, (const uint8_t *)&page + 16 + 48 + 24, 4);
	assert_int_equal(word, 0x0B);
	memcpy(&word, (const uint8_t *)&page + 16 + 48 + 28, 4);
	assert_int_equal(word, 0x240);
	for (size_t i = 16 + 2 * 48; i < sizeof(page); i++)
		assert_int_equal(((const uint8_t *)&page)[i], 0);
}

static void what_no_hardware_gives_is_cleared(void **state)
{
	static const struct {
		uint32_t leaf;
		int subleaf;
		uint32_t eax, ebx, ecx, edx;
	} rules[] = {
		{ 1, -1, ONES, ONES, ~(1u << 24), ONES },
		{ 7, 0, ONES, ~(1u << 1), ONES, 0 },
		{ 7, 1, ONES, ONES, ONES, ONES },
		{ 0x80000008, -1, ONES, ~(1u << 25), ONES, ONES },
		{ 0x80000021, -1, ~(1u << 9), ONES, 0, ONES },
		{ 0x80000001, -1, ONES, ONES, ONES, ONES },
		{ 0xB, 0, ONES, ONES, ONES, ONES },
		{ 0xD, 2, ONES, ONES, ONES, ONES },
	};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		put(rules[i].leaf, rules[i].subleaf, ONES);
	fill();
	assert_int_equal(page.count, sizeof(rules) / sizeof(rules[0]));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct snp_cpuid_entry *x =
			need(rules[i].leaf, rules[i].subleaf < 0 ? 0 : (uint32_t)rules[i].subleaf);

		assert_int_equal(x->eax, rules[i].eax);
		assert_int_equal(x->ebx, rules[i].ebx);
		assert_int_equal(x->ecx, rules[i].ecx);
		assert_int_equal(x->edx, rules[i].edx);
		assert_int_equal(x->xcr0 | x->xss | x->reserved, 0);
	}
}

static void xsave_sizes_are_those_of_the_start(void **state)
{
	(void)state;
	begin();
	put(0xD, 0, 7);
	put(0xD, 1, 0);
	put(0xD, 9, 8);
	fill();
	assert_int_equal(page.count, 3);
	assert_int_equal(need(0xD, 0)->ebx, 0x240);
	assert_int_equal(need(0xD, 0)->eax, 7);
	assert_int_equal(need(0xD, 0)->xcr0, 1);
	assert_int_equal(need(0xD, 1)->ebx, 0x240);
	assert_int_equal(need(0xD, 1)->xcr0, 1);
	assert_int_equal(need(0xD, 1)->xss, 0);
	assert_int_equal(need(0xD, 9)->ebx, 8);
	assert_int_equal(need(0xD, 9)->xcr0, 0);
}

/* A leaf that is nothing but cleared bits is left out too: absent and zero read the same. */
static void empty_leaves_are_left_out(void **state)
{
	(void)state;
	begin();
	put(0xA, -1, 0);
	put(7, 2, 0);
	put(0x80000021, -1, 0);
	t.head.entries[t.head.nent - 1].ecx = 5;
	put(0x80000000, -1, 0x80000021);
	fill();
	assert_int_equal(page.count, 1);
	assert_int_equal(page.entry[0].leaf, 0x80000000);
	assert_int_equal(page.entry[0].subleaf, 0);
}

static void sixty_four_entries_are_the_limit(void **state)
{
	struct err e = { 0 };

	(void)state;
	begin();
	for (uint32_t i = 0; i < 64; i++)
		put(0x80000002 + i, -1, 1);
	fill();
	assert_int_equal(page.count, 64);
	put(0x80000100, -1, 1);
	assert_int_equal(snp_cpuid_fill(&t, &page, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "65 CPUID entries"));
}

static void hypervisor_leaves_make_room_first(void **state)
{
	(void)state;
	begin();
	put(0x40000000, -1, 1);
	put(0x40000001, -1, 1);
	put(0x40000010, -1, 1);
	for (uint32_t i = 0; i < 61; i++)
		put(0x80000002 + i, -1, 1);
	fill();
	assert_int_equal(page.count, 64);
	assert_non_null(find(0x40000010, 0));
	put(0x80000100, -1, 1);
	fill();
	assert_int_equal(page.count, 64);
	assert_null(find(0x40000010, 0));
	assert_non_null(find(0x40000000, 0));
	assert_non_null(find(0x40000001, 0));
	assert_non_null(find(0x80000100, 0));
}

static void a_table_that_lies_about_its_length_is_bounded(void **state)
{
	(void)state;
	begin();
	put(0, -1, 1);
	t.head.nent = UINT32_MAX;
	fill();
	assert_int_equal(page.count, 1);
}

static void sev_leaf_names_snp_and_the_plans_c_bit(void **state)
{
	struct err e = { 0 };

	(void)state;
	begin();
	put(1, -1, 1);
	put(0x8000001F, -1, ONES);
	t.head.entries[1].ebx = 0xF0000000 | 0xFFC0 | 51;
	assert_int_equal(snp_cpuid_mark(&t, 51, &e), 0);
	assert_int_equal(t.head.entries[1].eax, 0x1A);
	assert_int_equal(t.head.entries[1].ebx, 0xF0000000 | 51);
	assert_int_equal(t.head.entries[1].ecx, ONES);
	assert_int_equal(t.head.entries[0].eax, 1);
}

static void a_host_with_another_c_bit_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	begin();
	put(0x8000001F, -1, 47);
	assert_int_equal(snp_cpuid_mark(&t, 51, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "C-bit is bit 47, the plan was made for bit 51"));
}

static void a_host_without_sev_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	begin();
	put(0x8000001E, -1, 51);
	assert_int_equal(snp_cpuid_mark(&t, 51, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "no CPUID leaf 8000001F"));
}

static void differences_name_leaf_and_field(void **state)
{
	struct snp_cpuid_page other;
	char text[160] = "";
	unsigned differ = 0;

	(void)state;
	begin();
	put(7, 1, 0x30);
	fill();
	other = page;
	for (unsigned f = 0; f < SNP_CPUID_FIELDS; f++)
		assert_int_equal(snp_cpuid_difference(&page, &other, 0, f, text, sizeof(text)), 0);
	other.entry[0].edx = 0x20;
	assert_int_equal(snp_cpuid_difference(&page, &other, 0, 2, text, sizeof(text)), 0);
	assert_int_equal(snp_cpuid_difference(&page, &other, 0, 3, text, sizeof(text)), 1);
	assert_string_equal(text, "CPUID 7.1 EDX: the firmware wants 00000020, not 00000030");
	other.entry[0].xcr0 = 1ull << 40;
	assert_int_equal(snp_cpuid_difference(&page, &other, 0, 6, text, sizeof(text)), 1);
	assert_string_equal(text, "CPUID 7.1 XCR0: the firmware wants 10000000000, not 00000000");
	memset(&other.entry[0], 0xEE, sizeof(other.entry[0]));
	for (unsigned f = 0; f < SNP_CPUID_FIELDS; f++)
		differ += (unsigned)snp_cpuid_difference(&page, &other, 0, f, text, sizeof(text));
	assert_int_equal(differ, SNP_CPUID_FIELDS);
	assert_int_equal(snp_cpuid_difference(&page, &other, 64, 0, text, sizeof(text)), 0);
	assert_int_equal(snp_cpuid_difference(&page, &other, 0, 9, text, sizeof(text)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_the_firmware_abi_layout),
		cmocka_unit_test(what_no_hardware_gives_is_cleared),
		cmocka_unit_test(xsave_sizes_are_those_of_the_start),
		cmocka_unit_test(empty_leaves_are_left_out),
		cmocka_unit_test(sixty_four_entries_are_the_limit),
		cmocka_unit_test(hypervisor_leaves_make_room_first),
		cmocka_unit_test(a_table_that_lies_about_its_length_is_bounded),
		cmocka_unit_test(sev_leaf_names_snp_and_the_plans_c_bit),
		cmocka_unit_test(a_host_with_another_c_bit_is_refused),
		cmocka_unit_test(a_host_without_sev_is_refused),
		cmocka_unit_test(differences_name_leaf_and_field),
	};

	return cmocka_run_group_tests_name("snp_cpuid", tests, NULL, NULL);
}
