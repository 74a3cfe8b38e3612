/* The command line of pavise-verify. */
#ifndef PAVISE_ATTEST_APPRAISE_OPTIONS_H
#define PAVISE_ATTEST_APPRAISE_OPTIONS_H

#include "attest/binding.h"
#include "common/err.h"

#include <stdint.h>
#include <time.h>

struct options {
	const char *bundle; /* NULL: `snp`, with the next two */
	const char *report, *cert_table;
	const char *policy, *vek, *chain, *trust_root;
	const char *nonce_text, *report_data_text;
	uint8_t nonce[BINDING_NONCE_MAX], report_data[64];
	size_t nonce_size;
	time_t now; /* the machine's clock unless --time was given */
	int json, help;
};

extern const char options_usage[];

/* -EX_USAGE_ERROR. With help set, nothing else is. */
int options_parse(int argc, char **argv, struct options *o, struct err *e);

#endif
