/* What the TDX part does to the processor, as one function: the image binds it to TDCALL (tdx.c),
 * tests and fuzzers to a scripted or hostile module and host. So the protocol files (tdcall.c,
 * accept_tdx.c) are pure and run hosted. */
#ifndef PAVISE_FIRMWARE_TDX_OPS_H
#define PAVISE_FIRMWARE_TDX_OPS_H

#include <stdint.h>

/* The registers a TDCALL takes and gives back, but RAX (TDX module ABI, "TDCALL"). No other is
 * ever named in the mask of a TDG.VP.VMCALL. Offsets: tdx_insn.S. */
struct tdx_regs {
	uint64_t rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

struct tdx_ops {
	void *ctx;
	/* TDCALL with RAX = leaf. Returns RAX; *r is what the registers hold then. */
	uint64_t (*call)(void *ctx, uint64_t leaf, struct tdx_regs *r);
};

#endif
