/* TDX: Documentation/virt/kvm/x86/intel-tdx.rst and arch/x86/tdx.rst of Linux 6.16. */
#include "cli/doctor/finding.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/stat.h>

#define VM_TYPE_TDX       5u
#define CAP_APIC_BUS      237u /* KVM_CAP_X86_APIC_BUS_CYCLES_NS */
#define TDX_CAPABILITIES  0u   /* command of KVM_MEMORY_ENCRYPT_OP */
#define ATTR_SEPT_VE_OFF  (1ull << 28) /* SEPT_VE_DISABLE: Linux guests insist on it */
#define CPUID_ENTRIES_MIN 32u
#define CPUID_ENTRIES_MAX 256u

/* False: f says why not. */
static bool cpu_flag(const struct doctor_host *h, const char *flag, struct doctor_finding *f)
{
	static const char FILE_NAME[] = "/proc/cpuinfo", KEY[] = "\nflags";
	char text[16384]; /* the first processor's part */
	int rc = h->read(h->context, FILE_NAME, text, sizeof(text));
	char *line = rc < 0 ? NULL : strstr(text, KEY);

	if (line == NULL) {
		not_seen(f, FILE_NAME, rc < 0 ? rc : -ENOMSG);
		return false;
	}
	line += 1;
	line[strcspn(line, "\n")] = '\0';
	if (has_word(line, " \t:", flag))
		return true;
	missing(f, "/proc/cpuinfo has no flag %s", flag);
	return false;
}

void probe_tdx_cpu(const struct doctor_host *h, struct doctor_finding *f)
{
	uint32_t vendor[4];

	h->cpuid(h->context, 0, vendor);
	/* "GenuineIntel" in EBX, EDX, ECX */
	if (vendor[1] != 0x756E6547u || vendor[3] != 0x49656E69u || vendor[2] != 0x6C65746Eu)
		missing(f, "the processor is not Intel's");
	else if (cpu_flag(h, "movdir64b", f) && cpu_flag(h, "ss", f))
		found(f, "the processor has MOVDIR64B and self-snoop");
}

/* The kernel sets the flag when it found key ids set aside for TDX. */
void probe_tdx_bios(const struct doctor_host *h, struct doctor_finding *f)
{
	if (cpu_flag(h, "tdx_host_platform", f))
		found(f, "the BIOS has set keys aside for TDX (tdx_host_platform)");
}

void probe_tdx_parameter(const struct doctor_host *h, struct doctor_finding *f)
{
	if (parameter_on(h, "/sys/module/kvm_intel/parameters/tdx", f))
		found(f, "kvm_intel has tdx switched on");
}

void probe_hibernation(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char FILE_NAME[] = "/sys/power/state";
	char text[64];
	int rc = h->read(h->context, FILE_NAME, text, sizeof(text));

	if (rc < 0 && rc != -ENOENT)
		not_seen(f, FILE_NAME, rc);
	else if (rc >= 0 && has_word(text, " \n", "disk"))
		missing(f, "the kernel supports hibernation");
	else
		found(f, "the kernel does not hibernate");
}

void probe_tdx_type(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_vm_type(h, VM_TYPE_TDX, f);
}

struct tdx_cmd {
	uint32_t id, flags;
	uint64_t data, hw_error;
};
_Static_assert(sizeof(struct tdx_cmd) == 24, "kvm_tdx_cmd");

struct tdx_capabilities {
	uint64_t attributes, xfam, tdvmcall[4], reserved[250];
	uint32_t nent, padding;
	struct kvm_cpuid_entry2 entry[CPUID_ENTRIES_MAX];
};
_Static_assert(offsetof(struct tdx_capabilities, nent) == 2048, "kvm_tdx_capabilities");

/* The kernel does not say how many entries it has: more room until they fit. */
static int ask_capabilities(const struct doctor_host *h, int vm, struct tdx_capabilities *out)
{
	int rc = -E2BIG;

	for (uint32_t n = CPUID_ENTRIES_MIN; rc == -E2BIG && n <= CPUID_ENTRIES_MAX; n *= 2) {
		struct tdx_cmd c = { .id = TDX_CAPABILITIES, .data = (uint64_t)(uintptr_t)out };

		memset(out, 0, sizeof(*out));
		out->nent = n;
		rc = h->ioctl(h->context, vm, UAPI_MEMORY_ENCRYPT_OP, (uint64_t)(uintptr_t)&c);
	}
	return rc;
}

/* Makes a machine that nothing runs in: only such a one answers. */
void probe_tdx_capabilities(const struct doctor_host *h, struct doctor_finding *f)
{
	static struct tdx_capabilities caps; /* large */
	int fd, vm, rc;

	if (!open_kvm(h, &fd, f))
		return;
	vm = h->ioctl(h->context, fd, KVM_CREATE_VM, VM_TYPE_TDX);
	h->close(h->context, fd);
	if (vm < 0) {
		missing(f, "KVM_CREATE_VM of a TD: %s", strerror(-vm));
		return;
	}
	rc = ask_capabilities(h, vm, &caps);
	h->close(h->context, vm);
	if (rc < 0)
		missing(f, "KVM_TDX_CAPABILITIES: %s", strerror(-rc));
	else if ((caps.attributes & ATTR_SEPT_VE_OFF) == 0)
		missing(f, "TD attributes %#llx lack SEPT_VE_DISABLE",
			(unsigned long long)caps.attributes);
	else
		found(f, "TD attributes %#llx, XFAM %#llx", (unsigned long long)caps.attributes,
		      (unsigned long long)caps.xfam);
}

void probe_apic_bus(const struct doctor_host *h, struct doctor_finding *f)
{
	unsigned answer;

	if (!kvm_answer(h, CAP_APIC_BUS, &answer, f))
		return;
	if (answer != 0)
		found(f, "KVM has KVM_CAP_X86_APIC_BUS_CYCLES_NS");
	else
		missing(f, "KVM lacks KVM_CAP_X86_APIC_BUS_CYCLES_NS");
}

void probe_qgs(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char PATH[] = "/var/run/tdx-qgs/qgs.socket";
	unsigned mode = 0;
	int rc = h->mode(h->context, PATH, &mode);

	if (rc < 0)
		not_seen(f, PATH, rc);
	else if (!S_ISSOCK(mode))
		missing(f, "%s is no socket", PATH);
	else if ((mode & (S_IWGRP | S_IWOTH)) == 0)
		missing(f, "%s is for its owner alone", PATH);
	else
		found(f, "%s is there, for more than its owner", PATH);
}
