/* Command line of pavise-measure. */
#ifndef PAVISE_ATTEST_MEASURE_OPTIONS_H
#define PAVISE_ATTEST_MEASURE_OPTIONS_H

#include "attest/measure/expect.h"
#include "common/err.h"

#include <stdint.h>

struct measure_options {
	int snp; /* an SEV-SNP guest; 0: a plain machine */
	const char *firmware, *kernel, *initrd, *append, *plan, *log, *id_block; /* NULL: absent */
	struct machine machine;
	uint32_t max_cpus;
	uint64_t policy;
	int has_max_cpus, has_pci_slots, has_policy;
	int explain, no_vtpm, json, help;
};

extern const char measure_usage[];

/* Fills *o, whose texts borrow from argv. With --help nothing else is checked.
 * -EX_USAGE_ERROR. */
int measure_options_parse(int argc, char **argv, struct measure_options *o, struct err *e);

#endif
