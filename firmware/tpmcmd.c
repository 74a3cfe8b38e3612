#include "firmware/tpmcmd.h"

#include <string.h>

#define TPM_ST_NO_SESSIONS 0x8001u
#define TPM_ST_SESSIONS    0x8002u
#define TPM_CC_PCR_EXTEND  0x00000182u
#define TPM_RS_PW          0x40000009u
#define TPM_ALG_SHA256     0x000Bu
#define TPM_ALG_SHA384     0x000Cu

static uint8_t *put(uint8_t *p, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
	return p + bytes;
}

static uint32_t get(const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

void tpm_extend_command(uint8_t out[TPM_EXTEND_SIZE], uint32_t pcr, const struct fw_digests *d)
{
	uint8_t *p = out;

	p = put(p, TPM_ST_SESSIONS, 2);
	p = put(p, TPM_EXTEND_SIZE, 4);
	p = put(p, TPM_CC_PCR_EXTEND, 4);
	p = put(p, pcr, 4);
	/* Authorization area: 9 bytes; password session, no nonce, no attributes, no password. */
	p = put(p, 9, 4);
	p = put(p, TPM_RS_PW, 4);
	p = put(p, 0, 2);
	p = put(p, 0, 1);
	p = put(p, 0, 2);
	p = put(p, 2, 4);
	p = put(p, TPM_ALG_SHA256, 2);
	memcpy(p, d->sha256, sizeof(d->sha256));
	p = put(p + sizeof(d->sha256), TPM_ALG_SHA384, 2);
	memcpy(p, d->sha384, sizeof(d->sha384));
}

enum fw_stop tpm_extend_response(const uint8_t header[TPM_HEADER_SIZE])
{
	uint32_t tag = get(header, 2), size = get(header + 2, 4), rc = get(header + 6, 4);

	/* An error response is a bare header without sessions: part 1 §18.5. */
	if (rc != 0)
		return tag == TPM_ST_NO_SESSIONS && size == TPM_HEADER_SIZE ? STOP_TPM_ERROR :
									      STOP_TPM_RESPONSE;
	return tag == TPM_ST_SESSIONS && size == TPM_EXTEND_RESPONSE ? STOP_HANDED_OVER :
								       STOP_TPM_RESPONSE;
}
