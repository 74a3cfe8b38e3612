#include "attest/appraise/evidence.h"

#include "attest/appraise/json_pcrs.h"
#include "common/bytes.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

const char *evidence_tee_name(enum evidence_tee tee)
{
	return tee == EVIDENCE_SNP ? "sev-snp" : tee == EVIDENCE_TDX ? "tdx" : "none";
}

static int expect_text(const char *path, const json_t *object, const char *key, const char *want,
		       struct err *e)
{
	const char *have = NULL;
	int r = json_get_string(path, object, key, 1, &have, e);

	if (r == 0 && strcmp(have, want) != 0)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is \"%.64s\", only \"%s\" is known",
			       path, key, have, want);
	return r;
}

static int parse_nonce(const json_t *root, struct evidence *out, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string("evidence", root, "nonce", 1, &text, e);

	if (r < 0)
		return r;
	size_t n = strlen(text) / 2;
	if (n < BINDING_NONCE_MIN || n > BINDING_NONCE_MAX || !hex_decode(text, out->nonce, n))
		return err_set(e, EX_MALFORMED,
			       "evidence: \"nonce\" is not %u to %u bytes in hexadecimal",
			       BINDING_NONCE_MIN, BINDING_NONCE_MAX);
	out->nonce_size = n;
	return 0;
}

static const char tee_path[] = "evidence.tee";

/* What the agent calls the source of its report. */
static int parse_provider(const json_t *tee, struct evidence *out, struct err *e)
{
	const char *provider = NULL;
	int r = json_get_string(tee_path, tee, "provider", 1, &provider, e);

	if (r == 0 && strcmp(provider, "hardware") != 0 && strcmp(provider, "simulated") != 0)
		return err_set(e, EX_MALFORMED,
			       "%s: \"provider\" is neither \"hardware\" nor \"simulated\"",
			       tee_path);
	if (r == 0)
		memcpy(out->tee_provider, provider, strlen(provider) + 1);
	return r;
}

static int parse_snp(const json_t *tee, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "type", "provider", "report", "cert_table", NULL };
	int r = json_only_keys(tee_path, tee, keys, e);

	if (r == 0)
		r = parse_provider(tee, out, e);
	if (r == 0)
		r = json_get_base64(tee_path, tee, "report", 1, out->report, EVIDENCE_PART_MAX,
				    &out->report_size, e);
	if (r == 0)
		r = json_get_base64(tee_path, tee, "cert_table", 0, out->cert_table,
				    sizeof(out->cert_table), &out->cert_table_size, e);
	return r;
}

static int parse_tdx(const json_t *tee, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "type", "provider", "quote", "cc_log", NULL };
	int r = json_only_keys(tee_path, tee, keys, e);

	if (r == 0)
		r = parse_provider(tee, out, e);
	if (r == 0)
		r = json_get_base64(tee_path, tee, "quote", 1, out->report, sizeof(out->report),
				    &out->report_size, e);
	if (r == 0)
		r = json_get_base64(tee_path, tee, "cc_log", 0, out->cc_log, sizeof(out->cc_log),
				    &out->cc_log_size, e);
	return r;
}

static int parse_tee(const json_t *root, struct evidence *out, struct err *e)
{
	static const char *const plain_keys[] = { "type", NULL };
	const json_t *tee = NULL;
	const char *type = NULL;
	int r = json_get_object("evidence", root, "tee", 1, &tee, e);

	if (r == 0)
		r = json_get_string("evidence.tee", tee, "type", 1, &type, e);
	if (r != 0)
		return r;
	if (strcmp(type, "none") == 0)
		return json_only_keys("evidence.tee", tee, plain_keys, e);
	bool snp = strcmp(type, "sev-snp") == 0;
	if (!snp && strcmp(type, "tdx") != 0)
		return err_set(e, EX_MALFORMED,
			       "evidence.tee: \"type\" is \"%.64s\", only \"none\", "
			       "\"sev-snp\" and \"tdx\" are known",
			       type);
	out->tee = snp ? EVIDENCE_SNP : EVIDENCE_TDX;
	return snp ? parse_snp(tee, out, e) : parse_tdx(tee, out, e);
}

static int parse_head(const json_t *root, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "format", "version",   "nonce",	  "tee", "agent",
					    "vtpm",   "event_log", "host_claims", "collateral", NULL };
	uint64_t version = 0;
	int r = expect_text("evidence", root, "format", "pavise-evidence", e);

	if (r == 0)
		r = json_get_u64("evidence", root, "version", 1, &version, e);
	if (r == 0 && version != 0)
		return err_set(e, EX_MALFORMED, "evidence: version %llu: this program knows 0",
			       (unsigned long long)version);
	if (r == 0)
		r = json_only_keys("evidence", root, keys, e);
	if (r == 0)
		r = parse_nonce(root, out, e);
	return r < 0 ? r : parse_tee(root, out, e);
}

static int parse_agent(const json_t *root, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "name", "public_key", NULL };
	const json_t *agent = NULL;
	int r = json_get_object("evidence", root, "agent", 1, &agent, e);

	if (r == 0)
		r = json_only_keys("evidence.agent", agent, keys, e);
	if (r == 0)
		r = expect_text("evidence.agent", agent, "name", "pavise-agent", e);
	if (r == 0)
		r = json_get_base64("evidence.agent", agent, "public_key", 1, out->public_key,
				    sizeof(out->public_key), &out->public_key_size, e);
	return r;
}

static int parse_vtpm(const json_t *vtpm, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "placement", "ak_public", "quote",
					    "signature", "pcrs",      NULL };
	static const char path[] = "evidence.vtpm";
	const json_t *pcrs = NULL;
	int r = json_only_keys(path, vtpm, keys, e);

	if (r == 0)
		r = expect_text(path, vtpm, "placement", "host", e);
	if (r == 0)
		r = json_get_base64(path, vtpm, "ak_public", 1, out->ak_public,
				    sizeof(out->ak_public), &out->ak_public_size, e);
	if (r == 0)
		r = json_get_base64(path, vtpm, "quote", 1, out->quote, sizeof(out->quote),
				    &out->quote_size, e);
	if (r == 0)
		r = json_get_base64(path, vtpm, "signature", 1, out->signature,
				    sizeof(out->signature), &out->signature_size, e);
	if (r == 0)
		r = json_get_object(path, vtpm, "pcrs", 1, &pcrs, e);
	if (r == 0)
		r = json_pcrs_parse("evidence.vtpm.pcrs", pcrs, out->pcrs, e);
	if (r == 0 &&
	    (out->ak_public_size == 0 || out->quote_size == 0 || out->signature_size == 0))
		return err_set(e, EX_MALFORMED, "%s: key, quote or signature is empty", path);
	return r;
}

static int parse_log(const json_t *root, struct evidence *out, struct err *e)
{
	const char *unused = NULL;
	int r;

	if (out->has_vtpm)
		return json_get_base64("evidence", root, "event_log", 1, out->event_log,
				       sizeof(out->event_log), &out->event_log_size, e);
	r = json_get_string("evidence", root, "event_log", 0, &unused, e);
	if (r == 0 && unused != NULL)
		return err_set(e, EX_MALFORMED, "evidence: \"event_log\" without \"vtpm\"");
	return r;
}

static int copy_claim(const json_t *claims, const char *key, char *out, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string("evidence.host_claims", claims, key, 0, &text, e);

	if (r < 0 || text == NULL)
		return r;
	if (strlen(text) > EVIDENCE_TEXT_MAX)
		return err_set(e, EX_MALFORMED,
			       "evidence.host_claims: \"%s\" is longer than %u bytes", key,
			       EVIDENCE_TEXT_MAX);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* Which defences the host says it lacks. Any words: newer hosts may know more of them. */
static int copy_missing(const json_t *claims, char *out, struct err *e)
{
	static const char path[] = "evidence.host_claims";
	const json_t *list = NULL;
	size_t used = 0;
	int r = json_get_array(path, claims, "missing", 0, &list, e);

	if (r < 0 || list == NULL)
		return r;
	if (json_array_size(list) > EVIDENCE_MISSING_MAX)
		return err_set(e, EX_MALFORMED, "%s: \"missing\" has more than %u entries", path,
			       EVIDENCE_MISSING_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		size_t n = text == NULL ? 0 : strlen(text);
		if (n == 0 || n > EVIDENCE_TEXT_MAX)
			return err_set(e, EX_MALFORMED, "%s: \"missing\" holds what is no text of "
				       "1 to %u bytes", path, EVIDENCE_TEXT_MAX);
		if (used > 0) {
			memcpy(out + used, ", ", 2);
			used += 2;
		}
		memcpy(out + used, text, n);
		used += n;
	}
	out[used] = '\0';
	return 0;
}

static int parse_claims(const json_t *root, struct evidence *out, struct err *e)
{
	static const char *const keys[] = { "vm", "isolation", "missing", NULL };
	const json_t *claims = NULL;
	int r = json_get_object("evidence", root, "host_claims", 0, &claims, e);

	if (r < 0 || claims == NULL)
		return r;
	r = json_only_keys("evidence.host_claims", claims, keys, e);
	if (r == 0)
		r = copy_claim(claims, "vm", out->claim_vm, e);
	if (r == 0)
		r = copy_claim(claims, "isolation", out->claim_isolation, e);
	if (r == 0)
		r = copy_missing(claims, out->claim_missing, e);
	return r;
}

/* The vendors' own signatures are in it: who put it there does not matter. */
static int copy_collateral(const json_t *root, struct evidence *out, struct err *e)
{
	const json_t *j = NULL;
	int r = json_get_object("evidence", root, "collateral", 0, &j, e);

	if (r < 0 || j == NULL)
		return r;
	out->collateral = json_dumps(j, JSON_COMPACT);
	if (out->collateral == NULL)
		return err_set(e, EX_HOST, "out of memory");
	out->collateral_size = strlen(out->collateral);
	return 0;
}

static int parse_all(const json_t *root, struct evidence *out, struct err *e)
{
	const json_t *vtpm = NULL;
	int r = parse_head(root, out, e);

	if (r == 0)
		r = parse_agent(root, out, e);
	if (r == 0)
		r = json_get_object("evidence", root, "vtpm", 0, &vtpm, e);
	out->has_vtpm = vtpm != NULL;
	if (r == 0 && vtpm != NULL)
		r = parse_vtpm(vtpm, out, e);
	if (r == 0)
		r = parse_log(root, out, e);
	if (r == 0)
		r = parse_claims(root, out, e);
	if (r == 0)
		r = copy_collateral(root, out, e);
	return r;
}

int evidence_parse(const char *object, const char *text, size_t size, struct evidence *out,
		   struct err *e)
{
	json_t *root;

	memset(out, 0, sizeof(*out));
	if (size > EVIDENCE_FILE_MAX)
		return err_set(e, EX_MALFORMED, "evidence %s: larger than 1 MiB", object);
	int r = json_parse(object, text, size, &root, e);
	if (r < 0)
		return r;
	r = parse_all(root, out, e);
	json_decref(root);
	return r;
}

void evidence_free(struct evidence *ev)
{
	free(ev->collateral);
	ev->collateral = NULL;
}
