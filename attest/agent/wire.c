#include "attest/agent/wire.h"

#include "common/bytes.h"

void wire_header(const struct wire_frame *f, uint8_t out[WIRE_HEADER])
{
	struct writer w = writer_over(out, WIRE_HEADER);

	write_be32(&w, WIRE_MAGIC);
	write_be32(&w, f->type);
	write_be32(&w, f->id);
	write_be32(&w, f->size);
}

int wire_parse(const uint8_t in[WIRE_HEADER], struct wire_frame *out, struct err *e)
{
	struct reader r = reader_over(in, WIRE_HEADER);
	uint32_t magic = read_be32(&r);
	struct wire_frame f = { .type = read_be32(&r) };

	f.id = read_be32(&r);
	f.size = read_be32(&r);
	if (magic != WIRE_MAGIC)
		return err_set(e, EX_MALFORMED, "agent channel: wrong magic 0x%08x at offset 0",
			       magic);
	if (f.type < WIRE_EVIDENCE_REQUEST || f.type > WIRE_DATA_KEY_TAKEN)
		return err_set(e, EX_MALFORMED, "agent channel: unknown type %u at offset 4",
			       f.type);
	if (f.size > WIRE_PAYLOAD_MAX)
		return err_set(e, EX_MALFORMED,
			       "agent channel: payload of %u bytes at offset 12, %u allowed",
			       f.size, WIRE_PAYLOAD_MAX);
	*out = f;
	return 0;
}

long wire_find(const uint8_t *data, size_t size, uint32_t id)
{
	for (size_t i = 0; i + WIRE_HEADER <= size; i++) {
		struct wire_frame f = { 0 };
		struct err ignored = { 0 };
		if (wire_parse(data + i, &f, &ignored) == 0 && f.id == id &&
		    f.type != WIRE_EVIDENCE_REQUEST && f.type != WIRE_DATA_KEY)
			return (long)i;
	}
	return -1;
}
