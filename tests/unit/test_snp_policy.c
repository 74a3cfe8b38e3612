/* What a policy demands of a genuine report: each rule refuses alone, and says what it found. */
#include "tests/unit/snp_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS(bits) ((struct policy_words){ .given = true, .set = (bits) })
enum { GUEST_SMT, GUEST_MIGRATE, GUEST_DEBUG, GUEST_SINGLE_SOCKET, GUEST_CXL, GUEST_CTH = 7 };
enum { PLATFORM_SMT, PLATFORM_TSME, PLATFORM_ECC, PLATFORM_ALIAS = 5, PLATFORM_TIO };

/* The chip's report as firmware 1.55.40 makes it, in that version, then one more change. */
static void report_of(uint32_t version, unsigned at, const void *bytes, size_t n)
{
	uint8_t old[SNP_REPORT_SIZE];

	memcpy(old, chip.report, sizeof(old));
	chip.report[0] = (uint8_t)version;
	memcpy(chip.report + 0x1E8, "\x28\x37\1\0\x28\x37\1", 7);
	sign_report(at, bytes, n);
	memcpy(chip.report, old, sizeof(old));
}

static void products(void **state)
{
	(void)state;
	static const char id[] = "snp.product.allowed";

	judge();
	assert_skipped(id);
	policy.products = WORDS(2); /* genoa */
	assert_int_equal(judge(), EX_OK);
	policy.products = WORDS(1 | 4);
	assert_only(id, EX_REFUSED);
	assert_string_equal(find(id)->have, "Genoa");
	policy.products = WORDS(0); /* an empty list takes none */
	assert_only(id, EX_REFUSED);
	policy.products.given = false;
	policy.denied_products = WORDS(1);
	assert_int_equal(judge(), EX_OK);
	policy.denied_products = WORDS(2);
	assert_only(id, EX_REFUSED);
	/* Version 2 names none: then the certificate does. */
	sign_report(0, "\2", 1);
	assert_only(id, EX_REFUSED);
	given.cert[SNP_ROLE_VEK] = NULL;
	policy.denied_products = WORDS(1);
	judge();
	assert_fails(id, EX_REFUSED); /* nobody says which */
}

static void chips(void **state)
{
	(void)state;
	uint8_t zero[SNP_CHIP_ID_SIZE] = { 0 };

	judge();
	assert_skipped("snp.chip");
	policy.chip_ids = (struct policy_digests){ .count = 2, .size = SNP_CHIP_ID_SIZE };
	memcpy(policy.chip_ids.value[1], chip.report + 0x1A0, SNP_CHIP_ID_SIZE);
	assert_int_equal(judge(), EX_OK);
	policy.chip_ids.value[1][63] ^= 1;
	assert_only("snp.chip", EX_REFUSED);
	/* A masked id is no chip's, even where the list has it. */
	memset(policy.chip_ids.value[0], 0, SNP_CHIP_ID_SIZE);
	sign_report(0x1A0, zero, sizeof(zero));
	judge();
	assert_fails("snp.chip", EX_REFUSED);
	assert_string_equal(find("snp.chip")->have, "masked");
}

static void signing_keys_and_providers(void **state)
{
	(void)state;
	struct fake_snp_how h = fake_snp_how(&chip, SNP_ROLE_VEK);

	policy.signing_keys = WORDS(1u << SNP_KEY_VCEK);
	policy.providers.count = 1;
	strcpy(policy.providers.value[0], "CN=cloud.example");
	assert_int_equal(judge(), EX_OK);
	assert_skipped("snp.vek.provider"); /* a chip's own key */
	h.csp = "CN=cloud.example";
	h.hwid_size = 0;
	X509 *vlek = fake_snp_cert(&h);
	given.cert[SNP_ROLE_VEK] = vlek;
	sign_report(0x48, "\4", 1);
	assert_only("snp.vek.allowed", EX_REFUSED);
	policy.signing_keys = WORDS(1u << SNP_KEY_VLEK);
	assert_int_equal(judge(), EX_OK);
	assert_passes("snp.vek.provider");
	assert_string_equal(claim("snp.vek.csp_id"), "CN=cloud.example");
	strcpy(policy.providers.value[0], "CN=cloud.example.net");
	assert_only("snp.vek.provider", EX_REFUSED);
	X509_free(vlek);
}

static void tcb_of_each(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned at;
	} tcbs[SNP_TCBS] = {
		[SNP_TCB_REPORTED] = { "REPORTED_TCB snp", 0x180 },
		[SNP_TCB_LAUNCH] = { "LAUNCH_TCB snp", 0x1F0 },
		[SNP_TCB_COMMITTED] = { "COMMITTED_TCB snp", 0x1E0 },
		[SNP_TCB_CURRENT] = { "CURRENT_TCB snp", 0x38 },
	};

	for (unsigned i = 0; i < SNP_TCBS; i++) {
		snp_judge_renew(NULL);
		policy.min_of[i].given = 1u << SNP_SNP;
		policy.min_of[i].value[SNP_SNP] = 23;
		assert_int_equal(judge(), EX_OK);
		policy.min_of[i].value[SNP_SNP] = 24;
		assert_only("snp.tcb.minimum", EX_REFUSED);
		assert_string_equal(find("snp.tcb.minimum")->component, tcbs[i].name);
		assert_string_equal(find("snp.tcb.minimum")->have, "snp 23");
		assert_string_equal(find("snp.tcb.minimum")->need, "snp 24");
	}
	/* Every shortfall is told, not the first alone. */
	policy.min_of[SNP_TCB_REPORTED].given = 1u << SNP_MICROCODE;
	policy.min_of[SNP_TCB_REPORTED].value[SNP_MICROCODE] = 201;
	assert_only("snp.tcb.minimum", EX_REFUSED);
	assert_non_null(strstr(find("snp.tcb.minimum")->note, "REPORTED_TCB microcode 200 < 201"));
	assert_non_null(strstr(find("snp.tcb.minimum")->note, "CURRENT_TCB snp 23 < 24"));
}

static void firmware_version(void **state)
{
	(void)state;
	policy.min_firmware = (struct policy_numbers){ .given = 7, .value = { 1, 55, 40 } };
	policy.min_committed_firmware = policy.min_firmware;
	report_of(3, 0, "\3", 1);
	assert_int_equal(judge(), EX_OK);
	policy.min_firmware.value[SNP_VERSION_BUILD] = 41;
	assert_only("snp.firmware.current", EX_REFUSED);
	assert_string_equal(find("snp.firmware.current")->have, "1.55.40");
	policy.min_firmware.value[SNP_VERSION_MINOR] = 54; /* an older one of a later build */
	assert_int_equal(judge(), EX_OK);
	policy.min_committed_firmware.value[SNP_VERSION_MINOR] = 56;
	assert_only("snp.firmware.committed", EX_REFUSED);
	/* Committed above current: no firmware does that. */
	policy.min_committed_firmware.given = 0;
	report_of(3, 0x1EC, "\x29", 1);
	assert_only("snp.tcb.order", EX_REFUSED);
}

static void provisional(void **state)
{
	(void)state;
	report_of(3, 0x1EC, "\x27", 1);
	assert_int_equal(judge(), EX_OK);
	policy.allow_provisional = false;
	assert_only("snp.provisional", EX_REFUSED);
	report_of(3, 0x3F, "\xc9", 1); /* microcode of CURRENT_TCB */
	assert_only("snp.provisional", EX_REFUSED);
	report_of(3, 0, "\3", 1);
	assert_int_equal(judge(), EX_OK);
}

static void mitigations(void **state)
{
	(void)state;
	uint8_t vectors[16] = { 0x0B, 0, 0, 0, 0, 0, 0, 0x80, 0x3F };

	policy.launch_mitigations = 0x8000000000000009ull;
	policy.current_mitigations = 0x21;
	report_of(5, 0x1F8, vectors, sizeof(vectors));
	assert_int_equal(judge(), EX_OK);
	assert_string_equal(claim("snp.launch_mit_vector"), "0x800000000000000b");
	policy.launch_mitigations = 4;
	assert_only("snp.mitigation.launch", EX_REFUSED);
	assert_string_equal(find("snp.mitigation.launch")->component, "mitigations 0x4");
	policy.launch_mitigations = 0;
	policy.current_mitigations = 0x40;
	assert_only("snp.mitigation.current", EX_REFUSED);
	/* Before version 5 these bytes are reserved: whatever they hold is no mitigation. */
	policy.current_mitigations = 1;
	report_of(4, 0x1F8, vectors, sizeof(vectors));
	assert_only("snp.mitigation.current", EX_REFUSED);
	assert_string_equal(find("snp.mitigation.current")->have, "not defined");
	assert_string_equal(claim("snp.current_mit_vector"), "(no claim)");
	assert_skipped("snp.reserved");
}

static void platform_bits(void **state)
{
	(void)state;
	judge();
	assert_skipped("snp.platform");
	report_of(3, 0x40, "\x65", 1); /* SMT, ECC, ALIAS_CHECK_COMPLETE, bit 6 */
	policy.require_platform = WORDS(1u << PLATFORM_ALIAS | 1u << PLATFORM_ECC);
	assert_int_equal(judge(), EX_OK);
	assert_string_equal(claim("snp.platform_info"), "0x65");
	assert_string_equal(claim("snp.platform_info.unknown"), "0x40");
	assert_string_equal(claim("snp.platform_info.tsme"), "off");
	policy.require_platform = WORDS(1u << PLATFORM_TSME);
	assert_only("snp.platform", EX_REFUSED);
	assert_string_equal(find("snp.platform")->have, "off");
	assert_string_equal(find("snp.platform")->component, "tsme");
	policy.require_platform = WORDS(0);
	policy.forbid_platform = WORDS(1u << PLATFORM_SMT);
	assert_only("snp.platform", EX_REFUSED);
	policy.forbid_platform = WORDS(1u << PLATFORM_TSME);
	assert_int_equal(judge(), EX_OK);
}

/* A bit that this firmware or report does not have is neither on nor off. */
static void undefined_bits(void **state)
{
	(void)state;
	policy.require_platform = WORDS(1u << PLATFORM_ALIAS);
	report_of(2, 0x40, "\1", 1);
	assert_only("snp.platform", EX_REFUSED);
	assert_string_equal(find("snp.platform")->have, "not defined");
	assert_string_equal(claim("snp.platform_info.alias_check_complete"), "(no claim)");
	assert_string_equal(claim("snp.platform_info.ecc"), "off");
	report_of(3, 0x40, "\1", 1);
	assert_only("snp.platform", EX_REFUSED);
	assert_string_equal(find("snp.platform")->have, "off");
	assert_string_equal(claim("snp.platform_info.sev_tio"), "(no claim)");
	report_of(5, 0x40, "\1", 1);
	judge();
	assert_string_equal(claim("snp.platform_info.sev_tio"), "off");
	/* Firmware 1.49 has no bit for ECC; one that is set is on all the same. */
	policy.require_platform.given = false;
	report_of(3, 0x1E8, "\1\x31\1\0\1\x31\1", 7);
	judge();
	assert_string_equal(claim("snp.platform_info.ecc"), "(no claim)");
	assert_string_equal(claim("snp.policy.cxl"), "(no claim)");
	assert_string_equal(claim("snp.policy.single_socket"), "off");
}

static void guest_policy_bits(void **state)
{
	(void)state;
	static const char id[] = "snp.guest_policy.bits";

	judge();
	assert_skipped(id);
	policy.require_guest_policy = WORDS(1u << GUEST_SINGLE_SOCKET | 1u << GUEST_CTH);
	report_of(3, 0x0A, "\x13\1", 2);
	assert_int_equal(judge(), EX_OK);
	assert_string_equal(claim("snp.policy.ciphertext_hiding_dram"), "on");
	report_of(3, 0x0A, "\x03\1", 2);
	assert_only(id, EX_REFUSED);
	assert_string_equal(find(id)->component, "single_socket");
	policy.require_guest_policy = WORDS(0);
	policy.forbid_guest_policy = WORDS(1u << GUEST_CXL);
	assert_int_equal(judge(), EX_OK);
	report_of(3, 0x0A, "\x23", 1);
	assert_only(id, EX_REFUSED);
}

static void guest_abi(void **state)
{
	(void)state;
	policy.min_guest_abi = (struct policy_numbers){ .given = 3, .value = { 1, 55 } };
	report_of(3, 8, "\x37\1", 2);
	assert_int_equal(judge(), EX_OK);
	assert_string_equal(claim("snp.policy.abi"), "1.55");
	report_of(3, 8, "\x36\1", 2);
	assert_only("snp.guest_policy.abi", EX_REFUSED);
	report_of(3, 8, "\xff\0", 2);
	assert_only("snp.guest_policy.abi", EX_REFUSED);
}

static void migration_agents(void **state)
{
	(void)state;
	uint8_t agent[32];

	memset(agent, 'a', sizeof(agent));
	policy.allow_migration = true;
	policy.migration_agents = (struct policy_digests){ .count = 1, .size = 32 };
	assert_int_equal(judge(), EX_OK); /* none is no stranger */
	sign_report(0x160, agent, sizeof(agent));
	assert_only("snp.migration", EX_REFUSED);
	memcpy(policy.migration_agents.value[0], agent, sizeof(agent));
	assert_int_equal(judge(), EX_OK);
	policy.allow_migration = false;
	assert_only("snp.migration", EX_REFUSED);
}

static void key_info(void **state)
{
	(void)state;
	sign_report(0x48, "\1", 1); /* AUTHOR_KEY_EN without a digest */
	assert_only("snp.key_info", EX_REFUSED);
	sign_report(0x110, "a", 1); /* a digest without it */
	assert_only("snp.key_info", EX_REFUSED);
	uint8_t keys[96];
	memset(keys, 'k', sizeof(keys));
	uint8_t old[SNP_REPORT_SIZE];
	memcpy(old, chip.report, sizeof(old));
	chip.report[0x48] = 1;
	sign_report(0xE0, keys, sizeof(keys));
	assert_int_equal(judge(), EX_OK);
	sign_report(0x110, keys, 48); /* an author of no ID key */
	memcpy(chip.report, old, sizeof(old));
	assert_only("snp.key_info", EX_REFUSED);
}

static void ids(void **state)
{
	(void)state;
	policy.family_id = (struct policy_bytes){ .given = true, .size = 16 };
	policy.image_id = (struct policy_bytes){ .given = true, .size = 16 };
	assert_int_equal(judge(), EX_OK);
	sign_report(0x1F, "f", 1);
	assert_only("snp.family_id", EX_REFUSED);
	sign_report(0x20, "i", 1);
	assert_only("snp.image_id", EX_REFUSED);
	policy.image_id.value[0] = 'i';
	assert_int_equal(judge(), EX_OK);
}

/* Nobody says what to accept: what makes the report authentic, and nothing of what it says. */
static void nothing_judged(void **state)
{
	(void)state;
	given.without_policy = true;
	sign_report(0x0A, "\x0f", 1); /* DEBUG and MIGRATE_MA */
	assert_int_equal(judge(), EX_OK);
	assert_skipped("snp.debug");
	assert_string_equal(find("snp.debug")->note, "nobody judges here");
	assert_skipped("snp.migration");
	assert_skipped("snp.tcb.minimum");
	assert_skipped("snp.measurement");
	assert_passes("snp.signature");
	given.report_data[0] ^= 1;
	assert_only("snp.binding", EX_UNAUTHENTIC);
	given.report_data[0] ^= 1;
	given.report[0x90] ^= 1;
	assert_only("snp.signature", EX_UNAUTHENTIC);
}

static void built_in_policies(void **state)
{
	(void)state;
	report_of(3, 0x40, "\x25", 1);
	policy_snp_base(POLICY_STRICT, &policy);
	judge(); /* SMT in the guest policy, no reference values, no list */
	assert_fails("snp.smt", EX_REFUSED);
	assert_fails("snp.measurement", EX_REFUSED);
	assert_fails("snp.revocation", EX_COLLATERAL);
	assert_passes("snp.platform");
	report_of(3, 0x40, "\x05", 1); /* no alias check */
	judge();
	assert_fails("snp.platform", EX_REFUSED);
	policy_snp_base(POLICY_RECOMMENDED, &policy);
	assert_int_equal(judge(), EX_OK);
	sign_report(0x30, "\1", 1); /* VMPL 1 */
	assert_only("snp.vmpl", EX_REFUSED);
	policy_snp_base(POLICY_PERMISSIVE, &policy);
	assert_int_equal(judge(), EX_OK);
	sign_report(0x0A, "\x07", 1);
	assert_int_equal(judge(), EX_OK);
	sign_report(0x0A, "\x0b", 1);
	assert_only("snp.debug", EX_REFUSED);
}

static void expired_certificates(void **state)
{
	(void)state;
	struct fake_snp_how h = fake_snp_how(&chip, SNP_ROLE_VEK);

	h.to = -1;
	X509 *old = fake_snp_cert(&h);
	h.from = 10;
	h.to = 20;
	X509 *young = fake_snp_cert(&h);
	given.cert[SNP_ROLE_VEK] = old;
	assert_only("snp.validity", EX_COLLATERAL);
	policy.allow_expired = true;
	assert_int_equal(judge(), EX_OK);
	assert_skipped("snp.validity");
	given.cert[SNP_ROLE_VEK] = young;
	assert_only("snp.validity", EX_COLLATERAL);
	X509_free(old);
	X509_free(young);
}

/* Every check is in every result, once, and each of them fits a report of any kind. */
static void all_are_listed(void **state)
{
	(void)state;
	char ids[SNP_CHECKS][32];

	judge();
	assert_int_equal(result.count, SNP_CHECKS);
	for (unsigned i = 0; i < SNP_CHECKS; i++) {
		memcpy(ids[i], result.item[i].id, sizeof(ids[i]));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
	given.report_size--;
	judge();
	assert_int_equal(result.count, SNP_CHECKS);
	for (unsigned i = 0; i < SNP_CHECKS; i++)
		assert_string_equal(ids[i], result.item[i].id);
	snp_judge_renew(NULL);
	memset(given.cert, 0, sizeof(given.cert));
	given.without_policy = true;
	judge();
	assert_int_equal(result.count, SNP_CHECKS);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, snp_judge_renew)
	const struct CMUnitTest tests[] = {
		CASE(products),
		CASE(chips),
		CASE(signing_keys_and_providers),
		CASE(tcb_of_each),
		CASE(firmware_version),
		CASE(provisional),
		CASE(mitigations),
		CASE(platform_bits),
		CASE(undefined_bits),
		CASE(guest_policy_bits),
		CASE(guest_abi),
		CASE(migration_agents),
		CASE(key_info),
		CASE(ids),
		CASE(nothing_judged),
		CASE(built_in_policies),
		CASE(expired_certificates),
		CASE(all_are_listed),
	};
	return cmocka_run_group_tests(tests, snp_judge_set_up, snp_judge_tear_down);
}
