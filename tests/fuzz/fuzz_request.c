/* The agent's ports of the platform model (model/request.c) against whatever a guest does with them,
 * and a platform that answers with anything its connection could carry. What must hold: a
 * request goes out only whole, with the very bytes that were written; an answer comes in its length
 * and no byte more; other ports and sizes are left alone.
 *
 * Input, a byte of options for each port exit: bits 0-1 port (0 command, 1 data, 2 and 3 others),
 * bit 2 direction, bit 3 size other than 4, bits 4-7 number of words less one; then the words that
 * are written, and for each request that goes out a byte of outcome and two of the answer's size. */
#include "model/platform.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#define DATA_OFFSET 4096u

static enum agent_answer agent_submit(struct model_vcpu *v, struct agent_message *m);
static const struct model_kind kind = { .tee = 0x04030201, .agent_submit = agent_submit };
struct model model = { .kind = &kind, .psp_fd = -1, .log_fd = -1 };

static const uint8_t *input;
static size_t left;

/* What the guest has written since the last command, as the ports' description has it. */
static uint8_t written[REQUEST_MESSAGE_MAX + 4];
static uint64_t written_size, announced;
static bool begun, size_known;

static size_t answer_left; /* of the last answer, its length word included; then it reads as 0 */
static uint8_t answer_next;
static bool length_due;

static uint32_t take(unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes && left > 0; i++, left--)
		v |= (uint32_t)*input++ << (8 * i);
	return v;
}

/* The answer is bytes that count up, so that each one read can be told. */
static enum agent_answer agent_submit(struct model_vcpu *v, struct agent_message *m)
{
	unsigned outcome = take(1);
	size_t n = take(2);

	(void)v;
	REQUIRE(begun && size_known && announced == m->size);
	REQUIRE(memcmp(m->bytes, written, m->size) == 0);
	if (outcome != 0)
		return AGENT_FAILED;
	m->size = n < REQUEST_MESSAGE_MAX ? n : REQUEST_MESSAGE_MAX;
	for (size_t i = 0; i < m->size; i++)
		m->bytes[i] = (uint8_t)(i + 1);
	answer_left = m->size;
	answer_next = 1;
	length_due = true;
	return AGENT_ANSWERED;
}

/* Before it happens: any command ends the last answer. */
static void note_command(uint32_t command)
{
	answer_left = 0;
	length_due = false;
	if (command == 1 || command == 3) {
		begun = command == 1;
		size_known = false;
		written_size = 0;
	}
	if (command == 4) { /* who are you: four bytes that count up, too */
		begun = false;
		length_due = true;
		answer_left = 4;
		answer_next = 1;
	}
}

static void note_data(uint32_t word)
{
	if (!begun)
		return;
	if (!size_known) {
		size_known = true;
		announced = word;
		return;
	}
	for (unsigned i = 0; i < 4 && written_size < announced &&
	     written_size < REQUEST_MESSAGE_MAX; i++)
		written[written_size++] = (uint8_t)(word >> 8 * i);
}

/* A word read from the data port. */
static void check_answer(uint32_t word)
{
	if (length_due) {
		REQUIRE(word == answer_left);
		length_due = false;
		return;
	}
	for (unsigned i = 0; i < 4; i++, word >>= 8) {
		REQUIRE((word & 0xFF) == (answer_left > 0 ? answer_next : 0));
		if (answer_left == 0)
			continue;
		answer_next++;
		answer_left--;
	}
}

static void access_port(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;
	static const uint16_t ports[] = { 0x5E0, 0x5E4, 0x5E2, 0x60 };
	uint8_t *data = (uint8_t *)run + DATA_OFFSET;
	unsigned options = take(1);
	bool out = (options & 4) != 0, ours = (options & 2) == 0 && (options & 8) == 0;
	bool command = (options & 1) == 0;

	run->io.port = ports[options & 3];
	run->io.direction = out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.size = (options & 8) != 0 ? 2 : 4;
	run->io.count = 1 + (options >> 4);
	run->io.data_offset = DATA_OFFSET;
	for (uint32_t i = 0; i < run->io.count; i++) {
		uint32_t word = out ? take(4) : 0xA5A5A5A5;

		memcpy(data + (size_t)4 * i, &word, sizeof(word));
		/* One command an exit: the oracle has to stand where the model stands. */
		if (out && ours && command)
			run->io.count = i + 1;
		else if (out && ours)
			note_data(word);
	}
	uint32_t first;
	memcpy(&first, data, sizeof(first));
	if (out && ours && command)
		note_command(first);
	REQUIRE((model_request_port(v) == ENTER_GUEST) == ours);
	for (uint32_t i = 0; ours && !out && i < run->io.count; i++) {
		uint32_t word;

		memcpy(&word, data + (size_t)4 * i, sizeof(word));
		if (command)
			REQUIRE(word <= 2);
		else
			check_answer(word);
	}
	if (out && ours && command && first == 2)
		begun = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union {
		struct kvm_run run;
		uint8_t bytes[2 * DATA_OFFSET];
	} area;
	static struct model_vcpu v;
	const uint32_t reset = 3;

	input = data;
	left = size;
	v.run = &area.run;
	area.run.io.port = 0x5E0;
	area.run.io.direction = KVM_EXIT_IO_OUT;
	area.run.io.size = 4;
	area.run.io.count = 1;
	area.run.io.data_offset = DATA_OFFSET;
	memcpy(area.bytes + DATA_OFFSET, &reset, sizeof(reset));
	REQUIRE(model_request_port(&v) == ENTER_GUEST);
	note_command(reset);
	while (left > 0)
		access_port(&v);
	return 0;
}
