#include "attest/eventlog/report.h"

#include <string.h>

/* A CC log has SHA-384 alone and never extends register 0, which is MRTD, nor one above 4; a TPM's
 * log begins with PCR 0. */
static enum registers registers_of(const struct summary *s)
{
	bool lone = s->log.crypto_agile && s->log.alg_count == 1 &&
		    s->log.algs[0].alg == TPM_ALG_SHA384;
	uint32_t touched = s->replay[0].touched;

	return lone && touched != 0 && (touched & ~0x1Eu) == 0 ? REGISTERS_RTMR : REGISTERS_PCR;
}

static void count_events(struct summary *s)
{
	struct eventlog log = s->log;
	struct event ev;
	struct err e = { 0 };

	while (eventlog_next(&log, &ev, &e) > 0)
		s->events++;
	s->tail = log.tail;
	if (s->tail.kind == EVENTLOG_END_OPAQUE)
		memcpy(s->tail_cause, e.text, sizeof(e.text));
}

int summary_make(const void *data, size_t size, struct summary *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->data = data;
	out->size = size;
	int r = eventlog_open(data, size, &out->log, e);
	for (uint32_t i = 0; r == 0 && i < out->log.alg_count; i++) {
		uint16_t alg = out->log.algs[i].alg;
		out->known[i] = tpm_alg_size(alg) != 0;
		if (out->known[i])
			r = eventlog_replay_known(data, size, alg, &out->replay[i], e);
	}
	if (r < 0)
		return r;
	count_events(out);
	out->registers = registers_of(out);
	out->secure_boot =
		eventlog_secure_boot(data, size, out->registers == REGISTERS_RTMR ? 1 : 7);
	return 0;
}

const char *bank_name(uint16_t alg, char out[16])
{
	const char *name = tpm_alg_name(alg);

	if (name != NULL)
		snprintf(out, 16, "%s", name);
	else
		snprintf(out, 16, "0x%04x", alg);
	return out;
}

const char *register_name(enum registers kind, uint32_t index, char out[24])
{
	if (index == EVENTLOG_NO_REGISTER)
		snprintf(out, 24, "none");
	else if (kind == REGISTERS_PCR)
		snprintf(out, 24, "PCR %u", index);
	else if (index == 0)
		snprintf(out, 24, "MRTD");
	else
		snprintf(out, 24, "RTMR%u", index - 1);
	return out;
}

const char *end_name(enum eventlog_end kind)
{
	static const char *const names[] = { "exact", "zeros", "ones", "opaque" };

	return names[kind];
}

const char *secure_boot_name(enum secure_boot s)
{
	static const char *const names[] = { "unknown", "off", "on" };

	return names[s];
}
