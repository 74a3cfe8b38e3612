/* Command line of pavise-measure but for `bundle`, which has its own (bundle.c). */
#ifndef PAVISE_ATTEST_MEASURE_OPTIONS_H
#define PAVISE_ATTEST_MEASURE_OPTIONS_H

#include "attest/measure/expect.h"
#include "common/err.h"

#include <stdint.h>

enum measure_kind {
	MEASURE_PLAIN, /* our VMM, no TEE */
	MEASURE_SNP,   /* our VMM, SEV-SNP */
	MEASURE_QEMU,  /* QEMU with OVMF, SEV-SNP */
	MEASURE_TDX,   /* our VMM, TDX */
	MEASURE_TDVF,  /* QEMU, or any VMM with TDVF, TDX */
	MEASURE_KINDS
};

struct measure_options {
	enum measure_kind kind;
	const char *firmware, *kernel, *initrd, *append, *plan, *log, *id_block; /* NULL: absent */
	struct machine machine;
	uint32_t max_cpus;
	int has_max_cpus;
	uint64_t policy, xfam;
	/* QEMU */
	uint32_t cpu_signature;
	uint64_t guest_features;
	int has_cpus, has_signature, has_features, has_firmware_digest, has_expect, search;
	uint8_t firmware_digest[48], expect[48];
	/* TDVF */
	int two_pass;
	int explain, no_vtpm, json, help;
};

extern const char measure_usage[];

/* Fills *o, whose texts borrow from argv. With --help nothing else is checked.
 * -EX_USAGE_ERROR. */
int measure_options_parse(int argc, char **argv, struct measure_options *o, struct err *e);

#endif
