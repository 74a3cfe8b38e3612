/* A tiny SEV-SNP guest (tests/model/guests) in the real pavise-vmm-sim, behind a real
 * pavise-psp-sim. */
#ifndef PAVISE_TESTS_MODEL_TINY_GUEST_H
#define PAVISE_TESTS_MODEL_TINY_GUEST_H

#include "tests/kvm/harness.h"
#include "tests/model/psp_process.h"

/* Prepares h for tests/model/guests/NAME, with the plan that `pavise measure snp` would make of it,
 * without kernel. The chip must be made; psp_stop after harness_free. */
void tiny_guest_prepare(struct harness *h, struct psp_process *psp, const char *name);

#endif
