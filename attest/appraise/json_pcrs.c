#include "attest/appraise/json_pcrs.h"

#include "common/json.h"

#include <stdio.h>
#include <string.h>

static int parse_bank(const char *path, const json_t *values, size_t size, struct pcr_values *out,
		      struct err *e)
{
	for (void *it = json_object_iter((json_t *)values); it != NULL;
	     it = json_object_iter_next((json_t *)values, it)) {
		const char *key = json_object_iter_key(it);
		unsigned pcr = 0;
		char canonical[4];
		while (pcr < TPM_PCR_COUNT) {
			snprintf(canonical, sizeof(canonical), "%u", pcr);
			if (strcmp(canonical, key) == 0)
				break;
			pcr++;
		}
		if (pcr == TPM_PCR_COUNT)
			return err_set(e, EX_MALFORMED, "%s: \"%s\" is not a PCR 0..23", path, key);
		int r = json_get_hex(path, values, key, 1, out->value[pcr], size, e);
		if (r < 0)
			return r;
		out->given |= 1u << pcr;
	}
	return 0;
}

int json_pcrs_parse(const char *path, const json_t *banks, struct pcr_values out[EXPECT_BANKS],
		    struct err *e)
{
	static const char *const keys[] = { "sha256", "sha384", NULL };
	int r = json_only_keys(path, banks, keys, e);

	for (unsigned i = 0; i < EXPECT_BANKS && r == 0; i++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)i);
		const json_t *values = NULL;
		char bank_path[128];
		snprintf(bank_path, sizeof(bank_path), "%s.%s", path, tpm_alg_name(alg));
		out[i] = (struct pcr_values){ 0 };
		r = json_get_object(path, banks, tpm_alg_name(alg), 0, &values, e);
		if (r == 0 && values != NULL)
			r = parse_bank(bank_path, values, tpm_alg_size(alg), &out[i], e);
	}
	return r;
}
