/* ELF kernels (System V gABI, "Object Files"; x86-64 psABI): Linux's vmlinux, and kernels that name
 * a PVH entry in a note (Xen's public/elfnote.h). Read from a private copy whose hash matched. */
#ifndef PAVISE_FIRMWARE_ELFKERNEL_H
#define PAVISE_FIRMWARE_ELFKERNEL_H

#include "firmware/kernel.h"

#include <stdbool.h>

/* Whether the file begins as ELF files do. */
bool fw_elf_is(const uint8_t *file, uint64_t size);

/* A file with a PVH note and none of Linux's is entered by it; any other at its entry point, as
 * Linux's vmlinux is. STOP_HANDED_OVER, or STOP_KERNEL_ELF, STOP_KERNEL_SEGMENT, STOP_KERNEL_ENTRY;
 * *out is only filled on success. */
enum fw_stop fw_elf_parse(const uint8_t *file, uint64_t size, struct fw_kernel *out);

#endif
