#include "attest/appraise/log_compare.h"

#include "common/bytes.h"

#include <string.h>

/* Text of an event for people: its data as far as it is printable. */
static void describe(const struct event *ev, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->size && n + 1 < size && n < 40; i++)
		if (ev->data[i] >= 0x20 && ev->data[i] < 0x7f)
			out[n++] = (char)ev->data[i];
	out[n] = '\0';
}

static void put_digest(const struct eventlog *log, const struct event *ev, uint16_t alg,
		       char out[130])
{
	const uint8_t *digest = event_digest(log, ev, alg);

	out[0] = '\0';
	if (digest != NULL)
		hex_encode(digest, tpm_alg_size(alg), out);
}

/* All bytes from the event's first to its last. */
static bool same_bytes(const struct eventlog log[2], const struct event ev[2])
{
	size_t end = (size_t)(ev[0].data - log[0].r.data) + ev[0].size;

	return ev[0].offset == ev[1].offset && end <= log[1].r.size &&
	       memcmp(log[0].r.data + ev[0].offset, log[1].r.data + ev[0].offset,
		      end - ev[0].offset) == 0;
}

/* All but the digests, whose number and sizes the logs' equal heads fix. */
static bool same_but_digest(const struct eventlog log[2], const struct event ev[2])
{
	return ev[0].offset == ev[1].offset && ev[0].pcr == ev[1].pcr && ev[0].type == ev[1].type &&
	       ev[0].size == ev[1].size && memcmp(ev[0].data, ev[1].data, ev[0].size) == 0 &&
	       ev[0].data - log[0].r.data == ev[1].data - log[1].r.data;
}

/* What stands before the first event: the Spec ID event. */
static bool same_head(const struct eventlog log[2], size_t size)
{
	return size <= log[0].r.size && memcmp(log[0].r.data, log[1].r.data, size) == 0;
}

static enum log_answer differs(const struct eventlog log[2], const struct event ev[2], uint16_t alg,
			       struct log_difference *out)
{
	out->have = ev[0];
	out->need = ev[1];
	describe(&ev[1], out->text, sizeof(out->text));
	put_digest(&log[0], &ev[0], alg, out->have_hex);
	put_digest(&log[1], &ev[1], alg, out->need_hex);
	return LOG_DIFFERS;
}

enum log_answer log_compare(const uint8_t *have, size_t have_size, const uint8_t *need,
			    size_t need_size, uint16_t alg, log_free_event *is_free,
			    struct log_difference *out)
{
	struct eventlog log[2];
	struct event ev[2] = { 0 };
	struct err e = { 0 };
	size_t head = need_size;

	if (eventlog_open(have, have_size, &log[0], &e) < 0 ||
	    eventlog_open(need, need_size, &log[1], &e) < 0)
		return LOG_MALFORMED;
	for (;;) {
		int more[2] = { eventlog_next(&log[0], &ev[0], &e),
				eventlog_next(&log[1], &ev[1], &e) };
		if (more[0] < 0 || more[1] < 0)
			return LOG_MALFORMED;
		if (more[0] != more[1])
			return more[0] == 1 ? LOG_MORE : LOG_FEWER;
		if (more[0] == 0)
			break;
		if (ev[1].offset < head)
			head = ev[1].offset;
		if (!same_bytes(log, ev) &&
		    (is_free == NULL || !is_free(&ev[1]) || !same_but_digest(log, ev)))
			return differs(log, ev, alg, out);
	}
	return same_head(log, head) ? LOG_SAME : LOG_SPEC_ID;
}

void check_log_answer(struct checks *c, enum log_answer answer, const struct log_difference *d,
		      bool cc, const char *good)
{
	static const char id[] = "reference.log";

	switch (answer) {
	case LOG_SAME:
		check_pass(c, id, NULL, "%s", good);
		break;
	case LOG_DIFFERS:
		check_fail(c, id, EX_REFUSED, d->have_hex, d->need_hex,
			   "event %u (%s%u, \"%s\") is the first that differs", d->need.index,
			   cc ? "RTMR" : "PCR ", cc ? d->need.pcr - 1 : d->need.pcr, d->text);
		break;
	case LOG_MORE:
	case LOG_FEWER:
		check_fail(c, id, EX_REFUSED, NULL, NULL,
			   "the log has %s events than the files lead to",
			   answer == LOG_MORE ? "more" : "fewer");
		break;
	case LOG_SPEC_ID:
		check_fail(c, id, EX_REFUSED, NULL, NULL, "the Spec ID event differs");
		break;
	case LOG_MALFORMED:
		check_skip(c, id, "the event log is malformed");
		break;
	}
}
