/* A TDVF image: the metadata that says what a VMM puts into a trust domain (Intel TDX Virtual
 * Firmware Design Guide, "TDVF metadata"). */
#ifndef PAVISE_ATTEST_MEASURE_TDX_TDVF_H
#define PAVISE_ATTEST_MEASURE_TDX_TDVF_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDVF_IMAGE_MAX (64u << 20) /* bytes */
#define TDVF_SECTIONS_MAX 64u
#define TDVF_ADDED_MAX (512ull << 20) /* bytes of all sections that are added */

enum tdvf_type {
	TDVF_BFV,	    /* boot firmware volume */
	TDVF_CFV,	    /* configuration firmware volume */
	TDVF_TD_HOB,	    /* the VMM's list of resources: its bytes are not known here */
	TDVF_TEMP_MEM,	    /* zero */
	TDVF_PERM_MEM,	    /* the guest accepts it: not added before the launch */
	TDVF_PAYLOAD,	    /* a kernel in the image, or one the VMM supplies */
	TDVF_PAYLOAD_PARAM, /* the VMM supplies it */
	TDVF_TD_INFO,	    /* describe the image; nothing is added */
	TDVF_TD_PARAMS,
	TDVF_TYPES
};

#define TDVF_MR_EXTEND 1u /* attribute bits: the contents are measured, */
#define TDVF_PAGE_AUG 2u  /* the pages are not added but given while it runs */

struct tdvf_section {
	uint32_t offset, raw_size; /* of the bytes in the file; 0, 0: none */
	uint64_t address, size;	   /* guest-physical, bytes; multiples of 4096 */
	uint32_t attributes;
	enum tdvf_type type;
};

struct tdvf {
	const uint8_t *data; /* the file, borrowed */
	size_t size;
	int legacy; /* found by the offset 32 bytes before the end, not by GUID */
	struct tdvf_section section[TDVF_SECTIONS_MAX];
	size_t count;
};

/* Finds and checks the metadata of a file. -EX_MALFORMED; `object` names the file. */
int tdvf_open(const char *object, const uint8_t *data, size_t size, struct tdvf *out,
	      struct err *e);

/* Are the pages of the section added before the launch? */
int tdvf_is_added(const struct tdvf_section *s);

/* "BFV", …; "?" for a number that is none. */
const char *tdvf_type_name(uint32_t type);

#endif
