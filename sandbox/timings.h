/* How long each phase of a VM's life took: `pavise run --timings`. */
#ifndef PAVISE_SANDBOX_TIMINGS_H
#define PAVISE_SANDBOX_TIMINGS_H

#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order they end. */
enum timing {
	TIMING_PREPARE,  /* checks, copy of the plan, labels, guest memory */
	TIMING_VTPM,     /* started, and the firmware measured into it */
	TIMING_DEVICES,
	TIMING_PLATFORM, /* the simulated platform and the relay of quotes started */
	TIMING_READY,    /* the VMM: machine made, launch measured */
	TIMING_SEALED,
	TIMING_GUEST,    /* from its first instruction to its end */
	TIMING_CLEANUP,
	TIMING_COUNT,
};

struct timings {
	int64_t start;            /* us, CLOCK_MONOTONIC */
	int64_t at[TIMING_COUNT]; /* end of each phase; 0: it never ended */
	uint32_t vmm[VM_MOMENTS]; /* what the VMM claims: enum vm_moment, us since it began */
};

void timings_start(struct timings *t);

/* The phase ends now. */
void timings_mark(struct timings *t, enum timing phase);

/* The VMM's word (RECORD_TIMING); false: there is no such moment. */
bool timings_take(struct timings *t, uint32_t moment, uint32_t value);

/* A line each to standard error: seconds, and the share of the whole. First the launcher's phases,
 * which are the whole; then the VMM's, which lie within launch, seal and guest. */
void timings_print(const struct timings *t, const char *name);

#endif
