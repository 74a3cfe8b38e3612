/* Tier kvm: the SEV-SNP image as built, on a host that lies (snp_guest.h). Each lie ends the boot
 * with its own reason, or changes nothing; README.md has the list. */
#include "tests/kvm/harness.h"
#include "tests/kvm/snp_guest.h"

#include "firmware/bzimage.h"
#include "firmware/ghcb.h"
#include "firmware/snp_ops.h"
#include "firmware/stop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct snp_guest g;

static void end_boots(const char *name)
{
	snp_guest_run(&g);
	tap_ok(g.powered_off && g.fault == NULL && snp_guest_all_valid(&g), "%s (%s)", name,
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

/* Their tables have no C-bit, so all they see is the host's memory: they end before they read any. */
static void test_other_images(void)
{
	static const char *const path[] = { "firmware/pavise-fw-plain.bin",
					    "firmware/pavise-fw-tdx.bin" };

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		snp_guest_init(&g);
		cc_parts_use_firmware(&g.parts, path[i]);
		snp_guest_run(&g);
		tap_ok(!g.powered_off && !g.folded && !g.handed_over && g.fault != NULL,
		       "%s does not start in an SEV-SNP guest (%s)", path[i], g.fault);
		snp_guest_free(&g);
	}
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

static uint64_t refused_by_msr(struct snp_guest *host, uint64_t request, uint64_t honest)
{
	(void)host;
	return (request & 0xFFF) == 0x14 ? honest | 1ull << 32 : honest;
}

static uint64_t no_ap_creation(struct snp_guest *host, uint64_t request, uint64_t honest)
{
	(void)host;
	return (request & 0xFFF) == 0x80 ? honest & ~(1ull << 13) : honest;
}

/* The exit that host->lie names is answered with 2: "your input was refused". */
static void refuses_input(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	if (code == host->lie)
		ghcb[0x398] = 2;
}

static void test_ghcb_page(void)
{
	STOPS("the change of one page refused", STOP_PSC_REFUSED, g.msr_lie = refused_by_msr);
	STOPS("no AP creation", STOP_GHCB_FEATURES, g.msr_lie = no_ap_creation);
	STOPS("error in answer to a state change", STOP_GHCB_RESPONSE, g.page_lie = refuses_input;
	      g.lie = 0x80000010);
	STOPS("error in answer to the last word", STOP_GHCB_RESPONSE, g.page_lie = refuses_input;
	      g.lie = 0x7B);
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

static uint64_t fails(struct snp_guest *host, uint64_t gpa, uint64_t honest)
{
	return gpa == host->lie ? 1 : honest; /* FAIL_INPUT */
}

static void test_memory(void)
{
	BOOTS("the host backs the guest with small pages", g.small_backing = true);
	BOOTS("without COHERENCY_SFW_NO every page is touched",
	      g.cpuid.entry[1].ebx &= ~(1u << 31));
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
	STOPS("the GHCB page valid already when it comes back", STOP_PVALIDATE_UNCHANGED,
	      g.pvalidate_lie = valid_already; g.lie = FW_GHCB);
	STOPS("any other failure of PVALIDATE", STOP_PVALIDATE_FAILED, g.pvalidate_lie = fails;
	      g.lie = 0x1000000);
	STOPS("no page ever fits", STOP_PVALIDATE_SIZE, g.pvalidate_lie = never_fits;
	      g.lie = 0x200000);
}

/* Into the kernel's header; the plan is honest about it. */
static void put32(unsigned offset, uint32_t value)
{
	memcpy(g.parts.kernel + offset, &value, sizeof(value));
	cc_parts_hash(&g.parts);
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
	STOPS("an initrd longer than promised", STOP_INITRD_HASH,
	      g.parts.hash_page.record.initrd_size--);
	STOPS("an initrd shorter than promised", STOP_INITRD_HASH,
	      g.parts.hash_page.record.initrd_size++);
	STOPS("an initrd where none was promised", STOP_INITRD_HASH,
	      g.parts.hash_page.record.initrd_size = 0);
	STOPS("a command line longer than promised", STOP_CMDLINE_HASH,
	      g.parts.hash_page.record.cmdline_size--);
	STOPS("an initrd that its kernel's limit leaves no room", STOP_INITRD_PLACE,
	      put32(BZ_INITRD_ADDR_MAX, 0x7FFFFFF));
	STOPS("a kernel with a PVH entry only", STOP_KERNEL_PVH,
	      cc_parts_use_kernel(&g.parts, "tests/guests/fakeelf-pvh.elf"));
}

static void test_hash_page(void)
{
	struct fw_hash_table *t = &g.parts.hash_page.table;

	STOPS("a bit of the table's GUID", STOP_HASH_TABLE, t->guid[0] ^= 1);
	STOPS("an entry missing: zeros", STOP_HASH_TABLE, memset(&t->initrd, 0, sizeof(t->initrd)));
	STOPS("an entry missing: a shorter table", STOP_HASH_TABLE, t->size -= 50);
	STOPS("an entry twice", STOP_HASH_TABLE, t->kernel = t->initrd);
	STOPS("an entry more", STOP_HASH_TABLE, t->size += 50);
	STOPS("bytes behind the entries", STOP_HASH_TABLE, t->padding[0] = 0xDE);
	STOPS("a bit of the record's magic", STOP_HASH_RECORD,
	      g.parts.hash_page.record.magic[0] ^= 1);
	STOPS("a bit of the kernel's digest", STOP_KERNEL_HASH,
	      g.parts.hash_page.record.kernel_sha384[47] ^= 1);
	STOPS("a bit of the initrd's digest", STOP_INITRD_HASH, t->initrd.sha256[0] ^= 1);
	STOPS("a bit of the command line's digest", STOP_CMDLINE_HASH,
	      g.parts.hash_page.record.cmdline_sha384[0] ^= 1);
}

static void test_ram(void)
{
	struct fw_ram_range *ram = g.parts.boot.ram;

	STOPS("a bit of the boot block's magic", STOP_BOOT_BLOCK, g.parts.boot.magic[0] ^= 1);
	STOPS("a bit of its reserved bytes", STOP_BOOT_BLOCK, g.parts.boot.reserved[31] ^= 0x80);
	STOPS("RAM that overlaps", STOP_BOOT_RAM, ram[1].base -= FW_PAGE);
	STOPS("RAM that wraps", STOP_BOOT_RAM, ram[1].size = 0ull - FW_PAGE);
	STOPS("RAM over the ROM", STOP_BOOT_RAM, ram[0].size = 0x100000);
	STOPS("RAM over the MMIO hole", STOP_BOOT_RAM,
	      ram[1].size = MMIO_HOLE_BASE + 0x200000 - FW_HIGH_RAM_BASE);
	STOPS("RAM inside the MMIO hole", STOP_BOOT_RAM, g.parts.boot.ram_count = 3;
	      ram[2] = (struct fw_ram_range){ 0xE0000000, 0x200000 });
	STOPS("RAM at the C-bit", STOP_BOOT_RAM, g.parts.boot.ram_count = 3;
	      ram[2] = (struct fw_ram_range){ 1ull << SNP_C_BIT, 0x200000 });
	STOPS("RAM beyond what can be kept a record of", STOP_RAM_LARGE, g.parts.boot.ram_count = 3;
	      ram[2] = (struct fw_ram_range){ 512ull << 30, 0x200000 });
	STOPS("more processors than promised", STOP_BOOT_CPUS,
	      g.parts.hash_page.record.max_cpus = 1);
	STOPS("less RAM than promised", STOP_BOOT_RAM_SMALL,
	      g.parts.hash_page.record.min_ram = CC_GUEST_MEMORY + FW_PAGE);
	STOPS("a TPM demanded that is not offered", STOP_BOOT_NO_TPM,
	      g.parts.hash_page.record.require_tpm = 1);
	STOPS("RAM that ends inside the staging area", STOP_BLOB_BOUNDS,
	      ram[1].size = FW_STAGING + 0x200000 - FW_HIGH_RAM_BASE);
}

/* ---- a TPM that misbehaves: registers of PTP 1.05 §6.5.3, answers as a test wants them --------- */

static struct bad_tpm {
	uint32_t granted, start, status, command; /* registers LOC_STS, START, STS, CMD address */
	uint8_t response[12];
} tpm;

static uint32_t bad_tpm(struct snp_guest *host, uint64_t gpa, bool write, uint32_t value)
{
	uint32_t word;

	(void)host;
	(void)value;
	if (write)
		return 0;
	switch (gpa - TPM_CRB_BASE) {
	case 0x0C:
		return tpm.granted;
	case 0x30:
		return 1; /* a CRB */
	case 0x44:
		return tpm.status;
	case 0x4C:
		return tpm.start;
	case 0x58:
	case 0x64:
		return 0xF80;
	case 0x5C:
		return tpm.command;
	case 0x68:
		return TPM_CRB_BASE + 0x80;
	case 0x80:
	case 0x84:
	case 0x88:
		memcpy(&word, tpm.response + (gpa & 0xF), sizeof(word));
		return word;
	default:
		return 0;
	}
}

static void offer_tpm(void)
{
	static const struct bad_tpm good = { .granted = 1, .command = TPM_CRB_BASE + 0x80,
					     .response = { 0x80, 2, 0, 0, 0, 19 } };
	const uint32_t polls = 1000000, few = 50; /* firmware/tpm.c; each costs two exits here */

	tpm = good;
	g.parts.boot.flags = FW_BOOT_HAS_TPM;
	g.mmio = bad_tpm;
	for (size_t i = 0; i + sizeof(polls) <= g.parts.firmware_size; i++)
		if (memcmp(g.parts.firmware + i, &polls, sizeof(polls)) == 0)
			memcpy(g.parts.firmware + i, &few, sizeof(few));
}

static void test_tpm(void)
{
	BOOTS("a TPM that answers as it should", offer_tpm());
	STOPS("a TPM promised that is not there", STOP_TPM_ABSENT,
	      g.parts.boot.flags = FW_BOOT_HAS_TPM);
	STOPS("a TPM that never grants its locality", STOP_TPM_TIMEOUT, offer_tpm();
	      tpm.granted = 0);
	STOPS("a TPM that never ends a command", STOP_TPM_TIMEOUT, offer_tpm(); tpm.start = 1);
	STOPS("a TPM in error", STOP_TPM_TIMEOUT, offer_tpm(); tpm.status = 1);
	STOPS("a buffer outside its page", STOP_TPM_RESPONSE, offer_tpm();
	      tpm.command = TPM_CRB_BASE + 0x1000);
	STOPS("a response of another length", STOP_TPM_RESPONSE, offer_tpm(); tpm.response[5] = 20);
	STOPS("a response with another tag", STOP_TPM_RESPONSE, offer_tpm(); tpm.response[1] = 3);
	STOPS("a refused extend", STOP_TPM_ERROR, offer_tpm(); tpm.response[1] = 1;
	      tpm.response[5] = 10; tpm.response[8] = 1);
}

/* ---- a second thread of the host writes while the guest runs ---------------------------------- */

#define RACES 8

static pthread_t writer;
static _Atomic bool writing;
static volatile uint8_t *written;
static uint8_t flipped;

static void *flip(void *arg)
{
	(void)arg;
	while (writing)
		*written ^= flipped;
	return NULL;
}

static void start_writer(volatile uint8_t *at, uint8_t bits)
{
	written = at;
	flipped = bits;
	writing = true;
	if (pthread_create(&writer, NULL, flip, NULL) != 0)
		abort();
}

/* From the first state change on, long before any blob is copied. */
static void flip_blob(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)ghcb;
	(void)code;
	if (host->page_calls == 1)
		start_writer(host->shared + host->parts.staging.kernel +
				     host->parts.kernel_size - 1, 1);
}

/* The result of a call, SW_EXITINFO2, from the moment that the guest has it. */
static void flip_answer(struct snp_guest *host, uint8_t *ghcb, uint64_t code)
{
	(void)code;
	if (host->page_calls == 1)
		start_writer(ghcb + 0x3A4, 1);
}

/* The promised boot with the promised kernel, or the numbered stop. */
static bool race_once(void (*lie)(struct snp_guest *, uint8_t *, uint64_t), unsigned stop,
		      unsigned *stopped)
{
	bool good;

	snp_guest_init(&g);
	g.page_lie = lie;
	snp_guest_run(&g);
	writing = false;
	pthread_join(writer, NULL);
	*stopped += g.terminated;
	good = g.terminated ? !g.folded && g.reason_set == GHCB_STOP_SET && g.reason == stop :
			      g.powered_off && snp_guest_all_valid(&g) &&
				      g.private[0x1000000 + g.parts.kernel_size - 1025] ==
					      g.parts.kernel[g.parts.kernel_size - 1];
	if (!good || g.fault != NULL)
		printf("# reason 0x%x, %s\n", g.reason, g.fault ? g.fault : "no fault");
	good = good && g.fault == NULL;
	snp_guest_free(&g);
	return good;
}

static void test_races(void)
{
	unsigned good = 0, stopped = 0;

	for (unsigned i = 0; i < RACES; i++)
		good += race_once(flip_blob, STOP_KERNEL_HASH, &stopped);
	tap_ok(good == RACES, "a blob changed while it is copied is the promised one or a stop "
	       "(%u of %u stopped)", stopped, RACES);
	good = stopped = 0;
	for (unsigned i = 0; i < RACES; i++)
		good += race_once(flip_answer, STOP_PSC_REFUSED, &stopped);
	tap_ok(good == RACES, "an answer changed after the call returned is the one read or a stop "
	       "(%u of %u stopped)", stopped, RACES);
}

int main(void)
{
	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		printf("1..0 # SKIP no usable /dev/kvm\n");
		return 0;
	}
	if (!snp_guest_usable(&g)) {
		printf("1..0 # SKIP this host's KVM cannot hold a memory slot at address bit 51\n");
		return 0;
	}
	test_processor();
	test_other_images();
	test_injection();
	test_ghcb();
	test_ghcb_page();
	test_memory();
	test_ram();
	test_blobs();
	test_hash_page();
	test_tpm();
	test_races();
	return tap_done();
}
