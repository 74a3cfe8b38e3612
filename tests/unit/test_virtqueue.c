#include "tests/unit/dev_front.h"

#include "common/bytes.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA_GPA (FRONT_GPA + FRONT_DATA)
#define RAM_END (FRONT_GPA + FRONT_RAM)

static const struct vhost_offer offer = { .queue_count = 1 };

struct bench {
	struct front front;
	struct vq_chain chain;
	struct virtqueue *q;
};

static struct bench *bench_open(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	front_open(&b->front, &offer);
	front_setup_before_seal(&b->front);
	front_start_queue(&b->front, 0, 0);
	b->q = &b->front.server.queue[0];
	return b;
}

static void bench_close(struct bench *b)
{
	front_close(&b->front);
	free(b);
}

struct raw_desc {
	uint64_t gpa;
	uint32_t size;
	uint16_t flags, next;
};

/* One chain from descriptor 0; what must come of it. */
struct ring_case {
	const char *name;
	bool good;
	struct raw_desc desc[4];
};

static const struct ring_case cases[] = {
	{ "one readable", true, { { DATA_GPA, 16, 0, 0 } } },
	{ "one writable", true, { { DATA_GPA, 16, F_WRITE, 0 } } },
	{ "read then write", true, { { DATA_GPA, 1, F_NEXT, 3 }, { 0 }, { 0 },
				     { DATA_GPA, 1, F_WRITE, 0 } } },
	{ "last byte of memory", true, { { RAM_END - 1, 1, 0, 0 } } },
	{ "whole memory", true, { { FRONT_GPA, FRONT_RAM, 0, 0 } } },
	{ "next is ignored without its flag", true, { { DATA_GPA, 16, 0, 0xFFFF } } },
	{ "loop to itself", false, { { DATA_GPA, 16, F_NEXT, 0 } } },
	{ "loop of two", false, { { DATA_GPA, 16, F_NEXT, 1 }, { DATA_GPA, 16, F_NEXT, 0 } } },
	{ "next beyond the table", false, { { DATA_GPA, 16, F_NEXT, FRONT_QUEUE_SIZE } } },
	{ "next far beyond", false, { { DATA_GPA, 16, F_NEXT, 0xFFFF } } },
	{ "below memory", false, { { FRONT_GPA - 1, 1, 0, 0 } } },
	{ "from below into memory", false, { { FRONT_GPA - 1, 2, 0, 0 } } },
	{ "at zero", false, { { 0, 1, 0, 0 } } },
	{ "just behind memory", false, { { RAM_END, 1, 0, 0 } } },
	{ "one byte too long", false, { { RAM_END - 1, 2, 0, 0 } } },
	{ "largest size", false, { { FRONT_GPA, UINT32_MAX, 0, 0 } } },
	{ "address wraps to zero", false, { { UINT64_MAX, 1, 0, 0 } } },
	{ "address wraps into memory", false, { { UINT64_MAX - 15, UINT32_MAX, 0, 0 } } },
	{ "a front end's address", false, { { FRONT_USER + FRONT_DATA, 16, 0, 0 } } },
	{ "zero bytes", false, { { DATA_GPA, 0, 0, 0 } } },
	{ "zero bytes later", false, { { DATA_GPA, 1, F_NEXT, 1 }, { DATA_GPA, 0, F_WRITE, 0 } } },
	{ "indirect", false, { { DATA_GPA, 16, F_INDIRECT, 0 } } },
	{ "indirect later", false, { { DATA_GPA, 1, F_NEXT, 1 },
				     { DATA_GPA, 16, F_INDIRECT | F_WRITE, 0 } } },
	{ "write before read", false, { { DATA_GPA, 1, F_NEXT | F_WRITE, 1 },
					{ DATA_GPA, 1, 0, 0 } } },
	{ "read, write, read", false, { { DATA_GPA, 1, F_NEXT, 1 },
					{ DATA_GPA, 1, F_NEXT | F_WRITE, 2 },
					{ DATA_GPA, 1, 0, 0 } } },
};

static void put_case(struct bench *b, const struct ring_case *c)
{
	for (uint16_t i = 0; i < 4; i++)
		ring_desc(&b->front, 0, i, c->desc[i].gpa, c->desc[i].size, c->desc[i].flags,
			  c->desc[i].next);
	/* Right behind the table lies what would pass for a descriptor. */
	ring_desc(&b->front, 0, FRONT_QUEUE_SIZE, DATA_GPA, 1, 0, 0);
	ring_offer(&b->front, 0, 0);
}

static void table_of_rings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b = bench_open();

		put_case(b, &cases[i]);
		if (vq_peek(b->q, &b->chain) != cases[i].good || b->q->broken == cases[i].good)
			fail_msg("%s: %s", cases[i].name, b->q->broken ? "broken" : "taken");
		/* A broken queue stays broken, also when the ring is repaired. */
		ring_desc(&b->front, 0, 0, DATA_GPA, 1, 0, 0);
		assert_int_equal(vq_peek(b->q, &b->chain), cases[i].good);
		bench_close(b);
	}
}

/* As many descriptors as the queue has entries is the longest chain. */
static void longest_chain(void **state)
{
	struct bench *b = bench_open();

	(void)state;
	for (uint16_t i = 0; i < FRONT_QUEUE_SIZE; i++)
		ring_desc(&b->front, 0, i, DATA_GPA + i, 1,
			  i + 1 < (int)FRONT_QUEUE_SIZE ? F_NEXT : 0, (uint16_t)(i + 1));
	ring_offer(&b->front, 0, 0);
	assert_true(vq_peek(b->q, &b->chain));
	assert_int_equal(b->chain.count, FRONT_QUEUE_SIZE);
	assert_int_equal(b->chain.readable, FRONT_QUEUE_SIZE);
	ring_desc(&b->front, 0, FRONT_QUEUE_SIZE - 1, DATA_GPA, 1, F_NEXT, 7);
	assert_false(vq_peek(b->q, &b->chain));
	assert_true(b->q->broken);
	bench_close(b);
}

/* The largest queue and a loop: the copy must end at the end of its array. */
static void loop_in_the_largest_queue(void **state)
{
	static struct {
		struct vq_chain chain;
		uint8_t canary[64];
	} copy;
	struct bench *b = bench_open();

	(void)state;
	memset(copy.canary, 0xC5, sizeof(copy.canary));
	b->q->size = VQ_SIZE_MAX;
	ring_desc(&b->front, 0, 0, DATA_GPA, 1, F_NEXT, 0);
	ring_offer(&b->front, 0, 0);
	assert_false(vq_peek(b->q, &copy.chain));
	assert_true(b->q->broken);
	assert_int_equal(copy.chain.count, VQ_SIZE_MAX);
	for (size_t i = 0; i < sizeof(copy.canary); i++)
		assert_int_equal(copy.canary[i], 0xC5);
	bench_close(b);
}

/* Descriptors of 2 GiB each in a sparse memory: two are the limit, one byte more is too long. */
static void chain_bytes_are_bounded(void **state)
{
	const uint64_t half = 1ull << 31;
	struct bench *b = bench_open();
	struct guest_memory *m = &b->front.server.mem;
	int fd = memfd_create("sparse", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)half), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(guest_memory_map(m, 1ull << 40, half, 1ull << 40, fd, 0,
					  &(struct err){ 0 }), 0);
	ring_desc(&b->front, 0, 0, 1ull << 40, (uint32_t)half, F_NEXT, 1);
	ring_desc(&b->front, 0, 1, 1ull << 40, (uint32_t)half, 0, 2);
	ring_desc(&b->front, 0, 2, DATA_GPA, 1, F_WRITE, 0);
	ring_offer(&b->front, 0, 0);
	assert_true(vq_peek(b->q, &b->chain));
	assert_int_equal(b->chain.readable, VQ_CHAIN_BYTES_MAX);
	ring_desc(&b->front, 0, 1, 1ull << 40, (uint32_t)half, F_NEXT, 2);
	assert_false(vq_peek(b->q, &b->chain));
	assert_true(b->q->broken);
	close(fd);
	bench_close(b);
}

static void set_avail_idx(struct bench *b, uint16_t idx)
{
	struct writer w = writer_over(b->front.ram + FRONT_AVAIL(0) + 2, 2);

	write_le16(&w, idx);
}

static void available_index_jumps(void **state)
{
	static const struct {
		uint16_t base, idx;
		bool broken;
	} table[] = {
		{ 0, 0, false },           { 0, 1, false },
		{ 0, FRONT_QUEUE_SIZE, false }, { 0, FRONT_QUEUE_SIZE + 1, true },
		{ 0, 0xFFFF, true },       { 0xFFFF, 0, false },
		{ 0xFFFF, 0xFFFE, true },  { 5, 4, true },
		{ 0xFFF8, 8, false },      { 0xFFF8, 9, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench *b = bench_open();

		for (uint16_t d = 0; d < FRONT_QUEUE_SIZE; d++)
			ring_desc(&b->front, 0, d, DATA_GPA, 1, 0, 0);
		b->q->next = table[i].base;
		set_avail_idx(b, table[i].idx);
		assert_int_equal(vq_peek(b->q, &b->chain),
				 !table[i].broken && table[i].idx != table[i].base);
		assert_int_equal(b->q->broken, table[i].broken);
		bench_close(b);
	}
}

static void head_beyond_the_table(void **state)
{
	struct bench *b = bench_open();

	(void)state;
	ring_desc(&b->front, 0, FRONT_QUEUE_SIZE, DATA_GPA, 1, 0, 0);
	ring_offer(&b->front, 0, FRONT_QUEUE_SIZE);
	assert_false(vq_peek(b->q, &b->chain));
	assert_true(b->q->broken);
	bench_close(b);
}

/* The chain is a private copy: what the guest writes afterwards does not change it. */
static void copied_once(void **state)
{
	struct bench *b = bench_open();
	struct vq_cursor c;
	uint8_t got[4];

	(void)state;
	memcpy(b->front.ram + FRONT_DATA, "good", 4);
	ring_desc(&b->front, 0, 0, DATA_GPA, 4, 0, 0);
	ring_offer(&b->front, 0, 0);
	assert_true(vq_peek(b->q, &b->chain));
	ring_desc(&b->front, 0, 0, 0, UINT32_MAX, F_NEXT | F_INDIRECT, 0xFFFF);
	c = vq_reader(&b->chain);
	assert_true(vq_read(b->q, &c, got, 4));
	assert_memory_equal(got, "good", 4);
	assert_false(vq_read(b->q, &c, got, 1));
	vq_done(b->q, &b->chain, 0);
	assert_false(b->q->broken);
	assert_int_equal(ring_used_idx(&b->front, 0), 1);
	bench_close(b);
}

static void cursors_cross_segments(void **state)
{
	struct bench *b = bench_open();
	uint8_t *data = b->front.ram + FRONT_DATA;
	static const uint8_t text[7] = { 'a', 'b', 'c', 'd', 'e', 'f', 'g' };
	uint8_t got[7];

	(void)state;
	memcpy(data, text, 3);
	memcpy(data + 0x100, text + 3, 4);
	ring_desc(&b->front, 0, 0, DATA_GPA, 3, F_NEXT, 1);
	ring_desc(&b->front, 0, 1, DATA_GPA + 0x100, 4, F_NEXT, 2);
	ring_desc(&b->front, 0, 2, DATA_GPA + 0x200, 2, F_NEXT | F_WRITE, 3);
	ring_desc(&b->front, 0, 3, DATA_GPA + 0x300, 5, F_WRITE, 0);
	ring_offer(&b->front, 0, 0);
	assert_true(vq_peek(b->q, &b->chain));
	assert_int_equal(b->chain.readable, 7);
	assert_int_equal(b->chain.writable, 7);
	struct vq_cursor r = vq_reader(&b->chain), w = vq_writer(&b->chain);
	assert_true(vq_read(b->q, &r, got, 7));
	assert_memory_equal(got, text, 7);
	assert_true(vq_write(b->q, &w, "1234567", 7));
	assert_memory_equal(data + 0x200, "12\0", 3);
	assert_memory_equal(data + 0x300, "34567\0", 6);
	assert_false(vq_write(b->q, &w, "8", 1));
	bench_close(b);
}

/* Used entries and index wrap with the ring and with 2^16. */
static void used_ring_wraps(void **state)
{
	struct bench *b = bench_open();
	uint32_t id, size;

	(void)state;
	for (uint16_t d = 0; d < FRONT_QUEUE_SIZE; d++)
		ring_desc(&b->front, 0, d, DATA_GPA, 8, F_WRITE, 0);
	b->q->next = b->front.avail_idx[0] = 0xFFF0;
	for (unsigned i = 0; i < 40; i++) {
		uint16_t at = (uint16_t)(0xFFF0 + i);

		ring_offer(&b->front, 0, (uint16_t)((i * 3) % FRONT_QUEUE_SIZE));
		assert_true(vq_peek(b->q, &b->chain));
		vq_done(b->q, &b->chain, i);
		ring_used(&b->front, 0, at, &id, &size);
		assert_int_equal(id, (i * 3) % FRONT_QUEUE_SIZE);
		assert_int_equal(size, i);
		assert_int_equal(ring_used_idx(&b->front, 0), (uint16_t)(at + 1));
	}
	bench_close(b);
}

static void ring_places(void **state)
{
	static const struct {
		uint64_t desc, avail, used; /* offsets from the start of memory */
		bool good;
	} table[] = {
		{ 0, 0x1000, 0x2000, true },
		{ FRONT_RAM - 16 * FRONT_QUEUE_SIZE, 0, 0x2000, true },
		{ FRONT_RAM - 16 * FRONT_QUEUE_SIZE + 16, 0, 0x2000, false },
		{ 0, FRONT_RAM - 6 - 2 * FRONT_QUEUE_SIZE, 0x2000, true },
		{ 0, FRONT_RAM - 4 - 2 * FRONT_QUEUE_SIZE, 0x2000, false },
		{ 0, 0x1000, FRONT_RAM - 8 - 8 * FRONT_QUEUE_SIZE, true },
		{ 0, 0x1000, FRONT_RAM - 4 - 8 * FRONT_QUEUE_SIZE, false },
		{ 8, 0x1000, 0x2000, false },
		{ 0, 0x1001, 0x2000, false },
		{ 0, 0x1000, 0x2002, false },
		{ UINT64_MAX - FRONT_GPA - 15, 0x1000, 0x2000, false },
		{ (uint64_t)-16, 0x1000, 0x2000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench *b = bench_open();

		assert_int_equal(vq_configure(b->q, FRONT_GPA + table[i].desc,
					      FRONT_GPA + table[i].avail,
					      FRONT_GPA + table[i].used), table[i].good);
		assert_int_equal(b->q->configured, table[i].good);
		bench_close(b);
	}
}

static void stopped_or_disabled_is_not_served(void **state)
{
	struct bench *b = bench_open();

	(void)state;
	ring_desc(&b->front, 0, 0, DATA_GPA, 1, 0, 0);
	ring_offer(&b->front, 0, 0);
	b->q->enabled = false;
	assert_false(vq_peek(b->q, &b->chain));
	b->q->enabled = true;
	assert_true(vq_peek(b->q, &b->chain));
	front_stop_queue(&b->front, 0);
	assert_false(vq_peek(b->q, &b->chain));
	vq_done(b->q, &b->chain, 0); /* too late: nothing is written */
	assert_int_equal(ring_used_idx(&b->front, 0), 0);
	bench_close(b);
}

/* A guest that breaks and resets its queue for ever does not fill the disk. */
static void log_is_bounded(void **state)
{
	struct bench *b = bench_open();
	char text[16384] = { 0 };
	unsigned lines = 0;

	(void)state;
	b->front.log.fd = memfd_create("log", MFD_CLOEXEC);
	for (unsigned i = 0; i < 10 * DEVLOG_LINES_MAX; i++) {
		vq_break(b->q, "broken");
		vq_break(b->q, "broken again");
		vq_stop(b->q);
	}
	assert_true(pread(b->front.log.fd, text, sizeof(text) - 1, 0) > 0);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, DEVLOG_LINES_MAX);
	assert_null(strstr(text, "again"));
	assert_non_null(strstr(text, "nothing more is logged\n"));
	close(b->front.log.fd);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_rings),
		cmocka_unit_test(longest_chain),
		cmocka_unit_test(loop_in_the_largest_queue),
		cmocka_unit_test(chain_bytes_are_bounded),
		cmocka_unit_test(available_index_jumps),
		cmocka_unit_test(head_beyond_the_table),
		cmocka_unit_test(copied_once),
		cmocka_unit_test(cursors_cross_segments),
		cmocka_unit_test(used_ring_wraps),
		cmocka_unit_test(ring_places),
		cmocka_unit_test(log_is_bounded),
		cmocka_unit_test(stopped_or_disabled_is_not_served),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
