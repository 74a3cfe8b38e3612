/* Legal and illegal orders of register accesses (virtio 1.2 §2.1, §3.1, §4.1.4.3). */
#include "vmm/virtio/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE  0x200000ull
#define HIGH_BASE 0x100000000ull
#define OFFERED   (FEATURE_VERSION_1 | 1ull << 9)

enum {
	DEV_SELECT = 0x00, DEV_FEATURE = 0x04, DRV_SELECT = 0x08, DRV_FEATURE = 0x0C,
	CONFIG_VECTOR = 0x10, NUM_QUEUES = 0x12, STATUS = 0x14, GENERATION = 0x15,
	QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1A, QUEUE_ENABLE = 0x1C,
	NOTIFY_OFF = 0x1E, DESC = 0x20, DRIVER = 0x28, DEVICE = 0x30,
};

struct step {
	uint16_t offset;
	uint8_t size;
	uint64_t value;
};

static const struct step to_acknowledge[] = { { STATUS, 1, 1 } };
static const struct step to_driver[] = { { STATUS, 1, 1 }, { STATUS, 1, 3 } };
static const struct step to_features_ok[] = {
	{ STATUS, 1, 1 }, { STATUS, 1, 3 }, { DRV_SELECT, 4, 1 }, { DRV_FEATURE, 4, 1 },
	{ STATUS, 1, 11 },
};
static const struct step to_ready[] = {
	{ STATUS, 1, 1 }, { STATUS, 1, 3 }, { DRV_SELECT, 4, 1 }, { DRV_FEATURE, 4, 1 },
	{ STATUS, 1, 11 }, { QUEUE_SELECT, 2, 0 }, { QUEUE_SIZE, 2, 8 }, { QUEUE_VECTOR, 2, 1 },
	{ DESC, 4, 0x1000 }, { DESC + 4, 4, 0 }, { DRIVER, 4, 0x2000 }, { DEVICE, 4, 0x3000 },
	{ QUEUE_ENABLE, 2, 1 },
};

#define RUN(t, steps) run(t, steps, sizeof(steps) / sizeof((steps)[0]))

static void begin(struct transport *t)
{
	const struct transport_setup s = {
		.features = OFFERED, .queues = 2, .vectors = 3, .size_max = 256,
		.ram_count = 2, .ram = { { 0, RAM_SIZE }, { HIGH_BASE, RAM_SIZE } },
		.config = "disk", .config_size = 4,
	};

	transport_init(t, &s);
}

static unsigned put(struct transport *t, const struct step *s)
{
	return transport_write(t, s->offset, s->size, s->value);
}

/* Every step must be legal. */
static void run(struct transport *t, const struct step *s, size_t count)
{
	begin(t);
	for (size_t i = 0; i < count; i++) {
		put(t, &s[i]);
		assert_int_equal(t->status & STATUS_NEEDS_RESET, 0);
	}
}

static uint64_t get(struct transport *t, uint64_t offset, unsigned size)
{
	return transport_read(t, offset, size);
}

static void legal_order_starts_the_device(void **state)
{
	(void)state;
	struct transport t;

	RUN(&t, to_ready);
	assert_int_equal(transport_write(&t, STATUS, 1, 15), ACTION_START);
	assert_int_equal(get(&t, STATUS, 1), 15);
	assert_true(t.running);
	assert_true(t.queue[0].enabled);
	assert_false(t.queue[1].enabled);
	assert_int_equal(t.queue[0].size, 8);
	assert_int_equal(t.queue[0].desc, 0x1000);
	assert_int_equal(t.illegal, 0);
	assert_int_equal(transport_write(&t, STATUS, 1, 0), ACTION_STOP | ACTION_ROUTE);
	assert_int_equal(get(&t, STATUS, 1), 0);
	assert_false(t.queue[0].enabled);
	assert_int_equal(t.queue[0].size, 256);
}

struct offence {
	const char *name;
	const struct step *before;
	size_t count;
	struct step step;
};
#define AFTER(steps) steps, sizeof(steps) / sizeof((steps)[0])

static const struct offence offences[] = {
	{ "DRIVER first", NULL, 0, { STATUS, 1, 2 } },
	{ "two bits at once", NULL, 0, { STATUS, 1, 3 } },
	{ "DRIVER_OK first", NULL, 0, { STATUS, 1, 4 } },
	{ "everything at once", NULL, 0, { STATUS, 1, 15 } },
	{ "reserved bit", AFTER(to_driver), { STATUS, 1, 0x13 } },
	{ "NEEDS_RESET by the driver", AFTER(to_driver), { STATUS, 1, 0x43 } },
	{ "FEATURES_OK without DRIVER", AFTER(to_acknowledge), { STATUS, 1, 9 } },
	{ "DRIVER_OK without FEATURES_OK", AFTER(to_driver), { STATUS, 1, 7 } },
	{ "clear a bit", AFTER(to_features_ok), { STATUS, 1, 3 } },
	{ "features before DRIVER", AFTER(to_acknowledge), { DRV_FEATURE, 4, 0 } },
	{ "features after FEATURES_OK", AFTER(to_features_ok), { DRV_FEATURE, 4, 1 } },
	{ "queue size before FEATURES_OK", AFTER(to_driver), { QUEUE_SIZE, 2, 8 } },
	{ "queue address before FEATURES_OK", AFTER(to_driver), { DESC, 4, 0x1000 } },
	{ "queue enable before FEATURES_OK", AFTER(to_driver), { QUEUE_ENABLE, 2, 1 } },
	{ "vector before FEATURES_OK", AFTER(to_driver), { QUEUE_VECTOR, 2, 0 } },
	{ "config vector before FEATURES_OK", AFTER(to_driver), { CONFIG_VECTOR, 2, 0 } },
	{ "size zero", AFTER(to_features_ok), { QUEUE_SIZE, 2, 0 } },
	{ "size not a power of two", AFTER(to_features_ok), { QUEUE_SIZE, 2, 6 } },
	{ "size above the maximum", AFTER(to_features_ok), { QUEUE_SIZE, 2, 512 } },
	{ "enable with zero", AFTER(to_features_ok), { QUEUE_ENABLE, 2, 0 } },
	{ "enable with two", AFTER(to_features_ok), { QUEUE_ENABLE, 2, 2 } },
	{ "change an enabled queue's size", AFTER(to_ready), { QUEUE_SIZE, 2, 16 } },
	{ "move an enabled queue", AFTER(to_ready), { DESC, 4, 0x8000 } },
	{ "move half an enabled queue", AFTER(to_ready), { DEVICE + 4, 4, 1 } },
	{ "enable twice", AFTER(to_ready), { QUEUE_ENABLE, 2, 1 } },
};

static void same_but_for_status(const struct transport *a, const struct transport *b)
{
	struct transport copy = *a;

	copy.status = b->status;
	copy.illegal = b->illegal;
	assert_memory_equal(&copy, b, sizeof(copy));
}

static void one_illegal_step_and_nothing_else_happens(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(offences) / sizeof(offences[0]); i++) {
		const struct offence *o = &offences[i];
		struct transport t, before, broken;

		print_message("# %s\n", o->name);
		run(&t, o->before, o->count);
		before = t;
		assert_int_equal(put(&t, &o->step), 0);
		assert_int_equal(t.status, before.status | STATUS_NEEDS_RESET);
		assert_int_equal(t.illegal, 1);
		same_but_for_status(&before, &t);
		broken = t;
		for (size_t k = 0; k < sizeof(to_ready) / sizeof(to_ready[0]); k++)
			assert_int_equal(put(&t, &to_ready[k]), 0);
		assert_int_equal(transport_write(&t, STATUS, 1, 15), 0);
		assert_memory_equal(&t, &broken, sizeof(t));
		transport_write(&t, STATUS, 1, 0);
		assert_int_equal(get(&t, STATUS, 1), 0);
		assert_int_equal(transport_write(&t, STATUS, 1, 1), 0);
		assert_int_equal(get(&t, STATUS, 1), 1);
	}
}

static void a_running_device_stops_at_an_illegal_step(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ QUEUE_SIZE, 2, 4 }, { DESC, 4, 0x9000 }, { DESC, 8, 0x9000 }, { QUEUE_ENABLE, 2, 1 },
		{ DRV_FEATURE, 4, 0 }, { QUEUE_VECTOR, 2, 0 }, { CONFIG_VECTOR, 2, 0 },
		{ STATUS, 1, 11 }, { STATUS, 1, 0x1F },
	};
	struct transport t;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		RUN(&t, to_ready);
		assert_int_equal(transport_write(&t, STATUS, 1, 15), ACTION_START);
		assert_int_equal(put(&t, &steps[i]), ACTION_STOP | ACTION_CONFIG_IRQ);
		assert_int_equal(t.status, 15 | STATUS_NEEDS_RESET);
		assert_false(t.running);
		assert_int_equal(t.queue[0].desc, 0x1000);
		assert_int_equal(t.queue[0].size, 8);
		assert_int_equal(get(&t, BAR_ISR, 1), 2);
		assert_int_equal(get(&t, BAR_ISR, 1), 0);
		assert_int_equal(transport_write(&t, STATUS, 1, 0), ACTION_ROUTE);
	}
}

static void features_are_refused_without_a_word(void **state)
{
	(void)state;
	static const struct {
		uint32_t select, low, high, accepted;
	} cases[] = {
		{ 2, 0, 1, 1 },           /* VERSION_1 alone */
		{ 2, 1 << 9, 1, 1 },      /* all that is offered */
		{ 2, 1 << 9, 0, 0 },      /* no VERSION_1 */
		{ 2, 1 << 10, 1, 0 },     /* not offered */
		{ 2, 0, 1 | 1 << 2, 0 },  /* not offered, upper half */
		{ 7, 0, 1, 0 },           /* a bit above 63 */
	};
	struct transport t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		RUN(&t, to_driver);
		transport_write(&t, DRV_FEATURE, 4, cases[i].low);
		transport_write(&t, DRV_SELECT, 4, 1);
		transport_write(&t, DRV_FEATURE, 4, cases[i].high);
		transport_write(&t, DRV_SELECT, 4, cases[i].select);
		if (cases[i].select == 7)
			transport_write(&t, DRV_FEATURE, 4, 1);
		transport_write(&t, STATUS, 1, 11);
		assert_int_equal(get(&t, STATUS, 1), cases[i].accepted ? 11 : 3);
	}
}

static void offered_features_are_read_in_halves(void **state)
{
	(void)state;
	struct transport t;

	begin(&t);
	assert_int_equal(get(&t, DEV_FEATURE, 4), 1 << 9);
	transport_write(&t, DEV_SELECT, 4, 1);
	assert_int_equal(get(&t, DEV_FEATURE, 4), 1);
	transport_write(&t, DEV_SELECT, 4, 2);
	assert_int_equal(get(&t, DEV_FEATURE, 4), 0);
	transport_write(&t, DEV_SELECT, 4, 0xFFFFFFFF);
	assert_int_equal(get(&t, DEV_FEATURE, 4), 0);
	assert_int_equal(get(&t, NUM_QUEUES, 2), 2);
}

static void confidential_guests_must_accept_access_platform(void **state)
{
	(void)state;
	const uint64_t back_end = FEATURE_VERSION_1 | FEATURE_ACCESS_PLATFORM | 1 << 9 | 1 << 10;
	const uint64_t plain = FEATURE_VERSION_1 | 1 << 9;
	struct transport_setup s = {
		.features = transport_offer(back_end, 1 << 9, true),
		.queues = 1, .vectors = 2, .size_max = 256,
	};
	struct transport t;

	assert_int_equal(transport_offer(back_end, 1 << 9, false), plain);
	assert_int_equal(s.features, plain | FEATURE_ACCESS_PLATFORM);
	assert_int_equal(transport_for_back_end(s.features), plain);
	for (uint32_t high = 1; high <= 3; high += 2) {
		transport_init(&t, &s);
		transport_write(&t, STATUS, 1, 1);
		transport_write(&t, STATUS, 1, 3);
		transport_write(&t, DRV_SELECT, 4, 1);
		transport_write(&t, DRV_FEATURE, 4, high);
		transport_write(&t, STATUS, 1, 11);
		assert_int_equal(get(&t, STATUS, 1), high == 3 ? 11 : 3);
	}
}

struct rings {
	uint64_t size, desc, driver, device;
	bool sound;
};

static void rings_must_be_aligned_and_in_ram(void **state)
{
	(void)state;
	static const struct rings cases[] = {
		{ 256, 0x1000, 0x2000, 0x3000, true },
		{ 256, 0, 0, 0, true },
		{ 256, HIGH_BASE, HIGH_BASE + 0x1000, HIGH_BASE + 0x2000, true },
		{ 256, RAM_SIZE - 4096, 0x2000, 0x3000, true },
		{ 256, RAM_SIZE - 4080, 0x2000, 0x3000, false },
		{ 256, 0x1000, RAM_SIZE - 518, 0x3000, true },
		{ 256, 0x1000, RAM_SIZE - 516, 0x3000, false },
		{ 256, 0x1000, 0x2000, RAM_SIZE - 2056, true },
		{ 256, 0x1000, 0x2000, RAM_SIZE - 2052, false },
		{ 256, 0x1008, 0x2000, 0x3000, false },
		{ 256, 0x1000, 0x2001, 0x3000, false },
		{ 256, 0x1000, 0x2000, 0x3002, false },
		{ 256, 0xC0000000, 0x2000, 0x3000, false },
		{ 256, HIGH_BASE - 16, 0x2000, 0x3000, false },
		{ 256, HIGH_BASE + RAM_SIZE, 0x2000, 0x3000, false },
		{ 256, 0xFFFFFFFFFFFFFFF0, 0x2000, 0x3000, false },
		{ 256, 0x1000, 0xFFFFFFFFFFFFFFFE, 0x3000, false },
		{ 256, 0x1000, 0x2000, 0xFFFFFFFFFFFFFFFC, false },
		{ 1, RAM_SIZE - 16, 0x2000, 0x3000, true },
	};
	struct transport t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		RUN(&t, to_features_ok);
		transport_write(&t, QUEUE_SIZE, 2, cases[i].size);
		transport_write(&t, DESC, 8, cases[i].desc);
		transport_write(&t, DRIVER, 4, cases[i].driver & 0xFFFFFFFF);
		transport_write(&t, DRIVER + 4, 4, cases[i].driver >> 32);
		transport_write(&t, DEVICE, 8, cases[i].device);
		assert_int_equal(get(&t, DRIVER, 8), cases[i].driver);
		assert_int_equal(get(&t, DESC + 4, 4), cases[i].desc >> 32);
		transport_write(&t, QUEUE_ENABLE, 2, 1);
		assert_int_equal(get(&t, QUEUE_ENABLE, 2), cases[i].sound);
		assert_int_equal(t.status, cases[i].sound ? 11 : 11 | STATUS_NEEDS_RESET);
	}
}

static void a_queue_that_does_not_exist_reads_zero_and_takes_nothing(void **state)
{
	(void)state;
	static const uint16_t fields[] = { QUEUE_SIZE, QUEUE_ENABLE, QUEUE_VECTOR };
	struct transport t;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		RUN(&t, to_features_ok);
		transport_write(&t, QUEUE_SELECT, 2, i == 0 ? 2 : 0xFFFF);
		assert_int_equal(get(&t, QUEUE_SIZE, 2), 0);
		assert_int_equal(get(&t, DESC, 8), 0);
		assert_int_equal(get(&t, QUEUE_VECTOR, 2), TRANSPORT_NO_VECTOR);
		assert_int_equal(t.status, 11);
		transport_write(&t, fields[i], 2, 1);
		assert_int_equal(t.status, 11 | STATUS_NEEDS_RESET);
	}
}

static void vectors_are_checked_and_shown(void **state)
{
	(void)state;
	struct transport t;

	RUN(&t, to_features_ok);
	assert_int_equal(transport_write(&t, CONFIG_VECTOR, 2, 2), ACTION_ROUTE);
	assert_int_equal(get(&t, CONFIG_VECTOR, 2), 2);
	assert_int_equal(transport_write(&t, CONFIG_VECTOR, 2, 3), ACTION_ROUTE);
	assert_int_equal(get(&t, CONFIG_VECTOR, 2), TRANSPORT_NO_VECTOR);
	transport_write(&t, QUEUE_SELECT, 2, 1);
	transport_write(&t, QUEUE_VECTOR, 2, 1);
	assert_int_equal(get(&t, QUEUE_VECTOR, 2), 1);
	assert_int_equal(t.queue[0].vector, TRANSPORT_NO_VECTOR);
	transport_write(&t, STATUS, 1, 0);
	assert_int_equal(t.queue[1].vector, TRANSPORT_NO_VECTOR);
	/* As Linux does when it unbinds. */
	assert_int_equal(transport_write(&t, QUEUE_VECTOR, 2, TRANSPORT_NO_VECTOR), ACTION_ROUTE);
	assert_int_equal(t.status, 0);
}

static void odd_widths_read_zero_and_write_nothing(void **state)
{
	(void)state;
	struct transport t, before;

	RUN(&t, to_ready);
	before = t;
	for (uint64_t offset = 0; offset < BAR_MSIX_TABLE; offset++)
		transport_write(&t, offset, 3, 0);
	transport_write(&t, STATUS, 4, 0);
	transport_write(&t, STATUS, 2, 0);
	transport_write(&t, DESC, 2, 0xFFFF);
	transport_write(&t, DESC + 1, 4, 0xFFFF);
	transport_write(&t, NUM_QUEUES, 2, 9);
	transport_write(&t, GENERATION, 1, 9);
	transport_write(&t, DEV_FEATURE, 4, 9);
	transport_write(&t, NOTIFY_OFF, 2, 9);
	transport_write(&t, BAR_CONFIG, 4, 9);
	transport_write(&t, BAR_ISR, 1, 9);
	transport_write(&t, BAR_NOTIFY, 4, 0);
	assert_memory_equal(&t, &before, sizeof(t));
	assert_int_equal(get(&t, STATUS, 2), 0);
	assert_int_equal(get(&t, QUEUE_SELECT, 4), 0);
	assert_int_equal(get(&t, DESC + 2, 4), 0);
	assert_int_equal(get(&t, DESC, 8), 0x1000);
}

static void configuration_is_readable_at_any_width_and_bounded(void **state)
{
	(void)state;
	struct transport t;

	begin(&t);
	assert_int_equal(get(&t, BAR_CONFIG, 4), 0x6B736964);
	assert_int_equal(get(&t, BAR_CONFIG + 1, 1), 'i');
	assert_int_equal(get(&t, BAR_CONFIG + 4, 8), 0);
	assert_int_equal(get(&t, BAR_CONFIG + BAR_CONFIG_SIZE - 1, 8), 0);
	assert_int_equal(get(&t, BAR_CONFIG + BAR_CONFIG_SIZE, 1), 0);
}

static void failed_stops_the_queues_and_only_reset_follows(void **state)
{
	(void)state;
	struct transport t;

	RUN(&t, to_ready);
	transport_write(&t, STATUS, 1, 15);
	assert_int_equal(transport_write(&t, STATUS, 1, 15 | STATUS_FAILED), ACTION_STOP);
	assert_int_equal(get(&t, STATUS, 1), 15 | STATUS_FAILED);
	RUN(&t, to_driver);
	transport_write(&t, STATUS, 1, 3 | STATUS_FAILED);
	transport_write(&t, STATUS, 1, 11 | STATUS_FAILED);
	assert_int_equal(t.status, 3 | STATUS_FAILED | STATUS_NEEDS_RESET);
}

static void a_dead_device_never_reads_zero_again(void **state)
{
	(void)state;
	struct transport t;

	RUN(&t, to_ready);
	transport_write(&t, STATUS, 1, 15);
	assert_int_equal(transport_die(&t), ACTION_STOP | ACTION_CONFIG_IRQ);
	assert_int_equal(transport_die(&t), 0);
	for (int i = 0; i < 3; i++) {
		transport_write(&t, STATUS, 1, 0);
		assert_int_equal(get(&t, STATUS, 1), STATUS_NEEDS_RESET);
		transport_write(&t, STATUS, 1, 1);
		assert_int_equal(get(&t, STATUS, 1), STATUS_NEEDS_RESET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_order_starts_the_device),
		cmocka_unit_test(one_illegal_step_and_nothing_else_happens),
		cmocka_unit_test(a_running_device_stops_at_an_illegal_step),
		cmocka_unit_test(features_are_refused_without_a_word),
		cmocka_unit_test(offered_features_are_read_in_halves),
		cmocka_unit_test(confidential_guests_must_accept_access_platform),
		cmocka_unit_test(rings_must_be_aligned_and_in_ram),
		cmocka_unit_test(a_queue_that_does_not_exist_reads_zero_and_takes_nothing),
		cmocka_unit_test(vectors_are_checked_and_shown),
		cmocka_unit_test(odd_widths_read_zero_and_write_nothing),
		cmocka_unit_test(configuration_is_readable_at_any_width_and_bounded),
		cmocka_unit_test(failed_stops_the_queues_and_only_reset_follows),
		cmocka_unit_test(a_dead_device_never_reads_zero_again),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
