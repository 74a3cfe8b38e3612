#include "model/launch.h"

#include "common/checked.h"
#include "model/platform.h"
#include "model/psp_client.h"
#include "vmm/kvm/sev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Guest policy as Linux 6.12 knows it. */
#define POLICY_SMT    (1ull << 16)
#define POLICY_ONE    (1ull << 17)
#define POLICY_DEBUG  (1ull << 19)
#define POLICY_SINGLE_SOCKET (1ull << 20)
#define POLICY_MASK   (0xFFFFull | POLICY_SMT | POLICY_ONE | POLICY_DEBUG | POLICY_SINGLE_SOCKET)

#define VMSA_TYPE 2u
#define ID_BLOCK_BYTES 96u
#define ID_AUTH_BYTES 4096u

/* What a command that reached the firmware answers. A dead processor is -EBUSY in Linux. */
static int firmware(int rc, uint32_t status, int refused, uint32_t *fw)
{
	*fw = rc < 0 ? SEV_FW_NONE : status;
	if (rc < 0)
		return -EBUSY;
	return status != PSP_SUCCESS ? refused : 0;
}

int launch_init2(uint64_t vmsa_features, uint32_t *fw)
{
	*fw = 0;
	if (model.inited)
		return -EPERM; /* an SNP guest knows no command below 100 */
	if (model.vcpu_count > 0 || (vmsa_features & ~LAUNCH_VMSA_FEATURES) != 0)
		return -EINVAL;
	model.vmsa_features = vmsa_features | 1; /* KVM adds SNP active */
	model.inited = true;
	return 0;
}

static int check_start(uint64_t policy)
{
	if (!model.inited)
		return -ENOTTY;
	if (model.context || (policy & ~POLICY_MASK) != 0 || (policy & POLICY_ONE) == 0 ||
	    (policy & POLICY_SMT) == 0 || (policy & POLICY_SINGLE_SOCKET) != 0)
		return -EINVAL;
	return 0;
}

int launch_start(int sev_fd, uint64_t policy, uint32_t *fw)
{
	static const uint8_t gosvw[16];
	struct err e = { 0 };
	uint32_t status, ignored;
	int rc = check_start(policy);

	*fw = SEV_FW_NONE;
	if (rc < 0)
		return rc;
	if (sev_fd != model.sev_fd)
		return -EBADF;
	rc = psp_gctx_create(model.psp_fd, &status, &e);
	rc = firmware(rc, status, -ENOTTY, fw);
	if (rc < 0)
		return rc;
	rc = psp_launch_start(model.psp_fd, policy, gosvw, &status, &e);
	if (rc == 0 && status == PSP_SUCCESS)
		rc = psp_activate(model.psp_fd, MODEL_ASID, &status, &e);
	rc = firmware(rc, status, -EIO, fw);
	if (rc < 0) {
		(void)psp_decommission(model.psp_fd, &ignored, &e);
		return rc;
	}
	model.context = true;
	return 0;
}

/* copy_from_user: where a plain copy would end the process, -EFAULT. A pipe asks the kernel to look
 * at the address. At most PIPE_BUF bytes. */
static int copy_in(void *out, uint64_t address, size_t size)
{
	int end[2], rc = -EFAULT;

	if (pipe2(end, O_CLOEXEC) < 0)
		return -ENOMEM;
	if (write(end[1], (const void *)(uintptr_t)address, size) == (ssize_t)size &&
	    read(end[0], out, size) == (ssize_t)size)
		rc = 0;
	close(end[0]);
	close(end[1]);
	return rc;
}

static bool type_is_known(uint8_t type)
{
	return type == PSP_TYPE_NORMAL || type == PSP_TYPE_ZERO || type == PSP_TYPE_UNMEASURED ||
	       type == PSP_TYPE_SECRETS || type == PSP_TYPE_CPUID;
}

/* One page of [u]: 0, or -EIO with *fw; whatever else went wrong inside is -EIO with 0. */
static int update_page(struct model_region *r, struct uapi_snp_update *u, uint32_t *fw)
{
	uint64_t gpa = u->gfn_start * PAGE_BYTES, page = (gpa - r->gpa) / PAGE_BYTES;
	uint8_t *private = (uint8_t *)(uintptr_t)(r->view.private.host + (gpa - r->gpa));
	uint8_t data[PAGE_BYTES] = { 0 };
	uint32_t status;
	struct err e = { 0 };
	int replaced = 0, rc;

	*fw = 0;
	if (!pages_can_launch(&r->pages, page))
		return -EIO;
	if (u->type != PSP_TYPE_ZERO && copy_in(data, u->uaddr, sizeof(data)) < 0)
		return -EIO;
	rc = psp_launch_update(model.psp_fd, gpa, u->type, MODEL_ASID, data, &replaced, &status,
			       &e);
	if (rc == 0 && status != PSP_SUCCESS && replaced && u->type == PSP_TYPE_CPUID)
		memcpy((void *)(uintptr_t)u->uaddr, data, sizeof(data)); /* the corrected page */
	rc = firmware(rc, status, -EIO, fw);
	if (rc < 0)
		return -EIO; /* reclaimed: it may be tried again */
	pages_launch(&r->pages, page);
	memcpy(private, data, sizeof(data));
	return 0;
}

static int check_update(const struct uapi_snp_update *u)
{
	/* 6.12 does nothing without pages, and only warns about an address of zero: newer kernels
	 * refuse both. */
	if (!model.context || u->len == 0 || u->len % PAGE_BYTES != 0 || u->flags != 0 ||
	    !type_is_known(u->type))
		return -EINVAL;
	if (u->type != PSP_TYPE_ZERO && (u->uaddr == 0 || u->uaddr % PAGE_BYTES != 0))
		return -EINVAL;
	return 0;
}

int launch_update(int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	struct model_region *r;
	uint64_t left, gpa;
	int rc = check_update(u);

	*fw = SEV_FW_NONE;
	if (rc < 0)
		return rc;
	if (!ck_mul_u64(u->gfn_start, PAGE_BYTES, &gpa) || !(r = model_region_of(gpa, PAGE_BYTES)))
		return -EINVAL;
	if (sev_fd != model.sev_fd)
		return -EBADF;
	left = r->gpa + r->size - gpa; /* only the slot of the first page */
	for (bool done = false; u->len > 0 && left > 0; done = true) {
		rc = update_page(r, u, fw);
		if (rc < 0)
			return done ? 0 : rc; /* progress is success */
		u->gfn_start++;
		u->uaddr += u->type == PSP_TYPE_ZERO ? 0 : PAGE_BYTES;
		u->len -= PAGE_BYTES;
		left -= PAGE_BYTES;
	}
	*fw = 0;
	return 0;
}

/* The state of one vCPU becomes the last kind of page in the digest. */
static int launch_vcpu(struct model_vcpu *v, uint32_t *fw)
{
	uint8_t vmsa[PAGE_BYTES];
	uint32_t status;
	struct err e = { 0 };
	int replaced, rc;

	if (v->protected)
		return -EINVAL;
	model_make_vmsa(v, model.vmsa_features, vmsa);
	rc = psp_launch_update(model.psp_fd, MODEL_VMSA_GPA, VMSA_TYPE, MODEL_ASID, vmsa,
			       &replaced, &status, &e);
	rc = firmware(rc, status, -EIO, fw);
	if (rc == 0)
		v->protected = true;
	return rc;
}

static int finish_firmware(const struct uapi_snp_finish *f, uint32_t *fw)
{
	static uint8_t block[ID_BLOCK_BYTES], auth[ID_AUTH_BYTES];
	const bool id = f->id_block_en != 0;
	struct err e = { 0 };
	uint32_t status;
	int rc;

	if (id && (copy_in(block, f->id_block_uaddr, sizeof(block)) < 0 ||
		   copy_in(auth, f->id_auth_uaddr, sizeof(auth)) < 0))
		return -EFAULT;
	rc = psp_launch_finish(model.psp_fd, id ? block : NULL, id ? auth : NULL, f->auth_key_en,
			       f->vcek_disabled, f->host_data, &status, &e);
	return firmware(rc, status, -EIO, fw);
}

int launch_finish(int sev_fd, const struct uapi_snp_finish *f, uint32_t *fw)
{
	int rc = 0;

	*fw = SEV_FW_NONE;
	if (!model.inited)
		return -ENOTTY;
	if (!model.context || f->flags != 0)
		return -EINVAL;
	if (sev_fd != model.sev_fd)
		return -EBADF;
	for (unsigned i = 0; rc == 0 && i < model.vcpu_count; i++)
		rc = launch_vcpu(&model.vcpu[i], fw);
	if (rc == 0)
		rc = finish_firmware(f, fw);
	if (rc == 0)
		model.finished = true;
	if (rc == 0)
		rc = model_open_memory(); /* from here on the guest's accesses decide about slots */
	if (rc == 0)
		model_log("launched, %u sites patched, %u vCPUs", model.site_count,
			  model.vcpu_count);
	return rc;
}
