#include "attest/appraise/policy_pcrs.h"

#include "common/bytes.h"
#include "common/json.h"

#include <openssl/crypto.h>
#include <string.h>

static const uint16_t algs[POLICY_PCR_BANKS] = { TPM_ALG_SHA256, TPM_ALG_SHA384 };

uint16_t policy_pcrs_alg(unsigned bank)
{
	return algs[bank];
}

bool policy_pcrs_given(const struct policy_pcrs *p)
{
	return (p->bank[0].given | p->bank[1].given) != 0;
}

static int pcr_of(const char *key)
{
	char canonical[12];

	for (int i = 0; i < (int)TPM_PCR_COUNT; i++) {
		snprintf(canonical, sizeof(canonical), "%d", i);
		if (strcmp(canonical, key) == 0)
			return i;
	}
	return -1;
}

static int read_pcr(const char *path, const char *key, const json_t *list, unsigned bank,
		    struct policy_pcrs *out, struct err *e)
{
	size_t n = json_array_size(list);
	int pcr = pcr_of(key);

	if (pcr < 0)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not a PCR 0 to 23", path, key);
	if (n == 0 || n > POLICY_PCR_VALUES)
		return err_set(e, EX_MALFORMED, "%s: PCR %d: not a list of 1 to %u values", path,
			       pcr, POLICY_PCR_VALUES);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL ||
		    !hex_decode(text, out->bank[bank].value[pcr][i], tpm_alg_size(algs[bank])))
			return err_set(e, EX_MALFORMED,
				       "%s: PCR %d: value %zu is not %zu bytes in hexadecimal",
				       path, pcr, i, tpm_alg_size(algs[bank]));
	}
	out->bank[bank].count[pcr] = (uint8_t)n;
	out->bank[bank].given |= 1u << pcr;
	return 0;
}

int policy_pcrs_read(const char *path, const json_t *object, struct policy_pcrs *out, struct err *e)
{
	static const char *const keys[] = { "sha256", "sha384", NULL };
	const char *key;
	json_t *list;

	memset(out, 0, sizeof(*out));
	if (json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return err_set(e, EX_MALFORMED, "%s: not an object", path);
	int r = json_only_keys(path, object, keys, e);
	for (unsigned bank = 0; r == 0 && bank < POLICY_PCR_BANKS; bank++) {
		const json_t *values = NULL;
		r = json_get_object(path, object, keys[bank], 0, &values, e);
		if (r < 0 || values == NULL)
			continue;
		json_object_foreach((json_t *)values, key, list)
		{
			r = read_pcr(path, key, list, bank, out, e);
			if (r < 0)
				return r;
		}
	}
	return r;
}

static void print_bank(FILE *f, const struct policy_pcrs *p, unsigned bank)
{
	char hex[2 * 48 + 1];
	const char *between = "";

	for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		if ((p->bank[bank].given >> pcr & 1) == 0)
			continue;
		fprintf(f, "%s\"%u\": [", between, pcr);
		for (unsigned i = 0; i < p->bank[bank].count[pcr]; i++) {
			hex_encode(p->bank[bank].value[pcr][i], tpm_alg_size(algs[bank]), hex);
			fprintf(f, "%s\"%s\"", i == 0 ? "" : ", ", hex);
		}
		fputc(']', f);
		between = ", ";
	}
}

void policy_pcrs_print(FILE *f, const struct policy_pcrs *p)
{
	const char *between = "";

	fputc('{', f);
	for (unsigned bank = 0; bank < POLICY_PCR_BANKS; bank++) {
		if (p->bank[bank].given == 0)
			continue;
		fprintf(f, "%s\"%s\": {", between, tpm_alg_name(algs[bank]));
		print_bank(f, p, bank);
		fputc('}', f);
		between = ", ";
	}
	fputc('}', f);
}

bool policy_pcrs_accept(const struct policy_pcrs *p, unsigned bank, unsigned pcr,
			const uint8_t *value)
{
	bool found = false;

	for (unsigned i = 0; i < p->bank[bank].count[pcr]; i++)
		found |= CRYPTO_memcmp(p->bank[bank].value[pcr][i], value,
				       tpm_alg_size(algs[bank])) == 0;
	return found;
}
