#include "attest/agent/tee.h"

#include <string.h>

int tee_check_report(const uint8_t *report, size_t size, const uint8_t data[TEE_DATA],
		     struct err *e)
{
	if (size != TEE_SNP_REPORT)
		return err_set(e, EX_GUEST, "TEE: a report of %zu bytes instead of %u", size,
			       TEE_SNP_REPORT);
	if (memcmp(report + TEE_SNP_REPORT_DATA, data, TEE_DATA) != 0)
		return err_set(e, EX_GUEST, "TEE: the report is about other data: another program "
			       "asked at the same time: try again");
	return 0;
}
