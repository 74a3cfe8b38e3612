/* An SEV-SNP guest on KVM (Documentation/virt/kvm/x86/amd-memory-encryption.rst): what lives as
 * long as the VM. */
#ifndef PAVISE_VMM_TEE_SNP_H
#define PAVISE_VMM_TEE_SNP_H

#include "vmm/tee/snp_certs.h"

#include <stdbool.h>
#include <stdint.h>

struct snp {
	int sev_fd;             /* /dev/sev, at the number that KVM remembers; -1 in the model */

	/* Of LAUNCH_FINISH. */
	uint8_t host_data[32];
	bool has_id;
	uint8_t id_block[96], id_auth[4096];

	struct snp_certs certs;
	unsigned c_bit;
	bool cpuid_ready;
	_Alignas(4096) uint8_t cpuid_page[4096]; /* struct snp_cpuid_page */
};

#endif
