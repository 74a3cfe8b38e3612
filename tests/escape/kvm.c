/* What a VMM may no longer ask of KVM. The VM and its processor were made before the process was
 * sealed. */
#include "tests/escape/payload.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int vm = -1, vcpu = -1, event = -1;

void kvm_prepare(void)
{
	vm = ioctl(own_descriptor("kvm"), KVM_CREATE_VM, 0);
	vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	event = eventfd(0, EFD_CLOEXEC);
}

static bool make_vm(void)
{
	return ioctl(own_descriptor("kvm"), KVM_CREATE_VM, 0) >= 0;
}

/* Of /dev/kvm, and not among what the policy lists. */
static bool msr_list(void)
{
	static __u32 list[1 + 1024] = { 1024 }; /* struct kvm_msr_list */

	return ioctl(own_descriptor("kvm"), KVM_GET_MSR_INDEX_LIST, list) == 0;
}

static bool make_vcpu(void)
{
	return ioctl(vm, KVM_CREATE_VCPU, 1) >= 0;
}

/* Any memory of the VMM becomes the guest's. */
static bool map_memory(void)
{
	static unsigned char page[8192] __attribute__((aligned(4096)));
	struct kvm_userspace_memory_region r = { .slot = 7, .guest_phys_addr = 1u << 30,
						 .memory_size = 4096,
						 .userspace_addr = (uintptr_t)page };

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r) == 0;
}

static bool event_on_write(void)
{
	struct kvm_ioeventfd e = { .addr = 1u << 30, .len = 4, .fd = event };

	return ioctl(vm, KVM_IOEVENTFD, &e) == 0;
}

static bool capability(void)
{
	struct kvm_enable_cap c = { .cap = KVM_CAP_X86_USER_SPACE_MSR };

	return ioctl(vm, KVM_ENABLE_CAP, &c) == 0;
}

static bool set_registers(void)
{
	struct kvm_regs r;

	memset(&r, 0, sizeof(r));
	r.rip = 0x1000;
	r.rflags = 2;
	return ioctl(vcpu, KVM_SET_REGS, &r) == 0;
}

static bool debug(void)
{
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };

	return ioctl(vcpu, KVM_SET_GUEST_DEBUG, &d) == 0;
}

static const struct attempt attempts[] = {
	{ "kvm-vm", "makes another VM", KVM_ROLES, make_vm },
	{ "kvm-msrs", "a question to /dev/kvm that it has no use for", KVM_ROLES, msr_list },
	{ "kvm-vcpu", "makes another processor", KVM_ROLES, make_vcpu },
	{ "kvm-memory", "gives the guest other memory", KVM_ROLES, map_memory },
	{ "kvm-ioeventfd", "ties an event to an address", KVM_ROLES, event_on_write },
	{ "kvm-capability", "turns a capability of KVM on", KVM_ROLES, capability },
	{ "kvm-registers", "sets the guest's registers", KVM_ROLES, set_registers },
	{ "kvm-debug", "debugs the guest", KVM_ROLES, debug },
};

const struct class class_kvm = CLASS("kvm", attempts);
