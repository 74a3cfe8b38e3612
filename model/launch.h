/* The launch of an SEV-SNP guest as KVM does it: KVM's checks in KVM's order, then the commands to
 * the simulated processor. Each answers 0 or a negative errno and fills *fw (vmm/kvm/sev.h). */
#ifndef PAVISE_MODEL_LAUNCH_H
#define PAVISE_MODEL_LAUNCH_H

#include "common/kvm_uapi.h"

#include <stdint.h>

/* What INIT2 accepts: debug swap, as a Genoa host with Linux 6.12. */
#define LAUNCH_VMSA_FEATURES (1ull << 5)

int launch_init2(uint64_t vmsa_features, uint32_t *fw);
int launch_start(int sev_fd, uint64_t policy, uint32_t *fw);
int launch_update(int sev_fd, struct uapi_snp_update *u, uint32_t *fw);
int launch_finish(int sev_fd, const struct uapi_snp_finish *f, uint32_t *fw);

#endif
