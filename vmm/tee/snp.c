/* An SEV-SNP guest: joins private_memory, snp_cpuid, snp_launch and snp_exits to the backend. */
#include "vmm/tee/snp.h"

#include "vmm/config.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/sev.h"
#include "vmm/tee/snp_cpuid.h"
#include "vmm/tee/snp_errors.h"
#include "vmm/tee/snp_exits.h"
#include "vmm/tee/snp_launch.h"
#include "vmm/tee/tee.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNP_ACTIVE 1ull /* sev_features bit 0: KVM adds it, and refuses it from us */

static int check_host(int kvm_fd, struct err *e)
{
	unsigned types = (unsigned)kvm_check_cap(kvm_fd, UAPI_CAP_VM_TYPES);

	if ((types >> UAPI_VM_TYPE_SNP & 1) == 0)
		return err_set(e, EX_HOST, "/dev/kvm: no SEV-SNP: VM types %#x lack bit %u: use an "
			       "AMD EPYC of the 7003 series or newer with SNP enabled in the BIOS, "
			       "Linux 6.11 or newer, kvm_amd.sev_snp=1; or run the guest with "
			       "--platform sim", types, UAPI_VM_TYPE_SNP);
	return private_check_host(kvm_fd, e);
}

static int check_features(int kvm_fd, uint64_t wanted, struct err *e)
{
	uint64_t offered = 0;
	int rc;

	if (wanted == 0)
		return 0; /* nothing to ask for, and older kernels cannot be asked */
	rc = sev_vmsa_features(kvm_fd, &offered);
	if (rc < 0)
		return snp_error(SNP_INIT2, rc, 0, e);
	if ((wanted & ~offered) != 0)
		return err_set(e, EX_HOST, "/dev/kvm: VMSA features %#llx: this host offers %#llx: "
			       "measure with others", (unsigned long long)wanted,
			       (unsigned long long)offered);
	return 0;
}

static int read_exactly(const char *what, int fd, void *out, size_t size, struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot look at descriptor %d", what, fd);
	if (st.st_size != (off_t)size)
		return err_set(e, EX_MALFORMED, "%s: %lld bytes, not %zu: make it again", what,
			       (long long)st.st_size, size);
	n = pread(fd, out, size, 0);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot read", what);
	if ((size_t)n != size)
		return err_set(e, EX_HOST, "%s: read %zd of %zu bytes", what, n, size);
	return 0;
}

/* SEV-SNP firmware ABI, "ID block": its policy (at offset 88) has to be the launch's. */
static int take_id(struct snp *s, const struct config *c, uint64_t policy, struct err *e)
{
	uint64_t signed_policy;
	int rc;

	if (c->id_block < 0)
		return 0;
	rc = read_exactly("id_block", c->id_block, s->id_block, sizeof(s->id_block), e);
	if (rc == 0)
		rc = read_exactly("id_auth", c->id_auth, s->id_auth, sizeof(s->id_auth), e);
	if (rc < 0)
		return rc;
	memcpy(&signed_policy, s->id_block + 88, sizeof(signed_policy));
	if (signed_policy != policy)
		return err_set(e, EX_MALFORMED, "id_block: policy %#llx, the plan's is %#llx: sign "
			       "one made for this plan", (unsigned long long)signed_policy,
			       (unsigned long long)policy);
	s->has_id = true;
	close(c->id_block);
	close(c->id_auth);
	return 0;
}

static int init_platform(struct vm *vm, uint64_t features, struct err *e)
{
	struct snp *s = &vm->snp;
	uint32_t fw = 0;
	int rc = sev_create_vm(vm->kvm_fd, &vm->vm_fd);

	if (rc < 0)
		return snp_error(SNP_CREATE_VM, rc, 0, e);
	rc = private_enable(vm->vm_fd, e);
	if (rc < 0)
		return rc;
	rc = sev_init2(vm->vm_fd, s->sev_fd, features, &fw);
	return rc < 0 ? snp_error(SNP_INIT2, rc, fw, e) : snp_certs_enable(vm, e);
}

static int snp_create_vm(struct vm *vm, const struct plan *p, const struct config *c,
			 struct err *e)
{
	uint64_t features = p->snp.sev_features & ~SNP_ACTIVE;
	struct snp *s = &vm->snp;
	int rc = check_host(vm->kvm_fd, e);

	if (rc == 0 && c->sev < 0 && c->psp < 0)
		rc = err_set(e, EX_USAGE_ERROR, "sev=: missing: an SEV-SNP plan needs /dev/sev");
	if (rc == 0)
		rc = check_features(vm->kvm_fd, features, e);
	if (rc < 0)
		return rc;
	s->sev_fd = c->sev;
	s->c_bit = p->snp.c_bit;
	memcpy(s->host_data, c->host_data, sizeof(s->host_data));
	rc = take_id(s, c, p->snp.policy, e);
	if (rc == 0)
		rc = snp_certs_read(&s->certs, c->certs, e);
	if (rc == 0)
		rc = init_platform(vm, features, e);
	if (rc == 0)
		rc = private_memory_init(&vm->private_memory, vm->vm_fd, &vm->memory, e);
	if (rc == 0)
		rc = private_memory_share_staging(&vm->private_memory, p, e);
	return rc;
}

/* The page is that of the first vCPU: in others only ids differ, which the guest puts in itself. */
static int snp_adjust_cpuid(struct vm *vm, union kvm_cpuid_table *t, struct err *e)
{
	struct snp *s = &vm->snp;
	int rc = snp_cpuid_mark(t, s->c_bit, e);

	if (rc < 0 || s->cpuid_ready)
		return rc;
	rc = snp_cpuid_fill(t, (struct snp_cpuid_page *)s->cpuid_page, e);
	s->cpuid_ready = rc == 0;
	return rc;
}

const struct tee_ops tee_snp = {
	.name = "SEV-SNP",
	.confidential = true,
	.create_vm = snp_create_vm,
	.adjust_cpuid = snp_adjust_cpuid,
	.load = snp_launch,
	.exit = snp_exit,
};
