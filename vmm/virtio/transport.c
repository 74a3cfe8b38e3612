#include "vmm/virtio/transport.h"

#include "common/checked.h"

#include <string.h>

/* struct virtio_pci_common_cfg, virtio 1.2 §4.1.4.3. */
enum common_field {
	AT_OFFERED_SELECT = 0x00,
	AT_OFFERED = 0x04,
	AT_DRIVER_SELECT = 0x08,
	AT_DRIVER = 0x0C,
	AT_CONFIG_VECTOR = 0x10,
	AT_NUM_QUEUES = 0x12,
	AT_STATUS = 0x14,
	AT_GENERATION = 0x15,
	AT_QUEUE_SELECT = 0x16,
	AT_QUEUE_SIZE = 0x18,
	AT_QUEUE_VECTOR = 0x1A,
	AT_QUEUE_ENABLE = 0x1C,
	AT_QUEUE_NOTIFY_OFF = 0x1E,
	AT_QUEUE_DESC = 0x20,
	AT_QUEUE_DRIVER = 0x28,
	AT_QUEUE_DEVICE = 0x30,
};

#define ISR_CONFIG_CHANGE 0x2u

#define IN_DRIVER      (STATUS_ACKNOWLEDGE | STATUS_DRIVER)
#define IN_FEATURES_OK (IN_DRIVER | STATUS_FEATURES_OK)
#define IN_DRIVER_OK   (IN_FEATURES_OK | STATUS_DRIVER_OK)

static void set_defaults(struct transport *t)
{
	t->status = 0;
	t->isr = 0;
	t->running = false;
	t->strange_features = false;
	t->offered_select = t->driver_select = 0;
	t->features = 0;
	t->queue_select = 0;
	t->config_vector = TRANSPORT_NO_VECTOR;
	for (unsigned i = 0; i < TRANSPORT_QUEUES_MAX; i++)
		t->queue[i] = (struct transport_queue){ .size = t->size_max,
							.vector = TRANSPORT_NO_VECTOR };
}

uint64_t transport_offer(uint64_t back_end, uint64_t allowed, bool confidential)
{
	uint64_t offer = back_end & (allowed | FEATURE_VERSION_1) & ~FEATURE_ACCESS_PLATFORM;

	return confidential ? offer | FEATURE_ACCESS_PLATFORM : offer;
}

uint64_t transport_for_back_end(uint64_t accepted)
{
	return accepted & ~FEATURE_ACCESS_PLATFORM;
}

void transport_init(struct transport *t, const struct transport_setup *s)
{
	memset(t, 0, sizeof(*t));
	t->offered = s->features;
	t->queues = s->queues < TRANSPORT_QUEUES_MAX ? s->queues : TRANSPORT_QUEUES_MAX;
	t->vectors = s->vectors;
	t->size_max = s->size_max;
	t->ram_count = s->ram_count < TRANSPORT_RAM_MAX ? s->ram_count : TRANSPORT_RAM_MAX;
	for (unsigned i = 0; i < t->ram_count; i++)
		t->ram[i] = s->ram[i];
	if (s->config_size != 0)
		memcpy(t->config, s->config,
		       s->config_size < BAR_CONFIG_SIZE ? s->config_size : BAR_CONFIG_SIZE);
	set_defaults(t);
}

/* --- reads --- */

/* The queue the registers show; NULL for one that does not exist, whose size reads zero: that is
 * how a driver learns how many there are (§4.1.5.1.3), so selecting it is no offence. */
static struct transport_queue *selected(struct transport *t)
{
	return t->queue_select < t->queues ? &t->queue[t->queue_select] : NULL;
}

static uint32_t half(uint64_t bits, uint32_t select)
{
	return select > 1 ? 0 : (uint32_t)(bits >> (32 * select));
}

static uint64_t queue_read(const struct transport_queue *q, uint16_t index, uint64_t offset)
{
	switch (offset) {
	case AT_QUEUE_SIZE:
		return q->size;
	case AT_QUEUE_VECTOR:
		return q->vector;
	case AT_QUEUE_ENABLE:
		return q->enabled;
	case AT_QUEUE_NOTIFY_OFF:
		return index;
	case AT_QUEUE_DESC:
		return q->desc;
	case AT_QUEUE_DRIVER:
		return q->driver;
	case AT_QUEUE_DEVICE:
		return q->device;
	default:
		return 0;
	}
}

/* The value of the field that begins at offset, in its whole width. */
static uint64_t field_read(struct transport *t, uint64_t offset)
{
	const struct transport_queue *q;

	switch (offset) {
	case AT_OFFERED_SELECT:
		return t->offered_select;
	case AT_OFFERED:
		return half(t->offered, t->offered_select);
	case AT_DRIVER_SELECT:
		return t->driver_select;
	case AT_DRIVER:
		return half(t->features, t->driver_select);
	case AT_CONFIG_VECTOR:
		return t->config_vector;
	case AT_NUM_QUEUES:
		return t->queues;
	case AT_STATUS:
		return t->status;
	case AT_GENERATION:
		return 0; /* the configuration never changes */
	case AT_QUEUE_SELECT:
		return t->queue_select;
	default:
		q = selected(t);
		if (q == NULL)
			return offset == AT_QUEUE_VECTOR ? TRANSPORT_NO_VECTOR : 0;
		return queue_read(q, t->queue_select, offset);
	}
}

/* Width in bytes of the field that begins at offset; 0: no field begins there. */
static unsigned field_width(uint64_t offset)
{
	switch (offset) {
	case AT_STATUS:
	case AT_GENERATION:
		return 1;
	case AT_CONFIG_VECTOR:
	case AT_NUM_QUEUES:
	case AT_QUEUE_SELECT:
	case AT_QUEUE_SIZE:
	case AT_QUEUE_VECTOR:
	case AT_QUEUE_ENABLE:
	case AT_QUEUE_NOTIFY_OFF:
		return 2;
	case AT_OFFERED_SELECT:
	case AT_OFFERED:
	case AT_DRIVER_SELECT:
	case AT_DRIVER:
		return 4;
	case AT_QUEUE_DESC:
	case AT_QUEUE_DRIVER:
	case AT_QUEUE_DEVICE:
		return 8;
	default:
		return 0;
	}
}

/* Is this access one whole field, or one half of a 64-bit one? Gives the field and the shift. */
static bool to_field(uint64_t offset, unsigned size, uint64_t *field, unsigned *shift)
{
	*shift = 0;
	*field = offset;
	if (size == 4 && field_width(offset & ~7ull) == 8 && offset % 4 == 0) {
		*field = offset & ~7ull;
		*shift = offset % 8 == 4 ? 32 : 0;
		return true;
	}
	return size != 0 && size == field_width(offset);
}

static uint64_t common_read(struct transport *t, uint64_t offset, unsigned size)
{
	uint64_t field, value;
	unsigned shift;

	if (!to_field(offset, size, &field, &shift))
		return 0;
	value = field_read(t, field) >> shift;
	return size == 8 ? value : value & ((1ull << (8 * size)) - 1);
}

static uint64_t config_read(const struct transport *t, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (!ck_range(offset, size, BAR_CONFIG_SIZE) || size > 8)
		return 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)t->config[offset + i] << (8 * i);
	return value;
}

static uint64_t isr_read(struct transport *t)
{
	uint8_t isr = t->isr;

	t->isr = 0;
	return isr;
}

uint64_t transport_read(struct transport *t, uint64_t offset, unsigned size)
{
	if (offset < BAR_COMMON_SIZE)
		return common_read(t, offset, size);
	if (offset == BAR_ISR)
		return isr_read(t);
	if (offset >= BAR_CONFIG && offset < BAR_CONFIG + BAR_CONFIG_SIZE)
		return config_read(t, offset - BAR_CONFIG, size);
	return 0;
}

/* --- writes --- */

static unsigned stop(struct transport *t)
{
	bool was_running = t->running;

	t->running = false;
	return was_running ? ACTION_STOP : 0;
}

/* §2.1: the device cannot go on; queues stop and only a reset leads out. */
static unsigned need_reset(struct transport *t)
{
	unsigned actions;

	if ((t->status & STATUS_NEEDS_RESET) != 0)
		return 0;
	actions = stop(t);
	t->status |= STATUS_NEEDS_RESET;
	if ((t->status & STATUS_DRIVER_OK) == 0)
		return actions; /* §2.1.2: the driver is told only after DRIVER_OK */
	t->isr |= ISR_CONFIG_CHANGE;
	return actions | ACTION_CONFIG_IRQ;
}

static unsigned illegal(struct transport *t)
{
	t->illegal++;
	return need_reset(t);
}

unsigned transport_die(struct transport *t)
{
	t->dead = true;
	return need_reset(t);
}

static unsigned reset(struct transport *t)
{
	unsigned actions = stop(t);

	set_defaults(t);
	if (t->dead)
		t->status = STATUS_NEEDS_RESET;
	return actions | ACTION_ROUTE;
}

/* §2.2, §3.1.1 steps 4 to 6; §6.2: a device may insist on ACCESS_PLATFORM. A refused FEATURES_OK just does not stay set. */
static unsigned features_ok(struct transport *t)
{
	uint64_t needed = FEATURE_VERSION_1 | (t->offered & FEATURE_ACCESS_PLATFORM);
	bool subset = (t->features & ~t->offered) == 0 && !t->strange_features;

	if (subset && (t->features & needed) == needed)
		t->status |= STATUS_FEATURES_OK;
	return 0;
}

/* One more bit, and the right one for where the driver is. */
static unsigned write_status(struct transport *t, uint8_t value)
{
	uint8_t added = value & (uint8_t)~t->status;

	if (value == 0)
		return reset(t);
	if ((t->status & STATUS_NEEDS_RESET) != 0)
		return 0;
	if ((value & t->status) != t->status)
		return illegal(t); /* §2.1.1: only a reset clears a bit */
	if (added == 0)
		return 0;
	if (added == STATUS_FAILED) {
		t->status |= added; /* the driver gives up, allowed at any point */
		return stop(t);
	}
	if (added == STATUS_ACKNOWLEDGE && t->status == 0) {
		t->status = added;
		return 0;
	}
	if (added == STATUS_DRIVER && t->status == STATUS_ACKNOWLEDGE) {
		t->status |= added;
		return 0;
	}
	if (added == STATUS_FEATURES_OK && t->status == IN_DRIVER)
		return features_ok(t);
	if (added == STATUS_DRIVER_OK && t->status == IN_FEATURES_OK) {
		t->status |= added;
		t->running = true;
		return ACTION_START;
	}
	return illegal(t);
}

static unsigned write_features(struct transport *t, uint32_t value)
{
	unsigned shift = 32 * (t->driver_select & 1);

	if (t->status != IN_DRIVER)
		return illegal(t);
	if (t->driver_select > 1) {
		t->strange_features |= value != 0; /* nothing is offered up there */
		return 0;
	}
	t->features &= ~(0xFFFFFFFFull << shift);
	t->features |= (uint64_t)value << shift;
	return 0;
}

/* §4.1.5.1.2: a vector that does not exist reads back as none. Taking one away is harmless and
 * Linux does so between reset and unbinding; choosing one belongs to queue set-up. */
static unsigned write_vector(struct transport *t, uint16_t *vector, uint16_t value)
{
	if (t->running || (value != TRANSPORT_NO_VECTOR && t->status != IN_FEATURES_OK))
		return illegal(t);
	*vector = value < t->vectors ? value : TRANSPORT_NO_VECTOR;
	return ACTION_ROUTE;
}

static bool in_ram(const struct transport *t, uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < t->ram_count; i++)
		if (base >= t->ram[i].base &&
		    ck_range(base - t->ram[i].base, size, t->ram[i].size))
			return true;
	return false;
}

/* Alignment and size of the three parts of a split ring: §2.7. */
static bool rings_are_sound(const struct transport *t, const struct transport_queue *q)
{
	uint64_t n = q->size;

	return q->desc % 16 == 0 && q->driver % 2 == 0 && q->device % 4 == 0 &&
	       in_ram(t, q->desc, 16 * n) && in_ram(t, q->driver, 6 + 2 * n) &&
	       in_ram(t, q->device, 6 + 8 * n);
}

static unsigned enable_queue(struct transport *t, struct transport_queue *q, uint64_t value)
{
	/* §4.1.4.3.2: a driver never writes 0 here. */
	if (value != 1 || !rings_are_sound(t, q))
		return illegal(t);
	q->enabled = true;
	return 0;
}

static void put_half(uint64_t *field, unsigned shift, unsigned size, uint64_t value)
{
	if (size == 8) {
		*field = value;
		return;
	}
	*field &= ~(0xFFFFFFFFull << shift);
	*field |= (value & 0xFFFFFFFF) << shift;
}

/* Queue set-up: only between FEATURES_OK and DRIVER_OK, and only before the queue is enabled. */
static unsigned write_queue(struct transport *t, uint64_t field, unsigned shift, unsigned size,
			    uint64_t value)
{
	struct transport_queue *q = selected(t);

	if (q == NULL)
		return illegal(t);
	if (field == AT_QUEUE_VECTOR)
		return write_vector(t, &q->vector, (uint16_t)value);
	if (t->status != IN_FEATURES_OK || q->enabled)
		return illegal(t);
	switch (field) {
	case AT_QUEUE_SIZE:
		if (value == 0 || value > t->size_max || (value & (value - 1)) != 0)
			return illegal(t);
		q->size = (uint16_t)value;
		return 0;
	case AT_QUEUE_ENABLE:
		return enable_queue(t, q, value);
	case AT_QUEUE_DESC:
		put_half(&q->desc, shift, size, value);
		return 0;
	case AT_QUEUE_DRIVER:
		put_half(&q->driver, shift, size, value);
		return 0;
	default:
		put_half(&q->device, shift, size, value);
		return 0;
	}
}

static unsigned common_write(struct transport *t, uint64_t offset, unsigned size, uint64_t value)
{
	uint64_t field;
	unsigned shift;

	if (!to_field(offset, size, &field, &shift))
		return 0;
	if (size < 8)
		value &= (1ull << (8 * size)) - 1;
	if (field == AT_STATUS)
		return write_status(t, (uint8_t)value);
	if ((t->status & STATUS_NEEDS_RESET) != 0)
		return 0; /* nothing else happens until reset */
	switch (field) {
	case AT_OFFERED_SELECT:
		t->offered_select = (uint32_t)value;
		return 0;
	case AT_DRIVER_SELECT:
		t->driver_select = (uint32_t)value;
		return 0;
	case AT_QUEUE_SELECT:
		t->queue_select = (uint16_t)value;
		return 0;
	case AT_OFFERED:
	case AT_NUM_QUEUES:
	case AT_GENERATION:
	case AT_QUEUE_NOTIFY_OFF:
		return 0; /* read only (§4.1.4.3) */
	case AT_DRIVER:
		return write_features(t, (uint32_t)value);
	case AT_CONFIG_VECTOR:
		return write_vector(t, &t->config_vector, (uint16_t)value);
	default:
		return write_queue(t, field, shift, size, value);
	}
}

/* Everything outside the common structure is read only, or (notify) a job of KVM's ioeventfds:
 * what still arrives here had the wrong width. */
unsigned transport_write(struct transport *t, uint64_t offset, unsigned size, uint64_t value)
{
	return offset < BAR_COMMON_SIZE ? common_write(t, offset, size, value) : 0;
}
