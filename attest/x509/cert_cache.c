#include "attest/x509/cert_cache.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint8_t *text; /* owned; NULL: free */
	size_t size;
	uint8_t digest[32]; /* SHA-256 of text */
	X509 *cert;	    /* a reference */
	uint64_t used;	    /* when last */
	enum cert_note kind;
	size_t note_size;
	uint8_t note[CERT_CACHE_NOTE_MAX];
};

struct proof {
	uint8_t object[32], signer[32]; /* SHA-256 of the texts of both */
	uint64_t used;			/* when last; 0: free */
};

struct key {
	uint8_t point[CERT_CACHE_POINT_SIZE];
	EVP_PKEY *key; /* a reference; NULL: free */
	uint64_t used; /* when last */
};

struct cert_cache {
	struct entry entry[CERT_CACHE_CERTS];
	struct proof proof[CERT_CACHE_PROOFS];
	struct key key[CERT_CACHE_KEYS];
	uint64_t now; /* counts uses */
};

struct cert_cache *cert_cache_new(void)
{
	return calloc(1, sizeof(struct cert_cache));
}

static void forget(struct entry *x)
{
	X509_free(x->cert);
	free(x->text);
	*x = (struct entry){ 0 };
}

void cert_cache_free(struct cert_cache *c)
{
	for (size_t i = 0; c != NULL && i < CERT_CACHE_CERTS; i++)
		forget(&c->entry[i]);
	for (size_t i = 0; c != NULL && i < CERT_CACHE_KEYS; i++)
		EVP_PKEY_free(c->key[i].key);
	free(c);
}

/* A certificate's text has its end in itself, so no text is the beginning of another one. */
static struct entry *entry_of_text(struct cert_cache *c, const uint8_t *data, size_t size)
{
	for (size_t i = 0; c != NULL && i < CERT_CACHE_CERTS; i++) {
		struct entry *x = &c->entry[i];
		if (x->text != NULL && x->size <= size && memcmp(x->text, data, x->size) == 0)
			return x;
	}
	return NULL;
}

X509 *cert_cache_find(struct cert_cache *c, const uint8_t *data, size_t size, size_t *used)
{
	struct entry *x = entry_of_text(c, data, size);

	if (x == NULL || !X509_up_ref(x->cert))
		return NULL;
	x->used = ++c->now;
	*used = x->size;
	return x->cert;
}

static struct entry *entry_to_fill(struct cert_cache *c)
{
	struct entry *oldest = &c->entry[0];

	for (size_t i = 0; i < CERT_CACHE_CERTS; i++) {
		if (c->entry[i].text == NULL)
			return &c->entry[i];
		if (c->entry[i].used < oldest->used)
			oldest = &c->entry[i];
	}
	forget(oldest);
	return oldest;
}

void cert_cache_add(struct cert_cache *c, const uint8_t *text, size_t size, X509 *cert)
{
	struct entry made = { .size = size, .cert = cert };

	if (c == NULL || size == 0 || size > CERT_CACHE_TEXT_MAX ||
	    entry_of_text(c, text, size) != NULL ||
	    EVP_Digest(text, size, made.digest, NULL, EVP_sha256(), NULL) != 1)
		return;
	made.text = malloc(size);
	if (made.text == NULL)
		return;
	if (!X509_up_ref(cert)) {
		free(made.text);
		return;
	}
	memcpy(made.text, text, size);
	made.used = ++c->now;
	*entry_to_fill(c) = made;
}

/* By address: while the cache holds its reference, no other certificate can have the same. */
static struct entry *entry_of_cert(struct cert_cache *c, const X509 *cert)
{
	for (size_t i = 0; c != NULL && i < CERT_CACHE_CERTS; i++)
		if (c->entry[i].text != NULL && c->entry[i].cert == cert)
			return &c->entry[i];
	return NULL;
}

bool cert_cache_digest(struct cert_cache *c, const X509 *cert, uint8_t out[32])
{
	struct entry *x = entry_of_cert(c, cert);

	if (x == NULL)
		return false;
	x->used = ++c->now;
	memcpy(out, x->digest, sizeof(x->digest));
	return true;
}

bool cert_cache_noted(struct cert_cache *c, const X509 *cert, enum cert_note kind, void *out,
		      size_t size)
{
	const struct entry *x = entry_of_cert(c, cert);

	if (x == NULL || x->kind != kind || x->note_size != size)
		return false;
	memcpy(out, x->note, size);
	return true;
}

void cert_cache_note(struct cert_cache *c, const X509 *cert, enum cert_note kind, const void *note,
		     size_t size)
{
	struct entry *x = entry_of_cert(c, cert);

	if (x == NULL || size > sizeof(x->note))
		return;
	x->kind = kind;
	x->note_size = size;
	memcpy(x->note, note, size);
}

static struct proof *proof_of(struct cert_cache *c, const uint8_t object[32],
			      const uint8_t signer[32])
{
	for (size_t i = 0; i < CERT_CACHE_PROOFS; i++) {
		struct proof *p = &c->proof[i];
		if (p->used != 0 && memcmp(p->object, object, sizeof(p->object)) == 0 &&
		    memcmp(p->signer, signer, sizeof(p->signer)) == 0)
			return p;
	}
	return NULL;
}

bool cert_cache_holds(struct cert_cache *c, const uint8_t object[32], const X509 *signer)
{
	uint8_t digest[32];

	if (!cert_cache_digest(c, signer, digest))
		return false;
	struct proof *p = proof_of(c, object, digest);
	if (p != NULL)
		p->used = ++c->now;
	return p != NULL;
}

void cert_cache_held(struct cert_cache *c, const uint8_t object[32], const X509 *signer)
{
	struct proof made = { 0 };

	if (!cert_cache_digest(c, signer, made.signer) || proof_of(c, object, made.signer) != NULL)
		return;
	memcpy(made.object, object, sizeof(made.object));
	made.used = ++c->now;
	/* A free one has never been used. */
	struct proof *oldest = &c->proof[0];
	for (size_t i = 1; i < CERT_CACHE_PROOFS; i++)
		if (c->proof[i].used < oldest->used)
			oldest = &c->proof[i];
	*oldest = made;
}

EVP_PKEY *cert_cache_key(struct cert_cache *c, const uint8_t *point)
{
	for (size_t i = 0; c != NULL && i < CERT_CACHE_KEYS; i++) {
		struct key *k = &c->key[i];
		if (k->key != NULL && memcmp(k->point, point, sizeof(k->point)) == 0 &&
		    EVP_PKEY_up_ref(k->key)) {
			k->used = ++c->now;
			return k->key;
		}
	}
	return NULL;
}

void cert_cache_add_key(struct cert_cache *c, const uint8_t *point, EVP_PKEY *key)
{
	if (c == NULL || !EVP_PKEY_up_ref(key))
		return;
	/* A free one has never been used. */
	struct key *oldest = &c->key[0];
	for (size_t i = 1; i < CERT_CACHE_KEYS; i++)
		if (c->key[i].used < oldest->used)
			oldest = &c->key[i];
	EVP_PKEY_free(oldest->key);
	memcpy(oldest->point, point, sizeof(oldest->point));
	oldest->key = key;
	oldest->used = ++c->now;
}

size_t cert_cache_certs(const struct cert_cache *c)
{
	size_t n = 0;

	for (size_t i = 0; c != NULL && i < CERT_CACHE_CERTS; i++)
		n += c->entry[i].text != NULL;
	return n;
}

size_t cert_cache_proofs(const struct cert_cache *c)
{
	size_t n = 0;

	for (size_t i = 0; c != NULL && i < CERT_CACHE_PROOFS; i++)
		n += c->proof[i].used != 0;
	return n;
}
