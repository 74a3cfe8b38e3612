/* Sound inputs of the firmware's checks, for tests to break one at a time. */
#ifndef PAVISE_TESTS_FW_FIXTURES_H
#define PAVISE_TESTS_FW_FIXTURES_H

#include "firmware/bzimage.h"
#include "firmware/layout.h"

#include <string.h>

/* 512 MiB and 2 GiB above the hole, 2 processors, a TPM, 2 devices. */
static inline void fixture_boot_block(struct fw_boot_block *b)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->magic, FW_BOOT_MAGIC, sizeof(b->magic));
	b->size = sizeof(*b);
	b->flags = FW_BOOT_HAS_TPM;
	b->ram_count = 3;
	b->cpu_count = 2;
	b->pci_slots = 2;
	b->ram[0].size = FW_LOW_RAM_END;
	b->ram[1].base = FW_HIGH_RAM_BASE;
	b->ram[1].size = 0x20000000u - FW_HIGH_RAM_BASE;
	b->ram[2].base = MMIO_HOLE_END;
	b->ram[2].size = 0x80000000u;
	b->apic_id[1] = 1;
}

static inline void fixture_store(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

#define FIXTURE_KERNEL_SETUP 1024u /* one sector of setup behind the boot sector */
#define FIXTURE_KERNEL_SIZE  (FIXTURE_KERNEL_SETUP + 0x1000u)

/* A bzImage header as a 6.12 kernel's, over FIXTURE_KERNEL_SIZE bytes. */
static inline void fixture_kernel(uint8_t file[FIXTURE_KERNEL_SIZE])
{
	memset(file, 0x5A, FIXTURE_KERNEL_SIZE);
	memset(file, 0, FIXTURE_KERNEL_SETUP);
	file[BZ_SETUP_SECTS] = 1;
	fixture_store(file + BZ_BOOT_FLAG, 0xAA55, 2);
	file[BZ_JUMP_LENGTH] = 0x6A; /* up to 0x26C */
	memcpy(file + BZ_MAGIC, "HdrS", 4);
	fixture_store(file + BZ_VERSION, 0x20F, 2);
	file[BZ_LOADFLAGS] = 1;
	fixture_store(file + BZ_INITRD_ADDR_MAX, 0x7FFFFFFF, 4);
	fixture_store(file + BZ_XLOADFLAGS, 0x7F, 2);
	fixture_store(file + BZ_CMDLINE_SIZE, 2047, 4);
	fixture_store(file + BZ_PAYLOAD_OFFSET, 0x300, 4);
	fixture_store(file + BZ_PAYLOAD_LENGTH, 0xC00, 4);
	fixture_store(file + BZ_PREF_ADDRESS, 0x1000000, 8);
	fixture_store(file + BZ_INIT_SIZE, 0x3700000, 4);
}

#endif
