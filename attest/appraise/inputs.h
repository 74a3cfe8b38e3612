/* The files that pavise-verify is given, read into a request. */
#ifndef PAVISE_ATTEST_APPRAISE_INPUTS_H
#define PAVISE_ATTEST_APPRAISE_INPUTS_H

#include "attest/appraise/options.h"
#include "attest/pavise-attest.h"

#define INPUTS_FILES_MAX 64u

/* Everything a run owns; the request points into it. */
struct inputs {
	struct pavise_policy *policy;
	struct pavise_request *request;
	void *file[INPUTS_FILES_MAX];
	size_t file_count;
	char *name[INPUTS_FILES_MAX]; /* of files found in folders */
	size_t name_count;
};

/* Reads what the options name, and the plan that the policy names (relative to the policy's
 * folder). *in is zeroed by the caller; the options outlive it. -EX_HOST, -EX_MALFORMED,
 * -EX_USAGE_ERROR. */
int inputs_read(const struct options *o, struct inputs *in, struct err *e);

void inputs_free(struct inputs *in);

#endif
