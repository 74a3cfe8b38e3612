/* A scripted host and TDX module for the TDX image, on any KVM that can hold a memory slot at
 * address bit 47. It runs the image as built, with the sites of its table replaced by port writes, answers
 * every TDCALL as module and KVM would, and lies where a test says so. The platform model is the
 * honest machine; this one is the attacker's. Private and shared memory are two backings: what goes
 * to the wrong one is seen. */
#ifndef PAVISE_TESTS_KVM_TDX_GUEST_H
#define PAVISE_TESTS_KVM_TDX_GUEST_H

#include "firmware/tdcall.h"
#include "tests/kvm/cc_parts.h"

#include <linux/kvm.h>

#define TDX_GUEST_CPUS 3

struct tdx_guest {
	/* Set by tdx_guest_init; tests change it before tdx_guest_run. */
	struct cc_parts parts;
	uint64_t attributes, gpaw;
	bool small_backing;                /* every 2 MiB page is a size mismatch */
	uint64_t map_limit;                /* bytes that one MapGPA changes; 0: all */
	uint64_t dirty;                    /* a byte of the launch that is not zero; 0: none */
	unsigned inject_vector, inject_at; /* before run number inject_at; 0: never */

	/* Lies, after the honest work; NULL: none. host_lie may change what a TDG.VP.VMCALL gives
	 * back, of the exposed registers alone; module_lie the status of the other calls. */
	void (*host_lie)(struct tdx_guest *g, uint64_t function, struct kvm_regs *r);
	uint64_t (*module_lie)(struct tdx_guest *g, uint64_t leaf, uint64_t gpa, uint64_t honest);
	uint64_t lie;

	/* Devices, 32-bit registers; NULL: all ones, as where nothing is. */
	uint32_t (*mmio)(struct tdx_guest *g, uint64_t gpa, bool write, uint32_t value);

	/* What came of it. */
	bool folded, handed_over, powered_off, fatal;
	uint64_t fatal_code;               /* R12 of ReportFatalError */
	const char *fault;                 /* the firmware's mistake, or an end nobody wanted */
	unsigned fold_run;                 /* the run that ended at the last site */
	unsigned runs, vmcalls, map_calls, accepts;
	uint8_t rtmr[4][48];
	uint8_t *private, *shared, *reset;
	uint8_t is_private[CC_GUEST_PAGES], accepted[CC_GUEST_PAGES];

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
