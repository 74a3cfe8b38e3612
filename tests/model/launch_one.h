/* One configuration of an SEV-SNP guest, twice: what `pavise measure snp` says of its files, and
 * what the simulated secure processor says after pavise-vmm-sim has launched its plan. */
#ifndef PAVISE_TESTS_MODEL_LAUNCH_ONE_H
#define PAVISE_TESTS_MODEL_LAUNCH_ONE_H

#include "attest/measure/snp/plan.h"
#include "model/psp_wire.h"
#include "tests/kvm/harness.h"
#include "tests/model/id_auth.h"
#include "tests/model/psp_process.h"

#include <stdbool.h>
#include <stdint.h>

struct launch_config {
	unsigned cpus;
	unsigned memory;       /* MiB */
	unsigned initrd;       /* bytes; 0: none */
	const char *append;    /* command line; NULL: the option is not given */
	uint64_t policy;       /* 0: the option is not given */
	uint8_t host_data;     /* its first byte, the rest counts up; 0: all zero */
	bool id_block;
};

struct launch {
	struct launch_config config;
	const char *folder;    /* for the files, borrowed */
	char plan[128];        /* what is launched: FOLDER/plan, changed by the control */
	uint8_t predicted[SNP_DIGEST_SIZE];
	uint8_t host_data[32], id_block[ID_BLOCK_SIZE], id_auth[ID_AUTH_SIZE];
	struct harness h;
	bool executed;         /* h is in use */
	bool reported;         /* there is a report */
	uint8_t report[PSP_REPORT_SIZE];
};

/* What is asked for predictions; NULL: build/bin/pavise. */
extern const char *launch_pavise;

/* The program or file NAME of the build folder; valid until four calls later. */
const char *launch_in_build(const char *name);
/* Runs a program with its output to the file `out`; its exit status, or -1. */
int launch_run(const char *const *arg, const char *out);

/* Makes the initrd, runs `pavise measure snp`, signs its ID block. 0, or -1 and says why. */
int launch_predict(struct launch *l, const struct launch_config *c, const char *folder);

/* Launches l->plan on the chip, waits for the guest's end, then asks for the guest's report over
 * the connection that its VMM had. launch_end frees the harness, whose texts stay. */
void launch_execute(struct launch *l, struct psp_process *chip);
void launch_end(struct launch *l);

#endif
