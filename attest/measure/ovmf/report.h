/* What `pavise measure snp --vmm qemu` prints. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_REPORT_H
#define PAVISE_ATTEST_MEASURE_OVMF_REPORT_H

#include "attest/measure/ovmf/launch.h"
#include "attest/measure/ovmf/search.h"
#include "attest/measure/plain.h"

#include <jansson.h>
#include <stdio.h>

struct ovmf_report {
	struct ovmf_launch launch;
	struct measure_file firmware, kernel, initrd; /* kernel.name NULL: none is measured */
	const char *cmdline;
	uint8_t after_firmware[SNP_DIGEST_SIZE], ld[SNP_DIGEST_SIZE];
};

/* A measurement, for people and as JSON (docs/PROTOCOL.measure); steps: NULL, or an array that is
 * taken over. -EX_HOST when the output fails. */
int ovmf_report_text(FILE *f, const struct ovmf_report *r, struct err *e);
int ovmf_report_json(FILE *f, const struct ovmf_report *r, json_t *steps, struct err *e);

/* What a search found. */
int ovmf_found_text(FILE *f, const struct ovmf_found *found, struct err *e);
int ovmf_found_json(FILE *f, const struct ovmf_found *found, struct err *e);

#endif
