#include "model/agent/tee_sim.h"

#include "common/plan.h"
#include "model/agent_ports.h"
#include "model/psp_wire.h"
#include "model/tdx_wire.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX (sizeof(struct psp_report_answer) + TEE_QUOTE_MAX)
#define PAUSE_NS 10000000 /* 10 ms */
#define TRIES_MODEL 200   /* 2 s: what the model itself answers */
#define TRIES_QUOTE 6000  /* a minute: what goes through a quote generation service */

_Static_assert(PSP_CERTS_MAX <= TEE_QUOTE_MAX, "room for certificates as for a quote");

static void send_request(const struct sim_ports *p, const void *request, uint32_t size)
{
	const uint8_t *bytes = request;

	p->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	p->out(AGENT_PORT_COMMAND, AGENT_PORT_BEGIN);
	p->out(AGENT_PORT_DATA, size);
	for (uint32_t i = 0; i < size; i += 4) {
		uint32_t word = 0;

		memcpy(&word, bytes + i, size - i < 4 ? size - i : 4);
		p->out(AGENT_PORT_DATA, word);
	}
	p->out(AGENT_PORT_COMMAND, AGENT_PORT_SUBMIT);
}

static int await(const struct sim_ports *p, unsigned tries, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint32_t status = AGENT_PORT_IDLE;

	for (unsigned i = 0; i < tries; i++) {
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

/* At least `least` bytes, at most max. */
static int take_answer(const struct sim_ports *p, uint32_t least, uint32_t max, uint8_t *out,
		       size_t *size, struct err *e)
{
	uint32_t n = p->in(AGENT_PORT_DATA);

	if (n < least || n > max)
		return err_set(e, EX_GUEST, "TEE: an answer of %u bytes from the platform "
			       "model", n);
	for (uint32_t i = 0; i < n; i += 4) {
		uint32_t word = p->in(AGENT_PORT_DATA);
		memcpy(out + i, &word, n - i < 4 ? n - i : 4);
	}
	*size = n;
	return 0;
}

int sim_identify(const struct sim_ports *ports, enum tee_kind *kind, struct err *e)
{
	uint32_t tee = 0;
	size_t size = 0;

	ports->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	ports->out(AGENT_PORT_COMMAND, AGENT_PORT_IDENTIFY);
	int rc = await(ports, TRIES_MODEL, e);
	if (rc == 0)
		rc = take_answer(ports, sizeof(tee), sizeof(tee), (uint8_t *)&tee, &size, e);
	ports->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	if (rc != 0)
		return rc;
	if (tee != PLAN_TEE_SNP && tee != PLAN_TEE_TDX)
		return err_set(e, EX_GUEST, "TEE: the platform model calls this guest kind %u",
			       tee);
	*kind = tee == PLAN_TEE_TDX ? TEE_TDX : TEE_SNP;
	return 0;
}

static int snp_report(const uint8_t *answer, size_t size, struct tee_report *out, struct err *e)
{
	struct psp_report_answer a;

	memcpy(&a, answer, sizeof(a));
	if (a.status != PSP_SUCCESS)
		return err_set(e, EX_GUEST, "TEE: the simulated firmware refuses a report with "
			       "status 0x%x", a.status);
	if (a.certs_size != size - sizeof(a) || a.certs_size > sizeof(out->certs) ||
	    a.report_size != sizeof(a.report))
		return err_set(e, EX_GUEST, "TEE: a report of %u bytes and %u bytes of "
			       "certificates in an answer of %zu", a.report_size, a.certs_size,
			       size);
	memcpy(out->report, a.report, sizeof(a.report));
	out->size = sizeof(a.report);
	memcpy(out->certs, answer + sizeof(a), a.certs_size);
	out->certs_size = a.certs_size;
	return 0;
}

static int tdx_quote(const uint8_t *answer, size_t size, struct tee_report *out, struct err *e)
{
	struct tdx_quote_answer a;

	memcpy(&a, answer, sizeof(a));
	if (a.status != 0)
		return err_set(e, EX_GUEST, "TEE: the simulated TDX platform gives no quote, "
			       "status 0x%x: see the log of its quote service", a.status);
	if (a.size != size - sizeof(a) || a.size > sizeof(out->report))
		return err_set(e, EX_GUEST, "TEE: a quote of %u bytes in an answer of %zu", a.size,
			       size);
	memcpy(out->report, answer + sizeof(a), a.size);
	out->size = a.size;
	out->certs_size = 0;
	return 0;
}

int sim_report(const struct sim_ports *ports, enum tee_kind kind, const uint8_t data[TEE_DATA],
	       struct tee_report *out, struct err *e)
{
	static uint8_t answer[ANSWER_MAX];
	struct psp_report_request snp = { .vmpl = 0 };
	struct tdx_quote_request tdx;
	const bool is_tdx = kind == TEE_TDX;
	size_t size = 0;

	memcpy(snp.report_data, data, TEE_DATA);
	memcpy(tdx.report_data, data, TEE_DATA);
	if (is_tdx)
		send_request(ports, &tdx, sizeof(tdx));
	else
		send_request(ports, &snp, sizeof(snp));
	int rc = await(ports, is_tdx ? TRIES_QUOTE : TRIES_MODEL, e);
	if (rc == 0)
		rc = take_answer(ports, is_tdx ? sizeof(struct tdx_quote_answer)
					       : sizeof(struct psp_report_answer),
				 sizeof(answer), answer, &size, e);
	ports->out(AGENT_PORT_COMMAND, AGENT_PORT_RESET);
	if (rc == 0)
		rc = is_tdx ? tdx_quote(answer, size, out, e) : snp_report(answer, size, out, e);
	return rc == 0 ? tee_check_report(kind, out->report, out->size, data, e) : rc;
}
