/* A TPM's quote over what a small event log leads to, appraised under a policy; for tests that
 * change one thing of it. */
#ifndef PAVISE_TESTS_TPM_WORLD_H
#define PAVISE_TESTS_TPM_WORLD_H

#include "attest/appraise/appraise_common.h"
#include "attest/appraise/log_case.h"
#include "tests/unit/fake_tpm.h"

#define WORLD_NONCE 20

extern const uint8_t world_nonce[WORLD_NONCE];

/* What is wrong with the log. */
enum fault { NONE, NO_SEPARATOR, TWO_SEPARATORS, ERROR_SEPARATOR, UNKNOWN_EVENT, OPAQUE_TAIL };

struct world {
	struct fake_tpm tpm;
	struct pcr_values values[EXPECT_BANKS];
	uint8_t log[4096], quote[4096], signature[4096], pcrs[EXPECT_BANKS * 8 * 48];
	size_t log_size, pcrs_size;
	struct request request;
	struct policy policy;
	struct checks checks;
};

/* A world that is affirmed, but for the fault of its log, and but for PCR 4, off by one bit, with
 * `wrong`. Freed by world_free. */
struct world *world_make(uint16_t scheme, enum fault fault, bool wrong);
void world_free(struct world *w);

/* Quotes and signs w->values anew. */
void world_sign(struct world *w);

enum exit_status world_verdict(struct world *w);

/* That check of the last verdict; the test fails without it. */
const struct check *world_find(const struct world *w, const char *id);
void world_is(const struct world *w, const char *id, enum check_status status);

/* The verdict is that, and this very check is the one that failed. */
void world_refused(struct world *w, enum exit_status want, const char *id);

#endif
