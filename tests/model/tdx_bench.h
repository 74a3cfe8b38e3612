/* A simulated TDX platform in the test's own process: keys of a moment, asked in messages. */
#ifndef PAVISE_TESTS_MODEL_TDX_BENCH_H
#define PAVISE_TESTS_MODEL_TDX_BENCH_H

#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/module.h"

#define BENCH_ATTRIBUTES (1ull << 28) /* SEPT_VE_DISABLE */
#define BENCH_XFAM 0xE7ull

struct tdx_bench {
	struct tdx_chain_made made;
	EVP_PKEY *pck;
	struct tdx_sim sim;
	uint8_t answer[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
};

/* A platform with an uninitialized TD; fails the test otherwise. */
void tdx_bench_make(struct tdx_bench *b);
void tdx_bench_free(struct tdx_bench *b);
/* Another TD on the same platform's keys but with a MAC key of its own, as another process. */
void tdx_bench_other(const struct tdx_bench *b, struct tdx_sim *other);

/* A message with this payload; the module's status. Fails the test when the framing is refused. */
uint64_t tdx_bench_ask(struct tdx_bench *b, uint32_t command, const void *payload, size_t size);
const uint8_t *tdx_bench_payload(const struct tdx_bench *b);

/* MNG.INIT with good parameters; then MR.FINALIZE. */
struct tdx_mng_init tdx_bench_params(void);
void tdx_bench_init(struct tdx_bench *b);
void tdx_bench_run(struct tdx_bench *b);

#endif
