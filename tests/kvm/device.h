/* A pavise-dev process for tests of the VMM with a real back end: the launcher's part, without
 * walls. The device side of tests/kvm/harness.h. */
#ifndef PAVISE_TESTS_KVM_DEVICE_H
#define PAVISE_TESTS_KVM_DEVICE_H

#include "tests/kvm/harness.h"

struct device {
	pid_t pid;
	int control, log;
	int backing; /* the disk; for vsock the host's end of the channel */
	char log_text[HARNESS_TEXT_MAX];
};

/* Starts `pavise-dev blk` on a memfd disk of `sectors` sectors, each filled with "sector N" and
 * dots, and adds its socket to h. */
void device_start_disk(struct device *d, struct harness *h, unsigned sectors);
/* Starts `pavise-dev vsock` with this guest CID and host port. */
void device_start_vsock(struct device *d, struct harness *h, unsigned cid, unsigned port);
/* Waits for READY, seals it. 0, or -1 when it ended instead. */
int device_seal(struct device *d);
/* Everything in the launcher's order: VMM ready, device ready, both sealed, GO. 0 or -1. */
int device_go(struct device *d, struct harness *h);
/* Ends the process now. */
void device_kill(struct device *d);
/* device_kill, collects the log, closes. */
void device_free(struct device *d);

#endif
