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

#define FIXTURE_ELF_SIZE  0x600u
#define FIXTURE_ELF_NOTES 0x160u /* offset; 24 bytes each: Linux's, then the PVH entry */
#define FIXTURE_ELF_PHEADER(n) (64u + 56u * (n))

static inline void fixture_note(uint8_t *p, const char *owner, uint32_t type, uint64_t desc)
{
	unsigned name = (unsigned)strlen(owner) + 1, at = 12 + (name + 3) / 4 * 4;

	fixture_store(p, name, 4);
	fixture_store(p + 4, 24 - at, 4);
	fixture_store(p + 8, type, 4);
	memcpy(p + 12, owner, name);
	fixture_store(p + at, desc, 24 - at);
}

/* An ELF kernel with two loaded segments and both notes; header 2 is the notes', header 3 another. */
static inline void fixture_elf(uint8_t file[FIXTURE_ELF_SIZE])
{
	static const uint64_t headers[4][7] = {
		{ 1, 0x200, 0xFFFFFFFF81000000, 0x1000000, 0x400, 0x1000, 0x200000 },
		{ 1, 0x300, 0, 0x1200000, 0x300, 0x200000, 0x1000 },
		{ 4, FIXTURE_ELF_NOTES, 0, 0, 48, 48, 4 },
		{ 0x6474E551, 0, 0, 0, 0, 0, 16 },
	};

	memset(file, 0x5A, FIXTURE_ELF_SIZE);
	memset(file, 0, 0x200);
	memcpy(file, "\177ELF\2\1\1", 7);
	fixture_store(file + 16, 2, 2);         /* executable */
	fixture_store(file + 18, 62, 2);        /* x86-64 */
	fixture_store(file + 20, 1, 4);
	fixture_store(file + 24, 0x1000100, 8); /* entry */
	fixture_store(file + 32, 64, 8);        /* program headers */
	fixture_store(file + 52, 64, 2);
	fixture_store(file + 54, 56, 2);
	fixture_store(file + 56, 4, 2);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *ph = file + FIXTURE_ELF_PHEADER(i);

		fixture_store(ph, headers[i][0], 4);
		for (unsigned k = 1; k < 7; k++)
			fixture_store(ph + (size_t)8 * k, headers[i][k], 8);
	}
	fixture_note(file + FIXTURE_ELF_NOTES, "Linux", 0x101, 1);
	fixture_note(file + FIXTURE_ELF_NOTES + 24, "Xen", 18, 0x1200010);
}

#endif
