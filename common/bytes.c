#include "common/bytes.h"

#include <string.h>

struct reader reader_over(const void *data, size_t size)
{
	return (struct reader){ .data = data, .size = size };
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : r->size - r->pos;
}

const uint8_t *read_view(struct reader *r, size_t n)
{
	if (r->bad || n > r->size - r->pos) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->data + r->pos;
	r->pos += n;
	return p;
}

void read_copy(struct reader *r, void *out, size_t n)
{
	const uint8_t *p = read_view(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static uint64_t read_le(struct reader *r, size_t n)
{
	const uint8_t *p = read_view(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t read_be(struct reader *r, size_t n)
{
	const uint8_t *p = read_view(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_le(r, 1);
}
uint16_t read_le16(struct reader *r)
{
	return (uint16_t)read_le(r, 2);
}
uint32_t read_le32(struct reader *r)
{
	return (uint32_t)read_le(r, 4);
}
uint64_t read_le64(struct reader *r)
{
	return read_le(r, 8);
}
uint16_t read_be16(struct reader *r)
{
	return (uint16_t)read_be(r, 2);
}
uint32_t read_be32(struct reader *r)
{
	return (uint32_t)read_be(r, 4);
}
uint64_t read_be64(struct reader *r)
{
	return read_be(r, 8);
}

struct writer writer_over(void *data, size_t size)
{
	return (struct writer){ .data = data, .size = size };
}

void write_copy(struct writer *w, const void *data, size_t n)
{
	if (w->bad || n > w->size - w->pos) {
		w->bad = true;
		return;
	}
	if (n != 0)
		memcpy(w->data + w->pos, data, n);
	w->pos += n;
}

void write_zeros(struct writer *w, size_t n)
{
	if (w->bad || n > w->size - w->pos) {
		w->bad = true;
		return;
	}
	if (n != 0)
		memset(w->data + w->pos, 0, n);
	w->pos += n;
}

static void write_le(struct writer *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	write_copy(w, b, n);
}

static void write_be(struct writer *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	write_copy(w, b, n);
}

void write_u8(struct writer *w, uint8_t v)
{
	write_le(w, v, 1);
}
void write_le16(struct writer *w, uint16_t v)
{
	write_le(w, v, 2);
}
void write_le32(struct writer *w, uint32_t v)
{
	write_le(w, v, 4);
}
void write_le64(struct writer *w, uint64_t v)
{
	write_le(w, v, 8);
}
void write_be16(struct writer *w, uint16_t v)
{
	write_be(w, v, 2);
}
void write_be32(struct writer *w, uint32_t v)
{
	write_be(w, v, 4);
}
void write_be64(struct writer *w, uint64_t v)
{
	write_be(w, v, 8);
}

void hex_encode(const void *data, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, void *out, size_t n)
{
	uint8_t *p = out;

	if (strlen(text) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		p[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
