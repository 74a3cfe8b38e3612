/* The agent's side of a data disk's key: what reaches the guest's init, and what does not. */
#include "attest/agent/data_key.h"
#include "common/data_key_wire.h"

#include <openssl/ec.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct data_key owners = { .flags = 0, .key = "the owner's key, thirty-two ...." };
static const struct data_key hosts = { .flags = WRAPPED_KEY_CREATE,
				       .key = "another key, that a host made .." };

struct guest {
	EVP_PKEY *agent;
	struct data_key_port port;
	int init; /* its end of the socket */
};

/* A guest whose command line names the owner's key, and whose init will say that text. */
static struct guest begin(const char *init_says)
{
	struct guest g = { .agent = EVP_EC_gen("P-256") };
	struct err e = { 0 };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	g.port.init = ends[0];
	g.init = ends[1];
	assert_int_equal(data_key_id(owners.key, g.port.id, &e), 0);
	assert_true(send(g.init, init_says, strlen(init_says) + 1, 0) > 0);
	return g;
}

static void end(struct guest *g)
{
	close(g->init);
	if (g->port.init >= 0)
		close(g->port.init);
	EVP_PKEY_free(g->agent);
}

static int give(struct guest *g, const struct data_key *k, EVP_PKEY *to, struct err *e)
{
	uint8_t wrapped[WRAPPED_KEY];
	struct err made = { 0 };

	assert_int_equal(wrapped_key_make(k, to, wrapped, &made), 0);
	return data_key_take(&g->port, g->agent, wrapped, sizeof(wrapped), e);
}

/* Did init get anything? */
static ssize_t arrived(struct guest *g, struct data_key_message *m)
{
	return recv(g->init, m, sizeof(*m), MSG_DONTWAIT);
}

static void the_owners_key_arrives(void **state)
{
	(void)state;
	for (uint32_t create = 0; create <= WRAPPED_KEY_CREATE; create++) {
		struct guest g = begin("");
		struct data_key k = owners;
		struct data_key_message m;
		uint8_t want[DATA_DISK_KEY];
		struct err e = { 0 };
		k.flags = create;
		assert_int_equal(give(&g, &k, g.agent, &e), 0);
		assert_int_equal(arrived(&g, &m), sizeof(m));
		assert_int_equal(m.create, create);
		assert_int_equal(data_key_disk(owners.key, want, &e), 0);
		assert_memory_equal(m.key, want, sizeof(want));
		end(&g);
	}
}

/* Wrapped to this very agent, by a host that may not choose. */
static void a_key_of_the_host_is_refused(void **state)
{
	(void)state;
	struct guest g = begin("");
	struct data_key_message m;
	struct err e = { 0 }, f = { 0 };

	assert_int_equal(give(&g, &hosts, g.agent, &e), -EX_REFUSED);
	assert_non_null(strstr(e.text, "command line"));
	assert_int_equal(arrived(&g, &m), -1);
	/* It does not spoil the owner's. */
	assert_int_equal(give(&g, &owners, g.agent, &f), 0);
	end(&g);
}

static void another_guests_key_is_refused(void **state)
{
	(void)state;
	struct guest g = begin(""), other = begin("");
	struct data_key_message m;
	struct err e = { 0 };

	assert_int_equal(give(&g, &owners, other.agent, &e), -EX_UNAUTHENTIC);
	assert_int_equal(arrived(&g, &m), -1);
	end(&g);
	end(&other);
}

static void once(void **state)
{
	(void)state;
	struct guest g = begin("");
	struct err e = { 0 };

	assert_int_equal(give(&g, &owners, g.agent, &e), 0);
	assert_int_equal(give(&g, &owners, g.agent, &e), -EX_REFUSED);
	end(&g);
}

static void what_init_says(void **state)
{
	(void)state;
	struct guest g = begin("data disk: blank");
	struct err e = { 0 }, f = { 0 };

	assert_int_equal(give(&g, &owners, g.agent, &e), -EX_GUEST);
	assert_string_equal(e.text, "data disk: blank");
	end(&g);
	/* An init that is gone. */
	struct guest h = begin("");
	close(h.init);
	assert_int_equal(give(&h, &owners, h.agent, &f), -EX_GUEST);
	h.init = -1;
	end(&h);
}

static void no_data_disk(void **state)
{
	(void)state;
	struct guest g = begin("");
	struct err e = { 0 };

	close(g.port.init);
	g.port.init = -1;
	assert_int_equal(give(&g, &owners, g.agent, &e), -EX_REFUSED);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owners_key_arrives),
		cmocka_unit_test(a_key_of_the_host_is_refused),
		cmocka_unit_test(another_guests_key_is_refused),
		cmocka_unit_test(once),
		cmocka_unit_test(what_init_says),
		cmocka_unit_test(no_data_disk),
	};

	return cmocka_run_group_tests_name("image_agent", tests, NULL, NULL);
}
