/* The event log: constants against OpenSSL, order, capacity; the TPM command's bytes. */
#include "attest/tpm/eventlog.h"
#include "firmware/events.h"
#include "firmware/tpmcmd.h"

#include <openssl/evp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fw_log_inputs sound(void)
{
	struct fw_log_inputs in = { .has_initrd = true };

	memset(&in.image, 1, sizeof(in.image));
	memset(&in.version, 2, sizeof(in.version));
	memset(&in.boot_block, 3, sizeof(in.boot_block));
	memset(&in.acpi, 4, sizeof(in.acpi));
	memset(&in.hash_record, 5, sizeof(in.hash_record));
	memset(&in.kernel, 6, sizeof(in.kernel));
	memset(&in.initrd, 7, sizeof(in.initrd));
	memset(&in.cmdline, 8, sizeof(in.cmdline));
	in.version_text = (const uint8_t *)"v\0\0";
	in.version_size = 4;
	in.cmdline_text = (const uint8_t *)"quiet";
	in.cmdline_size = 5;
	return in;
}

static void separators_are_right(void **state)
{
	static const uint8_t zero[4];
	struct fw_log_inputs in = sound();
	struct fw_event ev;
	struct fw_digests want;

	(void)state;
	EVP_Digest(zero, 4, want.sha256, NULL, EVP_sha256(), NULL);
	EVP_Digest(zero, 4, want.sha384, NULL, EVP_sha384(), NULL);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(fw_log_event(&in, 6 + i, &ev));
		assert_true(ev.pcr == i && ev.type == FW_EV_SEPARATOR && ev.extended);
		assert_memory_equal(&ev.digest, &want, sizeof(want));
	}
}

/* docs/architecture.md "Firmware": pcr, type, first byte of the digest, extended by firmware. */
static const struct {
	uint32_t pcr, type;
	int digest;
	bool replayed, extended;
	const char *text;
} order[] = {
	{ 0, FW_EV_NO_ACTION, 0, false, false, NULL },
	{ 0, FW_EV_EFI_HCRTM_EVENT, 1, true, false, "HCRTM" },
	{ 0, FW_EV_S_CRTM_VERSION, 2, true, true, NULL },
	{ 1, FW_EV_PLATFORM_CONFIG_FLAGS, 3, true, true, "pavise-boot-block" },
	{ 1, FW_EV_PLATFORM_CONFIG_FLAGS, 4, true, true, "pavise-acpi" },
	{ 1, FW_EV_PLATFORM_CONFIG_FLAGS, 5, true, true, "pavise-hash-page" },
	{ 0, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 1, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 2, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 3, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 4, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 5, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 6, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 7, FW_EV_SEPARATOR, -1, true, true, NULL },
	{ 4, FW_EV_IPL, 6, true, true, "kernel" },
	{ 4, FW_EV_IPL, 7, true, true, "initrd" },
	{ 5, FW_EV_IPL, 8, true, true, NULL },
};

static void order_of_events(void **state)
{
	struct fw_log_inputs in = sound();
	struct fw_event ev;
	const unsigned n = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		assert_true(fw_log_event(&in, i, &ev));
		assert_int_equal(ev.pcr, order[i].pcr);
		assert_int_equal(ev.type, order[i].type);
		assert_int_equal(ev.replayed, order[i].replayed);
		assert_int_equal(ev.extended, order[i].extended);
		if (order[i].digest >= 0)
			assert_int_equal(ev.digest.sha384[0], order[i].digest);
		if (order[i].text != NULL) {
			assert_int_equal(ev.data_size, strlen(order[i].text));
			assert_memory_equal(ev.data, order[i].text, ev.data_size);
		}
	}
	assert_false(fw_log_event(&in, n, &ev));
	assert_false(fw_log_event(&in, UINT32_MAX, &ev));
	/* Without an initrd its event alone is missing. */
	in.has_initrd = false;
	assert_true(fw_log_event(&in, n - 2, &ev));
	assert_int_equal(ev.pcr, 5);
	assert_false(fw_log_event(&in, n - 1, &ev));
}

static void log_bytes(void **state)
{
	static const uint8_t head[] = {
		0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		37, 0, 0, 0, 'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0',
		'3', 0, 0, 0, 0, 0, 0, 2, 105, 2, 2, 0, 0, 0, 0x0B, 0, 32, 0, 0x0C, 0, 48, 0, 0,
	};
	static const char tail[] = "\x0E\0\0\0cmdline: quiet";
	struct fw_log_inputs in = sound();
	uint8_t out[4096];
	size_t size = 0;

	(void)state;
	assert_int_equal(fw_log_build(&in, out, sizeof(out), &size), 0);
	assert_memory_equal(out, head, sizeof(head));
	assert_memory_equal(out + size - 18, tail, 18);
}

/* Every capacity below the need is refused, without a byte written past it. */
static void capacity(void **state)
{
	struct fw_log_inputs in = sound();
	uint8_t out[4096];
	size_t need = 0, size = 0;

	(void)state;
	assert_int_equal(fw_log_build(&in, out, sizeof(out), &need), 0);
	for (size_t cap = 0; cap <= need; cap++) {
		uint8_t *exact = malloc(cap + 1);

		assert_non_null(exact);
		exact[cap] = 0x77;
		assert_int_equal(fw_log_build(&in, exact, cap, &size), cap < need ? -1 : 0);
		assert_int_equal(exact[cap], 0x77);
		free(exact);
	}
	assert_int_equal(size, need);
}

/* docs/architecture.md "Firmware": RTMR, type, first byte of the digest, text. */
static const struct {
	uint32_t rtmr, type;
	int digest;
	const char *text;
} cc_order[] = {
	{ 0, FW_EV_S_CRTM_VERSION, 2, NULL },
	{ 0, FW_EV_PLATFORM_CONFIG_FLAGS, 3, "pavise-boot-block" },
	{ 0, FW_EV_PLATFORM_CONFIG_FLAGS, 4, "pavise-acpi" },
	{ 0, FW_EV_PLATFORM_CONFIG_FLAGS, 5, "pavise-hash-page" },
	{ 0, FW_EV_SEPARATOR, 0x39, NULL },
	{ 1, FW_EV_SEPARATOR, 0x39, NULL },
	{ 1, FW_EV_IPL, 6, "kernel" },
	{ 1, FW_EV_IPL, 7, "initrd" },
	{ 1, FW_EV_IPL, 8, NULL },
};

static void order_of_cc_events(void **state)
{
	struct fw_log_inputs in = sound();
	struct fw_event ev;
	const unsigned n = sizeof(cc_order) / sizeof(cc_order[0]);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		assert_true(fw_cc_event(&in, i, &ev));
		assert_int_equal(ev.pcr, cc_order[i].rtmr);
		assert_int_equal(ev.type, cc_order[i].type);
		assert_int_equal(ev.digest.sha384[0], cc_order[i].digest);
		assert_true(ev.replayed && ev.extended);
		if (cc_order[i].text != NULL) {
			assert_int_equal(ev.data_size, strlen(cc_order[i].text));
			assert_memory_equal(ev.data, cc_order[i].text, ev.data_size);
		}
	}
	assert_false(fw_cc_event(&in, n, &ev));
	assert_false(fw_cc_event(&in, UINT32_MAX, &ev));
	in.has_initrd = false;
	assert_true(fw_cc_event(&in, n - 2, &ev));
	assert_int_equal(ev.digest.sha384[0], 8);
	assert_false(fw_cc_event(&in, n - 1, &ev));
}

static void extend(uint8_t reg[48], const uint8_t digest[48])
{
	uint8_t both[96];

	memcpy(both, reg, 48);
	memcpy(both + 48, digest, 48);
	assert_int_equal(EVP_Digest(both, sizeof(both), reg, NULL, EVP_sha384(), NULL), 1);
}

/* The verifier's own reader takes it, and its replay is what the events extend. */
static void cc_log_replays(void **state)
{
	static const uint8_t head[] = {
		1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		33, 0, 0, 0, 'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0',
		'3', 0, 0, 0, 0, 0, 0, 2, 105, 2, 1, 0, 0, 0, 0x0C, 0, 48, 0, 0,
		1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x0C, 0, 2, 2,
	};
	uint8_t out[4096], want[EVENTLOG_RTMRS][48] = { 0 }, got[EVENTLOG_RTMRS][48];
	struct fw_log_inputs in = sound();
	struct err e = { 0 };
	struct fw_event ev;
	uint32_t touched = 0;
	size_t size = 0;

	(void)state;
	assert_int_equal(fw_cc_log_build(&in, out, sizeof(out), &size), 0);
	assert_memory_equal(out, head, sizeof(head));
	for (size_t i = size; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xFF);
	for (unsigned i = 0; fw_cc_event(&in, i, &ev); i++)
		extend(want[ev.pcr], ev.digest.sha384);
	assert_int_equal(eventlog_replay_rtmr(out, sizeof(out), got, &touched, &e), 0);
	assert_int_equal(touched, 3);
	assert_memory_equal(got, want, sizeof(want));
}

static void cc_capacity(void **state)
{
	struct fw_log_inputs in = sound();
	uint8_t out[4096];
	size_t need = 0, size = 0;

	(void)state;
	assert_int_equal(fw_cc_log_build(&in, out, sizeof(out), &need), 0);
	for (size_t cap = 0; cap <= need; cap++) {
		uint8_t *exact = malloc(cap + 1);

		assert_non_null(exact);
		exact[cap] = 0x77;
		assert_int_equal(fw_cc_log_build(&in, exact, cap, &size), cap < need ? -1 : 0);
		assert_int_equal(exact[cap], 0x77);
		free(exact);
	}
	assert_int_equal(size, need);
}

static void extend_command(void **state)
{
	static const uint8_t head[] = { 0x80, 0x02, 0, 0, 0, 115, 0, 0, 0x01, 0x82, 0, 0, 0, 5,
					0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0,
					0, 0, 0, 2, 0, 0x0B };
	uint8_t out[TPM_EXTEND_SIZE];
	struct fw_digests d;

	(void)state;
	memset(d.sha256, 0x11, sizeof(d.sha256));
	memset(d.sha384, 0x22, sizeof(d.sha384));
	tpm_extend_command(out, 5, &d);
	assert_memory_equal(out, head, sizeof(head));
	assert_memory_equal(out + sizeof(head), d.sha256, 32);
	assert_int_equal(out[sizeof(head) + 32] << 8 | out[sizeof(head) + 33], 0x0C);
	assert_memory_equal(out + sizeof(head) + 34, d.sha384, 48);
}

static void extend_responses(void **state)
{
	static const struct {
		uint8_t header[TPM_HEADER_SIZE];
		enum fw_stop want;
	} cases[] = {
		{ { 0x80, 2, 0, 0, 0, 19, 0, 0, 0, 0 }, STOP_HANDED_OVER },
		{ { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1 }, STOP_TPM_ERROR },
		{ { 0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0 }, STOP_TPM_RESPONSE },
		{ { 0x80, 2, 0, 0, 0, 20, 0, 0, 0, 0 }, STOP_TPM_RESPONSE },
		{ { 0x80, 2, 0, 0, 0, 18, 0, 0, 0, 0 }, STOP_TPM_RESPONSE },
		{ { 0x80, 1, 0, 0, 0, 19, 0, 0, 0, 0 }, STOP_TPM_RESPONSE },
		{ { 0x80, 2, 0, 0, 0, 10, 0, 0, 1, 1 }, STOP_TPM_RESPONSE },
		{ { 0x80, 1, 0, 0, 0, 11, 0, 0, 1, 1 }, STOP_TPM_RESPONSE },
		{ { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF },
		  STOP_TPM_RESPONSE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(tpm_extend_response(cases[i].header), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separators_are_right), cmocka_unit_test(order_of_events),
		cmocka_unit_test(log_bytes),            cmocka_unit_test(capacity),
		cmocka_unit_test(order_of_cc_events),   cmocka_unit_test(cc_log_replays),
		cmocka_unit_test(cc_capacity),          cmocka_unit_test(extend_command),
		cmocka_unit_test(extend_responses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
