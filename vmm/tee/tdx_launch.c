#include "vmm/tee/tdx_launch.h"

#include "vmm/kvm/kvm.h"
#include "vmm/kvm/tdx.h"
#include "vmm/tee/launch.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tdx_cpuid.h"
#include "vmm/tee/tdx_errors.h"
#include "vmm/vm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Tries of one step that the kernel wants repeated: it did not get random numbers, a lock of the
 * module, or its signals out of the way. A millisecond between two: no longer than a breath. */
#define AGAIN_MAX 200u

/* Lines in the log about CPUID values that the module changed. */
#define DIFFERENCES_LOGGED 32u

static bool may_retry(int rc, unsigned *again)
{
	const struct timespec breath = { .tv_nsec = 1000000 };

	if ((rc != -EAGAIN && rc != -EBUSY && rc != -EINTR) || ++*again > AGAIN_MAX)
		return false;
	/* nanosleep() would be one more system call to allow. */
	(void)ppoll(NULL, 0, &breath, NULL);
	return true;
}

int tdx_launch_begin(struct vm *vm, struct err *e)
{
	unsigned again = 0;
	uint64_t hw = 0;
	int rc;

	/* EBUSY without a status is the control group's word, and final. */
	do
		rc = tdx_init_vm(vm->vm_fd, &vm->tdx.init, &hw);
	while ((rc != -EBUSY || hw != 0) && may_retry(rc, &again));
	return rc < 0 ? tdx_error(TDX_INIT_VM, rc, hw, e) : 0;
}

static int init_vcpus(struct vm *vm, struct err *e)
{
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		unsigned again = 0;
		uint64_t hw = 0;
		int rc;

		do
			rc = tdx_init_vcpu(vm->vcpu[i].fd, 0, &hw);
		while (may_retry(rc, &again));
		if (rc < 0)
			return tdx_error(TDX_INIT_VCPU, rc, hw, e);
	}
	return 0;
}

/* What the module made of our wishes: a guest must not be surprised by the width of addresses, all
 * else is worth a line. */
static int compare_cpuid(struct vm *vm, struct err *e)
{
	static union kvm_cpuid_table shown; /* large */
	unsigned lines = 0;
	uint64_t hw = 0;
	char text[160];
	int rc;

	memset(&shown, 0, sizeof(shown));
	shown.head.nent = KVM_CPUID_MAX;
	rc = tdx_get_cpuid(vm->vcpu[0].fd, &shown, &hw);
	if (rc < 0)
		return tdx_error(TDX_GET_CPUID, rc, hw, e);
	for (unsigned i = 0; i < vm->tdx.init.head.nent; i++)
		for (unsigned reg = 0; reg < 4 && lines < DIFFERENCES_LOGGED; reg++)
			if (tdx_cpuid_difference(&vm->tdx.init, &vm->tdx.caps, &shown, i, reg, text,
						 sizeof(text))) {
				vm_log(vm, "%s", text);
				lines++;
			}
	return tdx_cpuid_check(&shown, vm->tdx.gpaw, e);
}

/* One range of pages. The kernel may do part of it and call that a success. */
static int add_pages(struct vm *vm, const struct plan_region *r, const void *source, bool measure,
		     struct err *e)
{
	struct uapi_tdx_mem_region left = {
		.source_addr = (uint64_t)(uintptr_t)source,
		.gpa = r->gpa,
		.nr_pages = (r->size + PRIVATE_PAGE - 1) / PRIVATE_PAGE,
	};
	unsigned again = 0;

	while (left.nr_pages > 0) {
		uint64_t before = left.nr_pages, hw = 0;
		int rc = tdx_init_mem_region(vm->vcpu[0].fd, &left, measure, &hw);

		if (left.nr_pages > before || (left.nr_pages == before && rc == 0))
			return tdx_error(TDX_INIT_MEM_REGION, -EPROTO, hw, e);
		vm->pages_added += before - left.nr_pages;
		if (left.nr_pages < before)
			again = 0;
		if (rc < 0 && !may_retry(rc, &again))
			return tdx_error(TDX_INIT_MEM_REGION, rc, hw, e);
	}
	return 0;
}

/* Zeros as a source: pages that nothing writes are one page of the kernel's. mmap() rounds up to
 * whole ones. */
static int add_zeros(struct vm *vm, const struct plan_region *r, bool measure, struct err *e)
{
	size_t size = (size_t)r->size;
	void *zeros = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			   0);
	int rc;

	if (zeros == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "launch: cannot map %zu bytes of zeros", size);
	rc = add_pages(vm, r, zeros, measure, e);
	(void)munmap(zeros, size);
	return rc;
}

/* docs/PROTOCOL.plan, "TDX": what MRTD covers. */
static int load_region(struct vm *vm, const struct plan_region *r,
		       const struct fw_boot_block *block, struct err *e)
{
	switch (r->type) {
	case PLAN_FIRMWARE:
	case PLAN_HASH_PAGE:
	case PLAN_RESET_PAGE:
		return add_pages(vm, r, r->data, true, e);
	case PLAN_MAILBOX:
		return add_zeros(vm, r, true, e);
	case PLAN_ZERO:
		return add_zeros(vm, r, false, e);
	case PLAN_BOOT_BLOCK:
	case PLAN_KERNEL:
	case PLAN_INITRD:
	case PLAN_CMDLINE:
		return launch_stage(vm, r, block, e);
	case PLAN_CPUID_PAGE: /* of SEV-SNP guests alone: plan_parse refuses them here */
	case PLAN_SECRETS_PAGE:
		break;
	}
	return err_set(e, EX_INTERNAL, "plan: region type %d is not TDX's", (int)r->type);
}

static int finalize(struct vm *vm, struct err *e)
{
	unsigned again = 0;
	uint64_t hw = 0;
	int rc;

	do
		rc = tdx_finalize_vm(vm->vm_fd, &hw);
	while (may_retry(rc, &again));
	return rc < 0 ? tdx_error(TDX_FINALIZE_VM, rc, hw, e) : 0;
}

static int execute(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		   struct err *e)
{
	int rc = init_vcpus(vm, e);

	if (rc == 0)
		rc = compare_cpuid(vm, e);
	for (uint32_t i = 0; rc == 0 && i < p->region_count; i++)
		rc = load_region(vm, &p->region[i], block, e);
	return rc < 0 ? rc : finalize(vm, e);
}

int tdx_launch(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
	       struct err *e)
{
	return launch_undisturbed(execute, vm, p, block, e);
}
