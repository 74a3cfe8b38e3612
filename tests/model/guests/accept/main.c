/* What works: every instruction and protocol, with its answer. */
#include "tests/model/guests/lib/snp.h"

#define FREE_PAGE 0x190000ull /* private, never launched */
#define BLOCK     0x400000ull /* the same, 2 MiB */

static void msr_protocol(void)
{
	uint64_t info = ghcb_msr(2), features = ghcb_msr(0x80);

	ghcb_open();
	put_value("status", rdmsr(0xC0010131));
	put_value("info", info);
	put_value("features", features);
	put_value("registered", ghcb_msr(FW_GHCB | 0x12));
	put_value("bad psc", ghcb_msr(FW_GHCB | 7ull << 52 | 0x14));
}

static void small_pages(void)
{
	put_value("validate", pvalidate(FREE_PAGE, 0, 1));
	*at(FREE_PAGE) = 0x1234;
	put_value("again", pvalidate(FREE_PAGE, 0, 1));
	put_value("read", *at(FREE_PAGE));
	put_value("launched", pvalidate(FW_IMAGE, 0, 1));
	put_value("rescind", pvalidate(FREE_PAGE, 0, 0));
	put_value("rescind again", pvalidate(FREE_PAGE, 0, 0));
}

static void large_pages(void)
{
	put_value("mismatch", pvalidate(0, 1, 1));
	put_value("unaligned", pvalidate(BLOCK + 0x1000, 1, 1));
	put_value("large", pvalidate(BLOCK, 1, 1));
	*at(BLOCK + 0x1FF000) = 0x5678;
	put_value("large read", *at(BLOCK + 0x1FF000));
	put_value("large again", pvalidate(BLOCK, 1, 1));
	put_value("small in large", pvalidate(BLOCK + 0x3000, 0, 0));
	put_value("large after split", pvalidate(BLOCK, 1, 1));
}

static void privileges(void)
{
	put_value("adjust", rmpadjust(FW_IMAGE, 0, 1));
	put_value("adjust own level", rmpadjust(FW_IMAGE, 0, 0));
	put_value("adjust bad", rmpadjust(FW_IMAGE, 0, 1ull << 40));
}

static void page_states(void)
{
	uint64_t gpa = BLOCK + 0x10000, info1 = 0;

	put_value("to shared", ghcb_psc(gpa, 0, 0));
	*at(SHARED_VIEW + gpa) = 0x77;
	put_value("shared read", *at(SHARED_VIEW + gpa));
	put_value("to private", ghcb_psc(gpa, 1, 0));
	put_value("valid again", pvalidate(gpa, 0, 1));
	put_value("contents", *at(gpa));
	put_value("outside", ghcb_psc(1ull << 40, 0, 0));
	put_value("wrapping", ghcb_psc(0xFFFFFFFFFF000ull, 0, 0));
	put_value("unknown", ghcb_call(0x80001234, 0, 0, 0, &info1));
	put_value("malformed", info1);
	put_value("hv features", ghcb_call(0x8000FFFD, 0, 0, 0, 0));
}

void guest_main(void)
{
	msr_protocol();
	small_pages();
	large_pages();
	privileges();
	page_states();
	power_off();
}
