#include "attest/x509/pem.h"

#include <stdbool.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define DER_SEQUENCE 0x30

static uint8_t *find(uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text));
}

/* The end of the block that begins at data: behind the dashes of its last line; NULL: cut short. */
static uint8_t *block_end(uint8_t *data, size_t size)
{
	uint8_t *end = find(data, size, END);

	if (end == NULL)
		return NULL;
	end += strlen(END);
	uint8_t *dashes = find(end, size - (size_t)(end - data), DASHES);
	return dashes == NULL ? NULL : dashes + strlen(DASHES);
}

static bool is_text(const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (i < size && memchr(" \t\r\n", data[i], 4) != NULL)
		i++;
	return i < size && data[i] != DER_SEQUENCE && data[i] != '{';
}

size_t pem_without_text(uint8_t *data, size_t size)
{
	size_t kept = 0, at = 0;
	uint8_t *begin;

	if (!is_text(data, size))
		return size;
	while ((begin = find(data + at, size - at, BEGIN)) != NULL) {
		size_t from = (size_t)(begin - data);
		uint8_t *end = block_end(begin, size - from);
		if (end == NULL)
			break;
		size_t n = (size_t)(end - begin);
		at = from + n;
		memmove(data + kept, begin, n);
		kept += n;
		/* A line end, in the room of what was left out or of the one that stands there. */
		if (kept == at && at < size && (data[at] == '\n' || data[at] == '\r'))
			at++;
		if (kept < at)
			data[kept++] = '\n';
	}
	return kept == 0 ? size : kept;
}
