/* vmm/platform/tpm_crb.c against a swtpm that answers what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/platform/tpm_crb.h"

#define HEADER 10u

static struct tpm_crb tpm;
static atomic_bool stopping;
static int far_end;
static unsigned complaints;

static void complain(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
	complaints++;
}

static int set_up(void **state)
{
	struct err e = { 0 };
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	far_end = pair[1];
	complaints = 0;
	atomic_store(&stopping, false);
	if (tpm_crb_init(&tpm, pair[0], &stopping, complain, NULL, &e) < 0)
		return -1;
	tpm.timeout_ms = 50;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (wait(NULL) > 0)
		;
	close(tpm.fd);
	if (far_end >= 0)
		close(far_end);
	return 0;
}

static uint32_t reg(unsigned offset)
{
	return (uint32_t)tpm_crb_read(&tpm, offset, 4);
}

static void set(unsigned offset, uint32_t v)
{
	tpm_crb_write(&tpm, offset, 4, v);
}

static void put_command(uint32_t size)
{
	const uint8_t command[12] = { 0x80, 0x01, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
				      (uint8_t)(size >> 8), (uint8_t)size, 0, 0, 1, 0x44, 0, 0 };

	for (unsigned i = 0; i < sizeof(command); i++)
		tpm_crb_write(&tpm, 0x80 + i, 1, command[i]);
}

static void make_ready(void)
{
	set(0x08, 1);
	set(0x40, 1);
}

/* A child plays swtpm for one command: an answer written beforehand would count as unasked for. */
static void answer(const void *response, size_t size)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		uint8_t command[4096];

		if (read(far_end, command, sizeof(command)) > 0)
			(void)!write(far_end, response, size);
		_exit(0);
	}
}

static void header(uint8_t out[HEADER], uint16_t tag, uint32_t size, uint32_t code)
{
	const uint8_t h[HEADER] = { (uint8_t)(tag >> 8), (uint8_t)tag, (uint8_t)(size >> 24),
				    (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size,
				    (uint8_t)(code >> 24), (uint8_t)(code >> 16),
				    (uint8_t)(code >> 8), (uint8_t)code };

	memcpy(out, h, HEADER);
}

/* The response code in the buffer, big endian at offset 6. */
static uint32_t code(void)
{
	return __builtin_bswap32((uint32_t)tpm_crb_read(&tpm, 0x86, 4));
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(reg(0x00), 0x81);
	assert_int_equal(reg(0x0C), 0);
	assert_int_equal(reg(0x30) & 0xF, 1);
	assert_int_equal(reg(0x44), 2); /* idle */
	assert_int_equal(reg(0x58), 0xF80);
	assert_int_equal(reg(0x5C), 0xFED40080);
	assert_int_equal(reg(0x60), 0);
	assert_int_equal(reg(0x64), 0xF80);
	assert_true(tpm_crb_read(&tpm, 0x68, 8) == 0xFED40080);
	make_ready();
	assert_int_equal(reg(0x00), 0x83);
	assert_int_equal(reg(0x0C), 1);
	assert_int_equal(reg(0x44), 0);
	set(0x40, 2);
	assert_int_equal(reg(0x44), 2);
	set(0x08, 2);
	assert_int_equal(reg(0x0C), 0);
}

static void test_bounds(void **state)
{
	(void)state;
	make_ready();
	assert_true(tpm_crb_read(&tpm, 0xFFC, 8) == ~0ull); /* across the end of locality 0 */
	assert_true(tpm_crb_read(&tpm, 0x1000, 4) == ~0ull);
	assert_true(tpm_crb_read(&tpm, 0x4FFC, 4) == ~0ull);
	tpm_crb_write(&tpm, 0xFFC, 8, ~0ull);
	tpm_crb_write(&tpm, 0x1040, 4, 1);
	tpm_crb_write(&tpm, 0xFF8, 8, 0x0102030405060708);
	assert_true(tpm_crb_read(&tpm, 0xFF8, 8) == 0x0102030405060708);
	/* A read that begins in the registers never reaches the buffer. */
	assert_true(tpm_crb_read(&tpm, 0x7E, 4) >> 16 == 0);
}

static void test_command(void **state)
{
	uint8_t response[14] = { 0 };

	(void)state;
	header(response, 0x8001, sizeof(response), 0);
	response[13] = 0x77;
	make_ready();
	put_command(12);
	answer(response, sizeof(response));
	set(0x4C, 1);
	assert_int_equal(reg(0x4C), 0);
	assert_int_equal(code(), 0);
	assert_int_equal(tpm_crb_read(&tpm, 0x8D, 1), 0x77);
	assert_int_equal(complaints, 0);
}

/* Nothing may be sent without locality, ready state and start bit. */
static void test_not_ready(void **state)
{
	struct pollfd p = { .events = POLLIN };

	(void)state;
	p.fd = far_end;
	put_command(12); /* without locality: not even stored */
	set(0x4C, 1);
	set(0x08, 1);
	assert_true(tpm_crb_read(&tpm, 0x80, 4) == 0);
	put_command(12);
	set(0x4C, 1); /* idle */
	set(0x40, 1);
	set(0x4C, 2); /* no start bit */
	tpm_crb_write(&tpm, 0x4C, 1, 1); /* not a register write */
	set(0x08, 2);
	set(0x4C, 1); /* locality given back */
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void test_command_size(void **state)
{
	static const uint32_t bad[] = { 0, 9, 0xF81, 0x1000, 0xFFFFFFFF };
	struct pollfd p = { .events = POLLIN };

	(void)state;
	p.fd = far_end;
	make_ready();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_command(bad[i]);
		set(0x4C, 1);
		assert_int_equal(code(), 0x142);
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(complaints, 0); /* the guest's fault, and no reason to distrust swtpm */
}

/* The simulator's prefix would let a guest choose its locality: nothing of it reaches swtpm. */
static void test_command_tag(void **state)
{
	static const uint8_t prefix[] = { 0x00, 0x00, 0x00, 0x08, 0x02, 0x00, 0x00, 0x00, 0x0C, 0x80 };
	struct pollfd p = { .events = POLLIN };

	(void)state;
	p.fd = far_end;
	make_ready();
	for (unsigned i = 0; i < sizeof(prefix); i++)
		tpm_crb_write(&tpm, 0x80 + i, 1, prefix[i]);
	set(0x4C, 1);
	assert_int_equal(code(), 0x01E);
	put_command(12);
	tpm_crb_write(&tpm, 0x81, 1, 0x03); /* one above TPM_ST_SESSIONS */
	set(0x4C, 1);
	assert_int_equal(code(), 0x01E);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(complaints, 0);
}

/* After one broken answer: TPM_RC_FAILURE now and for every later command, one complaint. */
static void expect_failure(void)
{
	set(0x4C, 1);
	assert_int_equal(code(), 0x101);
	assert_int_equal(complaints, 1);
	put_command(12);
	set(0x4C, 1);
	assert_int_equal(code(), 0x101);
	assert_int_equal(complaints, 1);
}

static void broken_answer(const void *response, size_t size)
{
	make_ready();
	put_command(12);
	answer(response, size);
	expect_failure();
}

static void test_short_header(void **state)
{
	(void)state;
	broken_answer("\x80\x01\0\0\0\x0a", 6);
}

static void test_short_body(void **state)
{
	uint8_t response[20] = { 0 };

	(void)state;
	header(response, 0x8001, 100, 0);
	broken_answer(response, sizeof(response));
}

static void test_oversize(void **state)
{
	static uint8_t response[8192];

	(void)state;
	header(response, 0x8001, 0xF81, 0);
	broken_answer(response, sizeof(response));
}

static void test_undersize(void **state)
{
	static uint8_t response[8192]; /* bytes enough to overrun every buffer */

	(void)state;
	header(response, 0x8001, 9, 0);
	broken_answer(response, sizeof(response));
}

static void test_garbage(void **state)
{
	(void)state;
	broken_answer("this is no TPM response", 23);
}

static void test_timeout(void **state)
{
	(void)state;
	make_ready();
	put_command(12);
	expect_failure();
}

static void test_closed(void **state)
{
	(void)state;
	close(far_end);
	far_end = -1;
	make_ready();
	put_command(12);
	expect_failure();
}

static void test_unasked(void **state)
{
	uint8_t response[HEADER];

	(void)state;
	header(response, 0x8001, HEADER, 0);
	assert_int_equal(write(far_end, response, sizeof(response)), HEADER);
	make_ready();
	put_command(12);
	expect_failure();
}

static void test_stopping(void **state)
{
	(void)state;
	tpm.timeout_ms = 1000000;
	atomic_store(&stopping, true);
	make_ready();
	put_command(12);
	expect_failure();
}

static void test_largest(void **state)
{
	static uint8_t response[0xF80];

	(void)state;
	header(response, 0x8002, sizeof(response), 0);
	response[sizeof(response) - 1] = 0x55;
	make_ready();
	put_command(0xF80);
	answer(response, sizeof(response));
	set(0x4C, 1);
	assert_int_equal(code(), 0);
	assert_int_equal(tpm_crb_read(&tpm, 0xFFF, 1), 0x55);
}

#define CRB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CRB_TEST(test_registers),
		CRB_TEST(test_bounds),
		CRB_TEST(test_command),
		CRB_TEST(test_not_ready),
		CRB_TEST(test_command_size),
		CRB_TEST(test_command_tag),
		CRB_TEST(test_short_header),
		CRB_TEST(test_short_body),
		CRB_TEST(test_oversize),
		CRB_TEST(test_undersize),
		CRB_TEST(test_garbage),
		CRB_TEST(test_timeout),
		CRB_TEST(test_closed),
		CRB_TEST(test_unasked),
		CRB_TEST(test_stopping),
		CRB_TEST(test_largest),
	};

	signal(SIGPIPE, SIG_IGN); /* as the VMM does */
	return cmocka_run_group_tests_name("vmm tpm_crb", tests, NULL, NULL);
}
