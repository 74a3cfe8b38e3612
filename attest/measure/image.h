/* The files a plan is made of, checked before they are measured: a mistake is named here and
 * not by a stop code at boot. */
#ifndef PAVISE_ATTEST_MEASURE_IMAGE_H
#define PAVISE_ATTEST_MEASURE_IMAGE_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stddef.h>
#include <stdint.h>

/* Checks size bytes of a firmware image against the rules of firmware/layout.h for `variant`
 * and fills *out with its header (host byte order). -EX_MALFORMED names the field. */
int firmware_image_check(const char *object, const uint8_t *data, size_t size,
			 enum fw_variant variant, struct fw_image_header *out, struct err *e);

/* What the firmware and the plan need to know of a Linux bzImage (Linux boot.rst). */
struct bzimage {
	uint64_t pref_address;	  /* guest-physical, where the kernel wants to run */
	uint64_t init_size;	  /* bytes it needs there while it unpacks itself */
	uint64_t initrd_addr_max; /* highest address an initrd byte may have */
	uint32_t cmdline_size;	  /* longest command line, without its NUL */
	uint16_t protocol;	  /* boot protocol, 0x020F is 2.15 */
};

/* The same rules as the firmware's own parser, with reasons. -EX_MALFORMED. */
int bzimage_check(const char *object, const uint8_t *data, size_t size, struct bzimage *out,
		  struct err *e);

/* What a kernel of any kind takes. */
struct kernel_takes {
	uint32_t cmdline_size;	  /* longest command line, without its NUL */
	uint64_t initrd_addr_max; /* highest address an initrd byte may have */
};

/* A bzImage by the rules above, an ELF kernel by the firmware's own parser for this variant.
 * -EX_MALFORMED. */
int kernel_check(const char *object, const uint8_t *data, size_t size, enum fw_variant variant,
		 struct kernel_takes *out, struct err *e);

#endif
