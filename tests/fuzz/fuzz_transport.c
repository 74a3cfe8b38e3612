/* Any sequence of register accesses. The first byte chooses the size of RAM; then each record of
 * 12 bytes is one access: kind and width, offset, value. What must hold, whatever the guest does:
 *   - queues start only with status DRIVER_OK and not NEEDS_RESET, and every enabled one with a
 *     sound size and aligned rings that lie in RAM;
 *   - from START to STOP no queue register, feature or vector changes;
 *   - START and STOP alternate;
 *   - the driver's accepted features are a subset of the offered ones. */
#include "vmm/virtio/transport.h"

#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD 12
#define OFFERED (FEATURE_VERSION_1 | 0x6u)

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static int inside(const struct transport *t, uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < t->ram_count; i++) {
		__uint128_t end = (__uint128_t)base + size;

		if (base >= t->ram[i].base && end <= (__uint128_t)t->ram[i].base + t->ram[i].size)
			return 1;
	}
	return 0;
}

static int same_queue(const struct transport_queue *a, const struct transport_queue *b)
{
	return a->size == b->size && a->vector == b->vector && a->enabled == b->enabled &&
	       a->desc == b->desc && a->driver == b->driver && a->device == b->device;
}

static void check_start(const struct transport *t)
{
	MUST(t->status == 0x0F && t->running);
	MUST((t->features & ~OFFERED) == 0 && (t->features & FEATURE_VERSION_1) != 0);
	for (unsigned i = 0; i < TRANSPORT_QUEUES_MAX; i++) {
		const struct transport_queue *q = &t->queue[i];

		if (!q->enabled)
			continue;
		MUST(i < t->queues);
		MUST(q->size != 0 && q->size <= t->size_max && (q->size & (q->size - 1)) == 0);
		MUST(q->desc % 16 == 0 && q->driver % 2 == 0 && q->device % 4 == 0);
		MUST(inside(t, q->desc, 16ull * q->size));
		MUST(inside(t, q->driver, 6 + 2ull * q->size));
		MUST(inside(t, q->device, 6 + 8ull * q->size));
	}
}

/* The next step of a good driver: without it few inputs would get as far as DRIVER_OK. */
static unsigned take_legal_step(struct transport *t)
{
	switch (t->status) {
	case 0x00:
		return transport_write(t, 0x14, 1, 0x01);
	case 0x01:
		return transport_write(t, 0x14, 1, 0x03);
	case 0x03:
		transport_write(t, 0x08, 4, 1);
		transport_write(t, 0x0C, 4, 1);
		return transport_write(t, 0x14, 1, 0x0B);
	case 0x0B:
		return transport_write(t, 0x14, 1, 0x0F);
	default:
		return transport_write(t, 0x14, 1, 0x00);
	}
}

static unsigned access_once(struct transport *t, const uint8_t *r)
{
	static const unsigned widths[] = { 1, 2, 4, 8 };
	unsigned width = widths[r[0] & 3];
	uint64_t offset = (uint64_t)(r[1] | r[2] << 8) % BAR_MSIX_TABLE;
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)r[3 + i] << (8 * i);
	if ((r[0] & 4) != 0)
		offset %= BAR_COMMON_SIZE; /* most of what matters is here */
	if ((r[0] & 8) != 0) {
		transport_read(t, offset, width);
		return 0;
	}
	if (r[11] == 0xDD)
		return transport_die(t);
	if ((r[0] & 16) != 0)
		return take_legal_step(t);
	return transport_write(t, offset, width, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transport_setup s = {
		.features = OFFERED, .queues = 3, .vectors = 4, .size_max = 256, .ram_count = 2,
		.config = "cfg", .config_size = 3,
	};
	struct transport t, started = { 0 };
	int running = 0;

	if (size == 0)
		return 0;
	s.ram[0] = (struct transport_ram){ 0, (data[0] + 1ull) << 12 };
	s.ram[1] = (struct transport_ram){ 1ull << 32, 1ull << 21 };
	transport_init(&t, &s);
	for (size_t at = 1; size - at >= RECORD; at += RECORD) {
		unsigned actions = access_once(&t, data + at);

		if ((actions & ACTION_STOP) != 0) {
			MUST(running);
			running = 0;
		}
		if ((actions & ACTION_START) != 0) {
			MUST(!running);
			check_start(&t);
			running = 1;
			started = t;
		}
		MUST(running == t.running);
		MUST(!running || (t.status & STATUS_NEEDS_RESET) == 0);
		if (running) {
			for (unsigned i = 0; i < TRANSPORT_QUEUES_MAX; i++)
				MUST(same_queue(&t.queue[i], &started.queue[i]));
			MUST(t.features == started.features);
			MUST(t.config_vector == started.config_vector);
		}
	}
	return 0;
}
