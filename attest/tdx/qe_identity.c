#include "attest/tdx/qe_identity.h"

#include "common/json.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <string.h>

static void reverse(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t b = bytes[i];
		bytes[i] = bytes[n - 1 - i];
		bytes[n - 1 - i] = b;
	}
}

static int check_kind(const char *object, const json_t *j, struct err *e)
{
	const char *id = NULL;
	uint64_t version = 0;
	int r = json_get_string(object, j, "id", 1, &id, e);

	if (r == 0 && strcmp(id, "TD_QE") != 0)
		return err_set(e, EX_MALFORMED,
			       "%s: the identity of another enclave than \"TD_QE\": get the one "
			       "for TDX",
			       object);
	if (r == 0)
		r = json_get_u64(object, j, "version", 1, &version, e);
	if (r == 0 && version != 2)
		return err_set(e, EX_MALFORMED,
			       "%s: version %llu of an enclave's identity: only 2 is understood",
			       object, (unsigned long long)version);
	return r;
}

static int read_numbers(const char *object, const json_t *j, struct qe_identity *out, struct err *e)
{
	uint64_t number = 0, product = 0;
	int r = json_get_u64(object, j, "tcbEvaluationDataNumber", 1, &number, e);

	if (r == 0)
		r = json_get_u64(object, j, "isvprodid", 1, &product, e);
	if (r == 0 && (number > UINT32_MAX || product > UINT16_MAX))
		return err_set(e, EX_MALFORMED, "%s: a number is out of bounds", object);
	out->evaluation = (uint32_t)number;
	out->isv_prod_id = (uint16_t)product;
	return r;
}

static int read_masks(const char *object, const json_t *j, struct qe_identity *out, struct err *e)
{
	const struct {
		const char *key;
		uint8_t *out;
		size_t n;
	} field[] = {
		{ "miscselect", out->misc_select, sizeof(out->misc_select) },
		{ "miscselectMask", out->misc_select_mask, sizeof(out->misc_select_mask) },
		{ "attributes", out->attributes, sizeof(out->attributes) },
		{ "attributesMask", out->attributes_mask, sizeof(out->attributes_mask) },
		{ "mrsigner", out->mrsigner, sizeof(out->mrsigner) },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(field) / sizeof(field[0]); i++)
		r = json_get_hex(object, j, field[i].key, 1, field[i].out, field[i].n, e);
	/* Taken as a number, as SGX has it; every value that Intel has published reads the same
	 * both ways. */
	reverse(out->misc_select, sizeof(out->misc_select));
	reverse(out->misc_select_mask, sizeof(out->misc_select_mask));
	return r;
}

int qe_identity_parse(const char *object, const char *text, size_t size, struct qe_identity *out,
		      struct err *e)
{
	static const char *const keys[] = { "id",
					    "version",
					    "issueDate",
					    "nextUpdate",
					    "tcbEvaluationDataNumber",
					    "miscselect",
					    "miscselectMask",
					    "attributes",
					    "attributesMask",
					    "mrsigner",
					    "isvprodid",
					    "tcbLevels",
					    NULL };

	memset(out, 0, sizeof(*out));
	int r = json_parse(object, text, size, &out->document, e);
	const json_t *j = out->document;
	if (r < 0)
		return r;
	r = check_kind(object, j, e);
	if (r == 0)
		r = json_only_keys(object, j, keys, e);
	if (r == 0)
		r = tcb_read_time(object, j, "issueDate", &out->issued, e);
	if (r == 0)
		r = tcb_read_time(object, j, "nextUpdate", &out->next_update, e);
	if (r == 0)
		r = read_numbers(object, j, out, e);
	if (r == 0)
		r = read_masks(object, j, out, e);
	if (r == 0)
		r = tcb_read_svn_levels(object, j, out->level, &out->levels, e);
	if (r < 0)
		qe_identity_free(out);
	return r;
}

void qe_identity_free(struct qe_identity *q)
{
	json_decref(q->document);
	memset(q, 0, sizeof(*q));
}

/* The report's bits under the mask must be the identity's, which has none outside it. */
static bool masked_equal(const uint8_t *have, const uint8_t *need, const uint8_t *mask, size_t n)
{
	unsigned differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= (unsigned)((have[i] & mask[i]) ^ need[i]);
	return differ == 0;
}

int qe_identity_check(const struct qe_identity *q, const struct qe_claims *r, struct err *e)
{
	if (!masked_equal(r->misc_select, q->misc_select, q->misc_select_mask, 4))
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: MISCSELECT is not the quoting enclave's");
	if (!masked_equal(r->attributes, q->attributes, q->attributes_mask, 16))
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: ATTRIBUTES are not the quoting enclave's");
	if (CRYPTO_memcmp(r->mrsigner, q->mrsigner, sizeof(q->mrsigner)) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: MRSIGNER is not the quoting enclave's");
	if (r->isv_prod_id != q->isv_prod_id)
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: ISVPRODID is %u, the quoting enclave's %u",
			       r->isv_prod_id, q->isv_prod_id);
	return 0;
}
