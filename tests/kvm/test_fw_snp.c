/* Tier kvm: the SEV-SNP image as built, on a host that a test scripts (snp_guest.h) and that is
 * honest: what it leaves behind, and what it does not. The lies are in test_fw_snp_lies.c. */
#include "tests/kvm/fw_machine.h"
#include "tests/kvm/snp_guest.h"

#include "firmware/ccblob.h"
#include "firmware/events.h"
#include "firmware/ghcb.h"
#include "firmware/stop.h"
#include "firmware/tpmcmd.h"
#include "firmware/zeropage.h"
#include "vmm/platform/tpm_crb.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct snp_guest g;

static void check_private(void)
{
	static uint8_t acpi[FW_ACPI_SIZE], log[FW_EVENT_LOG_SIZE], zero_page[FW_PAGE];
	static uint8_t blob[FW_PAGE];
	struct fw_initrd_place place;
	struct fw_log_inputs in;
	struct fw_kernel k;
	size_t size = 0, log_size = 0;

	cc_parts_predict(&g.parts, &in, acpi, &size);
	tap_ok(memcmp(g.private + FW_ACPI, acpi, sizeof(acpi)) == 0, "ACPI tables as predicted");
	if (fw_log_build(&in, log, sizeof(log), &log_size) != 0)
		abort();
	tap_ok(memcmp(g.private + FW_EVENT_LOG, log, sizeof(log)) == 0,
	       "event log as predicted, the HCRTM event names the file and not the patched image");
	if (fw_kernel_parse(g.parts.kernel, g.parts.kernel_size, FW_VARIANT_SNP, &k) !=
		    STOP_HANDED_OVER ||
	    fw_initrd_place(&g.parts.boot, k.initrd_addr_max, 0, g.parts.initrd_size, &place) != 0)
		abort();
	fw_zero_page_build(zero_page, g.parts.kernel, &k, &g.parts.boot, &place);
	fw_cc_blob_build(blob, zero_page);
	tap_ok(memcmp(g.private + FW_ZERO_PAGE, zero_page, FW_PAGE) == 0 &&
	       memcmp(g.private + FW_CC_BLOB, blob, FW_PAGE) == 0,
	       "zero page and CC blob as computed");
	tap_ok(memcmp(g.private + place.base, g.parts.initrd, g.parts.initrd_size) == 0,
	       "the initrd lies in private memory");
	tap_ok(cc_is_filled(g.private, 0, FW_SCRATCH + 0x6000, FW_HASH_PAGE),
	       "scratch memory is scrubbed");
}

/* At the jump: nothing in a register that the kernel was not to get. */
static void check_registers(void)
{
	static const uint8_t zero[16 * 16];
	struct fake_saved s;

	memcpy(&s, g.private + FAKE_SAVED, sizeof(s));
	tap_ok(s.rsi == FW_ZERO_PAGE &&
		       (s.rax | s.rbx | s.rcx | s.rdx | s.rdi | s.rbp | s.rsp | s.r8 | s.r9 |
			s.r10 | s.r11 | s.r12 | s.r13 | s.r14 | s.r15) == 0 &&
		       memcmp(s.fxsave + 160, zero, sizeof(zero)) == 0 && (s.cr4 & 0x200) == 0,
	       "every register but RSI is zero, vector registers too");
}

/* The keys of the channel to the PSP (SEV-SNP firmware ABI, SECRETS page: VMPCK 0 to 3 from 0x20). */
static bool key_lies_in(const uint8_t *memory, uint64_t from, uint64_t to)
{
	for (unsigned key = 0; key < 8; key++)
		if (memmem(memory + from, to - from, g.secrets + 0x20 + (size_t)16 * key, 16) !=
		    NULL)
			return true;
	return false;
}

static void check_secrets(void)
{
	tap_ok(memcmp(g.private + FW_SECRETS_PAGE, g.secrets, FW_PAGE) == 0,
	       "the secrets page is as the PSP filled it");
	tap_ok(key_lies_in(g.private, FW_SECRETS_PAGE, FW_SECRETS_PAGE + FW_PAGE) &&
	       !key_lies_in(g.private, 0, FW_SECRETS_PAGE) &&
	       !key_lies_in(g.private, FW_SECRETS_PAGE + FW_PAGE, CC_GUEST_MEMORY) &&
	       !key_lies_in(g.shared, 0, CC_GUEST_MEMORY),
	       "no half of a VMPCK lies anywhere else, private or shared");
}

static void check_shared(void)
{
	bool clean = cc_is_filled(g.shared, CC_SHARED_FILL, 0, FW_BOOT_BLOCK) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, FW_BOOT_BLOCK + FW_PAGE, FW_GHCB) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, FW_GHCB + FW_PAGE, 4u << 20) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, 16u << 20, 20u << 20);

	tap_ok(clean &&
		       memcmp(g.shared + FW_BOOT_BLOCK, &g.parts.boot, sizeof(g.parts.boot)) == 0 &&
		       memcmp(g.shared + g.parts.staging.kernel, g.parts.kernel,
			      g.parts.kernel_size) == 0,
	       "nothing was written to shared memory but the GHCB page");
}

/* False: this KVM cannot run it. */
static bool test_boot(void)
{
	snp_guest_init(&g);
	if (!snp_guest_run(&g)) {
		snp_guest_free(&g);
		return false;
	}
	tap_ok(g.powered_off && g.folded && g.handed_over && g.fault == NULL,
	       "an honest host gets to Linux (%s)", g.fault ? g.fault : "no fault");
	tap_ok(snp_guest_all_valid(&g),
	       "all RAM is private and valid, [0xA0000, 1 MiB) is not valid");
	check_private();
	check_registers();
	check_secrets();
	check_shared();
	snp_guest_free(&g);
	return true;
}

static void test_sha(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & 1u << 29) == 0) {
		tap_skip("with SHA instructions", "this processor has no SHA instructions");
		return;
	}
	snp_guest_init(&g);
	g.cpuid.count = 3;
	g.cpuid.entry[2] = (struct fw_cpuid_entry){ .eax_in = 7, .ebx = 1u << 29 };
	snp_guest_run(&g);
	tap_ok(g.powered_off && g.fault == NULL,
	       "it hashes by the instructions that its CPUID page names (%s)",
	       g.fault ? g.fault : "no fault");
	check_registers();
	snp_guest_free(&g);
}

static void test_vmlinux(void)
{
	snp_guest_init(&g);
	cc_parts_use_kernel(&g.parts, "tests/guests/fakeelf-linux.elf");
	snp_guest_run(&g);
	tap_ok(g.powered_off && g.fault == NULL && has(g.console, "fake vmlinux runs\n"),
	       "a vmlinux runs in private memory (%s)", g.fault ? g.fault : "no fault");
	snp_guest_free(&g);
}

/* The vTPM: the VMM's registers in front of a TPM that accepts everything and notes it down. */
static struct tpm_crb crb;
static atomic_bool stopping;
static uint8_t commands[64][TPM_EXTEND_SIZE];
static unsigned command_count;

static uint32_t crb_access(struct snp_guest *host, uint64_t gpa, bool write, uint32_t value)
{
	if (gpa < TPM_CRB_BASE || gpa >= TPM_CRB_BASE + TPM_CRB_SIZE) {
		host->fault = "an access beside the TPM";
		return 0;
	}
	if (!write)
		return (uint32_t)tpm_crb_read(&crb, gpa - TPM_CRB_BASE, sizeof(value));
	tpm_crb_write(&crb, gpa - TPM_CRB_BASE, sizeof(value), value);
	return 0;
}

static void *tpm_main(void *arg)
{
	static const uint8_t accepted[TPM_EXTEND_RESPONSE] = { 0x80, 2, 0, 0, 0, 19 };
	const int *fd = arg;
	uint8_t command[4096];
	ssize_t n;

	while ((n = read(*fd, command, sizeof(command))) > 0) {
		if (n == TPM_EXTEND_SIZE && command_count < 64)
			memcpy(commands[command_count++], command, (size_t)n);
		if (write(*fd, accepted, sizeof(accepted)) < 0)
			break;
	}
	return NULL;
}

static void complain(void *ctx, const char *text)
{
	(void)ctx;
	printf("# vTPM: %s\n", text);
}

static bool extended_as_logged(void)
{
	static uint8_t acpi[FW_ACPI_SIZE];
	uint8_t want[TPM_EXTEND_SIZE];
	struct fw_log_inputs in;
	struct fw_event ev;
	size_t size;
	unsigned n = 0;

	cc_parts_predict(&g.parts, &in, acpi, &size);
	for (unsigned i = 0; fw_log_event(&in, i, &ev); i++) {
		if (!ev.extended)
			continue;
		tpm_extend_command(want, ev.pcr, &ev.digest);
		if (n >= command_count || memcmp(commands[n++], want, sizeof(want)) != 0)
			return false;
	}
	return n == command_count && n >= 14;
}

static void test_tpm(void)
{
	struct err e = { 0 };
	pthread_t thread;
	int pair[2];

	snp_guest_init(&g);
	g.parts.boot.flags = FW_BOOT_HAS_TPM;
	g.mmio = crb_access;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    tpm_crb_init(&crb, pair[0], &stopping, complain, NULL, &e) < 0 ||
	    pthread_create(&thread, NULL, tpm_main, &pair[1]) != 0)
		abort();
	snp_guest_run(&g);
	shutdown(pair[0], SHUT_RDWR);
	pthread_join(thread, NULL);
	tap_ok(g.powered_off && g.fault == NULL && extended_as_logged(),
	       "the vTPM is reached by GHCB calls and gets exactly the log's %u events (%s)",
	       command_count, g.fault ? g.fault : "no fault");
	close(pair[0]);
	close(pair[1]);
	snp_guest_free(&g);
}

int main(void)
{
	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		printf("1..0 # SKIP no usable /dev/kvm\n");
		return 0;
	}
	if (!test_boot()) {
		printf("1..0 # SKIP this host's KVM cannot hold a memory slot at address bit 51\n");
		return 0;
	}
	test_sha();
	test_vmlinux();
	test_tpm();
	return tap_done();
}
