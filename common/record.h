/* Fixed-size records between the launcher and its children, over a SOCK_SEQPACKET socketpair
 * made before the child is sealed. The launcher takes what a child says as a claim: it is
 * bounded and checked here, and never trusted beyond the child's own VM. */
#ifndef PAVISE_COMMON_RECORD_H
#define PAVISE_COMMON_RECORD_H

#include "common/err.h"

#include <stdint.h>

#define RECORD_MAGIC 0x31435650u /* "PVC1" */

enum record_type {
	RECORD_READY = 1,  /* child: everything open, not yet sealed (a device: handshake done) */
	RECORD_SEAL = 2,   /* launcher: nothing more will be passed, seal now */
	RECORD_SEALED = 3, /* child: sealed */
	RECORD_GO = 4,     /* launcher to VMM: run the guest */
	RECORD_STOP = 5,   /* launcher: end in order */
	RECORD_EXIT = 6,   /* VMM: the guest ended; a = enum vm_end, b = its detail */
	RECORD_TIMING = 7, /* VMM, before RECORD_EXIT: a = enum vm_moment, b = microseconds since the
			    * process began (at most UINT32_MAX: longer ago), or a number */
};

/* In the order they come; one that never came is not sent. */
enum vm_moment {
	VM_MOMENT_MADE = 1,        /* VM, devices and vCPUs exist */
	VM_MOMENT_LOADED = 2,      /* the plan is in memory, measured */
	VM_MOMENT_RUNS = 3,        /* the first KVM_RUN is next */
	VM_MOMENT_HANDED_OVER = 4, /* the firmware's word for it came */
	VM_MOMENT_ENDED = 5,
	VM_MOMENT_PAGES = 6,       /* no moment: pages the launch added, private and encrypted */
	VM_MOMENTS = 7,
};

enum vm_end {
	VM_END_POWER_OFF = 1,
	VM_END_RESET = 2,          /* the guest asked for a reset; a VM is never reset in place */
	VM_END_TRIPLE_FAULT = 3,
	VM_END_FIRMWARE_STOP = 4,  /* b = enum fw_stop */
	VM_END_KVM_ERROR = 5,      /* b = KVM exit reason or errno */
	VM_END_STOPPED = 6,        /* by RECORD_STOP */
	VM_END_TERMINATED = 7,     /* a confidential guest ended itself; b = set << 8 | reason */
	VM_END_MEMORY_FAULT = 8,   /* it used a page as it may not; b = low 32 bits of its number */
};

struct record {
	uint32_t magic;
	uint32_t type;  /* enum record_type */
	uint32_t a, b;
};

/* Sends one record on fd, waiting while the socket is full. 0 or -EX_INTERNAL. */
int record_send(int fd, enum record_type type, uint32_t a, uint32_t b, struct err *e);

/* Waits for one record and checks size, magic, type and that no descriptor came with it.
 * 1: got one; 0: the peer closed; negative: -EX_INTERNAL (who = name for the text). */
int record_receive(int fd, const char *who, struct record *out, struct err *e);

#endif
