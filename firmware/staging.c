#include "firmware/staging.h"

#include "common/checked.h"
#include "firmware/layout.h"

/* The first aligned address behind size bytes at base. */
static bool next(uint64_t base, uint64_t size, uint64_t *out)
{
	uint64_t end;

	return ck_add_u64(base, size, &end) && ck_align_up_u64(end, FW_STAGING_ALIGN, out) &&
	       *out <= MMIO_HOLE_BASE;
}

int fw_staging(uint64_t kernel_size, uint64_t initrd_size, uint64_t cmdline_size,
	       struct fw_staging *out)
{
	struct fw_staging s = { .kernel = FW_STAGING };

	if (!next(s.kernel, kernel_size, &s.initrd) || !next(s.initrd, initrd_size, &s.cmdline) ||
	    !next(s.cmdline, cmdline_size, &s.end))
		return -1;
	*out = s;
	return 0;
}

uint64_t fw_staging_min_ram(uint64_t kernel_size, uint64_t initrd_size, uint64_t cmdline_size)
{
	struct fw_staging s;
	uint64_t end;

	/* Behind the staging area lies the private kernel, above it the private initrd. */
	if (fw_staging(kernel_size, initrd_size, cmdline_size, &s) != 0 ||
	    !next(s.end, kernel_size, &end) || !next(end, initrd_size, &end))
		return 0;
	return end;
}
