/* attest/agent/answer.c: a guest's answer in pieces, behind rubbish, too large, or none at all. */
#include "attest/agent/answer.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID 0x11223344u

/* Feeds data in pieces of n bytes; what answer_took said last. */
static int feed(struct answer *a, const uint8_t *data, size_t size, size_t n, struct err *e)
{
	int r = 0;

	for (size_t at = 0; at < size && r == 0;) {
		size_t space, piece = size - at < n ? size - at : n;
		uint8_t *p = answer_space(a, &space);
		assert_true(space > 0);
		piece = piece < space ? piece : space;
		memcpy(p, data + at, piece);
		at += piece;
		r = answer_took(a, piece, e);
	}
	return r;
}

static size_t frame(uint8_t *out, uint32_t type, uint32_t id, uint32_t size, const char *body)
{
	struct wire_frame f = { .type = type, .id = id, .size = size };

	wire_header(&f, out);
	memcpy(out + WIRE_HEADER, body, strlen(body));
	return WIRE_HEADER + strlen(body);
}

static void in_pieces_of_every_size(void **state)
{
	uint8_t data[256];
	size_t n = frame(data, WIRE_EVIDENCE, ID ^ 1, 5, "stale");

	(void)state;
	n += frame(data + n, WIRE_EVIDENCE, ID, 7, "{\"a\":1}");
	for (size_t piece = 1; piece <= n; piece++) {
		struct answer a;
		struct err e = { 0 };
		size_t size;
		assert_int_equal(answer_begin(&a, ID, &e), 0);
		assert_int_equal(feed(&a, data, n, piece, &e), 1);
		assert_string_equal(answer_text(&a, &size), "{\"a\":1}");
		assert_int_equal(size, 7);
		answer_free(&a);
	}
}

static void the_agents_own_words(void **state)
{
	uint8_t data[64];
	struct answer a;
	struct err e = { 0 };
	size_t n = frame(data, WIRE_ERROR, ID, 4, "oops");

	(void)state;
	assert_int_equal(answer_begin(&a, ID, &e), 0);
	assert_int_equal(feed(&a, data, n, n, &e), -EX_GUEST);
	assert_string_equal(e.text, "agent: oops");
	answer_free(&a);
}

static void rubbish_is_bounded(void **state)
{
	static uint8_t rubbish[4096];
	struct answer a;
	struct err e = { 0 };
	size_t fed = 0;
	int r = 0;

	(void)state;
	assert_int_equal(answer_begin(&a, ID, &e), 0);
	for (; r == 0; fed += sizeof(rubbish))
		r = feed(&a, rubbish, sizeof(rubbish), sizeof(rubbish), &e);
	assert_int_equal(r, -EX_GUEST);
	assert_true(fed <= WIRE_SKIP_MAX + 2 * sizeof(rubbish));
	answer_free(&a);
}

/* A header that promises more than may come is none: it is skipped like rubbish. */
static void a_header_too_large(void **state)
{
	uint8_t data[64];
	struct answer a;
	struct err e = { 0 };
	size_t n = frame(data, WIRE_EVIDENCE, ID, WIRE_PAYLOAD_MAX + 1, "x");

	(void)state;
	assert_int_equal(answer_begin(&a, ID, &e), 0);
	assert_int_equal(feed(&a, data, n, n, &e), 0);
	assert_false(a.found);
	n = frame(data, WIRE_EVIDENCE, ID, 2, "{}");
	assert_int_equal(feed(&a, data, n, n, &e), 1);
	answer_free(&a);
}

static void the_request_is_the_nonce(void **state)
{
	uint8_t nonce[WIRE_NONCE_MAX], out[WIRE_HEADER + WIRE_NONCE_MAX];
	struct wire_frame f = { 0 };
	struct err e = { 0 };

	(void)state;
	memset(nonce, 0xA5, sizeof(nonce));
	assert_int_equal(answer_request(ID, nonce, 32, out), WIRE_HEADER + 32);
	assert_int_equal(wire_parse(out, &f, &e), 0);
	assert_int_equal(f.type, WIRE_EVIDENCE_REQUEST);
	assert_int_equal(f.size, 32);
	assert_memory_equal(out + WIRE_HEADER, nonce, 32);
}

static void an_answer_of_another_kind(void **state)
{
	uint8_t key[WIRE_DATA_KEY_SIZE], out[WIRE_HEADER + WIRE_DATA_KEY_SIZE];
	static uint8_t data[4096];
	struct wire_frame f = { 0 };

	(void)state;
	memset(key, 0x5A, sizeof(key));
	struct err e = { 0 };
	assert_int_equal(answer_key_request(ID, key, out), sizeof(out));
	assert_int_equal(wire_parse(out, &f, &e), 0);
	assert_int_equal(f.type, WIRE_DATA_KEY);
	assert_memory_equal(out + WIRE_HEADER, key, sizeof(key));
	for (int taken = 0; taken < 2; taken++) {
		struct answer a;
		struct err why = { 0 };
		size_t n = frame(data, WIRE_DATA_KEY_TAKEN, ID, 0, "");
		assert_int_equal(answer_begin(&a, ID, &why), 0);
		if (taken)
			a.type = WIRE_DATA_KEY_TAKEN;
		assert_int_equal(feed(&a, data, n, n, &why), taken ? 1 : -EX_GUEST);
		answer_free(&a);
	}
}

static void what_the_host_adds(void **state)
{
	static const char guest[] =
		"{\"tee\":1,\"host_claims\":{\"vm\":\"no\"},\"collateral\":\"no\"}";
	static const struct host_claims web = { .vm = "web", .degraded = true, .missing = 5 };
	struct err e = { 0 };
	char *out = NULL;

	(void)state;
	assert_int_equal(answer_evidence(guest, strlen(guest), &web, NULL, &out, &e), 0);
	json_t *j = json_loads(out, 0, NULL);
	json_t *want = json_loads("{\"tee\":1,\"host_claims\":{\"vm\":\"web\","
				  "\"isolation\":\"degraded\","
				  "\"missing\":[\"labels\",\"records\"]}}", 0, NULL);
	assert_true(json_equal(j, want));
	json_decref(j);
	free(out);
	assert_int_equal(answer_evidence(guest, strlen(guest), &web, "{\"k\":2}", &out, &e), 0);
	j = json_loads(out, 0, NULL);
	json_object_set_new(want, "collateral", json_pack("{s:i}", "k", 2));
	assert_true(json_equal(j, want));
	json_decref(j);
	json_decref(want);
	free(out);
	assert_int_equal(answer_evidence("[]", 2, &web, NULL, &out, &e), -EX_MALFORMED);
	assert_null(out);
}

/* Of required isolation nothing is said to be missing, whatever came over a wire. */
static void what_isolation_lacks(void **state)
{
	static const struct {
		struct host_claims host;
		const char *want;
	} rows[] = {
		{ { .vm = "web" }, "{\"vm\":\"web\",\"isolation\":\"required\"}" },
		{ { .vm = "web", .missing = 7 },
		  "{\"vm\":\"web\",\"isolation\":\"required\"}" },
		{ { .vm = "web", .degraded = true },
		  "{\"vm\":\"web\",\"isolation\":\"degraded\",\"missing\":[]}" },
		{ { .vm = "web", .degraded = true, .missing = ~0u },
		  "{\"vm\":\"web\",\"isolation\":\"degraded\","
		  "\"missing\":[\"labels\",\"limits\",\"records\"]}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		char *out = NULL;

		assert_int_equal(answer_evidence("{}", 2, &rows[i].host, NULL, &out, &e), 0);
		json_t *j = json_loads(out, 0, NULL), *want = json_loads(rows[i].want, 0, NULL);
		assert_true(json_equal(json_object_get(j, "host_claims"), want));
		json_decref(j);
		json_decref(want);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces_of_every_size), cmocka_unit_test(the_agents_own_words),
		cmocka_unit_test(rubbish_is_bounded),	   cmocka_unit_test(a_header_too_large),
		cmocka_unit_test(the_request_is_the_nonce),
		cmocka_unit_test(an_answer_of_another_kind), cmocka_unit_test(what_the_host_adds),
		cmocka_unit_test(what_isolation_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
