#include "attest/tpm/eventlog.h"

#include <string.h>

#define SHA1_SIZE 20u
#define SPEC_ID "Spec ID Event03" /* with its NUL 16 bytes */
#define STARTUP_LOCALITY "StartupLocality"
#define NAME_SIZE 16u

/* What follows the last event: nothing, or the unused rest of a table of fixed size. */
static bool at_end(const struct eventlog *log)
{
	const uint8_t *p = log->r.data + log->r.pos;
	size_t n = reader_left(&log->r);

	if (n == 0)
		return true;
	if (p[0] != 0 && p[0] != 0xFF)
		return false;
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
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

	read_view(&r, NAME_SIZE + 4 + 4); /* signature, platform class, version, UINTN */
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

int eventlog_next(struct eventlog *log, struct event *out, struct err *e)
{
	if (at_end(log))
		return 0;
	*out = (struct event){ .index = log->index, .offset = log->r.pos };
	int r = log->crypto_agile ? next_agile(log, out, e) : next_legacy(log, out, e);
	if (r < 0)
		return r;
	if (out->pcr >= TPM_PCR_COUNT && out->type != EV_NO_ACTION)
		return bad_event(out, "extends a PCR above 23", e);
	log->index++;
	return 1;
}

static bool is_named(const struct event *ev, const char *name)
{
	return ev->type == EV_NO_ACTION && ev->size >= NAME_SIZE &&
	       memcmp(ev->data, name, NAME_SIZE) == 0;
}

int eventlog_open(const void *data, size_t size, struct eventlog *out, struct err *e)
{
	struct event first;

	*out = (struct eventlog){ .r = reader_over(data, size), .alg_count = 1 };
	if (size == 0 || size > EVENTLOG_MAX)
		return err_set(e, EX_MALFORMED, "event log: %zu bytes: 1 to %u are read", size,
			       EVENTLOG_MAX);
	out->algs[0].alg = TPM_ALG_SHA1;
	out->algs[0].size = SHA1_SIZE;
	int r = eventlog_next(out, &first, e);
	if (r < 0)
		return r;
	if (r == 1 && is_named(&first, SPEC_ID))
		return take_spec_id(out, &first, e);
	out->r.pos = 0; /* an old log: its first event is one like the others */
	out->index = 0;
	return 0;
}

const uint8_t *event_digest(const struct eventlog *log, const struct event *ev, uint16_t alg)
{
	for (uint32_t i = 0; i < log->alg_count; i++)
		if (log->algs[i].alg == alg)
			return ev->digest[i];
	return NULL;
}

/* PFP §10.4.5.3: the locality that started the TPM is PCR 0's first value. */
static int take_locality(const struct event *ev, uint16_t alg, struct replay *out, bool *seen,
			 struct err *e)
{
	if (ev->size != NAME_SIZE + 1 || ev->pcr != 0)
		return bad_event(ev, "StartupLocality of the wrong form", e);
	uint8_t locality = ev->data[NAME_SIZE];
	if (*seen || (out->touched & 1) != 0)
		return bad_event(ev, "StartupLocality too late or twice", e);
	if (locality != 0 && locality != 3 && locality != 4)
		return bad_event(ev, "StartupLocality is none of 0, 3, 4", e);
	out->pcr[0][tpm_alg_size(alg) - 1] = locality;
	*seen = true;
	return 0;
}

static int replay_event(const struct eventlog *log, const struct event *ev, uint16_t alg,
			struct replay *out, bool *locality_seen, struct err *e)
{
	if (is_named(ev, STARTUP_LOCALITY))
		return take_locality(ev, alg, out, locality_seen, e);
	if (ev->type == EV_NO_ACTION)
		return 0;
	const uint8_t *digest = event_digest(log, ev, alg);
	if (digest == NULL)
		return bad_event(ev, "no digest of this bank", e);
	if (tpm_pcr_extend(alg, out->pcr[ev->pcr], digest) != 0)
		return err_set(e, EX_INTERNAL, "event log: libcrypto refuses to hash");
	out->touched |= 1u << ev->pcr;
	return 0;
}

int eventlog_replay(const void *data, size_t size, uint16_t alg, struct replay *out, struct err *e)
{
	struct eventlog log;
	struct event ev;
	bool locality_seen = false;
	int r = eventlog_open(data, size, &log, e);

	if (r < 0)
		return r;
	if (tpm_alg_size(alg) == 0)
		return err_set(e, EX_INTERNAL, "event log: no such bank: 0x%x", alg);
	memset(out, 0, sizeof(*out));
	while ((r = eventlog_next(&log, &ev, e)) > 0) {
		r = replay_event(&log, &ev, alg, out, &locality_seen, e);
		if (r < 0)
			return r;
	}
	return r;
}
