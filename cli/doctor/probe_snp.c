/* SEV-SNP: AMD64 APM volume 3, CPUID Fn8000_001F; amd-memory-encryption.rst; linux/psp-sev.h. */
#include "cli/doctor/finding.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define CPUID_SEV        0x8000001Fu
#define CPUID_SEV_SNP    (1u << 4)  /* of EAX */
#define CPUID_HYPERVISOR (1u << 31) /* of leaf 1, ECX */

/* Answers leaf 8000_001F. False: the processor has no such leaf, or is not AMD's. */
static bool sev_leaf(const struct doctor_host *h, uint32_t out[4], struct doctor_finding *f)
{
	uint32_t vendor[4], most[4];

	h->cpuid(h->context, 0, vendor);
	h->cpuid(h->context, 0x80000000u, most);
	/* "AuthenticAMD" in EBX, EDX, ECX */
	if (vendor[1] != 0x68747541u || vendor[3] != 0x69746E65u || vendor[2] != 0x444D4163u) {
		missing(f, "the processor is not AMD's");
		return false;
	}
	if (most[0] < CPUID_SEV) {
		missing(f, "the processor has no SEV");
		return false;
	}
	h->cpuid(h->context, CPUID_SEV, out);
	return true;
}

void probe_snp_cpu(const struct doctor_host *h, struct doctor_finding *f)
{
	uint32_t sev[4], one[4];

	if (!sev_leaf(h, sev, f))
		return;
	h->cpuid(h->context, 1, one);
	if ((sev[0] & CPUID_SEV_SNP) != 0)
		found(f, "the processor has SEV-SNP; C-bit %u", sev[1] & 0x3f);
	else
		missing(f, "%s", (one[2] & CPUID_HYPERVISOR) != 0 ?
			"no SEV-SNP in CPUID: this host is itself a virtual machine" :
			"the processor has no SEV-SNP");
}

/* SNP guests draw from the SEV-ES range, 1 to EDX - 1. */
void probe_snp_asids(const struct doctor_host *h, struct doctor_finding *f)
{
	uint32_t sev[4];

	if (!sev_leaf(h, sev, f))
		return;
	if (sev[3] > 1)
		found(f, "%u machines at most (ASIDs)", sev[3] - 1);
	else
		missing(f, "no ASID is set aside for SEV-ES and SEV-SNP");
}

void probe_snp_parameters(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const names[] = { "npt", "sev", "sev_es", "sev_snp" };
	char path[80];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/kvm_amd/parameters/%s", names[i]);
		if (!parameter_on(h, path, f))
			return;
	}
	found(f, "kvm_amd has npt, sev, sev_es and sev_snp switched on");
}

void probe_snp_type(const struct doctor_host *h, struct doctor_finding *f)
{
	probe_vm_type(h, UAPI_VM_TYPE_SNP, f);
}

/* An option of the command line, NAME=VALUE[,VALUE]...: does it keep SEV-SNP off? The kernel
 * wants the IOMMU on, not passing through, and with version 1 page tables. */
static bool is_against(const char *option)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{ "iommu=", "off" }, { "iommu=", "pt" }, { "amd_iommu=", "off" },
		{ "amd_iommu=", "pgtbl_v2" }, { "iommu.passthrough=", "1" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t n = strlen(wrong[i].name);

		if (strncmp(option, wrong[i].name, n) == 0 &&
		    has_word(option + n, ",", wrong[i].value))
			return true;
	}
	return false;
}

void probe_iommu(const struct doctor_host *h, struct doctor_finding *f)
{
	char text[4096], *rest = text, *option;
	int rc = h->read(h->context, "/proc/cmdline", text, sizeof(text));

	if (rc < 0) {
		not_seen(f, "/proc/cmdline", rc);
		return;
	}
	while ((option = strsep(&rest, " \n")) != NULL)
		if (is_against(option)) {
			missing(f, "the kernel was started with %s", option);
			return;
		}
	found(f, "nothing on the kernel's command line is against it");
}

void probe_dev_sev(const struct doctor_host *h, struct doctor_finding *f)
{
	int fd = h->open(h->context, "/dev/sev", O_RDWR);

	if (fd < 0) {
		not_seen(f, "/dev/sev", fd);
		return;
	}
	h->close(h->context, fd);
	found(f, "/dev/sev opens");
}

#define SEV_ISSUE_CMD       0xc0105300ul
#define SNP_PLATFORM_STATUS 9u /* only reads */
#define STATE_INIT          1u
#define RMP_IS_INIT         1u /* bit of flags */
#define API(major, minor)   ((major) << 8 | (minor))

struct issue_cmd {
	uint32_t cmd;
	uint64_t data; /* address of the answer */
	uint32_t error;
} __attribute__((packed));
_Static_assert(sizeof(struct issue_cmd) == 16, "sev_issue_cmd");

struct snp_status {
	uint8_t api_major, api_minor, state, flags;
	uint32_t build, mask, guests;
	uint64_t current_tcb, reported_tcb;
};
_Static_assert(sizeof(struct snp_status) == 32, "sev_user_data_snp_status");

void probe_snp_platform(const struct doctor_host *h, struct doctor_finding *f)
{
	struct snp_status s = { 0 };
	struct issue_cmd c = { .cmd = SNP_PLATFORM_STATUS, .data = (uint64_t)(uintptr_t)&s };
	int fd = h->open(h->context, "/dev/sev", O_RDWR), rc;

	if (fd < 0) {
		not_seen(f, "/dev/sev", fd);
		return;
	}
	rc = h->ioctl(h->context, fd, SEV_ISSUE_CMD, (uint64_t)(uintptr_t)&c);
	h->close(h->context, fd);
	if (rc < 0)
		missing(f, "SNP_PLATFORM_STATUS: %s, firmware code %#x", strerror(-rc), c.error);
	else if (API(s.api_major, s.api_minor) < API(1, 51))
		missing(f, "SEV firmware has API %u.%u, below 1.51", s.api_major, s.api_minor);
	else if ((s.flags & RMP_IS_INIT) == 0)
		missing(f, "SEV firmware %u.%u build %u: the RMP is not set up", s.api_major,
			s.api_minor, s.build);
	else if (s.state != STATE_INIT)
		missing(f, "SEV firmware %u.%u build %u: state %u, not INIT", s.api_major,
			s.api_minor, s.build, s.state);
	else
		found(f, "SEV firmware %u.%u build %u, TCB %016llx, %u guests", s.api_major,
		      s.api_minor, s.build, (unsigned long long)s.reported_tcb, s.guests);
}
