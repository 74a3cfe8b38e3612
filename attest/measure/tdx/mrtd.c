#include "attest/measure/tdx/mrtd.h"

#include "common/bytes.h"

#include <string.h>

#define CHUNK 256u /* bytes of a TDH.MR.EXTEND */
#define BLOCK 128u /* what each call puts into the hash: its name, then the address at 16 */

int mrtd_open(struct mrtd *m, mrtd_step_fn *each, void *arg, struct err *e)
{
	*m = (struct mrtd){ .hash = EVP_MD_CTX_new(),
			    .copy = EVP_MD_CTX_new(),
			    .each = each,
			    .arg = arg };
	if (m->hash == NULL || m->copy == NULL || !EVP_DigestInit_ex2(m->hash, EVP_sha384(), NULL))
		return err_set(e, EX_INTERNAL, "MRTD: libcrypto has no SHA-384");
	return 0;
}

void mrtd_close(struct mrtd *m)
{
	EVP_MD_CTX_free(m->hash);
	EVP_MD_CTX_free(m->copy);
	m->hash = NULL;
	m->copy = NULL;
}

static int put(struct mrtd *m, const void *data, size_t size, struct err *e)
{
	if (!EVP_DigestUpdate(m->hash, data, size))
		return err_set(e, EX_INTERNAL, "MRTD: libcrypto refuses to hash");
	return 0;
}

static int put_call(struct mrtd *m, const char *name, uint64_t gpa, struct err *e)
{
	uint8_t block[BLOCK] = { 0 };
	struct writer w = writer_over(block, sizeof(block));

	write_copy(&w, name, strlen(name));
	write_zeros(&w, 16 - strlen(name));
	write_le64(&w, gpa);
	return put(m, block, sizeof(block), e);
}

static int extend(struct mrtd *m, uint64_t gpa, const uint8_t *page, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < MRTD_PAGE; i += CHUNK) {
		r = put_call(m, "MR.EXTEND", gpa + i, e);
		if (r == 0)
			r = put(m, page + i, CHUNK, e);
	}
	return r;
}

static int digest_so_far(struct mrtd *m, uint8_t out[MRTD_SIZE], struct err *e)
{
	if (!EVP_MD_CTX_copy_ex(m->copy, m->hash) || !EVP_DigestFinal_ex(m->copy, out, NULL))
		return err_set(e, EX_INTERNAL, "MRTD: libcrypto refuses to hash");
	return 0;
}

int mrtd_page(struct mrtd *m, const struct mrtd_step *page, const uint8_t *bytes, struct err *e)
{
	uint8_t digest[MRTD_SIZE];
	struct mrtd_step step = *page;
	int r = 0;

	if (step.added)
		r = put_call(m, "MEM.PAGE.ADD", step.gpa, e);
	if (r == 0 && step.extended)
		r = extend(m, step.gpa, bytes, e);
	m->pages += r == 0 && step.added;
	step.number = ++m->number;
	step.digest = digest;
	if (r < 0 || m->each == NULL)
		return r;
	r = digest_so_far(m, digest, e);
	return r < 0 ? r : m->each(m->arg, &step, e);
}

int mrtd_value(struct mrtd *m, uint8_t out[MRTD_SIZE], struct err *e)
{
	return digest_so_far(m, out, e);
}
