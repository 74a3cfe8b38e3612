/* The agent's ports after the fold (agent_ports.h): bytes in, bytes out. What a request is, and who
 * answers it, is the matter of the kind of guest (struct model_kind). */
#ifndef PAVISE_MODEL_REQUEST_H
#define PAVISE_MODEL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

struct model_vcpu;

#define REQUEST_MESSAGE_MAX 20480u /* bytes of a request or an answer */

/* In: the request. Out: the answer. */
struct agent_message {
	uint8_t *bytes; /* room for REQUEST_MESSAGE_MAX */
	size_t size;
};

enum agent_answer {
	AGENT_ANSWERED,
	AGENT_FAILED, /* the agent reads status 2 */
	AGENT_LATER,  /* an exit to the VMM was made of the submission; agent_poll tells */
};

/* A port exit of v: ENTER_GUEST when it was one of those; 0: it is the VMM's, or another exit was
 * made of it. */
int model_request_port(struct model_vcpu *v);

#endif
