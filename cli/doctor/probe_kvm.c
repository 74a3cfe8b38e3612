/* KVM: Documentation/virt/kvm/api.rst. Questions are put to /dev/kvm, as versions of kernels say
 * little about what a distribution has built. */
#include "cli/doctor/finding.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#define MODEL_BIT 51u /* of an address: SNP_C_BIT of firmware/layout.h */

void probe_kvm_device(const struct doctor_host *h, struct doctor_finding *f)
{
	int fd;

	if (!open_kvm(h, &fd, f))
		return;
	h->close(h->context, fd);
	found(f, "/dev/kvm opens");
}

void probe_kvm_api(const struct doctor_host *h, struct doctor_finding *f)
{
	int fd, version;

	if (!open_kvm(h, &fd, f))
		return;
	version = h->ioctl(h->context, fd, KVM_GET_API_VERSION, 0);
	h->close(h->context, fd);
	if (version == KVM_API_VERSION)
		found(f, "KVM's API has version %d", version);
	else if (version < 0)
		missing(f, "/dev/kvm does not answer as KVM: %s", strerror(-version));
	else
		missing(f, "KVM's API has version %d, not %d", version, KVM_API_VERSION);
}

/* What vmm/vm.c asks for before it makes a machine. */
void probe_kvm_caps(const struct doctor_host *h, struct doctor_finding *f)
{
	static const struct {
		unsigned cap;
		const char *name;
	} needed[] = {
		{ KVM_CAP_USER_MEMORY, "USER_MEMORY" },
		{ KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP" },
		{ KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI" },
		{ KVM_CAP_IRQFD, "IRQFD" },
		{ KVM_CAP_IOEVENTFD, "IOEVENTFD" },
		{ KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT" },
	};
	unsigned answer;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!kvm_answer(h, needed[i].cap, &answer, f))
			return;
		if (answer == 0) {
			missing(f, "KVM lacks KVM_CAP_%s", needed[i].name);
			return;
		}
	}
	found(f, "KVM has what every machine needs");
}

static void probe_cap(const struct doctor_host *h, unsigned cap, unsigned bits, const char *name,
		      struct doctor_finding *f)
{
	unsigned answer;

	if (!kvm_answer(h, cap, &answer, f))
		return;
	if (answer != 0 && (answer & bits) == bits)
		found(f, "KVM has %s", name);
	else
		missing(f, "KVM lacks %s (answer %#x)", name, answer);
}

void probe_guest_memfd(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_cap(h, UAPI_CAP_GUEST_MEMFD, 0, "KVM_CAP_GUEST_MEMFD", f);
}

void probe_attributes(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_cap(h, UAPI_CAP_MEMORY_ATTRIBUTES, (unsigned)UAPI_ATTRIBUTE_PRIVATE,
		  "the attribute \"private\" of memory (KVM_CAP_MEMORY_ATTRIBUTES)", f);
}

void probe_hypercall(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_cap(h, UAPI_CAP_EXIT_HYPERCALL, 1u << UAPI_HC_MAP_GPA_RANGE,
		  "the hypercall KVM_HC_MAP_GPA_RANGE (KVM_CAP_EXIT_HYPERCALL)", f);
}

void probe_kvm_msr(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_cap(h, KVM_CAP_X86_USER_SPACE_MSR, 0, "KVM_CAP_X86_USER_SPACE_MSR", f);
}

/* The platform model puts private memory where bit 51 of the address is set: with two-dimensional
 * paging KVM takes no slot beyond the processor's own address width. */
void probe_high_slot(const struct doctor_host *h, struct doctor_finding *f)
{
	static _Alignas(4096) uint8_t page[4096];
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = 1ull << MODEL_BIT,
		.memory_size = sizeof(page),
		.userspace_addr = (uint64_t)(uintptr_t)page,
	};
	int fd, vm, rc;

	if (!open_kvm(h, &fd, f))
		return;
	vm = h->ioctl(h->context, fd, KVM_CREATE_VM, 0);
	h->close(h->context, fd);
	if (vm < 0) {
		not_seen(f, "KVM_CREATE_VM", vm);
		return;
	}
	rc = h->ioctl(h->context, vm, KVM_SET_USER_MEMORY_REGION, (uint64_t)(uintptr_t)&slot);
	h->close(h->context, vm);
	if (rc < 0)
		missing(f, "KVM holds no memory at address bit %u: %s", MODEL_BIT, strerror(-rc));
	else
		found(f, "KVM holds memory at address bit %u", MODEL_BIT);
}
