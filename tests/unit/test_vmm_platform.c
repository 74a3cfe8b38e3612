/* vmm/platform/uart.c, ioapic.c, power.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "firmware/stop.h"
#include "vmm/platform/ioapic.h"
#include "vmm/platform/power.h"
#include "vmm/platform/uart.h"

/* ---- UART ---- */

struct sink {
	char text[64];
	unsigned length, edges;
	int level;
};

static void put(void *ctx, uint8_t byte)
{
	struct sink *s = ctx;

	s->text[s->length++ % (sizeof(s->text) - 1)] = (char)byte;
}

static void set_level(void *ctx, int level)
{
	struct sink *s = ctx;

	s->edges += level && !s->level;
	s->level = level;
}

static struct sink sink;
static struct uart uart;

static int set_up_uart(void **state)
{
	(void)state;
	memset(&sink, 0, sizeof(sink));
	uart_init(&uart, put, &sink, set_level, &sink);
	return 0;
}

static unsigned in(unsigned offset)
{
	return (unsigned)uart_read(&uart, offset, 1);
}

static void out(unsigned offset, uint8_t v)
{
	uart_write(&uart, offset, 1, v);
}

static void test_uart_output(void **state)
{
	(void)state;
	out(0, 'o');
	out(0, 'k');
	assert_string_equal(sink.text, "ok");
	assert_int_equal(in(5), 0x60);
	assert_int_equal(sink.edges, 0); /* no interrupt was asked for */
}

static void test_uart_thre_interrupt(void **state)
{
	(void)state;
	assert_int_equal(in(2), 0x01);
	out(1, 2);
	assert_int_equal(sink.edges, 1); /* THR is empty already */
	assert_int_equal(in(2), 0x02);
	assert_int_equal(in(2), 0x01); /* reading acknowledged it */
	assert_int_equal(sink.level, 0);
	out(0, 'a');
	assert_int_equal(sink.edges, 2);
	out(0, 'b'); /* unacknowledged: an edge-triggered pin still needs another edge */
	assert_int_equal(sink.edges, 3);
	out(1, 0);
	assert_int_equal(sink.level, 0);
	assert_int_equal(in(2), 0x01);
}

static void test_uart_divisor(void **state)
{
	(void)state;
	out(3, 0x83);
	out(0, 0x34);
	out(1, 0x12);
	assert_int_equal(in(0), 0x34);
	assert_int_equal(in(1), 0x12);
	out(3, 0x03);
	assert_int_equal(in(1), 0);
	assert_int_equal(sink.length, 0); /* none of it was data */
}

static void test_uart_probe(void **state)
{
	(void)state;
	out(7, 0x5A);
	assert_int_equal(in(7), 0x5A);
	out(1, 0xFF);
	assert_int_equal(in(1), 0x0F);
	out(1, 0);
	out(2, 1);
	assert_int_equal(in(2) & 0xC0, 0xC0); /* a 16550A has FIFOs */
	out(4, 0x10 | 0x0A); /* loop RTS and OUT2 back */
	assert_int_equal(in(6) & 0xF0, 0x90);
	out(4, 0x0B);
	assert_int_equal(in(6), 0xB0);
}

static void test_uart_loopback(void **state)
{
	(void)state;
	out(4, 0x10);
	out(1, 1);
	out(0, 'x');
	assert_int_equal(sink.length, 0);
	assert_int_equal(in(5), 0x61);
	assert_int_equal(in(2) & 0xF, 4);
	assert_int_equal(sink.level, 1);
	assert_int_equal(in(0), 'x');
	assert_int_equal(sink.level, 0);
	assert_int_equal(in(5), 0x60);
}

static void test_uart_wide(void **state)
{
	(void)state;
	uart_write(&uart, 0, 2, 0x4142);
	uart_write(&uart, 0, 4, 0x4142);
	assert_int_equal(sink.length, 0);
	assert_true(uart_read(&uart, 5, 2) == ~0ull);
}

/* ---- IOAPIC ---- */

struct message {
	uint64_t address;
	uint32_t data;
	unsigned count;
};

static struct message message;
static struct ioapic ioapic;

static void send(void *ctx, uint64_t address, uint32_t data)
{
	struct message *m = ctx;

	m->address = address;
	m->data = data;
	m->count++;
}

static int set_up_ioapic(void **state)
{
	(void)state;
	memset(&message, 0, sizeof(message));
	ioapic_init(&ioapic, send, &message);
	return 0;
}

static uint32_t reg_read(uint32_t index)
{
	ioapic_write(&ioapic, 0, 4, index);
	return (uint32_t)ioapic_read(&ioapic, 0x10, 4);
}

static void reg_write(uint32_t index, uint32_t v)
{
	ioapic_write(&ioapic, 0, 4, index);
	ioapic_write(&ioapic, 0x10, 4, v);
}

static void test_ioapic_registers(void **state)
{
	(void)state;
	assert_int_equal(reg_read(1), 0x00170011);
	reg_write(1, 0);
	assert_int_equal(reg_read(1), 0x00170011);
	reg_write(0, 0xFFFFFFFF);
	assert_int_equal(reg_read(0), 0x0F000000);
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++)
		assert_int_equal(reg_read(0x10 + 2 * pin), 0x10000); /* masked */
	reg_write(0x10, 0xFFFFFFFF);
	assert_int_equal(reg_read(0x10), 0xFFFFAFFF); /* delivery status, remote IRR stay 0 */
	reg_write(0x11, 0xAB000000);
	assert_int_equal(reg_read(0x11), 0xAB000000);
	assert_int_equal(reg_read(0x10), 0xFFFFAFFF);
}

static void test_ioapic_bounds(void **state)
{
	struct ioapic before;

	(void)state;
	before = ioapic;
	for (uint32_t index = 0x10 + 2 * IOAPIC_PINS; index < 0x100; index++) {
		reg_write(index, 0xFFFFFFFF);
		assert_int_equal(reg_read(index), 0);
	}
	for (uint32_t index = 2; index < 0x10; index++)
		reg_write(index, 0xFFFFFFFF);
	assert_memory_equal(ioapic.entry, before.entry, sizeof(before.entry));
	ioapic_set_line(&ioapic, IOAPIC_PINS, 1);
	ioapic_set_line(&ioapic, 0xFFFFFFFF, 1);
	assert_int_equal(message.count, 0);
	assert_true(ioapic_read(&ioapic, 0x10, 1) == ~0ull);
	assert_true(ioapic_read(&ioapic, 0x14, 4) == ~0ull);
}

static void test_ioapic_delivery(void **state)
{
	(void)state;
	reg_write(0x10 + 2 * 4 + 1, 0x02000000);
	reg_write(0x10 + 2 * 4, 0x0831); /* logical, fixed, vector 0x31 */
	ioapic_set_line(&ioapic, 4, 1);
	assert_int_equal(message.count, 1);
	assert_true(message.address == 0xFEE02004);
	assert_int_equal(message.data, 0x31);
	ioapic_set_line(&ioapic, 4, 1); /* no edge */
	assert_int_equal(message.count, 1);
	ioapic_set_line(&ioapic, 4, 0);
	ioapic_set_line(&ioapic, 4, 1);
	assert_int_equal(message.count, 2);
	reg_write(0x10 + 2 * 4, 0x0131); /* physical, lowest priority */
	ioapic_set_line(&ioapic, 4, 0);
	ioapic_set_line(&ioapic, 4, 1);
	assert_true(message.address == 0xFEE02000);
	assert_int_equal(message.data, 0x131);
}

static void test_ioapic_mask(void **state)
{
	(void)state;
	reg_write(0x10 + 2 * 4, 0x10031);
	ioapic_set_line(&ioapic, 4, 1);
	assert_int_equal(message.count, 0);
	reg_write(0x10 + 2 * 4, 0x31); /* unmasking delivers no old edge */
	assert_int_equal(message.count, 0);
	ioapic_set_line(&ioapic, 5, 1); /* another pin, still masked */
	assert_int_equal(message.count, 0);
}

/* ---- power ---- */

struct ending {
	enum vm_end end;
	uint32_t detail;
	unsigned count, hand_overs;
};

static struct ending ending;
static struct power power;

static void on_end(void *ctx, enum vm_end end, uint32_t detail)
{
	struct ending *g = ctx;

	g->end = end;
	g->detail = detail;
	g->count++;
}

static void on_hand_over(void *ctx)
{
	struct ending *g = ctx;

	g->hand_overs++;
}

static int set_up_power(void **state)
{
	(void)state;
	memset(&ending, 0, sizeof(ending));
	power_init(&power, on_end, on_hand_over, &ending);
	return 0;
}

static void test_power_off(void **state)
{
	(void)state;
	power_sleep_write(&power, 0, 1, 0x14); /* no enable bit */
	power_sleep_write(&power, 0, 1, 0x20); /* sleep type 0 */
	power_sleep_write(&power, 1, 1, 0x34); /* the status register */
	power_sleep_write(&power, 0, 2, 0x34);
	assert_int_equal(ending.count, 0);
	power_sleep_write(&power, 0, 1, 0x34);
	assert_int_equal(ending.count, 1);
	assert_int_equal(ending.end, VM_END_POWER_OFF);
}

static void test_power_reset(void **state)
{
	(void)state;
	power_reset_write(&power, 0, 1, 0);
	power_reset_write(&power, 0, 1, 6);
	assert_int_equal(ending.count, 0);
	power_reset_write(&power, 0, 1, 1);
	assert_int_equal(ending.end, VM_END_RESET);
}

static void test_power_stop(void **state)
{
	(void)state;
	power_stop_write(&power, 0, 1, STOP_TRAP);
	power_stop_write(&power, 0, 4, STOP_TRAP);
	power_stop_write(&power, 1, 4, STOP_MAGIC | STOP_TRAP);
	power_stop_write(&power, 0, 2, STOP_MAGIC | STOP_TRAP);
	assert_int_equal(ending.count, 0);
	power_stop_write(&power, 0, 4, STOP_MAGIC | STOP_TRAP);
	assert_int_equal(ending.end, VM_END_FIRMWARE_STOP);
	assert_int_equal(ending.detail, STOP_TRAP);
	power_stop_write(&power, 0, 4, STOP_MAGIC | STOP_HANDED_OVER);
	power_stop_write(&power, 0, 4, STOP_MAGIC | STOP_HANDED_OVER);
	power_stop_write(&power, 0, 4, STOP_MAGIC | STOP_TRAP);
	assert_int_equal(ending.count, 1);
	assert_int_equal(ending.hand_overs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_uart_output, set_up_uart),
		cmocka_unit_test_setup(test_uart_thre_interrupt, set_up_uart),
		cmocka_unit_test_setup(test_uart_divisor, set_up_uart),
		cmocka_unit_test_setup(test_uart_probe, set_up_uart),
		cmocka_unit_test_setup(test_uart_loopback, set_up_uart),
		cmocka_unit_test_setup(test_uart_wide, set_up_uart),
		cmocka_unit_test_setup(test_ioapic_registers, set_up_ioapic),
		cmocka_unit_test_setup(test_ioapic_bounds, set_up_ioapic),
		cmocka_unit_test_setup(test_ioapic_delivery, set_up_ioapic),
		cmocka_unit_test_setup(test_ioapic_mask, set_up_ioapic),
		cmocka_unit_test_setup(test_power_off, set_up_power),
		cmocka_unit_test_setup(test_power_reset, set_up_power),
		cmocka_unit_test_setup(test_power_stop, set_up_power),
	};

	return cmocka_run_group_tests_name("vmm platform", tests, NULL, NULL);
}
