#include "firmware/cpuid_page.h"

#include <stddef.h>

#define LEAF_FEATURES      0x00000007u
#define LEAF_ADDRESS_SIZES 0x80000008u
#define LEAF_ENCRYPTION    0x8000001Fu
#define EAX_SEV            (1u << 1)
#define EAX_SEV_SNP        (1u << 4)
#define EBX_C_BIT          0x3Fu
#define EBX_COHERENCY_SFW_NO (1u << 31)
#define EBX_SHA            (1u << 29)
#define DEFAULT_PHYS_BITS  36u

/* The one entry of a leaf, of its subleaf 0 when it has some; *twice when there are more. */
static const struct fw_cpuid_entry *find(const struct fw_cpuid_page *page, uint32_t leaf,
					 bool subleaves, bool *twice)
{
	const struct fw_cpuid_entry *found = NULL;

	for (uint32_t i = 0; i < page->count; i++) {
		if (page->entry[i].eax_in != leaf || (subleaves && page->entry[i].ecx_in != 0))
			continue;
		if (found != NULL)
			*twice = true;
		found = &page->entry[i];
	}
	return found;
}

static bool form_ok(const struct fw_cpuid_page *page)
{
	if (page->count < 1 || page->count > FW_CPUID_ENTRIES || page->reserved0 != 0 ||
	    page->reserved1 != 0)
		return false;
	for (uint32_t i = 0; i < page->count; i++)
		if (page->entry[i].reserved != 0)
			return false;
	return true;
}

enum fw_stop fw_cpuid_check(const struct fw_cpuid_page *page, uint32_t c_bit,
			    struct fw_cpuid_facts *out)
{
	const struct fw_cpuid_entry *sizes, *encryption, *features;
	bool twice = false;

	if (!form_ok(page))
		return STOP_SNP_CPUID;
	features = find(page, LEAF_FEATURES, true, &twice);
	sizes = find(page, LEAF_ADDRESS_SIZES, false, &twice);
	encryption = find(page, LEAF_ENCRYPTION, false, &twice);
	if (twice || encryption == NULL ||
	    (encryption->eax & (EAX_SEV | EAX_SEV_SNP)) != (EAX_SEV | EAX_SEV_SNP))
		return STOP_SNP_CPUID;
	if ((encryption->ebx & EBX_C_BIT) != c_bit)
		return STOP_SNP_C_BIT;
	out->phys_bits = sizes == NULL ? DEFAULT_PHYS_BITS : sizes->eax & 0xFF;
	out->coherency_sfw_no = (encryption->ebx & EBX_COHERENCY_SFW_NO) != 0;
	out->sha = features != NULL && (features->ebx & EBX_SHA) != 0;
	return STOP_HANDED_OVER;
}
