#include "attest/measure/snp/digest.h"

#include "common/bytes.h"

#include <string.h>

#define PAGE_INFO_SIZE 0x70u

int snp_digest_open(struct snp_digest *d, struct err *e)
{
	*d = (struct snp_digest){ .algorithm = EVP_MD_fetch(NULL, "SHA2-384", NULL),
				  .context = EVP_MD_CTX_new() };
	/* Later starts without a name keep the algorithm. */
	if (d->algorithm == NULL || d->context == NULL ||
	    !EVP_DigestInit_ex2(d->context, d->algorithm, NULL))
		return err_set(e, EX_INTERNAL, "launch digest: libcrypto has no SHA-384");
	return 0;
}

void snp_digest_close(struct snp_digest *d)
{
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->algorithm);
	d->context = NULL;
	d->algorithm = NULL;
}

static int sha384(struct snp_digest *d, const void *data, size_t size, uint8_t *out, struct err *e)
{
	if (!EVP_DigestInit_ex2(d->context, NULL, NULL) ||
	    !EVP_DigestUpdate(d->context, data, size) || !EVP_DigestFinal_ex(d->context, out, NULL))
		return err_set(e, EX_INTERNAL, "launch digest: libcrypto refuses to hash");
	return 0;
}

int snp_digest_contents(struct snp_digest *d, const uint8_t *page, uint8_t out[SNP_DIGEST_SIZE],
			struct err *e)
{
	return sha384(d, page, SNP_PAGE_SIZE, out, e);
}

int snp_digest_add_hashed(struct snp_digest *d, enum snp_page_type type, uint64_t gpa,
			  const uint8_t contents[SNP_DIGEST_SIZE], struct err *e)
{
	uint8_t info[PAGE_INFO_SIZE];
	struct writer w = writer_over(info, sizeof(info));

	write_copy(&w, d->value, SNP_DIGEST_SIZE);
	write_copy(&w, contents, SNP_DIGEST_SIZE);
	write_le16(&w, PAGE_INFO_SIZE);
	write_u8(&w, (uint8_t)type);
	write_zeros(&w, 5); /* IMI, reserved, permissions of VMPL 1 to 3 */
	write_le64(&w, gpa);
	if (w.bad || w.pos != sizeof(info))
		return err_set(e, EX_INTERNAL, "launch digest: page info of %zu bytes", w.pos);
	return sha384(d, info, sizeof(info), d->value, e);
}

int snp_digest_add(struct snp_digest *d, enum snp_page_type type, uint64_t gpa, const uint8_t *page,
		   struct err *e)
{
	uint8_t contents[SNP_DIGEST_SIZE] = { 0 };
	int r = 0;

	if (type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA)
		r = snp_digest_contents(d, page, contents, e);
	return r < 0 ? r : snp_digest_add_hashed(d, type, gpa, contents, e);
}

const char *snp_page_type_name(enum snp_page_type type)
{
	static const char *const name[] = {
		[SNP_PAGE_NORMAL] = "NORMAL",	[SNP_PAGE_VMSA] = "VMSA",
		[SNP_PAGE_ZERO] = "ZERO",	[SNP_PAGE_UNMEASURED] = "UNMEASURED",
		[SNP_PAGE_SECRETS] = "SECRETS", [SNP_PAGE_CPUID] = "CPUID",
	};

	if (type < SNP_PAGE_NORMAL || type > SNP_PAGE_CPUID)
		return "?";
	return name[type];
}
