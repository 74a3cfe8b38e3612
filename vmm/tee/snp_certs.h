/* Certificates for an SEV-SNP guest's extended guest requests (GHCB 56421, "SNP Extended Guest
 * Request"; api.rst, KVM_EXIT_SNP_REQ_CERTS, Linux 7.0): bytes that the guest gets with its report
 * and believes nothing of. Without them, or on an older kernel, its table is empty. */
#ifndef PAVISE_VMM_TEE_SNP_CERTS_H
#define PAVISE_VMM_TEE_SNP_CERTS_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define SNP_CERTS_MAX 16384u /* bytes: Linux guests have room for no more */

struct snp_certs {
	size_t size; /* 0: none, or the kernel cannot hand them over */
	uint8_t table[SNP_CERTS_MAX];
};

struct vcpu;
struct vm;

/* Reads the table from fd (-1: none), which it closes. 0, -EX_MALFORMED for its size, -EX_HOST. */
int snp_certs_read(struct snp_certs *c, int fd, struct err *e);

/* Asks the kernel for the exits; after INIT2, before the vCPUs. An old kernel is a line in the log:
 * 0, -EX_HOST for any other refusal. */
int snp_certs_enable(struct vm *vm, struct err *e);

/* Answers a KVM_EXIT_SNP_REQ_CERTS in v->run. */
void snp_certs_exit(struct vcpu *v);

#endif
