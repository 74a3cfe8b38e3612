/* Cursors, checked arithmetic, arguments, plans, records, descriptor passing, strict JSON. */
#include "common/args.h"
#include "common/bytes.h"
#include "common/checked.h"
#include "common/fdpass.h"
#include "common/file.h"
#include "common/json.h"
#include "common/plan.h"
#include "common/record.h"
#include "common/stop_text.h"
#include "firmware/stop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void cursor_latches_at_the_end(void **state)
{
	(void)state;
	const uint8_t data[] = { 1, 2, 3, 4, 5, 6 };
	struct reader r = reader_over(data, sizeof(data));

	assert_int_equal(read_le16(&r), 0x0201);
	assert_int_equal(read_be32(&r), 0x03040506);
	assert_false(r.bad);
	assert_int_equal(read_u8(&r), 0);
	assert_true(r.bad);
	assert_int_equal(reader_left(&r), 0);
	r = reader_over(data, sizeof(data));
	assert_null(read_view(&r, SIZE_MAX));
	assert_true(r.bad);
}

static void writer_latches_when_full(void **state)
{
	(void)state;
	uint8_t data[5];
	struct writer w = writer_over(data, sizeof(data));

	write_be32(&w, 0x01020304);
	write_le16(&w, 1);
	assert_true(w.bad);
	assert_int_equal(w.pos, 4);
	assert_memory_equal(data, "\1\2\3\4", 4);
}

static void hexadecimal_is_exact(void **state)
{
	(void)state;
	uint8_t b[2];
	char text[5];

	assert_true(hex_decode("0aFf", b, 2));
	hex_encode(b, 2, text);
	assert_string_equal(text, "0aff");
	assert_false(hex_decode("0aF", b, 2));
	assert_false(hex_decode("0aFg", b, 2));
	assert_false(hex_decode("0aFf00", b, 2));
}

static void arithmetic_refuses_overflow(void **state)
{
	(void)state;
	uint64_t out = 7;

	assert_false(ck_add_u64(UINT64_MAX, 1, &out));
	assert_false(ck_mul_u64(1ull << 33, 1ull << 33, &out));
	assert_false(ck_align_up_u64(UINT64_MAX - 1, 4096, &out));
	assert_int_equal(out, 7);
	assert_true(ck_align_up_u64(4097, 4096, &out));
	assert_int_equal(out, 8192);
	assert_true(ck_range(8, 8, 16));
	assert_false(ck_range(8, 9, 16));
	assert_false(ck_range(UINT64_MAX, 2, 16));
	assert_true(ck_overlap(0, 10, 9, 1));
	assert_false(ck_overlap(0, 10, 10, 1));
	assert_false(ck_overlap(0, 0, 0, 1));
}

static void numbers_are_plain(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "01",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "0x10",
					   "101",
					   "18446744073709551616",
					   "99999999999999999999" };
	uint64_t v = 0;
	struct err e = { 0 };

	assert_int_equal(args_u64("k", "100", 100, &v, &e), 0);
	assert_int_equal(v, 100);
	assert_int_equal(args_u64("k", "0", 100, &v, &e), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err x = { 0 };
		assert_int_equal(args_u64("k", bad[i], 100, &v, &x), -EX_USAGE_ERROR);
	}
	struct err x = { 0 };
	assert_int_equal(args_u64("k", "18446744073709551616", UINT64_MAX, &v, &x),
			 -EX_USAGE_ERROR);
	assert_null(args_value("keys=1", "key"));
	assert_string_equal(args_value("key=1", "key"), "1");
	int fd;
	struct err y = { 0 };
	assert_int_equal(args_fd("k", "987", &fd, &y), -EX_USAGE_ERROR);
}

static void first_error_is_kept_and_printable(void **state)
{
	(void)state;
	struct err e = { 0 };

	assert_int_equal(err_set(&e, EX_HOST, "a%sb", "\x1b[31m\n"), -EX_HOST);
	assert_string_equal(e.text, "a?[31m?b");
	assert_int_equal(err_set(&e, EX_USAGE_ERROR, "later"), -EX_USAGE_ERROR);
	assert_int_equal(e.status, EX_HOST);
	assert_string_equal(e.text, "a?[31m?b");
}

/* A good plan with one region of every type; the tests break it a byte at a time. */
static uint8_t *make_plan(size_t *size)
{
	static const uint8_t firmware[5000] = { 1 }, hashes[4096] = { 2 }, kernel[10] = { 3 };
	struct plan p = { .tee = PLAN_TEE_PLAIN,
			  .min_ram = 1 << 20,
			  .max_cpus = 4,
			  .vcpu = { .rip = 0x100040, .rsp = 0x120000, .cr3 = 0x101000 },
			  .region_count = 4 };
	struct err e = { 0 };

	p.region[0] = (struct plan_region){ PLAN_FIRMWARE, 0x100000, sizeof(firmware), firmware };
	p.region[1] = (struct plan_region){ PLAN_HASH_PAGE, 0x180000, sizeof(hashes), hashes };
	p.region[2] = (struct plan_region){ PLAN_BOOT_BLOCK, 0x181000, 4096, NULL };
	p.region[3] = (struct plan_region){ PLAN_KERNEL, 0x8000000, sizeof(kernel), kernel };
	*size = plan_file_size(&p);
	assert_int_equal(*size, 4096 + 8192 + 4096 + 4096);
	uint8_t *file = malloc(*size);
	assert_non_null(file);
	assert_int_equal(plan_write(&p, file, *size, &e), 0);
	return file;
}

static void plan_round_trip(void **state)
{
	(void)state;
	size_t size;
	uint8_t *file = make_plan(&size);
	struct plan p;
	struct err e = { 0 };

	assert_int_equal(plan_parse("t", file, size, &p, &e), 0);
	assert_int_equal(p.region_count, 4);
	assert_int_equal(p.vcpu.rip, 0x100040);
	assert_int_equal(p.region[0].data[0], 1);
	assert_null(plan_find(&p, PLAN_BOOT_BLOCK)->data);
	assert_int_equal(plan_find(&p, PLAN_KERNEL)->data[0], 3);
	assert_null(plan_find(&p, PLAN_INITRD));
	free(file);
}

static int parse_changed(size_t offset, uint64_t value, size_t width, size_t size_change)
{
	size_t size;
	uint8_t *file = make_plan(&size);
	struct plan p;
	struct err e = { 0 };

	for (size_t i = 0; i < width; i++)
		file[offset + i] = (uint8_t)(value >> (8 * i));
	int r = plan_parse("t", file, size - size_change, &p, &e);
	if (r < 0)
		assert_non_null(strstr(e.text, "plan t: "));
	free(file);
	return r;
}

static void plan_rules(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint64_t value;
		size_t width;
	} broken[] = {
		{ 0, 'X', 1 }, /* magic */
		{ 8, 0, 4 },   /* tee */
		{ 8, 4, 4 },
		{ 12, 0, 4 }, /* region count */
		{ 12, 65, 4 },
		{ 12, 3, 4 },	 /* bytes of the fourth region belong to none */
		{ 12, 5, 4 },	 /* fifth region is all zero */
		{ 16, 4096, 8 }, /* file size */
		{ 32, 0, 4 },	 /* max_cpus */
		{ 32, 257, 4 },
		{ 36, 1, 4 },	     /* reserved */
		{ 40, 0x102000, 8 }, /* rip outside the image */
		{ 40, 0xfffff, 8 },
		{ 56, 0x101001, 8 }, /* cr3 */
		{ 64, 0x30000, 8 },  /* fields of SEV-SNP */
		{ 72, 1, 8 },
		{ 80, 51, 4 },
		{ 84, 1, 4 },
		{ 88, 0x100040, 8 },
		{ 127, 1, 1 },		/* reserved */
		{ 128, 0x100001, 8 },	/* gpa alignment */
		{ 128, 1ull << 46, 8 }, /* gpa limit */
		{ 128, UINT64_MAX & ~0xfffull, 8 },
		{ 136, 8192, 8 }, /* data offset */
		{ 144, 0, 8 },	  /* size */
		{ 144, UINT64_MAX, 8 },
		{ 144, 4096, 8 },      /* firmware's padding is now a gap */
		{ 152, 2, 4 },	       /* first region is not firmware */
		{ 156, 1, 4 },	       /* reserved */
		{ 160, 0x101000, 8 },  /* overlap with the firmware */
		{ 184, 1, 4 },	       /* second firmware */
		{ 184, 7, 4 },	       /* unknown type */
		{ 192 + 8, 4096, 8 },  /* boot block with bytes */
		{ 192 + 24, 2, 4 },    /* second hash page */
		{ 256, 1, 1 },	       /* padding of the table */
		{ 4096 + 5000, 1, 1 }, /* padding of the firmware */
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (parse_changed(broken[i].offset, broken[i].value, broken[i].width, 0) !=
		    -EX_MALFORMED)
			fail_msg("row %zu (offset %zu) was accepted", i, broken[i].offset);
	for (size_t cut = 1; cut < 20480; cut += 61)
		assert_int_equal(parse_changed(0, 'P', 1, cut), -EX_MALFORMED);
}

static void records_are_checked(void **state)
{
	(void)state;
	int s[2];
	struct record r;
	struct err e = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	assert_int_equal(record_send(s[0], RECORD_EXIT, 4, 0x41, &e), 0);
	assert_int_equal(record_receive(s[1], "child", &r, &e), 1);
	assert_int_equal(r.type, RECORD_EXIT);
	assert_int_equal(r.b, 0x41);
	static const struct {
		struct record r;
		size_t size;
	} bad[] = {
		{ { RECORD_MAGIC, RECORD_READY, 0, 0 }, 15 },
		{ { RECORD_MAGIC + 1, RECORD_READY, 0, 0 }, 16 },
		{ { RECORD_MAGIC, 0, 0, 0 }, 16 },
		{ { RECORD_MAGIC, 8, 0, 0 }, 16 },
	};
	for (size_t i = 0; i < 4; i++) {
		struct err x = { 0 };
		assert_int_equal(send(s[0], &bad[i].r, bad[i].size, 0), (ssize_t)bad[i].size);
		assert_int_equal(record_receive(s[1], "child", &r, &x), -EX_INTERNAL);
	}
	char longer[17] = { 0 };
	memcpy(longer, &bad[0].r, sizeof(bad[0].r));
	assert_int_equal(send(s[0], longer, sizeof(longer), 0), 17);
	assert_int_equal(record_receive(s[1], "child", &r, &e), -EX_INTERNAL);
	close(s[0]);
	struct err y = { 0 };
	assert_int_equal(record_receive(s[1], "child", &r, &y), 0);
	close(s[1]);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors_pass_and_never_leak(void **state)
{
	(void)state;
	int s[2], got[FDPASS_MAX], fds[3] = { 0, 1, 2 };
	char data[8];
	size_t size, count;
	struct err e = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	int before = open_fds();
	assert_int_equal(fdpass_send(s[0], "hi", 2, fds, 3, &e), 0);
	assert_int_equal(fdpass_receive(s[1], data, 8, &size, got, 3, &count, &e), 0);
	assert_int_equal(count, 3);
	assert_int_equal(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	for (size_t i = 0; i < 3; i++)
		close(got[i]);
	assert_int_equal(fdpass_send(s[0], "hi", 2, fds, 3, &e), 0);
	assert_int_equal(fdpass_receive(s[1], data, 8, &size, got, 2, &count, &e), -EX_INTERNAL);
	assert_int_equal(count, 0);
	assert_int_equal(open_fds(), before);
	struct err x = { 0 };
	assert_int_equal(fdpass_send(s[0], "hi", 2, fds, FDPASS_MAX + 1, &x), -EX_INTERNAL);
	close(s[0]);
	close(s[1]);
}

static void files_are_bounded(void **state)
{
	(void)state;
	char dir[] = "/tmp/pavise-test-XXXXXX", path[64];
	void *data;
	size_t size;
	struct err e = { 0 };

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(file_write("test file", path, "abc", 3, 0600, &e), 0);
	assert_int_equal(file_read("test file", path, 3, 0, &data, &size, &e), 0);
	assert_int_equal(size, 3);
	assert_string_equal(data, "abc");
	free(data);
	struct err big = { 0 }, empty = { 0 }, fifo = { 0 }, none = { 0 };
	assert_int_equal(file_read("test file", path, 2, 0, &data, &size, &big), -EX_MALFORMED);
	assert_int_equal(file_write("test file", path, "", 0, 0600, &e), 0);
	assert_int_equal(file_read("test file", path, 2, 0, &data, &size, &empty), -EX_MALFORMED);
	unlink(path);
	assert_int_equal(file_read("test file", path, 2, 0, &data, &size, &none), -EX_HOST);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_read("test file", path, 2, 0, &data, &size, &fifo), -EX_MALFORMED);
	unlink(path);
	rmdir(dir);
}

static int json_case(const char *text)
{
	static const char *const keys[] = { "a", "b", NULL };
	json_t *j = NULL;
	struct err e = { 0 };
	uint8_t bytes[4];
	size_t size = 0;
	int r = json_parse("t", text, strlen(text), &j, &e);

	if (r == 0)
		r = json_only_keys("t", j, keys, &e);
	if (r == 0)
		r = json_get_base64("t", j, "a", 1, bytes, sizeof(bytes), &size, &e);
	if (r == 0)
		r = json_get_hex("t", j, "b", 0, bytes, 2, &e);
	json_decref(j);
	return r == 0 ? (int)size : r;
}

static void json_is_strict(void **state)
{
	(void)state;
	assert_int_equal(json_case("{\"a\":\"AQIDBA==\",\"b\":\"00ff\"}"), 4);
	assert_int_equal(json_case("{\"a\":\"\"}"), 0);
	assert_int_equal(json_case("{\"a\":\"AQI=\"}"), 2);
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"a\":1}",
		"{}",
		"{\"a\":\"\",\"a\":\"\"}",
		"{\"a\":\"\",\"c\":1}",
		"{\"a\":\"AQIDBAU=\"}", /* five bytes into four */
		"{\"a\":\"AQI\"}",	/* no padding */
		"{\"a\":\"AQJ=\"}",	/* stray bits */
		"{\"a\":\" AQI\"}",
		"{\"a\":\"A===\"}",
		"{\"a\":\"====\"}",
		"{\"a\":\"AQ=I\"}",
		"{\"a\":\"\",\"b\":\"0f\"}",
		"{\"a\":\"x\\u0000y\"}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (json_case(bad[i]) != -EX_MALFORMED)
			fail_msg("accepted: %s", bad[i]);
}

static void every_stop_code_has_a_sentence(void **state)
{
	(void)state;
	assert_non_null(strstr(stop_text(STOP_INITRD_HASH), "initrd"));
	assert_non_null(strstr(stop_text(STOP_CMDLINE_HASH), "command line"));
	assert_non_null(strstr(stop_text(0xff), "unknown"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursor_latches_at_the_end),
		cmocka_unit_test(writer_latches_when_full),
		cmocka_unit_test(hexadecimal_is_exact),
		cmocka_unit_test(arithmetic_refuses_overflow),
		cmocka_unit_test(numbers_are_plain),
		cmocka_unit_test(first_error_is_kept_and_printable),
		cmocka_unit_test(plan_round_trip),
		cmocka_unit_test(plan_rules),
		cmocka_unit_test(records_are_checked),
		cmocka_unit_test(descriptors_pass_and_never_leak),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(json_is_strict),
		cmocka_unit_test(every_stop_code_has_a_sentence),
	};

	return cmocka_run_group_tests_name("common", tests, NULL, NULL);
}
