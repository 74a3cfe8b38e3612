/* Messages of the quote generation service, byte by byte (Intel DCAP, qgs_msg_lib). */
#include "attest/quote/qgs.h"

#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define QUOTE 100u

static uint8_t answer[QGS_ANSWER_MAX + 4];

/* An answer with one field another than it should be. */
struct fields {
	uint32_t frame, version, type, size, error, selected, quote;
};
static const struct fields good = { QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0,
				    QUOTE };

static size_t build(const struct fields *f)
{
	struct writer w = writer_over(answer, sizeof(answer));

	memset(answer, 0xA5, sizeof(answer));
	write_be32(&w, f->frame);
	write_le32(&w, f->version);
	write_le32(&w, f->type);
	write_le32(&w, f->size);
	write_le32(&w, f->error);
	write_le32(&w, f->selected);
	write_le32(&w, f->quote);
	return w.pos + QUOTE;
}

static int take(size_t size, struct err *e)
{
	const uint8_t *quote;
	size_t quote_size;

	return qgs_answer(answer, size, &quote, &quote_size, e);
}

static void the_request_is_the_librarys(void **state)
{
	static const uint8_t head[] = { 0, 0, 0x04, 0x18, 1, 0, 1, 0, 0, 0, 0, 0, 0x18, 0x04, 0, 0,
					0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0 };
	uint8_t report[QUOTE_REPORT_SIZE], out[QGS_REQUEST_SIZE];

	(void)state;
	memset(report, 0x5c, sizeof(report));
	qgs_request(report, out);
	assert_int_equal(sizeof(head) + sizeof(report), sizeof(out));
	assert_memory_equal(out, head, sizeof(head));
	assert_memory_equal(out + sizeof(head), report, sizeof(report));
}

static void a_quote_is_taken_out(void **state)
{
	struct err e = { 0 };
	const uint8_t *quote = NULL;
	size_t size = 0, need = 0;

	(void)state;
	assert_int_equal(qgs_answer(answer, build(&good), &quote, &size, &e), 0);
	assert_int_equal(size, QUOTE);
	assert_ptr_equal(quote, answer + QGS_LENGTH + QGS_FIXED);
	for (size_t have = 0; have < 4; have++) {
		assert_int_equal(qgs_answer_need(answer, have, &need, &e), 0);
		assert_int_equal(need, QGS_LENGTH);
	}
	assert_int_equal(qgs_answer_need(answer, 4, &need, &e), 0);
	assert_int_equal(need, QGS_LENGTH + QGS_FIXED + QUOTE);
}

/* Every field has one value that is taken. */
static void each_field_is_checked(void **state)
{
	static const struct fields bad[] = {
		{ QGS_FIXED + QUOTE - 1, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE + 1, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00000001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00020001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010002, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 0, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 3, QGS_FIXED + QUOTE, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE - 1, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE + 1, 0, 0, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 1, QUOTE },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 16, QUOTE - 16 },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE - 1 },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, QUOTE + 1 },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, 0 },
		{ QGS_FIXED + QUOTE, 0x00010001, 1, QGS_FIXED + QUOTE, 0, 0, 0xFFFFFFFF },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = { 0 };
		if (take(build(&bad[i]), &e) != -EX_MALFORMED)
			fail_msg("answer %zu was taken: %s", i, e.text);
	}
}

/* The length decides how much is read: before anything else is known of the message. */
static void lengths_are_bounded(void **state)
{
	static const uint32_t bad[] = { 0, 1, 15, QGS_ANSWER_MAX - QGS_LENGTH + 1, 0x00010000,
					0x81000000 /* the start of a bare TDREPORT */, 0xFFFFFFFF };
	struct fields f = good;
	struct err e = { 0 };
	size_t need = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err one = { 0 };
		f.frame = bad[i];
		build(&f);
		assert_int_equal(qgs_answer_need(answer, 4, &need, &one), -EX_MALFORMED);
	}
	f.frame = QGS_ANSWER_MAX - QGS_LENGTH;
	build(&f);
	assert_int_equal(qgs_answer_need(answer, 4, &need, &e), 0);
	assert_int_equal(need, QGS_ANSWER_MAX);
}

static void cut_answers_are_refused(void **state)
{
	const size_t whole = build(&good);

	(void)state;
	for (size_t size = 0; size < whole; size++) {
		struct err e = { 0 };
		assert_int_equal(take(size, &e), -EX_MALFORMED);
	}
	struct err e = { 0 };
	assert_int_equal(take(whole + 1, &e), -EX_MALFORMED);
}

/* A refusal is 16 bytes: header alone. */
static void errors_have_sentences(void **state)
{
	static const uint32_t codes[] = { 0x12001, 0x12002, 0x12003, 0x12004, 0x12005, 0x12006,
					  0x12007, 0x11001, 0xb011, 1 };
	struct fields f = { .frame = 16, .version = 0x00010001, .type = 1, .size = 16 };
	char code[16];

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		struct err e = { 0 };
		f.error = codes[i];
		build(&f);
		assert_int_equal(take(QGS_LENGTH + 16, &e), -EX_REFUSED);
		snprintf(code, sizeof(code), "0x%x", codes[i]);
		assert_non_null(strstr(e.text, code));
	}
	/* No error and nothing else is no quote. */
	struct err e = { 0 };
	f.error = 0;
	build(&f);
	assert_int_equal(take(QGS_LENGTH + 16, &e), -EX_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_the_librarys),
		cmocka_unit_test(a_quote_is_taken_out),
		cmocka_unit_test(each_field_is_checked),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(cut_answers_are_refused),
		cmocka_unit_test(errors_have_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
