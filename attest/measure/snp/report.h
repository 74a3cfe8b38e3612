/* What `pavise measure snp` prints. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_REPORT_H
#define PAVISE_ATTEST_MEASURE_SNP_REPORT_H

#include "attest/measure/expect.h"
#include "attest/measure/snp/plan.h"

#include <stdio.h>

struct snp_report {
	const struct plan *plan;
	const char *plan_path; /* NULL: not written */
	uint32_t cpus;	       /* what ld is for */
	int explain;	       /* list the pages, too */
	struct plain_contents contents;
	struct expect_base base;
	uint8_t ld[SNP_DIGEST_SIZE];
};

/* Steps of a measurement (snp_step_fn): a line of text into arg, a FILE *, below the title; an
 * object into arg, a JSON array. */
#define SNP_STEP_TITLE " page type    address        launch digest after it\n"
int snp_step_text(void *arg, const struct snp_step *s, struct err *e);
int snp_step_json(void *arg, const struct snp_step *s, struct err *e);

/* For people, and as JSON (docs/PROTOCOL.measure). -EX_HOST when the output fails. */
int snp_report_text(FILE *f, const struct snp_report *r, struct err *e);
int snp_report_json(FILE *f, const struct snp_report *r, struct err *e);

#endif
