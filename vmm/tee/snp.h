/* An SEV-SNP guest on KVM (Documentation/virt/kvm/x86/amd-memory-encryption.rst): what lives as
 * long as the VM.
 *
 * Every page of RAM has two backings: the guest_memfd holds what is private, encrypted and out of
 * our reach; the RAM memfd holds what is shared, and devices see only that. Which one a page uses
 * is its KVM attribute. KVM does not tell attributes, so we keep our own book of them. */
#ifndef PAVISE_VMM_TEE_SNP_H
#define PAVISE_VMM_TEE_SNP_H

#include "common/err.h"
#include "common/plan.h"
#include "vmm/kvm/uapi_snp.h"
#include "vmm/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SNP_PAGE 4096ull

struct vcpu;
struct vm;
union kvm_cpuid_table;

struct snp {
	int vm_fd;
	int sev_fd;             /* /dev/sev, at the number that KVM remembers; -1 in the model */
	int gmem_fd;            /* private backing; offsets as in the RAM memfd */
	const struct memory *memory;
	pthread_mutex_t lock;   /* attribute, discard and book of a chunk change together */
	atomic_ullong refusals; /* of conversions the guest asked for */
	uint8_t *shared;        /* the book: a bit a page of the RAM memfd, one when shared */

	/* Of LAUNCH_FINISH. */
	uint8_t host_data[32];
	bool has_id;
	uint8_t id_block[96], id_auth[4096];

	unsigned c_bit;
	bool cpuid_ready;
	_Alignas(4096) uint8_t cpuid_page[4096]; /* struct snp_cpuid_page */
};

#endif
