/* The wire of Intel's Quote Generation Service: frames of a 4-byte length, big endian, and a
 * message, little endian (its version 1.1). One request and one answer a connection. */
#ifndef PAVISE_MODEL_TDX_SIM_QGS_H
#define PAVISE_MODEL_TDX_SIM_QGS_H

#include "model/tdx_sim/module.h"

#define QGS_FRAME 4u
#define TDX_QGS_REQUEST_SIZE (QGS_FRAME + 24u + TDX_WIRE_REPORT_SIZE)
#define TDX_QGS_ANSWER_MAX (QGS_FRAME + 24u + TDX_SIM_QUOTE_MAX)

enum qgs_type { QGS_GET_QUOTE_REQ = 0, QGS_GET_QUOTE_RESP = 1 };

enum qgs_error {
	QGS_OK = 0,
	QGS_UNEXPECTED = 0x12001,
	QGS_INVALID_PARAMETER = 0x12003,
	QGS_INVALID_VERSION = 0x12004,
	QGS_INVALID_TYPE = 0x12005,
	QGS_INVALID_SIZE = 0x12006,
	QGS_INVALID_CODE = 0x12007,
};

/* How many bytes the whole request has of which the first `have` are at data: 0: not known yet;
 * -1: no request is like this, the connection ends. */
int tdx_qgs_request_size(const uint8_t *data, size_t have);

/* Answers one whole frame; *size is what to send of answer: a quote or an error. Reports of other
 * platforms, by their MAC, get QGS_UNEXPECTED. */
void tdx_qgs_answer(const struct tdx_sim *s, const uint8_t *request, size_t request_size,
		uint8_t answer[TDX_QGS_ANSWER_MAX], size_t *size);

#endif
