/* Which image is being built: -DVARIANT=, a value of enum fw_variant, for assembler too. There is
 * one image for each kind of machine, so that no host can talk one into another's path. */
#ifndef PAVISE_FIRMWARE_VARIANT_H
#define PAVISE_FIRMWARE_VARIANT_H

#define VARIANT_PLAIN 1
#define VARIANT_SNP   2
#define VARIANT_TDX   3

#ifndef VARIANT
#error "VARIANT is set by module.mk"
#endif

#ifdef __ASSEMBLER__
#define SNP_C_BIT 51 /* layout.h */
#else
#include "firmware/layout.h"
_Static_assert(VARIANT_PLAIN == FW_VARIANT_PLAIN && VARIANT_SNP == FW_VARIANT_SNP &&
	       VARIANT_TDX == FW_VARIANT_TDX, "variants");
#endif

#endif
