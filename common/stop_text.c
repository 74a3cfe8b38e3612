#include "common/stop_text.h"

#include "firmware/stop.h"

#include <stddef.h>

static const struct {
	enum fw_stop code;
	const char *text;
} sentences[] = {
	{ STOP_HANDED_OVER, "firmware handed over to the kernel" },
	{ STOP_TRAP, "firmware met an unexpected exception or interrupt: report it as a bug" },
	{ STOP_TRAP_USER,
	  "firmware's unprivileged part trapped: a blob upset a parser; report it as a bug" },
	{ STOP_VARIANT,
	  "the plan or image is for another kind of machine: measure again for this one" },
	{ STOP_SCRATCH_DIRTY, "memory that must be zero at entry is not: the VMM loaded something "
			      "the plan does not list" },
	{ STOP_BOOT_BLOCK,
	  "the boot block is malformed: VMM and firmware are of different versions" },
	{ STOP_BOOT_RAM, "the boot block's RAM ranges break a rule: VMM bug or hostile host" },
	{ STOP_BOOT_CPUS, "more processors than the plan allows, or a bad processor list: measure "
			  "with a larger --max-cpus or start fewer" },
	{ STOP_BOOT_RAM_SMALL, "less RAM than the plan demands: give the VM more --memory" },
	{ STOP_BOOT_NO_TPM, "the plan demands a TPM and the host offers none: start with a TPM" },
	{ STOP_HASH_TABLE, "the hash page's table is malformed: make the plan again" },
	{ STOP_HASH_RECORD, "the hash page's record is malformed: make the plan again" },
	{ STOP_KERNEL_HASH, "the kernel is not the one the plan was made for: its hash differs" },
	{ STOP_INITRD_HASH, "the initrd is not the one the plan was made for: its hash differs" },
	{ STOP_CMDLINE_HASH,
	  "the command line is not the one the plan was made for: its hash differs" },
	{ STOP_BLOB_BOUNDS, "a staged blob lies outside RAM: give the VM more --memory" },
	{ STOP_INITRD_PLACE, "no room for the initrd: give the VM more --memory" },
	{ STOP_CMDLINE_FORM,
	  "the command line has an inner NUL or is longer than the kernel takes" },
	{ STOP_KERNEL_MAGIC, "the kernel is neither a bzImage nor an ELF file" },
	{ STOP_KERNEL_PROTOCOL,
	  "the kernel has no 64-bit entry or speaks a boot protocol below 2.12" },
	{ STOP_KERNEL_BOUNDS, "the kernel's header claims more than its file or the memory holds" },
	{ STOP_KERNEL_ELF, "the ELF kernel is no 64-bit x86 executable at fixed addresses" },
	{ STOP_KERNEL_SEGMENT, "a segment of the ELF kernel lies outside its file, outside "
			       "[2 MiB, 128 MiB) or over another" },
	{ STOP_KERNEL_ENTRY,
	  "the ELF kernel's entry lies in none of its segments, or a note is malformed" },
	{ STOP_KERNEL_PVH, "the ELF kernel has a PVH entry only, and SEV-SNP cannot start by it: "
			   "take a Linux kernel" },
	{ STOP_TPM_ABSENT, "the TPM promised by the host is not there" },
	{ STOP_TPM_TIMEOUT, "the TPM did not answer in time" },
	{ STOP_TPM_RESPONSE, "the TPM's answer is malformed" },
	{ STOP_TPM_ERROR, "the TPM refused a measurement" },
	{ STOP_LOG_FULL, "the event log is full" },
	{ STOP_ACPI_FULL, "the ACPI tables do not fit" },
	{ STOP_SNP_ABSENT, "this is not an SEV-SNP guest: start the plan with its own kind of VM" },
	{ STOP_SNP_FEATURES,
	  "SEV features are on that the plan does not list: start without them or measure again" },
	{ STOP_SNP_VMPL, "the firmware does not run at VMPL0: start without an SVSM" },
	{ STOP_SNP_CPUID, "the CPUID page is malformed: VMM bug or hostile host" },
	{ STOP_SNP_C_BIT, "the host's C-bit is not the image's: this processor needs another image" },
	{ STOP_SNP_VC, "a #VC exception reached the firmware: the host intercepts or injects "
		       "what it must not" },
	{ STOP_SNP_SITES, "the image's table of sites is damaged: build the firmware again" },
	{ STOP_GHCB_VERSION, "the host does not speak GHCB version 2: update its kernel" },
	{ STOP_GHCB_FEATURES, "the host offers no SEV-SNP AP creation: update its kernel" },
	{ STOP_GHCB_REGISTER, "the host refused the guest's GHCB page" },
	{ STOP_GHCB_RESPONSE, "the host answered a GHCB call wrongly: host bug or attack" },
	{ STOP_PSC_REFUSED, "the host refused to change the state of a page: it may be out of memory" },
	{ STOP_PSC_PROGRESS,
	  "the host's page state change went backwards or nowhere: host bug or attack" },
	{ STOP_PVALIDATE_UNCHANGED, "a page was validated already: the host plays with the RMP" },
	{ STOP_PVALIDATE_FAILED, "a page cannot be validated: the host did not assign it" },
	{ STOP_PVALIDATE_SIZE, "a 4 KiB page cannot be validated: the host maps it in a larger one" },
	{ STOP_ACCEPT_TWICE, "a page would be validated twice: report it as a bug" },
	{ STOP_RAM_LARGE, "RAM beyond 512 GiB: give the VM less --memory" },
	{ STOP_TDX_ABSENT, "this is not a trust domain: start the plan with its own kind of VM" },
	{ STOP_TDX_GPAW, "the trust domain's addresses are not 48 bits wide: VMM bug" },
	{ STOP_TDX_ATTRIBUTES,
	  "the trust domain has attributes that the plan does not list, such as debug" },
	{ STOP_TDX_SEPT_VE,
	  "the host could inject faults on private memory: start with SEPT_VE_DISABLE" },
	{ STOP_TDX_VE, "a #VE exception reached the firmware: host or TDX module does what it must "
		       "not" },
	{ STOP_TDX_MAILBOX, "the processors' mailbox is not zero at entry: hostile host" },
	{ STOP_TDX_CALL, "the TDX module refused a call: report it with the module's version" },
	{ STOP_TDX_RTMR, "an RTMR cannot be extended: report it with the module's version" },
	{ STOP_TDVMCALL_RESPONSE, "the host answered a TDVMCALL wrongly: host bug or attack" },
	{ STOP_MAP_GPA_REFUSED,
	  "the host refused to change the state of memory: it may be out of memory" },
	{ STOP_MAP_GPA_PROGRESS,
	  "the host's change of memory went backwards or nowhere: host bug or attack" },
	{ STOP_TDX_ACCEPTED, "a page was accepted already: the host plays with the Secure EPT" },
	{ STOP_TDX_ACCEPT, "a page cannot be accepted: the host did not add it" },
	{ STOP_TDX_ACCEPT_SIZE, "a 4 KiB page cannot be accepted: the host maps it in a larger one" },
};

const char *stop_text(unsigned code)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if ((unsigned)sentences[i].code == code)
			return sentences[i].text;
	return "unknown stop code: firmware and VMM are of different versions";
}
