/* The real pavise-psp-sim for tests, with a chip of its own in a temporary folder. */
#ifndef PAVISE_TESTS_PSP_PROCESS_H
#define PAVISE_TESTS_PSP_PROCESS_H

#include <sys/types.h>

struct psp_process {
	char folder[64];
	pid_t pid;
	int control; /* ours; it ends when this closes */
	int log;
};

/* Makes the chip, once for all runs. 0 or -1. */
int psp_chip_make(struct psp_process *p);
/* Starts it; the other end of its socket for one VM, or -1. */
int psp_start(struct psp_process *p);
void psp_stop(struct psp_process *p);
void psp_chip_remove(struct psp_process *p);

#endif
