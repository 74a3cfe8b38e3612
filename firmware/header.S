/* The image's first bytes (struct fw_image_header) and the page tables its first processor starts
 * on: identity, image read-only, scratch writable, the rest of the first 2 MiB absent. Accessed
 * and dirty bits are set already, so that the processor never writes them and the image stays
 * byte for byte the file. There is no NX yet (EFER.NXE is clear at the start); entry.S leaves
 * these tables after a few dozen instructions. */
#include "firmware/variant.h"

	.section .header, "a"
	.ascii "PVFW0001"
	.long VARIANT
	.long SVN
	.long header_image_size
	.long header_entry
	.long header_page_table
	.long header_stack_top
	.long header_version_offset
	.long header_version_size
	.long header_note_offset
	.long header_note_size
	.long header_ap_entry
	.long header_sites_offset
	.long header_sites_count
	.zero 4

	.globl version_text, version_text_end
version_text:
	.string16 VERSION_TEXT
version_text_end:

#define PRESENT  0x001
#define WRITABLE 0x002
#define ACCESSED 0x020
#define DIRTY    0x040
#if VARIANT == VARIANT_SNP
#define C_BIT    (1 << SNP_C_BIT) /* these very tables are encrypted, and all they name */
#else
#define C_BIT    0
#endif

	.section .tables, "a"
	.globl start_pml4
	.balign 4096
start_pml4:
	.quad start_pdpt + (PRESENT | WRITABLE | ACCESSED | C_BIT)
	.zero 4096 - 8
start_pdpt:
	.quad start_pd + (PRESENT | WRITABLE | ACCESSED | C_BIT)
	.zero 4096 - 8
start_pd:
	.quad start_pt + (PRESENT | WRITABLE | ACCESSED | C_BIT)
	.zero 4096 - 8
start_pt:
	.set page, 0
	.rept 512
	.if page >= IMAGE_BASE && page < IMAGE_BASE + IMAGE_MAX
	.quad page + (PRESENT | ACCESSED | DIRTY | C_BIT)
	.elseif page >= SCRATCH_BASE && page < SCRATCH_BASE + SCRATCH_SIZE
	.quad page + (PRESENT | WRITABLE | ACCESSED | DIRTY | C_BIT)
	.else
	.quad 0
	.endif
	.set page, page + 0x1000
	.endr
