#include "model/walk.h"

#include "model/platform.h"

#include <stdbool.h>
#include <string.h>

#define PRESENT   1ull
#define PAGE_SIZE_BIT 0x80ull
#define ADDRESS   0x000FFFFFFFFFF000ull

static bool read_entry(uint64_t table, unsigned index, uint64_t *entry)
{
	const uint8_t *page = model_page((table & ADDRESS & ~MODEL_C_BIT),
					 (table & MODEL_C_BIT) != 0);

	if (!page)
		return false;
	memcpy(entry, page + sizeof(*entry) * index, sizeof(*entry));
	return (*entry & PRESENT) != 0;
}

int walk(const struct kvm_sregs *sregs, uint64_t linear, uint64_t *gpa)
{
	uint64_t entry = sregs->cr3;

	for (unsigned level = 4; level >= 1; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t inside = (1ull << shift) - 1;

		if (!read_entry(entry, (unsigned)(linear >> shift & 511), &entry))
			return -1;
		if (level == 1 || ((entry & PAGE_SIZE_BIT) != 0 && level <= 3)) {
			*gpa = (entry & ADDRESS & ~inside) | (linear & inside);
			return 0;
		}
	}
	return -1;
}
