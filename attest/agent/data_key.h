/* The key of the guest's data disk: from the channel, where it is wrapped (docs/PROTOCOL.key), to
 * the guest's init, which waits for it (docs/PROTOCOL.image). */
#ifndef PAVISE_ATTEST_AGENT_DATA_KEY_H
#define PAVISE_ATTEST_AGENT_DATA_KEY_H

#include "attest/key/wrapped_key.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct data_key_port {
	int init;		 /* the socket to init; -1: this guest has no data disk */
	uint8_t id[DATA_KEY_ID]; /* of the one key that the measured command line names */
	bool given;		 /* init takes one key */
};

/* Unwraps size bytes from outside with the agent's key pair, hands the disk's key to init and waits
 * until the disk is open. -EX_MALFORMED, -EX_UNAUTHENTIC: as wrapped_key_open; -EX_REFUSED: another
 * key than the one named, or there is nothing to open; -EX_GUEST: init's own text. */
int data_key_take(struct data_key_port *p, EVP_PKEY *agent, const uint8_t *wrapped, size_t size,
		  struct err *e);

#endif
