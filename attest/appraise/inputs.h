/* The files that pavise-verify is given, read and taken apart. */
#ifndef PAVISE_ATTEST_APPRAISE_INPUTS_H
#define PAVISE_ATTEST_APPRAISE_INPUTS_H

#include "attest/appraise/appraise.h"
#include "attest/appraise/options.h"

/* Everything a run owns. */
struct inputs {
	struct evidence evidence;
	struct policy policy;
	struct plan plan;
	struct plain_contents contents;
	struct expect_base base;
	struct snp_reference snp_reference;
	struct snp_certs certs;
	struct snp_certs trusted; /* its ARK only */
	struct checks checks;
	void *plan_data, *report, *cert_table;
	size_t report_size, cert_table_size;
};

/* Policy with its plan, if o->policy is set. -EX_HOST, -EX_MALFORMED, -EX_INTERNAL. */
int inputs_read_policy(const struct options *o, struct inputs *in, struct err *e);

/* Certificates of the options. -EX_HOST, -EX_MALFORMED. */
int inputs_read_certs(const struct options *o, struct inputs *in, struct err *e);

/* The bundle, or report and certificate table. When it is malformed that is a check, too. */
int inputs_read_evidence(const struct options *o, struct inputs *in, struct err *e);

void inputs_free(struct inputs *in);

#endif
