#include "model/tdx_sim/qgs.h"

#include "common/bytes.h"

#include <string.h>

#define HEADER 16u
#define MAJOR 1u
#define MINOR 1u
#define NOTHING 24u /* bytes of an answer without a quote */

int tdx_qgs_request_size(const uint8_t *data, size_t have)
{
	struct reader r = reader_over(data, have);
	uint32_t size = read_be32(&r);

	if (r.bad)
		return 0;
	/* The only request that is understood has one size; a header is needed to say more. */
	if (size < HEADER || size > TDX_QGS_REQUEST_SIZE - QGS_FRAME)
		return -1;
	return (int)(QGS_FRAME + size);
}

/* In the order in which the fields stand. */
static enum qgs_error check(struct reader *r, const uint8_t **report)
{
	uint32_t frame = read_be32(r);
	uint16_t major = read_le16(r), minor = read_le16(r);
	uint32_t type = read_le32(r), size = read_le32(r), error = read_le32(r);

	if (major != MAJOR || minor != MINOR)
		return QGS_INVALID_VERSION;
	if (type != QGS_GET_QUOTE_REQ)
		return QGS_INVALID_TYPE;
	if (size != frame || frame != r->size - QGS_FRAME)
		return QGS_INVALID_SIZE;
	if (error != 0)
		return QGS_INVALID_CODE;
	uint32_t report_size = read_le32(r), id_size = read_le32(r);
	*report = read_view(r, TDX_WIRE_REPORT_SIZE);
	if (report_size != TDX_WIRE_REPORT_SIZE || id_size != 0 || *report == NULL ||
	    reader_left(r) != 0)
		return QGS_INVALID_PARAMETER;
	return QGS_OK;
}

void tdx_qgs_answer(const struct tdx_sim *s, const uint8_t *request, size_t request_size,
		uint8_t answer[TDX_QGS_ANSWER_MAX], size_t *size)
{
	struct reader r = reader_over(request, request_size);
	const uint8_t *report = NULL;
	enum qgs_error error = check(&r, &report);
	struct writer w = writer_over(answer, TDX_QGS_ANSWER_MAX);
	size_t quote = 0;

	if (error == QGS_OK && !tdx_report_check(s, report))
		error = QGS_UNEXPECTED;
	if (error == QGS_OK) {
		quote = tdx_quote_make(s, report, answer + QGS_FRAME + NOTHING);
		error = quote > 0 ? QGS_OK : QGS_UNEXPECTED;
	}
	write_be32(&w, (uint32_t)(NOTHING + quote));
	write_le16(&w, MAJOR);
	write_le16(&w, MINOR);
	write_le32(&w, QGS_GET_QUOTE_RESP);
	write_le32(&w, (uint32_t)(NOTHING + quote));
	write_le32(&w, (uint32_t)error);
	write_le32(&w, 0); /* no id was asked for */
	write_le32(&w, (uint32_t)quote);
	*size = QGS_FRAME + NOTHING + quote;
}
