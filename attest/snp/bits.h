/* POLICY and PLATFORM_INFO of a report (56860 "Guest Policy", "PLATFORM_INFO"), bit by bit. Which
 * of them exist depends on the firmware: where one does not, its zero says nothing. */
#ifndef PAVISE_ATTEST_SNP_BITS_H
#define PAVISE_ATTEST_SNP_BITS_H

#include "attest/snp/report.h"

#include <stdbool.h>
#include <stdint.h>

#define SNP_POLICY_SMT (1ull << 16)
#define SNP_POLICY_ONE (1ull << 17)
#define SNP_POLICY_MIGRATE_MA (1ull << 18)
#define SNP_POLICY_DEBUG (1ull << 19)
#define SNP_POLICY_DEFINED 0x3FFFFFFull /* bits 0 to 25; the rest must be zero */

struct snp_bit {
	unsigned bit;
	uint8_t minor;	 /* the oldest firmware ABI 1.MINOR that has it … */
	uint32_t report; /* … with the oldest version of the report */
};

/* Names (NULL at the end) and, by the same index, bits. The names are those of policies and
 * claims. */
extern const char *const snp_guest_names[], *const snp_platform_names[];
extern const struct snp_bit snp_guest_bits[], snp_platform_bits[];

enum snp_bit_state { SNP_BIT_OFF, SNP_BIT_ON, SNP_BIT_UNDEFINED };

/* What value says of a bit under r's firmware. A bit that is set is on, whatever the version. */
enum snp_bit_state snp_bit_state(const struct snp_bit *b, uint64_t value,
				 const struct snp_report *r);

/* "off", "on", "not defined". */
const char *snp_bit_text(enum snp_bit_state s);

#endif
