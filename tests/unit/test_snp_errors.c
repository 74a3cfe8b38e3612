/* What a user reads when the security processor or the kernel refuses: every code of the SEV-SNP
 * firmware ABI, every reason of a termination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/snp_term.h"
#include "vmm/kvm/sev.h"
#include "vmm/tee/snp_errors.h"

#include <errno.h>
#include <string.h>

/* A step where the code has no special meaning, its name, and words of its sentence. */
static const struct {
	uint32_t fw;
	const char *name, *text;
} codes[] = {
	{ SEV_FW_NONE, "command never reached", "load the ccp driver" },
	{ 0x01, "INVALID_PLATFORM_STATE", "enable SNP in the BIOS" },
	{ 0x02, "INVALID_GUEST_STATE", "another stage of its launch" },
	{ 0x03, "INVALID_CONFIG", "update BIOS and SEV firmware" },
	{ 0x04, "INVALID_LENGTH", "disagree about a length" },
	{ 0x06, "INVALID_CERTIFICATE", "refuses a certificate" },
	{ 0x07, "POLICY_FAILURE", "refuses the guest policy" },
	{ 0x08, "INACTIVE", "lost its address space id" },
	{ 0x09, "INVALID_ADDRESS", "disagree about an address" },
	{ 0x0A, "BAD_SIGNATURE", "signature does not hold" },
	{ 0x0B, "BAD_MEASUREMENT", "not the one expected" },
	{ 0x0C, "ASID_OWNED", "belongs to another guest" },
	{ 0x0D, "INVALID_ASID", "minimum SEV non-ES ASID" },
	{ 0x0E, "WBINVD_REQUIRED", "caches must be written back" },
	{ 0x0F, "DFFLUSH_REQUIRED", "data fabric must be flushed" },
	{ 0x10, "INVALID_GUEST", "does not know the guest" },
	{ 0x11, "INVALID_COMMAND", "does not know the command" },
	{ 0x12, "ACTIVE", "has an address space id already" },
	{ 0x13, "HWERROR_PLATFORM", "hardware error: reboot the host" },
	{ 0x14, "HWERROR_UNSAFE", "is unsafe: reboot the host" },
	{ 0x15, "UNSUPPORTED", "does not support it" },
	{ 0x16, "INVALID_PARAM", "refuses a parameter" },
	{ 0x17, "RESOURCE_LIMIT", "out of resources" },
	{ 0x18, "SECURE_DATA_INVALID", "stored data is damaged" },
	{ 0x19, "INVALID_PAGE_SIZE", "about a page's size" },
	{ 0x1A, "INVALID_PAGE_STATE", "about a page's state" },
	{ 0x1B, "INVALID_MDATA_ENTRY", "swapped page" },
	{ 0x1C, "INVALID_PAGE_OWNER", "about a page's owner" },
	{ 0x1D, "AEAD_OFLOW", "counter of the guest's messages" },
	{ 0x1F, "RING_BUFFER_EXIT", "ring buffer" },
	{ 0x20, "RMP_INIT_REQUIRED", "enable RMP coverage" },
	{ 0x21, "BAD_SVN", "older security version" },
	{ 0x22, "BAD_VERSION", "version does not fit" },
	{ 0x23, "SHUTDOWN_REQUIRED", "shut down first" },
	{ 0x24, "UPDATE_FAILED", "update of the SEV firmware failed" },
	{ 0x25, "RESTORE_REQUIRED", "must be restored" },
	{ 0x26, "RMP_INIT_FAILED", "could not be initialized: enable RMP coverage" },
	{ 0x27, "INVALID_KEY", "load the VLEK again" },
};

static void every_code_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		for (int step = 0; step < SNP_STEPS; step++) {
			struct err e = { 0 };

			snp_error((enum snp_step)step, -EIO, codes[i].fw, &e);
			assert_non_null(strstr(e.text, codes[i].name));
			assert_null(strstr(e.text, "the firmware refused: "));
			assert_null(strstr(e.text, "not a known answer"));
			if (step == SNP_INIT2 && !strstr(e.text, codes[i].text))
				fail_msg("%#x: %s", codes[i].fw, e.text);
		}
}

static void codes_between_are_unknown(void **state)
{
	static const uint32_t none[] = { 0x05, 0x1E, 0x28, 0x1000, 0x7FFFFFFF };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct err e = { 0 };

		snp_error(SNP_LAUNCH_START, -EIO, none[i], &e);
		assert_non_null(strstr(e.text, "unknown"));
		assert_non_null(strstr(e.text, "the firmware refused: "));
	}
}

/* A signal or a slow firmware while certificates are asked for is the kernel's business. */
static void enabling_certificates_fails_with_a_sentence(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(snp_error(SNP_REQ_CERTS, -EBUSY, 0, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "KVM_SEV_SNP_ENABLE_REQ_CERTS: a vCPU exists already"));
}

/* GHCB 56421 and Linux, arch/x86/include/asm/sev-common.h: both sets, to their ends. */
static void every_termination_has_a_sentence(void **state)
{
	static const char unknown[] = "a reason this version does not know";
	static const struct { unsigned set, count; } sets[] = { { 0, 3 }, { 1, 12 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		for (unsigned reason = 0; reason < sets[i].count; reason++)
			if (strstr(snp_term_text(sets[i].set, reason), unknown))
				fail_msg("set %u, reason %u", sets[i].set, reason);
		assert_non_null(strstr(snp_term_text(sets[i].set, sets[i].count), unknown));
	}
	assert_non_null(strstr(snp_term_text(2, 0), unknown));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_and_a_sentence),
		cmocka_unit_test(codes_between_are_unknown),
		cmocka_unit_test(enabling_certificates_fails_with_a_sentence),
		cmocka_unit_test(every_termination_has_a_sentence),
	};

	return cmocka_run_group_tests_name("snp_errors", tests, NULL, NULL);
}
