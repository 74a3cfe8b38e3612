/* How Linux finds the secrets and CPUID pages without EFI: a setup_data node of type 7
 * (SETUP_CC_BLOB, boot.rst) that points at a cc_blob. Both live in the page FW_CC_BLOB. */
#ifndef PAVISE_FIRMWARE_CCBLOB_H
#define PAVISE_FIRMWARE_CCBLOB_H

#include <stdint.h>

#define FW_CC_BLOB_OFFSET 64u /* of the cc_blob in the page; the node lies at its start */

/* Fills page (FW_PAGE bytes, at FW_CC_BLOB) and hangs it into a zero page that has no setup_data
 * yet. */
void fw_cc_blob_build(uint8_t *page, uint8_t *zero_page);

#endif
