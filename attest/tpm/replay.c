/* What a log's digests lead to. Meaning plays no part, but for the one event that says with which
 * value PCR 0 began. */
#include "attest/tpm/eventlog.h"

#include <string.h>

#define STARTUP_LOCALITY "StartupLocality"
#define LOCALITY_AT 16u /* bytes of the signature */

struct state {
	uint16_t alg;
	bool locality_seen;
	struct replay *out;
};

static int bad(const struct event *ev, const char *cause, struct err *e)
{
	return err_set(e, EX_MALFORMED, "event log: event %u at offset %zu: %s", ev->index,
		       ev->offset, cause);
}

/* PFP §10.4.5.3: the locality that started the TPM is PCR 0's first value. */
static int take_locality(const struct event *ev, struct state *s, struct err *e)
{
	if (ev->size != LOCALITY_AT + 1 || ev->pcr != 0)
		return bad(ev, "StartupLocality of the wrong form", e);
	uint8_t locality = ev->data[LOCALITY_AT];
	if (s->locality_seen || (s->out->touched & 1) != 0)
		return bad(ev, "StartupLocality too late or twice", e);
	if (locality != 0 && locality != 3 && locality != 4)
		return bad(ev, "StartupLocality is none of 0, 3, 4", e);
	s->out->pcr[0][tpm_alg_size(s->alg) - 1] = locality;
	s->locality_seen = true;
	return 0;
}

static int extend(const struct eventlog *log, const struct event *ev, struct state *s,
		  struct err *e)
{
	const uint8_t *digest = event_digest(log, ev, s->alg);

	s->out->touched |= 1u << ev->pcr;
	if (digest == NULL)
		return bad(ev, "no digest of this bank", e);
	if (tpm_pcr_extend(s->alg, s->out->pcr[ev->pcr], digest) != 0)
		return err_set(e, EX_INTERNAL, "event log: libcrypto refuses to hash");
	return 0;
}

static int replay_event(const struct eventlog *log, const struct event *ev, struct state *s,
			struct err *e)
{
	if (event_is_named(ev, STARTUP_LOCALITY))
		return take_locality(ev, s, e);
	return event_extends(ev) ? extend(log, ev, s, e) : 0;
}

/* strict: the first thing wrong ends it. Else it marks the register and goes on. */
static int replay(const void *data, size_t size, uint16_t alg, bool strict, struct replay *out,
		  struct err *e)
{
	struct state s = { .alg = alg, .out = out };
	struct eventlog log;
	struct event ev;
	struct err first = { 0 };
	int r;

	memset(out, 0, sizeof(*out));
	if (tpm_alg_size(alg) == 0)
		return err_set(e, EX_INTERNAL, "event log: no such bank: 0x%x", alg);
	r = eventlog_open(data, size, &log, e);
	if (r < 0)
		return r;
	while ((r = eventlog_next(&log, &ev, &first)) > 0) {
		r = replay_event(&log, &ev, &s, &first);
		if (r < 0 && (strict || r == -EX_INTERNAL))
			break;
		if (r < 0)
			out->unknown |= 1u << (ev.pcr < TPM_PCR_COUNT ? ev.pcr : 0);
	}
	out->tail = log.tail;
	if (r < 0 && (strict || r == -EX_INTERNAL))
		return err_set(e, (enum exit_status)first.status, "%s", first.text);
	return 0;
}

int eventlog_replay(const void *data, size_t size, uint16_t alg, struct replay *out, struct err *e)
{
	return replay(data, size, alg, true, out, e);
}

int eventlog_replay_known(const void *data, size_t size, uint16_t alg, struct replay *out,
			  struct err *e)
{
	return replay(data, size, alg, false, out, e);
}

int eventlog_replay_rtmr(const void *data, size_t size, uint8_t rtmr[EVENTLOG_RTMRS][48],
			 uint32_t *touched, struct err *e)
{
	struct eventlog log;
	struct replay all;
	bool agile = false;
	int r = eventlog_open(data, size, &log, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; log.crypto_agile && i < log.alg_count; i++)
		agile |= log.algs[i].alg == TPM_ALG_SHA384;
	if (!agile)
		return err_set(e, EX_MALFORMED,
			       "CC event log: no Spec ID event that lists SHA-384");
	r = eventlog_replay(data, size, TPM_ALG_SHA384, &all, e);
	if (r < 0)
		return r;
	if ((all.touched & ~0x1Eu) != 0)
		return err_set(e, EX_MALFORMED,
			       "CC event log: extends other registers than 1 to 4 (mask 0x%x)",
			       all.touched);
	for (unsigned i = 0; i < EVENTLOG_RTMRS; i++)
		memcpy(rtmr[i], all.pcr[i + 1], 48);
	*touched = all.touched >> 1;
	return 0;
}
