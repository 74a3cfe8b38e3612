/* The legal handshake, then sector 0 of the disk. */
#include "tests/guests/lib/virtio.h"

static void put_data(void)
{
	char text[17] = { 0 };

	for (unsigned i = 0; i < 16; i++)
		text[i] = (char)mmio_read8(BLK_DATA + i);
	put_text(text);
	put_text("\n");
}

void guest_main(void)
{
	struct virtio v = { 0 };

	if (!virtio_find(&v, 2)) {
		put_text("no disk\n");
		power_off();
	}
	put_value("negotiated", virtio_negotiate(&v));
	virtio_set_up_queue(&v, 0, NO_VECTOR);
	virtio_set_status(&v, 15);
	put_value("status", virtio_status(&v));
	blk_prepare_read(0);
	ring_offer(&v, 0, 0);
	put_value("used", ring_wait_used(0, 1));
	put_value("length", ring_last_length(0));
	put_value("result", mmio_read8(BLK_STATUS));
	put_data();
	/* After a reset everything begins anew. */
	put_value("again", virtio_start(&v, NO_VECTOR));
	blk_prepare_read(1);
	ring_offer(&v, 0, 0);
	put_value("used", ring_wait_used(0, 1));
	put_data();
	power_off();
}
