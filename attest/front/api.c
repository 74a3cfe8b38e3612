#include "attest/front/api.h"

#include "attest/agent/wire.h"
#include "attest/front/broker_wire.h"
#include "common/bytes.h"
#include "common/json.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX 4096u /* bytes of a request */

/* A request that waits for its guest. */
struct waiting {
	struct api *api;
	struct evhttp_request *req;
	char name[BROKER_NAME_SIZE];
	uint64_t since; /* ms */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *peer_of(struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	char *address = NULL;
	ev_uint16_t port;

	if (c != NULL)
		evhttp_connection_get_peer(c, &address, &port);
	return address != NULL ? address : "gone";
}

/* One line; name comes from a checked path, so nothing in it can break the line. */
static void log_request(struct api *api, struct evhttp_request *req, int status, const char *name,
			uint64_t since)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "%lld %s %d %s %llu ms\n", (long long)time(NULL),
			 peer_of(req), status, name, (unsigned long long)(now_ms() - since));

	/* A log that is full must not keep anybody from an answer. */
	if (n > 0 && (size_t)n < sizeof(line) && write(api->log, line, (size_t)n) < 0)
		return;
}

static void send_text(struct evhttp_request *req, int status, const char *text)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(h, "Content-Type", "application/json");
	evhttp_add_header(h, "Cache-Control", "no-store");
	evhttp_add_header(h, "Connection", "close");
	if (body != NULL)
		evbuffer_add(body, text, strlen(text));
	evhttp_send_reply(req, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void send_error(struct api *api, struct evhttp_request *req, int status, const char *code,
		       const char *text, const char *name, uint64_t since)
{
	json_t *j = json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", text);
	char *body = j == NULL ? NULL : json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII);

	log_request(api, req, status, name, since);
	send_text(req, status, body != NULL ? body : "{\"error\":{\"code\":\"internal\","
						     "\"message\":\"no words\"}}");
	free(body);
	json_decref(j);
}

static const struct {
	int status;
	const char *code;
} ends[] = {
	[FETCH_OK] = { 200, "" },
	[FETCH_NO_VM] = { 404, "no-such-vm" },
	[FETCH_BUSY] = { 503, "busy" },
	[FETCH_TIMEOUT] = { 504, "guest-timeout" },
	[FETCH_GUEST] = { 502, "guest-failed" },
	[FETCH_HOST] = { 500, "internal" },
};

static void on_evidence(enum fetch_end end, const char *text, void *arg)
{
	struct waiting *w = arg;

	if (end == FETCH_BUSY)
		evhttp_add_header(evhttp_request_get_output_headers(w->req), "Retry-After", "1");
	if (end != FETCH_OK) {
		send_error(w->api, w->req, ends[end].status, ends[end].code, text, w->name,
			   w->since);
	} else {
		log_request(w->api, w->req, 200, w->name, w->since);
		send_text(w->req, 200, text);
	}
	free(w);
}

/* The body: {"nonce": HEX} and no other key. */
static int take_nonce(struct evhttp_request *req, uint8_t *nonce, size_t *size, struct err *e)
{
	static const char *const keys[] = { "nonce", NULL };
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	char body[BODY_MAX + 1];
	const char *hex = NULL;
	json_t *j = NULL;

	size_t n = (size_t)evbuffer_copyout(in, body, BODY_MAX);
	int r = json_parse("request", body, n, &j, e);
	if (r < 0)
		return r;
	r = json_only_keys("request", j, keys, e);
	if (r == 0)
		r = json_get_string("request", j, "nonce", 1, &hex, e);
	if (r == 0) {
		*size = strlen(hex) / 2;
		if (*size < WIRE_NONCE_MIN || *size > WIRE_NONCE_MAX ||
		    !hex_decode(hex, nonce, *size))
			r = err_set(e, EX_MALFORMED,
				    "request: \"nonce\" needs %u to %u bytes in hexadecimal",
				    WIRE_NONCE_MIN, WIRE_NONCE_MAX);
	}
	json_decref(j);
	return r;
}

/* "/v1/vms/NAME/evidence": true, with the name, in the alphabet that names have. */
static bool vm_of_path(const char *path, char *name)
{
	static const char head[] = "/v1/vms/", tail[] = "/evidence";

	if (path == NULL || strncmp(path, head, sizeof(head) - 1) != 0)
		return false;
	path += sizeof(head) - 1;
	size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (n == 0 || n >= BROKER_NAME_SIZE || strcmp(path + n, tail) != 0)
		return false;
	memcpy(name, path, n);
	name[n] = '\0';
	return true;
}

static void handle_evidence(struct api *api, struct evhttp_request *req, const char *name,
			    uint64_t since)
{
	uint8_t nonce[WIRE_NONCE_MAX];
	struct err e = { 0 };
	size_t size = 0;

	if (evbuffer_get_length(evhttp_request_get_input_buffer(req)) > BODY_MAX) {
		send_error(api, req, 413, "too-large", "a request has at most 4096 bytes", name,
			   since);
		return;
	}
	if (take_nonce(req, nonce, &size, &e) < 0) {
		send_error(api, req, 400, "malformed", e.text, name, since);
		return;
	}
	struct waiting *w = calloc(1, sizeof(*w));
	if (w == NULL) {
		send_error(api, req, 500, "internal", "out of memory", name, since);
		return;
	}
	*w = (struct waiting){ .api = api, .req = req, .since = since };
	snprintf(w->name, sizeof(w->name), "%s", name);
	fetch(api->fetcher, name, nonce, size, on_evidence, w);
}

/* Every request costs a token, also one that is refused for another reason. */
static uint32_t wait_seconds(struct api *api, struct evhttp_request *req, uint64_t now)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	if (c == NULL || getpeername(bufferevent_getfd(evhttp_connection_get_bufferevent(c)),
				     (struct sockaddr *)&peer, &size) != 0)
		return 1;
	struct client who = client_of((struct sockaddr *)&peer, size);
	return limits_take(&api->limits, &who, now);
}

void api_handle(struct evhttp_request *req, void *arg)
{
	struct api *api = arg;
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	uint64_t now = now_ms();
	uint32_t wait = wait_seconds(api, req, now);
	char name[BROKER_NAME_SIZE] = "-", seconds[16];
	bool health = path != NULL && strcmp(path, "/v1/health") == 0;

	if (wait > 0) {
		snprintf(seconds, sizeof(seconds), "%u", wait);
		evhttp_add_header(out, "Retry-After", seconds);
		send_error(api, req, 429, "too-many-requests", "this client asks too often", name,
			   now);
	} else if (!health && !vm_of_path(path, name)) {
		send_error(api, req, 404, "no-such-path", "see docs/openapi.json", name, now);
	} else if (evhttp_request_get_command(req) != (health ? EVHTTP_REQ_GET : EVHTTP_REQ_POST)) {
		evhttp_add_header(out, "Allow", health ? "GET" : "POST");
		send_error(api, req, 405, "wrong-method", health ? "GET it" : "POST it", name, now);
	} else if (health) {
		log_request(api, req, 200, "-", now);
		send_text(req, 200, "{\"status\":\"ok\"}");
	} else {
		handle_evidence(api, req, name, now);
	}
}
