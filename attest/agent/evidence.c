#include "attest/agent/evidence.h"

#include "attest/binding.h"
#include "common/bytes.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int agent_make_key(EVP_PKEY **out, struct err *e)
{
	*out = EVP_EC_gen("P-256");
	return *out != NULL ? 0 : err_set(e, EX_GUEST, "agent: cannot make a key pair");
}

static json_t *base64(const uint8_t *data, size_t size)
{
	char *text = malloc(4 * ((size + 2) / 3) + 1);

	if (text == NULL)
		return NULL;
	EVP_EncodeBlock((uint8_t *)text, data, (int)size);
	json_t *j = json_string(text);
	free(text);
	return j;
}

static json_t *hex(const uint8_t *data, size_t size)
{
	char text[2 * 64 + 1];

	hex_encode(data, size, text);
	return json_string(text);
}

static json_t *pcr_bank(const struct agent_quote *q, size_t bank, size_t digest_size)
{
	json_t *j = json_object();
	int failed = 0;

	for (size_t i = 0; i < AGENT_PCRS; i++) {
		const char name[2] = { (char)('0' + i), '\0' };
		failed |= json_object_set_new(j, name, hex(q->pcr[bank][i], digest_size));
	}
	if (failed == 0)
		return j;
	json_decref(j);
	return NULL;
}

/* "o" steals its reference also when packing fails, so nothing leaks on any path. */
static json_t *vtpm_object(const struct agent *a, const struct agent_quote *q)
{
	const struct agent_blob *ak = agent_tpm_ak(a->tpm);

	return json_pack("{s:s, s:o, s:o, s:o, s:{s:o, s:o}}", "placement", "host", "ak_public",
			 base64(ak->data, ak->size), "quote",
			 base64(q->attest.data, q->attest.size), "signature",
			 base64(q->signature.data, q->signature.size), "pcrs", "sha256",
			 pcr_bank(q, 0, 32), "sha384", pcr_bank(q, 1, 48));
}

/* What a report is about is in it; table and log may be absent, as hosts may keep them. */
static json_t *tee_object(const struct agent *a, const struct tee_report *r)
{
	if (a->tee == NULL)
		return json_pack("{s:s}", "type", "none");
	bool tdx = a->tee->kind == TEE_TDX;
	const uint8_t *more = tdx ? a->cc_log : r->certs;
	size_t more_size = tdx ? a->cc_log_size : r->certs_size;
	json_t *j = json_pack("{s:s, s:s, s:o}", "type", tdx ? "tdx" : "sev-snp", "provider",
			      a->tee->provider, tdx ? "quote" : "report",
			      base64(r->report, r->size));
	if (j != NULL && more_size != 0 &&
	    json_object_set_new(j, tdx ? "cc_log" : "cert_table", base64(more, more_size)) != 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static char *to_text(const struct agent *a, const struct binding *b, const struct agent_quote *q,
		     const struct tee_report *r)
{
	json_t *j = json_pack("{s:s, s:i, s:o, s:o, s:{s:s, s:o}}", "format", "pavise-evidence",
			      "version", 0, "nonce", hex(b->nonce, b->nonce_size), "tee",
			      tee_object(a, r), "agent", "name", "pavise-agent", "public_key",
			      base64(b->public_key, b->public_key_size));
	int failed = j == NULL;

	if (!failed && a->tpm != NULL)
		failed = json_object_set_new(j, "vtpm", vtpm_object(a, q)) != 0 ||
			 json_object_set_new(j, "event_log",
					     base64(a->event_log, a->event_log_size)) != 0;
	char *text = failed ? NULL : json_dumps(j, JSON_INDENT(2));

	json_decref(j);
	return text;
}

/* The same binding in both: report and quote are of one guest, for one nonce. */
static int sign_all(const struct agent *a, const struct binding *b, struct agent_quote *quote,
		    struct tee_report *report, struct err *e)
{
	uint8_t extra_data[32], report_data[TEE_DATA];
	int status = 0;

	if (a->tpm == NULL && a->tee == NULL)
		return err_set(e, EX_GUEST, "agent: neither TPM nor TEE: nothing to show");
	if (a->tpm != NULL) {
		status = binding_sha256(b, extra_data, e);
		if (status == 0)
			status = agent_tpm_quote(a->tpm, extra_data, quote, e);
	}
	if (status == 0 && a->tee != NULL) {
		status = binding_sha512(b, report_data, e);
		if (status == 0)
			status = a->tee->report(a->tee, report_data, report, e);
	}
	return status;
}

int agent_evidence(const struct agent *a, const uint8_t *nonce, size_t nonce_size, char **text,
		   struct err *e)
{
	static struct tee_report report; /* large; one request at a time */
	const struct agent_blob *ak = a->tpm != NULL ? agent_tpm_ak(a->tpm) : NULL;
	struct agent_quote quote;
	uint8_t *der = NULL;
	int der_size = i2d_PUBKEY(a->key, &der);

	if (der_size <= 0)
		return err_set(e, EX_GUEST, "agent: cannot encode its public key");
	const struct binding b = { .nonce = nonce,
				   .nonce_size = nonce_size,
				   .public_key = der,
				   .public_key_size = (size_t)der_size,
				   .ak_public = ak != NULL ? ak->data : NULL,
				   .ak_public_size = ak != NULL ? ak->size : 0 };
	int status = sign_all(a, &b, &quote, &report, e);
	if (status == 0) {
		*text = to_text(a, &b, &quote, &report);
		if (*text == NULL)
			status = err_set(e, EX_GUEST, "agent: out of memory for evidence");
	}
	OPENSSL_free(der);
	return status;
}
