/* The registers every processor of an SEV-SNP guest starts with. One description for two users:
 * the VMM sets these values through KVM before LAUNCH_FINISH, and `pavise measure` predicts the
 * VMSA that KVM makes of them. 64-bit mode, paging on, flat segments, interrupts off, general
 * registers zero but RSP.
 *
 * What KVM adds is not in here: EFER.SVME and CR4.MCE (START_KVM_EFER, START_KVM_CR4). */
#ifndef PAVISE_COMMON_START_STATE_H
#define PAVISE_COMMON_START_STATE_H

#include "common/plan.h"

#include <stdint.h>

/* Bits that KVM ors into the VMCB, and so into the VMSA, of every guest (svm.c: svm_set_efer;
 * svm_set_cr4 with the host's CR4.MCE). */
#define START_KVM_EFER 0x1000ull
#define START_KVM_CR4 0x40ull

struct start_segment {
	uint64_t base;
	uint32_t limit; /* bytes - 1, granularity already applied */
	uint16_t selector;
	uint16_t attributes; /* AMD APM vol. 2 §15.5.1: type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9,
			      * D/B 10, G 11 */
};

struct start_state {
	struct start_segment cs, data; /* data: DS, ES, SS, FS and GS alike */
	struct start_segment tr, ldtr, gdtr, idtr;
	uint64_t rip, rsp, rflags;
	uint64_t cr0, cr3, cr4, efer;
	uint64_t dr6, dr7;
	uint64_t pat, xcr0;
	uint64_t sev_features;
	uint32_t mxcsr;
	uint16_t fcw;
};

/* Fills *out for processor number `cpu` (0: the first) of a parsed SEV-SNP plan. */
void start_state_of(const struct plan *p, uint32_t cpu, struct start_state *out);

#endif
