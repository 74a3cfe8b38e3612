/* The vhost-user protocol: numbers from "Vhost-user Protocol" (QEMU, docs/interop), the part
 * that a back end of ours speaks. A message is a 12-byte header {request, flags, size}, all
 * 32-bit host order, and `size` bytes of payload. Only what this file names is accepted. */
#ifndef PAVISE_DEVICES_VHOST_PROTO_H
#define PAVISE_DEVICES_VHOST_PROTO_H

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
};

#define VHOST_HEADER_SIZE 12u
#define VHOST_VERSION 1u
#define VHOST_VERSION_MASK 3u
#define VHOST_FLAG_REPLY (1u << 2)
#define VHOST_FLAG_NEED_REPLY (1u << 3)

/* Payload sizes, bytes. */
#define VHOST_U64_SIZE 8u
#define VHOST_STATE_SIZE 8u     /* {u32 index, u32 num} */
#define VHOST_ADDR_SIZE 40u     /* {u32 index, u32 flags, u64 desc, used, avail, log} */
#define VHOST_REGION_SIZE 32u   /* {u64 gpa, size, user address, mmap offset} */
#define VHOST_TABLE_HEADER 8u   /* {u32 count, u32 padding} before the regions */
#define VHOST_CONFIG_HEADER 12u /* {u32 offset, u32 size, u32 flags} before the bytes */
#define VHOST_CONFIG_MAX 256u
#define VHOST_REGIONS_MAX 8u
#define VHOST_PAYLOAD_MAX (VHOST_CONFIG_HEADER + VHOST_CONFIG_MAX)

#define VHOST_VRING_INDEX_MASK 0xFFull /* in the u64 of KICK, CALL, ERR */
#define VHOST_VRING_NO_FD (1ull << 8)

#define VHOST_F_PROTOCOL_FEATURES (1ull << 30)
#define VHOST_PROTOCOL_MQ (1ull << 0)
#define VHOST_PROTOCOL_REPLY_ACK (1ull << 3)
#define VHOST_PROTOCOL_CONFIG (1ull << 9)

#define VIRTIO_F_VERSION_1 (1ull << 32)

#endif
