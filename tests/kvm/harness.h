/* A launcher without walls, for tests: makes a plan around a tiny guest, starts the real
 * pavise-vmm with real descriptors, speaks common/record.h with it, collects what it left.
 * Programs are looked for in $PAVISE_BUILD (build when unset). Prints TAP.
 *
 *   harness_init(&h, "virtio");                  // tests/guests/virtio
 *   harness_add_device(&h, "blk", my_end);       // optional: vhost-user socket for dev=
 *   harness_run(&h);                             // start, seal, go, wait for the end
 *   tap_ok(h.end == VM_END_POWER_OFF, "...");
 *   harness_free(&h);
 *
 * A harness lives on the heap or is static: it is large. */
#ifndef PAVISE_TESTS_KVM_HARNESS_H
#define PAVISE_TESTS_KVM_HARNESS_H

#include "common/plan.h"
#include "common/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HARNESS_TEXT_MAX 65536
#define HARNESS_ARGS_MAX 40
#define HARNESS_FDS_MAX  32
#define HARNESS_TIMEOUT_MS 20000 /* for any one answer of the VMM */

/* Where tests/guests/lib/start.S puts things. */
#define GUEST_BASE  0x100000u
#define GUEST_CR3   0x110000u
#define GUEST_STACK 0x180000u

struct harness {
	/* What to start; set by harness_init, changed by tests before harness_start. */
	char guest[64];
	const char *program;      /* "pavise-vmm" */
	uint64_t memory;          /* bytes: 16 MiB */
	unsigned cpus;            /* 1 */
	struct plan plan;         /* around the guest: limits and regions may be changed */
	const void *raw_plan;     /* not NULL: these bytes instead of `plan` */
	size_t raw_plan_size;
	bool unsealed_plan, unsealed_ram;
	uint64_t ram_excess;      /* bytes of the RAM memfd beyond memory= */
	int kvm_fd;               /* /dev/kvm; -1: leave the argument out */
	int tpm_fd;               /* the VMM's end of a socketpair, or -1 */
	unsigned arg_count;       /* further arguments, added as they are */
	char arg[HARNESS_ARGS_MAX][128];

	/* The running VMM. */
	pid_t pid;
	int control, ram, log, console, error;
	unsigned fd_count;        /* descriptors that the child inherits */
	int fd[HARNESS_FDS_MAX];
	void *image;

	/* What came of it. */
	bool ready, sealed, ended; /* records seen */
	uint32_t end, detail;      /* of RECORD_EXIT; 0 when there was none */
	uint32_t moment[VM_MOMENTS]; /* by RECORD_TIMING */
	int status;                /* exit status, or -signal */
	char console_text[HARNESS_TEXT_MAX], log_text[HARNESS_TEXT_MAX];
	char error_text[HARNESS_TEXT_MAX]; /* standard error */
};

/* 0 when this machine can run guests; else *reason says why not (for a SKIP). */
int harness_usable(const char **reason);

/* Prepares a run of that guest. Ends the test program when the image is missing: a build error. */
void harness_init(struct harness *h, const char *guest);
/* Adds `dev=TYPE:FD`; the VMM's end, closed here once the VMM has it. */
void harness_add_device(struct harness *h, const char *type, int fd);
/* Adds `KEY=FD`; closed here once the VMM has it. */
void harness_add_fd(struct harness *h, const char *key, int fd);
void harness_add_arg(struct harness *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Starts the VMM and waits for RECORD_READY. 0, or -1 when it ended instead: texts and status are
 * collected then. */
int harness_start(struct harness *h);
/* RECORD_SEAL, waits for RECORD_SEALED. */
int harness_seal(struct harness *h);
int harness_send(struct harness *h, enum record_type type);
/* Waits for RECORD_EXIT and the end of the process; collects texts and status. */
int harness_finish(struct harness *h);
/* All of it: start, seal, RECORD_GO, finish. */
int harness_run(struct harness *h);
/* Kills what still runs, closes, frees. */
void harness_free(struct harness *h);

/* Reads the console so far into h->console_text, while the guest runs. */
void harness_peek(struct harness *h);

/* For a child before exec: drops every capability for good, as the launcher does. 0 or -1. */
int harness_drop_capabilities(void);

/* Does text contain part? */
bool has(const char *text, const char *part);

/* TAP. */
void tap_ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tap_skip(const char *name, const char *reason);
/* As tap_ok(false), with the three texts as comments. */
void tap_check(const struct harness *h, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int tap_done(void); /* prints the plan; the exit status of main */

#endif
