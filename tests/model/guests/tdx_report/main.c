/* A report of its own measurement, before the fold. */
#include "tests/model/guests/lib/tdx.h"

static _Alignas(1024) uint8_t report[1024];
static _Alignas(64) uint32_t data[16];

void guest_main(void)
{
	const uint32_t *word = (const uint32_t *)report;

	for (unsigned i = 0; i < 16; i++)
		data[i] = 0x40404040u + i;
	put_value("report", td_leaf(MR_REPORT, (uint64_t)report, (uint64_t)data, 0));
	put_value("type", report[0]);
	put_value("first data", word[128 / 4]);
	put_value("last data", word[128 / 4 + 15]);
	put_value("attributes", word[512 / 4]);
	for (unsigned i = 0; i < 12; i++)
		put_value("mrtd", word[528 / 4 + i]);
	put_value("unaligned", td_leaf(MR_REPORT, (uint64_t)report + 64, (uint64_t)data, 0));
	put_value("subtype", td_leaf(MR_REPORT, (uint64_t)report, (uint64_t)data, 1));
	power_off();
}
