/* Asks the simulated processor for a report, as pavise-agent-sim does after the fold. */
#include "tests/model/guests/lib/snp.h"

#define COMMAND 0x5E0
#define DATA    0x5E4

static void request(unsigned words, uint32_t vmpl)
{
	out32(COMMAND, 1);
	out32(DATA, words * 4);
	for (unsigned i = 0; i < words; i++)
		out32(DATA, i < 16 ? 0x40404040u + i : i == 16 ? vmpl : 0);
	out32(COMMAND, 2);
}

static void print_answer(void)
{
	uint32_t size = in32(DATA), word[8 + 60];

	put_value("large enough", size >= 32 + 1184);
	for (unsigned i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		word[i] = in32(DATA);
	put_value("code", word[0]);
	put_value("report size", word[1]);
	put_value("version", word[8]);
	put_value("first data", word[8 + 0x50 / 4]);
	put_value("last data", word[8 + 0x8C / 4]);
	for (unsigned i = 0; i < 12; i++)
		put_value("measurement", word[8 + 0x90 / 4 + i]);
}

void guest_main(void)
{
	ghcb_open();
	fold();
	put_value("idle", in32(COMMAND));
	request(24, 0);
	put_value("ready", in32(COMMAND));
	print_answer();
	request(23, 0);
	put_value("short", in32(COMMAND));
	request(24, 9);
	put_value("bad level", in32(COMMAND));
	out32(COMMAND, 3);
	put_value("reset", in32(COMMAND));
	power_off();
}
