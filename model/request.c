/* The guest agent's way to the simulated processor after the fold, in place of the sev-guest
 * driver, which the folded kernel does not have. Two ports, 32 bits wide:
 *
 *   0x5E0 write  1 begin a request, 2 submit it, 3 reset
 *         read   0 idle, 1 an answer is ready, 2 error
 *   0x5E4 write  the request: its size in bytes, then its words
 *         read   the answer: its size in bytes, then its words
 *
 * Request and answer are struct psp_report_request and psp_report_answer (psp_wire.h). */
#include "model/platform.h"
#include "model/psp_client.h"

#include <string.h>

#define PORT_COMMAND 0x5E0u
#define PORT_DATA    0x5E4u

enum { COMMAND_BEGIN = 1, COMMAND_SUBMIT = 2, COMMAND_RESET = 3 };
enum { STATUS_IDLE = 0, STATUS_READY = 1, STATUS_ERROR = 2 };

static struct {
	uint32_t status;
	bool open;          /* a request is being written */
	bool size_known;    /* its first word came */
	bool size_read;     /* of the answer */
	uint32_t size, at;  /* bytes: of the message, and of it written or read */
	uint8_t message[PSP_PAYLOAD_MAX];
} port;

static void command_begin(void)
{
	memset(&port, 0, sizeof(port));
	port.open = true;
}

static void submit(void)
{
	size_t answer_size = 0;
	uint8_t request[sizeof(struct psp_report_request)];
	uint32_t status = 0;
	struct err e = { 0 };
	bool good = port.open && port.size_known && port.at == port.size &&
		    port.size == sizeof(request);

	if (good) {
		memcpy(request, port.message, sizeof(request));
		good = psp_guest_report(model.psp_fd, request, sizeof(request), port.message,
					sizeof(port.message), &answer_size, &status, &e) == 0 &&
		       status == PSP_SUCCESS;
	}
	if (e.status != EX_OK)
		model_log("%s", e.text);
	port.open = port.size_known = port.size_read = false;
	port.at = 0;
	port.size = good ? (uint32_t)answer_size : 0;
	port.status = good ? STATUS_READY : STATUS_ERROR;
}

static void command(uint32_t value)
{
	switch (value) {
	case COMMAND_BEGIN:
		command_begin();
		break;
	case COMMAND_SUBMIT:
		submit();
		break;
	case COMMAND_RESET:
		memset(&port, 0, sizeof(port));
		break;
	default:
		port.status = STATUS_ERROR;
	}
}

static void data_out(uint32_t word)
{
	if (!port.open)
		return;
	if (!port.size_known) {
		port.size_known = true;
		port.size = word;
		if (word > sizeof(port.message)) {
			port.open = false;
			port.status = STATUS_ERROR;
		}
		return;
	}
	for (unsigned i = 0; i < 4 && port.at < port.size; i++)
		port.message[port.at++] = (uint8_t)(word >> 8 * i);
}

static uint32_t data_in(void)
{
	uint32_t word = 0;

	if (port.status != STATUS_READY)
		return 0;
	if (!port.size_read) {
		port.size_read = true;
		return port.size;
	}
	for (unsigned i = 0; i < 4 && port.at < port.size; i++)
		word |= (uint32_t)port.message[port.at++] << 8 * i;
	return word;
}

bool model_request_port(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if ((run->io.port != PORT_COMMAND && run->io.port != PORT_DATA) || run->io.size != 4)
		return false;
	for (uint32_t i = 0; i < run->io.count; i++, data += 4) {
		uint32_t word = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&word, data, sizeof(word));
			if (run->io.port == PORT_COMMAND)
				command(word);
			else
				data_out(word);
		} else {
			word = run->io.port == PORT_COMMAND ? port.status : data_in();
			memcpy(data, &word, sizeof(word));
		}
	}
	return true;
}
