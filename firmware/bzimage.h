/* The setup header of a Linux bzImage (Documentation/arch/x86/boot.rst), read from a private
 * copy whose hash already matched. */
#ifndef PAVISE_FIRMWARE_BZIMAGE_H
#define PAVISE_FIRMWARE_BZIMAGE_H

#include "firmware/stop.h"

#include <stdint.h>

#define BZ_SETUP_SECTS   0x1F1u
#define BZ_BOOT_FLAG     0x1FEu
#define BZ_JUMP_LENGTH   0x201u  /* the header ends this many bytes behind 0x202 */
#define BZ_MAGIC         0x202u
#define BZ_VERSION       0x206u
#define BZ_TYPE_OF_LOADER 0x210u
#define BZ_LOADFLAGS     0x211u
#define BZ_RAMDISK_IMAGE 0x218u
#define BZ_RAMDISK_SIZE  0x21Cu
#define BZ_CMD_LINE_PTR  0x228u
#define BZ_INITRD_ADDR_MAX 0x22Cu
#define BZ_XLOADFLAGS    0x236u
#define BZ_CMDLINE_SIZE  0x238u
#define BZ_PAYLOAD_OFFSET 0x248u
#define BZ_PAYLOAD_LENGTH 0x24Cu
#define BZ_SETUP_DATA    0x250u
#define BZ_PREF_ADDRESS  0x258u
#define BZ_INIT_SIZE     0x260u
#define BZ_HEADER_MIN    0x264u  /* end of init_size: protocol 2.10 */
#define BZ_HEADER_MAX    0x290u  /* end of setup_header's room in boot_params */

#define BZ_ENTRY_64      0x200u  /* the 64-bit entry, from the load address */

struct fw_bzimage {
	uint64_t setup_size;       /* bytes before the protected-mode part */
	uint64_t load_size;        /* bytes of the protected-mode part: the rest of the file */
	uint64_t pref_address;     /* guest-physical, 2 MiB aligned */
	uint32_t init_size;        /* bytes the kernel needs from there, at least load_size */
	uint32_t header_end;       /* file offset behind the setup header, at most BZ_HEADER_MAX */
	uint32_t initrd_addr_max;  /* highest address of an initrd byte: the header's, or 4 GiB - 1
				      where xloadflags says that an initrd may lie anywhere */
	uint32_t cmdline_size;     /* longest command line, without its NUL */
};

/* Parses size bytes at file and proves that the kernel, loaded at pref_address, lies in
 * [FW_RESERVED_END, FW_STAGING). STOP_HANDED_OVER (0), STOP_KERNEL_MAGIC, STOP_KERNEL_PROTOCOL or
 * STOP_KERNEL_BOUNDS; *out is only filled on success. */
enum fw_stop fw_bzimage_parse(const uint8_t *file, uint64_t size, struct fw_bzimage *out);

#endif
