/* Three illegal orders. After each the device needs a reset and does nothing else: a request is
 * not served, however legal the rest is. After a reset the legal order works. */
#include "tests/guests/lib/virtio.h"

static struct virtio v;

static void request(const char *name)
{
	blk_prepare_read(0);
	mmio_write64(BLK_DATA, 0x5555555555555555);
	ring_offer(&v, 0, 0);
	put_value(name, ring_used_soon(0, 1));
	put_value("untouched", mmio_read64(BLK_DATA) == 0x5555555555555555 &&
		  mmio_read8(BLK_STATUS) == 0xEE);
}

static void carry_on_as_if_nothing_had_happened(void)
{
	mmio_write32(v.common + COMMON_DRIVER_FEATURE, 1);
	virtio_set_status(&v, 11);
	virtio_set_up_queue(&v, 0, NO_VECTOR);
	virtio_set_status(&v, 15);
	put_value("status", virtio_status(&v));
	request("served");
	virtio_reset(&v);
	put_value("after reset", virtio_status(&v));
}

static void driver_ok_without_features_ok(void)
{
	put_text("driver ok without features ok\n");
	virtio_reset(&v);
	virtio_set_status(&v, 1);
	virtio_set_status(&v, 3);
	virtio_set_status(&v, 7);
	put_value("status", virtio_status(&v));
	carry_on_as_if_nothing_had_happened();
}

static void features_after_features_ok(void)
{
	put_text("features after features ok\n");
	virtio_negotiate(&v);
	mmio_write32(v.common + COMMON_DRIVER_FEATURE, 1);
	put_value("status", virtio_status(&v));
	carry_on_as_if_nothing_had_happened();
}

/* The order behind the escapes from other monitors. */
static void ring_moved_while_running(void)
{
	put_text("ring moved while running\n");
	put_value("status", virtio_start(&v, NO_VECTOR));
	mmio_write32(v.common + COMMON_DEVICE, BUFFER_GPA + 0x8000);
	put_value("status", virtio_status(&v));
	put_value("ring", mmio_read32(v.common + COMMON_DEVICE));
	carry_on_as_if_nothing_had_happened();
}

void guest_main(void)
{
	if (!virtio_find(&v, 2)) {
		put_text("no disk\n");
		power_off();
	}
	driver_ok_without_features_ok();
	features_after_features_ok();
	ring_moved_while_running();
	put_text("legal\n");
	put_value("status", virtio_start(&v, NO_VECTOR));
	blk_prepare_read(0);
	ring_offer(&v, 0, 0);
	put_value("served", ring_wait_used(0, 1));
	power_off();
}
