/* A quote: asked for by TDVMCALL before the fold, through the agent's ports after it. */
#include "tests/model/guests/lib/tdx.h"

#define COMMAND 0x5E0
#define DATA    0x5E4
#define BUFFER  0x400000ull

static _Alignas(1024) uint8_t report[1024];
static _Alignas(64) uint8_t data[64];

static uint64_t quote(uint64_t gpa, uint64_t size)
{
	return td_vmcall(CALL_QUOTE, gpa, size, 0, 0, 0);
}

static void before(void)
{
	volatile uint64_t *buffer = at(SHARED_VIEW + BUFFER);

	(void)td_vmcall(CALL_MAP_GPA, BUFFER | S_BIT, 0x5000, 0, 0, 0);
	put_value("private buffer", quote(BUFFER, 0x5000));
	put_value("no size", quote(BUFFER | S_BIT, 0));
	put_value("odd size", quote(BUFFER | S_BIT, 0x1800));
	put_value("half shared", quote(BUFFER | S_BIT, 0x10000));
	put_value("outside", quote(1ull << 40 | S_BIT, 0x5000));
	(void)td_leaf(MR_REPORT, (uint64_t)report, (uint64_t)data, 0);
	buffer[0] = 1;
	buffer[1] = 0;
	buffer[2] = 1024;
	for (unsigned i = 0; i < 128; i++)
		buffer[3 + i] = ((const uint64_t *)report)[i];
	put_value("quote", quote(BUFFER | S_BIT, 0x5000));
	while (buffer[1] == ~0ull)
		__asm__ volatile("pause");
	put_value("status", buffer[1]);
	put_value("length", buffer[2] >> 32);
}

static void submit(unsigned words)
{
	out32(COMMAND, 1);
	out32(DATA, words * 4);
	for (unsigned i = 0; i < words; i++)
		out32(DATA, 0x40404040u + i);
	out32(COMMAND, 2);
}

static uint32_t await(void)
{
	uint32_t status = 0;

	for (unsigned i = 0; status == 0 && i < 1000000; i++)
		status = in32(COMMAND);
	return status;
}

static void after(void)
{
	out32(COMMAND, 4);
	put_value("identified", in32(COMMAND));
	put_value("bytes", in32(DATA));
	put_value("kind", in32(DATA));
	submit(16);
	put_value("ready", await());
	put_value("large", in32(DATA) > 8);
	put_value("agent status", in32(DATA));
	put_value("agent size", in32(DATA));
	put_value("quote version", in32(DATA));
	submit(15);
	put_value("short", await());
	out32(COMMAND, 3);
	put_value("reset", in32(COMMAND));
}

void guest_main(void)
{
	before();
	fold();
	after();
	power_off();
}
