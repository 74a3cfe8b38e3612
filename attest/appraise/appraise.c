#include "attest/appraise/request.h"

#include "attest/appraise/appraise_common.h"

/* How each kind of evidence is appraised; a kind without a function is a bug of the caller. */
static int (*const kinds[])(const struct request *, struct checks *, struct err *) = {
	[REQUEST_BUNDLE] = appraise_bundle,
	[REQUEST_SNP] = appraise_snp,
	[REQUEST_TDX] = appraise_tdx,
	[REQUEST_TPM] = appraise_tpm,
};

int appraise(const struct request *r, struct checks *out, struct err *e)
{
	unsigned kind = (unsigned)r->kind;

	if (kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind] == NULL)
		return err_set(e, EX_INTERNAL, "request: no appraisal for evidence of kind %u",
			       kind);
	return kinds[kind](r, out, e);
}
