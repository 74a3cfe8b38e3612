#include "attest/tpm/pcrs.h"

#include "common/bytes.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tpm_pcr_bank *tpm_pcrs_bank(const struct tpm_pcrs *p, uint16_t alg)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->bank[i].alg == alg)
			return &p->bank[i];
	return NULL;
}

static int bad_value(const char *bank, unsigned pcr, struct err *e)
{
	return err_set(e, EX_MALFORMED, "PCR values: %s: PCR %u: not a digest in hexadecimal", bank,
		       pcr);
}

static int take_value(const char *name, const json_t *j, unsigned pcr, struct tpm_pcr_bank *bank,
		      struct err *e)
{
	const char *text = json_string_value(j);

	if (text == NULL || !hex_decode(text, bank->value[pcr], tpm_alg_size(bank->alg)))
		return bad_value(name, pcr, e);
	bank->given |= 1u << pcr;
	return 0;
}

static int take_list(const char *name, const json_t *list, struct tpm_pcr_bank *bank, struct err *e)
{
	int r = 0;

	if (json_array_size(list) > TPM_PCR_COUNT)
		return err_set(e, EX_MALFORMED, "PCR values: %s: more than 24", name);
	for (unsigned i = 0; r == 0 && i < json_array_size(list); i++)
		r = take_value(name, json_array_get(list, i), i, bank, e);
	return r;
}

/* Keys are "0" to "23", nothing else: no "07", no " 7". */
static int take_object(const char *name, const json_t *object, struct tpm_pcr_bank *bank,
		       struct err *e)
{
	char key[4];
	size_t found = 0;

	for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
		snprintf(key, sizeof(key), "%u", i);
		const json_t *j = json_object_get(object, key);
		if (j == NULL)
			continue;
		found++;
		int r = take_value(name, j, i, bank, e);
		if (r < 0)
			return r;
	}
	if (found != json_object_size(object))
		return err_set(e, EX_MALFORMED, "PCR values: %s: a key that is not 0 to 23", name);
	return 0;
}

static int take_banks(const json_t *root, struct tpm_pcrs *out, struct err *e)
{
	void *it = json_object_iter((json_t *)root);

	for (; it != NULL; it = json_object_iter_next((json_t *)root, it)) {
		const char *name = json_object_iter_key(it);
		const json_t *values = json_object_iter_value(it);
		uint16_t alg = tpm_alg_from_name(name);
		if (alg == 0 || out->count == TPM_SELECTION_MAX)
			return err_set(e, EX_MALFORMED, "PCR values: no such bank: \"%.16s\"",
				       name);
		struct tpm_pcr_bank *bank = &out->bank[out->count++];
		bank->alg = alg;
		int r = json_is_array(values)	 ? take_list(name, values, bank, e)
			: json_is_object(values) ? take_object(name, values, bank, e)
						 : bad_value(name, 0, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_json(const uint8_t *data, size_t size, struct tpm_pcrs *out, struct err *e)
{
	json_t *root = NULL;
	int r = json_parse("PCR values", (const char *)data, size, &root, e);

	if (r < 0)
		return r;
	const json_t *inner = json_object_get(root, "pcrs");
	bool wrapped = json_is_object(inner) && json_object_size(root) == 1;
	r = take_banks(wrapped ? inner : root, out, e);
	json_decref(root);
	return r;
}

static unsigned count_bits(uint32_t v)
{
	return (unsigned)__builtin_popcount(v);
}

/* Sizes: of the selected values, and of 24 when there is one bank. Which one is it? 0: neither. */
static uint32_t raw_mask(const struct tpm_quote *q, size_t size, uint32_t i, size_t selected)
{
	if (size == selected)
		return q->selection[i].pcrs;
	if (q->selection_count == 1 && size == TPM_PCR_COUNT * tpm_alg_size(q->selection[0].alg))
		return (1u << TPM_PCR_COUNT) - 1;
	return 0;
}

static int parse_raw(const uint8_t *data, size_t size, const struct tpm_quote *q,
		     struct tpm_pcrs *out, struct err *e)
{
	struct reader r = reader_over(data, size);
	size_t selected = 0;
	bool sized = false;

	for (uint32_t i = 0; i < q->selection_count; i++) {
		size_t n = tpm_alg_size(q->selection[i].alg);
		if (n == 0 && q->selection[i].pcrs != 0)
			return err_set(e, EX_MALFORMED,
				       "PCR values: the quote selects a bank 0x%04x that is not "
				       "computed here",
				       q->selection[i].alg);
		selected += n * count_bits(q->selection[i].pcrs);
	}
	for (uint32_t i = 0; i < q->selection_count; i++) {
		struct tpm_pcr_bank *bank = &out->bank[out->count++];
		bank->alg = q->selection[i].alg;
		bank->given = raw_mask(q, size, i, selected);
		sized |= bank->given != 0;
		for (unsigned n = 0; n < TPM_PCR_COUNT; n++)
			if ((bank->given >> n & 1) != 0)
				read_copy(&r, bank->value[n], tpm_alg_size(bank->alg));
	}
	if (!sized || r.bad || reader_left(&r) != 0)
		return err_set(e, EX_MALFORMED,
			       "PCR values: %zu bytes: no JSON, and the quote selects %zu bytes of "
			       "values",
			       size, selected);
	return 0;
}

int tpm_pcrs_parse(const uint8_t *data, size_t size, const struct tpm_quote *q,
		   struct tpm_pcrs *out, struct err *e)
{
	struct err text = { 0 }, raw = { 0 };
	size_t i = 0;

	memset(out, 0, sizeof(*out));
	if (size > TPM_PCRS_FILE_MAX)
		return err_set(e, EX_MALFORMED, "PCR values: larger than %u bytes",
			       TPM_PCRS_FILE_MAX);
	while (i < size &&
	       (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r'))
		i++;
	bool maybe_text = i < size && data[i] == '{';
	if (maybe_text && parse_json(data, size, out, &text) == 0)
		return 0;
	/* A digest may begin with '{', too. */
	memset(out, 0, sizeof(*out));
	int r = parse_raw(data, size, q, out, &raw);
	if (r == 0)
		return 0;
	return err_set(e, EX_MALFORMED, "%s", maybe_text ? text.text : raw.text);
}

/* The values of one bank that the quote selects. */
static int hash_bank(EVP_MD_CTX *md, const struct tpm_pcrs *p, uint16_t alg, uint32_t selected,
		     struct err *e)
{
	const struct tpm_pcr_bank *bank = tpm_pcrs_bank(p, alg);
	size_t n = tpm_alg_size(alg);

	if (selected == 0)
		return 0;
	if (bank == NULL || (selected & ~bank->given) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "bank 0x%04x: PCRs %06x are quoted, no values of them are given",
			       alg, bank == NULL ? selected : selected & ~bank->given);
	for (unsigned i = 0; i < TPM_PCR_COUNT; i++)
		if ((selected >> i & 1) != 0 && !EVP_DigestUpdate(md, bank->value[i], n))
			return err_set(e, EX_INTERNAL, "PCR values: libcrypto refuses to hash");
	return 0;
}

int tpm_pcrs_digest(const struct tpm_pcrs *p, const struct tpm_quote *q, uint16_t hash,
		    uint8_t *out, struct err *e)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int r = 0;

	if (md == NULL || !EVP_DigestInit_ex(md, tpm_alg_md(hash), NULL))
		r = err_set(e, EX_INTERNAL, "PCR values: libcrypto refuses to hash");
	for (uint32_t i = 0; r == 0 && i < q->selection_count; i++)
		r = hash_bank(md, p, q->selection[i].alg, q->selection[i].pcrs, e);
	if (r == 0 && !EVP_DigestFinal_ex(md, out, NULL))
		r = err_set(e, EX_INTERNAL, "PCR values: libcrypto refuses to hash");
	EVP_MD_CTX_free(md);
	return r;
}
