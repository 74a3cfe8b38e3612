#include "attest/tpm/eventlog.h"

#include "common/bytes.h"
#include "tests/unit/fake_evidence.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small log in a buffer of its exact size, so that a sanitizer sees any read beyond it. */
struct made {
	uint8_t bytes[4096];
	struct writer w;
};

static void start(struct made *m)
{
	static const uint8_t zero[20];

	m->w = writer_over(m->bytes, sizeof(m->bytes));
	write_le32(&m->w, 0);
	write_le32(&m->w, EV_NO_ACTION);
	write_copy(&m->w, zero, 20);
	write_le32(&m->w, 16 + 8 + 4 + 8 + 1);
	write_copy(&m->w, "Spec ID Event03", 16);
	write_le32(&m->w, 0);
	write_copy(&m->w, "\0\2\1\2", 4);
	write_le32(&m->w, 2);
	write_le16(&m->w, TPM_ALG_SHA256);
	write_le16(&m->w, 32);
	write_le16(&m->w, TPM_ALG_SHA384);
	write_le16(&m->w, 48);
	write_u8(&m->w, 0);
}

static void add(struct made *m, uint32_t pcr, uint32_t type, uint8_t fill, const void *data,
		uint32_t size)
{
	uint8_t digest[48];

	memset(digest, fill, sizeof(digest));
	write_le32(&m->w, pcr);
	write_le32(&m->w, type);
	write_le32(&m->w, 2);
	write_le16(&m->w, TPM_ALG_SHA256);
	write_copy(&m->w, digest, 32);
	write_le16(&m->w, TPM_ALG_SHA384);
	write_copy(&m->w, digest, 48);
	write_le32(&m->w, size);
	write_copy(&m->w, data, size);
	assert_false(m->w.bad);
}

static int replay(const uint8_t *data, size_t size, uint16_t alg, struct replay *out, struct err *e)
{
	uint8_t *exact = malloc(size);

	assert_non_null(exact);
	memcpy(exact, data, size);
	*e = (struct err){ 0 };
	int r = eventlog_replay(exact, size, alg, out, e);
	free(exact);
	return r;
}

/* Against extends written out here. */
static void replays(void **state)
{
	(void)state;
	struct made m;
	struct replay got;
	struct err e;
	uint8_t want[64] = { 0 }, both[64], fill[32];

	start(&m);
	add(&m, 0, EV_NO_ACTION, 0, "StartupLocality\0\3", 17);
	add(&m, 0, EV_S_CRTM_VERSION, 0xaa, "v", 1);
	add(&m, 7, EV_SEPARATOR, 0xbb, "\0\0\0", 4);
	assert_int_equal(replay(m.bytes, m.w.pos, TPM_ALG_SHA256, &got, &e), 0);
	want[31] = 3;
	memset(fill, 0xaa, 32);
	memcpy(both, want, 32);
	memcpy(both + 32, fill, 32);
	EVP_Digest(both, 64, want, NULL, EVP_sha256(), NULL);
	assert_memory_equal(got.pcr[0], want, 32);
	assert_int_equal(got.touched, 1u << 0 | 1u << 7);
}

/* The firmware's own log replays to the values predicted without it. */
static void firmware_log(void **state)
{
	(void)state;
	struct fake_world *w = calloc(1, sizeof(*w));
	struct replay got;
	struct err e;

	assert_non_null(w);
	fake_world_make(w, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)bank);
		assert_int_equal(replay(w->expected.log, w->expected.log_size, alg, &got, &e), 0);
		for (unsigned i = 0; i < EXPECT_PCRS; i++)
			assert_memory_equal(got.pcr[i], w->expected.pcr[bank][i],
					    tpm_alg_size(alg));
		assert_int_equal(got.touched, 0xFF);
	}
	fake_world_free(w);
	free(w);
}

static void padding(void **state)
{
	(void)state;
	struct made m;
	struct replay got;
	struct err e;

	start(&m);
	add(&m, 1, EV_IPL, 1, "x", 1);
	size_t end = m.w.pos;
	for (unsigned fill = 0; fill < 256; fill += 255)
		for (size_t n = 1; n < 40; n++) {
			memset(m.bytes + end, (int)fill, n);
			assert_int_equal(replay(m.bytes, end + n, TPM_ALG_SHA256, &got, &e), 0);
			m.bytes[end + n - 1] ^= 0x55;
			if (n > 1)
				assert_int_equal(replay(m.bytes, end + n, TPM_ALG_SHA256, &got, &e),
						 -EX_MALFORMED);
		}
}

/* Every prefix either ends between two events or is refused. */
static void truncation(void **state)
{
	(void)state;
	struct made m;
	struct replay got;
	struct err e;
	size_t ends[3];

	start(&m);
	ends[0] = m.w.pos;
	add(&m, 1, EV_IPL, 1, "abcd", 4);
	ends[1] = m.w.pos;
	add(&m, 2, EV_IPL, 2, "", 0);
	ends[2] = m.w.pos;
	for (size_t n = 1; n <= ends[2]; n++) {
		int r = replay(m.bytes, n, TPM_ALG_SHA256, &got, &e);
		bool whole = n == ends[0] || n == ends[1] || n == ends[2];
		/* Up to four zero bytes of the first event look like padding of nothing; the
		 * first bytes of later events are no such run. */
		if (whole)
			assert_int_equal(r, 0);
		else if (n > 8)
			assert_int_equal(r, -EX_MALFORMED);
	}
}

static void refuses(struct made *m, const char *part)
{
	struct replay got;
	struct err e;

	assert_int_equal(replay(m->bytes, m->w.pos, TPM_ALG_SHA256, &got, &e), -EX_MALFORMED);
	if (strstr(e.text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, e.text);
}

static void set32(struct made *m, size_t at, uint32_t v)
{
	struct writer w = writer_over(m->bytes + at, 4);

	write_le32(&w, v);
}

static void bad_events(void **state)
{
	(void)state;
	struct made m;

	start(&m);
	size_t first = m.w.pos;
	add(&m, 1, EV_IPL, 1, "abcd", 4);
	set32(&m, first, 24);
	refuses(&m, "above 23");
	set32(&m, first, 1);
	set32(&m, first + 8, 3);
	refuses(&m, "number of digests");
	set32(&m, first + 8, 0);
	refuses(&m, "number of digests");
	set32(&m, first + 8, 2);
	m.bytes[first + 12] = TPM_ALG_SHA1;
	refuses(&m, "does not list");
	m.bytes[first + 12] = TPM_ALG_SHA256;
	m.bytes[first + 12 + 34] = TPM_ALG_SHA256;
	refuses(&m, "two digests");
	m.bytes[first + 12 + 34] = TPM_ALG_SHA384;
	set32(&m, m.w.pos - 8, 0xFFFFFFFFu);
	refuses(&m, "beyond the end");
}

static void bad_spec_id(void **state)
{
	(void)state;
	struct made m;
	const size_t count = 32 + 16 + 8;

	start(&m);
	set32(&m, count, 0);
	refuses(&m, "list of algorithms");
	set32(&m, count, 9);
	refuses(&m, "list of algorithms");
	set32(&m, count, 3);
	refuses(&m, "");
	set32(&m, count, 2);
	m.bytes[count + 6] = 31;
	refuses(&m, "digest size");
	m.bytes[count + 6] = 32;
	m.bytes[count + 8] = TPM_ALG_SHA256;
	m.bytes[count + 10] = 32;
	refuses(&m, "listed twice");
}

static void bad_locality(void **state)
{
	(void)state;
	struct made m;

	start(&m);
	add(&m, 0, EV_NO_ACTION, 0, "StartupLocality\0\4", 17);
	add(&m, 0, EV_NO_ACTION, 0, "StartupLocality\0\4", 17);
	refuses(&m, "twice");
	start(&m);
	add(&m, 0, EV_S_CRTM_VERSION, 1, "v", 1);
	add(&m, 0, EV_NO_ACTION, 0, "StartupLocality\0\4", 17);
	refuses(&m, "too late");
	start(&m);
	add(&m, 0, EV_NO_ACTION, 0, "StartupLocality\0\2", 17);
	refuses(&m, "none of 0, 3, 4");
	start(&m);
	add(&m, 1, EV_NO_ACTION, 0, "StartupLocality\0\4", 17);
	refuses(&m, "wrong form");
}

static void check_vector(const char *name, const json_t *expected)
{
	char path[256], hex[2 * TPM_DIGEST_MAX + 1];
	const char *bank, *pcr;
	json_t *values, *value;
	size_t size;

	snprintf(path, sizeof(path), "%s.bin", name);
	uint8_t *log = vector_read(path, &size);
	json_object_foreach(json_object_get(expected, "pcrs"), bank, values)
	{
		struct replay got;
		struct err e;
		uint16_t alg = tpm_alg_from_name(bank);
		assert_int_not_equal(alg, 0);
		if (replay(log, size, alg, &got, &e) != 0)
			fail_msg("%s: %s", name, e.text);
		json_object_foreach(values, pcr, value)
		{
			hex_encode(got.pcr[strtoul(pcr, NULL, 10)], tpm_alg_size(alg), hex);
			if (strcmp(hex, json_string_value(value)) != 0)
				fail_msg("%s: %s PCR %s: %s, expected %s", name, bank, pcr, hex,
					 json_string_value(value));
		}
	}
	free(log);
}

/* Logs of real machines lead to the values their TPMs had. */
static void real_logs(void **state)
{
	(void)state;
	const char *name;
	json_t *expected;
	unsigned count = 0;

	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();
	json_object_foreach(all, name, expected)
	{
		if (strncmp(name, "tpm/eventlogs/", 14) != 0 ||
		    json_object_get(expected, "pcrs") == NULL)
			continue;
		check_vector(name, expected);
		count++;
	}
	json_decref(all);
	print_message("%u logs replayed\n", count);
	assert_true(count >= 8);
}

/* Register indices 1 to 4 are RTMR0 to RTMR3; the value is written out here. */
static void rtmrs(void **state)
{
	(void)state;
	static const uint8_t zero[48];
	struct made m;
	uint8_t got[EVENTLOG_RTMRS][48], want[48], both[96] = { 0 };
	uint32_t touched = 0;
	struct err e = { 0 };

	start(&m);
	add(&m, 4, EV_EVENT_TAG, 0xcc, "x", 1);
	add(&m, EVENTLOG_NO_REGISTER, EV_IPL, 0xdd, "y", 1); /* extends nothing */
	assert_int_equal(eventlog_replay_rtmr(m.bytes, m.w.pos, got, &touched, &e), 0);
	memset(both + 48, 0xcc, 48);
	EVP_Digest(both, 96, want, NULL, EVP_sha384(), NULL);
	assert_memory_equal(got[3], want, 48);
	assert_memory_equal(got[0], zero, 48);
	assert_int_equal(touched, 8);
	add(&m, 0, EV_IPL, 1, "MRTD", 4);
	assert_int_equal(eventlog_replay_rtmr(m.bytes, m.w.pos, got, &touched, &e), -EX_MALFORMED);
	start(&m);
	add(&m, 5, EV_IPL, 1, "PCR 5", 5);
	assert_int_equal(eventlog_replay_rtmr(m.bytes, m.w.pos, got, &touched, &e), -EX_MALFORMED);
}

/* What the strict replay refuses, the other one tells: the tail, and the registers it touches. */
static void known_part(void **state)
{
	(void)state;
	struct made m;
	struct replay whole, part;
	struct err e = { 0 };

	start(&m);
	add(&m, 1, EV_IPL, 1, "abcd", 4);
	size_t end = m.w.pos;
	assert_int_equal(replay(m.bytes, end, TPM_ALG_SHA256, &whole, &e), 0);
	assert_int_equal(whole.tail.kind, EVENTLOG_END_EXACT);
	add(&m, 2, EV_IPL, 2, "efgh", 4);
	set32(&m, m.w.pos - 8, 0xFFFFFFFFu);
	refuses(&m, "beyond the end");
	assert_int_equal(eventlog_replay_known(m.bytes, m.w.pos, TPM_ALG_SHA256, &part, &e), 0);
	assert_int_equal(part.tail.kind, EVENTLOG_END_OPAQUE);
	assert_int_equal(part.tail.offset, end);
	assert_int_equal(part.tail.size, m.w.pos - end);
	assert_int_equal(part.touched, 1u << 1);
	assert_memory_equal(part.pcr, whole.pcr, sizeof(whole.pcr));
	/* A digest of one bank only leaves the other bank's register unknown. */
	m.w.pos = end;
	add(&m, 2, EV_IPL, 2, "efgh", 4);
	set32(&m, end + 8, 1);
	memmove(m.bytes + end + 12, m.bytes + end + 12 + 34, m.w.pos - end - 12 - 34);
	m.w.pos -= 34;
	refuses(&m, "no digest of this bank");
	assert_int_equal(eventlog_replay_known(m.bytes, m.w.pos, TPM_ALG_SHA256, &part, &e), 0);
	assert_int_equal(part.unknown, 1u << 2);
	assert_int_equal(part.tail.kind, EVENTLOG_END_EXACT);
}

/* The Spec ID event is found by its signature, behind another EV_NO_ACTION event, too. */
static void late_spec_id(void **state)
{
	(void)state;
	struct made m, late;
	struct replay want, got;
	struct err e = { 0 };
	uint8_t first[32 + 4] = { 0 };

	start(&m);
	add(&m, 1, EV_IPL, 1, "abcd", 4);
	assert_int_equal(replay(m.bytes, m.w.pos, TPM_ALG_SHA256, &want, &e), 0);
	late.w = writer_over(late.bytes, sizeof(late.bytes));
	first[4] = EV_NO_ACTION;
	first[28] = 4;
	write_copy(&late.w, first, sizeof(first));
	write_copy(&late.w, m.bytes, m.w.pos);
	assert_int_equal(replay(late.bytes, late.w.pos, TPM_ALG_SHA256, &got, &e), 0);
	assert_memory_equal(got.pcr, want.pcr, sizeof(want.pcr));
}

/* A mebibyte of zeros but for its last byte: 32768 empty events, read in time that grows with
 * their number. Quadratic work would make the test tier stop it. */
static void hostile_padding(void **state)
{
	(void)state;
	uint8_t *log = calloc(1, EVENTLOG_MAX);
	struct replay got;
	struct err e = { 0 };

	assert_non_null(log);
	log[EVENTLOG_MAX - 1] = 1;
	assert_int_equal(eventlog_replay(log, EVENTLOG_MAX, TPM_ALG_SHA1, &got, &e), -EX_MALFORMED);
	assert_int_equal(got.tail.offset, EVENTLOG_MAX - 32);
	free(log);
}

static void check_rtmrs(const char *name, const char *log_name, bool single_values)
{
	uint8_t got[EVENTLOG_RTMRS][48];
	uint32_t touched = 0;
	struct err e = { 0 };
	size_t size;
	char hex[97], key[8];

	json_t *all = vector_expected();
	const json_t *expected = json_object_get(all, name);
	uint8_t *log = vector_read(log_name, &size);
	assert_int_equal(eventlog_replay_rtmr(log, size, got, &touched, &e), 0);
	for (unsigned i = 0; i < EVENTLOG_RTMRS; i++) {
		snprintf(key, sizeof(key), "rtmr%u", i);
		const json_t *value =
			single_values ? json_object_get(expected, key)
				      : json_array_get(json_object_get(expected, "rtmr"), i);
		hex_encode(got[i], 48, hex);
		assert_string_equal(hex, json_string_value(value));
	}
	assert_int_equal(touched, 7);
	json_decref(all);
	free(log);
}

/* A machine's CC log leads to the RTMRs of its quote. */
static void real_cc_logs(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	check_rtmrs("tdx/v4-gce-ccel", "tdx/v4-gce-ccel/ccel.bin", false);
	check_rtmrs("tdx/ccel-dup-separator", "tdx/ccel-dup-separator/ccel.bin", true);
}

/* Its first event is too short for a Spec ID: an old log or none, but never a crash. */
static void real_short_log(void **state)
{
	(void)state;
	struct replay got;
	struct err e;
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *log = vector_read("tpm/eventlogs/negative-short-no-action.bin", &size);
	int r = replay(log, size, TPM_ALG_SHA256, &got, &e);
	free(log);
	assert_true(r == 0 || r == -EX_MALFORMED);
	if (r == 0)
		assert_int_equal(got.touched, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays),	   cmocka_unit_test(firmware_log),
		cmocka_unit_test(padding),	   cmocka_unit_test(truncation),
		cmocka_unit_test(bad_events),	   cmocka_unit_test(bad_spec_id),
		cmocka_unit_test(bad_locality),	   cmocka_unit_test(rtmrs),
		cmocka_unit_test(known_part),	   cmocka_unit_test(late_spec_id),
		cmocka_unit_test(hostile_padding), cmocka_unit_test(real_logs),
		cmocka_unit_test(real_cc_logs),	   cmocka_unit_test(real_short_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
