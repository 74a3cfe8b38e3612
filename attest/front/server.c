#include "attest/front/server.h"

#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX 8192 /* bytes */
#define BODY_MAX 65536	 /* bytes; requests are far smaller, api.c says so in JSON */
#define IDLE_SECONDS 10	 /* between two bytes of a request */
#define ALREADY_LISTENING 0

/* One per connection, from accept until libssl frees its state. */
struct connection {
	TAILQ_ENTRY(connection) link;
	struct server *server;
	struct bufferevent *bev;
	struct event *timer; /* at once: admit; then: the deadline */
	bool admitted;
	struct client client;
};

struct server {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	SSL_CTX *ctx;
	int index; /* of our connection in an SSL's extra data */
	struct server_limits limits;
	unsigned count;
	TAILQ_HEAD(connection_list, connection) connections;
};

/* Memory is short, or libssl failed: a connection that is not TLS must not come to be. */
static void __attribute__((noreturn)) give_up(void)
{
	static const char text[] = "pavise-attest-front: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EX_HOST);
}

/* libevent owns the connection and tells nobody of its end; libssl tells us. */
static void connection_end(void *ssl, void *data, CRYPTO_EX_DATA *ad, int index, long argl,
			   void *argp)
{
	struct connection *c = data;

	(void)ssl;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	if (c == NULL)
		return;
	TAILQ_REMOVE(&c->server->connections, c, link);
	c->server->count--;
	evconnlistener_enable(c->server->listener);
	event_free(c->timer);
	free(c);
}

static unsigned same_client(const struct connection *c)
{
	const struct connection *other;
	unsigned n = 0;

	TAILQ_FOREACH(other, &c->server->connections, link)
		n += other->admitted && client_same(&other->client, &c->client);
	return n;
}

/* The peer is known now, and before a byte of it is read. */
static bool admit(struct connection *c, int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
		return false;
	c->client = client_of((struct sockaddr *)&peer, size);
	c->admitted = same_client(c) < c->server->limits.connections_per_client;
	return c->admitted;
}

/* shutdown, not close: the descriptor is libevent's, which sees the end and cleans up. */
static void on_timer(evutil_socket_t unused, short what, void *arg)
{
	struct connection *c = arg;
	struct timeval life = { .tv_sec = c->server->limits.seconds };
	int fd = bufferevent_getfd(c->bev);

	(void)unused;
	(void)what;
	if (!c->admitted && fd >= 0 && admit(c, fd)) {
		evtimer_add(c->timer, &life);
		return;
	}
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

/* Never NULL: libevent would speak plain HTTP then. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct timeval at_once = { 0 };
	struct connection *c = calloc(1, sizeof(*c));
	SSL *ssl = SSL_new(s->ctx);

	if (c == NULL || ssl == NULL)
		give_up();
	c->server = s;
	c->timer = evtimer_new(base, on_timer, c);
	c->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						BEV_OPT_CLOSE_ON_FREE);
	if (c->timer == NULL || c->bev == NULL || evtimer_add(c->timer, &at_once) != 0)
		give_up();
	bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	TAILQ_INSERT_TAIL(&s->connections, c, link);
	if (++s->count >= s->limits.connections)
		evconnlistener_disable(s->listener);
	if (SSL_set_ex_data(ssl, s->index, c) != 1)
		give_up();
	return c->bev;
}

static void set_bounds(struct evhttp *http)
{
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, BODY_MAX);
	evhttp_set_timeout(http, IDLE_SECONDS);
	evhttp_set_default_content_type(http, "application/json");
	/* Each method reaches the handler, which knows what to say to it. */
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
}

int server_open(struct event_base *base, int fd, SSL_CTX *ctx, const struct server_limits *limits,
		void (*handler)(struct evhttp_request *, void *), void *arg, struct server **out,
		struct err *e)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, EX_HOST, "out of memory");
	s->base = base;
	s->ctx = ctx;
	s->limits = *limits;
	TAILQ_INIT(&s->connections);
	s->index = SSL_get_ex_new_index(0, NULL, NULL, NULL, connection_end);
	s->http = evhttp_new(base);
	if (s->index >= 0 && s->http != NULL)
		s->listener = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC,
						 ALREADY_LISTENING, fd);
	if (s->listener == NULL || evhttp_bind_listener(s->http, s->listener) == NULL) {
		server_close(s);
		return err_set(e, EX_INTERNAL, "libevent cannot serve the listening socket");
	}
	set_bounds(s->http);
	evhttp_set_bevcb(s->http, on_connection, s);
	evhttp_set_gencb(s->http, handler, arg);
	*out = s;
	return 0;
}

void server_close(struct server *s)
{
	if (s->http != NULL)
		evhttp_free(s->http); /* the listener, too, once it is bound */
	free(s);
}
