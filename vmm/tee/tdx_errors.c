#include "vmm/tee/tdx_errors.h"

#include <errno.h>
#include <string.h>

#define ANY_STEP    TDX_STEPS
#define ANY_ERRNO   0
#define ANY_OPERAND (-1)

static const char *const step_name[TDX_STEPS] = {
	[TDX_CREATE_VM] = "KVM_CREATE_VM(TDX)",
	[TDX_CAPABILITIES] = "KVM_TDX_CAPABILITIES",
	[TDX_BUS_CYCLES] = "KVM_ENABLE_CAP(KVM_CAP_X86_APIC_BUS_CYCLES_NS)",
	[TDX_TSC] = "KVM_SET_TSC_KHZ",
	[TDX_INIT_VM] = "KVM_TDX_INIT_VM",
	[TDX_INIT_VCPU] = "KVM_TDX_INIT_VCPU",
	[TDX_GET_CPUID] = "KVM_TDX_GET_CPUID",
	[TDX_INIT_MEM_REGION] = "KVM_TDX_INIT_MEM_REGION",
	[TDX_FINALIZE_VM] = "KVM_TDX_FINALIZE_VM",
	[TDX_RUN] = "KVM_RUN",
};

/* Intel TDX module ABI, "function completion status codes": bits 63:32; bits 31:0 name an
 * operand. */
static const struct {
	uint32_t class;
	const char *name;
} status_names[] = {
	{ 0xC0000100, "OPERAND_INVALID" },
	{ 0x80000200, "OPERAND_BUSY" },
	{ 0x80000203, "RND_NO_ENTROPY" },
	{ 0x80000204, "OPERAND_BUSY_HOST_PRIORITY" },
	{ 0xC0000300, "PAGE_METADATA_INCORRECT" },
	{ 0xC0000400, "TD_ASSOCIATED_PAGES_EXIST" },
	{ 0xC0000505, "SYS_NOT_READY" },
	{ 0xC0000506, "SYS_SHUTDOWN" },
	{ 0xE0000604, "TD_FATAL" },
	{ 0xC0000606, "TDCS_NOT_ALLOCATED" },
	{ 0xC0000607, "LIFECYCLE_STATE_INCORRECT" },
	{ 0xC0000608, "OP_STATE_INCORRECT" },
	{ 0xC0000609, "NO_VCPUS" },
	{ 0xC0000610, "TDCX_NUM_INCORRECT" },
	{ 0xC0000700, "VCPU_STATE_INCORRECT" },
	{ 0x80000701, "VCPU_ASSOCIATED" },
	{ 0xC0000705, "MAX_VCPUS_EXCEEDED" },
	{ 0xC0000820, "HKID_NOT_FREE" },
	{ 0xC0000B00, "EPT_WALK_FAILED" },
	{ 0xC0000B02, "EPT_ENTRY_NOT_FREE" },
	{ 0xC0000B0D, "EPT_ENTRY_STATE_INCORRECT" },
};

#define REPORT_KERNEL "report it with the versions of kernel and TDX module"
#define UPDATE_MODULE "update the TDX module (1.5.06 or newer)"

/* What the kernel's source (arch/x86/kvm/vmx/tdx.c, 6.16) and the module ABI mean. The first row
 * that fits counts: those with a completion status stand before those without (class 0). */
static const struct {
	enum tdx_step step;
	int errnum;
	uint32_t class;
	int operand;
	const char *text;
} rows[] = {
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 64, "the module refuses the attributes: the plan's "
	  "have a bit that this module lacks or lack one it demands: measure for this host, or "
	  UPDATE_MODULE },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 65, "the module refuses the extended features "
	  "(xfam): this processor lacks one of the plan's: measure with fewer" },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 66, "the module refuses the execution controls: "
	  REPORT_KERNEL },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 67, "the module refuses the width of guest "
	  "addresses: this processor has no 4-level Secure EPT of 48 bits: " REPORT_KERNEL },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 68, "the module refuses the number of processors: "
	  "give fewer cpus" },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 69, "the module refuses a CPUID value: its "
	  "configurable bits are not those KVM told: " UPDATE_MODULE },
	{ TDX_INIT_VM, ANY_ERRNO, 0xC0000100, 70, "the module refuses the TSC frequency: it must "
	  "be 100 MHz to 10 GHz: " REPORT_KERNEL },
	{ TDX_INIT_MEM_REGION, ANY_ERRNO, 0xC0000100, 1, "the module refuses the address of a "
	  "page: it lies beyond the guest's addresses or has the shared bit: report it as a bug" },
	{ TDX_INIT_MEM_REGION, ANY_ERRNO, 0xC0000B00, ANY_OPERAND, "the Secure EPT has no entry "
	  "for the page: " REPORT_KERNEL },
	{ TDX_INIT_MEM_REGION, ANY_ERRNO, 0xC0000B02, ANY_OPERAND, "the page was added before: "
	  "report it as a bug" },
	{ TDX_INIT_MEM_REGION, ANY_ERRNO, 0xC0000B0D, ANY_OPERAND, "the page was added before: "
	  "report it as a bug" },
	{ TDX_RUN, ANY_ERRNO, 0xC0000B0D, ANY_OPERAND, "the guest used a private page it had not "
	  "accepted: look at its firmware and kernel" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000100, ANY_OPERAND, "the module refuses an operand: "
	  REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0x80000200, ANY_OPERAND, "the module is busy with this trust domain "
	  "and stays so: the host is overloaded: try later" },
	{ ANY_STEP, ANY_ERRNO, 0x80000203, ANY_OPERAND, "the processor has no random numbers left: "
	  "try later" },
	{ ANY_STEP, ANY_ERRNO, 0x80000204, ANY_OPERAND, "the module is busy with a call of the "
	  "guest and stays so: try later" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000300, ANY_OPERAND, "kernel and module disagree about a page's "
	  "state: " REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000400, ANY_OPERAND, "the trust domain still has pages: "
	  REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000505, ANY_OPERAND, "the TDX module is not initialized: see "
	  "the kernel log for virt/tdx; load kvm_intel with tdx=1" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000506, ANY_OPERAND, "the TDX module was shut down: reboot the "
	  "host" },
	{ ANY_STEP, ANY_ERRNO, 0xE0000604, ANY_OPERAND, "the trust domain is dead: its memory lost "
	  "integrity: see the kernel log for machine checks" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000606, ANY_OPERAND, "the trust domain has no control "
	  "structure: " REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000607, ANY_OPERAND, "the trust domain is at another stage of "
	  "its life: " REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000608, ANY_OPERAND, "launch steps are out of order: report it "
	  "as a bug" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000609, ANY_OPERAND, "the trust domain has no processor: report "
	  "it as a bug" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000610, ANY_OPERAND, "the trust domain has too few control "
	  "pages: " REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000700, ANY_OPERAND, "a vCPU is not in the state this step "
	  "wants: report it as a bug" },
	{ ANY_STEP, ANY_ERRNO, 0x80000701, ANY_OPERAND, "a vCPU still belongs to another "
	  "processor: " REPORT_KERNEL },
	{ ANY_STEP, ANY_ERRNO, 0xC0000705, ANY_OPERAND, "more vCPUs than the trust domain was made "
	  "for: give fewer cpus" },
	{ ANY_STEP, ANY_ERRNO, 0xC0000820, ANY_OPERAND, "the memory key is in use: end another "
	  "trust domain" },

	{ TDX_CREATE_VM, EINVAL, 0, ANY_OPERAND, "this host's KVM makes no trust domains: use "
	  "Linux 6.16 or newer with kvm_intel.tdx=1 and TDX enabled in the BIOS" },
	{ TDX_CREATE_VM, EOPNOTSUPP, 0, ANY_OPERAND, "this host's KVM makes no trust domains now: "
	  "see the kernel log for virt/tdx" },
	{ TDX_CAPABILITIES, E2BIG, 0, ANY_OPERAND, "the kernel has more configurable CPUID leaves "
	  "than 256: " REPORT_KERNEL },
	{ TDX_CAPABILITIES, EINVAL, 0, ANY_OPERAND, "the kernel speaks another TDX interface: use "
	  "mainline Linux 6.16 or newer" },
	{ TDX_BUS_CYCLES, EINVAL, 0, ANY_OPERAND, "the kernel cannot set the APIC timer to 25 MHz: "
	  "use Linux 6.16 or newer" },
	{ TDX_BUS_CYCLES, ENXIO, 0, ANY_OPERAND, "the APIC timer is set before there is an APIC: "
	  "report it as a bug" },
	{ TDX_TSC, EINVAL, 0, ANY_OPERAND, "the kernel refuses the host's own TSC frequency: "
	  REPORT_KERNEL },
	{ TDX_INIT_VM, EINVAL, 0, ANY_OPERAND, "the kernel refuses attributes, xfam or a CPUID "
	  "value: " REPORT_KERNEL },
	{ TDX_INIT_VM, E2BIG, 0, ANY_OPERAND, "the kernel refuses that many CPUID leaves: "
	  REPORT_KERNEL },
	{ TDX_INIT_VM, EBUSY, 0, ANY_OPERAND, "the control group has no trust domain left: raise "
	  "misc.max tdx, or end another one" },
	{ TDX_INIT_VM, ENOSPC, 0, ANY_OPERAND, "no memory key is left: end another trust domain, "
	  "or give TDX more keys in the BIOS" },
	{ TDX_INIT_VM, EIO, 0, ANY_OPERAND, "the kernel cannot reach every processor package: "
	  "bring a processor of each package online" },
	{ TDX_INIT_VM, EAGAIN, 0, ANY_OPERAND, "the processor has no random numbers left: try "
	  "later" },
	{ TDX_INIT_VCPU, EINVAL, 0, ANY_OPERAND, "the vCPU lacks x2APIC or was initialized before: "
	  "report it as a bug" },
	{ TDX_GET_CPUID, E2BIG, 0, ANY_OPERAND, "the module has more CPUID leaves than 256: "
	  REPORT_KERNEL },
	{ TDX_INIT_MEM_REGION, EINVAL, 0, ANY_OPERAND, "the kernel refuses a page: it is not "
	  "private memory of a slot: report it as a bug" },
	{ TDX_INIT_MEM_REGION, EEXIST, 0, ANY_OPERAND, "the page was added before: report it as a "
	  "bug" },
	{ TDX_INIT_MEM_REGION, EINTR, 0, ANY_OPERAND, "signals kept interrupting it: try again" },
	{ TDX_INIT_MEM_REGION, EIO, 0, ANY_OPERAND, "the kernel could not add a page, without word "
	  "of the module: it was added before, or memory ran out: free host memory and try again" },
	{ TDX_INIT_MEM_REGION, EPROTO, 0, ANY_OPERAND, "the kernel says it did pages and did none: "
	  REPORT_KERNEL },
	{ TDX_FINALIZE_VM, EINVAL, 0, ANY_OPERAND, "the trust domain cannot run: no memory key, or "
	  "finished before: report it as a bug" },
	{ TDX_RUN, EINVAL, 0, ANY_OPERAND, "the trust domain was not launched to its end: report "
	  "it as a bug" },
	{ TDX_RUN, EIO, 0, ANY_OPERAND, "the TDX module ended the trust domain: it used private "
	  "memory it had not accepted, or the kernel met a bug: see the kernel log" },

	{ ANY_STEP, EAGAIN, 0, ANY_OPERAND, "the kernel kept asking to try again: the host is "
	  "overloaded: try later" },
	{ ANY_STEP, EBUSY, 0, ANY_OPERAND, "the module stays busy: the host is overloaded: try "
	  "later" },
	{ ANY_STEP, ENOTTY, 0, ANY_OPERAND, "the kernel does not know this step for this VM: use "
	  "mainline Linux 6.16 or newer" },
	{ ANY_STEP, ENOMEM, 0, ANY_OPERAND, "the host is out of memory: free some or give the "
	  "guest less" },
	{ ANY_STEP, EFAULT, 0, ANY_OPERAND, "the kernel could not read our memory: report it as a "
	  "bug" },
	{ ANY_STEP, EIO, 0, ANY_OPERAND, "the trust domain is dead or the module refused: see the "
	  "kernel log" },
};

const char *tdx_status_name(uint64_t hw)
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (status_names[i].class == (uint32_t)(hw >> 32))
			return status_names[i].name;
	return "unknown";
}

static const char *find_text(enum tdx_step step, int errnum, uint64_t hw)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((rows[i].step != step && rows[i].step != ANY_STEP) ||
		    (rows[i].errnum != errnum && rows[i].errnum != ANY_ERRNO) ||
		    rows[i].class != (uint32_t)(hw >> 32))
			continue;
		if (rows[i].operand == ANY_OPERAND || (uint32_t)rows[i].operand == (uint32_t)hw)
			return rows[i].text;
	}
	if (hw != 0)
		return "not a status this version knows: " UPDATE_MODULE ", or " REPORT_KERNEL;
	return "not a known answer of this step: " REPORT_KERNEL;
}

int tdx_error(enum tdx_step step, int rc, uint64_t hw, struct err *e)
{
	const char *name = step < TDX_STEPS ? step_name[step] : "TDX";
	const char *text = find_text(step, -rc, hw);

	if (hw == 0)
		return err_set(e, EX_HOST, "%s: %s (%s)", name, text, strerror(-rc));
	return err_set(e, EX_HOST, "%s: %s (%s; module %#llx: %s)", name, text, strerror(-rc),
		       (unsigned long long)hw, tdx_status_name(hw));
}
