#include "model/platform.h"

#include "model/agent_ports.h"

#include <string.h>

static struct {
	uint32_t status;
	bool open;          /* a request is being written */
	bool size_known;    /* its first word came */
	bool size_read;     /* of the answer */
	bool waiting;       /* for agent_poll */
	uint32_t size, at;  /* bytes: of the message, and of it written or read */
	uint8_t message[REQUEST_MESSAGE_MAX];
} port;

static void command_begin(void)
{
	memset(&port, 0, sizeof(port));
	port.open = true;
}

static void finish(enum agent_answer answer, const struct agent_message *m)
{
	port.open = port.size_known = port.size_read = false;
	port.waiting = answer == AGENT_LATER;
	port.at = 0;
	port.size = answer == AGENT_ANSWERED ? (uint32_t)m->size : 0;
	if (answer == AGENT_ANSWERED)
		port.status = AGENT_PORT_READY;
	else
		port.status = answer == AGENT_LATER ? AGENT_PORT_IDLE : AGENT_PORT_ERROR;
}

/* True: another exit was made of it. */
static bool submit(struct model_vcpu *v)
{
	struct agent_message m = { port.message, port.size };
	enum agent_answer answer = AGENT_FAILED;

	if (port.open && port.size_known && port.at == port.size)
		answer = model.kind->agent_submit(v, &m);
	finish(answer, &m);
	return answer == AGENT_LATER;
}

static void identify(void)
{
	const struct agent_message m = { port.message, sizeof(model.kind->tee) };

	memcpy(port.message, &model.kind->tee, sizeof(model.kind->tee));
	finish(AGENT_ANSWERED, &m);
}

static bool command(struct model_vcpu *v, uint32_t value)
{
	switch (value) {
	case AGENT_PORT_BEGIN:
		command_begin();
		break;
	case AGENT_PORT_SUBMIT:
		return submit(v);
	case AGENT_PORT_RESET:
		memset(&port, 0, sizeof(port));
		break;
	case AGENT_PORT_IDENTIFY:
		identify();
		break;
	default:
		port.status = AGENT_PORT_ERROR;
	}
	return false;
}

static uint32_t status(void)
{
	struct agent_message m = { port.message, 0 };

	if (port.waiting)
		finish(model.kind->agent_poll(&m), &m);
	return port.status;
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
			port.status = AGENT_PORT_ERROR;
		}
		return;
	}
	for (unsigned i = 0; i < 4 && port.at < port.size; i++)
		port.message[port.at++] = (uint8_t)(word >> 8 * i);
}

static uint32_t data_in(void)
{
	uint32_t word = 0;

	if (port.status != AGENT_PORT_READY)
		return 0;
	if (!port.size_read) {
		port.size_read = true;
		return port.size;
	}
	for (unsigned i = 0; i < 4 && port.at < port.size; i++)
		word |= (uint32_t)port.message[port.at++] << 8 * i;
	return word;
}

int model_request_port(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	const uint32_t count = run->io.count;

	if ((run->io.port != AGENT_PORT_COMMAND && run->io.port != AGENT_PORT_DATA) ||
	    run->io.size != 4)
		return 0;
	for (uint32_t i = 0; i < count; i++, data += 4) {
		bool is_command = run->io.port == AGENT_PORT_COMMAND;
		uint32_t word = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&word, data, sizeof(word));
			if (is_command && command(v, word))
				return 0;
			if (!is_command)
				data_out(word);
		} else {
			word = is_command ? status() : data_in();
			memcpy(data, &word, sizeof(word));
		}
	}
	return ENTER_GUEST;
}
