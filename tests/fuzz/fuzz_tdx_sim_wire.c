/* Both wires of the simulated TDX platform: any bytes are answered within bounds or refused; a
 * report only ever comes out of a finished launch, a quote only ever of a report of ours. */
#include "model/tdx_sim/qgs.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t chain[] = "-----BEGIN CERTIFICATE-----\n";
static uint8_t message[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX + 1];
static uint8_t answer[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
static uint8_t request[TDX_QGS_REQUEST_SIZE + 64], quote[TDX_QGS_ANSWER_MAX];

static void to_module(struct tdx_sim *s, size_t size)
{
	const enum tdx_td_state before = s->td.state;
	struct tdx_header h;
	struct err e = { 0 };
	size_t got = 0;

	if (tdx_sim_handle(s, message, size, answer, &got, &e) != 0)
		return;
	memcpy(&h, answer, sizeof(h));
	if (got > sizeof(answer) || h.size != got - sizeof(h))
		abort();
	if (h.command == TDX_MR_REPORT && h.status == 0 &&
	    (before != TDX_TD_RUNNABLE || !tdx_report_check(s, answer + sizeof(h))))
		abort();
	if (s->td.state < before || s->td.state > before + 1)
		abort();
}

/* ours: the frame carries a report that this platform made, changed by nobody. */
static void to_service(const struct tdx_sim *s, size_t size, bool ours)
{
	uint32_t error;
	size_t got = 0;
	int want = tdx_qgs_request_size(request, size);

	if (want < 0 || want > (int)TDX_QGS_REQUEST_SIZE)
		return;
	tdx_qgs_answer(s, request, size, quote, &got);
	memcpy(&error, quote + 16, sizeof(error));
	if (got < 28 || got > sizeof(quote) || (error == QGS_OK) != (got > 28))
		abort();
	if (error == QGS_OK && !ours)
		abort();
}

static void service_case(const struct tdx_sim *s, const uint8_t *head, const uint8_t *data,
			 size_t size)
{
	static const uint8_t frame[28] = { 0, 0, 4, 24, 1, 0, 1, 0, 0, 0, 0, 0, 24, 4, 0, 0,
					   0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0 };
	static const uint8_t report_data[64];
	uint8_t report[TDX_WIRE_REPORT_SIZE];
	size_t n = size < TDX_QGS_REQUEST_SIZE ? size : TDX_QGS_REQUEST_SIZE;

	if (tdx_report_make(s, report_data, report) != 0)
		abort();
	memset(request, 0, sizeof(request));
	memcpy(request, frame, sizeof(frame));
	if ((head[1] & 1) != 0)
		memcpy(request + sizeof(frame), report, sizeof(report));
	if ((head[1] & 2) != 0) /* the whole frame is the input's */
		memcpy(request, data, n);
	else if ((head[1] & 4) != 0) /* its head alone */
		memcpy(request, data, n < sizeof(frame) ? n : sizeof(frame));
	to_service(s, TDX_QGS_REQUEST_SIZE - head[2] % 64,
		   memcmp(request + sizeof(frame), report, sizeof(report)) == 0);
}

static void module_case(struct tdx_sim *s, const uint8_t *head, const uint8_t *data, size_t size)
{
	static const uint16_t fits[] = { 0, 168, 8, 264, 0, 56, 64, 0 };
	struct tdx_header h = { .magic = TDX_WIRE_MAGIC, .command = head[0] & 0x7f };
	size_t want = h.command < 8 && (head[1] & 1) == 0 ? fits[h.command] : 8 * (size_t)head[2];

	if ((head[1] & 2) != 0)
		h.magic ^= head[3];
	h.size = (uint32_t)want + ((head[1] & 4) != 0 ? head[3] : 0);
	memset(message, 0, sizeof(message));
	memcpy(message, &h, sizeof(h));
	memcpy(message + sizeof(h), data, size < want ? size : want);
	to_module(s, sizeof(h) + want);
}

/* The input is a list of cases: which wire and command, a choice, two numbers, a length in units
 * of 8 bytes, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static EVP_PKEY *key;
	struct tdx_sim s;
	struct err e = { 0 };

	if (key == NULL)
		key = EVP_EC_gen("P-256");
	if (tdx_sim_open(&s, key, chain, sizeof(chain) - 1, &e) != 0)
		abort();
	for (unsigned i = 0; i < 32 && size >= 5; i++) {
		size_t n = 8 * (size_t)data[4];

		if (n > size - 5)
			n = size - 5;
		if ((data[0] & 0x80) != 0)
			service_case(&s, data, data + 5, n);
		else
			module_case(&s, data, data + 5, n);
		data += 5 + n;
		size -= 5 + n;
	}
	tdx_sim_close(&s);
	return 0;
}
