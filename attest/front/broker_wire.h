/* Between the front (network, no rights) and its parent (rights, no network): one SOCK_SEQPACKET
 * socketpair. The parent takes the front for taken over: a name is checked, leases are bounded, and
 * nothing but the channel of a running VM ever goes to the front. */
#ifndef PAVISE_ATTEST_FRONT_BROKER_WIRE_H
#define PAVISE_ATTEST_FRONT_BROKER_WIRE_H

#include <stdint.h>

#define BROKER_MAGIC 0x31425650u /* "PVB1" */
#define BROKER_NAME_SIZE 36u	 /* a VM's name with its NUL (sandbox/names.h) */

enum broker_request_type {
	BROKER_READY = 1, /* the front is sealed and serves; no answer */
	BROKER_OPEN = 2,  /* lease the agent channel of the VM `name` */
	BROKER_CLOSE = 3, /* the lease `id` is over; no answer */
};

struct broker_request {
	uint32_t magic, type, id;
	char name[BROKER_NAME_SIZE];
};
_Static_assert(sizeof(struct broker_request) == 48, "broker request");

enum broker_result {
	BROKER_OK = 0,	    /* the channel's descriptor comes with it */
	BROKER_NO_VM = 1,   /* no VM of that name runs */
	BROKER_BUSY = 2,    /* it does not run yet, or another asks it just now */
	BROKER_FAILED = 3,  /* the host's fault: the parent's log says which */
};

struct broker_answer {
	uint32_t magic, id;
	uint32_t result;   /* enum broker_result */
	uint32_t degraded; /* 1: the VM runs with degraded isolation */
	uint32_t missing;  /* and lacks these defences: common/isolation.h */
};
_Static_assert(sizeof(struct broker_answer) == 20, "broker answer");

#endif
