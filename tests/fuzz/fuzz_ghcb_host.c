/* The simulated host's side of the GHCB protocols: eight bytes of MSR, then a page that a hostile
 * guest wrote. Whatever it says, a call ends after a bounded number of exits, and what reaches the
 * VMM lies within the limits that KVM keeps. */
#include "model/ghcb.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define GPA 0x184000ull
#define CALLS_MAX 256u /* a page state change has 253 entries */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_change(const struct ghcb_change *c)
{
	REQUIRE(c->gpa % 4096 == 0 && c->gpa < 1ull << 52);
	REQUIRE(c->pages >= 1 && c->pages <= 253ull * 512);
	REQUIRE(!c->large || (c->gpa % 0x200000 == 0 && c->pages % 512 == 0));
}

static void check_call(const struct ghcb_call *c)
{
	if (c->kind == GHCB_PORT)
		REQUIRE((c->size == 1 || c->size == 2 || c->size == 4) && c->address <= 0xFFFF &&
			c->value <= 0xFFFFFFFF);
	if (c->kind == GHCB_MMIO)
		REQUIRE(c->size >= 1 && c->size <= 8 && c->offset >= 0x800 &&
			c->offset + c->size <= 0xFF0);
	REQUIRE(c->kind != GHCB_REGISTER);
}

static void run_page(const uint8_t *data, size_t size)
{
	static uint8_t page[GHCB_SIZE], guest[GHCB_SIZE];
	struct ghcb_call c;
	unsigned calls = 0;

	memset(page, 0, sizeof(page));
	memcpy(page, data, size < sizeof(page) ? size : sizeof(page));
	c = ghcb_page_request(page, GPA);
	check_call(&c);
	while (c.kind == GHCB_CHANGE) {
		check_change(&c.change);
		REQUIRE(++calls < CALLS_MAX);
		c = ghcb_page_psc_next(page, &c, size > 4096 ? data[4096] & 1 : 0);
	}
	if (c.kind == GHCB_PORT)
		ghcb_page_port_answer(page, &c, 0x1122334455667788);
	ghcb_write_back(guest, page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t msr, answer = 0;
	struct ghcb_call c;

	if (size < sizeof(msr))
		return 0;
	memcpy(&msr, data, sizeof(msr));
	c = ghcb_msr_request(msr, &answer);
	if (c.kind == GHCB_CHANGE)
		check_change(&c.change);
	run_page(data + sizeof(msr), size - sizeof(msr));
	return 0;
}
