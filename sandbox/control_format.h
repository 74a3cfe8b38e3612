/* The control socket of a running VM: docs/PROTOCOL.control. */
#ifndef PAVISE_SANDBOX_CONTROL_FORMAT_H
#define PAVISE_SANDBOX_CONTROL_FORMAT_H

#include <stdint.h>

#define CONTROL_MAGIC 0x314C5650u /* "PVL1" */
#define CONTROL_SOCKET "control.sock"

enum control_type {
	CONTROL_ATTEST_CHANNEL = 1, /* OK carries the agent channel: leased to this connection */
	CONTROL_STOP = 2,           /* OK at once; the connection closes when all is cleaned up */
	CONTROL_STATUS = 3,         /* OK: a = enum control_phase, b: CONTROL_ISOLATION */
	CONTROL_DESCRIBE = 4,       /* OK: a = bytes of JSON behind the record */
	CONTROL_OK = 0x101,         /* answers */
	CONTROL_BUSY = 0x102,       /* the agent channel is leased to another connection */
	CONTROL_NOT_READY = 0x103,  /* the guest does not run yet, or not any more */
	CONTROL_BAD = 0x104,        /* malformed request; the connection closes */
};

enum control_phase { CONTROL_STARTING = 1, CONTROL_RUNNING = 2 };
enum control_isolation { CONTROL_REQUIRED = 1, CONTROL_DEGRADED = 2 };

/* In b: the kind in the low byte, enum isolation_missing (common/isolation.h) in the next. */
#define CONTROL_ISOLATION(kind, missing) ((uint32_t)(kind) | (uint32_t)(missing) << 8)
#define CONTROL_ISOLATION_KIND(b) ((b) & 0xFFu)
#define CONTROL_ISOLATION_MISSING(b) ((b) >> 8 & 0xFFu)

#define CONTROL_TEXT_MAX 65536u /* bytes of a description */

struct control_record {
	uint32_t magic;
	uint32_t type; /* enum control_type */
	uint32_t a, b;
};
_Static_assert(sizeof(struct control_record) == 16, "control record");

#endif
