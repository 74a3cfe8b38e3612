/* The privileged part's own world: descriptor tables, page tables, the way into ring 3 and the
 * way out to Linux. Only files of the image include this. */
#ifndef PAVISE_FIRMWARE_MACHINE_H
#define PAVISE_FIRMWARE_MACHINE_H

#include "firmware/variant.h"

/* Selectors. Linux's 64-bit entry wants code 0x10 and data 0x18 (boot.rst). */
#define SEL_CODE      0x10
#define SEL_DATA      0x18
#define SEL_USER_CODE 0x23
#define SEL_USER_DATA 0x2B
#define SEL_TSS       0x30

/* Ring 3 sees memory at guest-physical address + USER_WINDOW, in pages of its own: no page is
 * reachable for both rings through one mapping. */
#define USER_WINDOW 0x8000000000 /* second entry of the top-level table */

#ifndef __ASSEMBLER__

#include "firmware/stop.h"

#include <stdbool.h>
#include <stdint.h>

/* Sections of writable memory: see image.lds. */
#define IN_HANDOVER __attribute__((section(".bss.handover")))
#define IN_USER_RO  __attribute__((section(".bss.user_ro")))
#define IN_USER_RW  __attribute__((section(".bss.user_rw")))

/* Says the code on PORT_STOP (SEV-SNP: by GHCB termination; TDX: by ReportFatalError), for ever. */
_Noreturn void stop(enum fw_stop code);

/* machine.c: fills GDT, TSS, IDT; called by entry.S on the first stack. */
void machine_tables(void);

/* machine.c: whether SSE instructions run (CR4.OSFXSR). Ring 3 alone has one that uses them, and it
 * leaves its registers zero, so nobody saves any. */
void machine_vectors(bool on);

/* paging.c */
void paging_init(void);
/* Lets ring 0 reach the TPM's registers. */
void paging_map_tpm(void);
/* The tables Linux is entered on: RAM [0, end), end <= 3 GiB, readable, writable, executable. TDX:
 * at FW_AP_TABLES those of the other processors too, of the first GiB of it. */
void paging_build_handover(uint64_t end);
/* Lets ring 3 reach [base, base + size), rounded outwards: 4 KiB pages from FW_ACPI to 2 MiB,
 * 2 MiB pages from there to 3 GiB; anything else stops. */
void user_map(uint64_t base, uint64_t size, bool writable);
void user_unmap(uint64_t base, uint64_t size);

/* SEV-SNP and TDX. [FW_STAGING, end) is shared with the host: user_map says so there by C-bit or
 * S-bit. end 0: it is private again. */
void paging_staging_shared(uint64_t end);
/* SEV-SNP only. The GHCB page, shared, for ring 0. */
void paging_map_ghcb(void);
/* Lets ring 0 read one private page of 4 KiB below 2 MiB, or 2 MiB up to 512 GiB, at its own
 * guest-physical address: what PVALIDATE wants. One at a time. */
void paging_map_unit(uint64_t at, bool large);
void paging_unmap_unit(uint64_t at, bool large);

/* entry.S: runs function(a, b, c, d, e) in ring 3 and returns its value. Pointers among the
 * arguments must be in_user(). Any trap but the agreed one stops. */
uint64_t user_call(uintptr_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);

static inline uint64_t in_user(const void *p)
{
	return (uintptr_t)p + USER_WINDOW;
}

/* entry.S: changes to the hand-over tables, scrubs, clears all registers but RSI, jumps. */
_Noreturn void handover(uint64_t entry, uint64_t zero_page);

#endif
#endif
