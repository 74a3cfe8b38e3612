#include "attest/binding.h"

#include "common/bytes.h"

#include <openssl/evp.h>

/* No part may be mistaken for another: each has a tag and a length, and the prefix keeps the
 * string apart from anything else that an attestation key may sign. */
#define BINDING_PREFIX "pavise-evidence-v1"
#define BINDING_PREFIX_SIZE (sizeof(BINDING_PREFIX) - 1)
#define PART_HEADERS ((size_t)3 * 5) /* a tag and a length of each part */
#define BINDING_MAX (BINDING_PREFIX_SIZE + PART_HEADERS + BINDING_NONCE_MAX + BINDING_PART_MAX + 32)

enum binding_tag { TAG_NONCE = 1, TAG_PUBLIC_KEY = 2, TAG_AK_DIGEST = 3 };

static void write_part(struct writer *w, enum binding_tag tag, const void *data, size_t size)
{
	write_u8(w, (uint8_t)tag);
	write_be32(w, (uint32_t)size);
	write_copy(w, data, size);
}

static int check_parts(const struct binding *b, struct err *e)
{
	if (b->nonce == NULL || b->nonce_size < BINDING_NONCE_MIN ||
	    b->nonce_size > BINDING_NONCE_MAX)
		return err_set(e, EX_MALFORMED, "binding: nonce of %zu bytes: give %u to %u",
			       b->nonce_size, BINDING_NONCE_MIN, BINDING_NONCE_MAX);
	if (b->public_key == NULL || b->public_key_size == 0 ||
	    b->public_key_size > BINDING_PART_MAX)
		return err_set(e, EX_MALFORMED, "binding: agent key of %zu bytes: give 1 to %u",
			       b->public_key_size, BINDING_PART_MAX);
	if (b->ak_public != NULL &&
	    (b->ak_public_size == 0 || b->ak_public_size > BINDING_PART_MAX))
		return err_set(e, EX_MALFORMED,
			       "binding: attestation key of %zu bytes: give 1 to %u",
			       b->ak_public_size, BINDING_PART_MAX);
	return 0;
}

static int digest(const struct binding *b, const EVP_MD *md, uint8_t *out, struct err *e)
{
	uint8_t text[BINDING_MAX], ak_digest[32];
	struct writer w = writer_over(text, sizeof(text));
	int r = check_parts(b, e);

	if (r < 0)
		return r;
	write_copy(&w, BINDING_PREFIX, BINDING_PREFIX_SIZE);
	write_part(&w, TAG_NONCE, b->nonce, b->nonce_size);
	write_part(&w, TAG_PUBLIC_KEY, b->public_key, b->public_key_size);
	if (b->ak_public != NULL) {
		if (!EVP_Digest(b->ak_public, b->ak_public_size, ak_digest, NULL, EVP_sha256(),
				NULL))
			return err_set(e, EX_INTERNAL, "binding: libcrypto refuses SHA-256");
		write_part(&w, TAG_AK_DIGEST, ak_digest, sizeof(ak_digest));
	}
	if (w.bad || !EVP_Digest(text, w.pos, out, NULL, md, NULL))
		return err_set(e, EX_INTERNAL, "binding: cannot hash %zu bytes", w.pos);
	return 0;
}

int binding_sha256(const struct binding *b, uint8_t out[32], struct err *e)
{
	return digest(b, EVP_sha256(), out, e);
}

int binding_sha512(const struct binding *b, uint8_t out[64], struct err *e)
{
	return digest(b, EVP_sha512(), out, e);
}
