/* One report under appraisal, for tests: the good case, changed by the test, then judged. */
#ifndef PAVISE_TESTS_UNIT_SNP_JUDGE_H
#define PAVISE_TESTS_UNIT_SNP_JUDGE_H

#include "attest/appraise/check_snp.h"
#include "tests/unit/fake_snp.h"

extern struct fake_snp chip;
extern struct checks result;	 /* of the last judge() */
extern struct snp_policy policy; /* accepts the good case */
extern struct snp_given {
	X509 *cert[SNP_ROLES]; /* borrowed; NULL: not given */
	X509 *trust_root;
	time_t now;
	uint8_t report[SNP_REPORT_SIZE];
	size_t report_size;
	const struct snp_reference *reference;
	uint8_t report_data[64];
	bool without_data; /* nobody says what REPORT_DATA must be */
	bool without_policy;
	struct blob crl[REQUEST_CRL_MAX]; /* borrowed */
	size_t crl_count;
	uint32_t allow_version;
} given;

/* For cmocka: a chip for the whole group; the good case for each test. */
int snp_judge_set_up(void **state);
int snp_judge_tear_down(void **state);
int snp_judge_renew(void **state);

enum exit_status judge(void);
const struct check *find(const char *id);
/* The value of a claim, "(no claim)" without it. */
const char *claim(const char *name);
void assert_skipped(const char *id);
void assert_passes(const char *id);
void assert_fails(const char *id, enum exit_status failure);
/* Judges: this check fails, no other does. */
void assert_only(const char *id, enum exit_status failure);

/* The chip's report with n bytes changed, signed anew, into given.report. */
void sign_report(unsigned at, const void *bytes, size_t n);

#endif
