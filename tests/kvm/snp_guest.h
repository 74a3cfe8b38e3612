/* A scripted host for the SEV-SNP image, on any KVM that can hold a memory slot at address bit 51.
 * It runs the image as built, with the sites of its table replaced by port writes, answers every
 * GHCB call and every PVALIDATE as KVM and hardware would, and lies where a test says so. The
 * platform model is the honest machine; this one is the attacker's. Private and shared memory
 * are two backings: what goes to the wrong one is seen. */
#ifndef PAVISE_TESTS_KVM_CC_GUEST_H
#define PAVISE_TESTS_KVM_CC_GUEST_H

#include "firmware/cpuid_page.h"
#include "tests/kvm/cc_parts.h"

#include <linux/kvm.h>

struct snp_guest {
	/* Set by snp_guest_init; tests change it before snp_guest_run. */
	struct cc_parts parts;
	struct fw_cpuid_page cpuid;
	uint64_t sev_status;
	uint64_t rmpadjust;       /* its EAX */
	bool small_backing;       /* every 2 MiB PVALIDATE is a size mismatch */
	unsigned inject_vector, inject_at; /* before run number inject_at; 0: never */

	/* Lies, after the honest work; NULL: none. */
	uint64_t (*msr_lie)(struct snp_guest *g, uint64_t request, uint64_t honest);
	void (*page_lie)(struct snp_guest *g, uint8_t *ghcb, uint64_t code);
	uint64_t (*pvalidate_lie)(struct snp_guest *g, uint64_t gpa, uint64_t honest);
	uint64_t lie;

	/* Devices, 32-bit registers; NULL: all ones, as where nothing is. */
	uint32_t (*mmio)(struct snp_guest *g, uint64_t gpa, bool write, uint32_t value);

	/* What came of it. */
	uint8_t secrets[FW_PAGE]; /* random, as the PSP put it into the guest */
	char console[64];         /* what the kernel wrote to the serial port */
	size_t console_size;
	bool folded, handed_over, powered_off, terminated;
	unsigned reason_set, reason;
	const char *fault;        /* a mistake of the firmware's, or the end nobody wanted */
	unsigned fold_run;        /* the run that ended at the last site */
	unsigned runs, page_calls, state_changes, pvalidates;
	uint8_t *private, *shared;
	uint8_t is_private[CC_GUEST_PAGES], valid[CC_GUEST_PAGES];

	int kvm, vm, cpu;
	struct kvm_run *run;
	uint64_t ghcb_msr, registered;
};

/* An honest host around the built image and the fake kernel. */
void snp_guest_init(struct snp_guest *g);
/* Runs to the end. False: this KVM cannot hold the private slot (nothing was run). */
bool snp_guest_run(struct snp_guest *g);
/* Whether snp_guest_run would run here; *g is left free. */
bool snp_guest_usable(struct snp_guest *g);
/* All RAM of the honest boot block is private and valid, and nothing else is. */
bool snp_guest_all_valid(const struct snp_guest *g);
void snp_guest_free(struct snp_guest *g);

#endif
