/* The simulated secure processor against the firmware's own order of checks and status codes
 * (56860 chapter 8), and against digests that were computed elsewhere. */
#include "tests/model/psp_bench.h"

#include "common/bytes.h"
#include "model/psp/serve.h"
#include "model/psp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SEND(p, COMMAND, c) bench_command(p, COMMAND, &(c), sizeof(c), NULL, NULL)
#define TWO_MIB 0x200000u

static struct psp_bench bench;

static void gctx_create_checks(void **state)
{
	(void)state;
	struct psp p;
	struct psp_gctx_create c = { .page_state = 99, .page_size = PSP_SIZE_2M };

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_INVALID_PARAM);
	c.page_state = PSP_PAGE_HYPERVISOR;
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_INVALID_PAGE_STATE);
	c.page_state = PSP_PAGE_FIRMWARE;
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_INVALID_PAGE_SIZE);
	c.page_size = PSP_SIZE_4K;
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_GCTX_CREATE, c), PSP_INVALID_PAGE_STATE);
}

static void launch_start_checks(void **state)
{
	(void)state;
	struct psp p;
	struct psp_launch_start c = { .reserved = 1 };

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, c), PSP_INVALID_PARAM);
	c.reserved = 0;
	c.flags = 4;
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, c), PSP_INVALID_PARAM);
	c.flags = 0;
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, c), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, c), PSP_INVALID_GUEST);
	bench_started(&p);
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, c), PSP_INVALID_GUEST_STATE);
}

static void launch_start_policy(void **state)
{
	(void)state;
	static const struct {
		uint64_t policy;
		bool smt;
		uint32_t flags, status;
	} cases[] = {
		{ 0x30000, true, 0, PSP_SUCCESS },
		{ 0x30000, true, PSP_START_MA_EN, PSP_INVALID_GUEST },
		{ 0x10000, true, 0, PSP_POLICY_FAILURE },  /* bit 17 must be one */
		{ 0x20000, true, 0, PSP_POLICY_FAILURE },  /* SMT runs, the guest forbids it */
		{ 0x20000, false, 0, PSP_SUCCESS },
		{ 0x30137, true, 0, PSP_SUCCESS },         /* ABI 1.55, what this one speaks */
		{ 0x30138, true, 0, PSP_POLICY_FAILURE },  /* 1.56 */
		{ 0x30200, true, 0, PSP_POLICY_FAILURE },  /* 2.0 */
		{ 0x300ff, true, 0, PSP_SUCCESS },         /* 0.255 is older */
		{ 0x230000, true, 0, PSP_POLICY_FAILURE }, /* bit 21: unknown to Genoa */
		{ 1ull << 63 | 0x30000, true, 0, PSP_POLICY_FAILURE },
		{ 0xb0000, true, 0, PSP_SUCCESS },         /* debug */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct psp p;
		struct psp_launch_start c = { .policy = cases[i].policy, .flags = cases[i].flags };

		bench_machine(&bench, &p);
		p.platform.smt = cases[i].smt;
		bench_create(&p);
		uint32_t status = SEND(&p, PSP_LAUNCH_START, c);
		if (status != cases[i].status)
			fail_msg("case %zu: status 0x%x", i, status);
	}
}

static void activate_checks(void **state)
{
	(void)state;
	struct psp p;
	struct psp_activate c = { .asid = 9, .reserved = 1 };

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_PARAM);
	c.reserved = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_GUEST);
	bench_create(&p);
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_GUEST_STATE);
	struct psp_launch_start s = { .policy = 0x130000 }; /* single socket */
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, s), PSP_SUCCESS);
	p.platform.sockets = 2;
	p.platform.asid_with_pages = 9;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_CONFIG);
	p.platform.asid_with_pages = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_POLICY_FAILURE);
	p.platform.sockets = 1;
	c.asid = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_ASID);
	c.asid = p.platform.asid_max + 1;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_INVALID_ASID);
	c.asid = 9;
	p.platform.asid_owned = p.platform.asid_dirty = p.platform.asid_unflushed = 9;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_ASID_OWNED);
	p.platform.asid_owned = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_WBINVD_REQUIRED);
	p.platform.asid_dirty = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_DFFLUSH_REQUIRED);
	p.platform.asid_unflushed = 0;
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_ACTIVATE, c), PSP_ASID_OWNED);
}

/* Everything wrong at once, then mended in the order in which the firmware looks. */
static void launch_update_checks(void **state)
{
	(void)state;
	struct psp p;
	struct psp_launch_update c = bench_update(0x1800, 99);

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	c.imi_page = 2;
	c.rmp_state = PSP_PAGE_GUEST_VALID;
	c.page_size = PSP_SIZE_2M;
	c.rmp_asid = BENCH_ASID + 1;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PARAM);
	c.imi_page = 1;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_GUEST);
	bench_create(&p);
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PAGE_STATE);
	c.rmp_state = PSP_PAGE_PRE_GUEST;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PAGE_SIZE);
	c.rmp_size = PSP_SIZE_2M;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_ADDRESS);
	c.gpa = TWO_MIB;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PAGE_SIZE);
	c.page_size = c.rmp_size = PSP_SIZE_4K;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PARAM); /* type */
	c.page_type = PSP_TYPE_CPUID;
	c.data[0] = 65; /* entries */
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_GUEST_STATE);
	const struct psp_launch_start s = bench_start();
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, s), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INACTIVE);
	const struct psp_activate a = { .asid = BENCH_ASID };
	assert_int_equal(SEND(&p, PSP_ACTIVATE, a), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PAGE_OWNER);
	c.rmp_asid = BENCH_ASID;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PARAM); /* IMI */
	c.imi_page = 0;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_INVALID_PARAM); /* entries */
	uint8_t before[48];
	memcpy(before, p.guest.launch_digest, sizeof(before));
	c.data[0] = 0;
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_SUCCESS);
	assert_memory_not_equal(before, p.guest.launch_digest, sizeof(before));
}

/* One page entry at a time: what is given, and what the firmware makes of it. */
static void cpuid_rules(void **state)
{
	(void)state;
	static const struct {
		uint32_t in[2]; /* leaf, subleaf */
		uint32_t xcr0;
		uint32_t given[4], want[4];
	} cases[] = {
		{ { 0x40000000, 0 }, 0, { 1, 2, 3, 4 }, { 1, 2, 3, 4 } },
		{ { 1, 0 }, 0, { 0xa10f11, 0x00010800, 0x0, 0x1 }, { 0xa10f11, 0x00010800, 0, 1 } },
		{ { 1, 0 }, 0, { 0, 0x08ff, 1u << 24, 0 }, { 0, 0x0800, 0, 0 } }, /* TSC deadline */
		{ { 1, 0 }, 0, { 0, 0x0800, 1u << 31, 0 }, { 0, 0x0800, 1u << 31, 0 } },
		{ { 7, 0 }, 0, { 2, 2, 0, 1u << 26 }, { 1, 0, 0, 0 } }, /* TSC_ADJUST, SPEC_CTRL */
		{ { 7, 2 }, 0, { 0, 0, 0, 1 }, { 0, 0, 0, 0 } },        /* no such rule: zero */
		{ { 0xd, 0 }, 1, { 3, 0x240, 5, 0 }, { 3, 0x240, 5, 0 } },
		{ { 0xd, 0 }, 7, { 7, 0x240, 5, 1 }, { 7, 0x340, 5, 0 } },
		{ { 0xd, 0 }, 0x207, { 0x207, 0, 0, 0 }, { 0x207, 0x988, 0, 0 } },
		{ { 0xd, 1 }, 7, { 0x1f, 0x240, 0xff, 0 }, { 0xf, 0x340, 0, 0 } },
		{ { 0xd, 2 }, 0, { 0x100, 0x240, 0, 0 }, { 0x100, 0x240, 0, 0 } },
		{ { 0xd, 9 }, 0, { 1, 1, 0, 0 }, { 8, 0x980, 0, 0 } },
		{ { 0x80000008, 0 }, 0, { 0x003940, 0, 0, 0x2000f }, { 0x003934, 0, 0, 0x10007 } },
		{ { 0x8000001f, 0 }, 0, { 0x1a, 0x5073, 0, 0 }, { 0x1a, 0x4073, 0, 0 } },
		{ { 0x80000021, 0 }, 0, { 1u << 9, 0, 7, 0 }, { 1u << 9, 0, 0, 0 } },
		{ { 0x80010000, 0 }, 0, { 9, 9, 9, 9 }, { 9, 9, 9, 9 } }, /* not checked */
	};
	struct psp p;

	bench_machine(&bench, &p);
	bench_active(&p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct psp_launch_update c = bench_update(0x1000, PSP_TYPE_CPUID);
		uint8_t corrected[PSP_PAGE];
		size_t size;

		c.data[0] = 1;
		memcpy(c.data + 16, cases[i].in, 8);
		memcpy(c.data + 24, &cases[i].xcr0, 4);
		memcpy(c.data + 40, cases[i].given, 16);
		uint32_t status = bench_command(&p, PSP_LAUNCH_UPDATE, &c, sizeof(c), corrected,
						&size);
		bool good = memcmp(cases[i].given, cases[i].want, 16) == 0;
		if (status != (good ? PSP_SUCCESS : PSP_INVALID_PARAM) ||
		    size != (good ? 0u : PSP_PAGE))
			fail_msg("case %zu: status 0x%x, %zu bytes", i, status, size);
		if (good)
			continue;
		if (memcmp(corrected + 40, cases[i].want, 16) != 0)
			fail_msg("case %zu: corrected to other values", i);
		memcpy(c.data, corrected, PSP_PAGE);
		assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, c), PSP_SUCCESS);
	}
}

static void cpuid_header(void **state)
{
	(void)state;
	static const size_t bad[] = { 4, 8, 15 };
	struct psp p;

	bench_machine(&bench, &p);
	bench_active(&p);
	for (size_t i = 0; i < 3; i++) {
		struct psp_launch_update c = bench_update(0x1000, PSP_TYPE_CPUID);
		size_t size;

		c.data[bad[i]] = 1;
		assert_int_equal(bench_command(&p, PSP_LAUNCH_UPDATE, &c, sizeof(c), NULL, &size),
				 PSP_INVALID_PARAM);
		assert_int_equal(size, 0); /* nothing to correct in a broken header */
	}
}

static void secrets_page(void **state)
{
	(void)state;
	struct psp p;
	struct psp_launch_update c = bench_update(0x2000, PSP_TYPE_SECRETS);
	static const uint8_t zero[32];
	uint8_t page[PSP_PAGE];
	size_t size;

	bench_machine(&bench, &p);
	bench_active(&p);
	assert_int_equal(bench_command(&p, PSP_LAUNCH_UPDATE, &c, sizeof(c), page, &size), 0);
	assert_int_equal(size, PSP_PAGE);
	assert_int_equal(page[0], 3);
	for (size_t k = 0; k < 4; k++)
		assert_memory_not_equal(page + 0x20 + 32 * k, zero, 32);
	assert_memory_not_equal(page + 0x20, page + 0x40, 32);
	for (size_t i = 0xa0; i < PSP_PAGE; i++)
		assert_int_equal(page[i], 0);
}

static void launch_finish_checks(void **state)
{
	(void)state;
	struct psp p;
	struct psp_launch_finish c = { .reserved = { 1 } };

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_PARAM);
	c.reserved[0] = 0;
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_GUEST);
	bench_create(&p);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_GUEST_STATE);
	struct psp_launch_start s = bench_start();
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, s), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INACTIVE);
	const struct psp_activate a = { .asid = BENCH_ASID };
	assert_int_equal(SEND(&p, PSP_ACTIVATE, a), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_GUEST_STATE);
	struct psp_launch_update u = bench_update(0x1000, PSP_TYPE_ZERO);
	assert_int_equal(SEND(&p, PSP_LAUNCH_UPDATE, u), PSP_INVALID_GUEST_STATE);

	bench_machine(&bench, &p);
	bench_create(&p);
	s.flags = PSP_START_IMI_EN;
	assert_int_equal(SEND(&p, PSP_LAUNCH_START, s), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_ACTIVATE, a), PSP_SUCCESS);
	assert_int_equal(SEND(&p, PSP_LAUNCH_FINISH, c), PSP_INVALID_GUEST_STATE);
}

static void reclaim_and_decommission(void **state)
{
	(void)state;
	struct psp p;
	struct psp_page_reclaim c = { .address = 0x1000, .page_size = 2, .rmp_immutable = 1 };

	bench_machine(&bench, &p);
	p.platform.initialized = false;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_INVALID_PARAM);
	c.page_size = PSP_SIZE_2M;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_INVALID_PLATFORM_STATE);
	assert_int_equal(bench_command(&p, PSP_DECOMMISSION, NULL, 0, NULL, NULL),
			 PSP_INVALID_PLATFORM_STATE);
	p.platform.initialized = true;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_INVALID_PAGE_SIZE);
	c.rmp_size = PSP_SIZE_2M;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_INVALID_ADDRESS);
	c.address = TWO_MIB;
	c.rmp_state = PSP_PAGE_CONTEXT;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_INVALID_PAGE_STATE);
	c.rmp_state = PSP_PAGE_PRE_GUEST;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_SUCCESS);
	c.rmp_immutable = 0;
	c.rmp_state = PSP_PAGE_CONTEXT;
	assert_int_equal(SEND(&p, PSP_PAGE_RECLAIM, c), PSP_SUCCESS); /* no-op */
	assert_int_equal(bench_command(&p, PSP_DECOMMISSION, NULL, 0, NULL, NULL),
			 PSP_INVALID_GUEST);
	bench_running(&p);
	assert_int_equal(bench_command(&p, PSP_DECOMMISSION, NULL, 0, NULL, NULL), PSP_SUCCESS);
	bench_running(&p); /* the page is free again */
}

static void framing(void **state)
{
	(void)state;
	static uint8_t answer[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
	const struct psp_header good = { .magic = PSP_MAGIC, .command = PSP_DECOMMISSION };
	struct psp p;
	size_t size;

	bench_machine(&bench, &p);
	for (int i = 0; i < 6; i++) {
		struct psp_header h[2] = { good, { 0 } };
		struct err e = { 0 };
		size_t n = sizeof(h[0]);

		h->magic ^= i == 1;
		h->command = i == 2 ? 0 : i == 3 ? PSP_DECOMMISSION + 1 : h->command;
		h->status = i == 4;
		n = i == 5 ? n + 1 : n;
		assert_int_equal(psp_handle(&p, h, n, answer, &size, &e),
				 i == 0 ? 0 : -EX_MALFORMED);
	}
	assert_int_equal(psp_handle(&p, &good, 15, answer, &size, &(struct err){ 0 }),
			 -EX_MALFORMED);
}

/* ---- golden digests, through the wire ---- */

/* A child that serves one connection. */
static pid_t serve_child(int *fd)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct psp p;
		struct err e = { 0 };

		close(pair[0]);
		bench_machine(&bench, &p);
		_exit(serve(&p, pair[1], -1, &e) == 0 ? 0 : 1);
	}
	close(pair[1]);
	*fd = pair[0];
	return pid;
}

static void set_qword(uint8_t *page, size_t at, uint64_t v)
{
	memcpy(page + at, &v, sizeof(v));
}

/* A processor after reset, as QEMU leaves it: the page of golden vector D. */
static void reset_vmsa(uint8_t page[PSP_PAGE])
{
	static const size_t data_segments[] = { 0, 0x20, 0x30, 0x40, 0x50 };
	static const struct {
		size_t at;
		uint64_t value;
	} more[] = {
		{ 0x10, 0x0000ffff009bf000 }, { 0x18, 0xffff0000 }, { 0x60, 0x0000ffff00000000 },
		{ 0x70, 0x0000ffff00820000 }, { 0x80, 0x0000ffff00000000 },
		{ 0x90, 0x0000ffff008b0000 }, { 0xd0, 0x1000 }, { 0x148, 0x40 }, { 0x158, 0x10 },
		{ 0x160, 0x400 }, { 0x168, 0xffff0ff0 }, { 0x170, 2 }, { 0x178, 0xfff0 },
		{ 0x268, 0x0007040600070406 }, { 0x310, 0x800f12 }, { 0x3b0, 1 }, { 0x3e8, 1 },
		{ 0x408, 0x1f80 }, { 0x410, 0x37f },
	};

	memset(page, 0, PSP_PAGE);
	for (size_t i = 0; i < 5; i++)
		set_qword(page, data_segments[i], 0x0000ffff00930000);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		set_qword(page, more[i].at, more[i].value);
	/* The firmware's own fields, which it does not measure. */
	memset(page + 0x2f0, 0xa5, 16);
}

static void put(int fd, uint64_t gpa, enum psp_page_type type, uint8_t page[PSP_PAGE])
{
	struct err e = { 0 };
	uint32_t status = ~0u;
	int replaced = 0;

	if (psp_launch_update(fd, gpa, type, BENCH_ASID, page, &replaced, &status, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(status, PSP_SUCCESS);
	assert_int_equal(replaced, type == PSP_TYPE_SECRETS);
}

static void golden(unsigned pages, const char *want)
{
	static uint8_t page[PSP_PAGE], answer[PSP_PAYLOAD_MAX];
	static const uint8_t none[32];
	const struct psp_report_request r = { .report_data = { 'r' } };
	struct err e = { 0 };
	uint32_t status = ~0u;
	size_t size = 0;
	char hex[97];
	int fd, end;
	pid_t pid = serve_child(&fd);

	assert_int_equal(psp_gctx_create(fd, &status, &e), 0);
	assert_int_equal(psp_launch_start(fd, BENCH_POLICY, none, &status, &e), 0);
	assert_int_equal(psp_activate(fd, BENCH_ASID, &status, &e), 0);
	assert_int_equal(status, PSP_SUCCESS);
	memset(page, 0x77, sizeof(page));
	put(fd, 0, PSP_TYPE_ZERO, page);
	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)i;
	if (pages > 1)
		put(fd, 0x1000, PSP_TYPE_NORMAL, page);
	if (pages > 2) {
		put(fd, 0x2000, PSP_TYPE_SECRETS, page);
		memset(page, 0, sizeof(page));
		put(fd, 0x3000, PSP_TYPE_CPUID, page);
	}
	reset_vmsa(page);
	if (pages > 3)
		put(fd, 0xfffffffff000, PSP_TYPE_VMSA, page);
	assert_int_equal(psp_launch_finish(fd, NULL, NULL, 0, 0, none, &status, &e), 0);
	assert_int_equal(status, PSP_SUCCESS);
	assert_int_equal(psp_guest_report(fd, &r, sizeof(r), answer, sizeof(answer), &size, &status,
					  &e), 0);
	assert_true(size > 32 + PSP_REPORT_SIZE);
	hex_encode(answer + 32 + 0x90, 48, hex);
	assert_string_equal(hex, want);
	close(fd);
	assert_int_equal(waitpid(pid, &end, 0), pid);
	assert_int_equal(end, 0);
}

/* A second program computed these from the definition (SHA-384 of PAGE_INFO chains). */
static void golden_digests(void **state)
{
	(void)state;
	golden(1, "70c0ecaab9608f14ebf8ac6f0f07bcd8728f4e2ab30382b539b4de4de904ca9f"
		  "8ebdf4b2cd3cd84dd996bd55dd794676");
	golden(2, "2cf84d09c742e20481335ec3eb21d25649eedf73d7661175ce1a0349b41a57f9"
		  "b883ba4cec1def201baa18d3842de7f2");
	golden(3, "d3535154781001523fd0059d30f9bd35f60c24cfdff2f9bb2b94fc297357ef13"
		  "4cc9185f1d7409a80b9778e4a76e372f");
	golden(4, "95c6db3ea9fcde87ff35f331d3071ae96f9743b50d8d1125c3619c4cc634950d"
		  "ba86264eea2ad322123ffc9833b11d1c");
}

static int set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gctx_create_checks),
		cmocka_unit_test(launch_start_checks),
		cmocka_unit_test(launch_start_policy),
		cmocka_unit_test(activate_checks),
		cmocka_unit_test(launch_update_checks),
		cmocka_unit_test(cpuid_rules),
		cmocka_unit_test(cpuid_header),
		cmocka_unit_test(secrets_page),
		cmocka_unit_test(launch_finish_checks),
		cmocka_unit_test(reclaim_and_decommission),
		cmocka_unit_test(framing),
		cmocka_unit_test(golden_digests),
	};

	return cmocka_run_group_tests_name("psp", tests, set_up, tear_down);
}
