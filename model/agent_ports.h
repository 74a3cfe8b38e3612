/* The ports through which a guest on the platform model asks for a report. The folded kernel has no
 * driver of its own for the secure processor, so pavise-agent-sim does what the driver would.
 *
 *   write PORT_COMMAND 1   begin: then write PORT_DATA the size in bytes, then the bytes in words
 *   write PORT_COMMAND 2   submit
 *   read  PORT_COMMAND     0 idle, 1 an answer is ready, 2 error
 *   read  PORT_DATA        the answer's size in bytes, then its bytes in words
 *   write PORT_COMMAND 3   reset
 *   write PORT_COMMAND 4   identify: the answer is the kind of guest, enum plan_tee
 *
 * Words are 32 bits, little endian, the last one padded with zeros. The bytes are struct
 * psp_report_request and struct psp_report_answer (model/psp_wire.h), in a trust domain struct
 * tdx_quote_request and struct tdx_quote_answer (model/tdx_wire.h). */
#ifndef PAVISE_MODEL_AGENT_PORTS_H
#define PAVISE_MODEL_AGENT_PORTS_H

#define AGENT_PORT_COMMAND 0x5e0u
#define AGENT_PORT_DATA 0x5e4u

enum agent_port_command {
	AGENT_PORT_BEGIN = 1,
	AGENT_PORT_SUBMIT = 2,
	AGENT_PORT_RESET = 3,
	AGENT_PORT_IDENTIFY = 4, /* the answer is 4 bytes: enum plan_tee */
};
enum agent_port_status { AGENT_PORT_IDLE = 0, AGENT_PORT_READY = 1, AGENT_PORT_ERROR = 2 };

#endif
