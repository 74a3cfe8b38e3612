/* A read cursor and a write cursor over bounded byte arrays. A short read or a full buffer
 * latches `bad`; values read after that are zero, so a parser may read a whole record and
 * check once. Nothing is allocated; the memory belongs to the caller. */
#ifndef PAVISE_COMMON_BYTES_H
#define PAVISE_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *data;
	size_t size;  /* bytes */
	size_t pos;   /* next byte to read; never above size */
	bool bad;     /* a read went past the end */
};

struct reader reader_over(const void *data, size_t size);
size_t reader_left(const struct reader *r);
uint8_t read_u8(struct reader *r);
uint16_t read_le16(struct reader *r);
uint32_t read_le32(struct reader *r);
uint64_t read_le64(struct reader *r);
uint16_t read_be16(struct reader *r);
uint32_t read_be32(struct reader *r);
uint64_t read_be64(struct reader *r);
/* Copies n bytes out; zeros when short. */
void read_copy(struct reader *r, void *out, size_t n);
/* Borrows n bytes of the underlying array; NULL when short. */
const uint8_t *read_view(struct reader *r, size_t n);

struct writer {
	uint8_t *data;
	size_t size;  /* capacity, bytes */
	size_t pos;   /* bytes written */
	bool bad;     /* a write did not fit */
};

struct writer writer_over(void *data, size_t size);
void write_u8(struct writer *w, uint8_t v);
void write_le16(struct writer *w, uint16_t v);
void write_le32(struct writer *w, uint32_t v);
void write_le64(struct writer *w, uint64_t v);
void write_be16(struct writer *w, uint16_t v);
void write_be32(struct writer *w, uint32_t v);
void write_be64(struct writer *w, uint64_t v);
void write_copy(struct writer *w, const void *data, size_t n);
void write_zeros(struct writer *w, size_t n);

/* Lower-case hexadecimal; out holds 2 * n + 1 characters. */
void hex_encode(const void *data, size_t n, char *out);
/* Exactly 2 * n hexadecimal digits of either case, then NUL; false otherwise. */
bool hex_decode(const char *text, void *out, size_t n);

#endif
