#include "attest/measure/tdx/mrtd.h"

#include <openssl/evp.h>
#include <string.h>

#define PAGE 4096u
#define CHUNK 256u /* bytes of a TDH.MR.EXTEND */
#define BLOCK 128u /* what each call puts into the hash: its name, then the address at 16 */

struct stream {
	EVP_MD_CTX *hash, *copy;
	const struct tdvf *tdvf;
	mrtd_step_fn *each;
	void *arg;
	uint32_t number;
	uint8_t digest[MRTD_SIZE]; /* for the step under way */
};

static int put(struct stream *m, const void *data, size_t size, struct err *e)
{
	if (!EVP_DigestUpdate(m->hash, data, size))
		return err_set(e, EX_INTERNAL, "MRTD: libcrypto refuses to hash");
	return 0;
}

static int put_call(struct stream *m, const char *name, uint64_t gpa, struct err *e)
{
	uint8_t block[BLOCK] = { 0 };

	memcpy(block, name, strlen(name));
	for (unsigned i = 0; i < 8; i++)
		block[16 + i] = (uint8_t)(gpa >> (8 * i));
	return put(m, block, sizeof(block), e);
}

/* Page at offset `at` of the section; bytes behind those of the file are zero. */
static int extend(struct stream *m, const struct tdvf_section *s, uint64_t at, struct err *e)
{
	uint8_t page[PAGE] = { 0 };
	uint64_t left = at < s->raw_size ? s->raw_size - at : 0;
	int r = 0;

	if (left > 0)
		memcpy(page, m->tdvf->data + s->offset + at, left < PAGE ? (size_t)left : PAGE);
	for (unsigned i = 0; r == 0 && i < PAGE; i += CHUNK) {
		r = put_call(m, "MR.EXTEND", s->address + at + i, e);
		if (r == 0)
			r = put(m, page + i, CHUNK, e);
	}
	return r;
}

static int tell(struct stream *m, struct mrtd_step *step, struct err *e)
{
	step->number = ++m->number;
	step->digest = m->digest;
	if (m->each == NULL)
		return 0;
	if (!EVP_MD_CTX_copy_ex(m->copy, m->hash) || !EVP_DigestFinal_ex(m->copy, m->digest, NULL))
		return err_set(e, EX_INTERNAL, "MRTD: libcrypto refuses to hash");
	return m->each(m->arg, step, e);
}

static int pass(struct stream *m, uint32_t section, int adds, int extends, struct err *e)
{
	const struct tdvf_section *s = &m->tdvf->section[section];
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < s->size; at += PAGE) {
		struct mrtd_step step = { .added = adds,
					  .extended = extends,
					  .gpa = s->address + at,
					  .what = tdvf_type_name(s->type),
					  .section = section };
		if (adds)
			r = put_call(m, "MEM.PAGE.ADD", s->address + at, e);
		if (r == 0 && extends)
			r = extend(m, s, at, e);
		if (r == 0)
			r = tell(m, &step, e);
	}
	return r;
}

/* Are its bytes the VMM's and unknown here? */
static int is_supplied(const struct tdvf_section *s)
{
	return s->raw_size == 0 && s->type != TDVF_TEMP_MEM;
}

static int add_section(struct stream *m, const char *object, uint32_t section,
		       enum mrtd_order order, struct err *e)
{
	const struct tdvf_section *s = &m->tdvf->section[section];
	int extends = (s->attributes & TDVF_MR_EXTEND) != 0;

	if (!tdvf_is_added(s))
		return 0;
	if (extends && is_supplied(s))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: section %u (%s) is measured, but the VMM makes up its "
			       "bytes: its MRTD cannot be predicted",
			       object, section, tdvf_type_name(s->type));
	if (order == MRTD_SINGLE || !extends)
		return pass(m, section, 1, extends, e);
	int r = pass(m, section, 1, 0, e);
	return r < 0 ? r : pass(m, section, 0, 1, e);
}

int mrtd_measure(const char *object, const struct tdvf *t, enum mrtd_order order,
		 mrtd_step_fn *each, void *arg, uint8_t mrtd[MRTD_SIZE], struct err *e)
{
	struct stream m = { .hash = EVP_MD_CTX_new(),
			    .copy = EVP_MD_CTX_new(),
			    .tdvf = t,
			    .each = each,
			    .arg = arg };
	int r = 0;

	if (m.hash == NULL || m.copy == NULL || !EVP_DigestInit_ex2(m.hash, EVP_sha384(), NULL))
		r = err_set(e, EX_INTERNAL, "MRTD: libcrypto has no SHA-384");
	for (uint32_t i = 0; r == 0 && i < t->count; i++)
		r = add_section(&m, object, i, order, e);
	if (r == 0 && !EVP_DigestFinal_ex(m.hash, mrtd, NULL))
		r = err_set(e, EX_INTERNAL, "MRTD: libcrypto refuses to hash");
	EVP_MD_CTX_free(m.hash);
	EVP_MD_CTX_free(m.copy);
	return r;
}
