/* Page tables (SDM vol. 3 §4.5). Ring 0 sees the first 2 MiB in 4 KiB pages, each writable or
 * executable but never both, page 0 and what is not ours absent, and nothing else but the TPM's
 * registers. Ring 3 has a window of its own, empty but for its code, constants, stack and small
 * buffers; blobs are let in for the length of one call. */
#include "firmware/machine.h"

#include "common/checked.h"
#include "firmware/layout.h"

#include <string.h>

#define ENTRIES 512u
#define PAGE_2M 0x200000ull
#define GIB     0x40000000ull

/* Every present entry of a confidential guest names private memory, but for the few that go
 * through shared() below: SEV-SNP sets a bit for private memory, TDX one for shared memory. */
#if VARIANT == VARIANT_SNP
#define PRIVATE (1ull << SNP_C_BIT)
#define SHARED  0ull
#elif VARIANT == VARIANT_TDX
#define PRIVATE 0ull
#define SHARED  (1ull << TDX_S_BIT)
#else
#define PRIVATE 0ull
#define SHARED  0ull
#endif
#define P   (0x001ull | PRIVATE)
#define RW  0x002ull
#define US  0x004ull
#define PWT 0x008ull
#define PCD 0x010ull
#define AD  0x060ull /* accessed and dirty */
#define PS  0x080ull
#define NX  (1ull << 63)

typedef uint64_t page_table[ENTRIES] __attribute__((aligned(4096)));

extern const uint8_t image_start[], rodata_end[], text_end[], utext_end[], image_end[];
extern const uint8_t scratch_start[], scrub_start[], user_ro_end[], user_rw_end[];
extern const uint8_t scratch_end[], stack_guard[], trap_guard[];

page_table own_pml4;
static page_table own_pdpt, own_low_pd, own_low_pt, own_mmio_pd;
static page_table user_pdpt, user_pd[3], user_low_pt;
page_table handover_pml4 IN_HANDOVER;
static page_table handover_pdpt IN_HANDOVER, handover_pd[3] IN_HANDOVER;

static uint64_t shared(uint64_t value)
{
	return (value & ~PRIVATE) | SHARED;
}

static uint64_t entry(const void *table, uint64_t flags)
{
	return (uintptr_t)table | flags;
}

/* 4 KiB pages for [from, to), both below 2 MiB. */
static void set_small(uint64_t *pt, uint64_t from, uint64_t to, uint64_t flags)
{
	for (uint64_t at = from; at < to; at += FW_PAGE)
		pt[at / FW_PAGE] = at | flags;
}

#define ADDR(symbol) ((uint64_t)(uintptr_t)(symbol))

static void fill_own(void)
{
	const uint64_t dir = P | RW | AD;
	uint64_t *pt = own_low_pt;

	own_pml4[0] = entry(own_pdpt, dir);
	own_pdpt[0] = entry(own_low_pd, dir);
	own_low_pd[0] = entry(own_low_pt, dir);
	set_small(pt, ADDR(image_start), ADDR(rodata_end), P | AD | NX);
	set_small(pt, ADDR(rodata_end), ADDR(utext_end), P | AD);
	set_small(pt, ADDR(scratch_start), ADDR(scratch_end), P | RW | AD | NX);
	pt[ADDR(stack_guard) / FW_PAGE] = 0;
	pt[ADDR(trap_guard) / FW_PAGE] = 0;
	set_small(pt, FW_HASH_PAGE, FW_BOOT_BLOCK + FW_PAGE, P | AD | NX);
	/* Written by the host, copied once. */
	pt[FW_BOOT_BLOCK / FW_PAGE] = shared(pt[FW_BOOT_BLOCK / FW_PAGE]);
#if VARIANT == VARIANT_TDX
	set_small(pt, FW_MAILBOX, FW_MAILBOX + FW_PAGE, P | AD | NX);
	set_small(pt, FW_AP_TABLES, FW_AP_TABLES + FW_AP_TABLES_SIZE, P | RW | AD | NX);
#endif
}

static void fill_user(void)
{
	const uint64_t dir = P | RW | US | AD;
	uint64_t *pt = user_low_pt;

	own_pml4[USER_WINDOW >> 39] = entry(user_pdpt, dir);
	for (unsigned i = 0; i < 3; i++)
		user_pdpt[i] = entry(user_pd[i], dir);
	user_pd[0][0] = entry(user_low_pt, dir);
	/* The whole image is readable, so that ring 3 can hash it. It is public. */
	set_small(pt, ADDR(image_start), ADDR(text_end), P | US | AD | NX);
	set_small(pt, ADDR(text_end), ADDR(utext_end), P | US | AD);
	set_small(pt, (ADDR(utext_end) + FW_PAGE - 1) & ~(uint64_t)(FW_PAGE - 1), ADDR(image_end),
		  P | US | AD | NX);
	set_small(pt, ADDR(scrub_start), ADDR(user_ro_end), P | US | AD | NX);
	set_small(pt, ADDR(user_ro_end), ADDR(user_rw_end), P | RW | US | AD | NX);
#if VARIANT == VARIANT_SNP
	set_small(pt, FW_CPUID_PAGE, FW_CPUID_PAGE + FW_PAGE, P | US | AD | NX);
#endif
}

void paging_init(void)
{
	fill_own();
	fill_user();
}

static void flush(void)
{
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

void paging_map_tpm(void)
{
	uint64_t at = TPM_CRB_BASE & ~(PAGE_2M - 1);

	own_pdpt[at / GIB] = entry(own_mmio_pd, P | RW | AD);
	own_mmio_pd[at % GIB / PAGE_2M] = at | P | RW | AD | PS | PWT | PCD | NX;
	flush();
}

#if VARIANT == VARIANT_TDX
/* Of processors that leave the mailbox's loop: what they run first lies low (ACPI 6.5 §5.2.12.19
 * wants mailbox and wakeup vector mapped one to one). */
static void build_ap_tables(uint64_t end)
{
	uint64_t *t = (uint64_t *)(uintptr_t)FW_AP_TABLES;

	memset(t, 0, FW_AP_TABLES_SIZE);
	t[0] = (FW_AP_TABLES + FW_PAGE) | P | RW | AD;
	t[ENTRIES] = (FW_AP_TABLES + 2ull * FW_PAGE) | P | RW | AD;
	for (uint64_t at = 0; at < end && at < GIB; at += PAGE_2M)
		t[2ull * ENTRIES + at / PAGE_2M] = at | P | RW | AD | PS;
}
#else
static void build_ap_tables(uint64_t end)
{
	(void)end;
}
#endif

void paging_build_handover(uint64_t end)
{
	handover_pml4[0] = entry(handover_pdpt, P | RW | AD);
	for (unsigned i = 0; i < 3; i++)
		handover_pdpt[i] = entry(handover_pd[i], P | RW | AD);
	for (uint64_t at = 0; at < end && at < 3 * GIB; at += PAGE_2M)
		handover_pd[at / GIB][at % GIB / PAGE_2M] = at | P | RW | AD | PS;
	build_ap_tables(end);
}

#if VARIANT == VARIANT_SNP
static page_table unit_pd;

void paging_map_ghcb(void)
{
	own_low_pt[FW_GHCB / FW_PAGE] = shared(FW_GHCB | P | RW | AD | NX);
	flush();
}

/* 2 MiB entry for `at`: the own directory of the first GiB, else one that is hung in. */
static uint64_t *unit_entry(uint64_t at)
{
	if (at < GIB)
		return &own_low_pd[at / PAGE_2M];
	own_pdpt[at / GIB % ENTRIES] = entry(unit_pd, P | RW | AD);
	return &unit_pd[at % GIB / PAGE_2M];
}

void paging_map_unit(uint64_t at, bool large)
{
	if (large)
		*unit_entry(at) = at | P | AD | PS | NX;
	else
		own_low_pt[at / FW_PAGE % ENTRIES] = at | P | AD | NX;
	flush();
}

void paging_unmap_unit(uint64_t at, bool large)
{
	if (!large) {
		own_low_pt[at / FW_PAGE % ENTRIES] = 0;
	} else {
		*unit_entry(at) = 0;
		if (at >= GIB)
			own_pdpt[at / GIB % ENTRIES] = 0;
	}
	flush();
}

#define WINDOW_FIRST FW_CC_BLOB
#else
#define WINDOW_FIRST FW_ACPI
#endif

#if VARIANT != VARIANT_PLAIN
static uint64_t staging_end;

void paging_staging_shared(uint64_t end)
{
	staging_end = end;
}

static uint64_t shared_or_private(uint64_t at, uint64_t flags)
{
	return at >= FW_STAGING && at < staging_end ? shared(flags) : flags;
}
#else
static uint64_t shared_or_private(uint64_t at, uint64_t flags)
{
	(void)at;
	return flags;
}
#endif

static void set_window(uint64_t base, uint64_t size, uint64_t flags)
{
	uint64_t end, step = base < PAGE_2M ? FW_PAGE : PAGE_2M;
	uint64_t limit = base < PAGE_2M ? FW_RESERVED_END : MMIO_HOLE_BASE;

	if (base < WINDOW_FIRST || !ck_add_u64(base, size, &end) || end > limit)
		stop(STOP_BLOB_BOUNDS);
	for (uint64_t at = base & ~(step - 1); at < end; at += step) {
		uint64_t value = flags == 0 ? 0 : at | shared_or_private(at, flags);

		if (step == FW_PAGE)
			user_low_pt[at / FW_PAGE] = value;
		else
			user_pd[at / GIB][at % GIB / PAGE_2M] = value == 0 ? 0 : value | PS;
	}
	flush();
}

void user_map(uint64_t base, uint64_t size, bool writable)
{
	set_window(base, size, P | US | AD | NX | (writable ? RW : 0));
}

void user_unmap(uint64_t base, uint64_t size)
{
	set_window(base, size, 0);
}
