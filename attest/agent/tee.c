#include "attest/agent/tee.h"

#include "common/bytes.h"

#include <string.h>

/* Quotes (Intel TDX DCAP Quoting Library API, appendix A.3, A.4): header, in version 5 what kind of
 * body, body. */
#define QUOTE_HEADER 48u
#define QUOTE_DESCRIPTOR 6u
#define QUOTE_BODY 584u
#define BODY_REPORT_DATA 520u

static int check_data(const uint8_t *have, const uint8_t data[TEE_DATA], struct err *e)
{
	if (memcmp(have, data, TEE_DATA) != 0)
		return err_set(e, EX_GUEST, "TEE: the report is about other data: another program "
			       "asked at the same time: try again");
	return 0;
}

static int check_quote(const uint8_t *quote, size_t size, const uint8_t data[TEE_DATA],
		       struct err *e)
{
	struct reader r = reader_over(quote, size);
	uint16_t version = read_le16(&r);
	size_t body = QUOTE_HEADER + (version >= 5 ? QUOTE_DESCRIPTOR : 0);

	if (size > TEE_QUOTE_MAX || version < 4 || version > 5 || size < body + QUOTE_BODY)
		return err_set(e, EX_GUEST, "TEE: %zu bytes that are no quote of version 4 or 5",
			       size);
	return check_data(quote + body + BODY_REPORT_DATA, data, e);
}

int tee_check_report(enum tee_kind kind, const uint8_t *report, size_t size,
		     const uint8_t data[TEE_DATA], struct err *e)
{
	if (kind == TEE_TDX)
		return check_quote(report, size, data, e);
	if (size != TEE_SNP_REPORT)
		return err_set(e, EX_GUEST, "TEE: a report of %zu bytes instead of %u", size,
			       TEE_SNP_REPORT);
	return check_data(report + TEE_SNP_REPORT_DATA, data, e);
}
