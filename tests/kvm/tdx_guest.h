/* A scripted host and TDX module for the TDX image, on any KVM that can hold a memory slot at
 * address bit 47. It runs the image as built, with the sites of its table replaced by port writes;
 * tdx_machine.h answers every TDCALL, and lies where a test says so. The platform model is the
 * honest machine; this one is the attacker's. Private and shared memory are two backings: what goes
 * to the wrong one is seen. */
#ifndef PAVISE_TESTS_KVM_TDX_GUEST_H
#define PAVISE_TESTS_KVM_TDX_GUEST_H

#include "tests/kvm/cc_parts.h"
#include "tests/unit/tdx_machine.h"

#include <linux/kvm.h>

#define TDX_GUEST_CPUS 3

struct tdx_guest {
	/* Set by tdx_guest_init; tests change it before tdx_guest_run. */
	struct cc_parts parts;
	struct tdx_machine m;              /* module and host: honest until a test changes it */
	uint64_t dirty;                    /* a byte of the launch that is not zero; 0: none */
	bool no_tdcall;                    /* the processor does not know TDCALL: #UD */
	unsigned inject_vector, inject_at; /* before run number inject_at; 0: never */

	/* What came of it. */
	bool folded, powered_off;
	const char *fault;                 /* the firmware's mistake, or an end nobody wanted */
	unsigned runs, fold_run;           /* the run that ended at the last site */
	uint8_t *private, *shared, *reset;

	int kvm, vm, cpu[TDX_GUEST_CPUS];
	struct kvm_run *run[TDX_GUEST_CPUS];
};

/* An honest host around the built image and the fake kernel. */
void tdx_guest_init(struct tdx_guest *g);
/* Runs the first processor to the end. False: this KVM cannot hold the shared slot; nothing ran. */
bool tdx_guest_run(struct tdx_guest *g);
/* Runs another processor for some milliseconds: the port it wrote to, or -1 when it never left. */
int tdx_guest_run_other(struct tdx_guest *g, unsigned cpu, unsigned ms, struct kvm_regs *r,
			struct kvm_sregs *s);
void tdx_guest_free(struct tdx_guest *g);

#endif
