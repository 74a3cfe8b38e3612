#include "tests/unit/tpm_world.h"

#include "attest/tpm/event_meaning.h"
#include "common/bytes.h"
#include "tests/unit/fake_ca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const uint8_t world_nonce[WORLD_NONCE] = "nonce of our choice";

static void add_event(struct writer *w, uint32_t pcr, uint32_t type, const void *data, size_t n)
{
	uint8_t digest[48];

	write_le32(w, pcr);
	write_le32(w, type);
	write_le32(w, 2);
	EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL);
	write_le16(w, TPM_ALG_SHA256);
	write_copy(w, digest, 32);
	EVP_Digest(data, n, digest, NULL, EVP_sha384(), NULL);
	write_le16(w, TPM_ALG_SHA384);
	write_copy(w, digest, 48);
	write_le32(w, (uint32_t)n);
	write_copy(w, data, n);
}

/* SecureBoot = 1, EFI_GLOBAL_VARIABLE. */
static const uint8_t secure_boot[] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa,
				       0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c, 10,   0,
				       0,    0,	   0,	 0,    0,    0,	   1,	 0,    0,
				       0,    0,	   0,	 0,    0,    'S',  0,	 'e',  0,
				       'c',  0,	   'u',	 0,    'r',  0,	   'e',	 0,    'B',
				       0,    'o',  0,	 'o',  0,    't',  0,	 1 };

static void begin_log(struct writer *w)
{
	static const uint8_t zero[20];

	write_le32(w, 0);
	write_le32(w, EV_NO_ACTION);
	write_copy(w, zero, 20);
	write_le32(w, 37);
	write_copy(w, "Spec ID Event03", 16);
	write_copy(w, "\0\0\0\0\0\2\0\2\2\0\0\0", 12);
	write_le16(w, TPM_ALG_SHA256);
	write_le16(w, 32);
	write_le16(w, TPM_ALG_SHA384);
	write_le16(w, 48);
	write_u8(w, 0);
}

static void make_log(struct world *w, enum fault fault)
{
	struct writer out = writer_over(w->log, sizeof(w->log));

	begin_log(&out);
	add_event(&out, 0, EV_S_CRTM_VERSION, "v", 1);
	add_event(&out, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, secure_boot, sizeof(secure_boot));
	if (fault == UNKNOWN_EVENT)
		add_event(&out, 1, 0x12345678, "?", 1);
	for (uint32_t i = 0; i < 8; i++) {
		if (fault == NO_SEPARATOR && i == 3)
			continue;
		add_event(&out, i, EV_SEPARATOR,
			  fault == ERROR_SEPARATOR && i == 2 ? "\1\0\0\0" : "\0\0\0\0", 4);
	}
	if (fault == TWO_SEPARATORS)
		add_event(&out, 5, EV_SEPARATOR, "\0\0\0\0", 4);
	if (fault == OPAQUE_TAIL)
		write_copy(&out, "no event", 8);
	assert_false(out.bad);
	w->log_size = out.pos;
}

/* PCR values that the log leads to; PCR 4 is off by one bit with `wrong`. */
static void make_values(struct world *w, bool wrong)
{
	struct writer out = writer_over(w->pcrs, sizeof(w->pcrs));
	struct replay replay;
	struct err e = { 0 };

	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)bank);
		assert_int_equal(eventlog_replay_known(w->log, w->log_size, alg, &replay, &e), 0);
		w->values[bank].given = 0xFF;
		for (unsigned i = 0; i < 8; i++) {
			memcpy(w->values[bank].value[i], replay.pcr[i], 48);
			w->values[bank].value[i][0] ^= wrong && i == 4;
			write_copy(&out, w->values[bank].value[i], tpm_alg_size(alg));
		}
	}
	assert_false(out.bad);
	w->pcrs_size = out.pos;
}

void world_sign(struct world *w)
{
	struct request *r = &w->request;
	size_t n = fake_tpm_quote(&w->tpm, world_nonce, sizeof(world_nonce), w->values, w->quote);
	size_t m = fake_tpm_sign(&w->tpm, w->quote, n, w->signature);

	r->evidence = (struct blob){ w->quote, n, "quote" };
	r->signature = (struct blob){ w->signature, m, "signature" };
	r->pcrs = (struct blob){ w->pcrs, w->pcrs_size, "pcrs" };
	r->event_log = (struct blob){ w->log, w->log_size, "log" };
}

struct world *world_make(uint16_t scheme, enum fault fault, bool wrong)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	fake_tpm_make(&w->tpm, scheme, TPM_ALG_SHA256, TPMA_AK_SET);
	make_log(w, fault);
	make_values(w, wrong);
	policy_built_in(POLICY_RECOMMENDED, &w->policy);
	w->request = (struct request){ .kind = REQUEST_TPM,
				       .policy = &w->policy,
				       .nonce = world_nonce,
				       .nonce_size = sizeof(world_nonce),
				       .now = FAKE_CA_NOW,
				       .ak = { w->tpm.public_area, w->tpm.public_size, "ak" } };
	world_sign(w);
	return w;
}

void world_free(struct world *w)
{
	fake_tpm_free(&w->tpm);
	free(w);
}

enum exit_status world_verdict(struct world *w)
{
	struct err e = { 0 };

	memset(&w->checks, 0, sizeof(w->checks));
	if (appraise(&w->request, &w->checks, &e) < 0)
		return (enum exit_status)e.status;
	return checks_verdict(&w->checks);
}

const struct check *world_find(const struct world *w, const char *id)
{
	size_t i = 0;

	while (i < w->checks.count && strcmp(w->checks.item[i].id, id) != 0)
		i++;
	if (i == w->checks.count)
		fail_msg("no check %s", id);
	return &w->checks.item[i];
}

void world_is(const struct world *w, const char *id, enum check_status status)
{
	const struct check *k = world_find(w, id);

	if (k->status != status)
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}

void world_refused(struct world *w, enum exit_status want, const char *id)
{
	enum exit_status got = world_verdict(w);

	if (got != want)
		fail_msg("%s: verdict %d, not %d", id, (int)got, (int)want);
	world_is(w, id, CHECK_FAIL);
}
