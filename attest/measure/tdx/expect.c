#include "attest/measure/tdx/expect.h"

#include "attest/tpm/alg.h"

#include <string.h>

const char *tdx_rtmr_meaning(unsigned rtmr)
{
	static const char *const meaning[TDX_EXPECT_RTMRS] = {
		"firmware version, boot block (memory, processors, slots), ACPI tables, hash page",
		"kernel, initrd, kernel command line",
	};

	return rtmr < TDX_EXPECT_RTMRS ? meaning[rtmr] : "not the firmware's";
}

int tdx_expect(const struct expect_base *base, const struct machine *m, struct tdx_expectation *out,
	       struct err *e)
{
	struct fw_log_inputs in;
	struct fw_event ev;
	int r = expect_inputs(base, m, &in, e);

	if (r < 0)
		return r;
	if (base->variant != FW_VARIANT_TDX)
		return err_set(e, EX_INTERNAL, "measurement: no plan of a trust domain");
	if (fw_cc_log_build(&in, out->log, sizeof(out->log), &out->log_size) != 0)
		return err_set(e, EX_INTERNAL, "measurement: the event log does not fit");
	memset(out->rtmr, 0, sizeof(out->rtmr));
	for (unsigned i = 0; fw_cc_event(&in, i, &ev); i++) {
		if (ev.pcr >= TDX_EXPECT_RTMRS)
			return err_set(e, EX_INTERNAL, "measurement: event in RTMR %u", ev.pcr);
		/* TDG.MR.RTMR.EXTEND: SHA-384 of the old value and the digest, as a PCR. */
		if (tpm_pcr_extend(TPM_ALG_SHA384, out->rtmr[ev.pcr], ev.digest.sha384) != 0)
			return err_set(e, EX_INTERNAL, "measurement: libcrypto refuses to hash");
	}
	return 0;
}
