/* A hostile ring: the input is the guest's whole memory, rings included, and where they lie.
 *   0 log2 of the queue size (modulo 9)   1 bit 0: do not align ring offsets
 *   2 u16 base   4 u16 offsets of descriptor table, available ring, used ring   10 memory
 * The memory is mapped between guard pages, so an access outside ends the run. Checked: each
 * chain is bounded by the queue and lies inside memory, sums are right, what the guest changes
 * after the copy changes nothing, and each turn does a bounded amount of work. */
#include "common/bytes.h"
#include "devices/virtqueue.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM 16384u
#define GPA 0x10000ull
#define PREFIX 10u
#define TURNS 600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *ram;
static struct guest_memory memory;
static struct devlog log_off = { .fd = -1, .name = "fuzz" };

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void set_up(void)
{
	struct err e = { 0 };
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING);

	require(fd >= 0 && ftruncate(fd, RAM) == 0);
	require(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require(ram != MAP_FAILED);
	require(guest_memory_map(&memory, GPA, RAM, GPA, fd, 0, &e) == 0);
}

static void check_chain(const struct virtqueue *q, const struct vq_chain *c)
{
	uint64_t readable = 0, writable = 0;

	require(c->count >= 1 && c->count <= q->size && c->readable_count <= c->count);
	require(c->head < q->size);
	for (unsigned i = 0; i < c->count; i++) {
		const struct vq_segment *s = &c->segment[i];

		require(s->size >= 1 && s->gpa >= GPA && s->gpa + s->size <= GPA + RAM);
		if (i < c->readable_count)
			readable += s->size;
		else
			writable += s->size;
	}
	require(readable == c->readable && writable == c->writable);
	require(readable + writable <= VQ_CHAIN_BYTES_MAX);
}

/* Everything readable goes through; then a few bytes are put into the writable part. */
static void use_chain(const struct virtqueue *q, const struct vq_chain *c)
{
	static uint8_t buffer[1000];
	struct vq_cursor r = vq_reader(c), w = vq_writer(c);
	uint64_t left = c->readable;

	for (; left >= sizeof(buffer); left -= sizeof(buffer))
		require(vq_read(q, &r, buffer, sizeof(buffer)));
	require(vq_read(q, &r, buffer, (size_t)left));
	require(!vq_read(q, &r, buffer, 1));
	left = c->writable < 64 ? c->writable : 64;
	require(vq_write(q, &w, buffer, (size_t)left));
	if (c->writable <= 64)
		require(!vq_write(q, &w, buffer, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chain;
	struct reader r = reader_over(data, size);
	struct virtqueue q;

	if (ram == NULL)
		set_up();
	if (size < PREFIX || size > PREFIX + RAM)
		return 0;
	vq_init(&q, 0, &memory, &log_off);
	q.size = 1u << (read_u8(&r) % 9);
	bool raw = (read_u8(&r) & 1) != 0;
	q.next = read_le16(&r);
	uint64_t desc = read_le16(&r), avail = read_le16(&r), used = read_le16(&r);
	memset(ram, 0, RAM);
	memcpy(ram, data + PREFIX, size - PREFIX);
	if (!raw) {
		desc &= ~15ull;
		avail &= ~1ull;
		used &= ~3ull;
	}
	if (!vq_configure(&q, GPA + desc, GPA + avail, GPA + used))
		return 0;
	q.enabled = true;
	for (unsigned turn = 0; turn < TURNS && vq_peek(&q, &chain); turn++) {
		check_chain(&q, &chain);
		/* The guest rewrites its table behind our back. */
		if (turn % 4 == 3)
			memset(ram + desc, 0xFF, (size_t)16 * q.size);
		check_chain(&q, &chain);
		use_chain(&q, &chain);
		uint16_t before = q.next;
		vq_done(&q, &chain, (uint32_t)(chain.writable < 64 ? chain.writable : 64));
		require(q.next == (uint16_t)(before + 1));
	}
	vq_notify(&q);
	return 0;
}
