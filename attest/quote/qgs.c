#include "attest/quote/qgs.h"

#include "common/bytes.h"

/* qgs_msg_lib, struct qgs_msg_header_t. */
#define VERSION_MAJOR 1u
#define VERSION_MINOR 1u
#define HEADER_SIZE 16u
enum message { GET_QUOTE_REQUEST = 0, GET_QUOTE_ANSWER = 1 };

struct header {
	uint16_t major, minor;
	uint32_t type, size, error;
};

void qgs_request(const uint8_t report[QUOTE_REPORT_SIZE], uint8_t out[QGS_REQUEST_SIZE])
{
	struct writer w = writer_over(out, QGS_REQUEST_SIZE);

	write_be32(&w, QGS_REQUEST_SIZE - QGS_LENGTH);
	write_le16(&w, VERSION_MAJOR);
	write_le16(&w, VERSION_MINOR);
	write_le32(&w, GET_QUOTE_REQUEST);
	write_le32(&w, QGS_REQUEST_SIZE - QGS_LENGTH);
	write_le32(&w, 0); /* error */
	write_le32(&w, QUOTE_REPORT_SIZE);
	write_le32(&w, 0); /* bytes of the list of key ids: the service chooses */
	write_copy(&w, report, QUOTE_REPORT_SIZE);
}

int qgs_answer_need(const uint8_t *bytes, size_t size, size_t *need, struct err *e)
{
	struct reader r = reader_over(bytes, size);
	uint32_t length = read_be32(&r);

	*need = QGS_LENGTH;
	if (r.bad)
		return 0;
	if (length < HEADER_SIZE || length > QGS_ANSWER_MAX - QGS_LENGTH)
		return err_set(e, EX_MALFORMED, "QGS: an answer of %u bytes, not %u to %u: is that "
			       "a quote generation service?", length, HEADER_SIZE,
			       QGS_ANSWER_MAX - QGS_LENGTH);
	*need = QGS_LENGTH + length;
	return 0;
}

/* The library's codes 0x120xx; the quoting library's own, 0x11001 and up, pass through. */
static const char *error_text(uint32_t code)
{
	switch (code) {
	case 0x12001:
		return "an unexpected error: see its log, often the PCCS or its settings";
	case 0x12002:
		return "out of memory";
	case 0x12003:
		return "an invalid parameter: is the TDREPORT from this platform?";
	case 0x12004:
		return "it wants another version of the messages";
	case 0x12005:
	case 0x12006:
	case 0x12007:
		return "it does not take the request: another version of the service?";
	default:
		return "see its log, often the PCCS or its settings";
	}
}

static int check_header(const struct header *h, size_t length, struct err *e)
{
	if (h->major != VERSION_MAJOR || h->minor != VERSION_MINOR)
		return err_set(e, EX_MALFORMED, "QGS: answers in version %u.%u, not %u.%u: another "
			       "version of the service?", h->major, h->minor, VERSION_MAJOR,
			       VERSION_MINOR);
	if (h->type != GET_QUOTE_ANSWER)
		return err_set(e, EX_MALFORMED, "QGS: answers with a message of type %u, not %u",
			       h->type, GET_QUOTE_ANSWER);
	if (h->size != length)
		return err_set(e, EX_MALFORMED, "QGS: a message of %u bytes in a frame of %zu",
			       h->size, length);
	if (h->error != 0)
		return err_set(e, EX_REFUSED, "QGS: no quote, error 0x%x: %s", h->error,
			       error_text(h->error));
	return 0;
}

int qgs_answer(const uint8_t *bytes, size_t size, const uint8_t **quote, size_t *quote_size,
	       struct err *e)
{
	struct reader r = reader_over(bytes, size);
	size_t need;
	int rc = qgs_answer_need(bytes, size, &need, e);

	if (rc != 0)
		return rc;
	if (need == QGS_LENGTH || need != size)
		return err_set(e, EX_MALFORMED, "QGS: an answer of %zu bytes that says it has %zu",
			       size, need);
	read_be32(&r);
	struct header h = { .major = read_le16(&r), 0 };
	h.minor = read_le16(&r);
	h.type = read_le32(&r);
	h.size = read_le32(&r);
	h.error = read_le32(&r);
	rc = check_header(&h, size - QGS_LENGTH, e);
	if (rc != 0)
		return rc;
	uint32_t selected = read_le32(&r);
	*quote_size = read_le32(&r);
	if (r.bad || selected != 0 || *quote_size == 0 || *quote_size != reader_left(&r))
		return err_set(e, EX_MALFORMED, "QGS: an answer with a quote of %zu bytes and an id "
			       "of %u in %zu bytes", *quote_size, selected, size - QGS_LENGTH);
	*quote = read_view(&r, *quote_size);
	return 0;
}
