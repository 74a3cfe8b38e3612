#include "attest/collateral/collateral.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

const char *const collateral_kind_names[COLLATERAL_KINDS] = {
	"tdx-tcb-info",
	"tdx-qe-identity",
	"certificates",
	"crl",
};

static void part_free(struct collateral_part *p)
{
	if (p->tcb != NULL)
		tcb_info_free(p->tcb);
	if (p->qe != NULL)
		qe_identity_free(p->qe);
	free(p->tcb);
	free(p->qe);
	certs_free(&p->certs);
	crl_free(&p->crl);
	free(p->data);
	memset(p, 0, sizeof(*p));
}

void collateral_free(struct collateral *c)
{
	for (size_t i = 0; i < c->parts; i++)
		part_free(&c->part[i]);
	c->parts = c->size = 0;
	c->created = 0;
}

/* Origins end on terminals and in JSON: a plain name or nothing. */
static void copy_origin(char *out, const char *origin)
{
	size_t n = 0;

	for (; *origin != '\0' && n + 1 < COLLATERAL_ORIGIN_SIZE; origin++)
		out[n++] = *origin >= ' ' && *origin <= '~' ? *origin : '?';
	out[n] = '\0';
}

static int read_tcb_info(struct collateral_part *p, struct err *e)
{
	p->tcb = calloc(1, sizeof(*p->tcb));
	if (p->tcb == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = signed_json_split(p->origin, (const char *)p->data, p->size, "tcbInfo", &p->json,
				  e);
	return r == 0 ? tcb_info_parse(p->origin, p->json.body, p->json.body_size, p->tcb, e) : r;
}

static int read_qe_identity(struct collateral_part *p, struct err *e)
{
	p->qe = calloc(1, sizeof(*p->qe));
	if (p->qe == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = signed_json_split(p->origin, (const char *)p->data, p->size, "enclaveIdentity",
				  &p->json, e);
	return r == 0 ? qe_identity_parse(p->origin, p->json.body, p->json.body_size, p->qe, e) : r;
}

static int read_part(struct cert_cache *cache, struct collateral_part *p, struct err *e)
{
	switch (p->kind) {
	case COLLATERAL_TCB_INFO:
		return read_tcb_info(p, e);
	case COLLATERAL_QE_IDENTITY:
		return read_qe_identity(p, e);
	case COLLATERAL_CERTS:
		return certs_read_cached(cache, p->origin, p->data, p->size, &p->certs, e);
	default:
		return crl_read(p->origin, p->data, p->size, &p->crl, e);
	}
}

static bool is_there(const struct collateral *c, const uint8_t digest[32])
{
	for (size_t i = 0; i < c->parts; i++)
		if (memcmp(c->part[i].sha256, digest, 32) == 0)
			return true;
	return false;
}

int collateral_add_part(struct collateral *c, enum collateral_kind kind, const char *origin,
			const uint8_t *data, size_t size, struct err *e)
{
	uint8_t digest[32];

	if (EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return err_set(e, EX_HOST, "%s: cannot be digested", origin);
	if (is_there(c, digest))
		return 0;
	if (size > COLLATERAL_PART_MAX || size > COLLATERAL_MAX - c->size ||
	    c->parts == COLLATERAL_PARTS_MAX)
		return err_set(e, EX_MALFORMED,
			       "%s: more than %u parts, %u bytes of one or %u of all", origin,
			       COLLATERAL_PARTS_MAX, COLLATERAL_PART_MAX, COLLATERAL_MAX);
	struct collateral_part *p = &c->part[c->parts];
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	copy_origin(p->origin, origin);
	memcpy(p->sha256, digest, sizeof(digest));
	p->size = size;
	p->data = malloc(size + 1);
	if (p->data == NULL)
		return err_set(e, EX_HOST, "out of memory");
	memcpy(p->data, data, size);
	int r = read_part(c->cache, p, e);
	if (r < 0) {
		part_free(p);
		return r;
	}
	c->size += size;
	c->parts++;
	return 0;
}

static bool begins(const uint8_t *data, size_t size, const char *text)
{
	return size >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

/* DER: is it a list or a certificate? Only a reader can tell; what neither reads is neither. */
static int add_der(struct collateral *c, const char *origin, const uint8_t *data, size_t size,
		   struct err *e)
{
	struct err unused = { 0 };
	struct crl list;
	struct certs certs;

	if (crl_read(origin, data, size, &list, &unused) == 0) {
		crl_free(&list);
		return collateral_add_part(c, COLLATERAL_CRL, origin, data, size, e);
	}
	if (certs_read_cached(c->cache, origin, data, size, &certs, &unused) == 0) {
		certs_free(&certs);
		return collateral_add_part(c, COLLATERAL_CERTS, origin, data, size, e);
	}
	return 1;
}

int collateral_add(struct collateral *c, const char *origin, const uint8_t *data, size_t size,
		   struct err *e)
{
	size_t at = 0;

	if (size == 0 || size > COLLATERAL_MAX)
		return 1;
	while (at < size && memchr(" \t\r\n", data[at], 4) != NULL)
		at++;
	if (begins(data + at, size - at, "{"))
		return collateral_add_json(c, origin, data, size, e);
	if (begins(data + at, size - at, "-----BEGIN CERTIFICATE-----"))
		return collateral_add_part(c, COLLATERAL_CERTS, origin, data, size, e);
	if (begins(data + at, size - at, "-----BEGIN X509 CRL-----"))
		return collateral_add_part(c, COLLATERAL_CRL, origin, data, size, e);
	/* A SEQUENCE with a length of two bytes: no certificate and no list is shorter. */
	if (size > 4 && data[0] == 0x30 && (data[1] & 0x80) != 0)
		return add_der(c, origin, data, size, e);
	return 1;
}

int collateral_parse(const char *name, const uint8_t *data, size_t size, struct collateral *out,
		     struct err *e)
{
	memset(out, 0, sizeof(*out));
	int r = collateral_add(out, name, data, size, e);
	if (r == 1)
		r = err_set(e, EX_MALFORMED,
			    "%s: neither a bundle of collateral nor TCB info, a QE identity, "
			    "certificates or a revocation list (at most %u bytes)",
			    name, COLLATERAL_MAX);
	if (r < 0)
		collateral_free(out);
	return r;
}

struct dates {
	time_t issued, next;
	uint32_t evaluation;
};

/* Is a the better one to judge by? NULL loses. */
static bool is_better(const struct dates *a, const struct dates *b, time_t now)
{
	bool a_current = a->issued <= now && now <= a->next;
	bool b_current = b->issued <= now && now <= b->next;

	if (a_current != b_current)
		return a_current;
	if (a->issued != b->issued)
		return a->issued > b->issued;
	return a->evaluation > b->evaluation;
}

static struct dates dates_of(const struct collateral_part *p)
{
	if (p->tcb != NULL)
		return (struct dates){ p->tcb->issued, p->tcb->next_update, p->tcb->evaluation };
	return (struct dates){ p->qe->issued, p->qe->next_update, p->qe->evaluation };
}

static const struct collateral_part *better(const struct collateral_part *best,
					    const struct collateral_part *p, time_t now)
{
	if (best == NULL)
		return p;
	struct dates a = dates_of(p), b = dates_of(best);
	return is_better(&a, &b, now) ? p : best;
}

const struct collateral_part *collateral_tcb_info(const struct collateral *c,
						  const uint8_t fmspc[6], const uint8_t pce_id[2],
						  time_t now)
{
	const struct collateral_part *best = NULL;

	for (size_t i = 0; i < c->parts; i++) {
		const struct collateral_part *p = &c->part[i];
		if (p->tcb != NULL && memcmp(p->tcb->fmspc, fmspc, 6) == 0 &&
		    memcmp(p->tcb->pce_id, pce_id, 2) == 0)
			best = better(best, p, now);
	}
	return best;
}

const struct collateral_part *collateral_qe_identity(const struct collateral *c, time_t now)
{
	const struct collateral_part *best = NULL;

	for (size_t i = 0; i < c->parts; i++)
		if (c->part[i].qe != NULL)
			best = better(best, &c->part[i], now);
	return best;
}
