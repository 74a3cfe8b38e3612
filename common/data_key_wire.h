/* Inside the guest, agent to init: a socket of whole messages (SOCK_SEQPACKET) over which the agent
 * hands the key of the data disk, once, and init answers a text. docs/PROTOCOL.image. */
#ifndef PAVISE_COMMON_DATA_KEY_WIRE_H
#define PAVISE_COMMON_DATA_KEY_WIRE_H

#include <stdint.h>

#define DATA_DISK_KEY 96u /* what dm-crypt gets: 64 for AES-256-XTS, 32 for HMAC-SHA256 */

struct data_key_message {
	uint32_t create; /* 1: make the disk anew */
	uint8_t key[DATA_DISK_KEY];
};

/* The answer: "" when the disk is open, else why not, at most this long. */
#define DATA_KEY_ANSWER_MAX 512u

#endif
