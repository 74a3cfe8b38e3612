/* The process around the machine: one connection, one control channel, sealed on request. */
#ifndef PAVISE_MODEL_PSP_SERVE_H
#define PAVISE_MODEL_PSP_SERVE_H

#include "common/err.h"
#include "model/psp/machine.h"

/* Takes one message from fd and answers it. 1: answered; 0: the peer closed. -EX_MALFORMED: broken
 * framing; -EX_INTERNAL. */
int serve_message(struct psp *p, int fd, struct err *e);

/* Serves until RECORD_STOP or the launcher goes; the caller is sealed already, RECORD_SEAL is only
 * answered. A closed guest connection is waited out. control -1: none, ends with the connection. */
int serve(struct psp *p, int fd, int control, struct err *e);

#endif
