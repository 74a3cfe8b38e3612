#include "attest/agent/data_key.h"

#include "attest/agent/wire.h"
#include "common/data_key_wire.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(WIRE_DATA_KEY_SIZE == WRAPPED_KEY, "docs/PROTOCOL.agent, docs/PROTOCOL.key");

/* Anybody can wrap a key to us, the host above all: only the owner's is good. */
static int check_id(const struct data_key_port *p, const struct data_key *k, struct err *e)
{
	uint8_t id[DATA_KEY_ID];
	int rc = data_key_id(k->key, id, e);

	if (rc == 0 && CRYPTO_memcmp(id, p->id, sizeof(id)) != 0)
		rc = err_set(e, EX_REFUSED,
			     "data key: not the key that the measured command line names");
	return rc;
}

static int hand_over(struct data_key_port *p, const struct data_key *k, struct err *e)
{
	struct data_key_message m = { .create = (k->flags & WRAPPED_KEY_CREATE) != 0 };
	char text[DATA_KEY_ANSWER_MAX + 1] = "";
	int rc = data_key_disk(k->key, m.key, e);

	if (rc == 0) {
		p->given = true;
		if (send(p->init, &m, sizeof(m), MSG_NOSIGNAL) != (ssize_t)sizeof(m))
			rc = err_errno(e, EX_GUEST, errno, "data key: init does not take it");
	}
	explicit_bzero(&m, sizeof(m));
	if (rc < 0)
		return rc;
	ssize_t n = recv(p->init, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return err_set(e, EX_GUEST, "data key: init did not answer");
	return text[0] == '\0' ? 0 : err_set(e, EX_GUEST, "%s", text);
}

int data_key_take(struct data_key_port *p, EVP_PKEY *agent, const uint8_t *wrapped, size_t size,
		  struct err *e)
{
	struct data_key k;

	if (p->init < 0)
		return err_set(e, EX_REFUSED, "data key: this guest has no data disk");
	if (p->given)
		return err_set(e, EX_REFUSED, "data key: this guest has its key");
	int rc = wrapped_key_open(wrapped, size, agent, &k, e);
	if (rc == 0)
		rc = check_id(p, &k, e);
	if (rc == 0)
		rc = hand_over(p, &k, e);
	explicit_bzero(&k, sizeof(k));
	return rc;
}
