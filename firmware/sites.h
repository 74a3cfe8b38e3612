/* The image's table of instructions that only hardware of confidential guests has (struct
 * fw_site). */
#ifndef PAVISE_FIRMWARE_SITES_H
#define PAVISE_FIRMWARE_SITES_H

#include "firmware/layout.h"

#include <stdint.h>

/* Writes each site's instruction into image (size bytes, the whole file): a no-op on the file and
 * on hardware. The platform model replaces these instructions in the running image, after the
 * launch digest covered the true ones; the HCRTM event must name the file. 0, or -1 when the table
 * does not fit the image. */
int fw_sites_restore(uint8_t *image, uint64_t size);

#endif
