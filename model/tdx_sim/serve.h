/* The process around the module: the model's connection, the socket of the quote generation
 * service with one connection at a time, the launcher's control channel. */
#ifndef PAVISE_MODEL_TDX_SIM_SERVE_H
#define PAVISE_MODEL_TDX_SIM_SERVE_H

#include "common/err.h"
#include "model/tdx_sim/module.h"

#define QGS_WAIT_MS 5000 /* a connection that says nothing for so long is closed */

struct tdx_serve {
	struct tdx_sim *sim;
	int psp;      /* SOCK_SEQPACKET, connected */
	int listener; /* SOCK_STREAM, listening */
	int control;  /* SOCK_SEQPACKET; -1: none, ends with the model's connection */
};

/* Serves until RECORD_STOP or the launcher goes; the caller is sealed already, RECORD_SEAL is only
 * answered. A closed connection of the model is waited out. Whatever a peer of the listener does costs it its own connection only.
 * -EX_MALFORMED: broken framing of the model; -EX_INTERNAL, -EX_HOST. */
int tdx_serve(const struct tdx_serve *s, struct err *e);

#endif
