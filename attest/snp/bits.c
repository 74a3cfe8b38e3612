#include "attest/snp/bits.h"

const char *const snp_guest_names[] = {
	"smt",
	"migrate_ma",
	"debug",
	"single_socket",
	"cxl",
	"mem_aes_256_xts",
	"rapl_dis",
	"ciphertext_hiding_dram",
	"page_swap_disable",
	NULL,
};

/* 56860 tells revisions of the document, reports the firmware's ABI and build, which do not go
 * together one to one. So these are the oldest of either that can have a bit: firmware before ABI
 * 1.55 refuses a launch with bit 21 or above; bits 25 and SEV-TIO are as new as version 5 of the
 * report, ALIAS_CHECK_COMPLETE (AMD-SB-3015) as version 3. */
const struct snp_bit snp_guest_bits[] = {
	{ 16, 0, 0 },  { 18, 0, 0 },  { 19, 0, 0 },  { 20, 0, 0 },  { 21, 55, 0 },
	{ 22, 55, 0 }, { 23, 55, 0 }, { 24, 55, 0 }, { 25, 55, 5 },
};

const char *const snp_platform_names[] = {
	"smt",	   "tsme", "ecc", "rapl_dis", "ciphertext_hiding_dram", "alias_check_complete",
	"sev_tio", NULL,
};

/* Bit 6 is reserved in 56860, and set by real Turin: shown with the rest, but nameless. */
const struct snp_bit snp_platform_bits[] = {
	{ 0, 0, 0 },  { 1, 0, 0 },  { 2, 55, 0 }, { 3, 55, 0 },
	{ 4, 55, 0 }, { 5, 55, 3 }, { 7, 55, 5 },
};

enum snp_bit_state snp_bit_state(const struct snp_bit *b, uint64_t value,
				 const struct snp_report *r)
{
	const struct snp_version since = { .major = 1, .minor = b->minor };

	if ((value >> b->bit & 1) != 0)
		return SNP_BIT_ON;
	return snp_version_compare(r->current, since) >= 0 && r->version >= b->report
		       ? SNP_BIT_OFF
		       : SNP_BIT_UNDEFINED;
}

const char *snp_bit_text(enum snp_bit_state s)
{
	return s == SNP_BIT_ON ? "on" : s == SNP_BIT_OFF ? "off" : "not defined";
}
