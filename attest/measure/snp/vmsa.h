/* The VMSA (saved register state) that KVM hands to the security processor for each vCPU. */
#ifndef PAVISE_ATTEST_MEASURE_SNP_VMSA_H
#define PAVISE_ATTEST_MEASURE_SNP_VMSA_H

#include "attest/measure/snp/digest.h"
#include "common/start_state.h"

#include <stdint.h>

/* Where every VMSA is measured, whatever the vCPU (Linux arch/x86/kvm/svm/sev.c). */
#define SNP_VMSA_GPA 0xFFFFFFFFF000ull

/* Fills the page KVM makes of a vCPU whose registers were set to *s. */
void snp_vmsa_fill(const struct start_state *s, uint8_t out[SNP_PAGE_SIZE]);

#endif
