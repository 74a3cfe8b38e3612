/* Reports from the platform model, through its ports. */
#ifndef PAVISE_MODEL_AGENT_TEE_SIM_H
#define PAVISE_MODEL_AGENT_TEE_SIM_H

#include "attest/agent/tee.h"

/* Access to ports, as the processor's IN and OUT of 32 bits. */
struct sim_ports {
	uint32_t (*in)(uint16_t port);
	void (*out)(uint16_t port, uint32_t value);
};

/* One exchange. -EX_GUEST. */
int sim_report(const struct sim_ports *ports, const uint8_t data[TEE_DATA],
	       struct tee_report *out, struct err *e);

#endif
