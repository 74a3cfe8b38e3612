/* What the secure processor writes into launch digest and secrets page. Written from the
 * firmware's specification alone: the predictor in attest/measure shares no line with it. */
#include "model/psp/machine.h"

#include <string.h>

/* 56860 table "PAGE_INFO". */
struct page_info {
	uint8_t digest[48];
	uint8_t contents[48];
	uint16_t length;
	uint8_t page_type;
	uint8_t imi_page;
	uint8_t reserved;
	uint8_t vmpl_perms[3];
	uint64_t gpa;
};
_Static_assert(sizeof(struct page_info) == 0x70, "PAGE_INFO");

/* In a VMSA the firmware replaces the TSC fields, so it hashes them as zero. */
#define VMSA_TSC 0x2f0
#define VMSA_TSC_SIZE 16

int psp_extend(uint8_t digest[48], const struct psp_launch_update *u, bool with_contents)
{
	struct page_info info = { .length = sizeof(info),
				  .page_type = (uint8_t)u->page_type,
				  .imi_page = u->imi_page,
				  .gpa = u->gpa };
	uint8_t page[PSP_PAGE];

	memcpy(info.digest, digest, sizeof(info.digest));
	memcpy(info.vmpl_perms, u->vmpl_perms, sizeof(info.vmpl_perms));
	memcpy(page, u->data, sizeof(page));
	if (u->page_type == PSP_TYPE_VMSA)
		memset(page + VMSA_TSC, 0, VMSA_TSC_SIZE);
	if (with_contents &&
	    EVP_Digest(page, sizeof(page), info.contents, NULL, EVP_sha384(), NULL) != 1)
		return -EX_INTERNAL;
	return EVP_Digest(&info, sizeof(info), digest, NULL, EVP_sha384(), NULL) == 1 ?
		       0 : -EX_INTERNAL;
}

void psp_secrets(const struct psp *p, uint8_t out[PSP_PAGE])
{
	const uint32_t version = 3;
	/* Genoa's CPUID signature: extended family 0Ah, extended model 1, family 0Fh. */
	const uint32_t fms = 0x00a10f10u | p->chip.fms[2];

	memset(out, 0, PSP_PAGE);
	memcpy(out, &version, sizeof(version));
	memcpy(out + 8, &fms, sizeof(fms));
	memcpy(out + 0x10, p->guest.gosvw, sizeof(p->guest.gosvw));
	memcpy(out + 0x20, p->guest.vmpck, sizeof(p->guest.vmpck));
}
