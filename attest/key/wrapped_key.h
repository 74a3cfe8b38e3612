/* The key of a data disk on its way to a guest: docs/PROTOCOL.key. */
#ifndef PAVISE_ATTEST_KEY_WRAPPED_KEY_H
#define PAVISE_ATTEST_KEY_WRAPPED_KEY_H

#include "attest/key/hpke.h"
#include "common/data_key_wire.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define DATA_KEY 32u	  /* bytes: what its owner keeps */
#define DATA_KEY_ID 32u	  /* names a key, tells nothing of it */
#define WRAPPED_KEY 121u

enum { WRAPPED_KEY_CREATE = 1u }; /* flag: the disk may be made anew, what it has is lost */

struct data_key {
	uint32_t flags;
	uint8_t key[DATA_KEY];
};

/* Encrypts k to the P-256 public key of an agent; each call gives other bytes. -EX_MALFORMED: not
 * such a key; -EX_INTERNAL. */
int wrapped_key_make(const struct data_key *k, EVP_PKEY *agent, uint8_t out[WRAPPED_KEY],
		     struct err *e);

/* The reverse, with the agent's key pair; size bytes from outside. -EX_MALFORMED: size, magic or
 * flags; -EX_UNAUTHENTIC: for another key, or changed. Then *out is all zero. */
int wrapped_key_open(const uint8_t *data, size_t size, EVP_PKEY *agent, struct data_key *out,
		     struct err *e);

/* -EX_INTERNAL. */
int data_key_id(const uint8_t key[DATA_KEY], uint8_t out[DATA_KEY_ID], struct err *e);
int data_key_disk(const uint8_t key[DATA_KEY], uint8_t out[DATA_DISK_KEY], struct err *e);

#endif
