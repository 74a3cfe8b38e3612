/* TDX module and host as a trust domain sees them, for tests of the TDX image and of its protocol
 * files: states of pages as the module keeps them, honest answers, and hooks that turn any answer
 * into a lie. */
#ifndef PAVISE_TESTS_TDX_MACHINE_H
#define PAVISE_TESTS_TDX_MACHINE_H

#include "firmware/layout.h"
#include "firmware/tdcall.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDX_MACHINE_MEMORY (192ull << 20)
#define TDX_MACHINE_PAGES  (TDX_MACHINE_MEMORY / FW_PAGE)
#define TDX_MACHINE_JUNK   0xA5A5A5A5A5A5A5A5ull
#define TDVMCALL_REPORT_FATAL_ERROR 0x10003u

struct tdx_machine {
	struct tdx_ops ops;
	uint64_t attributes, gpaw;
	bool small_backing;      /* every 2 MiB page is a size mismatch */
	uint64_t map_limit;      /* bytes that one MapGPA changes; 0: all */
	uint8_t *memory;         /* private, TDX_MACHINE_MEMORY bytes; NULL: none stands behind */

	/* Lies, after the honest work; NULL: none. host_lie may change what a TDG.VP.VMCALL gives
	 * back, of the exposed registers alone; module_lie the status of the other calls. */
	void (*host_lie)(struct tdx_machine *m, uint64_t function, struct tdx_regs *r);
	uint64_t (*module_lie)(struct tdx_machine *m, uint64_t leaf, uint64_t rcx, uint64_t honest);
	uint64_t lie;            /* for the hooks */

	/* Devices, 32-bit registers; NULL: all ones, as where nothing is. */
	uint32_t (*mmio)(struct tdx_machine *m, uint64_t gpa, bool write, uint32_t value);

	const char *fault;       /* the first mistake of the asking side */
	bool fatal;
	uint64_t fatal_code;     /* R12 of ReportFatalError */
	uint64_t port, port_value;
	unsigned vmcalls, map_calls, accepts, extends;
	uint8_t rtmr[4][48];     /* with memory only */
	uint8_t is_private[TDX_MACHINE_PAGES], accepted[TDX_MACHINE_PAGES];
};

/* Honest, all memory private and none accepted. */
void tdx_machine_init(struct tdx_machine *m);
/* The host shares [from, to), and its contents are not the module's business. */
void tdx_machine_share(struct tdx_machine *m, uint64_t from, uint64_t to);

#endif
