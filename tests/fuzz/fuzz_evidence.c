/* Evidence from anyone: as JSON, or (first byte not '{') as the raw structures in it, so that the
 * TPM parsers are reached without base64. What is affirmed must be what the plan leads to. */
#include "tests/unit/fake_evidence.h"

#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_world *world;
static struct evidence *plain; /* as made, before an input replaces it */
static struct checks result;

static void make_world(void)
{
	world = calloc(1, sizeof(*world));
	plain = calloc(1, sizeof(*plain));
	if (world == NULL || plain == NULL)
		abort();
	fake_world_make(world, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	*plain = world->evidence;
}

static void take_part(struct reader *r, uint8_t *out, size_t *out_size)
{
	size_t n = read_le16(r);
	const uint8_t *p = read_view(r, n > EVIDENCE_PART_MAX ? EVIDENCE_PART_MAX : n);

	*out_size = 0;
	if (p == NULL)
		return;
	*out_size = n > EVIDENCE_PART_MAX ? EVIDENCE_PART_MAX : n;
	memcpy(out, p, *out_size);
}

static void take_raw(const uint8_t *data, size_t size, struct evidence *ev)
{
	struct reader r = reader_over(data + 1, size - 1);

	*ev = *plain;
	take_part(&r, ev->ak_public, &ev->ak_public_size);
	take_part(&r, ev->quote, &ev->quote_size);
	take_part(&r, ev->signature, &ev->signature_size);
	size_t left = reader_left(&r);
	ev->event_log_size = left < EVIDENCE_LOG_MAX ? left : EVIDENCE_LOG_MAX;
	read_copy(&r, ev->event_log, ev->event_log_size);
}

static void check_affirmed(const struct evidence *ev)
{
	const struct expectation *x = &world->expected;

	if (!ev->has_vtpm || ev->nonce_size != 32 || memcmp(ev->nonce, plain->nonce, 32) != 0)
		abort();
	for (unsigned i = 0; i < EXPECT_PCRS; i++)
		if (memcmp(ev->pcrs[0].value[i], x->pcr[0][i], 32) != 0 ||
		    memcmp(ev->pcrs[1].value[i], x->pcr[1][i], 48) != 0)
			abort();
	if (ev->event_log_size < x->log_size || memcmp(ev->event_log, x->log, x->log_size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };

	if (world == NULL)
		make_world();
	if (size == 0)
		return 0;
	world->policy.cpus[0] = 2; /* one machine: fewer hashes an input */
	world->policy.cpus_count = 1;
	evidence_free(&world->evidence);
	if (data[0] != '{')
		take_raw(data, size, &world->evidence);
	else if (evidence_parse("input", (const char *)data, size, &world->evidence, &e) < 0)
		return 0; /* what it holds is freed by the next input */
	if (fake_world_judge(world, plain->nonce, plain->nonce_size, &result) == EX_OK)
		check_affirmed(&world->evidence);
	return 0;
}
