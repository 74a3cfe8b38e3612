#include "firmware/ccblob.h"

#include "firmware/bzimage.h"
#include "firmware/layout.h"

#include <string.h>

#define SETUP_CC_BLOB 7u
#define CC_BLOB_MAGIC 0x45444D41u /* "AMDE" */

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return p + bytes;
}

void fw_cc_blob_build(uint8_t *page, uint8_t *zero_page)
{
	uint8_t *p = page;

	memset(page, 0, FW_PAGE);
	/* struct setup_data: next, type, length of what follows: the 32-bit address. */
	p = put(p, 0, 8);
	p = put(p, SETUP_CC_BLOB, 4);
	p = put(p, 4, 4);
	put(p, FW_CC_BLOB + FW_CC_BLOB_OFFSET, 4);

	p = put(page + FW_CC_BLOB_OFFSET, CC_BLOB_MAGIC, 4);
	p = put(p, 0, 4); /* version, reserved */
	p = put(p, FW_SECRETS_PAGE, 8);
	p = put(p, FW_PAGE, 4);
	p = put(p, 0, 4);
	p = put(p, FW_CPUID_PAGE, 8);
	p = put(p, FW_PAGE, 4);
	put(p, 0, 4);

	put(zero_page + BZ_SETUP_DATA, FW_CC_BLOB, 8);
}
