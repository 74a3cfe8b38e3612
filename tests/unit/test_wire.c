/* Frames of the agent channel: every field is bounded, and an answer is found behind garbage. */
#include "attest/agent/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void header_round_trip(void **state)
{
	(void)state;
	const struct wire_frame f = { .type = WIRE_EVIDENCE, .id = 0x01020304, .size = 77 };
	struct wire_frame g;
	uint8_t raw[WIRE_HEADER];
	struct err e = { 0 };

	wire_header(&f, raw);
	assert_memory_equal(raw, "PVA0\0\0\0\2\1\2\3\4\0\0\0\115", WIRE_HEADER);
	assert_int_equal(wire_parse(raw, &g, &e), 0);
	assert_memory_equal(&f, &g, sizeof(f));
}

static void header_rules(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
		const char *says;
	} broken[] = {
		{ 0, 'X', "magic" },  { 7, 0, "type" },	  { 7, 6, "type" },
		{ 4, 1, "type" },     { 13, 0x10, NULL }, /* exactly 2^20 is allowed */
		{ 12, 1, "payload" },
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const struct wire_frame f = { .type = WIRE_ERROR, .id = 9, .size = 0 };
		struct wire_frame g;
		struct err e = { 0 };
		uint8_t raw[WIRE_HEADER];
		wire_header(&f, raw);
		raw[broken[i].at] = broken[i].value;
		int r = wire_parse(raw, &g, &e);
		assert_int_equal(r, broken[i].says == NULL ? 0 : -EX_MALFORMED);
		if (broken[i].says != NULL)
			assert_non_null(strstr(e.text, broken[i].says));
	}
}

static void answer_is_found_behind_an_old_one(void **state)
{
	(void)state;
	uint8_t stream[100] = "tail of an exchange that its reader left";
	const struct wire_frame old = { .type = WIRE_EVIDENCE, .id = 1, .size = 4 };
	const struct wire_frame mine = { .type = WIRE_EVIDENCE, .id = 2, .size = 4 };
	const struct wire_frame key = { .type = WIRE_DATA_KEY, .id = 2, .size = 4 };
	const struct wire_frame echo = { .type = WIRE_EVIDENCE_REQUEST, .id = 2, .size = 4 };

	wire_header(&old, stream + 41);
	assert_int_equal(wire_find(stream, sizeof(stream), 2), -1);
	wire_header(&echo, stream + 57);
	assert_int_equal(wire_find(stream, sizeof(stream), 2), -1);
	wire_header(&key, stream + 57);
	assert_int_equal(wire_find(stream, sizeof(stream), 2), -1);
	wire_header(&mine, stream + 73);
	assert_int_equal(wire_find(stream, sizeof(stream), 2), 73);
	assert_int_equal(wire_find(stream, 73 + WIRE_HEADER - 1, 2), -1);
	assert_int_equal(wire_find(stream, 0, 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_round_trip),
		cmocka_unit_test(header_rules),
		cmocka_unit_test(answer_is_found_behind_an_old_one),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
