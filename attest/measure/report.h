/* What pavise-measure prints. */
#ifndef PAVISE_ATTEST_MEASURE_REPORT_H
#define PAVISE_ATTEST_MEASURE_REPORT_H

#include "attest/measure/expect.h"
#include "attest/measure/plain.h"

#include <jansson.h>
#include <stdio.h>

struct measure_report {
	const char *plan_path;
	size_t plan_size; /* bytes */
	int tpm;	  /* 0: no PCR values are printed */
	struct machine machine;
	struct plain_contents contents;
	struct expect_base base;
	struct expectation expected;
};

/* One file of the plan: a line of text, or an object. */
void report_part_text(FILE *f, const char *name, size_t size, const struct fw_digests *d);
json_t *report_part_json(size_t size, const struct fw_digests *d);

/* All files of a plan: lines of text, or an object; a machine; what the plan says of machines. */
void report_parts_text(FILE *f, const struct plain_contents *c, const struct fw_log_inputs *in);
json_t *report_parts_json(const struct plain_contents *c, const struct fw_log_inputs *in);
json_t *report_machine_json(const struct machine *m);
json_t *report_plan_json(const struct plan *p, const struct plain_contents *c);

/* Everything written reached f; -EX_HOST otherwise. */
int report_flush(FILE *f, struct err *e);
/* Writes and releases j, NULL when it could not be made. */
int report_dump(FILE *f, json_t *j, struct err *e);

/* For people, and as JSON (docs/PROTOCOL.measure). -EX_HOST when the output fails. */
int measure_report_text(FILE *f, const struct measure_report *r, struct err *e);
int measure_report_json(FILE *f, const struct measure_report *r, struct err *e);

#endif
