#include "firmware/sites.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool instruction(uint32_t kind, uint8_t out[FW_SITE_SIZE])
{
	/* All begin with prefix, 0F 01; AMD APM vol. 3, Intel SDM vol. 2 "TDCALL". */
	out[0] = 0xF3;
	out[1] = 0x0F;
	out[2] = 0x01;
	if (kind == FW_SITE_PVALIDATE) {
		out[0] = 0xF2;
		out[3] = 0xFF;
	} else if (kind == FW_SITE_RMPADJUST || kind == FW_SITE_FOLD) {
		out[3] = 0xFE; /* the SEV-SNP image folds at an RMPADJUST */
	} else if (kind == FW_SITE_VMGEXIT) {
		out[3] = 0xD9;
	} else if (kind == FW_SITE_TDCALL || kind == FW_SITE_TDX_FOLD) {
		out[0] = 0x66;
		out[3] = 0xCC;
	} else {
		return false;
	}
	return true;
}

int fw_sites_restore(uint8_t *image, uint64_t size)
{
	struct fw_image_header header;
	struct fw_site site;
	uint8_t code[FW_SITE_SIZE];

	if (size < sizeof(header))
		return -1;
	memcpy(&header, image, sizeof(header));
	if (header.sites_offset > size ||
	    header.sites_count > (size - header.sites_offset) / sizeof(site))
		return -1;
	for (uint32_t i = 0; i < header.sites_count; i++) {
		memcpy(&site, image + header.sites_offset + i * sizeof(site), sizeof(site));
		if (site.offset > size - FW_SITE_SIZE || !instruction(site.kind, code))
			return -1;
		memcpy(image + site.offset, code, sizeof(code));
	}
	return 0;
}
