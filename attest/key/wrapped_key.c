#include "attest/key/wrapped_key.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <string.h>

#define MAGIC 0x50564b30u /* "PVK0" */
#define HEADER 8u	  /* magic, flags: authenticated */
#define SEALED (DATA_KEY + HPKE_TAG)
#define INFO "pavise-data-key-v1"

_Static_assert(HEADER + HPKE_ENC + SEALED == WRAPPED_KEY, "docs/PROTOCOL.key");

static struct hpke_context context(const uint8_t *header)
{
	return (struct hpke_context){ .aead = &HPKE_AES_256_GCM,
				      .info = INFO,
				      .info_size = sizeof(INFO) - 1,
				      .aad = header,
				      .aad_size = HEADER };
}

int wrapped_key_make(const struct data_key *k, EVP_PKEY *agent, uint8_t out[WRAPPED_KEY],
		     struct err *e)
{
	struct writer w = writer_over(out, WRAPPED_KEY);
	const struct hpke_context c = context(out);
	EVP_PKEY *ephemeral = EVP_EC_gen("P-256");

	if (ephemeral == NULL)
		return err_set(e, EX_INTERNAL, "wrapped key: libcrypto cannot make a key pair");
	write_be32(&w, MAGIC);
	write_be32(&w, k->flags);
	int r = hpke_seal(&c, ephemeral, agent, k->key, DATA_KEY, out + HEADER,
			  out + HEADER + HPKE_ENC, e);
	EVP_PKEY_free(ephemeral);
	return r;
}

int wrapped_key_open(const uint8_t *data, size_t size, EVP_PKEY *agent, struct data_key *out,
		     struct err *e)
{
	struct reader r = reader_over(data, size);
	const struct hpke_context c = context(data);

	memset(out, 0, sizeof(*out));
	if (size != WRAPPED_KEY)
		return err_set(e, EX_MALFORMED, "wrapped key: %zu bytes instead of %u", size,
			       WRAPPED_KEY);
	if (read_be32(&r) != MAGIC)
		return err_set(e, EX_MALFORMED, "wrapped key: wrong magic at offset 0");
	uint32_t flags = read_be32(&r);
	if ((flags & ~(uint32_t)WRAPPED_KEY_CREATE) != 0)
		return err_set(e, EX_MALFORMED, "wrapped key: unknown flags 0x%x at offset 4",
			       flags);
	int status = hpke_open(&c, agent, data + HEADER, data + HEADER + HPKE_ENC, SEALED, out->key,
			       e);
	if (status == 0)
		out->flags = flags;
	return status;
}

int data_key_id(const uint8_t key[DATA_KEY], uint8_t out[DATA_KEY_ID], struct err *e)
{
	return hpke_hkdf(key, DATA_KEY, "pavise-data-key-id-v1", out, DATA_KEY_ID, e);
}

int data_key_disk(const uint8_t key[DATA_KEY], uint8_t out[DATA_DISK_KEY], struct err *e)
{
	return hpke_hkdf(key, DATA_KEY, "pavise-data-disk-v1", out, DATA_DISK_KEY, e);
}
