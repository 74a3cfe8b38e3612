/* The host's side of SEV-SNP for hosted tests of firmware/ghcb.c and accept.c: page states as KVM
 * and the RMP keep them, honest answers, and hooks that turn any answer into a lie. */
#ifndef PAVISE_TESTS_SNP_MACHINE_H
#define PAVISE_TESTS_SNP_MACHINE_H

#include "firmware/layout.h"
#include "firmware/snp_ops.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_MACHINE_PAGES 0x41000u /* 1040 MiB: more than two batches of 2 MiB units */

struct snp_page {
	uint8_t private_, valid;
	uint8_t validations; /* how often PVALIDATE made it valid */
	uint8_t touched;
};

struct snp_machine {
	struct snp_ops ops;
	uint8_t ghcb[FW_PAGE] __attribute__((aligned(4096)));
	bool is_shared;      /* share_ghcb was called */
	uint64_t registered; /* GHCB address, 0: none */
	uint64_t mapped;     /* of the unit in reach, UINT64_MAX: none */
	bool mapped_large;
	bool small_backing;  /* 2 MiB PVALIDATE: size mismatch */
	unsigned psc_limit;  /* entries done in one call; 0: all */

	/* Lies; NULL: honest. The page's lie runs after the honest work, as a host would. */
	uint64_t (*msr_lie)(struct snp_machine *m, uint64_t request, uint64_t honest);
	void (*page_lie)(struct snp_machine *m);
	uint64_t (*pvalidate_lie)(struct snp_machine *m, uint64_t gpa, bool large, uint64_t honest);
	uint64_t lie; /* for the hooks */

	unsigned msr_calls, page_calls, pvalidates, entries_seen;
	uint64_t psc_seen[1024]; /* entries in the order they were carried out */
	uint64_t port, port_value, mmio_gpa;
	uint32_t mmio_value;
	const char *fault;   /* the firmware's mistake: NULL when there was none */
	struct snp_page page[SNP_MACHINE_PAGES];
};

/* An honest machine with all memory private, none valid. */
void snp_machine_init(struct snp_machine *m);

/* Where the page protocol keeps things (GHCB standard §2.6). */
#define GHCB_INFO1  0x398u
#define GHCB_INFO2  0x3A0u
#define GHCB_BUFFER 0x800u
uint64_t snp_machine_load(const struct snp_machine *m, unsigned offset);
void snp_machine_store(struct snp_machine *m, unsigned offset, uint64_t value);

#endif
