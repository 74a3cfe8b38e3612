/* TDG.MEM.PAGE.ACCEPT on the page record (Intel TDX Module ABI, "TDG.MEM.PAGE.ACCEPT Leaf"). */
#ifndef PAVISE_MODEL_SEPT_H
#define PAVISE_MODEL_SEPT_H

#include "model/pages.h"

enum sept_level { SEPT_4K = 0, SEPT_2M = 1, SEPT_1G = 2 };

enum sept_result {
	SEPT_ACCEPTED,
	SEPT_FAULT,         /* EPT violation: the host holds the page for shared */
	SEPT_ALREADY,       /* mapped at that size before */
	SEPT_SIZE_MISMATCH, /* given at another size than the one asked for */
};

/* page: number of the operand's page, aligned to the level, inside the region. A free page is first
 * given by KVM, at that level or below; contents are zero then, which is the caller's part. */
enum sept_result sept_accept(struct pages *p, uint64_t page, enum sept_level level);

#endif
