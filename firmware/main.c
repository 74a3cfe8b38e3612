/* The order of a boot (docs/architecture.md "Firmware"), what SEV-SNP and TDX add included. Ring 0
 * holds the thread and the decisions; whatever hashes, parses, copies or builds runs in ring 3
 * through user_call. */
#include "firmware/acpi.h"
#include "firmware/bootblock.h"
#include "firmware/bulk.h"
#include "firmware/events.h"
#include "firmware/ccblob.h"
#include "firmware/confidential.h"
#include "firmware/cpuid_page.h"
#include "firmware/hashpage.h"
#include "firmware/kernel.h"
#include "firmware/layout.h"
#include "firmware/machine.h"
#include "firmware/sites.h"
#include "firmware/snp.h"
#include "firmware/staging.h"
#include "firmware/startinfo.h"
#include "firmware/tdx.h"
#include "firmware/tpm.h"
#include "firmware/zeropage.h"

#include <string.h>

/* Constant, so that nothing of the one kind reaches the image of the other. */
#define CONFIDENTIAL (VARIANT != VARIANT_PLAIN)
#define TDX (VARIANT == VARIANT_TDX)

void fw_main(void);

extern const uint8_t image_start[], image_end[];

/* What ring 3 may read: private copies and what ring 0 concluded. */
static struct {
	struct fw_hash_page hash_page;
	struct fw_boot_block boot_block;
	struct fw_limits limits;
	struct fw_kernel kernel;
	struct fw_initrd_place initrd;
	struct fw_log_inputs log;
#if VARIANT == VARIANT_SNP
	struct fw_cpuid_facts cpuid;
#endif
} state IN_USER_RO __attribute__((aligned(4096)));

/* What ring 3 may write: results, copied out at once. */
static struct {
	struct fw_digests digest;
	struct fw_kernel kernel;
	size_t size;
#if VARIANT == VARIANT_SNP
	struct fw_cpuid_facts cpuid;
#endif
} result IN_USER_RW;

static uint64_t private_kernel;
static bool sha; /* hash by SHA instructions */

#define CALL(function, ...) user_call((uintptr_t)(function), __VA_ARGS__)

static void require(uint64_t value)
{
	if ((uint32_t)value != STOP_HANDED_OVER)
		stop((enum fw_stop)(uint32_t)value);
}

static uint64_t window(uint64_t address)
{
	return address + USER_WINDOW;
}

/* Hash of size bytes that ring 3 already reaches. */
static void digest_mapped(uint64_t address, uint64_t size, struct fw_digests *out)
{
	CALL(bulk_digest, window(address), size, in_user(&result.digest), sha, 0);
	*out = result.digest;
}

static void digest(uint64_t address, uint64_t size, struct fw_digests *out)
{
	user_map(address, size, false);
	digest_mapped(address, size, out);
	user_unmap(address, size);
}

static void copy(uint64_t to, uint64_t from, uint64_t size)
{
	user_map(from, size, false);
	user_map(to, size, true);
	CALL(bulk_copy, window(to), window(from), size, 0, 0);
	user_unmap(to, size);
	user_unmap(from, size);
}

static void zero(uint64_t address, uint64_t size)
{
	user_map(address, size, true);
	CALL(bulk_zero, window(address), size, 0, 0, 0);
	user_unmap(address, size);
}

#if VARIANT != VARIANT_PLAIN
/* What ring 3 hashes: the image as built, whatever became of its sites since. */
static uint64_t image_bytes(uint64_t base, uint64_t size)
{
	user_map(FW_ACPI, size, true);
	CALL(bulk_copy, window(FW_ACPI), window(base), size, 0, 0);
	if ((int)CALL(fw_sites_restore, window(FW_ACPI), size, 0, 0, 0) != 0)
		stop(STOP_SNP_SITES);
	return FW_ACPI;
}
#else
static uint64_t image_bytes(uint64_t base, uint64_t size)
{
	(void)size;
	return base;
}
#endif

#if VARIANT != VARIANT_SNP
/* CPUID 7 EBX[29], where there is a leaf 7 (SDM vol. 2, CPUID). In a trust domain the module
 * answers for both leaves, and not the host (TDX module ABI, "CPUID virtualization"). */
static __attribute__((noinline)) bool has_sha(void) /* a test replaces it */
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (a < 7)
		return false;
	a = 7;
	c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (b & 1u << 29) != 0;
}
#endif

#if VARIANT == VARIANT_SNP
static unsigned physical_bits(void)
{
	return state.cpuid.phys_bits;
}

static __attribute__((noinline)) bool has_sha(void)
{
	return state.cpuid.sha != 0;
}

static void take_cpuid_page(void)
{
	require(CALL(fw_cpuid_check, window(FW_CPUID_PAGE), SNP_C_BIT, in_user(&result.cpuid), 0,
		     0));
	state.cpuid = result.cpuid;
}

static void check_machine(void)
{
	snp_check_processor();
	take_cpuid_page();
	snp_open(state.cpuid.coherency_sfw_no == 0);
}

static void announce_blob(void)
{
	user_map(FW_CC_BLOB, FW_PAGE, true);
	user_map(FW_ZERO_PAGE, FW_PAGE, true);
	CALL(fw_cc_blob_build, window(FW_CC_BLOB), window(FW_ZERO_PAGE), 0, 0, 0);
	user_unmap(FW_ZERO_PAGE, FW_PAGE);
	user_unmap(FW_CC_BLOB, FW_PAGE);
}
#elif VARIANT == VARIANT_TDX
/* The bit above says what is shared. */
static unsigned physical_bits(void)
{
	return TDX_S_BIT;
}

static void check_machine(void)
{
	tdx_open();
}

static void announce_blob(void)
{
}
#else
/* MAXPHYADDR: CPUID 8000_0008 EAX, 36 when there is no such leaf (SDM vol. 3 §4.1.4). */
static unsigned physical_bits(void)
{
	uint32_t a = 0x80000000, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (a < 0x80000008)
		return 36;
	a = 0x80000008;
	c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return a & 0xFF;
}

static void check_machine(void)
{
}

static void announce_blob(void)
{
}
#endif

/* Copied once; from here on the host's page is never looked at again. */
static void take_hash_page(const struct fw_image_header *image)
{
	const struct fw_hash_record *r = &state.hash_page.record;

	memcpy(&state.hash_page, (const void *)(uintptr_t)FW_HASH_PAGE, FW_PAGE);
	require(CALL(fw_hash_page_check, in_user(&state.hash_page), image->variant, 0, 0, 0));
	state.limits.min_ram = r->min_ram;
	state.limits.max_cpus = r->max_cpus;
	state.limits.require_tpm = r->require_tpm;
	digest_mapped((uintptr_t)r, sizeof(*r), &state.log.hash_record);
}

static void take_boot_block(void)
{
	struct fw_boot_block *b = &state.boot_block;

	memcpy(b, (const void *)(uintptr_t)FW_BOOT_BLOCK, sizeof(*b));
	require(CALL(fw_boot_block_check, in_user(b), in_user(&state.limits), physical_bits(), 0,
		     0));
	if (TDX)
		tdx_check_cpus(b);
	digest_mapped((uintptr_t)b, sizeof(*b), &state.log.boot_block);
}

static void measure_image(const struct fw_image_header *image)
{
	uint64_t base = (uintptr_t)image_start, version = base + image->version_offset;

	/* The launcher measured the file before the start and holds PCR 0; this only logs what
	 * PCR 0 began with. An image that lies here would fail the replay. */
	digest_mapped(image_bytes(base, image->image_size), image->image_size, &state.log.image);
	if (CONFIDENTIAL)
		user_unmap(FW_ACPI, image->image_size);
	digest_mapped(version, image->version_size, &state.log.version);
	state.log.version_text = (const uint8_t *)window(version);
	state.log.version_size = image->version_size;
}

/* Shared -> private, then hash the private copy against both promises. */
static void take_blob(uint64_t to, uint64_t from, uint64_t size, const struct fw_hash_entry *entry,
		      const uint8_t *sha384, enum fw_stop code, struct fw_digests *out)
{
	copy(to, from, size);
	digest(to, size, out);
	if (!fw_hash_matches(out, entry, sha384))
		stop(code);
}

static void take_kernel(const struct fw_staging *s, uint64_t ram_end)
{
	const struct fw_hash_record *r = &state.hash_page.record;

	private_kernel = s->end;
	if (r->kernel_size > ram_end || private_kernel > ram_end - r->kernel_size)
		stop(STOP_BLOB_BOUNDS);
	take_blob(private_kernel, s->kernel, r->kernel_size, &state.hash_page.table.kernel,
		  r->kernel_sha384, STOP_KERNEL_HASH, &state.log.kernel);
	user_map(private_kernel, r->kernel_size, false);
	require(CALL(fw_kernel_parse, window(private_kernel), r->kernel_size, VARIANT,
		     in_user(&result.kernel), 0));
	user_unmap(private_kernel, r->kernel_size);
	state.kernel = result.kernel;
	if (state.kernel.part_count > FW_KERNEL_PARTS)
		stop(STOP_TRAP_USER);
}

static void take_initrd(const struct fw_staging *s)
{
	const struct fw_hash_record *r = &state.hash_page.record;

	if (fw_initrd_place(&state.boot_block, state.kernel.initrd_addr_max,
			    private_kernel + r->kernel_size, r->initrd_size, &state.initrd) != 0)
		stop(STOP_INITRD_PLACE);
	/* Nothing at all is hashed too: its digest is promised like any other. */
	take_blob(r->initrd_size == 0 ? FW_STAGING : state.initrd.base, s->initrd, r->initrd_size,
		  &state.hash_page.table.initrd, r->initrd_sha384, STOP_INITRD_HASH,
		  &state.log.initrd);
	state.log.has_initrd = r->initrd_size != 0;
}

static void take_cmdline(const struct fw_staging *s)
{
	const struct fw_hash_record *r = &state.hash_page.record;
	struct fw_digests with_nul;

	zero(FW_CMDLINE, FW_CMDLINE_MAX);
	take_blob(FW_CMDLINE, s->cmdline, r->cmdline_size, &state.hash_page.table.cmdline,
		  r->cmdline_sha384, STOP_CMDLINE_HASH, &with_nul);
	user_map(FW_CMDLINE, FW_CMDLINE_MAX, false);
	require(CALL(fw_cmdline_check, window(FW_CMDLINE), r->cmdline_size,
		     state.kernel.cmdline_size, 0, 0));
	digest_mapped(FW_CMDLINE, r->cmdline_size - 1, &state.log.cmdline);
	user_unmap(FW_CMDLINE, FW_CMDLINE_MAX);
	state.log.cmdline_text = (const uint8_t *)window(FW_CMDLINE);
	state.log.cmdline_size = r->cmdline_size - 1;
}

static void place_kernel(void)
{
	const struct fw_kernel *k = &state.kernel;

	for (uint32_t i = 0; i < k->part_count; i++) {
		const struct fw_kernel_part *p = &k->part[i];

		copy(p->address, private_kernel + p->offset, p->size);
		zero(p->address + p->size, p->room - p->size);
	}
}

static void build_start_page(void)
{
	uint64_t file_size = state.hash_page.record.kernel_size;

	user_map(FW_ZERO_PAGE, FW_PAGE, true);
	user_map(private_kernel, file_size, false);
	if (VARIANT != VARIANT_SNP && state.kernel.kind == FW_ENTRY_PVH)
		CALL(fw_start_info_build, window(FW_ZERO_PAGE), in_user(&state.kernel),
		     in_user(&state.boot_block), in_user(&state.initrd), 0);
	else
		CALL(fw_zero_page_build, window(FW_ZERO_PAGE), window(private_kernel),
		     in_user(&state.kernel), in_user(&state.boot_block), in_user(&state.initrd));
	user_unmap(private_kernel, file_size);
	user_unmap(FW_ZERO_PAGE, FW_PAGE);
}

static void build_acpi(void)
{
	zero(FW_ACPI, FW_ACPI_SIZE);
	user_map(FW_ACPI, FW_ACPI_SIZE, true);
	if ((int)CALL(fw_acpi_build, in_user(&state.boot_block), VARIANT, window(FW_ACPI),
		      FW_ACPI_SIZE, in_user(&result.size)) != 0 ||
	    result.size > FW_ACPI_SIZE)
		stop(STOP_ACPI_FULL);
	digest_mapped(FW_ACPI, result.size, &state.log.acpi);
	user_unmap(FW_ACPI, FW_ACPI_SIZE);
}

static void build_log(uintptr_t builder, uint64_t address, uint64_t size)
{
	user_map(address, size, true);
	user_map(FW_CMDLINE, FW_CMDLINE_MAX, false);
	if ((int)user_call(builder, in_user(&state.log), window(address), size,
			   in_user(&result.size), 0) != 0)
		stop(STOP_LOG_FULL);
	user_unmap(FW_CMDLINE, FW_CMDLINE_MAX);
	user_unmap(address, size);
}

static void measure_into_rtmrs(void)
{
	struct fw_event ev;

	build_log((uintptr_t)fw_cc_log_build, FW_CC_LOG, FW_CC_LOG_SIZE);
	for (unsigned i = 0; fw_cc_event(&state.log, i, &ev); i++)
		tdx_extend(ev.pcr, ev.digest.sha384);
}

/* Log first, then extend exactly what it says: the two cannot drift apart. */
static void measure(void)
{
	struct fw_event ev;

	zero(FW_EVENT_LOG, FW_EVENT_LOG_SIZE);
	build_log((uintptr_t)fw_log_build, FW_EVENT_LOG, FW_EVENT_LOG_SIZE);
	if (TDX)
		measure_into_rtmrs();
	if ((state.boot_block.flags & FW_BOOT_HAS_TPM) == 0)
		return;
	if (!CONFIDENTIAL)
		paging_map_tpm();
	tpm_open();
	for (unsigned i = 0; fw_log_event(&state.log, i, &ev); i++)
		if (ev.extended)
			tpm_extend(ev.pcr, &ev.digest);
	tpm_close();
}

#if VARIANT == VARIANT_SNP
/* There is no way to a PVH kernel: fw_kernel_parse has refused it. */
static _Noreturn void start_kernel(void)
{
	handover(state.kernel.entry, FW_ZERO_PAGE);
}
#else
extern const uint8_t pvh_enter[]; /* pvh.S */

static _Noreturn void start_kernel(void)
{
	handover(state.kernel.kind == FW_ENTRY_PVH ? (uintptr_t)pvh_enter : state.kernel.entry,
		 FW_ZERO_PAGE);
}
#endif

void fw_main(void)
{
	const struct fw_image_header *image = (const struct fw_image_header *)image_start;
	const struct fw_hash_record *r = &state.hash_page.record;
	struct fw_staging staging;
	uint64_t ram_end;

	check_machine();
	sha = has_sha();
	machine_vectors(sha);
	take_hash_page(image);
	take_boot_block();
	if (!CONFIDENTIAL)
		measure_image(image);
	ram_end = state.boot_block.ram[1].base + state.boot_block.ram[1].size;
	if (fw_staging(r->kernel_size, r->initrd_size, r->cmdline_size, &staging) != 0 ||
	    staging.end > ram_end)
		stop(STOP_BLOB_BOUNDS);
	if (CONFIDENTIAL) {
		cc_accept_ram(&state.boot_block, staging.end);
		measure_image(image);
	}
	take_kernel(&staging, ram_end);
	take_initrd(&staging);
	take_cmdline(&staging);
	if (CONFIDENTIAL)
		cc_accept_staging(staging.end);
	place_kernel();
	build_start_page();
	build_acpi();
	measure();
	announce_blob();
	if (CONFIDENTIAL)
		cc_close();
	machine_vectors(false);
	paging_build_handover(ram_end);
	start_kernel();
}
