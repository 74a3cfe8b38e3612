#include "attest/eventlog/report.h"

#include "common/bytes.h"

#include <jansson.h>
#include <stdlib.h>

/* jansson's json_pack and _set_new take NULL members and then fail as a whole, so one check at the
 * end is enough; sizes below 2^20 and 64-bit addresses both fit: the latter are texts. */
static json_t *hex_text(uint64_t v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

static json_t *register_json(const struct summary *s, uint32_t index)
{
	char name[24];

	return json_string(register_name(s->registers, index, name));
}

static json_t *meaning_json(const struct summary *s, const struct event *ev)
{
	struct event_meaning m;

	event_meaning(&s->log, ev, &m);
	json_t *j = json_pack("{s:s}", "kind", m.kind);
	if (m.text[0] != '\0') {
		json_object_set_new(j, "text", json_string(m.text));
		json_object_set_new(j, "text_cut", json_boolean(m.text_cut));
	}
	if (m.guid[0] != '\0')
		json_object_set_new(j, "guid", json_string(m.guid));
	for (size_t i = 0; i < m.number_count; i++)
		json_object_set_new(j, m.number[i].name, hex_text(m.number[i].value));
	return j;
}

static json_t *digests_json(const struct summary *s, const struct event *ev)
{
	json_t *j = json_object();
	char name[16], hex[2 * TPM_DIGEST_MAX + 1];

	for (uint32_t i = 0; i < s->log.alg_count; i++) {
		if (ev->digest[i] == NULL)
			continue;
		hex_encode(ev->digest[i], s->log.algs[i].size, hex);
		json_object_set_new(j, bank_name(s->log.algs[i].alg, name), json_string(hex));
	}
	return j;
}

static json_t *event_json(const struct summary *s, const struct event *ev)
{
	const char *type = event_type_name(ev->type);
	char number[16];

	snprintf(number, sizeof(number), "0x%08x", ev->type);
	return json_pack("{s:I, s:I, s:o, s:s, s:s?, s:I, s:o, s:s, s:o}", "index",
			 (json_int_t)ev->index, "offset", (json_int_t)ev->offset, "register",
			 register_json(s, ev->pcr), "type", number, "type_name", type, "size",
			 (json_int_t)ev->size, "digests", digests_json(s, ev), "digest_of",
			 event_match_name(event_match(&s->log, ev)), "meaning",
			 meaning_json(s, ev));
}

static json_t *events_json(const struct summary *s)
{
	struct eventlog log = s->log;
	json_t *list = json_array();
	struct event ev;
	struct err unused = { 0 };

	while (eventlog_next(&log, &ev, &unused) > 0)
		json_array_append_new(list, event_json(s, &ev));
	return list;
}

/* A register whose value the log cannot say is null. */
static json_t *replay_json(const struct summary *s)
{
	json_t *banks = json_object();
	char name[24], hex[2 * TPM_DIGEST_MAX + 1];

	for (uint32_t i = 0; i < s->log.alg_count; i++) {
		const struct replay *r = &s->replay[i];
		json_t *values = s->known[i] ? json_object() : NULL;
		for (uint32_t k = 0; values != NULL && k < TPM_PCR_COUNT; k++) {
			if ((r->touched >> k & 1) == 0)
				continue;
			hex_encode(r->pcr[k], s->log.algs[i].size, hex);
			json_object_set_new(values, register_name(s->registers, k, name),
					    (r->unknown >> k & 1) != 0 ? json_null()
								       : json_string(hex));
		}
		if (values != NULL)
			json_object_set_new(banks, bank_name(s->log.algs[i].alg, name), values);
	}
	return banks;
}

static json_t *banks_json(const struct summary *s)
{
	json_t *list = json_array();
	char name[16];

	for (uint32_t i = 0; i < s->log.alg_count; i++)
		json_array_append_new(list, json_string(bank_name(s->log.algs[i].alg, name)));
	return list;
}

static json_t *end_json(const struct summary *s)
{
	return json_pack("{s:s, s:I, s:I, s:s*}", "kind", end_name(s->tail.kind), "offset",
			 (json_int_t)s->tail.offset, "size", (json_int_t)s->tail.size, "cause",
			 s->tail_cause[0] != '\0' ? s->tail_cause : NULL);
}

int eventlog_json(FILE *f, const struct summary *s, struct err *e)
{
	json_t *events = events_json(s);
	bool whole = json_array_size(events) == s->events;
	json_t *j = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "format",
			      "pavise-eventlog", "version", 0, "form",
			      s->log.crypto_agile ? "crypto-agile" : "legacy", "registers",
			      s->registers == REGISTERS_RTMR ? "rtmr" : "pcr", "banks",
			      banks_json(s), "events", events, "end", end_json(s), "secure_boot",
			      secure_boot_name(s->secure_boot), "replay", replay_json(s));

	if (j == NULL || !whole) {
		json_decref(j);
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	}
	int bad = json_dumpf(j, f, JSON_INDENT(1)) != 0 || fputc('\n', f) == EOF || fflush(f) != 0;
	json_decref(j);
	return bad ? err_set(e, EX_HOST, "standard output: cannot write") : 0;
}
