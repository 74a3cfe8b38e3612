/* vmm/kvm/sev.h on the model: the checks of KVM and of the ccp driver, in their order (Linux 6.12:
 * arch/x86/kvm/svm/sev.c), and the simulated processor behind them. */
#include "vmm/kvm/sev.h"

#include "model/launch.h"
#include "model/platform.h"
#include "model/real.h"
#include "common/seal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GHCB_MSR         0xC0010130u
#define FILTERED_MSRS    2u /* that one and SEV_STATUS */

int sev_take_descriptors(int sev_fd, int psp_fd, struct err *e)
{
	int rc = 0;

	if (psp_fd >= 0)
		rc = seal_check_fd("psp", psp_fd, S_IFSOCK, e);
	model.sev_fd = sev_fd;
	model.psp_fd = psp_fd;
	return rc;
}

/* Guest reads and writes of both MSRs leave to the model; KVM would answer them with #GP. */
static int filter_msrs(int vm_fd)
{
	static uint8_t none[8];
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	filter.ranges[0] = (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.base = GHCB_MSR,
		.nmsrs = FILTERED_MSRS,
		.bitmap = none,
	};
	if (ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0)
		return -errno;
	return ioctl(vm_fd, KVM_X86_SET_MSR_FILTER, &filter) < 0 ? -errno : 0;
}

int sev_create_vm(int kvm_fd, int *vm_fd)
{
	struct err e = { 0 };
	int rc;

	if (model.psp_fd < 0)
		return -EINVAL; /* no simulated processor: a KVM without SEV-SNP */
	if (kvm_create_vm(kvm_fd, vm_fd, &e) < 0)
		return -EIO;
	model_take_vm(&kind_snp, kvm_fd, *vm_fd);
	rc = filter_msrs(*vm_fd);
	if (rc < 0) {
		model.vm_fd = -1;
		close(*vm_fd);
	}
	return rc;
}

int sev_vmsa_features(int kvm_fd, uint64_t *mask)
{
	(void)kvm_fd;
	*mask = LAUNCH_VMSA_FEATURES;
	return 0;
}

int sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw)
{
	(void)sev_fd; /* KVM looks at it from LAUNCH_START on */
	return vm_fd != model.vm_fd ? -EIO : launch_init2(vmsa_features, fw);
}

/* The simulated kernel is one without certificate exits. */
int sev_enable_req_certs(int vm_fd, int sev_fd, uint32_t *fw)
{
	(void)sev_fd;
	*fw = 0;
	return vm_fd != model.vm_fd ? -EIO : -EINVAL;
}

int sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_start(sev_fd, policy, fw);
}

int sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_update(sev_fd, u, fw);
}

int sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_finish(sev_fd, f, fw);
}
