#include "tests/unit/dev_front.h"

#include "common/bytes.h"
#include "devices/blk.h"

#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTORS 64u
#define STATUS_UNTOUCHED 0xEEu

/* Where the tests put the pieces of a request. */
#define HEADER (FRONT_DATA + 0x0)
#define DATA (FRONT_DATA + 0x1000)
#define STATUS (FRONT_DATA + 0x8000)

struct bench {
	struct front front;
	struct blk blk;
	int disk;
};

static int open_disk(bool readonly)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);
	char path[64];
	uint8_t sector[BLK_SECTOR];

	assert_true(fd >= 0);
	for (unsigned i = 0; i < SECTORS; i++) {
		memset(sector, (int)i + 1, sizeof(sector));
		assert_int_equal(write(fd, sector, sizeof(sector)), sizeof(sector));
	}
	if (!readonly)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int ro = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ro >= 0);
	close(fd);
	return ro;
}

static struct bench *bench_open(bool readonly)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct vhost_offer offer;
	struct err e = { 0 };

	assert_non_null(b);
	b->disk = open_disk(readonly);
	assert_int_equal(blk_init(&b->blk, b->disk, readonly, &offer, &e), 0);
	front_open(&b->front, &offer);
	front_setup_before_seal(&b->front);
	assert_int_equal(vhost_server_complete(&b->front.server, &e), 0);
	b->front.server.sealed = true;
	front_start_queue(&b->front, 0, offer.features);
	return b;
}

static void bench_close(struct bench *b)
{
	front_close(&b->front);
	close(b->disk);
	free(b);
}

static void put_header(struct bench *b, uint32_t type, uint64_t sector)
{
	struct writer w = writer_over(b->front.ram + HEADER, 16);

	write_le32(&w, type);
	write_le32(&w, 0);
	write_le64(&w, sector);
	b->front.ram[STATUS] = STATUS_UNTOUCHED;
}

/* Header, data (size 0: none) and status as three descriptors; returns the status byte. */
static uint8_t request(struct bench *b, uint32_t type, uint64_t sector, uint32_t size,
		       uint32_t *used)
{
	struct front *f = &b->front;
	uint16_t data_flags = (uint16_t)(F_NEXT | (type == 1 ? 0 : F_WRITE));
	uint16_t before = ring_used_idx(f, 0);
	uint32_t id = 99, written = 99;

	put_header(b, type, sector);
	ring_desc(f, 0, 0, FRONT_GPA + HEADER, 16, F_NEXT, size > 0 ? 1 : 2);
	ring_desc(f, 0, 1, FRONT_GPA + DATA, size, data_flags, 2);
	ring_desc(f, 0, 2, FRONT_GPA + STATUS, 1, F_WRITE, 0);
	ring_offer(f, 0, 0);
	blk_serve(&b->blk, &f->server.queue[0]);
	assert_int_equal(ring_used_idx(f, 0), (uint16_t)(before + 1));
	ring_used(f, 0, before, &id, &written);
	assert_int_equal(id, 0);
	if (used != NULL)
		*used = written;
	assert_true(ring_interrupted(f, 0));
	return f->ram[STATUS];
}

static void in_reads_sectors(void **state)
{
	struct bench *b = bench_open(false);
	uint32_t used;

	(void)state;
	assert_int_equal(request(b, 0, 5, 1024, &used), 0);
	assert_int_equal(used, 1025);
	for (unsigned i = 0; i < 1024; i++)
		assert_int_equal(b->front.ram[DATA + i], i < 512 ? 6 : 7);
	assert_int_equal(b->front.ram[DATA + 1024], 0);
	bench_close(b);
}

static void out_writes_sectors(void **state)
{
	struct bench *b = bench_open(false);
	uint8_t got[3 * BLK_SECTOR];
	uint32_t used;

	(void)state;
	memset(b->front.ram + DATA, 0xA5, 512);
	assert_int_equal(request(b, 1, 9, 512, &used), 0);
	assert_int_equal(used, 1);
	assert_int_equal(pread(b->disk, got, sizeof(got), 8L * BLK_SECTOR), sizeof(got));
	assert_int_equal(got[511], 9);
	assert_int_equal(got[512], 0xA5);
	assert_int_equal(got[1023], 0xA5);
	assert_int_equal(got[1024], 11);
	bench_close(b);
}

static void capacity_is_a_bound(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		uint8_t status;
	} table[] = {
		{ 0, SECTORS - 1, 512, 0 },
		{ 0, SECTORS - 1, 1024, 1 },
		{ 0, SECTORS, 512, 1 },
		{ 0, UINT64_MAX, 512, 1 },
		{ 0, UINT64_MAX / 512, 512, 1 },
		{ 0, (1ull << 55) + 1, 512, 1 }, /* times 512 wraps to sector 1 */
		{ 1, SECTORS - 1, 512, 0 },
		{ 1, SECTORS - 1, 1024, 1 },
		{ 1, SECTORS, 512, 1 },
		{ 1, 1ull << 55, 512, 1 },
		{ 0, 0, 511, 1 },
		{ 1, 0, 513, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench *b = bench_open(false);

		assert_int_equal(request(b, table[i].type, table[i].sector, table[i].size, NULL),
				 table[i].status);
		assert_int_equal(lseek(b->disk, 0, SEEK_END), SECTORS * BLK_SECTOR);
		bench_close(b);
	}
}

static void readonly_refuses_out(void **state)
{
	struct bench *b = bench_open(true);
	uint8_t byte;

	(void)state;
	assert_true((b->front.server.offer.features & (1ull << 5)) != 0);
	assert_int_equal(request(b, 1, 0, 512, NULL), 1);
	assert_int_equal(pread(b->disk, &byte, 1, 0), 1);
	assert_int_equal(byte, 1);
	assert_int_equal(request(b, 4, 0, 0, NULL), 0);
	assert_int_equal(request(b, 0, 0, 512, NULL), 0);
	bench_close(b);
	/* Not only because the descriptor happens to refuse it. */
	b = bench_open(false);
	b->blk.readonly = true;
	assert_int_equal(request(b, 1, 0, 512, NULL), 1);
	assert_int_equal(pread(b->disk, &byte, 1, 0), 1);
	assert_int_equal(byte, 1);
	bench_close(b);
}

static void access_mode_must_match(void **state)
{
	static struct blk b;
	struct vhost_offer offer;
	int rw = open_disk(false), ro = open_disk(true);

	(void)state;
	assert_int_equal(blk_init(&b, rw, true, &offer, &(struct err){ 0 }), -EX_HOST);
	assert_int_equal(blk_init(&b, ro, false, &offer, &(struct err){ 0 }), -EX_HOST);
	assert_int_equal(ftruncate(rw, 1000), 0);
	assert_int_equal(blk_init(&b, rw, false, &offer, &(struct err){ 0 }), -EX_HOST);
	assert_int_equal(ftruncate(rw, 0), 0);
	assert_int_equal(blk_init(&b, rw, false, &offer, &(struct err){ 0 }), -EX_HOST);
	close(rw);
	close(ro);
}

static void flush_id_and_unknown(void **state)
{
	struct bench *b = bench_open(false);
	uint32_t used;

	(void)state;
	assert_int_equal(request(b, 4, 0, 0, &used), 0);
	assert_int_equal(used, 1);
	assert_int_equal(request(b, 8, 0, 20, &used), 0);
	assert_int_equal(used, 21);
	assert_memory_equal(b->front.ram + DATA, "pavise-blk\0\0\0\0\0\0\0\0\0\0", 20);
	assert_int_equal(request(b, 8, 0, 19, NULL), 1);
	assert_int_equal(request(b, 11, 0, 16, &used), 2); /* DISCARD was not offered */
	assert_int_equal(used, 0);
	assert_int_equal(request(b, 0xFFFFFFFF, 0, 0, NULL), 2);
	bench_close(b);
}

/* virtio 1.2 §2.7.4.1: a device makes no assumption about how a request is cut. */
static void framing_does_not_matter(void **state)
{
	struct bench *b = bench_open(false);
	struct front *f = &b->front;

	(void)state;
	put_header(b, 0, 2);
	ring_desc(f, 0, 3, FRONT_GPA + HEADER, 7, F_NEXT, 9);
	ring_desc(f, 0, 9, FRONT_GPA + HEADER + 7, 9, F_NEXT, 1);
	ring_desc(f, 0, 1, FRONT_GPA + DATA, 100, F_NEXT | F_WRITE, 4);
	ring_desc(f, 0, 4, FRONT_GPA + DATA + 0x800, 413, F_WRITE, 0); /* data and status */
	ring_offer(f, 0, 3);
	blk_serve(&b->blk, &f->server.queue[0]);
	assert_int_equal(ring_used_idx(f, 0), 1);
	assert_int_equal(f->ram[DATA + 99], 3);
	assert_int_equal(f->ram[DATA + 100], 0);
	assert_int_equal(f->ram[DATA + 0x800 + 411], 3);
	assert_int_equal(f->ram[DATA + 0x800 + 412], 0);
	bench_close(b);
}

static void short_header_is_an_error(void **state)
{
	struct bench *b = bench_open(false);
	struct front *f = &b->front;

	(void)state;
	put_header(b, 0, 0);
	ring_desc(f, 0, 0, FRONT_GPA + HEADER, 15, F_NEXT, 1);
	ring_desc(f, 0, 1, FRONT_GPA + STATUS, 1, F_WRITE, 0);
	ring_offer(f, 0, 0);
	blk_serve(&b->blk, &f->server.queue[0]);
	assert_int_equal(ring_used_idx(f, 0), 1);
	assert_int_equal(f->ram[STATUS], 1);
	bench_close(b);
}

static void no_status_byte_breaks_the_queue(void **state)
{
	struct bench *b = bench_open(false);
	struct front *f = &b->front;

	(void)state;
	put_header(b, 4, 0);
	ring_desc(f, 0, 0, FRONT_GPA + HEADER, 16, 0, 0);
	ring_offer(f, 0, 0);
	assert_false(blk_serve(&b->blk, &f->server.queue[0]));
	assert_true(f->server.queue[0].broken);
	assert_int_equal(ring_used_idx(f, 0), 0);
	/* The driver resets it and goes on. */
	front_stop_queue(f, 0);
	front_start_queue(f, 0, 0);
	assert_int_equal(request(b, 0, 0, 512, NULL), 0);
	bench_close(b);
}

/* The same 64 KiB many times over: more than one request may move. */
static void request_size_is_capped(void **state)
{
	struct bench *b = bench_open(false);
	struct front *f = &b->front;
	uint16_t i;

	(void)state;
	assert_int_equal(ftruncate(b->disk, 1 << 26), 0);
	b->blk.sectors = (1 << 26) / BLK_SECTOR;
	put_header(b, 0, 0);
	ring_desc(f, 0, 0, FRONT_GPA + HEADER, 16, F_NEXT, 1);
	for (i = 1; i < 14; i++)
		ring_desc(f, 0, i, FRONT_GPA + 0x20000, 0xC0000, F_NEXT | F_WRITE,
			  (uint16_t)(i + 1));
	ring_desc(f, 0, 14, FRONT_GPA + STATUS, 1, F_WRITE, 0);
	ring_offer(f, 0, 0);
	blk_serve(&b->blk, &f->server.queue[0]);
	assert_int_equal(ring_used_idx(f, 0), 1);
	assert_int_equal(f->ram[STATUS], 1);
	assert_int_equal(f->ram[0x20000], 0);
	bench_close(b);
}

static void file_cut_short_is_an_error(void **state)
{
	struct bench *b = bench_open(false);
	uint32_t used;

	(void)state;
	assert_int_equal(ftruncate(b->disk, 512), 0);
	assert_int_equal(request(b, 0, 0, 512, NULL), 0);
	assert_int_equal(request(b, 0, 0, 1024, &used), 1);
	assert_int_equal(used, 0);
	bench_close(b);
}

static void no_interrupt_when_silenced(void **state)
{
	struct bench *b = bench_open(false);
	struct front *f = &b->front;

	(void)state;
	f->ram[FRONT_AVAIL(0)] = 1;
	put_header(b, 4, 0);
	ring_desc(f, 0, 0, FRONT_GPA + HEADER, 16, F_NEXT, 1);
	ring_desc(f, 0, 1, FRONT_GPA + STATUS, 1, F_WRITE, 0);
	ring_offer(f, 0, 0);
	blk_serve(&b->blk, &f->server.queue[0]);
	assert_int_equal(ring_used_idx(f, 0), 1);
	assert_false(ring_interrupted(f, 0));
	bench_close(b);
}

static void config_tells_the_capacity(void **state)
{
	struct bench *b = bench_open(false);
	uint32_t ask[3 + 2] = { 0, 8, 0 };
	uint8_t reply[VHOST_PAYLOAD_MAX];

	(void)state;
	assert_int_equal(front_send(&b->front, VHOST_GET_CONFIG, 0, ask, 20, NULL, 0), 1);
	assert_int_equal(front_reply(&b->front, VHOST_GET_CONFIG, reply, sizeof(reply)), 20);
	struct reader r = reader_over(reply + 12, 8);
	assert_int_equal(read_le64(&r), SECTORS);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_reads_sectors),
		cmocka_unit_test(out_writes_sectors),
		cmocka_unit_test(capacity_is_a_bound),
		cmocka_unit_test(readonly_refuses_out),
		cmocka_unit_test(access_mode_must_match),
		cmocka_unit_test(flush_id_and_unknown),
		cmocka_unit_test(framing_does_not_matter),
		cmocka_unit_test(short_header_is_an_error),
		cmocka_unit_test(no_status_byte_breaks_the_queue),
		cmocka_unit_test(request_size_is_capped),
		cmocka_unit_test(file_cut_short_is_an_error),
		cmocka_unit_test(no_interrupt_when_silenced),
		cmocka_unit_test(config_tells_the_capacity),
	};

	return cmocka_run_group_tests_name("blk", tests, NULL, NULL);
}
