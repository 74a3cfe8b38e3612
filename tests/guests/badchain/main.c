/* Chains no device may follow: a loop, one longer than the ring, buffers outside RAM, in the MMIO
 * hole and across the end. Nothing is written, the queue is done for until reset, the VM lives. */
#include "tests/guests/lib/virtio.h"

#define PATTERN 0xA5A5A5A5A5A5A5A5

static struct virtio v;

static void fill(void)
{
	for (uint64_t a = BLK_DATA; a < BLK_DATA + 512; a += 8)
		mmio_write64(a, PATTERN);
}

static bool untouched(void)
{
	for (uint64_t a = BLK_DATA; a < BLK_DATA + 512; a += 8)
		if (mmio_read64(a) != PATTERN)
			return false;
	return mmio_read8(BLK_STATUS) == 0xEE;
}

static void make_loop(void)
{
	ring_set(0, 1, BLK_DATA, 512, DESC_NEXT | DESC_WRITE, 1);
}

static void make_long(void)
{
	for (uint16_t i = 1; i < RING_SIZE; i++)
		ring_set(0, i, BLK_DATA, 64, DESC_NEXT | DESC_WRITE, (uint16_t)(i + 1));
}

static void make_outside(void)
{
	ring_set(0, 1, 0x40000000, 512, DESC_NEXT | DESC_WRITE, 2);
}

static void make_mmio(void)
{
	ring_set(0, 1, v.bar, 512, DESC_NEXT | DESC_WRITE, 2);
}

static void make_crossing(void)
{
	ring_set(0, 1, 0x1000000 - 256, 512, DESC_NEXT | DESC_WRITE, 2);
}

static void make_wrapping(void)
{
	ring_set(0, 1, 0xFFFFFFFFFFFFFF00, 512, DESC_NEXT | DESC_WRITE, 2);
}

static void break_with(const char *name, void (*make)(void))
{
	put_text(name);
	put_text("\n");
	put_value("status", virtio_start(&v, NO_VECTOR));
	blk_prepare_read(0);
	make();
	fill();
	ring_offer(&v, 0, 0);
	put_value("used", ring_used_soon(0, 1));
	put_value("untouched", untouched());
	/* A legal request after it: the queue is broken. */
	blk_prepare_read(0);
	ring_offer(&v, 0, 0);
	put_value("used later", ring_used_soon(0, 1));
	put_value("untouched", untouched());
}

void guest_main(void)
{
	if (!virtio_find(&v, 2)) {
		put_text("no disk\n");
		power_off();
	}
	break_with("loop", make_loop);
	break_with("long", make_long);
	break_with("outside", make_outside);
	break_with("mmio", make_mmio);
	break_with("crossing", make_crossing);
	break_with("wrapping", make_wrapping);
	put_text("legal\n");
	put_value("status", virtio_start(&v, NO_VECTOR));
	blk_prepare_read(0);
	ring_offer(&v, 0, 0);
	put_value("used", ring_wait_used(0, 1));
	power_off();
}
