/* The client side of a VM's control socket (docs/PROTOCOL.control), for the verbs. */
#ifndef PAVISE_CLI_CONTROL_CLIENT_H
#define PAVISE_CLI_CONTROL_CLIENT_H

#include "common/err.h"
#include "sandbox/control_format.h"

#include <stdbool.h>
#include <stddef.h>

/* Connects to the VM NAME under run_dir (NULL: /run/pavise). *fd is the caller's.
 * -EX_BUSY: no such VM. */
int control_connect(const char *run_dir, const char *name, int *fd, struct err *e);

/* Sends one request and waits for its answer, 60 s at most. *passed is the descriptor that
 * came with it, the caller's, or -1; passed may be NULL when none is due. 0 when the answer is
 * CONTROL_OK; -EX_BUSY for CONTROL_BUSY and CONTROL_NOT_READY. */
int control_ask(int fd, enum control_type type, struct control_record *answer, int *passed,
		struct err *e);

/* What an answer to CONTROL_STATUS says of isolation; missing as enum isolation_missing. Required
 * isolation that lacks something is none. */
void control_isolation(const struct control_record *answer, bool *degraded, unsigned *missing);

/* Asks for the description of the VM: JSON as the launcher wrote it (cli/status.h reads it), into
 * text, which holds CONTROL_TEXT_MAX bytes; *size of them, no NUL. As control_ask, but waits for
 * `seconds` at most. */
int control_describe(int fd, unsigned seconds, char *text, size_t *size, struct err *e);

/* Waits, seconds at most, until the launcher closes the connection: all is cleaned up. */
int control_await_close(int fd, unsigned seconds, struct err *e);

#endif
