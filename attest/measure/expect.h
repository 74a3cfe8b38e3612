/* What a plain machine will measure: event log and PCR values, from a plan and a boot block,
 * through the firmware's own pure functions (firmware/acpi.h, firmware/events.h). tdx/expect.h does
 * the same for a trust domain. */
#ifndef PAVISE_ATTEST_MEASURE_EXPECT_H
#define PAVISE_ATTEST_MEASURE_EXPECT_H

#include "attest/measure/plain.h"
#include "common/err.h"
#include "firmware/events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPECT_PCRS 8u /* PCR 0..7: the firmware's; Linux owns the rest */

enum expect_bank { EXPECT_SHA256, EXPECT_SHA384, EXPECT_BANKS };

/* The choices of the host that reach PCR 1, or RTMR 0. */
struct machine {
	uint64_t memory; /* bytes */
	uint32_t cpus;
	uint32_t pci_slots;
	bool no_tpm; /* trust domains only: there is none */
};

/* Digests of everything but the boot block and ACPI; made once per plan. */
struct expect_base {
	struct fw_log_inputs inputs; /* texts borrow from the plan */
	enum fw_variant variant;     /* of the plan's firmware */
	uint64_t min_ram;	     /* bytes */
	uint32_t max_cpus;
	bool require_tpm;
};

struct expectation {
	uint8_t pcr[EXPECT_BANKS][EXPECT_PCRS][48]; /* SHA-256 uses the first 32 bytes */
	uint8_t log[FW_EVENT_LOG_SIZE];
	size_t log_size; /* bytes used of log */
};

/* TPM_ALG_ID of a bank. */
uint16_t expect_bank_alg(enum expect_bank bank);

/* What PCR n holds, in a few words. */
const char *expect_pcr_meaning(unsigned pcr);

/* SHA-256 and SHA-384 of size bytes. -EX_INTERNAL when libcrypto fails. */
int expect_digests(const void *data, size_t size, struct fw_digests *out, struct err *e);

/* Hashes the parts of a plan. -EX_INTERNAL when libcrypto fails. */
int expect_base_make(const struct plain_contents *c, struct expect_base *out, struct err *e);

/* Fills *out with what the firmware measures in that machine. -EX_USAGE_ERROR when the plan does not
 * allow it. */
int expect_inputs(const struct expect_base *base, const struct machine *m,
		  struct fw_log_inputs *out, struct err *e);

/* Predicts for one machine with a vTPM. -EX_USAGE_ERROR when the plan does not allow it. */
int expect_machine(const struct expect_base *base, const struct machine *m, struct expectation *out,
		   struct err *e);

#endif
