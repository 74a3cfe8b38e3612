/* The reverse map table of the simulated platform, one byte a 4 KiB page of a region of RAM, and
 * what PVALIDATE and RMPADJUST make of it (AMD APM vol. 2 §15.36, vol. 3). Pure: no KVM, no memory
 * of the guest; the caller moves memory slots after every change.
 *
 *   HYPERVISOR ── first use of a private page ──► GUEST_INVALID ◄── PVALIDATE ──► GUEST_VALID
 *       ▲                                              │                              │
 *       └──────────────── discard (guest_memfd) ───────┴──────────────────────────────┘
 *
 * PRE_GUEST exists only inside LAUNCH_UPDATE, which makes GUEST_VALID of it. */
#ifndef PAVISE_MODEL_RMP_H
#define PAVISE_MODEL_RMP_H

#include <stdbool.h>
#include <stdint.h>

#define RMP_PAGE 4096ull
#define RMP_LARGE_PAGES 512ull

/* Bits of the byte of a page. */
#define RMP_PRIVATE   0x01u /* KVM's attribute: what the host thinks it is */
#define RMP_ASSIGNED  0x02u /* the guest's in the RMP: guest_memfd has a page for it */
#define RMP_VALIDATED 0x04u
#define RMP_LARGE     0x08u /* one of the 512 pages of a 2 MiB entry */
#define RMP_VMSA      0x10u /* RMPADJUST made it a VMSA: no ordinary access */
#define RMP_MAPPED_PRIVATE 0x20u /* the book of alias slots (alias.c), not the RMP's */
#define RMP_MAPPED_SHARED  0x40u

struct rmp {
	uint8_t *page;   /* borrowed; `pages` bytes */
	uint64_t pages;
	uint64_t small_below; /* below this page the host has no 2 MiB pages to give: Linux up to
			       * 6.16 has none anywhere */
};

/* EAX of both instructions. */
enum rmp_code {
	RMP_SUCCESS = 0,
	RMP_FAIL_INPUT = 1,
	RMP_FAIL_PERMISSION = 2,
	RMP_FAIL_SIZEMISMATCH = 6,
};

/* Outcome of an instruction: its code and CF, or a nested page fault because the host holds the
 * page for shared. */
struct rmp_answer {
	bool fault;
	enum rmp_code code;
	bool unchanged; /* CF of PVALIDATE */
};

/* Sets the attribute of pages [first, first + count). A 2 MiB entry that is hit in part is split.
 * What the RMP holds stays until it is discarded, as in KVM. */
void rmp_set_private(struct rmp *r, uint64_t first, uint64_t count, bool private);
/* The pages go back to the hypervisor: assignment and validation are lost. */
void rmp_discard(struct rmp *r, uint64_t first, uint64_t count);

/* LAUNCH_UPDATE may add this page: it is private and not the guest's yet. */
bool rmp_can_launch(const struct rmp *r, uint64_t page);
void rmp_launch(struct rmp *r, uint64_t page); /* PRE_GUEST to GUEST_VALID */

/* A private access makes KVM give the guest the page, as 2 MiB when all of it is private and
 * nothing of it assigned. False: the attribute says shared. */
bool rmp_touch(struct rmp *r, uint64_t page);

/* page: the number of the operand's page inside the region; aligned says that the operand's virtual
 * and physical address suit the size. */
struct rmp_answer rmp_pvalidate(struct rmp *r, uint64_t page, bool large, bool aligned,
				bool validate);
/* attributes: RDX (target VMPL 7:0, permissions 15:8, VMSA 16). The caller runs at VMPL0. */
struct rmp_answer rmp_adjust(struct rmp *r, uint64_t page, bool large, bool aligned,
			     uint64_t attributes);

/* May the guest read and write it through the C-bit, or without? */
static inline bool rmp_private_usable(uint8_t page)
{
	return (page & (RMP_PRIVATE | RMP_ASSIGNED | RMP_VALIDATED | RMP_VMSA)) ==
	       (RMP_PRIVATE | RMP_ASSIGNED | RMP_VALIDATED);
}
static inline bool rmp_shared_usable(uint8_t page)
{
	return (page & RMP_PRIVATE) == 0;
}

#endif
