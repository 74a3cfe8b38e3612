/* One configuration of a confidential guest, twice: what `pavise measure snp` or `pavise measure
 * tdx` says of its files, and what the simulated processor says after pavise-vmm-sim has launched
 * its plan. */
#ifndef PAVISE_TESTS_MODEL_LAUNCH_ONE_H
#define PAVISE_TESTS_MODEL_LAUNCH_ONE_H

#include "attest/measure/snp/plan.h"
#include "model/psp_wire.h"
#include "model/tdx_wire.h"
#include "tests/kvm/harness.h"
#include "tests/model/id_auth.h"
#include "tests/model/psp_process.h"

#include <stdbool.h>
#include <stdint.h>

#define LAUNCH_MR 48u    /* a launch digest, MRTD, an RTMR, an MR… of the owner */
#define LAUNCH_RTMRS 2u  /* the firmware's: RTMR 0 and 1 */

enum launch_tee { LAUNCH_SNP, LAUNCH_TDX };

/* Seeds are the first byte of a value whose other bytes count up; 0: all of it is zero. */
struct launch_config {
	enum launch_tee tee;
	unsigned cpus;
	unsigned max_cpus;     /* 0: the option is not given */
	unsigned memory;       /* MiB */
	const char *kernel;    /* in the folder of guests; NULL: fakekernel.bin */
	unsigned initrd;       /* bytes; 0: none */
	const char *append;    /* command line; NULL: the option is not given */
	const char *fault;     /* of vmm-fault (fault/fault.c), which is then the VMM; NULL: none */
	/* SEV-SNP */
	uint64_t policy;       /* 0: the option is not given */
	uint8_t host_data;     /* seed */
	bool id_block, author; /* author: of the ID block, signs the owner's key */
	/* TDX */
	uint64_t xfam;         /* 0: the option is not given */
	uint8_t mrconfigid, mrowner, mrownerconfig; /* seeds */
};

struct launch {
	struct launch_config config; /* a control changes it between prediction and launch */
	const char *folder;    /* for the files, borrowed */
	char plan[128];        /* what is launched: FOLDER/plan */
	uint8_t predicted[LAUNCH_MR]; /* launch digest or MRTD */
	uint8_t predicted_rtmr[LAUNCH_RTMRS][LAUNCH_MR];
	uint8_t host_data[32], id_block[ID_BLOCK_SIZE], id_auth[ID_AUTH_SIZE];
	struct harness h;
	bool executed;         /* h is in use */
	bool reported;         /* there is a report */
	uint8_t report[PSP_REPORT_SIZE];
	uint8_t td_report[TDX_WIRE_REPORT_SIZE];
};

/* What is asked for predictions; NULL: build/bin/pavise. */
extern const char *launch_pavise;

/* The program or file NAME of the build folder; valid until four calls later. */
const char *launch_in_build(const char *name);
/* Runs a program with its output to the file `out`; its exit status, or -1. */
int launch_run(const char *const *arg, const char *out);
/* A value of that seed. */
void launch_fill(uint8_t *out, size_t size, uint8_t seed);

/* Makes the initrd, runs `pavise measure`, signs its ID block. 0, or -1 and says why. */
int launch_predict(struct launch *l, const struct launch_config *c, const char *folder);

/* Prepares l->h for the plan, whose bytes it returns (malloc); NULL and says why. */
void *launch_prepare(struct launch *l);

/* Launches l->plan on the chip, waits for the guest's end, then asks for the guest's report over
 * the connection that its VMM had. launch_end frees the harness, whose texts stay. */
void launch_execute(struct launch *l, struct psp_process *chip);
void launch_end(struct launch *l);

#endif
