/* KVM's SEV-SNP ioctls, one thin function each: with kvm.h and private.h the seam that the
 * platform model replaces at link time. Layouts: common/kvm_uapi.h. A function returns 0 or a negative
 * errno, for vmm/tee/snp_errors.c to make a sentence of; a SEV command also fills *fw with the
 * firmware's code (SEV_FW_NONE: the command never reached the firmware; 0: none).
 *
 * KVM remembers sev_fd by its number for every later guest request: it stays open, at that
 * number, for the life of the VM. */
#ifndef PAVISE_VMM_KVM_SEV_H
#define PAVISE_VMM_KVM_SEV_H

#include "common/err.h"
#include "common/kvm_uapi.h"

#include <linux/kvm.h>
#include <stdint.h>

#define SEV_FW_NONE 0xFFFFFFFFu

/* Takes the descriptors of the platform, -1 for one that was not given: sev must be /dev/sev, and
 * psp (the socket of the simulated processor) belongs to the model alone. The only function
 * here that speaks of descriptors by itself. 0, -EX_HOST, -EX_USAGE_ERROR. */
int sev_take_descriptors(int sev_fd, int psp_fd, struct err *e);

/* On /dev/kvm. */
int sev_create_vm(int kvm_fd, int *vm_fd);                    /* VM type 4; caller owns *vm_fd */
int sev_vmsa_features(int kvm_fd, uint64_t *mask);            /* what INIT2 may be asked for */

/* On the VM, before sealing. */
int sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw);
/* Extended guest requests leave to user space for certificates; before the vCPUs. -EINVAL: not in
 * this kernel. */
int sev_enable_req_certs(int vm_fd, int sev_fd, uint32_t *fw);
int sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw);
/* gfn_start, uaddr and len of *u advance by what was done, also when the answer is an error. */
int sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw);
int sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw);

#endif
