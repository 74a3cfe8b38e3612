/* The back end goes away, or silent, while the device runs: the device needs a reset that never
 * succeeds, and the VM lives on. The test does that when it sees "running", then lets it go on. */
#include "tests/guests/lib/virtio.h"

void guest_main(void)
{
	struct virtio v = { 0 };

	if (!virtio_find(&v, 2)) {
		put_text("no disk\n");
		power_off();
	}
	put_value("status", virtio_start(&v, NO_VECTOR));
	put_text("running\n");
	while (mmio_read8(GUEST_GO_GPA) != GUEST_GO_VALUE)
		(void)in8(0x80);
	virtio_set_status(&v, 0);
	put_value("after reset", virtio_status(&v));
	virtio_set_status(&v, 0);
	put_value("after reset", virtio_status(&v));
	power_off();
}
