/* QEMU's models of AMD processors: in the launch digest each is its CPUID signature. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_CPU_TYPE_H
#define PAVISE_ATTEST_MEASURE_OVMF_CPU_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_type {
	const char *name;   /* without version: "EPYC-Milan" */
	uint32_t signature; /* CPUID Fn0000_0001_EAX */
	unsigned versions;  /* "-v1" to "-vN" name it too; 0: a real processor, no model */
};

/* name NULL at the end. Models first, then processors that `-cpu host` would show. */
extern const struct cpu_type cpu_types[];

/* The signature of a model by its name, with or without "-vN", in any case; false when there is
 * none. */
bool cpu_type_signature(const char *name, uint32_t *signature);

/* What shows this signature, for people; "unknown processor" when nothing here does. */
const char *cpu_type_name(uint32_t signature);

#endif
