#include "model/tdx_sim/module.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <string.h>

/* ATTRIBUTES (TDX Module ABI, "ATTRIBUTES"): what may be one. */
#define ATTR_DEBUG (1ull << 0)
#define ATTR_MIGRATABLE (1ull << 29)
#define ATTR_PERFMON (1ull << 63)
#define ATTR_BITS                                                                                  \
	(ATTR_DEBUG | 1ull << 27 | 1ull << 28 | ATTR_MIGRATABLE | 1ull << 30 | 1ull << 31 |        \
	 1ull << 62 | ATTR_PERFMON)
/* XFAM (the same, "XFAM"): XCR0 and XSS bits that this module knows, and those always one. */
#define XFAM_BITS 0x6DBE7ull
#define XFAM_ONE 3ull
#define XFAM_AVX (1ull << 2)
#define XFAM_AVX512 (7ull << 5)
#define XFAM_CET (3ull << 11)
#define XFAM_AMX (3ull << 17)

int tdx_sim_open(struct tdx_sim *s, EVP_PKEY *pck, const uint8_t *chain, size_t chain_size,
		 struct err *e)
{
	*s = (struct tdx_sim){ .platform = { .pck = pck,
					     .chain = chain,
					     .chain_size = chain_size } };
	s->platform.attestation_key = EVP_EC_gen("P-256");
	s->td.measuring = EVP_MD_CTX_new();
	if (s->platform.attestation_key == NULL || s->td.measuring == NULL ||
	    RAND_bytes(s->platform.mac_key, sizeof(s->platform.mac_key)) != 1 ||
	    EVP_DigestInit_ex(s->td.measuring, EVP_sha384(), NULL) != 1)
		return err_set(e, EX_INTERNAL, "tdx: libcrypto cannot make the platform's keys");
	return 0;
}

void tdx_sim_close(struct tdx_sim *s)
{
	EVP_PKEY_free(s->platform.attestation_key);
	EVP_MD_CTX_free(s->td.measuring);
	OPENSSL_cleanse(s, sizeof(*s));
}

static bool all_or_none(uint64_t value, uint64_t bits)
{
	return (value & bits) == 0 || (value & bits) == bits;
}

static bool xfam_good(uint64_t xfam)
{
	return (xfam & ~XFAM_BITS) == 0 && (xfam & XFAM_ONE) == XFAM_ONE &&
	       all_or_none(xfam, XFAM_AVX512) && all_or_none(xfam, XFAM_CET) &&
	       all_or_none(xfam, XFAM_AMX) &&
	       ((xfam & XFAM_AVX512) == 0 || (xfam & XFAM_AVX) != 0);
}

/* TDH.MNG.INIT, in the module's order. */
static uint64_t mng_init(struct tdx_td *td, const struct tdx_mng_init *p)
{
	bool mixed = (p->attributes & ATTR_MIGRATABLE) != 0 &&
		     (p->attributes & (ATTR_DEBUG | ATTR_PERFMON)) != 0;

	if (td->state != TDX_TD_UNINITIALIZED)
		return TDX_ST_OP_STATE;
	if ((p->attributes & ~ATTR_BITS) != 0 || mixed)
		return TDX_ST_OPERAND_INVALID | TDX_OP_ATTRIBUTES;
	if (!xfam_good(p->xfam))
		return TDX_ST_OPERAND_INVALID | TDX_OP_XFAM;
	if (p->gpaw != 48 && p->gpaw != 52)
		return TDX_ST_OPERAND_INVALID | TDX_OP_EPTP;
	if (p->max_cpus == 0)
		return TDX_ST_OPERAND_INVALID | TDX_OP_MAX_VCPUS;
	td->params = *p;
	td->state = TDX_TD_INITIALIZED;
	return TDX_ST_SUCCESS;
}

/* TDG.MR.RTMR.EXTEND: RTMR' = SHA-384(RTMR || data). */
static uint64_t rtmr_extend(struct tdx_td *td, const struct tdx_rtmr_extend *x)
{
	uint8_t both[2 * TDX_SIM_DIGEST];

	if (td->state != TDX_TD_RUNNABLE)
		return TDX_ST_OP_STATE;
	if (x->index >= TDX_SIM_RTMRS)
		return TDX_ST_OPERAND_INVALID | TDX_OP_RDX;
	memcpy(both, td->rtmr[x->index], TDX_SIM_DIGEST);
	memcpy(both + TDX_SIM_DIGEST, x->data, TDX_SIM_DIGEST);
	if (EVP_Digest(both, sizeof(both), td->rtmr[x->index], NULL, EVP_sha384(), NULL) != 1)
		return TDX_ST_OPERAND_BUSY;
	return TDX_ST_SUCCESS;
}

static uint64_t mr_report(const struct tdx_sim *s, const struct tdx_mr_report *r,
			  uint8_t out[TDX_WIRE_REPORT_SIZE])
{
	if (s->td.state != TDX_TD_RUNNABLE)
		return TDX_ST_OP_STATE;
	return tdx_report_make(s, r->report_data, out) == 0 ? TDX_ST_SUCCESS : TDX_ST_NO_ENTROPY;
}

static void mr_read(const struct tdx_td *td, uint8_t out[sizeof(struct tdx_registers)])
{
	struct tdx_registers r;

	memcpy(r.mrtd, td->mrtd, sizeof(r.mrtd));
	memcpy(r.rtmr, td->rtmr, sizeof(r.rtmr));
	memcpy(out, &r, sizeof(r));
}

/* Bytes of request and of answer that a command has. */
static const struct {
	size_t request, answer;
} sizes[] = {
	[TDX_MNG_INIT] = { sizeof(struct tdx_mng_init), 0 },
	[TDX_PAGE_ADD] = { sizeof(struct tdx_page_add), 0 },
	[TDX_MR_EXTEND] = { sizeof(struct tdx_mr_extend), 0 },
	[TDX_MR_FINALIZE] = { 0, 0 },
	[TDX_RTMR_EXTEND] = { sizeof(struct tdx_rtmr_extend), 0 },
	[TDX_MR_REPORT] = { sizeof(struct tdx_mr_report), TDX_WIRE_REPORT_SIZE },
	[TDX_MR_READ] = { 0, sizeof(struct tdx_registers) },
};
#define COMMANDS (sizeof(sizes) / sizeof(sizes[0]))

/* The payload, aligned; its size was checked against its command. */
union payload {
	struct tdx_mng_init init;
	struct tdx_page_add page;
	struct tdx_mr_extend chunk;
	struct tdx_rtmr_extend rtmr;
	struct tdx_mr_report report;
};

static uint64_t perform(struct tdx_sim *s, uint32_t command, const union payload *p, uint8_t *out)
{
	switch (command) {
	case TDX_MNG_INIT:
		return mng_init(&s->td, &p->init);
	case TDX_PAGE_ADD:
		return tdx_td_page_add(&s->td, p->page.gpa);
	case TDX_MR_EXTEND:
		return tdx_td_extend(&s->td, &p->chunk);
	case TDX_MR_FINALIZE:
		return tdx_td_finalize(&s->td);
	case TDX_RTMR_EXTEND:
		return rtmr_extend(&s->td, &p->rtmr);
	case TDX_MR_REPORT:
		return mr_report(s, &p->report, out);
	default:
		mr_read(&s->td, out);
		return TDX_ST_SUCCESS;
	}
}

static bool header_good(const struct tdx_header *h, size_t size)
{
	return h->magic == TDX_WIRE_MAGIC && h->status == 0 && h->reserved == 0 &&
	       h->command >= TDX_MNG_INIT && h->command < COMMANDS &&
	       h->size == sizes[h->command].request && size == sizeof(*h) + h->size;
}

int tdx_sim_handle(struct tdx_sim *s, const void *message, size_t size, uint8_t *answer,
		   size_t *answer_size, struct err *e)
{
	struct tdx_header h = { 0 };
	union payload p = { 0 };

	*answer_size = 0;
	if (size >= sizeof(h))
		memcpy(&h, message, sizeof(h));
	if (!header_good(&h, size))
		return err_set(e, EX_MALFORMED, "tdx: a message of %zu bytes that is no command",
			       size);
	memcpy(&p, (const uint8_t *)message + sizeof(h), h.size);
	if (h.command == TDX_RTMR_EXTEND && p.rtmr.reserved != 0)
		return err_set(e, EX_MALFORMED, "tdx: a reserved field is not zero");
	h.status = perform(s, h.command, &p, answer + sizeof(h));
	h.size = h.status == TDX_ST_SUCCESS ? (uint32_t)sizes[h.command].answer : 0;
	memcpy(answer, &h, sizeof(h));
	*answer_size = sizeof(h) + h.size;
	OPENSSL_cleanse(&p, sizeof(p));
	return 0;
}
