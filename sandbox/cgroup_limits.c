#include "sandbox/cgroup_limits.h"

#include "common/checked.h"

#define MIB (1ull << 20)
#define PAGE 4096ull

/* Of every process: its program, buffers of its sockets, two logs of 4 MiB (/run is memory), what
 * the kernel keeps for it. */
#define OF_PROCESS (64 * MIB)
/* Of the VMM, each processor: thread, KVM's state of it, and the few pages that a processor shares
 * with the host by itself (GHCB, clock), which may take a large page of 2 MiB each. */
#define OF_CPU (8 * MIB)
/* Of memory. Page tables: 8 bytes for each 4096, and as many again for views of the same pages. */
#define PAGE_TABLES 256
/* KVM's tables of a guest without nested paging: 2 % of its pages (asm/kvm_host.h,
 * KVM_MEMSLOT_PAGES_TO_MMU_PAGES_RATIO) and a table of guest frames for each, twice with the
 * model's alias slots; its reverse map. */
#define KVM_TABLES 8
/* What a confidential guest shares: see the header. */
#define SHARE 8
#define SHARE_LEAST (128 * MIB)
#define SHARE_MOST (2048 * MIB)

static uint64_t shared_by_guest(const struct limits_guest *g)
{
	uint64_t share = g->memory / SHARE;

	if (!g->confidential)
		return g->memory;
	if (share < SHARE_LEAST)
		share = SHARE_LEAST;
	if (share > SHARE_MOST)
		share = SHARE_MOST;
	return share < g->memory ? share : g->memory;
}

/* Of both sides of guest memory. A page is on one side at a time, but for what a back end fills
 * before its own limit stops it: that must not take the VMM along. */
static bool backing(const struct limits_guest *g, uint64_t *out)
{
	uint64_t sides = g->memory;

	if (g->simulated && !ck_add_u64(sides, g->memory, &sides))
		return false;
	return ck_add_u64(sides, g->confidential ? shared_by_guest(g) : 0, out);
}

/* Beside guest memory. */
static bool overhead(const struct limits_guest *g, enum limits_role role, uint64_t *out)
{
	switch (role) {
	case LIMITS_VMM:
		return ck_add_u64(OF_PROCESS + g->cpus * OF_CPU, g->memory / KVM_TABLES, out);
	case LIMITS_BACK_END:
		return ck_add_u64(OF_PROCESS, g->memory / PAGE_TABLES, out);
	default:
		*out = OF_PROCESS;
		return true;
	}
}

static bool guest_part(const struct limits_guest *g, enum limits_role role, uint64_t *out)
{
	if (role == LIMITS_VMM)
		return backing(g, out);
	*out = role == LIMITS_BACK_END ? shared_by_guest(g) : 0;
	return true;
}

static int too_large(const struct limits_guest *g, struct err *e)
{
	return err_set(e, EX_USAGE_ERROR, "memory of %llu bytes: no limit can be made of it: ask for "
		       "less", (unsigned long long)g->memory);
}

uint64_t limits_threads(const struct limits_guest *g, enum limits_role role)
{
	if (role == LIMITS_VMM)
		return g->cpus + 16ull;
	return role == LIMITS_BACK_END ? 16 : 4;
}

int limits_of_child(const struct limits_guest *g, enum limits_role role, struct limits *out,
		    struct err *e)
{
	uint64_t part, more, sum;

	if (!guest_part(g, role, &part) || !overhead(g, role, &more) ||
	    !ck_add_u64(part, more, &sum) || !ck_align_up_u64(sum, PAGE, &out->memory))
		return too_large(g, e);
	out->tasks = limits_threads(g, role);
	return 0;
}

int limits_of_vm(const struct limits_guest *g, struct limits *out, struct err *e)
{
	const struct {
		enum limits_role role;
		unsigned count;
	} children[] = { { LIMITS_VMM, 1 }, { LIMITS_BACK_END, g->back_ends },
			 { LIMITS_HELPER, g->helpers } };
	uint64_t sum, more;

	if (!backing(g, &sum))
		return too_large(g, e);
	out->tasks = 0;
	for (unsigned i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		if (!overhead(g, children[i].role, &more) ||
		    !ck_mul_u64(more, children[i].count, &more) || !ck_add_u64(sum, more, &sum))
			return too_large(g, e);
		out->tasks += limits_threads(g, children[i].role) * children[i].count;
	}
	return ck_align_up_u64(sum, PAGE, &out->memory) ? 0 : too_large(g, e);
}
