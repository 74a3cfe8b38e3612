#include "vmm/tee/snp_errors.h"

#include "vmm/kvm/sev.h"

#include <errno.h>
#include <string.h>

#define ANY_STEP SNP_STEPS
#define ANY_FW   0xFFFFFFFEu /* no firmware code has this value */

static const char *const step_name[SNP_STEPS] = {
	[SNP_CREATE_VM] = "KVM_CREATE_VM(SNP)",
	[SNP_INIT2] = "KVM_SEV_INIT2",
	[SNP_REQ_CERTS] = "KVM_SEV_SNP_ENABLE_REQ_CERTS",
	[SNP_LAUNCH_START] = "SNP_LAUNCH_START",
	[SNP_LAUNCH_UPDATE] = "SNP_LAUNCH_UPDATE",
	[SNP_LAUNCH_FINISH] = "SNP_LAUNCH_FINISH",
	[SNP_RUN] = "KVM_RUN",
};

/* SEV-SNP firmware ABI (AMD 56860), "status codes". */
static const struct {
	uint32_t code;
	const char *name;
} firmware_names[] = {
	{ 0x00, "none" },
	{ 0x01, "INVALID_PLATFORM_STATE" },
	{ 0x02, "INVALID_GUEST_STATE" },
	{ 0x03, "INVALID_CONFIG" },
	{ 0x04, "INVALID_LENGTH" },
	{ 0x06, "INVALID_CERTIFICATE" },
	{ 0x07, "POLICY_FAILURE" },
	{ 0x08, "INACTIVE" },
	{ 0x09, "INVALID_ADDRESS" },
	{ 0x0A, "BAD_SIGNATURE" },
	{ 0x0B, "BAD_MEASUREMENT" },
	{ 0x0C, "ASID_OWNED" },
	{ 0x0D, "INVALID_ASID" },
	{ 0x0E, "WBINVD_REQUIRED" },
	{ 0x0F, "DFFLUSH_REQUIRED" },
	{ 0x10, "INVALID_GUEST" },
	{ 0x11, "INVALID_COMMAND" },
	{ 0x12, "ACTIVE" },
	{ 0x13, "HWERROR_PLATFORM" },
	{ 0x14, "HWERROR_UNSAFE" },
	{ 0x15, "UNSUPPORTED" },
	{ 0x16, "INVALID_PARAM" },
	{ 0x17, "RESOURCE_LIMIT" },
	{ 0x18, "SECURE_DATA_INVALID" },
	{ 0x19, "INVALID_PAGE_SIZE" },
	{ 0x1A, "INVALID_PAGE_STATE" },
	{ 0x1B, "INVALID_MDATA_ENTRY" },
	{ 0x1C, "INVALID_PAGE_OWNER" },
	{ 0x1D, "AEAD_OFLOW" },
	{ 0x1F, "RING_BUFFER_EXIT" },
	{ 0x20, "RMP_INIT_REQUIRED" },
	{ 0x21, "BAD_SVN" },
	{ 0x22, "BAD_VERSION" },
	{ 0x23, "SHUTDOWN_REQUIRED" },
	{ 0x24, "UPDATE_FAILED" },
	{ 0x25, "RESTORE_REQUIRED" },
	{ 0x26, "RMP_INIT_FAILED" },
	{ 0x27, "INVALID_KEY" },
	{ SEV_FW_NONE, "command never reached the firmware" },
};

#define REPORT_KERNEL "report it with the kernel's version and its log"

/* What the kernel's source (arch/x86/kvm/svm/sev.c, 6.12) and the firmware ABI mean. The first row
 * that fits counts: those with a firmware code stand before those without. */
static const struct {
	enum snp_step step;
	int errnum;
	uint32_t fw;
	const char *text;
} rows[] = {
	{ SNP_LAUNCH_START, EIO, 0x07, "the firmware refuses the guest policy: the host has SMT "
	  "on and the policy forbids it, or the policy wants newer firmware or a single socket: "
	  "measure with --policy 0x30000" },
	{ SNP_LAUNCH_UPDATE, EIO, 0x16, "the firmware refuses a value of the CPUID page: see "
	  "the log for the leaf; " REPORT_KERNEL },
	{ SNP_LAUNCH_UPDATE, EIO, 0x02, "the firmware no longer takes pages: launch steps are "
	  "out of order: report it as a bug" },
	{ SNP_LAUNCH_UPDATE, EIO, 0, "the kernel could not add a page, without word of the "
	  "firmware: it is shared, added already, or memory ran out: free host memory and try "
	  "again" },
	{ SNP_LAUNCH_FINISH, EIO, 0x0B, "the launch digest is not the one the ID block expects: "
	  "other image, plan, processor count or sev_features: measure again and sign again" },
	{ SNP_LAUNCH_FINISH, EIO, 0x0A, "a signature of the ID block does not hold: sign it "
	  "again with the key that id_auth names" },
	{ SNP_LAUNCH_FINISH, EIO, 0x07, "the ID block's policy is not the plan's: sign one made "
	  "for this plan" },
	{ SNP_LAUNCH_FINISH, EIO, 0x16, "the firmware refuses a field of ID block or id_auth: "
	  "algorithms must be 1 (ECDSA P-384 with SHA-384)" },
	{ ANY_STEP, EIO, SEV_FW_NONE, "the command never reached the security processor: load "
	  "the ccp driver, see the kernel log" },
	{ ANY_STEP, EIO, 0x01, "the platform is not initialized for SNP: enable SNP in the "
	  "BIOS, see the kernel log for SEV-SNP" },
	{ ANY_STEP, EIO, 0x03, "the platform's configuration does not allow it: update BIOS and "
	  "SEV firmware, give the RMP table full coverage" },
	{ ANY_STEP, EIO, 0x02, "the guest is at another stage of its launch: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x04, "kernel and firmware disagree about a length: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x06, "the firmware refuses a certificate: look at the ID block's keys "
	  "and at the platform's own certificates" },
	{ ANY_STEP, EIO, 0x07, "the firmware refuses the guest policy: measure with --policy "
	  "0x30000" },
	{ ANY_STEP, EIO, 0x08, "the guest lost its address space id: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x09, "kernel and firmware disagree about an address: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x0A, "a signature does not hold: look at the ID block and its keys" },
	{ ANY_STEP, EIO, 0x0B, "a measurement is not the one expected: measure again" },
	{ ANY_STEP, EIO, 0x0C, "the address space id belongs to another guest: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x0D, "the address space id is out of range: lower the BIOS setting "
	  "'minimum SEV non-ES ASID'" },
	{ ANY_STEP, EIO, 0x0E, "caches must be written back before an address space id is used "
	  "again, and the kernel did not: try again; if it stays, " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x0F, "the data fabric must be flushed before an address space id is used "
	  "again, and the kernel did not: try again; if it stays, " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x10, "the firmware does not know the guest: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x11, "the firmware does not know the command: update the SEV firmware" },
	{ ANY_STEP, EIO, 0x12, "the guest has an address space id already: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x13, "the security processor has a hardware error: reboot the host; "
	  "if it comes back, ask the vendor" },
	{ ANY_STEP, EIO, 0x14, "the security processor has a hardware error and is unsafe: "
	  "reboot the host; if it comes back, ask the vendor" },
	{ ANY_STEP, EIO, 0x15, "this firmware or processor does not support it: update BIOS and "
	  "SEV firmware" },
	{ ANY_STEP, EIO, 0x16, "the firmware refuses a parameter: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x17, "the security processor is out of resources: end other "
	  "confidential guests" },
	{ ANY_STEP, EIO, 0x18, "the security processor's stored data is damaged: reset the "
	  "platform or ask the vendor" },
	{ ANY_STEP, EIO, 0x19, "kernel and firmware disagree about a page's size: "
	  REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x1A, "kernel and firmware disagree about a page's state: "
	  REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x1B, "the entry of a swapped page does not fit: no guest of ours has "
	  "any: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x1C, "kernel and firmware disagree about a page's owner: "
	  REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x1D, "the counter of the guest's messages to the firmware is used up: "
	  "start the guest again" },
	{ ANY_STEP, EIO, 0x1F, "the firmware's ring buffer of commands ended: " REPORT_KERNEL },
	{ ANY_STEP, EIO, 0x20, "the RMP table is not initialized: enable RMP coverage in the "
	  "BIOS" },
	{ ANY_STEP, EIO, 0x21, "the SEV firmware has an older security version than what ran "
	  "before: install a newer one" },
	{ ANY_STEP, EIO, 0x22, "the SEV firmware's version does not fit: install another one" },
	{ ANY_STEP, EIO, 0x24, "the update of the SEV firmware failed: install it again, reboot "
	  "the host" },
	{ ANY_STEP, EIO, 0x25, "the SEV firmware must be restored after a failed update: reboot "
	  "the host" },
	{ ANY_STEP, EIO, 0x27, "a key is invalid: load the VLEK again, or use the VCEK" },
	{ ANY_STEP, EIO, 0x26, "the RMP table could not be initialized: enable RMP coverage in "
	  "the BIOS" },
	{ ANY_STEP, EIO, 0x23, "the platform must be shut down first: reboot the host" },

	{ SNP_CREATE_VM, EINVAL, ANY_FW, "this host's KVM makes no SNP guests: use Linux 6.11 "
	  "or newer with kvm_amd.sev_snp=1 and SNP enabled in the BIOS" },
	{ SNP_CREATE_VM, EBUSY, ANY_FW, "no address space id is free: end another confidential "
	  "guest" },
	{ SNP_INIT2, EBUSY, ANY_FW, "no SEV-ES/SNP address space id is free: end another "
	  "confidential guest, or raise the limit (misc.max sev_es of the control group, "
	  "'minimum SEV non-ES ASID' in the BIOS)" },
	{ SNP_INIT2, ENOTTY, ANY_FW, "SNP is off: enable it in the BIOS and with "
	  "kvm_amd.sev_snp=1, and leave SEV-ES address space ids" },
	{ SNP_INIT2, EINVAL, ANY_FW, "the kernel refuses the VMSA features or its control group "
	  "has no sev_es capacity: measure with sev_features 1, look at misc.max" },
	{ SNP_INIT2, EPERM, ANY_FW, "this VM was initialized before: report it as a bug" },
	{ SNP_REQ_CERTS, EBUSY, ANY_FW, "a vCPU exists already: report it as a bug" },
	{ SNP_LAUNCH_START, ENOTTY, ANY_FW, "the kernel could not make a guest context: SNP is "
	  "off or the security processor refused: see the kernel log" },
	{ SNP_LAUNCH_START, EINVAL, ANY_FW, "the kernel refuses the guest policy: Linux 6.12 "
	  "wants bits 16 and 17 and neither bit 18 nor bits above 19: measure with --policy "
	  "0x30000" },
	{ SNP_LAUNCH_UPDATE, EINVAL, ANY_FW, "the kernel refuses a page: it is not private "
	  "memory of a slot: report it as a bug" },
	{ SNP_LAUNCH_UPDATE, EINTR, ANY_FW, "signals kept interrupting it: try again" },
	{ SNP_LAUNCH_UPDATE, EAGAIN, ANY_FW, "the kernel kept asking to try again: the host is "
	  "overloaded: try later" },
	{ SNP_LAUNCH_FINISH, EINVAL, ANY_FW, "a vCPU is not in the state a launch wants: report "
	  "it as a bug" },
	{ SNP_LAUNCH_FINISH, EBUSY, ANY_FW, "a vCPU is being made: report it as a bug" },
	{ SNP_RUN, EINVAL, ANY_FW, "the guest spoke through a GHCB it had not registered, or made "
	  "a call that no host knows: look at the guest's firmware and kernel" },
	{ SNP_RUN, EBADF, ANY_FW, "the guest asked for attestation, but the descriptor of "
	  "/dev/sev is gone: report it as a bug" },
	{ SNP_RUN, EIO, ANY_FW, "the guest asked the security processor, and the kernel could "
	  "not reach it: see the kernel log" },

	{ ANY_STEP, EBADF, ANY_FW, "sev= is not an open /dev/sev: let the launcher pass it" },
	{ ANY_STEP, EBUSY, ANY_FW, "the security processor does not answer: see the kernel log, "
	  "reboot the host" },
	{ ANY_STEP, ENODEV, ANY_FW, "there is no security processor: load the ccp driver, see "
	  "the kernel log" },
	{ ANY_STEP, ENOTTY, ANY_FW, "the kernel does not know this step for this VM: use Linux "
	  "6.11 or newer" },
	{ ANY_STEP, ENOMEM, ANY_FW, "the host is out of memory: free some or give the guest less" },
	{ ANY_STEP, EFAULT, ANY_FW, "the kernel could not read our memory: report it as a bug" },
	{ ANY_STEP, EIO, ANY_FW, "the firmware refused: " REPORT_KERNEL },
};

const char *snp_firmware_name(uint32_t fw)
{
	for (size_t i = 0; i < sizeof(firmware_names) / sizeof(firmware_names[0]); i++)
		if (firmware_names[i].code == fw)
			return firmware_names[i].name;
	return "unknown";
}

static const char *find_text(enum snp_step step, int errnum, uint32_t fw)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].step == step || rows[i].step == ANY_STEP) &&
		    rows[i].errnum == errnum && (rows[i].fw == fw || rows[i].fw == ANY_FW))
			return rows[i].text;
	return "not a known answer of this step: " REPORT_KERNEL;
}

/* Most failures are the host's. What the ID block's owner signed is another matter: it is for
 * another launch, or not signed by whom it names. */
static enum exit_status status_of(enum snp_step step, int errnum, uint32_t fw)
{
	if (step != SNP_LAUNCH_FINISH || errnum != EIO)
		return EX_HOST;
	return fw == 0x0A || fw == 0x0B ? EX_UNAUTHENTIC : fw == 0x16 ? EX_MALFORMED : EX_HOST;
}

int snp_error(enum snp_step step, int rc, uint32_t fw, struct err *e)
{
	const char *name = step < SNP_STEPS ? step_name[step] : "SNP";
	const char *text = find_text(step, -rc, fw);

	if (fw == 0)
		return err_set(e, EX_HOST, "%s: %s (%s)", name, text, strerror(-rc));
	return err_set(e, status_of(step, -rc, fw), "%s: %s (%s; firmware %#x: %s)", name, text,
		       strerror(-rc), fw, snp_firmware_name(fw));
}
