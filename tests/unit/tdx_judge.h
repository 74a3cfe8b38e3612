/* One TDX quote under appraisal, for tests: the good case, changed by the test, then judged. */
#ifndef PAVISE_TESTS_UNIT_TDX_JUDGE_H
#define PAVISE_TESTS_UNIT_TDX_JUDGE_H

#include "attest/appraise/check_tdx.h"
#include "tests/unit/fake_tdx.h"

extern struct fake_tdx tdx;
extern struct checks result;	   /* of the last judge() */
extern struct tdx_policy policy;   /* accepts the good case */
extern struct tdx_appraisal given; /* quote and checks are set by judge() */
extern struct log_policy log_policy;
extern uint8_t report_data[64];

/* For cmocka, around each test: a platform with a quote of version 4, TD 1.0. */
int tdx_judge_set_up(void **state);
int tdx_judge_tear_down(void **state);
/* Another version in the test's midst. */
void tdx_judge_renew(uint16_t version, uint16_t body_type);

/* Judges tdx.quote. */
enum exit_status judge(void);
const struct check *find(const char *id);
const char *claim(const char *name); /* fails the test when there is none */
bool has_claim(const char *name);
void assert_passes(const char *id);
void assert_skipped(const char *id);
void assert_fails(const char *id, enum exit_status failure);
/* Judges: this check fails, no other does. */
void assert_only(const char *id, enum exit_status failure);

/* n bytes of the body changed and the quote signed anew. */
void sign_body(unsigned at, const void *bytes, size_t n);

#endif
