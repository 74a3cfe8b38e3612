#include "attest/key/hpke.h"

#include "common/bytes.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <string.h>

#define NH 32u /* SHA-256 */
#define NN 12u /* nonce of AES-GCM */
#define KEM_ID 0x0010u
#define KDF_ID 0x0001u
#define MODE_BASE 0x00u
#define LABELED_MAX 512u /* bytes of one labelled input; ours are far below */

const struct hpke_aead HPKE_AES_128_GCM = { 0x0001, 16, EVP_aes_128_gcm };
const struct hpke_aead HPKE_AES_256_GCM = { 0x0002, 32, EVP_aes_256_gcm };

struct span {
	const void *data;
	size_t size;
};

/* What labels begin with: "KEM" or "HPKE" and the numbers of the algorithms. */
struct suite_id {
	uint8_t bytes[10];
	size_t size;
};

static int failed(struct err *e, const char *what)
{
	return err_set(e, EX_INTERNAL, "HPKE: libcrypto: %s failed", what);
}

static int hkdf(int mode, struct span key, struct span salt, struct span info, uint8_t *out,
		size_t size, struct err *e)
{
	static char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.data, key.size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.data,
						  salt.size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.data,
						  info.size),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	int good = ctx != NULL && EVP_KDF_derive(ctx, out, size, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good ? 0 : failed(e, "HKDF");
}

/* No salt is a salt of zeros (RFC 5869 section 2.2); written out, since libcrypto's empty
 * parameters differ between versions. */
static const uint8_t no_salt[NH];

static void write_text(struct writer *w, const char *text)
{
	write_copy(w, text, strlen(text));
}

/* LabeledExtract of section 4. salt.size 0: none. */
static int extract(const struct suite_id *id, struct span salt, const char *label, struct span ikm,
		   uint8_t out[NH], struct err *e)
{
	uint8_t input[LABELED_MAX];
	struct writer w = writer_over(input, sizeof(input));
	const struct span none = { no_salt, sizeof(no_salt) };

	write_text(&w, "HPKE-v1");
	write_copy(&w, id->bytes, id->size);
	write_text(&w, label);
	write_copy(&w, ikm.data, ikm.size);
	if (w.bad)
		return failed(e, label);
	int r = hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, (struct span){ input, w.pos },
		     salt.size != 0 ? salt : none, none, out, NH, e);
	OPENSSL_cleanse(input, sizeof(input));
	return r;
}

/* LabeledExpand of section 4. */
static int expand(const struct suite_id *id, const uint8_t prk[NH], const char *label,
		  struct span info, uint8_t *out, size_t size, struct err *e)
{
	uint8_t input[LABELED_MAX];
	struct writer w = writer_over(input, sizeof(input));

	write_be16(&w, (uint16_t)size);
	write_text(&w, "HPKE-v1");
	write_copy(&w, id->bytes, id->size);
	write_text(&w, label);
	write_copy(&w, info.data, info.size);
	if (w.bad)
		return failed(e, label);
	return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, (struct span){ prk, NH },
		    (struct span){ no_salt, sizeof(no_salt) }, (struct span){ input, w.pos }, out,
		    size, e);
}

int hpke_hkdf(const uint8_t *key, size_t key_size, const char *info, uint8_t *out, size_t out_size,
	      struct err *e)
{
	return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, (struct span){ key, key_size },
		    (struct span){ no_salt, sizeof(no_salt) }, (struct span){ info, strlen(info) },
		    out, out_size, e);
}

/* The uncompressed point of a P-256 key. */
static int point_of(EVP_PKEY *key, uint8_t out[HPKE_ENC], struct err *e)
{
	char group[32] = "";
	uint8_t *point = NULL;
	size_t size = 0;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return err_set(e, EX_MALFORMED, "key: not an EC key of P-256");
	size = EVP_PKEY_get1_encoded_public_key(key, &point);
	if (size == HPKE_ENC)
		memcpy(out, point, HPKE_ENC);
	OPENSSL_free(point);
	return size == HPKE_ENC ? 0 : failed(e, "encoding of a point");
}

/* The x coordinate that both reach (section 4.1, "DH"). libcrypto checks that peer is on the curve,
 * whose order is prime: no point of small order exists. */
static int diffie_hellman(EVP_PKEY *own, EVP_PKEY *peer, uint8_t out[32], struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t size = 32;
	int good = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		   EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		   EVP_PKEY_derive(ctx, out, &size) == 1 && size == 32;

	EVP_PKEY_CTX_free(ctx);
	return good ? 0 : failed(e, "ECDH");
}

/* ExtractAndExpand of section 4.1, over the ephemeral point and the recipient's. */
static int shared_secret(const uint8_t dh[32], const uint8_t enc[HPKE_ENC],
			 const uint8_t recipient[HPKE_ENC], uint8_t out[NH], struct err *e)
{
	static const struct suite_id id = { { 'K', 'E', 'M', KEM_ID >> 8, KEM_ID & 0xff }, 5 };
	uint8_t prk[NH], context[2 * HPKE_ENC];

	memcpy(context, enc, HPKE_ENC);
	memcpy(context + HPKE_ENC, recipient, HPKE_ENC);
	int r = extract(&id, (struct span){ NULL, 0 }, "eae_prk", (struct span){ dh, 32 }, prk, e);
	if (r == 0)
		r = expand(&id, prk, "shared_secret", (struct span){ context, sizeof(context) },
			   out, NH, e);
	OPENSSL_cleanse(prk, sizeof(prk));
	return r;
}

struct schedule {
	uint8_t key[32], nonce[NN]; /* of the first and only message: base_nonce itself */
};

/* KeySchedule of section 5.1, mode base: no pre-shared key. */
static int key_schedule(const struct hpke_context *c, const uint8_t shared[NH],
			struct schedule *out, struct err *e)
{
	const struct suite_id id = { { 'H', 'P', 'K', 'E', KEM_ID >> 8, KEM_ID & 0xff, KDF_ID >> 8,
				       KDF_ID & 0xff, (uint8_t)(c->aead->id >> 8),
				       (uint8_t)c->aead->id },
				     10 };
	const struct span none = { NULL, 0 };
	uint8_t context[1 + 2 * NH] = { MODE_BASE }, secret[NH];
	const struct span whole = { context, sizeof(context) };
	int r = extract(&id, none, "psk_id_hash", none, context + 1, e);

	if (r == 0)
		r = extract(&id, none, "info_hash", (struct span){ c->info, c->info_size },
			    context + 1 + NH, e);
	if (r == 0)
		r = extract(&id, (struct span){ shared, NH }, "secret", none, secret, e);
	if (r == 0)
		r = expand(&id, secret, "key", whole, out->key, c->aead->key_size, e);
	if (r == 0)
		r = expand(&id, secret, "base_nonce", whole, out->nonce, NN, e);
	OPENSSL_cleanse(secret, sizeof(secret));
	return r;
}

/* From the two points to key and nonce. own: whichever of both keys is a pair. */
static int agree(const struct hpke_context *c, EVP_PKEY *own, EVP_PKEY *peer,
		 const uint8_t enc[HPKE_ENC], const uint8_t recipient[HPKE_ENC],
		 struct schedule *out, struct err *e)
{
	uint8_t dh[32], shared[NH];
	int r = diffie_hellman(own, peer, dh, e);

	if (r == 0)
		r = shared_secret(dh, enc, recipient, shared, e);
	if (r == 0)
		r = key_schedule(c, shared, out, e);
	OPENSSL_cleanse(dh, sizeof(dh));
	OPENSSL_cleanse(shared, sizeof(shared));
	return r;
}

static int encrypt(const struct hpke_context *c, const struct schedule *s, const uint8_t *plain,
		   size_t size, uint8_t *out, struct err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	int good = ctx != NULL && size <= INT_MAX && c->aad_size <= INT_MAX &&
		   EVP_EncryptInit_ex2(ctx, c->aead->cipher(), s->key, s->nonce, NULL) == 1 &&
		   EVP_EncryptUpdate(ctx, NULL, &n, c->aad, (int)c->aad_size) == 1 &&
		   EVP_EncryptUpdate(ctx, out, &n, plain, (int)size) == 1 &&
		   EVP_EncryptFinal_ex(ctx, out + n, &n) == 1 &&
		   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, HPKE_TAG, out + size) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return good ? 0 : failed(e, "AES-GCM");
}

static int decrypt(const struct hpke_context *c, const struct schedule *s, const uint8_t *sealed,
		   size_t size, uint8_t *out, struct err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[HPKE_TAG];
	int n = 0;

	memcpy(tag, sealed + size, HPKE_TAG);
	int good = ctx != NULL && size <= INT_MAX && c->aad_size <= INT_MAX &&
		   EVP_DecryptInit_ex2(ctx, c->aead->cipher(), s->key, s->nonce, NULL) == 1 &&
		   EVP_DecryptUpdate(ctx, NULL, &n, c->aad, (int)c->aad_size) == 1 &&
		   EVP_DecryptUpdate(ctx, out, &n, sealed, (int)size) == 1 &&
		   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, HPKE_TAG, tag) == 1 &&
		   EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	if (good)
		return 0;
	OPENSSL_cleanse(out, size);
	return err_set(e, EX_UNAUTHENTIC, "HPKE: not encrypted to this key, or changed since");
}

int hpke_seal(const struct hpke_context *c, EVP_PKEY *ephemeral, EVP_PKEY *recipient,
	      const uint8_t *plain, size_t size, uint8_t enc[HPKE_ENC], uint8_t *out,
	      struct err *e)
{
	uint8_t point[HPKE_ENC];
	struct schedule s = { { 0 }, { 0 } };
	int r = point_of(recipient, point, e);

	if (r == 0)
		r = point_of(ephemeral, enc, e);
	if (r == 0)
		r = agree(c, ephemeral, recipient, enc, point, &s, e);
	if (r == 0)
		r = encrypt(c, &s, plain, size, out, e);
	OPENSSL_cleanse(&s, sizeof(s));
	return r;
}

/* The sender's point, on the curve of key. */
static EVP_PKEY *peer_of(EVP_PKEY *key, const uint8_t enc[HPKE_ENC])
{
	EVP_PKEY *peer = EVP_PKEY_new();

	if (peer != NULL && EVP_PKEY_copy_parameters(peer, key) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(peer, enc, HPKE_ENC) == 1)
		return peer;
	EVP_PKEY_free(peer);
	return NULL;
}

int hpke_open(const struct hpke_context *c, EVP_PKEY *recipient, const uint8_t enc[HPKE_ENC],
	      const uint8_t *sealed, size_t size, uint8_t *out, struct err *e)
{
	uint8_t point[HPKE_ENC];
	struct schedule s = { { 0 }, { 0 } };
	int r = point_of(recipient, point, e);

	if (r < 0)
		return r;
	if (size < HPKE_TAG || enc[0] != 0x04)
		return err_set(e, EX_UNAUTHENTIC, "HPKE: too short, or no uncompressed point");
	EVP_PKEY *peer = peer_of(recipient, enc);
	if (peer == NULL)
		return err_set(e, EX_UNAUTHENTIC, "HPKE: the sender's point is not on the curve");
	r = agree(c, recipient, peer, enc, point, &s, e);
	if (r == 0)
		r = decrypt(c, &s, sealed, size - HPKE_TAG, out, e);
	OPENSSL_cleanse(&s, sizeof(s));
	EVP_PKEY_free(peer);
	return r;
}
