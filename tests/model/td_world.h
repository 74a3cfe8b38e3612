/* A trust domain of pavise on the simulated platform, from its plan to its evidence: the module
 * measures what the plan says, the registers take what the firmware would extend. */
#ifndef PAVISE_TESTS_MODEL_TD_WORLD_H
#define PAVISE_TESTS_MODEL_TD_WORLD_H

#include "attest/measure/tdx/expect.h"
#include "attest/measure/tdx/plan.h"
#include "tests/model/tdx_bench.h"
#include "tests/unit/fake_files.h"

#define TD_NONCE_SIZE 32u

struct td_world {
	struct tdx_bench bench;
	uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE];
	struct plain_plan built;
	uint8_t *plan; /* the file */
	size_t plan_size;
	struct expect_base base;
	struct tdx_measured measured;
	struct tdx_expectation expected; /* of the machine that was started */
	uint8_t nonce[TD_NONCE_SIZE];
	uint8_t *key; /* the agent's, DER */
	size_t key_size;
	uint8_t quote[TDX_SIM_QUOTE_MAX];
	size_t quote_size, log_size; /* log_size 0: evidence without a log */
	uint8_t log[FW_CC_LOG_SIZE];
};

/* Starts that machine, runs its firmware and asks for evidence; fails the test otherwise. */
void td_world_make(struct td_world *w, const struct machine *m, uint64_t attributes);
void td_world_free(struct td_world *w);

/* The same with another kernel in the plan than the one that was started. */
void td_world_other_plan(struct td_world *w);

/* Another agent's key in the place of that which the quote binds. */
void td_world_other_key(struct td_world *w);

/* A new quote of the running domain, over nonce and key. */
void td_world_quote(struct td_world *w);

/* The evidence as JSON (free it). */
char *td_world_json(const struct td_world *w);

#endif
