/* What the host knows of each 4 KiB page of a region of RAM, one byte a page, for both kinds of
 * guest. Pure: no KVM, no memory of the guest; the caller moves memory slots after every change.
 * The instructions that change it from inside are in rmp.h and sept.h.
 *
 *                 SEV-SNP, reverse map table        TDX, Secure EPT
 *   nothing       HYPERVISOR                        FREE
 *   GIVEN         GUEST_INVALID                     PENDING
 *   + ACCEPTED    GUEST_VALID                       MAPPED
 *
 * A page is given at its first use, or by the launch, which also accepts it; a discard takes it
 * back. PRE_GUEST (SEV-SNP) and BLOCKED (TDX) exist only inside a step of the host that ends in
 * another state, and no guest sees them. */
#ifndef PAVISE_MODEL_PAGES_H
#define PAVISE_MODEL_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES 4096ull
#define PAGES_LARGE 512ull

/* Bits of the byte of a page. */
#define PG_PRIVATE  0x01u /* KVM's attribute: what the host thinks it is */
#define PG_GIVEN    0x02u /* the guest's: guest_memfd has a page for it */
#define PG_ACCEPTED 0x04u /* by PVALIDATE, TDG.MEM.PAGE.ACCEPT or the launch */
#define PG_LARGE    0x08u /* one of the 512 pages of a 2 MiB entry */
#define PG_VMSA     0x10u /* RMPADJUST made it a VMSA: no ordinary access */
#define PG_MAPPED_PRIVATE 0x20u /* the book of alias slots (alias.c), not the platform's */
#define PG_MAPPED_SHARED  0x40u

struct pages {
	uint8_t *page;   /* borrowed; `count` bytes */
	uint64_t count;
	uint64_t small_below; /* below this page the host has no 2 MiB pages to give: Linux up to
			       * 6.16 has none anywhere */
};

/* Sets the attribute of pages [first, first + count). A 2 MiB entry that is hit in part is split.
 * What the guest was given stays until it is discarded, as in KVM. */
void pages_set_private(struct pages *p, uint64_t first, uint64_t count, bool private);
/* The pages go back to the host: the guest's acceptance is lost. */
void pages_discard(struct pages *p, uint64_t first, uint64_t count);

/* The launch may add this page: it is private and not the guest's yet. */
bool pages_can_launch(const struct pages *p, uint64_t page);
void pages_launch(struct pages *p, uint64_t page); /* given and accepted */

/* A private access makes KVM give the guest the page, as 2 MiB when `large` allows it, all of it is
 * private and nothing of it given. False: the attribute says shared. */
bool pages_touch(struct pages *p, uint64_t page, bool large);
/* A 2 MiB entry becomes 512 of 4 KiB in the same state. */
void pages_split(struct pages *p, uint64_t page);

/* May the guest read and write it as private memory, or as shared? */
static inline bool page_private_usable(uint8_t page)
{
	return (page & (PG_PRIVATE | PG_GIVEN | PG_ACCEPTED | PG_VMSA)) ==
	       (PG_PRIVATE | PG_GIVEN | PG_ACCEPTED);
}
static inline bool page_shared_usable(uint8_t page)
{
	return (page & PG_PRIVATE) == 0;
}

#endif
