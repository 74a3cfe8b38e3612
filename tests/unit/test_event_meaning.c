/* What events say, written out here byte by byte (PFP 1.05 §10.4, UEFI 2.10). */
#include "attest/tpm/event_meaning.h"

#include "common/bytes.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct eventlog sha256_log = {
	.crypto_agile = true, .uintn_size = 2, .alg_count = 1, .algs = { { TPM_ALG_SHA256, 32 } }
};

static const uint8_t guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
				  0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };

/* The meaning of n bytes in a buffer of exactly that size. */
static struct event_meaning meaning(uint32_t type, const void *data, size_t n)
{
	uint8_t *exact = malloc(n + 1);
	struct event_meaning m;

	assert_non_null(exact);
	memcpy(exact, data, n);
	struct event ev = { .pcr = 1, .type = type, .data = exact, .size = (uint32_t)n };
	event_meaning(&sha256_log, &ev, &m);
	free(exact);
	return m;
}

/* Every strict prefix is malformed or says less, none reads beyond it. */
static void whole_only(uint32_t type, const void *data, size_t n)
{
	for (size_t cut = 0; cut < n; cut++)
		assert_string_equal(meaning(type, data, cut).kind, "malformed");
}

static size_t make_variable(uint8_t *out, const char *name, const void *value, size_t n)
{
	struct writer w = writer_over(out, 512);

	write_copy(&w, guid, sizeof(guid));
	write_le64(&w, strlen(name));
	write_le64(&w, n);
	for (const char *p = name; *p != '\0'; p++)
		write_le16(&w, (uint16_t)*p);
	write_copy(&w, value, n);
	assert_false(w.bad);
	return w.pos;
}

static void variables(void **state)
{
	(void)state;
	uint8_t data[512];
	size_t n = make_variable(data, "Boot0001", "\5", 1);
	struct event_meaning m = meaning(EV_EFI_VARIABLE_BOOT, data, n);

	assert_string_equal(m.kind, "variable");
	assert_string_equal(m.text, "Boot0001");
	assert_string_equal(m.guid, "8be4df61-93ca-11d2-aa0d-00e098032b8c");
	assert_string_equal(m.number[0].name, "data_size");
	assert_int_equal(m.number[0].value, 1);
	assert_int_equal(m.number[1].value, 5);
	whole_only(EV_EFI_VARIABLE_BOOT2, data, n);
	/* Lengths that would wrap around. */
	memset(data + 16, 0xFF, 8);
	assert_string_equal(meaning(EV_EFI_VARIABLE_AUTHORITY, data, n).kind, "malformed");
	n = make_variable(data, "x", "", 0);
	memset(data + 24, 0xFF, 8);
	assert_string_equal(meaning(EV_EFI_VARIABLE_DRIVER_CONFIG, data, n).kind, "malformed");
}

static void structures(void **state)
{
	(void)state;
	uint8_t data[256] = { 0 };
	struct writer w = writer_over(data, sizeof(data));
	struct event_meaning m;

	write_copy(&w, "EFI PART", 8);
	write_zeros(&w, 48);
	write_copy(&w, guid, sizeof(guid));
	write_zeros(&w, 20);
	write_le64(&w, 3);
	m = meaning(EV_EFI_GPT_EVENT, data, w.pos);
	assert_string_equal(m.kind, "gpt");
	assert_string_equal(m.guid, "8be4df61-93ca-11d2-aa0d-00e098032b8c");
	assert_int_equal(m.number[0].value, 3);
	whole_only(EV_EFI_GPT_EVENT2, data, w.pos);

	w = writer_over(data, sizeof(data));
	write_le64(&w, 0x1000);
	write_le64(&w, 0x2000);
	write_le64(&w, 0);
	write_le64(&w, 14);
	write_copy(&w, "\4\4\12\0x\0.\0\0\0\x7f\xff\4\0", 14);
	m = meaning(EV_EFI_BOOT_SERVICES_APPLICATION, data, w.pos);
	assert_string_equal(m.kind, "image");
	assert_string_equal(m.text, "x.");
	assert_int_equal(m.number[0].value, 0x1000);
	assert_int_equal(m.number[1].value, 0x2000);
	whole_only(EV_EFI_RUNTIME_SERVICES_DRIVER, data, w.pos);

	m = meaning(EV_EFI_PLATFORM_FIRMWARE_BLOB2, "\3abc\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 20);
	assert_string_equal(m.kind, "blob");
	assert_string_equal(m.text, "abc");
	assert_int_equal(m.number[1].value, 2);
	assert_string_equal(meaning(EV_EFI_PLATFORM_FIRMWARE_BLOB, "\1", 1).kind, "malformed");
	m = meaning(EV_EFI_HANDOFF_TABLES2, "\1t\7\0\0\0\0\0\0\0", 10);
	assert_string_equal(m.kind, "tables");
	assert_int_equal(m.number[0].value, 7);
	m = meaning(EV_EVENT_TAG, "\4\3\2\1\2\0\0\0hi", 10);
	assert_string_equal(m.kind, "tagged");
	assert_int_equal(m.number[0].value, 0x01020304);
	assert_string_equal(m.text, "hi");
	whole_only(EV_EVENT_TAG, "\4\3\2\1\2\0\0\0hi", 10);
}

static void texts(void **state)
{
	(void)state;
	static char many[2000];
	struct event_meaning m = meaning(EV_S_CRTM_VERSION, "v\0001\0\0\0", 6);

	assert_string_equal(m.kind, "text");
	assert_string_equal(m.text, "v1"); /* UCS-2 */
	m = meaning(EV_IPL, "a\\\n\x9b\0\0", 6);
	assert_string_equal(m.text, "a\\\\\\x0a\\x9b");
	assert_false(m.text_cut);
	memset(many, '\n', sizeof(many));
	m = meaning(EV_EFI_ACTION, many, sizeof(many));
	assert_true(m.text_cut);
	assert_true(strlen(m.text) < EVENT_TEXT_MAX);
	assert_int_equal(strlen(m.text) % 4, 0);
	m = meaning(EV_SEPARATOR, "\1\0\0\0", 4);
	assert_int_equal(m.number[0].value, 1);
	assert_string_equal(meaning(EV_SEPARATOR, "WBCL", 4).kind, "separator");
	assert_string_equal(meaning(EV_SEPARATOR, "longer", 6).text, "longer");
	m = meaning(EV_NO_ACTION, "StartupLocality\0\3", 17);
	assert_string_equal(m.kind, "locality");
	assert_int_equal(m.number[0].value, 3);
	assert_string_equal(meaning(EV_NO_ACTION, "StartupLocality\0", 16).kind, "malformed");
	assert_string_equal(meaning(0x1234, "x", 1).kind, "none");
	assert_string_equal(event_type_name(EV_IPL), "EV_IPL");
	assert_null(event_type_name(0x1234));
	sha256_log.uintn_size = 1; /* a machine of 32 bits */
	m = meaning(EV_EFI_HANDOFF_TABLES, "\7\0\0\0", 4);
	sha256_log.uintn_size = 2;
	assert_int_equal(m.number[0].value, 7);
}

static enum event_match match(uint32_t type, const void *data, size_t n, const void *measured,
			      size_t measured_size)
{
	uint8_t digest[32];
	struct event ev = {
		.pcr = 8, .type = type, .data = data, .size = (uint32_t)n, .digest = { digest }
	};

	EVP_Digest(measured, measured_size, digest, NULL, EVP_sha256(), NULL);
	return event_match(&sha256_log, &ev);
}

static void matches(void **state)
{
	(void)state;
	uint8_t data[512];
	size_t n = make_variable(data, "BootOrder", "\1\0\2\0", 4);

	assert_int_equal(match(EV_IPL, "x", 1, "x", 1), EVENT_OF_DATA);
	assert_int_equal(match(EV_IPL, "x", 1, "y", 1), EVENT_OPAQUE);
	assert_int_equal(match(EV_IPL, "cmd: x y\0", 9, "x y", 3), EVENT_OF_PART);
	assert_int_equal(match(EV_IPL, "cmd x y\0", 8, "x y\0", 4), EVENT_OF_PART);
	assert_int_equal(match(EV_IPL, "word\0", 5, "word", 4), EVENT_OF_PART);
	assert_int_equal(match(EV_COMPACT_HASH, "a b", 3, "b", 1), EVENT_OPAQUE);
	assert_int_equal(match(EV_EFI_VARIABLE_BOOT, data, n, "\1\0\2\0", 4), EVENT_OF_PART);
	assert_int_equal(match(EV_EFI_VARIABLE_BOOT, data, n, data, n), EVENT_OF_DATA);
	assert_int_equal(match(EV_NO_ACTION, "x", 1, "x", 1), EVENT_UNMEASURED);
	struct event none = { .pcr = 8, .type = EV_IPL, .data = data, .size = 1 };
	assert_int_equal(event_match(&sha256_log, &none), EVENT_OPAQUE);
	assert_string_equal(event_match_name(EVENT_OPAQUE), "opaque");
}

/* A legacy log of one variable and one separator, in either order. */
static void add_event(struct writer *w, uint32_t pcr, uint32_t type, const uint8_t *data, size_t n)
{
	uint8_t digest[20];

	EVP_Digest(data, n, digest, NULL, EVP_sha1(), NULL);
	write_le32(w, pcr);
	write_le32(w, type);
	write_copy(w, digest, 20);
	write_le32(w, (uint32_t)n);
	write_copy(w, data, n);
}

static enum secure_boot secure_boot(const void *value, size_t n, unsigned times, bool late,
				    bool forged)
{
	static const uint8_t zero[4];
	uint8_t log[1024], data[512];
	struct writer w = writer_over(log, sizeof(log));
	size_t size = make_variable(data, "SecureBoot", value, n);

	if (late)
		add_event(&w, 7, EV_SEPARATOR, zero, 4);
	for (unsigned i = 0; i < times; i++)
		add_event(&w, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, data, size);
	if (forged)
		log[w.pos - 1] ^= 1;
	if (!late)
		add_event(&w, 7, EV_SEPARATOR, zero, 4);
	assert_false(w.bad);
	return eventlog_secure_boot(log, w.pos, 7);
}

static void secure_boot_state(void **state)
{
	(void)state;
	assert_int_equal(secure_boot("\1", 1, 1, false, false), SECURE_BOOT_ON);
	assert_int_equal(secure_boot("\0", 1, 1, false, false), SECURE_BOOT_OFF);
	assert_int_equal(secure_boot("", 0, 1, false, false), SECURE_BOOT_OFF);
	assert_int_equal(secure_boot("\2", 1, 1, false, false), SECURE_BOOT_UNKNOWN);
	assert_int_equal(secure_boot("\1", 1, 0, false, false), SECURE_BOOT_UNKNOWN);
	assert_int_equal(secure_boot("\1", 1, 2, false, false), SECURE_BOOT_UNKNOWN);
	assert_int_equal(secure_boot("\1", 1, 1, true, false), SECURE_BOOT_UNKNOWN);
	assert_int_equal(secure_boot("\0", 1, 1, false, true), SECURE_BOOT_UNKNOWN);
	assert_int_equal(eventlog_secure_boot("junk", 4, 7), SECURE_BOOT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables),
		cmocka_unit_test(structures),
		cmocka_unit_test(texts),
		cmocka_unit_test(matches),
		cmocka_unit_test(secure_boot_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
