/* A tiny trust domain (tests/model/guests/tdx_NAME) in the real pavise-vmm-sim, behind a real
 * pavise-tdx-sim. */
#ifndef PAVISE_TESTS_MODEL_TINY_TD_H
#define PAVISE_TESTS_MODEL_TINY_TD_H

#include "tests/kvm/harness.h"
#include "tests/model/tdx_process.h"

/* Prepares h for tests/model/guests/tdx_NAME, with the plan that `pavise measure tdx` would make of
 * it, without kernel. The platform must be made; tdx_stop after harness_free. */
void tiny_td_prepare(struct harness *h, struct tdx_process *tdx, const char *name);

#endif
