/* Virtual machines of the suite: how they are set up, started, with a fault or without, and end. */
#ifndef PAVISE_TESTS_CRASH_VM_H
#define PAVISE_TESTS_CRASH_VM_H

#include "tests/crash/fault.h"
#include "tests/crash/leaks.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SETUP_ARGS 12

/* What the suite works with. */
struct scene {
	const char *launcher;  /* with fault points */
	const char *plain;     /* the real one */
	const char *inputs;    /* plans, keys and folders of programs (inputs.sh) */
	const char *disks;     /* folder of the two images */
	bool required;         /* isolation, in the lab; else degraded */
	bool reclaims;         /* the launcher knows --reclaim */
	char work[64];         /* a folder, for what the suite writes itself */
	struct place place;
};

enum stop { STOP_BY_ITSELF, STOP_BY_SOCKET, STOP_BY_SIGNAL };

/* One kind of VM. Its programs are stand-ins (tests/sandbox/dummy_child.c), the real ones around a
 * tiny guest, or those of a folder that lacks the VMM. */
struct setup {
	const char *title;
	const char *name;     /* the VM's, which tells a stand-in what to do */
	const char *plan;     /* file of the inputs */
	const char *programs; /* folder of the inputs */
	enum stop stop;
	bool after_a_crash;   /* it finds what a launcher left that was killed as it ran */
	bool name_taken;      /* it finds a folder of its name */
	bool reclaim;         /* no VM: --reclaim alone */
	int status;           /* it ends with, undisturbed */
	const char *args[SETUP_ARGS]; /* beyond those that every VM has */
};

extern const struct setup setups[];
extern const unsigned setup_count;
extern const struct setup next_setup; /* another VM: the next command */

#define OUTPUT_SIZE 4096

struct outcome {
	int status; /* of waitpid; -1: it did not end in time and was killed */
	bool hit;   /* the fault came about */
	char output[OUTPUT_SIZE];
};

/* Starts `launcher` as this setup says under `name`; fault as in fault.h, NULL: none. What it says
 * goes to the file NAME.err in the work folder. Its pid. */
pid_t vm_start(const struct scene *s, const struct setup *setup, const char *launcher,
	       const char *name, const char *fault);

/* Waits, ms at most, until NAME.err says that the VM runs, or its launcher ends: true then, and its
 * status in *status. */
bool vm_await_running(const struct scene *s, const char *name, pid_t pid, int ms, int *status);

/* Starts, stops it as the setup says once it runs, waits for its end. */
void vm_run(const struct scene *s, const struct setup *setup, const char *fault,
	    struct outcome *out);

/* The points that an undisturbed run passes, in order. Their number, or -1. */
int vm_record(const struct scene *s, const struct setup *setup, struct passage *out, int most);

/* `pavise-launch --reclaim`. */
void vm_reclaim(const struct scene *s, struct outcome *out);

#endif
