/* Fixed layouts shared by the firmware, the program that measures it and the VMM that loads
 * it. Everything is little endian and naturally aligned; every structure is checked for its
 * size below. Nothing here depends on a C library: the firmware is freestanding.
 *
 * Guest-physical map (plain and confidential alike), below 2 MiB:
 *
 *   0x000000  low RAM [0, 0xA0000): left to Linux (AP trampoline)
 *   0x100000  FW_IMAGE      at most 64 KiB: header, code, constants      measured
 *   0x110000  FW_SCRATCH    stack, data, page tables: 448 KiB, zero at entry
 *   0x180000  FW_HASH_PAGE  hashes and sizes of kernel, initrd, command line  measured
 *   0x181000  FW_BOOT_BLOCK what the host chose: memory, processors      not measured in the image
 *   0x182000  FW_CPUID_PAGE   SEV-SNP: CPUID values the PSP has checked
 *   0x183000  FW_SECRETS_PAGE SEV-SNP: keys of the guest's channel to the PSP
 *   0x184000  FW_GHCB         SEV-SNP: made shared by the firmware; private again before Linux
 *   0x185000  FW_CC_BLOB      SEV-SNP: setup_data node and cc_blob the firmware builds
 *   0x186000  FW_MAILBOX    TDX: the ACPI wakeup mailbox, zero at entry          measured
 *   0x187000  FW_AP_TABLES  TDX: page tables of processors that wait for it (3 pages)
 *   0x18A000  reserved
 *   0x190000  FW_ACPI       tables the firmware builds (64 KiB)
 *   0x1A0000  FW_EVENT_LOG  TCG event log the firmware writes (64 KiB)
 *   0x1B0000  FW_ZERO_PAGE  Linux boot_params
 *   0x1B1000  FW_CMDLINE    the private copy of the command line (one page)
 *   0x1B2000  reserved
 *   0x1C0000  FW_CC_LOG     TDX: event log of the RTMRs (64 KiB)
 *   0x1D0000  reserved up to 2 MiB
 *   0x1000000 the kernel's preferred address
 *   0x8000000 FW_STAGING    where the plan stages kernel, initrd, command line, each 2 MiB
 *                           aligned, in that order; the final initrd goes to the top of low RAM
 *   0xC0000000..0xFFFFFFFF  no RAM: PCI window, IOAPIC, TPM, LAPIC; TDX: but one private page,
 *   0xFFFFF000  FW_RESET_PAGE a copy of the image's last page, where processors start  measured
 */
#ifndef PAVISE_FIRMWARE_LAYOUT_H
#define PAVISE_FIRMWARE_LAYOUT_H

#include <stdint.h>

#define FW_PAGE           0x1000u
#define FW_LOW_RAM_END    0xA0000u
#define FW_HIGH_RAM_BASE  0x100000u
#define FW_IMAGE          0x100000u
#define FW_IMAGE_MAX      0x10000u
#define FW_SCRATCH        0x110000u
#define FW_SCRATCH_SIZE   0x70000u
#define FW_HASH_PAGE      0x180000u
#define FW_BOOT_BLOCK     0x181000u
#define FW_CPUID_PAGE     0x182000u
#define FW_SECRETS_PAGE   0x183000u
#define FW_GHCB           0x184000u
#define FW_CC_BLOB        0x185000u
#define FW_MAILBOX        0x186000u
#define FW_AP_TABLES      0x187000u
#define FW_AP_TABLES_SIZE 0x3000u
#define FW_ACPI           0x190000u
#define FW_ACPI_SIZE      0x10000u
#define FW_EVENT_LOG      0x1A0000u
#define FW_EVENT_LOG_SIZE 0x10000u
#define FW_ZERO_PAGE      0x1B0000u
#define FW_CMDLINE        0x1B1000u
#define FW_CMDLINE_MAX    0x1000u    /* bytes, the final NUL included */
#define FW_CC_LOG         0x1C0000u
#define FW_CC_LOG_SIZE    0x10000u
#define FW_RESERVED_END   0x200000u
#define FW_RESET_PAGE     0xFFFFF000u
#define FW_RESET_VECTOR   0xFFFFFFF0u
#define FW_STAGING        0x8000000u
#define FW_STAGING_ALIGN  0x200000u
#define FW_RAM_ALIGN      0x200000u  /* ends of RAM ranges, and bases but the first two */

/* Position of the C-bit of an SEV-SNP guest: in CR3 and every entry of its page tables. */
#define SNP_C_BIT         51u

/* A trust domain of ours has guest-physical addresses of TDX_GPAW bits; the highest one, set, says
 * that memory is shared with the host. */
#define TDX_GPAW          48u
#define TDX_S_BIT         47u

/* Platform addresses: constants of the machine, never negotiated. */
#define MMIO_HOLE_BASE    0xC0000000u
#define MMIO_HOLE_END     0x100000000ull
#define PCI_WINDOW_BASE   0xC0000000u
#define PCI_WINDOW_SIZE   0x10000000u
#define PCI_BAR_STRIDE    0x8000u    /* BAR 0 of device N (1..): at base + N * stride, this size */
#define PCI_SLOT_MAX      16u        /* device numbers 1..16 at most; 0 is the host bridge */
#define IOAPIC_BASE       0xFEC00000u
#define LAPIC_BASE        0xFEE00000u
#define TPM_CRB_BASE      0xFED40000u
#define TPM_CRB_SIZE      0x5000u
#define TPM_CRB_CONTROL   0xFED40040u
#define UART_PORT         0x3F8u
#define UART_GSI          4u
#define PORT_STOP         0x80u      /* firmware stop codes, 32-bit writes: stop.h */
#define PORT_SLEEP_CONTROL 0x600u
#define PORT_SLEEP_STATUS 0x601u
#define PORT_RESET        0x604u     /* a write of 1 resets */
#define PCI_CONFIG_ADDRESS 0xCF8u
#define PCI_CONFIG_DATA   0xCFCu

/* Which machine an image is built for; an image refuses to run as any other. */
enum fw_variant { FW_VARIANT_PLAIN = 1, FW_VARIANT_SNP = 2, FW_VARIANT_TDX = 3 };

/* At offset 0 of the image file. Offsets are from the start of the image. */
#define FW_IMAGE_MAGIC "PVFW0001"
struct fw_image_header {
	uint8_t magic[8];
	uint32_t variant;        /* enum fw_variant */
	uint32_t svn;            /* security version number, grows with each fixed weakness */
	uint32_t image_size;     /* whole file, bytes; a multiple of FW_PAGE */
	uint32_t entry;          /* offset of the 64-bit entry point */
	uint32_t page_table;     /* offset of the top-level page table (for CR3) */
	uint32_t stack_top;      /* offset from FW_SCRATCH of the first stack pointer */
	uint32_t version_offset; /* UTF-16LE text of the EV_S_CRTM_VERSION event */
	uint32_t version_size;   /* bytes, its final NUL included */
	uint32_t note_offset;    /* padding near the end that nothing reads */
	uint32_t note_size;
	uint32_t ap_entry;       /* offset of the loop other processors wait in; 0 when plain */
	uint32_t sites_offset;   /* table of fw_site; 0 when plain */
	uint32_t sites_count;
	uint8_t reserved[4];
};
_Static_assert(sizeof(struct fw_image_header) == 64, "image header");

/* Every instruction of a confidential guest's image that only its hardware has, 4 bytes each: the
 * platform model patches them after the launch. Sorted by offset, disjoint, none across a page. */
enum fw_site_kind {
	FW_SITE_PVALIDATE = 1, /* F2 0F 01 FF */
	FW_SITE_RMPADJUST = 2, /* F3 0F 01 FE */
	FW_SITE_VMGEXIT = 3,   /* F3 0F 01 D9 */
	FW_SITE_FOLD = 4,      /* the last one before Linux, one at most: an RMPADJUST or VMGEXIT */
	FW_SITE_TDCALL = 5,    /* 66 0F 01 CC */
	FW_SITE_TDX_FOLD = 6,  /* the last one before Linux, one at most: a TDCALL (TDG.VP.INFO) */
};
#define FW_SITE_SIZE 4u
struct fw_site {
	uint32_t offset;         /* in the image */
	uint32_t kind;           /* enum fw_site_kind */
};

/* The hash page. First QEMU's GUIDed table of SHA-256 values, so that foreign calculators
 * understand it (command line with its NUL, whole kernel file, initrd or the hash of nothing);
 * then our record. All other bytes are zero. */
#define FW_HASH_TABLE_OFFSET 0
#define FW_HASH_TABLE_SIZE   176
#define FW_HASH_RECORD_OFFSET 256
struct fw_hash_entry {
	uint8_t guid[16];
	uint16_t size;          /* 50 */
	uint8_t sha256[32];
} __attribute__((packed));
struct fw_hash_table {
	uint8_t guid[16];
	uint16_t size;          /* 168 */
	struct fw_hash_entry cmdline, initrd, kernel;
	uint8_t padding[8];
} __attribute__((packed));
_Static_assert(sizeof(struct fw_hash_table) == FW_HASH_TABLE_SIZE, "hash table");

#define FW_HASH_MAGIC "PVHASH01"
struct fw_hash_record {
	uint8_t magic[8];
	uint32_t size;            /* of this record: 256 */
	uint32_t variant;         /* enum fw_variant the plan was made for */
	uint64_t kernel_size;     /* bytes */
	uint64_t initrd_size;     /* bytes; 0: no initrd */
	uint64_t cmdline_size;    /* bytes, final NUL included; at least 1 */
	uint64_t min_ram;         /* bytes of RAM the boot block must offer at least */
	uint32_t max_cpus;        /* processors it may offer at most */
	uint32_t require_tpm;     /* 1: stop when the boot block offers no TPM */
	uint8_t kernel_sha384[48];
	uint8_t initrd_sha384[48];
	uint8_t cmdline_sha384[48];
	uint8_t reserved[56];
};
_Static_assert(sizeof(struct fw_hash_record) == 256, "hash record");

/* The boot block: what the host chose. The firmware copies it once, checks every rule of
 * docs/architecture.md "boot block", and measures these very bytes into PCR 1.
 * ram[0] is exactly [0, 0xA0000); ram[1] begins at 0x100000; every end, and every base from
 * ram[2] on, is 2 MiB aligned; sorted, disjoint, none inside the MMIO hole. */
#define FW_BOOT_MAGIC "PVBOOT01"
#define FW_BOOT_RAM_MAX 16
#define FW_BOOT_CPU_MAX 256
#define FW_BOOT_HAS_TPM 1u
struct fw_ram_range {
	uint64_t base;
	uint64_t size;
};
struct fw_boot_block {
	uint8_t magic[8];
	uint32_t size;            /* of this block: 1344 */
	uint32_t flags;           /* FW_BOOT_HAS_TPM */
	uint32_t ram_count;       /* 2..16 */
	uint32_t cpu_count;       /* 1..256 */
	uint32_t pci_slots;       /* virtio devices on the bus, 0..16 */
	uint32_t reserved0;
	struct fw_ram_range ram[FW_BOOT_RAM_MAX];
	uint32_t apic_id[FW_BOOT_CPU_MAX]; /* unique, ascending; unused entries zero */
	uint8_t reserved[32];
};
_Static_assert(sizeof(struct fw_boot_block) == 1344, "boot block");

#endif
