/* Reports from the platform model, through its ports. */
#ifndef PAVISE_MODEL_AGENT_TEE_SIM_H
#define PAVISE_MODEL_AGENT_TEE_SIM_H

#include "attest/agent/tee.h"

/* Access to ports, as the processor's IN and OUT of 32 bits. */
struct sim_ports {
	uint32_t (*in)(uint16_t port);
	void (*out)(uint16_t port, uint32_t value);
};

/* What kind of guest the model makes of this one. -EX_GUEST: none that reports. */
int sim_identify(const struct sim_ports *ports, enum tee_kind *kind, struct err *e);

/* One exchange, as a guest of that kind has it. -EX_GUEST. */
int sim_report(const struct sim_ports *ports, enum tee_kind kind, const uint8_t data[TEE_DATA],
	       struct tee_report *out, struct err *e);

#endif
