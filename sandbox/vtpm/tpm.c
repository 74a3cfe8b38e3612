#include "sandbox/vtpm/tpm.h"

#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_rc.h>

#define PCR_BYTES 3 /* a selection of 24 PCRs, the number a PC client has */

/* The empty password: a platform hierarchy begins with it. */
static const TSS2L_SYS_AUTH_COMMAND empty_password = {
	.count = 1,
	.auths = { { .sessionHandle = TPM2_RS_PW } },
};

static int check(const struct tpm *t, const char *command, TSS2_RC rc, struct err *e)
{
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	if (t->tcti.err.status != EX_OK)
		return err_set(e, (enum exit_status)t->tcti.err.status, "%s (%s)", t->tcti.err.text,
			       command);
	return err_set(e, EX_HOST, "vtpm: %s: %s", command, Tss2_RC_Decode(rc));
}

int tpm_open(struct tpm *t, int data_fd, int timeout_ms, struct err *e)
{
	TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
	size_t size = Tss2_Sys_GetContextSize(0);

	tcti_fd_init(&t->tcti, data_fd, timeout_ms);
	t->sys = calloc(1, size);
	if (t->sys == NULL)
		return err_set(e, EX_HOST, "vtpm: no memory");
	return check(t, "Tss2_Sys_Initialize",
		     Tss2_Sys_Initialize(t->sys, size, tcti_fd_context(&t->tcti), &abi), e);
}

void tpm_close(struct tpm *t)
{
	if (t->sys != NULL)
		Tss2_Sys_Finalize(t->sys);
	free(t->sys);
	t->sys = NULL;
}

int tpm_startup_clear(struct tpm *t, struct err *e)
{
	return check(t, "TPM2_Startup", Tss2_Sys_Startup(t->sys, TPM2_SU_CLEAR), e);
}

int tpm_shutdown_clear(struct tpm *t, struct err *e)
{
	return check(t, "TPM2_Shutdown",
		     Tss2_Sys_Shutdown(t->sys, NULL, TPM2_SU_CLEAR, NULL), e);
}

static int wanted_bank(TPM2_ALG_ID alg)
{
	return alg == TPM2_ALG_SHA256 || alg == TPM2_ALG_SHA384;
}

/* The banks this TPM implements, with the PCRs each has now. */
static int get_banks(struct tpm *t, TPML_PCR_SELECTION *out, struct err *e)
{
	TPMS_CAPABILITY_DATA data = { 0 };
	TPMI_YES_NO more = 0;
	TSS2_RC r = Tss2_Sys_GetCapability(t->sys, NULL, TPM2_CAP_PCRS, 0, TPM2_NUM_PCR_BANKS,
					   &more, &data, NULL);
	int rc = check(t, "TPM2_GetCapability(PCRS)", r, e);

	if (rc < 0)
		return rc;
	if (more || data.capability != TPM2_CAP_PCRS || data.data.assignedPCR.count == 0 ||
	    data.data.assignedPCR.count > TPM2_NUM_PCR_BANKS)
		return err_set(e, EX_HOST, "vtpm: TPM2_GetCapability(PCRS): not a list of banks");
	*out = data.data.assignedPCR;
	return 0;
}

int tpm_allocate_banks(struct tpm *t, struct err *e)
{
	TSS2L_SYS_AUTH_RESPONSE response = { 0 };
	TPML_PCR_SELECTION banks = { 0 };
	UINT32 most, needed, available;
	TPMI_YES_NO done = 0;
	int rc = get_banks(t, &banks, e);

	if (rc < 0)
		return rc;
	/* A bank that is not named keeps its PCRs: name all there are. */
	for (UINT32 i = 0; i < banks.count; i++) {
		TPMS_PCR_SELECTION *s = &banks.pcrSelections[i];

		s->sizeofSelect = PCR_BYTES;
		memset(s->pcrSelect, wanted_bank(s->hash) ? 0xff : 0, PCR_BYTES);
	}
	rc = check(t, "TPM2_PCR_Allocate",
		   Tss2_Sys_PCR_Allocate(t->sys, TPM2_RH_PLATFORM, &empty_password, &banks, &done,
					 &most, &needed, &available, &response), e);
	if (rc == 0 && !done)
		return err_set(e, EX_HOST, "vtpm: TPM2_PCR_Allocate: no room for both banks");
	return rc;
}

int tpm_check_banks(struct tpm *t, struct err *e)
{
	static const BYTE all[PCR_BYTES] = { 0xff, 0xff, 0xff };
	TPML_PCR_SELECTION banks = { 0 };
	unsigned found = 0;
	int rc = get_banks(t, &banks, e);

	if (rc < 0)
		return rc;
	for (UINT32 i = 0; i < banks.count; i++) {
		const TPMS_PCR_SELECTION *s = &banks.pcrSelections[i];
		int wanted = wanted_bank(s->hash), any = 0, full;

		if (s->sizeofSelect > TPM2_PCR_SELECT_MAX)
			return err_set(e, EX_HOST, "vtpm: bank %#x: malformed selection", s->hash);
		for (unsigned k = 0; k < s->sizeofSelect; k++)
			any |= s->pcrSelect[k];
		full = s->sizeofSelect == PCR_BYTES && memcmp(s->pcrSelect, all, PCR_BYTES) == 0;
		if (wanted ? !full : any)
			return err_set(e, EX_HOST, "vtpm: bank %#x: %s", s->hash, wanted ?
				       "lacks PCRs" : "is active although it was switched off");
		found += (unsigned)wanted;
	}
	if (found != 2)
		return err_set(e, EX_HOST,
			       "vtpm: this swtpm lacks the SHA-256 or the SHA-384 bank");
	return 0;
}

int tpm_check_pcr0(struct tpm *t, TPM2_ALG_ID alg, const void *want, size_t size, struct err *e)
{
	TPML_PCR_SELECTION in = { .count = 1 }, out = { 0 };
	char is_hex[2 * sizeof(TPMU_HA) + 1], want_hex[2 * sizeof(TPMU_HA) + 1];
	TPML_DIGEST digest = { 0 };
	UINT32 updates;
	int rc;

	in.pcrSelections[0] = (TPMS_PCR_SELECTION){ .hash = alg, .sizeofSelect = PCR_BYTES,
						    .pcrSelect = { 1 } };
	rc = check(t, "TPM2_PCR_Read",
		   Tss2_Sys_PCR_Read(t->sys, NULL, &in, &updates, &out, &digest, NULL), e);
	if (rc < 0)
		return rc;
	if (digest.count != 1 || digest.digests[0].size != size || size > sizeof(TPMU_HA))
		return err_set(e, EX_HOST, "vtpm: PCR 0 of bank %#x: cannot be read", alg);
	if (memcmp(digest.digests[0].buffer, want, size) == 0)
		return 0;
	hex_encode(digest.digests[0].buffer, size, is_hex);
	hex_encode(want, size, want_hex);
	return err_set(e, EX_HOST,
		       "vtpm: PCR 0 of bank %#x is %s, H-CRTM over the firmware makes it "
		       "%s: this swtpm does not measure what it is given",
		       alg, is_hex, want_hex);
}

int tpm_disable_platform(struct tpm *t, struct err *e)
{
	TSS2L_SYS_AUTH_RESPONSE response = { 0 };

	return check(t, "TPM2_HierarchyControl",
		     Tss2_Sys_HierarchyControl(t->sys, TPM2_RH_PLATFORM, &empty_password,
					       TPM2_RH_PLATFORM, TPM2_NO, &response), e);
}
