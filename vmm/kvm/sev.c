#include "vmm/kvm/sev.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

_Static_assert(UAPI_MEMORY_ENCRYPT_OP == KVM_MEMORY_ENCRYPT_OP, "ioctl number");

static int answer(int rc)
{
	return rc < 0 ? -errno : 0;
}

int sev_take_descriptors(int sev_fd, int psp_fd, struct err *e)
{
	struct stat st;

	if (psp_fd >= 0)
		return err_set(e, EX_USAGE_ERROR, "psp=: this program runs on the real platform: "
			       "only pavise-vmm-sim takes a simulated one");
	if (sev_fd < 0)
		return 0;
	if (fstat(sev_fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "sev: cannot look at descriptor %d", sev_fd);
	if (!S_ISCHR(st.st_mode))
		return err_set(e, EX_HOST, "sev: descriptor %d is not /dev/sev: a security policy "
			       "may have replaced it", sev_fd);
	return 0;
}

int sev_create_vm(int kvm_fd, int *vm_fd)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, (unsigned long)UAPI_VM_TYPE_SNP);

	if (fd < 0)
		return -errno;
	*vm_fd = fd;
	return 0;
}

int sev_vmsa_features(int kvm_fd, uint64_t *mask)
{
	struct kvm_device_attr attr = {
		.group = UAPI_GRP_SEV,
		.attr = UAPI_SEV_VMSA_FEATURES,
		.addr = (uint64_t)(uintptr_t)mask,
	};

	return answer(ioctl(kvm_fd, KVM_GET_DEVICE_ATTR, &attr));
}

static int command(int vm_fd, int sev_fd, uint32_t id, void *data, uint32_t *fw)
{
	struct uapi_sev_cmd cmd = {
		.id = id,
		.data = (uint64_t)(uintptr_t)data,
		.sev_fd = (uint32_t)sev_fd,
	};
	int rc = answer(ioctl(vm_fd, UAPI_MEMORY_ENCRYPT_OP, &cmd));

	*fw = cmd.error;
	return rc;
}

int sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw)
{
	struct uapi_sev_init init = { .vmsa_features = vmsa_features };

	return command(vm_fd, sev_fd, UAPI_SEV_INIT2, &init, fw);
}

int sev_enable_req_certs(int vm_fd, int sev_fd, uint32_t *fw)
{
	return command(vm_fd, sev_fd, UAPI_SNP_ENABLE_REQ_CERTS, NULL, fw);
}

int sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw)
{
	struct uapi_snp_start start = { .policy = policy };

	return command(vm_fd, sev_fd, UAPI_SNP_LAUNCH_START, &start, fw);
}

int sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	return command(vm_fd, sev_fd, UAPI_SNP_LAUNCH_UPDATE, u, fw);
}

int sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw)
{
	return command(vm_fd, sev_fd, UAPI_SNP_LAUNCH_FINISH, f, fw);
}
