/* Messages to the simulated secure processor: any sequence of bytes is answered within bounds or
 * refused; a report only ever comes out of a finished launch. */
#include "model/psp/machine.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t certs[24];
static uint8_t answer[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
static uint8_t message[sizeof(struct psp_header) + PSP_PAYLOAD_MAX + 1];

static void one(struct psp *p, size_t size)
{
	const enum psp_guest_state before = p->guest.state;
	struct psp_header h;
	struct err e = { 0 };
	size_t got = 0;

	if (psp_handle(p, message, size, answer, &got, &e) != 0)
		return;
	memcpy(&h, answer, sizeof(h));
	if (got > sizeof(answer) || h.size != got - sizeof(h))
		abort();
	if (h.command == PSP_GUEST_REPORT && h.status == 0 && before != PSP_GUEST_RUNNING)
		abort();
	if (p->guest.state == PSP_GUEST_RUNNING && before == PSP_GUEST_INIT &&
	    h.command != PSP_DECOMMISSION)
		abort();
}

/* The input is a list of messages: command, a choice, a length in units of 16 bytes, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static EVP_PKEY *key;
	struct psp p;

	if (key == NULL)
		key = EVP_EC_gen("P-384");
	psp_init(&p);
	p.chip.key = key;
	p.chip.certs = certs;
	p.chip.certs_size = sizeof(certs);
	for (unsigned i = 0; i < 64 && size >= 4; i++) {
		static const uint16_t fits[] = { 0, 8, 32, 8, 4128, 4232, 96, 24, 0 };
		struct psp_header h = { .magic = PSP_MAGIC, .command = data[0] };
		size_t want = data[0] < 9 && (data[1] & 1) == 0 ? fits[data[0]] : data[2] * 16u;
		size_t have = size - 4 < want ? size - 4 : want;

		if ((data[1] & 2) != 0)
			h.magic ^= data[3];
		h.size = (uint32_t)want + ((data[1] & 4) != 0 ? data[3] : 0);
		memset(message, 0, sizeof(message));
		memcpy(message, &h, sizeof(h));
		memcpy(message + sizeof(h), data + 4, have);
		one(&p, sizeof(h) + want);
		data += 4 + have;
		size -= 4 + have;
	}
	return 0;
}
