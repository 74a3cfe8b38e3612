/* A vsock connection to the host (virtio 1.2 §5.10): REQUEST, RESPONSE, one byte of data. */
#include "tests/guests/lib/virtio.h"

#define RX 0
#define TX 1
#define RX_BUFFER (BUFFER_GPA + 0x4000)
#define TX_BUFFER (BUFFER_GPA + 0x5000)
#define HEADER    44u

enum { OP_REQUEST = 1, OP_RESPONSE = 2, OP_RW = 5 };

/* struct virtio_vsock_hdr, §5.10.6. */
static void make_packet(uint64_t cid, uint16_t op, uint32_t length)
{
	mmio_write64(TX_BUFFER, cid);
	mmio_write64(TX_BUFFER + 8, 2);      /* the host */
	mmio_write32(TX_BUFFER + 16, 5000);
	mmio_write32(TX_BUFFER + 20, 1024);
	mmio_write32(TX_BUFFER + 24, length);
	mmio_write16(TX_BUFFER + 28, 1);     /* stream */
	mmio_write16(TX_BUFFER + 30, op);
	mmio_write32(TX_BUFFER + 32, 0);
	mmio_write32(TX_BUFFER + 36, 4096);  /* our buffer space */
	mmio_write32(TX_BUFFER + 40, 0);
	ring_set(TX, 0, TX_BUFFER, HEADER + length, 0, 0);
}

void guest_main(void)
{
	struct virtio v = { 0 };
	uint64_t cid;

	if (!virtio_find(&v, 19)) {
		put_text("no vsock\n");
		power_off();
	}
	put_value("queues", mmio_read16(v.common + COMMON_NUM_QUEUES));
	cid = mmio_read32(v.config) | (uint64_t)mmio_read32(v.config + 4) << 32;
	put_value("cid", cid);
	virtio_negotiate(&v);
	for (uint16_t queue = 0; queue < 3; queue++)
		virtio_set_up_queue(&v, queue, NO_VECTOR);
	virtio_set_status(&v, 15);
	put_value("status", virtio_status(&v));
	ring_set(RX, 0, RX_BUFFER, 0x1000, DESC_WRITE, 0);
	ring_offer(&v, RX, 0);
	make_packet(cid, OP_REQUEST, 0);
	ring_offer(&v, TX, 0);
	put_value("answered", ring_wait_used(RX, 1));
	put_value("op", mmio_read16(RX_BUFFER + 30));
	make_packet(cid, OP_RW, 1);
	mmio_write8(TX_BUFFER + HEADER, '!');
	ring_offer(&v, TX, 0);
	ring_wait_used(TX, 2);
	power_off();
}
