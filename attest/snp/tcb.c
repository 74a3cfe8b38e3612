#include "attest/snp/tcb.h"

#include <stdio.h>
#include <string.h>

static const char *const product_names[SNP_PRODUCTS] = {
	[SNP_UNKNOWN] = "unknown", [SNP_MILAN] = "Milan",   [SNP_GENOA] = "Genoa",
	[SNP_TURIN] = "Turin",	   [SNP_VENICE] = "Venice",
};

static const char *const component_names[] = {
	[SNP_BOOTLOADER] = "bootloader",
	[SNP_TEE] = "tee",
	[SNP_SNP] = "snp",
	[SNP_MICROCODE] = "microcode",
	[SNP_FMC] = "fmc",
	[SNP_SPL4] = "spl4",
	[SNP_SPL5] = "spl5",
	[SNP_SPL6] = "spl6",
	[SNP_SPL7] = "spl7",
};

/* Turin moved everything one byte on to make room for the FMC. */
static const enum snp_component layout_old[SNP_TCB_SIZE] = {
	SNP_BOOTLOADER, SNP_TEE, SNP_SPL4, SNP_SPL5, SNP_SPL6, SNP_SPL7, SNP_SNP, SNP_MICROCODE,
};
static const enum snp_component layout_fmc[SNP_TCB_SIZE] = {
	SNP_FMC, SNP_BOOTLOADER, SNP_TEE, SNP_SNP, SNP_SPL5, SNP_SPL6, SNP_SPL7, SNP_MICROCODE,
};

/* CPUID Fn0000_0001: ranges of models that carry the same certificate chain. */
static const struct {
	uint8_t family, first, last;
	enum snp_product product;
} models[] = {
	{ 0x19, 0x00, 0x0F, SNP_MILAN },  { 0x19, 0x10, 0x1F, SNP_GENOA },
	{ 0x19, 0xA0, 0xAF, SNP_GENOA },  { 0x1A, 0x00, 0x11, SNP_TURIN },
	{ 0x1A, 0x50, 0x57, SNP_VENICE }, { 0x1A, 0x90, 0xAF, SNP_VENICE },
	{ 0x1A, 0xC0, 0xC7, SNP_VENICE },
};

const char *snp_product_name(enum snp_product p)
{
	return p < SNP_PRODUCTS ? product_names[p] : product_names[SNP_UNKNOWN];
}

enum snp_product snp_product_of_cpuid(uint8_t family, uint8_t model)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (models[i].family == family && model >= models[i].first &&
		    model <= models[i].last)
			return models[i].product;
	return SNP_UNKNOWN;
}

enum snp_product snp_product_of_name(const char *name)
{
	for (unsigned i = SNP_MILAN; i < SNP_PRODUCTS; i++) {
		size_t n = strlen(product_names[i]);
		if (strncmp(name, product_names[i], n) == 0 && (name[n] == '\0' || name[n] == '-'))
			return (enum snp_product)i;
	}
	return SNP_UNKNOWN;
}

enum snp_component snp_tcb_component(enum snp_product p, unsigned byte)
{
	return (p == SNP_TURIN ? layout_fmc : layout_old)[byte % SNP_TCB_SIZE];
}

bool snp_product_known(enum snp_product p)
{
	return p == SNP_MILAN || p == SNP_GENOA || p == SNP_TURIN;
}

const char *snp_component_name(enum snp_component c)
{
	return component_names[c];
}

int snp_tcb_byte(enum snp_product p, enum snp_component c)
{
	for (unsigned i = 0; i < SNP_TCB_SIZE; i++)
		if (snp_tcb_component(p, i) == c)
			return (int)i;
	return -1;
}

bool snp_tcb_at_least(const uint8_t a[SNP_TCB_SIZE], const uint8_t b[SNP_TCB_SIZE], unsigned *byte)
{
	for (unsigned i = 0; i < SNP_TCB_SIZE; i++)
		if (a[i] < b[i]) {
			*byte = i;
			return false;
		}
	return true;
}

void snp_tcb_text(enum snp_product p, const uint8_t tcb[SNP_TCB_SIZE], char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < SNP_TCB_SIZE && used < size; i++) {
		enum snp_component c = snp_tcb_component(p, i);
		if (c >= SNP_COMPONENTS && tcb[i] == 0)
			continue;
		int n = snprintf(out + used, size - used, "%s%s %u", used == 0 ? "" : ", ",
				 component_names[c], tcb[i]);
		used += n > 0 ? (size_t)n : 0;
	}
}
