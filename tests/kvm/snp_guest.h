/* A scripted host for the SEV-SNP image, on any KVM that can hold a memory slot at address bit 51.
 * It runs the image as built, with the sites of its table replaced by port writes, answers every
 * GHCB call and every PVALIDATE as KVM and hardware would, and lies where a test says so. The
 * platform model is the honest machine; this one is the attacker's. Private and shared memory
 * are two backings: what goes to the wrong one is seen. */
#ifndef PAVISE_TESTS_KVM_SNP_GUEST_H
#define PAVISE_TESTS_KVM_SNP_GUEST_H

#include "firmware/cpuid_page.h"
#include "firmware/hashpage.h"
#include "firmware/layout.h"
#include "firmware/staging.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_GUEST_MEMORY (192ull << 20)
#define SNP_GUEST_PAGES  (SNP_GUEST_MEMORY / FW_PAGE)
#define SNP_PRIVATE_FILL 0xDD /* what lies in memory that nobody has written */
#define SNP_SHARED_FILL  0xEE

struct snp_guest {
	/* Set by snp_guest_init; tests change it before snp_guest_run. */
	uint8_t *firmware, *kernel, *initrd;
	size_t firmware_size, kernel_size, initrd_size;
	char cmdline[8];
	struct fw_hash_page hash_page;
	struct fw_staging staging;
	struct fw_boot_block boot;
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
	bool folded, handed_over, powered_off, terminated;
	unsigned reason_set, reason;
	const char *fault;        /* a mistake of the firmware's, or the end nobody wanted */
	unsigned fold_run;        /* the run that ended at the last site */
	unsigned runs, page_calls, state_changes, pvalidates;
	uint8_t *private, *shared;
	uint8_t is_private[SNP_GUEST_PAGES], valid[SNP_GUEST_PAGES];

	int kvm, vm, cpu;
	struct kvm_run *run;
	uint64_t ghcb_msr, registered;
};

/* An honest host around the built image and the fake kernel. */
void snp_guest_init(struct snp_guest *g);
/* Hash page again, after a blob or a size changed. */
void snp_guest_hash(struct snp_guest *g);
/* Runs to the end. False: this KVM cannot hold the private slot (nothing was run). */
bool snp_guest_run(struct snp_guest *g);
void snp_guest_free(struct snp_guest *g);

#endif
