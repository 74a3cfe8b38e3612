/* Tier kvm: the TDX image as built, on a host and a module that a test scripts (tdx_guest.h). First
 * what it leaves behind on honest ones, then that each lie ends it with its own code. */
#include "tests/kvm/harness.h"
#include "tests/kvm/tdx_guest.h"

#include "firmware/stop.h"
#include "firmware/tpmcmd.h"
#include "firmware/zeropage.h"
#include "tests/kvm/fw_machine.h"
#include "vmm/platform/tpm_crb.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tdx_guest g;

/* Linux looks for ROMs in [0xA0000, 1 MiB): that is taken too. */
static bool all_memory_is_taken(void)
{
	for (unsigned long long i = 0; i < CC_GUEST_PAGES; i++)
		if (!g.m.accepted[i] || !g.m.is_private[i]) {
			printf("# page number 0x%llx: accepted %u private %u\n", i,
			       g.m.accepted[i], g.m.is_private[i]);
			return false;
		}
	return true;
}

static void extend(uint8_t reg[48], const uint8_t digest[48])
{
	uint8_t both[96];

	memcpy(both, reg, 48);
	memcpy(both + 48, digest, 48);
	fw_sha384(both, sizeof(both), reg);
}

static bool rtmrs_as_logged(const struct fw_log_inputs *in)
{
	uint8_t want[4][48] = { 0 };
	struct fw_event ev;

	for (unsigned i = 0; fw_cc_event(in, i, &ev); i++)
		extend(want[ev.pcr], ev.digest.sha384);
	return memcmp(want, g.m.rtmr, sizeof(want)) == 0;
}

static void check_measured(void)
{
	static uint8_t acpi[FW_ACPI_SIZE], log[FW_EVENT_LOG_SIZE], cc_log[FW_CC_LOG_SIZE];
	struct fw_log_inputs in;
	size_t size = 0;

	cc_parts_predict(&g.parts, &in, acpi, &size);
	tap_ok(memcmp(g.private + FW_ACPI, acpi, sizeof(acpi)) == 0, "ACPI tables as predicted");
	if (fw_log_build(&in, log, sizeof(log), &size) != 0 ||
	    fw_cc_log_build(&in, cc_log, sizeof(cc_log), &size) != 0)
		abort();
	tap_ok(memcmp(g.private + FW_EVENT_LOG, log, sizeof(log)) == 0,
	       "event log as predicted, the HCRTM event names the file and not the patched image");
	tap_ok(memcmp(g.private + FW_CC_LOG, cc_log, sizeof(cc_log)) == 0,
	       "CC log as predicted, to its last byte");
	tap_ok(rtmrs_as_logged(&in), "RTMR0 and RTMR1 hold what the log says, RTMR2 and 3 nothing");
}

static void check_private(void)
{
	static uint8_t zero_page[FW_PAGE];
	struct fw_initrd_place place;
	struct fake_saved s;
	struct fw_kernel k;

	if (fw_kernel_parse(g.parts.kernel, g.parts.kernel_size, FW_VARIANT_TDX, &k) !=
		    STOP_HANDED_OVER ||
	    fw_initrd_place(&g.parts.boot, k.initrd_addr_max, 0, g.parts.initrd_size, &place) != 0)
		abort();
	fw_zero_page_build(zero_page, g.parts.kernel, &k, &g.parts.boot, &place);
	tap_ok(memcmp(g.private + FW_ZERO_PAGE, zero_page, FW_PAGE) == 0, "zero page as computed");
	tap_ok(memcmp(g.private + place.base, g.parts.initrd, g.parts.initrd_size) == 0,
	       "the initrd lies in private memory");
	tap_ok(cc_is_filled(g.private, 0, FW_SCRATCH + 0x6000, FW_HASH_PAGE),
	       "scratch memory is scrubbed");
	tap_ok(cc_is_filled(g.private, 0, FW_MAILBOX, FW_MAILBOX + FW_PAGE),
	       "the wakeup mailbox is empty");
	memcpy(&s, g.private + FAKE_SAVED, sizeof(s));
	tap_ok(s.rsi == FW_ZERO_PAGE &&
	       (s.rax | s.rbx | s.rcx | s.rdx | s.rdi | s.rbp | s.rsp | s.r8 | s.r9 | s.r10 |
		s.r11 | s.r12 | s.r13 | s.r14 | s.r15) == 0,
	       "Linux gets RSI and no other register");
	tap_ok(s.cs == 0x10 && s.ds == 0x18 && (s.rflags & 0x200) == 0 &&
	       (s.cr4 & 0x260) == 0x60 && (s.efer & 0xD01) == 0xD01 &&
	       s.cr3 >= FW_SCRATCH && s.cr3 < FW_SCRATCH + 0x6000,
	       "64-bit mode on the hand-over tables, EFER as at the start, CR4.MCE kept");
}

static void check_shared(void)
{
	const struct fw_staging *st = &g.parts.staging;
	bool clean = cc_is_filled(g.shared, CC_SHARED_FILL, 0, FW_BOOT_BLOCK) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, FW_BOOT_BLOCK + FW_PAGE, 4u << 20) &&
		     cc_is_filled(g.shared, CC_SHARED_FILL, 16u << 20, 20u << 20);

	tap_ok(clean &&
	       memcmp(g.shared + FW_BOOT_BLOCK, &g.parts.boot, sizeof(g.parts.boot)) == 0 &&
	       memcmp(g.shared + st->kernel, g.parts.kernel, g.parts.kernel_size) == 0,
	       "nothing was written to shared memory");
}

/* What stands in for Linux: mov $1, %eax; out %eax, $0x81 */
static const uint8_t woken_code[] = { 0xB8, 1, 0, 0, 0, 0xE7, 0x81 };
#define WOKEN_PORT 0x81
#define WOKEN_AT   0x9000u

static void wake(uint32_t apic_id)
{
	const uint64_t vector = WOKEN_AT;
	const uint16_t command = 1;

	memcpy(g.private + WOKEN_AT, woken_code, sizeof(woken_code));
	memcpy(g.private + FW_MAILBOX + 4, &apic_id, sizeof(apic_id));
	memcpy(g.private + FW_MAILBOX + 8, &vector, sizeof(vector));
	memcpy(g.private + FW_MAILBOX, &command, sizeof(command));
}

static bool in_loop(const struct kvm_regs *r, const struct kvm_sregs *s)
{
	const struct fw_image_header *h = (const void *)g.parts.firmware;
	const uint64_t at = FW_IMAGE + h->ap_entry;

	return r->rip >= at && r->rip < at + 20 && (s->cr0 & 0x80000000) == 0;
}

/* ACPI 6.5 §5.2.12.19, after the first processor has left for Linux. */
static void check_others(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	tap_ok(tdx_guest_run_other(&g, 1, 50, &r, &s) == -1 && in_loop(&r, &s) && g.fault == NULL,
	       "another processor waits at the mailbox");
	wake(2);
	tap_ok(tdx_guest_run_other(&g, 1, 50, &r, &s) == -1 && in_loop(&r, &s) && g.fault == NULL,
	       "it does not answer to another's number");
	tap_ok(tdx_guest_run_other(&g, 2, 2000, &r, &s) == WOKEN_PORT && g.fault == NULL,
	       "the one that is called leaves for the wakeup vector");
	tap_ok((s.cr0 & 0x80000000) != 0 && (s.efer & 0x500) == 0x500 && s.cs.l == 1 &&
	       s.cr3 == FW_AP_TABLES && (s.cr4 & 0x60) == 0x60 && (r.rflags & 0x200) == 0,
	       "in 64-bit mode, on the tables for it, interrupts off");
	tap_ok(cc_is_filled(g.private, 0, FW_MAILBOX, FW_MAILBOX + 2),
	       "the command is taken back, so that the caller may go on");
	wake(1);
	tap_ok(tdx_guest_run_other(&g, 1, 2000, &r, &s) == WOKEN_PORT && g.fault == NULL,
	       "the other one too, when it is called");
}

/* False: this KVM cannot run it. */
static bool test_boot(void)
{
	tdx_guest_init(&g);
	if (!tdx_guest_run(&g)) {
		tdx_guest_free(&g);
		return false;
	}
	tap_ok(g.powered_off && g.folded && g.m.port == PORT_STOP &&
	       g.m.port_value == (STOP_MAGIC | STOP_HANDED_OVER) && g.fault == NULL,
	       "honest host and module get to Linux (%s, code 0x%llx)",
	       g.fault ? g.fault : "no fault", (unsigned long long)g.m.fatal_code);
	tap_ok(all_memory_is_taken(), "all memory is private and accepted");
	check_measured();
	check_private();
	check_shared();
	check_others();
	tdx_guest_free(&g);
	return true;
}

static void end_boots(const char *name)
{
	tdx_guest_run(&g);
	tap_ok(g.powered_off && g.fault == NULL && all_memory_is_taken(), "%s (%s, code 0x%llx)",
	       name, g.fault ? g.fault : "no fault", (unsigned long long)g.m.fatal_code);
	tdx_guest_free(&g);
}

static void end_stops(const char *name, enum fw_stop code)
{
	tdx_guest_run(&g);
	tap_ok(g.m.fatal && g.fault == NULL && !g.folded &&
	       g.m.fatal_code == (STOP_MAGIC | (uint32_t)code),
	       "%s: stop 0x%02x (0x%llx; %s)", name, (unsigned)code,
	       (unsigned long long)g.m.fatal_code, g.fault ? g.fault : "no fault");
	tdx_guest_free(&g);
}

/* One host each: ... changes it before the run. */
#define BOOTS(name, ...) \
	do { \
		tdx_guest_init(&g); \
		__VA_ARGS__; \
		end_boots(name); \
	} while (0)
#define STOPS(name, code, ...) \
	do { \
		tdx_guest_init(&g); \
		__VA_ARGS__; \
		end_stops(name, code); \
	} while (0)

/* The vTPM: the VMM's registers in front of a TPM that accepts everything and notes it down. */
static struct tpm_crb crb;
static atomic_bool stopping;
static uint8_t commands[64][TPM_EXTEND_SIZE];
static unsigned command_count;

static uint32_t crb_access(struct tdx_machine *host, uint64_t gpa, bool write, uint32_t value)
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
	return n == command_count && n >= 14 && rtmrs_as_logged(&in);
}

static void test_tpm(void)
{
	struct err e = { 0 };
	pthread_t thread;
	int pair[2];

	tdx_guest_init(&g);
	g.parts.boot.flags = FW_BOOT_HAS_TPM;
	g.m.mmio = crb_access;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    tpm_crb_init(&crb, pair[0], &stopping, complain, NULL, &e) < 0 ||
	    pthread_create(&thread, NULL, tpm_main, &pair[1]) != 0)
		abort();
	tdx_guest_run(&g);
	shutdown(pair[0], SHUT_RDWR);
	pthread_join(thread, NULL);
	tap_ok(g.powered_off && g.fault == NULL && extended_as_logged(),
	       "the vTPM is reached by TDG.VP.VMCALL and gets exactly the log's %u events (%s)",
	       command_count, g.fault ? g.fault : "no fault");
	close(pair[0]);
	close(pair[1]);
	tdx_guest_free(&g);
}

/* ELF files: by the 64-bit entry, and by PVH, whose 32 bits must not ask for a write of EFER. */
static void test_kernels(void)
{
	uint32_t efer, cr4;

	BOOTS("a vmlinux", cc_parts_use_kernel(&g.parts, "tests/guests/fakeelf-linux.elf"));
	tdx_guest_init(&g);
	cc_parts_use_kernel(&g.parts, "tests/guests/fakeelf-pvh.elf");
	tdx_guest_run(&g);
	memcpy(&cr4, g.private + 0x1200000 + 40, sizeof(cr4)); /* tests/guests/fakeelf/pvh.S */
	memcpy(&efer, g.private + 0x1200000 + 60, sizeof(efer));
	tap_ok(g.powered_off && g.fault == NULL && cr4 == 0x40 && efer == 0x901,
	       "a kernel with a PVH entry, CR4.MCE and EFER as at the start (%s, 0x%x 0x%x)",
	       g.fault ? g.fault : "no fault", cr4, efer);
	tdx_guest_free(&g);
}

static uint64_t fails(struct tdx_machine *host, uint64_t leaf, uint64_t gpa, uint64_t honest)
{
	(void)gpa;
	return leaf == host->lie ? 0xC000010000000000ull : honest;
}

static void test_domain(void)
{
	STOPS("no trust domain", STOP_TDX_ABSENT, g.m.module_lie = fails; g.m.lie = TDG_VP_INFO);
	STOPS("addresses of 52 bits", STOP_TDX_GPAW, g.m.gpaw = 52);
	STOPS("debug", STOP_TDX_ATTRIBUTES, g.m.attributes |= TDX_ATTRIBUTE_DEBUG);
	STOPS("an attribute more", STOP_TDX_ATTRIBUTES, g.m.attributes |= 1ull << 30);
	STOPS("#VE on private memory", STOP_TDX_SEPT_VE, g.m.attributes = 0);
	STOPS("an RTMR refused", STOP_TDX_RTMR, g.m.module_lie = fails;
	      g.m.lie = TDG_MR_RTMR_EXTEND);
	STOPS("scratch memory is dirty", STOP_SCRATCH_DIRTY, g.dirty = FW_SCRATCH + 5);
	STOPS("somebody was at the mailbox", STOP_TDX_MAILBOX, g.dirty = FW_MAILBOX + FW_PAGE - 1);
	STOPS("a command in the mailbox", STOP_TDX_MAILBOX, g.dirty = FW_MAILBOX);
	STOPS("image of one kind, plan of another", STOP_VARIANT,
	      g.parts.hash_page.record.variant = FW_VARIANT_SNP);
}

/* They cannot even say why, but they end. */
static void test_other_images(void)
{
	static const char *const path[] = { "firmware/pavise-fw-plain.bin",
					    "firmware/pavise-fw-snp.bin" };

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		tdx_guest_init(&g);
		cc_parts_use_firmware(&g.parts, path[i]);
		tdx_guest_run(&g);
		tap_ok(!g.powered_off && !g.folded && g.m.port == 0 && g.fault != NULL,
		       "%s does not start in a trust domain (%s)", path[i], g.fault);
		tdx_guest_free(&g);
	}
	tdx_guest_init(&g);
	g.no_tdcall = true;
	tdx_guest_run(&g);
	tap_ok(g.run[0]->exit_reason == KVM_EXIT_SHUTDOWN && g.m.vmcalls == 0,
	       "without TDCALL the image ends by a triple fault (%s)",
	       g.fault ? g.fault : "no fault");
	tdx_guest_free(&g);
}

/* A host that writes while the firmware copies: from before its first copy on. */
static pthread_t writer;
static atomic_bool writing;

static void *flip(void *arg)
{
	volatile uint8_t *at = arg;

	while (writing)
		*at ^= 1;
	return NULL;
}

static void flip_kernel(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	(void)function;
	(void)r;
	if (host->vmcalls != 1)
		return;
	writing = true;
	if (pthread_create(&writer, NULL, flip,
			   g.shared + g.parts.staging.kernel + g.parts.kernel_size - 1) != 0)
		abort();
}

#define RACES 8

/* The promised kernel, or the numbered stop. */
static void test_race(void)
{
	unsigned good = 0, stopped = 0;

	for (unsigned i = 0; i < RACES; i++) {
		tdx_guest_init(&g);
		g.m.host_lie = flip_kernel;
		tdx_guest_run(&g);
		writing = false;
		pthread_join(writer, NULL);
		stopped += g.m.fatal;
		good += g.fault == NULL &&
			(g.m.fatal ? g.m.fatal_code == (STOP_MAGIC | STOP_KERNEL_HASH) :
				     g.powered_off &&
					     g.private[FAKE_LOAD + g.parts.kernel_size - 1025] ==
						     g.parts.kernel[g.parts.kernel_size - 1]);
		tdx_guest_free(&g);
	}
	tap_ok(good == RACES, "a blob changed while it is copied is the promised one or a stop "
	       "(%u of %u stopped)", stopped, RACES);
}

/* Wherever the image can be left, its IDT is there: early, between calls, at its end. */
static void test_injection(void)
{
	static const struct { unsigned vector, stop; } row[] = {
		{ 20, STOP_TDX_VE }, { 2, STOP_TRAP }, { 14, STOP_TRAP }, { 0x80, STOP_TRAP },
	};
	char name[64];
	unsigned last, at;

	tdx_guest_init(&g);
	tdx_guest_run(&g);
	last = g.fold_run;
	tdx_guest_free(&g);
	tap_ok(last > 8, "an honest boot leaves the guest %u times before Linux", last);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		for (unsigned k = 1; k <= 4; k++) {
			at = 2 + (last - 2) * k / 4;
			snprintf(name, sizeof(name), "vector %u after %u exits", row[i].vector, at);
			STOPS(name, row[i].stop, g.inject_vector = row[i].vector;
			      g.inject_at = at);
		}
}

static void refuse(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	if (function == host->lie)
		r->r10 = 0x8000000000000000ull;
}

static void stand_still(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	static uint64_t at;

	if (function != TDVMCALL_MAP_GPA)
		return;
	at = host->map_calls == 1 ? FW_BOOT_BLOCK : at;
	r->r10 = TDVMCALL_RETRY;
	r->r11 = at;
}

static void go_elsewhere(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	if (function != TDVMCALL_MAP_GPA)
		return;
	r->r10 = TDVMCALL_RETRY;
	r->r11 = host->lie;
}

/* By now the firmware has its own copies. */
static void rewrite_host_memory(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	(void)r;
	if (function != TDVMCALL_MAP_GPA)
		return;
	if (host->map_calls == 1)
		memset(g.shared + FW_BOOT_BLOCK, 0xFF, FW_PAGE);
	else if (host->map_calls == 2)
		memset(g.shared + FW_STAGING, 0xFF, g.parts.staging.end - FW_STAGING);
}

static void test_host(void)
{
	BOOTS("host memory rewritten after the copies", g.m.host_lie = rewrite_host_memory);
	BOOTS("MapGPA done bit by bit", g.m.map_limit = 0x201000);
	STOPS("MapGPA refused", STOP_MAP_GPA_REFUSED, g.m.host_lie = refuse;
	      g.m.lie = TDVMCALL_MAP_GPA);
	STOPS("MapGPA never ends", STOP_MAP_GPA_PROGRESS, g.m.host_lie = stand_still);
	STOPS("MapGPA goes back", STOP_MAP_GPA_PROGRESS, g.m.host_lie = go_elsewhere; g.m.lie = 0);
	STOPS("MapGPA goes beyond", STOP_MAP_GPA_PROGRESS, g.m.host_lie = go_elsewhere;
	      g.m.lie = CC_GUEST_MEMORY);
	STOPS("MapGPA goes into a page", STOP_MAP_GPA_PROGRESS, g.m.host_lie = go_elsewhere;
	      g.m.lie = FW_BOOT_BLOCK + 8);
	STOPS("the last port write refused", STOP_TDVMCALL_RESPONSE, g.m.host_lie = refuse;
	      g.m.lie = TDVMCALL_IO);
	STOPS("a TPM's registers refused", STOP_TDVMCALL_RESPONSE, g.m.host_lie = refuse;
	      g.m.lie = TDVMCALL_MMIO; g.parts.boot.flags = FW_BOOT_HAS_TPM);
	STOPS("a TPM promised that is not there", STOP_TPM_ABSENT,
	      g.parts.boot.flags = FW_BOOT_HAS_TPM);
}

static uint64_t accepted_already(struct tdx_machine *host, uint64_t leaf, uint64_t gpa,
				 uint64_t honest)
{
	return leaf == TDG_MEM_PAGE_ACCEPT && (gpa & ~7ull) == host->lie ?
		       TDX_PAGE_ALREADY_ACCEPTED | 1 : honest;
}

static uint64_t never_fits(struct tdx_machine *host, uint64_t leaf, uint64_t gpa, uint64_t honest)
{
	return leaf == TDG_MEM_PAGE_ACCEPT && gpa >= host->lie ? TDX_PAGE_SIZE_MISMATCH : honest;
}

static void test_memory(void)
{
	BOOTS("the host backs the guest with small pages", g.m.small_backing = true);
	STOPS("2 MiB accepted already", STOP_TDX_ACCEPTED, g.m.module_lie = accepted_already;
	      g.m.lie = 0x1000000);
	STOPS("a low page accepted already", STOP_TDX_ACCEPTED, g.m.module_lie = accepted_already;
	      g.m.lie = 0x9F000);
	STOPS("the boot block's page accepted already", STOP_TDX_ACCEPTED,
	      g.m.module_lie = accepted_already; g.m.lie = FW_BOOT_BLOCK);
	STOPS("staging accepted already", STOP_TDX_ACCEPTED, g.m.module_lie = accepted_already;
	      g.m.lie = FW_STAGING);
	STOPS("no page ever fits", STOP_TDX_ACCEPT_SIZE, g.m.module_lie = never_fits;
	      g.m.lie = 0x200000);
	STOPS("a page cannot be accepted", STOP_TDX_ACCEPT, g.m.module_lie = fails;
	      g.m.lie = TDG_MEM_PAGE_ACCEPT);
}

static void test_parts(void)
{
	struct cc_parts *p = &g.parts;

	STOPS("a bit of the kernel", STOP_KERNEL_HASH, p->kernel[p->kernel_size - 1] ^= 1);
	STOPS("a bit of the initrd", STOP_INITRD_HASH, p->initrd[77] ^= 1);
	STOPS("a byte of the command line", STOP_CMDLINE_HASH, p->cmdline[0] ^= 1);
	STOPS("a bit of the hash page's record", STOP_HASH_RECORD,
	      p->hash_page.record.magic[0] ^= 1);
	STOPS("a bit of the boot block's magic", STOP_BOOT_BLOCK, p->boot.magic[0] ^= 1);
	STOPS("RAM that overlaps", STOP_BOOT_RAM, p->boot.ram[1].base -= FW_PAGE);
	STOPS("RAM whose addresses say shared", STOP_BOOT_RAM,
	      p->boot.ram[2] = (struct fw_ram_range){ 1ull << TDX_S_BIT, 0x200000 };
	      p->boot.ram_count = 3);
	STOPS("APIC ids that are no numbers of processors", STOP_BOOT_CPUS, p->boot.apic_id[1] = 2);
	STOPS("more processors than promised", STOP_BOOT_CPUS, p->hash_page.record.max_cpus = 1);
	STOPS("RAM that ends inside the staging area", STOP_BLOB_BOUNDS,
	      p->boot.ram[1].size = FW_STAGING + 0x200000 - FW_HIGH_RAM_BASE);
}

int main(void)
{
	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		printf("1..0 # SKIP no usable /dev/kvm\n");
		return 0;
	}
	if (!test_boot()) {
		printf("1..0 # SKIP this host's KVM cannot hold a memory slot at address bit 47\n");
		return 0;
	}
	test_kernels();
	test_domain();
	test_other_images();
	test_injection();
	test_race();
	test_host();
	test_memory();
	test_parts();
	test_tpm();
	return tap_done();
}
