/* Products and their TCB versions (56860 "TCB_VERSION"; 57230 "VCEK certificate extensions"). */
#ifndef PAVISE_ATTEST_SNP_TCB_H
#define PAVISE_ATTEST_SNP_TCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_TCB_SIZE 8u

enum snp_product { SNP_UNKNOWN, SNP_MILAN, SNP_GENOA, SNP_TURIN, SNP_VENICE, SNP_PRODUCTS };

/* "Milan", …; "unknown". */
const char *snp_product_name(enum snp_product p);

/* By the family and model that CPUID tells. */
enum snp_product snp_product_of_cpuid(uint8_t family, uint8_t model);

/* By the productName of a certificate: "Milan", or with a stepping as "Milan-B0". */
enum snp_product snp_product_of_name(const char *name);

/* Is the layout of its TCB versions known? Not Venice's: 56860 moves them once more. */
bool snp_product_known(enum snp_product p);

/* What a byte of a TCB version counts. */
enum snp_component {
	SNP_BOOTLOADER,
	SNP_TEE,
	SNP_SNP,
	SNP_MICROCODE,
	SNP_FMC,	/* Turin */
	SNP_COMPONENTS, /* how many a policy can name; the rest is reserved */
	SNP_SPL4 = SNP_COMPONENTS,
	SNP_SPL5,
	SNP_SPL6,
	SNP_SPL7,
};

/* Component of byte 0..7 in the layout of a product. */
enum snp_component snp_tcb_component(enum snp_product p, unsigned byte);
const char *snp_component_name(enum snp_component c);

/* The byte that counts a component, or -1: this product has none. */
int snp_tcb_byte(enum snp_product p, enum snp_component c);

/* Is every component of a at least that of b? Never compared as one number: each byte is a
 * version of its own. *byte: the first that is not. */
bool snp_tcb_at_least(const uint8_t a[SNP_TCB_SIZE], const uint8_t b[SNP_TCB_SIZE], unsigned *byte);

/* "bootloader 3, tee 0, snp 8, microcode 115" and what reserved bytes are not zero. */
void snp_tcb_text(enum snp_product p, const uint8_t tcb[SNP_TCB_SIZE], char *out, size_t size);

#endif
