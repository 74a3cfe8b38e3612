#include "model/agent/tee_sim.h"

#include "model/agent_ports.h"
#include "model/psp_wire.h"

#include <string.h>
#include <time.h>

#define ANSWER_MAX (sizeof(struct psp_report_answer) + PSP_CERTS_MAX)
#define TRIES 200
#define PAUSE_NS 10000000 /* 10 ms: 2 s for an answer */

static void send_request(const struct sim_ports *p, const uint8_t data[TEE_DATA])
{
	struct psp_report_request r = { .vmpl = 0 };
	uint32_t word[sizeof(r) / 4];

	memcpy(r.report_data, data, TEE_DATA);
	memcpy(word, &r, sizeof(r));
	p->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	p->out(AGENT_PORT_COMMAND, AGENT_PORT_BEGIN);
	p->out(AGENT_PORT_DATA, sizeof(r));
	for (size_t i = 0; i < sizeof(r) / 4; i++)
		p->out(AGENT_PORT_DATA, word[i]);
	p->out(AGENT_PORT_COMMAND, AGENT_PORT_SUBMIT);
}

static int await(const struct sim_ports *p, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint32_t status = AGENT_PORT_IDLE;

	for (int i = 0; i < TRIES; i++) {
		status = p->in(AGENT_PORT_COMMAND);
		if (status != AGENT_PORT_IDLE)
			break;
		nanosleep(&pause, NULL);
	}
	if (status == AGENT_PORT_READY)
		return 0;
	return err_set(e, EX_GUEST, "TEE: the platform model answers with status %u: is this guest "
		       "run with --platform sim?", status);
}

static int take_answer(const struct sim_ports *p, uint8_t *out, size_t *size, struct err *e)
{
	uint32_t n = p->in(AGENT_PORT_DATA);

	if (n < sizeof(struct psp_report_answer) || n > ANSWER_MAX)
		return err_set(e, EX_GUEST, "TEE: an answer of %u bytes from the platform "
			       "model", n);
	for (uint32_t i = 0; i < n; i += 4) {
		uint32_t word = p->in(AGENT_PORT_DATA);
		memcpy(out + i, &word, n - i < 4 ? n - i : 4);
	}
	*size = n;
	return 0;
}

int sim_report(const struct sim_ports *ports, const uint8_t data[TEE_DATA],
	       struct tee_report *out, struct err *e)
{
	static uint8_t answer[ANSWER_MAX];
	struct psp_report_answer a;
	size_t size = 0;

	send_request(ports, data);
	int rc = await(ports, e);
	if (rc == 0)
		rc = take_answer(ports, answer, &size, e);
	ports->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	if (rc != 0)
		return rc;
	memcpy(&a, answer, sizeof(a));
	if (a.status != PSP_SUCCESS)
		return err_set(e, EX_GUEST, "TEE: the simulated firmware refuses a report with "
			       "status 0x%x", a.status);
	if (a.certs_size != size - sizeof(a) || a.certs_size > sizeof(out->certs))
		return err_set(e, EX_GUEST, "TEE: %u bytes of certificates in an answer of %zu",
			       a.certs_size, size);
	if ((rc = tee_check_report(a.report, a.report_size, data, e)) != 0)
		return rc;
	memcpy(out->report, a.report, sizeof(a.report));
	memcpy(out->certs, answer + sizeof(a), a.certs_size);
	out->certs_size = a.certs_size;
	return 0;
}
