/* Tier kvm: the SEV-SNP image as built, on a host that a test scripts (snp_guest.h). First what it
 * leaves behind on an honest one, then that each lie ends it with its own reason. */
#include "tests/kvm/harness.h"
#include "tests/kvm/snp_guest.h"

#include "firmware/ccblob.h"
#include "firmware/events.h"
#include "firmware/ghcb.h"
#include "firmware/stop.h"
#include "firmware/tpmcmd.h"
#include "firmware/zeropage.h"
#include "vmm/platform/tpm_crb.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct snp_guest g;

static bool all_ram_is_valid(void)
{
	for (uint64_t i = 0; i < CC_GUEST_PAGES; i++) {
		uint64_t at = i * FW_PAGE;
		bool ram = at < FW_LOW_RAM_END || at >= FW_HIGH_RAM_BASE;

		if ((g.valid[i] != 0) != ram || !g.is_private[i]) {
			printf("# page 0x%llx: valid %u private %u\n", (unsigned long long)at,
			       g.valid[i], g.is_private[i]);
			return false;
		}
	}
	return true;
}

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
	tap_ok(cc_is_filled(g.private, 0x55, FW_SECRETS_PAGE, FW_SECRETS_PAGE + FW_PAGE),
	       "the secrets page is as the PSP filled it");
}

static void check_shared(void)
{
	bool clean = cc_is_filled(g.shared, CC_SHARED_FILL, 0, FW_BOOT_BLOCK) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, FW_BOOT_BLOCK + FW_PAGE, FW_GHCB) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, FW_GHCB + FW_PAGE, 4u << 20) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, 16u << 20, 20u << 20);

	tap_ok(clean &&
	       memcmp(g.shared + FW_BOOT_BLOCK, &g.parts.boot, sizeof(g.parts.boot)) == 0 &&
	       memcmp(g.shared + g.parts.staging.kernel, g.parts.kernel, g.parts.kernel_size) == 0,
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
	tap_ok(all_ram_is_valid(), "all RAM is private and valid, [0xA0000, 1 MiB) is not valid");
	check_private();
	check_shared();
	snp_guest_free(&g);
	return true;
}

static void end_boots(const char *name)
{
	snp_guest_run(&g);
	tap_ok(g.powered_off && g.fault == NULL && all_ram_is_valid(), "%s (%s)", name,
	       g.fault ? g.fault : "no fault");
	snp_guest_free(&g);
}

static void end_stops(const char *name, enum fw_stop code)
{
	snp_guest_run(&g);
	tap_ok(g.terminated && g.fault == NULL && !g.folded && g.reason_set == GHCB_STOP_SET &&
	       g.reason == (unsigned)code, "%s: stop 0x%02x (set %u, 0x%02x; %s)", name,
	       (unsigned)code, g.reason_set, g.reason, g.fault ? g.fault : "no fault");
	snp_guest_free(&g);
}

/* One host each: ... changes it before the run. */
#define BOOTS(name, ...) \
	do { \
		snp_guest_init(&g); \
		__VA_ARGS__; \
		end_boots(name); \
	} while (0)
#define STOPS(name, code, ...) \
	do { \
		snp_guest_init(&g); \
		__VA_ARGS__; \
		end_stops(name, code); \
	} while (0)

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

static void test_processor(void)
{
	STOPS("no SEV-SNP", STOP_SNP_ABSENT, g.sev_status = 3);
	STOPS("virtual top of memory", STOP_SNP_FEATURES, g.sev_status = 7 | 1u << 3);
	STOPS("reflected #VC", STOP_SNP_FEATURES, g.sev_status = 7 | 1u << 4);
	STOPS("VMPL1", STOP_SNP_VMPL, g.rmpadjust = 2);
	STOPS("CPUID page without entries", STOP_SNP_CPUID, g.cpuid.count = 0);
	STOPS("CPUID page with too many", STOP_SNP_CPUID, g.cpuid.count = 65);
	STOPS("another C-bit", STOP_SNP_C_BIT, g.cpuid.entry[1].ebx = 47);
	STOPS("image of one kind, plan of another", STOP_VARIANT,
	      g.parts.hash_page.record.variant = FW_VARIANT_PLAIN);
	STOPS("#VC injected", STOP_SNP_VC, g.inject_vector = 29; g.inject_at = 30);
	STOPS("int 0x80 injected", STOP_TRAP, g.inject_vector = 0x80; g.inject_at = 30);
	STOPS("page fault injected", STOP_TRAP, g.inject_vector = 14; g.inject_at = 30);
	STOPS("NMI injected", STOP_TRAP, g.inject_vector = 2; g.inject_at = 30);
}

/* Wherever the image can be left, its IDT is there: early, between state changes, at its end. */
static void test_injection(void)
{
	static const struct { unsigned vector, stop; } row[] = {
		{ 29, STOP_SNP_VC }, { 0x20, STOP_TRAP }, { 0xFF, STOP_TRAP },
	};
	char name[64];
	unsigned last, at;

	snp_guest_init(&g);
	snp_guest_run(&g);
	last = g.fold_run;
	snp_guest_free(&g);
	tap_ok(last > 8, "an honest boot leaves the guest %u times before Linux", last);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		for (unsigned k = 1; k <= 4; k++) {
			at = 2 + (last - 2) * k / 4;
			snprintf(name, sizeof(name), "vector %u after %u exits", row[i].vector, at);
			STOPS(name, row[i].stop, g.inject_vector = row[i].vector;
			      g.inject_at = at);
		}
}

static uint64_t wrong_code(struct snp_guest *host, uint64_t request, uint64_t honest)
{
	return (request & 0xFFF) == host->lie ? honest ^ 1 : honest;
}

static uint64_t old_version(struct snp_guest *host, uint64_t request, uint64_t honest)
{
	(void)host;
	return (request & 0xFFF) == 2 ? (honest & ~(0xFFFFull << 48)) | 1ull << 48 : honest;
}

static void test_ghcb(void)
{
	STOPS("SEV information: wrong code", STOP_GHCB_RESPONSE, g.msr_lie = wrong_code; g.lie = 2);
	STOPS("features: wrong code", STOP_GHCB_RESPONSE, g.msr_lie = wrong_code; g.lie = 0x80);
	STOPS("state change: wrong code", STOP_GHCB_RESPONSE, g.msr_lie = wrong_code; g.lie = 0x14);
	STOPS("registration: wrong code", STOP_GHCB_REGISTER, g.msr_lie = wrong_code; g.lie = 0x12);
	STOPS("GHCB version 1 only", STOP_GHCB_VERSION, g.msr_lie = old_version);
}

static void no_progress(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)host;
	if (code == 0x80000010)
		memset(ghcb + 0x800, 0, 2);
}

static void beyond(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)host;
	if (code == 0x80000010)
		memset(ghcb + 0x800, 0xFF, 2);
}

static void refused(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)host;
	if (code == 0x80000010)
		ghcb[0x3A4] = 1;
}

/* By now the firmware has its own copies. */
static void rewrite_host_memory(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)ghcb;
	(void)code;
	if (host->page_calls == 1)
		memset(host->shared + FW_BOOT_BLOCK, 0xFF, FW_PAGE);
	else if (host->page_calls == 3) /* the staged blobs become private */
		memset(host->shared + host->parts.staging.kernel, 0xFF, host->parts.kernel_size);
}

static uint64_t valid_already(struct snp_guest *host, uint64_t gpa, uint64_t honest)
{
	return gpa == host->lie ? PVALIDATE_UNCHANGED : honest;
}

static uint64_t never_fits(struct snp_guest *host, uint64_t gpa, uint64_t honest)
{
	return gpa >= host->lie ? 6 : honest;
}

static void test_memory(void)
{
	BOOTS("the host backs the guest with small pages", g.small_backing = true);
	BOOTS("without COHERENCY_SFW_NO every page is touched", g.cpuid.entry[1].ebx &= ~(1u << 31));
	BOOTS("host memory rewritten after the copies", g.page_lie = rewrite_host_memory);
	STOPS("state changes never end", STOP_PSC_PROGRESS, g.page_lie = no_progress);
	STOPS("state changes beyond the end", STOP_PSC_PROGRESS, g.page_lie = beyond);
	STOPS("state changes refused", STOP_PSC_REFUSED, g.page_lie = refused);
	STOPS("2 MiB valid already", STOP_PVALIDATE_UNCHANGED, g.pvalidate_lie = valid_already;
	      g.lie = 0x1000000);
	STOPS("a low page valid already", STOP_PVALIDATE_UNCHANGED,
	      g.pvalidate_lie = valid_already; g.lie = 0x9F000);
	STOPS("staging valid already", STOP_PVALIDATE_UNCHANGED, g.pvalidate_lie = valid_already;
	      g.lie = FW_STAGING);
	STOPS("no page ever fits", STOP_PVALIDATE_SIZE, g.pvalidate_lie = never_fits;
	      g.lie = 0x200000);
}

static void test_blobs(void)
{
	STOPS("a bit of the kernel", STOP_KERNEL_HASH,
	      g.parts.kernel[g.parts.kernel_size - 1] ^= 1);
	STOPS("a bit of the initrd", STOP_INITRD_HASH, g.parts.initrd[77] ^= 1);
	STOPS("a byte of the command line", STOP_CMDLINE_HASH, g.parts.cmdline[0] ^= 1);
	STOPS("a kernel longer than promised", STOP_KERNEL_HASH,
	      g.parts.hash_page.record.kernel_size -= 1);
	STOPS("a kernel shorter than promised", STOP_KERNEL_HASH,
	      g.parts.hash_page.record.kernel_size += 1);
	STOPS("a command line with a NUL inside", STOP_CMDLINE_FORM, g.parts.cmdline[2] = 0;
	      cc_parts_hash(&g.parts));
	STOPS("a bit of the hash page's table", STOP_HASH_TABLE,
	      ((uint8_t *)&g.parts.hash_page.table)[0] ^= 1);
	STOPS("a bit of the hash page's record", STOP_HASH_RECORD,
	      g.parts.hash_page.record.magic[0] ^= 1);
	STOPS("a bit of the kernel's digest", STOP_KERNEL_HASH,
	      g.parts.hash_page.record.kernel_sha384[47] ^= 1);
	STOPS("a bit of the boot block's magic", STOP_BOOT_BLOCK, g.parts.boot.magic[0] ^= 1);
	STOPS("RAM that overlaps", STOP_BOOT_RAM, g.parts.boot.ram[1].base -= FW_PAGE);
	STOPS("RAM that wraps", STOP_BOOT_RAM, g.parts.boot.ram[1].size = 0ull - FW_PAGE);
	STOPS("more processors than promised", STOP_BOOT_CPUS,
	      g.parts.hash_page.record.max_cpus = 1);
	STOPS("less RAM than promised", STOP_BOOT_RAM_SMALL,
	      g.parts.hash_page.record.min_ram = CC_GUEST_MEMORY + FW_PAGE);
	STOPS("a TPM demanded that is not offered", STOP_BOOT_NO_TPM,
	      g.parts.hash_page.record.require_tpm = 1);
	STOPS("a TPM promised that is not there", STOP_TPM_ABSENT,
	      g.parts.boot.flags = FW_BOOT_HAS_TPM);
	STOPS("RAM that ends inside the staging area", STOP_BLOB_BOUNDS,
	      g.parts.boot.ram[1].size = FW_STAGING + 0x200000 - FW_HIGH_RAM_BASE);
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
	test_processor();
	test_injection();
	test_ghcb();
	test_memory();
	test_blobs();
	test_tpm();
	return tap_done();
}
