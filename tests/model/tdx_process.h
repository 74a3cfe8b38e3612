/* The real pavise-tdx-sim for tests, with a platform of its own in a temporary folder. */
#ifndef PAVISE_TESTS_TDX_PROCESS_H
#define PAVISE_TESTS_TDX_PROCESS_H

#include "model/tdx_wire.h"

#include <sys/types.h>

struct tdx_process {
	char folder[64];
	pid_t pid;
	int control; /* ours; it ends when this closes */
	int log;
	pid_t quote_pid; /* pavise-quote, when tdx_quote_start started it */
	int quote_control;
};

/* Makes the platform, once for all runs. 0 or -1. */
int tdx_platform_make(struct tdx_process *p);
/* Starts it; the other end of its socket for one VM, or -1. Its quote service listens at
 * folder/qgs. */
int tdx_start(struct tdx_process *p);
/* Starts pavise-quote before the running platform's quote service, and seals both; the VMM's end of
 * its channel, or -1. */
int tdx_quote_start(struct tdx_process *p);
/* On the VMM's end of the socket, when no VMM uses it any more. 0 or -1. */
int tdx_read_registers(int fd, struct tdx_registers *out);
void tdx_stop(struct tdx_process *p);
void tdx_platform_remove(struct tdx_process *p);

#endif
