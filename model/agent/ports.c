/* pavise-agent-sim's way to the platform model: real IN and OUT, which need root in the guest. */
#include "model/agent/tee_sim.h"
#include "model/agent_ports.h"

#include <errno.h>
#include <sys/io.h>

static uint32_t port_in(uint16_t port)
{
	return inl(port);
}

static void port_out(uint16_t port, uint32_t value)
{
	outl(value, port);
}

static const struct sim_ports ports = { .in = port_in, .out = port_out };

static int report(const struct agent_tee *t, const uint8_t data[TEE_DATA],
		  struct tee_report *out, struct err *e)
{
	return sim_report(&ports, t->kind, data, out, e);
}

int agent_tee_open(struct agent_tee *out, struct err *e)
{
	if (ioperm(AGENT_PORT_COMMAND, 8, 1) != 0)
		return err_errno(e, EX_GUEST, errno, "TEE: ports of the platform model: run the "
				 "agent as root");
	*out = (struct agent_tee){ .provider = "simulated", .report = report };
	int rc = sim_identify(&ports, &out->kind, e);
	return rc == 0 ? 1 : rc;
}
