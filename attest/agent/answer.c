#include "attest/agent/answer.h"

#include "common/isolation.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY (WIRE_HEADER + WIRE_PAYLOAD_MAX)

static size_t request(uint32_t type, uint32_t id, const uint8_t *payload, size_t size, uint8_t *out)
{
	struct wire_frame f = { .type = type, .id = id, .size = (uint32_t)size };

	wire_header(&f, out);
	memcpy(out + WIRE_HEADER, payload, size);
	return WIRE_HEADER + size;
}

size_t answer_request(uint32_t id, const uint8_t *nonce, size_t nonce_size, uint8_t *out)
{
	return request(WIRE_EVIDENCE_REQUEST, id, nonce, nonce_size, out);
}

size_t answer_key_request(uint32_t id, const uint8_t key[WIRE_DATA_KEY_SIZE], uint8_t *out)
{
	return request(WIRE_DATA_KEY, id, key, WIRE_DATA_KEY_SIZE, out);
}

int answer_begin(struct answer *a, uint32_t id, struct err *e)
{
	*a = (struct answer){ .id = id, .type = WIRE_EVIDENCE, .buffer = malloc(CAPACITY + 1) };
	return a->buffer != NULL ? 0 : err_set(e, EX_HOST, "out of memory");
}

/* Bytes of the whole answer; the header was found sound. */
static size_t whole(const struct answer *a)
{
	struct wire_frame f = { 0 };
	struct err unused = { 0 };

	return wire_parse(a->buffer, &f, &unused) < 0 ? CAPACITY : WIRE_HEADER + f.size;
}

uint8_t *answer_space(struct answer *a, size_t *size)
{
	*size = (a->found ? whole(a) : CAPACITY) - a->have;
	return a->buffer + a->have;
}

/* Skips the tail of an exchange that another program of the host left unfinished. */
static int find(struct answer *a, struct err *e)
{
	long at = wire_find(a->buffer, a->have, a->id);
	size_t drop = at >= 0		       ? (size_t)at
		      : a->have >= WIRE_HEADER ? a->have - WIRE_HEADER + 1
					       : 0;

	memmove(a->buffer, a->buffer + drop, a->have - drop);
	a->have -= drop;
	a->skipped += drop;
	a->found = at >= 0;
	if (a->skipped > WIRE_SKIP_MAX)
		return err_set(e, EX_GUEST, "agent channel: no answer among %zu bytes", a->skipped);
	return 0;
}

int answer_took(struct answer *a, size_t n, struct err *e)
{
	struct wire_frame f = { 0 };

	a->have += n;
	if (!a->found && find(a, e) < 0)
		return -EX_GUEST;
	if (!a->found || a->have < whole(a))
		return 0;
	a->have = whole(a); /* nothing is asked until this is answered: more is not ours */
	a->buffer[a->have] = '\0';
	if (wire_parse(a->buffer, &f, e) == 0 && f.type == WIRE_ERROR)
		return err_set(e, EX_GUEST, "agent: %.*s", (int)WIRE_ERROR_MAX,
			       (char *)a->buffer + WIRE_HEADER);
	if (f.type != a->type)
		return err_set(e, EX_GUEST, "agent channel: an answer of type %u instead of %u",
			       f.type, a->type);
	return 1;
}

const char *answer_text(struct answer *a, size_t *size)
{
	*size = a->have - WIRE_HEADER;
	return (const char *)a->buffer + WIRE_HEADER;
}

void answer_free(struct answer *a)
{
	free(a->buffer);
	a->buffer = NULL;
}

static int add_collateral(json_t *evidence, const char *text, struct err *e)
{
	json_t *j = NULL;
	int r = json_parse("collateral", text, strlen(text), &j, e);

	if (r == 0 && json_object_set_new(evidence, "collateral", j) < 0)
		r = err_set(e, EX_HOST, "out of memory");
	return r;
}

/* What is missing is said of degraded isolation alone: required isolation lacks nothing. */
static json_t *claims_of(const struct host_claims *host)
{
	json_t *missing = json_array();

	for (unsigned bit = 0; bit < ISOLATION_DEFENCES; bit++)
		if ((host->missing >> bit & 1) != 0)
			json_array_append_new(missing, json_string(isolation_defence(bit)));
	if (host->degraded)
		return json_pack("{s:s, s:s, s:o}", "vm", host->vm, "isolation", "degraded",
				 "missing", missing);
	json_decref(missing);
	return json_pack("{s:s, s:s}", "vm", host->vm, "isolation", "required");
}

int answer_evidence(const char *text, size_t size, const struct host_claims *host,
		    const char *collateral, char **out, struct err *e)
{
	json_t *j = NULL;
	int r = json_parse("agent's answer", text, size, &j, e);

	*out = NULL;
	if (r < 0)
		return r;
	json_t *claims = claims_of(host);
	if (claims == NULL || json_object_set_new(j, "host_claims", claims) < 0)
		r = err_set(e, EX_HOST, "out of memory");
	/* A guest's own would be taken for the host's. */
	json_object_del(j, "collateral");
	if (r == 0 && collateral != NULL)
		r = add_collateral(j, collateral, e);
	if (r == 0)
		*out = json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (r == 0 && *out == NULL)
		r = err_set(e, EX_HOST, "out of memory");
	return r;
}
