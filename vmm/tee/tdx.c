/* A trust domain: joins private_memory, tdx_cpuid, tdx_launch, tdx_exits and tdx_quote to the
 * backend. */
#include "vmm/tee/tdx.h"

#include "firmware/layout.h"
#include "vmm/config.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/private.h"
#include "vmm/tee/tdx_cpuid.h"
#include "vmm/tee/tdx_errors.h"
#include "vmm/tee/tdx_exits.h"
#include "vmm/tee/tdx_launch.h"
#include "vmm/tee/tee.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define CPUID_ROOM_FIRST 32u /* entries to ask for first: KVM does not say how many it has */

#define TSC_UNIT_KHZ 25000u  /* the module counts the TSC's frequency in 25 MHz */

/* The shared side of the reset page: nothing ever reads or writes it. */
static _Alignas(4096) uint8_t reset_page_shared[PRIVATE_PAGE];

static int check_host(int kvm_fd, struct err *e)
{
	unsigned types = (unsigned)kvm_check_cap(kvm_fd, UAPI_CAP_VM_TYPES);

	if ((types >> UAPI_VM_TYPE_TDX & 1) == 0)
		return err_set(e, EX_HOST, "/dev/kvm: no TDX: VM types %#x lack bit %u: use a "
			       "processor with TDX enabled in the BIOS, Linux 6.16 or newer, "
			       "kvm_intel.tdx=1, and see the kernel log for virt/tdx; or run the "
			       "guest with --platform sim", types, UAPI_VM_TYPE_TDX);
	return private_check_host(kvm_fd, e);
}

static int read_capabilities(struct tdx *t, int vm_fd, struct err *e)
{
	uint64_t hw = 0;
	int rc = -E2BIG;

	for (uint32_t room = CPUID_ROOM_FIRST; rc == -E2BIG && room <= UAPI_TDX_CPUID_MAX;
	     room *= 2) {
		memset(&t->caps, 0, sizeof(t->caps));
		t->caps.head.nent = room;
		rc = tdx_capabilities(vm_fd, &t->caps, &hw);
	}
	return rc < 0 ? tdx_error(TDX_CAPABILITIES, rc, hw, e) : 0;
}

static int check_wishes(const struct tdx *t, const struct plan_tdx *wanted, struct err *e)
{
	const struct uapi_tdx_capabilities *has = &t->caps.head;

	if ((wanted->attributes & ~has->supported_attributes) != 0)
		return err_set(e, EX_HOST, "plan: attributes %#llx, but this host's trust domains "
			       "may have %#llx: measure with others, or use another host",
			       (unsigned long long)wanted->attributes,
			       (unsigned long long)has->supported_attributes);
	if (wanted->xfam == 0 || (wanted->xfam & ~has->supported_xfam) != 0)
		return err_set(e, EX_HOST, "plan: extended features (xfam) %#llx, but this host's "
			       "trust domains may have %#llx: measure with fewer, or use another "
			       "host", (unsigned long long)wanted->xfam,
			       (unsigned long long)has->supported_xfam);
	if (wanted->gpaw != TDX_GPAW)
		return err_set(e, EX_MALFORMED, "plan: guest addresses of %u bits, not %u: make it "
			       "again", wanted->gpaw, TDX_GPAW);
	return 0;
}

/* A TD has at most as many processors as the host. */
static int check_cpus(const struct vm *vm, struct err *e)
{
	int most = kvm_check_cap(vm->vm_fd, KVM_CAP_MAX_VCPUS);

	if (most > 0 && vm->cpu_count > (unsigned)most)
		return err_set(e, EX_HOST, "cpus: %u, but a trust domain has at most as many as "
			       "this host: %d: give fewer", vm->cpu_count, most);
	return 0;
}

/* The guest's TSC is a multiple of 25 MHz; KVM would round the host's calibrated one down, which is
 * a whole unit when that is a few kHz below. */
static int set_tsc(int vm_fd, struct err *e)
{
	uint64_t host = 0, nearest;
	int rc = tdx_get_tsc_khz(vm_fd, &host);

	if (rc < 0)
		return tdx_error(TDX_TSC, rc, 0, e);
	nearest = (host + TSC_UNIT_KHZ / 2) / TSC_UNIT_KHZ * TSC_UNIT_KHZ;
	rc = tdx_set_tsc_khz(vm_fd, nearest);
	return rc < 0 ? tdx_error(TDX_TSC, rc, 0, e) : 0;
}

static int init_td(struct vm *vm, const struct plan_tdx *wanted, const struct config *c,
		   struct err *e)
{
	static union kvm_cpuid_table supported; /* large */
	struct tdx_init_vm *init = &vm->tdx.init;
	int rc = vcpu_cpuid(vm, 0, &supported, e);

	if (rc < 0)
		return rc;
	memset(init, 0, sizeof(*init));
	init->head.attributes = wanted->attributes;
	init->head.xfam = wanted->xfam;
	memcpy(init->head.mrconfigid, c->mrconfigid, sizeof(init->head.mrconfigid));
	memcpy(init->head.mrowner, c->mrowner, sizeof(init->head.mrowner));
	memcpy(init->head.mrownerconfig, c->mrownerconfig, sizeof(init->head.mrownerconfig));
	rc = tdx_cpuid_choose(&vm->tdx.caps, &supported, wanted->gpaw, init, e);
	return rc < 0 ? rc : tdx_launch_begin(vm, e);
}

/* intel-tdx.rst: capabilities, then what must stand before the TD, then the TD itself. */
static int make_td(struct vm *vm, const struct plan_tdx *wanted, const struct config *c,
		   struct err *e)
{
	int rc = tdx_create_vm(vm->kvm_fd, &vm->vm_fd);

	if (rc < 0)
		return tdx_error(TDX_CREATE_VM, rc, 0, e);
	rc = check_cpus(vm, e);
	if (rc == 0)
		rc = read_capabilities(&vm->tdx, vm->vm_fd, e);
	if (rc == 0)
		rc = check_wishes(&vm->tdx, wanted, e);
	if (rc == 0)
		rc = private_enable(vm->vm_fd, e);
	if (rc < 0)
		return rc;
	rc = private_enable_cap(vm->vm_fd, UAPI_CAP_APIC_BUS_CYCLES_NS, UAPI_TDX_APIC_BUS_NS);
	if (rc < 0)
		return tdx_error(TDX_BUS_CYCLES, rc, 0, e);
	rc = set_tsc(vm->vm_fd, e);
	return rc < 0 ? rc : init_td(vm, wanted, c, e);
}

static int backend_create_vm(struct vm *vm, const struct plan *p, const struct config *c,
			     struct err *e)
{
	struct private_memory *m = &vm->private_memory;
	int rc = check_host(vm->kvm_fd, e);

	vm->tdx.gpaw = p->tdx.gpaw;
	if (rc == 0)
		rc = make_td(vm, &p->tdx, c, e);
	if (rc == 0)
		rc = private_memory_init(m, vm->vm_fd, &vm->memory, e);
	if (rc == 0)
		rc = private_memory_add(m, FW_RESET_PAGE, sizeof(reset_page_shared),
					(uint64_t)(uintptr_t)reset_page_shared, e);
	if (rc == 0)
		rc = private_memory_share_staging(m, p, e);
	if (rc == 0)
		rc = tdx_quote_init(vm, c->quote, e);
	return rc;
}

static int backend_adjust_cpuid(struct vm *vm, union kvm_cpuid_table *t, struct err *e)
{
	return tdx_cpuid_mark(t, vm->tdx.gpaw, e);
}

const struct tee_ops tee_tdx = {
	.name = "TDX",
	.confidential = true,
	.owns_start_state = true,
	.create_vm = backend_create_vm,
	.adjust_cpuid = backend_adjust_cpuid,
	.load = tdx_launch,
	.exit = tdx_exit,
	.wait_fd = tdx_quote_fd,
	.wake = tdx_quote_wake,
};
