/* The calls of a trust domain, ring 0, the asking side: to the TDX module (TDX module ABI: TDG.*)
 * and through it to the host (Guest-Hypervisor Communication Interface, "TDG.VP.VMCALL"). What
 * comes back is read once; of a host's answer nothing is used but the stated result.
 * Every function returns STOP_HANDED_OVER (0) or the code to stop with. */
#ifndef PAVISE_FIRMWARE_TDCALL_H
#define PAVISE_FIRMWARE_TDCALL_H

#include "firmware/stop.h"
#include "firmware/tdx_ops.h"

#include <stdbool.h>

/* Leaves (RAX). */
#define TDG_VP_VMCALL       0u
#define TDG_VP_INFO         1u
#define TDG_MR_RTMR_EXTEND  2u
#define TDG_MEM_PAGE_ACCEPT 6u

/* Status (RAX) of the module, without its details in bits 31:0. */
#define TDX_STATUS_MASK           0xFFFFFFFF00000000ull
#define TDX_PAGE_ALREADY_ACCEPTED 0x00000B0A00000000ull
#define TDX_PAGE_SIZE_MISMATCH    0xC0000B0B00000000ull

/* Sub-functions of TDG.VP.VMCALL (R11); below 0x10000 they are VMX exit reasons. */
#define TDVMCALL_IO      30u
#define TDVMCALL_MMIO    48u
#define TDVMCALL_MAP_GPA 0x10001u
/* Registers that the host sees and changes, all that these calls use: R10 to R15. */
#define TDVMCALL_EXPOSED 0xFC00u
/* Status (R10). */
#define TDVMCALL_SUCCESS 0u
#define TDVMCALL_RETRY   1u
/* Calls without any progress that one TDG.VP.VMCALL<MapGPA> survives. */
#define TDVMCALL_STALLS  16u

/* ATTRIBUTES of a trust domain of ours: SEPT_VE_DISABLE, so that memory the host takes away ends
 * the guest instead of running its #VE handler, and nothing else. */
#define TDX_ATTRIBUTE_DEBUG           1ull
#define TDX_ATTRIBUTE_SEPT_VE_DISABLE (1ull << 28)

/* TDG.VP.INFO: a trust domain with addresses of TDX_GPAW bits and exactly our attributes. */
enum fw_stop tdx_check_domain(const struct tdx_ops *o);

/* Extends RTMR `index` by the 48 bytes at guest-physical address buffer, 64-byte aligned. */
enum fw_stop tdx_rtmr_extend(const struct tdx_ops *o, unsigned index, uint64_t buffer);

/* Accepts one private page of 4 KiB or 2 MiB: it is ours and zero. */
enum fw_stop tdx_page_accept(const struct tdx_ops *o, uint64_t gpa, bool large);

/* Makes [from, to), page aligned and shared, private again; it must be accepted after. The host may
 * stop in between; the call is repeated from where it says, as long as that makes sense. */
enum fw_stop tdvmcall_map_private(const struct tdx_ops *o, uint64_t from, uint64_t to);

/* A 32-bit access to a device's registers. *out is the host's claim, as from any device. */
enum fw_stop tdvmcall_mmio_read(const struct tdx_ops *o, uint64_t gpa, uint32_t *out);
enum fw_stop tdvmcall_mmio_write(const struct tdx_ops *o, uint64_t gpa, uint32_t value);

/* A 32-bit OUT. */
enum fw_stop tdvmcall_port_write(const struct tdx_ops *o, uint16_t port, uint32_t value);

#endif
