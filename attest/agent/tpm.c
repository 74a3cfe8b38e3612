#include "attest/agent/tpm.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

struct agent_tpm {
	ESYS_CONTEXT *esys;
	ESYS_TR ak;
	struct agent_blob ak_public;
};

static int tpm_error(struct err *e, const char *command, TSS2_RC rc)
{
	return err_set(e, EX_GUEST, "TPM: %s failed with 0x%x: is the vTPM running?", command, rc);
}

/* TPM 2.0 Part 2 §12.2.4. No policy, empty authorisation: whoever may use the TPM may quote, and
 * what is quoted says nothing the caller could choose but the nonce's digest. */
static const TPM2B_PUBLIC ak_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = { .scheme = TPM2_ALG_ECDSA,
				    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

static int create_ak(struct agent_tpm *t, struct err *e)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { .size = 0 };
	const TPM2B_DATA outside = { .size = 0 };
	const TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_PUBLIC *public = NULL;

	TSS2_RC rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &ak_template,
					&outside, &no_pcrs, &t->ak, &public, NULL, NULL, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_error(e, "CreatePrimary of the attestation key", rc);
	rc = Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, t->ak_public.data,
					 sizeof(t->ak_public.data), &t->ak_public.size);
	Esys_Free(public);
	return rc == TSS2_RC_SUCCESS ? 0 : tpm_error(e, "marshalling the attestation key", rc);
}

int agent_tpm_open(TSS2_TCTI_CONTEXT *tcti, struct agent_tpm **out, struct err *e)
{
	struct agent_tpm *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, EX_GUEST, "agent: out of memory");
	TSS2_RC rc = Esys_Initialize(&t->esys, tcti, NULL);
	int status = rc == TSS2_RC_SUCCESS ? create_ak(t, e) : tpm_error(e, "Esys_Initialize", rc);
	if (status < 0) {
		agent_tpm_close(t);
		return status;
	}
	*out = t;
	return 0;
}

const struct agent_blob *agent_tpm_ak(const struct agent_tpm *t)
{
	return &t->ak_public;
}

void agent_tpm_close(struct agent_tpm *t)
{
	if (t == NULL)
		return;
	if (t->ak != 0 && t->ak != ESYS_TR_NONE)
		Esys_FlushContext(t->esys, t->ak);
	Esys_Finalize(&t->esys);
	free(t);
}

static const TPM2_ALG_ID bank_alg[AGENT_BANKS] = { TPM2_ALG_SHA256, TPM2_ALG_SHA384 };
static const uint16_t bank_size[AGENT_BANKS] = { 32, 48 };

static int read_bank(struct agent_tpm *t, size_t bank, struct agent_quote *out, struct err *e)
{
	const TPML_PCR_SELECTION select = {
		.count = 1,
		.pcrSelections = { { .hash = bank_alg[bank],
				     .sizeofSelect = 3,
				     .pcrSelect = { 0xff, 0, 0 } } },
	};
	TPML_DIGEST *values = NULL;

	/* Eight digests are what one PCR_Read returns at most (Part 2 §10.9.3). */
	TSS2_RC rc = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &select, NULL,
				   NULL, &values);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_error(e, "PCR_Read", rc);
	int good = values->count == AGENT_PCRS;
	for (size_t i = 0; good && i < AGENT_PCRS; i++) {
		good = values->digests[i].size == bank_size[bank];
		if (good)
			memcpy(out->pcr[bank][i], values->digests[i].buffer, bank_size[bank]);
	}
	Esys_Free(values);
	if (!good)
		return err_set(
			e, EX_GUEST,
			"TPM: a PCR bank is missing: the vTPM must have SHA-256 and SHA-384");
	return 0;
}

static int take_quote(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature,
		      struct agent_quote *out, struct err *e)
{
	if (attest->size > sizeof(out->attest.data))
		return err_set(e, EX_GUEST, "TPM: quote of %u bytes", attest->size);
	memcpy(out->attest.data, attest->attestationData, attest->size);
	out->attest.size = attest->size;
	out->signature.size = 0;
	TSS2_RC rc = Tss2_MU_TPMT_SIGNATURE_Marshal(
		signature, out->signature.data, sizeof(out->signature.data), &out->signature.size);
	return rc == TSS2_RC_SUCCESS ? 0 : tpm_error(e, "marshalling the signature", rc);
}

int agent_tpm_quote(struct agent_tpm *t, const uint8_t extra_data[32], struct agent_quote *out,
		    struct err *e)
{
	const TPML_PCR_SELECTION select = {
		.count = AGENT_BANKS,
		.pcrSelections = {
			{ .hash = bank_alg[0], .sizeofSelect = 3, .pcrSelect = { 0xff, 0, 0 } },
			{ .hash = bank_alg[1], .sizeofSelect = 3, .pcrSelect = { 0xff, 0, 0 } },
		},
	};
	const TPMT_SIG_SCHEME key_default = { .scheme = TPM2_ALG_NULL };
	TPM2B_DATA extra = { .size = 32 };
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *signature = NULL;

	memset(out, 0, sizeof(*out));
	memcpy(extra.buffer, extra_data, 32);
	TSS2_RC rc = Esys_Quote(t->esys, t->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				&extra, &key_default, &select, &attest, &signature);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_error(e, "Quote", rc);
	int status = take_quote(attest, signature, out, e);
	Esys_Free(attest);
	Esys_Free(signature);
	for (size_t bank = 0; status == 0 && bank < AGENT_BANKS; bank++)
		status = read_bank(t, bank, out, e);
	return status;
}
