/* What an SEV-SNP guest does at run time: change pages between private and shared, ask for the
 * certificates of its report, and end itself through its GHCB. */
#ifndef PAVISE_VMM_TEE_SNP_EXITS_H
#define PAVISE_VMM_TEE_SNP_EXITS_H

#include <stdbool.h>

struct vcpu;

/* Handles HYPERCALL, MEMORY_FAULT, SNP_REQ_CERTS, SYSTEM_EVENT and FAIL_ENTRY exits; false: it was
 * another. */
bool snp_exit(struct vcpu *v, int rc);

#endif
