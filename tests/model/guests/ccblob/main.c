/* A zero page with a list of setup_data whose first and third node are CC blobs, as a firmware leaves
 * it; looks at it again after the fold. */
#include "tests/model/guests/lib/snp.h"

#define NODE(n) (0x1B1000ull + 0x100ull * (n))

static void node(unsigned n, uint64_t next, uint32_t type)
{
	*at(NODE(n)) = next;
	*at(NODE(n) + 8) = type | 4ull << 32;
}

void guest_main(void)
{
	ghcb_open();
	for (uint64_t page = FW_ZERO_PAGE; page < FW_ZERO_PAGE + 0x2000; page += 0x1000)
		(void)pvalidate(page, 0, 1);
	*at(FW_ZERO_PAGE + 0x138) = 0x1122334455667788;
	*at(FW_ZERO_PAGE + 0x250) = NODE(0);
	node(0, NODE(1), 7);
	node(1, NODE(2), 1);
	node(2, NODE(3), 7);
	node(3, 0, 2);
	fold();
	put_value("address", *at(FW_ZERO_PAGE + 0x138));
	for (uint64_t n = *at(FW_ZERO_PAGE + 0x250); n != 0; n = *at(n))
		put_value("type", *at(n + 8) & 0xFFFFFFFF);
	power_off();
}
