/* What a confidential guest of the kvm tier is made of, for the scripted hosts (snp_guest.h,
 * tdx_guest.h): the built image, the fake kernel, their hash page and boot block. */
#ifndef PAVISE_TESTS_KVM_CC_PARTS_H
#define PAVISE_TESTS_KVM_CC_PARTS_H

#include "firmware/events.h"
#include "firmware/hashpage.h"
#include "firmware/layout.h"
#include "firmware/staging.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CC_GUEST_MEMORY (192ull << 20)
#define CC_GUEST_PAGES  (CC_GUEST_MEMORY / FW_PAGE)
#define CC_PRIVATE_FILL 0xDD /* what lies in memory that nobody has written */
#define CC_SHARED_FILL  0xEE

struct cc_parts {
	enum fw_variant variant;
	uint8_t *firmware, *kernel, *initrd; /* tests change them and what follows before the run */
	size_t firmware_size, kernel_size, initrd_size;
	char cmdline[8];
	struct fw_hash_page hash_page;
	struct fw_staging staging;
	struct fw_boot_block boot;
};

/* The end of the program, for want of a part or of KVM. */
_Noreturn void cc_bail(const char *what);

/* Two processors, CC_GUEST_MEMORY, no TPM; the built image of that kind. */
void cc_parts_init(struct cc_parts *p, enum fw_variant variant);
/* Another image or kernel, a file of the build folder; a kernel is hashed at once. */
void cc_parts_use_firmware(struct cc_parts *p, const char *path);
void cc_parts_use_kernel(struct cc_parts *p, const char *path);
/* Hash page again, after a blob or a size changed. */
void cc_parts_hash(struct cc_parts *p);
void cc_parts_free(struct cc_parts *p);

/* What tables and log must be, from files alone. acpi: FW_ACPI_SIZE bytes. */
void cc_parts_predict(const struct cc_parts *p, struct fw_log_inputs *in, uint8_t *acpi,
		      size_t *acpi_size);

/* CC_GUEST_MEMORY bytes, filled where the firmware writes and reads. munmap. */
uint8_t *cc_map_memory(uint8_t fill);
/* Boot block and blobs where the host puts them. */
void cc_stage(const struct cc_parts *p, uint8_t *shared);
/* Every site of the image in memory becomes a write to port base + its kind. */
void cc_patch_sites(const struct cc_parts *p, uint8_t *image, uint8_t base);
/* Does every byte of memory[from, to) hold fill? */
bool cc_is_filled(const uint8_t *memory, uint8_t fill, uint64_t from, uint64_t to);

/* KVM: guest-physical addresses of 52 bits, and a slot of CC_GUEST_MEMORY or less. 0, or -1. */
int cc_set_cpuid(int kvm, int cpu);
int cc_set_slot(int vm, uint32_t slot, uint64_t gpa, const uint8_t *memory, uint64_t size);
/* Before the next run: an interrupt (32..), exception or NMI (2). */
void cc_inject(int cpu, unsigned vector);

#endif
