#include "attest/tpm/eventlog.h"

#include <string.h>

#define SHA1_SIZE 20u
#define SPEC_ID "Spec ID Event03" /* with its NUL 16 bytes */
#define NAME_SIZE 16u

/* Where the run of equal bytes begins that ends a log in a table of fixed size: zeros, or the 0xFF
 * of erased memory. The end itself when there is none. Found once: a scan at every event would let
 * a hostile log cost its size squared. */
static size_t padding_start(const uint8_t *p, size_t size)
{
	size_t at = size;

	if (size == 0 || (p[size - 1] != 0 && p[size - 1] != 0xFF))
		return size;
	while (at > 0 && p[at - 1] == p[size - 1])
		at--;
	return at;
}

static void set_tail(struct eventlog *log, size_t offset, bool opaque)
{
	size_t n = log->r.size - offset;

	log->tail = (struct eventlog_tail){ .offset = offset, .size = n };
	if (opaque)
		log->tail.kind = EVENTLOG_END_OPAQUE;
	else if (n == 0)
		log->tail.kind = EVENTLOG_END_EXACT;
	else
		log->tail.kind = log->r.data[offset] == 0 ? EVENTLOG_END_ZEROS : EVENTLOG_END_ONES;
}

static int bad_event(const struct event *ev, const char *cause, struct err *e)
{
	return err_set(e, EX_MALFORMED, "event log: event %u at offset %zu: %s", ev->index,
		       ev->offset, cause);
}

/* PFP §10.4.5.1, TCG_EfiSpecIDEvent. */
static int take_spec_id(struct eventlog *log, const struct event *ev, struct err *e)
{
	struct reader r = reader_over(ev->data, ev->size);

	read_view(&r, NAME_SIZE);
	log->platform_class = read_le32(&r);
	log->spec_minor = read_u8(&r);
	log->spec_major = read_u8(&r);
	log->spec_errata = read_u8(&r);
	log->uintn_size = read_u8(&r);
	uint32_t count = read_le32(&r);
	if (r.bad || count == 0 || count > EVENTLOG_ALG_MAX)
		return bad_event(ev, "its list of algorithms is empty, too long or cut", e);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t alg = read_le16(&r), size = read_le16(&r);
		size_t known = tpm_alg_size(alg);
		if (r.bad || size == 0 || size > TPM_DIGEST_MAX || (known != 0 && known != size))
			return bad_event(ev, "digest size of an algorithm is wrong", e);
		for (uint32_t k = 0; k < i; k++)
			if (log->algs[k].alg == alg)
				return bad_event(ev, "an algorithm is listed twice", e);
		log->algs[i].alg = alg;
		log->algs[i].size = size;
	}
	uint8_t vendor = read_u8(&r);
	read_view(&r, vendor);
	if (r.bad || reader_left(&r) != 0)
		return bad_event(ev, "Spec ID event of the wrong length", e);
	log->alg_count = count;
	log->crypto_agile = true;
	return 0;
}

static void take_data(struct eventlog *log, struct event *ev)
{
	ev->size = read_le32(&log->r);
	ev->data = read_view(&log->r, ev->size);
}

/* TCG_PCClientPCREvent: PFP §10.2.1. */
static int next_legacy(struct eventlog *log, struct event *ev, struct err *e)
{
	ev->pcr = read_le32(&log->r);
	ev->type = read_le32(&log->r);
	ev->digest[0] = read_view(&log->r, SHA1_SIZE);
	take_data(log, ev);
	return log->r.bad ? bad_event(ev, "reaches beyond the end", e) : 0;
}

static int take_digest(struct eventlog *log, struct event *ev, struct err *e)
{
	uint16_t alg = read_le16(&log->r);

	for (uint32_t i = 0; i < log->alg_count; i++) {
		if (log->algs[i].alg != alg)
			continue;
		if (ev->digest[i] != NULL)
			return bad_event(ev, "two digests of one algorithm", e);
		ev->digest[i] = read_view(&log->r, log->algs[i].size);
		return 0;
	}
	return bad_event(ev, "digest of an algorithm that the Spec ID event does not list", e);
}

/* TCG_PCR_EVENT2: PFP §10.2.2. */
static int next_agile(struct eventlog *log, struct event *ev, struct err *e)
{
	int status = 0;

	ev->pcr = read_le32(&log->r);
	ev->type = read_le32(&log->r);
	uint32_t count = read_le32(&log->r);
	if (!log->r.bad && (count == 0 || count > log->alg_count))
		return bad_event(ev, "number of digests out of range", e);
	for (uint32_t i = 0; i < count && !log->r.bad && status == 0; i++)
		status = take_digest(log, ev, e);
	if (status < 0)
		return status;
	take_data(log, ev);
	return log->r.bad ? bad_event(ev, "reaches beyond the end", e) : 0;
}

static int take_event(struct eventlog *log, struct event *ev, struct err *e)
{
	int r = log->crypto_agile ? next_agile(log, ev, e) : next_legacy(log, ev, e);

	if (r < 0)
		return r;
	if (ev->pcr >= TPM_PCR_COUNT && event_extends(ev))
		return bad_event(ev, "extends a register above 23", e);
	return 0;
}

int eventlog_next(struct eventlog *log, struct event *out, struct err *e)
{
	if (log->r.pos >= log->padding) {
		set_tail(log, log->r.pos, false);
		return 0;
	}
	*out = (struct event){ .index = log->index, .offset = log->r.pos };
	int r = take_event(log, out, e);
	if (r < 0) {
		set_tail(log, out->offset, true);
		log->r.pos = out->offset;
		log->r.bad = false;
		return r;
	}
	log->index++;
	return 1;
}

bool event_is_named(const struct event *ev, const char *name)
{
	return ev->type == EV_NO_ACTION && ev->size >= NAME_SIZE &&
	       strncmp((const char *)ev->data, name, NAME_SIZE) == 0;
}

bool event_extends(const struct event *ev)
{
	return ev->type != EV_NO_ACTION && ev->pcr != EVENTLOG_NO_REGISTER;
}

/* The Spec ID event is known by its signature: firmware has been seen to log other EV_NO_ACTION
 * events before it. 1: found, and log stands behind it. */
static int find_spec_id(struct eventlog *log, struct err *e)
{
	struct event ev;
	int r;

	while ((r = eventlog_next(log, &ev, e)) == 1 && ev.type == EV_NO_ACTION)
		if (event_is_named(&ev, SPEC_ID))
			return take_spec_id(log, &ev, e) < 0 ? -EX_MALFORMED : 1;
	/* What does not parse behind the first event is the reader's business, as an event. */
	return r < 0 && log->index == 0 ? r : 0;
}

int eventlog_open(const void *data, size_t size, struct eventlog *out, struct err *e)
{
	struct err found = { 0 };

	*out = (struct eventlog){ .r = reader_over(data, size), .alg_count = 1 };
	if (size == 0 || size > EVENTLOG_MAX)
		return err_set(e, EX_MALFORMED, "event log: %zu bytes: 1 to %u are read", size,
			       EVENTLOG_MAX);
	out->padding = padding_start(data, size);
	out->algs[0].alg = TPM_ALG_SHA1;
	out->algs[0].size = SHA1_SIZE;
	int r = find_spec_id(out, &found);
	if (r < 0) {
		set_tail(out, 0, true);
		return err_set(e, (enum exit_status)found.status, "%s", found.text);
	}
	if (r == 0) { /* an old log: its first event is one like the others */
		out->r.pos = 0;
		out->index = 0;
	}
	return 0;
}

const uint8_t *event_digest(const struct eventlog *log, const struct event *ev, uint16_t alg)
{
	for (uint32_t i = 0; i < log->alg_count; i++)
		if (log->algs[i].alg == alg)
			return ev->digest[i];
	return NULL;
}
