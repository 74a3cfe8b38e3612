/* The command line of pavise-verify. */
#ifndef PAVISE_ATTEST_APPRAISE_OPTIONS_H
#define PAVISE_ATTEST_APPRAISE_OPTIONS_H

#include "attest/appraise/request.h"
#include "attest/binding.h"
#include "common/err.h"

#include <stdint.h>
#include <time.h>

#define OPTIONS_REPEAT_MAX 16u

/* An option that may be given more than once. */
struct option_list {
	const char *value[OPTIONS_REPEAT_MAX];
	size_t count;
};

/* Texts are the arguments themselves; NULL: not given. */
struct options {
	enum request_kind kind;
	/* bundle: its file; snp: --report; tdx, tpm: --quote */
	const char *evidence;
	const char *policy, *trust_root, *time_text, *nonce_text, *report_data_text;
	const char *version_text;
	const char *vek, *chain, *cert_table;		  /* snp */
	const char *ccel;				  /* tdx */
	const char *signature, *ak, *pcrs, *event_log;	  /* tpm */
	struct option_list crl, collateral;		  /* snp; tdx */
	uint8_t nonce[BINDING_NONCE_MAX], report_data[64];
	size_t nonce_size;
	uint32_t allow_report_version; /* 0: none */
	time_t now;		       /* the machine's clock unless --time was given */
	bool json, help;
};

extern const char options_usage[];

/* -EX_USAGE_ERROR. With help set, nothing else is. */
int options_parse(int argc, char **argv, struct options *o, struct err *e);

#endif
