#include "attest/measure/snp/digest.h"

#include "common/bytes.h"

#include <openssl/evp.h>
#include <string.h>

#define PAGE_INFO_SIZE 0x70u

static int sha384(const void *data, size_t size, uint8_t out[SNP_DIGEST_SIZE], struct err *e)
{
	if (!EVP_Digest(data, size, out, NULL, EVP_sha384(), NULL))
		return err_set(e, EX_INTERNAL, "launch digest: libcrypto refuses to hash");
	return 0;
}

int snp_digest_add(uint8_t ld[SNP_DIGEST_SIZE], enum snp_page_type type, uint64_t gpa,
		   const uint8_t *page, struct err *e)
{
	uint8_t contents[SNP_DIGEST_SIZE] = { 0 }, info[PAGE_INFO_SIZE];
	struct writer w = writer_over(info, sizeof(info));
	int r = 0;

	if (type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA)
		r = sha384(page, SNP_PAGE_SIZE, contents, e);
	if (r < 0)
		return r;
	write_copy(&w, ld, SNP_DIGEST_SIZE);
	write_copy(&w, contents, sizeof(contents));
	write_le16(&w, PAGE_INFO_SIZE);
	write_u8(&w, (uint8_t)type);
	write_zeros(&w, 5); /* IMI, reserved, permissions of VMPL 1 to 3 */
	write_le64(&w, gpa);
	if (w.bad || w.pos != sizeof(info))
		return err_set(e, EX_INTERNAL, "launch digest: page info of %zu bytes", w.pos);
	return sha384(info, sizeof(info), ld, e);
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
