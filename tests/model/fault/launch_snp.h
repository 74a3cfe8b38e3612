/* A kernel or a secure processor under strain, or a lying one, while an SEV-SNP guest is launched:
 * part of vmm-fault (fault.c). */
#ifndef PAVISE_TESTS_FAULT_LAUNCH_SNP_H
#define PAVISE_TESTS_FAULT_LAUNCH_SNP_H

#include <stdbool.h>

/* fault=snp:NAME; false: no such name. What ends in the same guest:
 *   again, intr   LAUNCH_UPDATE ends with EAGAIN or EINTR every other time
 *   signal        ... with EIO and firmware code 0, as KVM says it when a signal is pending
 *   partial       it does one page and says success
 *   late          it does one page and says EAGAIN all the same
 *   cpuid         the firmware corrects a register of the CPUID page
 * what ends in no guest:
 *   full, off     INIT2: every address space id is taken (EBUSY), there are none (ENOTTY)
 *   dead          the processor is gone from the third page on: EBUSY, no firmware code
 *   flush, asid   LAUNCH_START: caches not flushed, no address space id
 *   forever       LAUNCH_UPDATE always says EAGAIN
 *   signals       ... EIO and 0
 *   idle          it does nothing and says success
 *   ahead         it says that more pages are left than there were
 *   ragged        ... that half a page is left
 *   twice         the firmware corrects the CPUID page, and then the corrected one
 *   creating      LAUNCH_FINISH: EBUSY, a vCPU is being made
 * and what ends in another launch digest than the one predicted, which the report tells:
 *   skip          the hash page is called done and was not added
 *   repeat        the image's second page is added with the bytes of its first
 *   elsewhere     the hash page is added one page further on */
bool fault_launch_snp(const char *name);

#endif
