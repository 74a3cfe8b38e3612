/* Any bytes as an event log: every event lies inside them, what events mean stays in bounds and
 * printable, replays of all banks end, agree with each other and with the lenient one. */
#include "attest/tpm/event_meaning.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct eventlog *log, const struct event *ev)
{
	struct event_meaning m;
	struct event_variable v;

	event_meaning(log, ev, &m);
	if (m.kind == NULL || m.number_count > EVENT_NUMBER_MAX)
		abort();
	for (size_t i = 0; m.text[i] != '\0'; i++)
		if (i + 1 == EVENT_TEXT_MAX || m.text[i] < 0x20 || m.text[i] > 0x7e)
			abort();
	if (event_variable(ev, &v) && (v.name_size > ev->size || v.data_size > ev->size))
		abort();
	if (!event_extends(ev) != (event_match(log, ev) == EVENT_UNMEASURED))
		abort();
	event_type_name(ev->type);
}

static void walk(const uint8_t *data, size_t size)
{
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (eventlog_open(data, size, &log, &e) < 0)
		return;
	while (eventlog_next(&log, &ev, &e) > 0) {
		if (ev.data < data || ev.size > size || ev.data + ev.size > data + size)
			abort();
		if (ev.pcr >= TPM_PCR_COUNT && event_extends(&ev))
			abort();
		look_at(&log, &ev);
	}
	if (log.tail.offset + log.tail.size != size)
		abort();
}

/* The lenient replay of a sound log is the strict one. */
static void compare(const uint8_t *data, size_t size, uint16_t alg, const struct replay *strict)
{
	struct replay known;
	struct err e = { 0 };

	if (eventlog_replay_known(data, size, alg, &known, &e) < 0 || known.unknown != 0 ||
	    known.touched != strict->touched ||
	    memcmp(known.pcr, strict->pcr, sizeof(known.pcr)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t algs[] = { TPM_ALG_SHA1, TPM_ALG_SHA256, TPM_ALG_SHA384,
					 TPM_ALG_SHA512 };
	uint8_t rtmr[EVENTLOG_RTMRS][48];
	uint32_t touched = 0, rtmrs = 0;
	struct replay out;
	struct err e = { 0 };

	walk(data, size);
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		e = (struct err){ 0 };
		if (eventlog_replay_known(data, size, algs[i], &out, &e) == 0 &&
		    out.tail.offset + out.tail.size != size)
			abort();
		e = (struct err){ 0 };
		if (eventlog_replay(data, size, algs[i], &out, &e) < 0)
			continue;
		/* Banks of one log agree on which PCRs it extends. */
		if (touched != 0 && out.touched != touched)
			abort();
		touched = out.touched;
		compare(data, size, algs[i], &out);
	}
	e = (struct err){ 0 };
	if (eventlog_replay_rtmr(data, size, rtmr, &rtmrs, &e) == 0 && rtmrs > 0xF)
		abort();
	eventlog_secure_boot(data, size, 7);
	return 0;
}
