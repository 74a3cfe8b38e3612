#include "tests/kvm/snp_guest.h"

#include "firmware/ghcb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define C_BIT          (1ull << SNP_C_BIT)
#define MSR_GHCB       0xC0010130u
#define MSR_SEV_STATUS 0xC0010131u
#define SITE_PORT      0xE0u
#define RUNS_MAX       200000u
#define PAGE_OF(gpa)   ((gpa) / FW_PAGE)

void snp_guest_init(struct snp_guest *g)
{
	memset(g, 0, sizeof(*g));
	g->kvm = g->vm = g->cpu = -1;
	cc_parts_init(&g->parts, FW_VARIANT_SNP);
	g->sev_status = 7;
	g->cpuid.count = 2;
	g->cpuid.entry[0] = (struct fw_cpuid_entry){ .eax_in = 0x80000008, .eax = 0x3034 };
	/* COHERENCY_SFW_NO: most tests need no touch of every page. */
	g->cpuid.entry[1] = (struct fw_cpuid_entry){ .eax_in = 0x8000001F, .eax = 0x1A,
						     .ebx = SNP_C_BIT | 1u << 6 | 1u << 31 };
}

static void launch(struct snp_guest *g, uint64_t gpa, const void *data, size_t size)
{
	memcpy(g->private + gpa, data, size);
	memset(&g->valid[PAGE_OF(gpa)], 1, (size + FW_PAGE - 1) / FW_PAGE);
}

/* The state after LAUNCH_FINISH, docs/PROTOCOL.plan "SEV-SNP". */
static void fill_memory(struct snp_guest *g)
{
	static const uint8_t zero[FW_SCRATCH_SIZE];

	g->private = cc_map_memory(CC_PRIVATE_FILL);
	g->shared = cc_map_memory(CC_SHARED_FILL);
	memset(g->is_private, 1, sizeof(g->is_private));
	memset(g->valid, 0, sizeof(g->valid));
	if (getrandom(g->secrets, sizeof(g->secrets), 0) != (ssize_t)sizeof(g->secrets))
		cc_bail("random numbers");
	launch(g, FW_IMAGE, g->parts.firmware, g->parts.firmware_size);
	launch(g, FW_SCRATCH, zero, sizeof(zero));
	launch(g, FW_HASH_PAGE, &g->parts.hash_page, sizeof(g->parts.hash_page));
	launch(g, FW_CPUID_PAGE, &g->cpuid, sizeof(g->cpuid));
	launch(g, FW_SECRETS_PAGE, g->secrets, sizeof(g->secrets));
	cc_patch_sites(&g->parts, g->private + FW_IMAGE, SITE_PORT);
	g->is_private[PAGE_OF(FW_BOOT_BLOCK)] = 0;
	memset(&g->is_private[PAGE_OF(FW_STAGING)], 0, PAGE_OF(g->parts.staging.end - FW_STAGING));
	cc_stage(&g->parts, g->shared);
}

static int filter_msrs(int vm)
{
	static uint8_t none[8];
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	filter.ranges[0] = (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.base = MSR_GHCB, .nmsrs = 2, .bitmap = none,
	};
	if (ioctl(vm, KVM_ENABLE_CAP, &cap) < 0)
		return -1;
	return ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static int set_registers(const struct snp_guest *g)
{
	const struct fw_image_header *h = (const void *)g->parts.firmware;
	const struct kvm_segment code = { .limit = UINT32_MAX, .selector = 0x10, .type = 11,
					  .present = 1, .s = 1, .l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = UINT32_MAX, .selector = 0x18, .type = 3,
					  .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_regs regs = { .rip = FW_IMAGE + h->entry, .rsp = FW_SCRATCH + h->stack_top,
				 .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(g->cpu, KVM_GET_SREGS, &s) < 0)
		return -1;
	s.cs = code;
	s.ds = s.es = s.ss = s.fs = s.gs = data;
	s.cr0 = 0x80000031;
	s.cr4 = 0x20;
	s.efer = 0xD00;
	s.cr3 = (FW_IMAGE + h->page_table) | C_BIT;
	s.gdt.limit = s.idt.limit = 0;
	if (ioctl(g->cpu, KVM_SET_SREGS, &s) < 0)
		return -1;
	return ioctl(g->cpu, KVM_SET_REGS, &regs);
}

static bool start(struct snp_guest *g)
{
	int size;

	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0 || filter_msrs(g->vm) < 0 ||
	    cc_set_slot(g->vm, 0, 0, g->shared, CC_GUEST_MEMORY) < 0)
		cc_bail("KVM does not give a VM with an MSR filter");
	g->cpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	g->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, g->cpu, 0);
	if (g->cpu < 0 || size < 0 || g->run == MAP_FAILED || cc_set_cpuid(g->kvm, g->cpu) < 0)
		cc_bail("KVM does not give a vCPU");
	if (cc_set_slot(g->vm, 1, C_BIT, g->private, CC_GUEST_MEMORY) < 0)
		return false;
	return set_registers(g) == 0;
}

static void fault(struct snp_guest *g, const char *what)
{
	if (g->fault == NULL)
		g->fault = what;
}

static uint64_t load(const uint8_t *page, unsigned offset)
{
	uint64_t v;

	memcpy(&v, page + offset, sizeof(v));
	return v;
}

static void store(uint8_t *page, unsigned offset, uint64_t v)
{
	memcpy(page + offset, &v, sizeof(v));
}

static void change_state(struct snp_guest *g, uint64_t entry)
{
	uint64_t first = PAGE_OF(entry & 0x000FFFFFFFFFF000ull);
	uint64_t count = (entry & GHCB_PSC_LARGE) != 0 ? 512 : 1;
	bool private = (entry >> 52 & 0xF) == GHCB_PRIVATE;

	if (first >= CC_GUEST_PAGES || count > CC_GUEST_PAGES - first) {
		fault(g, "a state change outside RAM");
		return;
	}
	for (uint64_t i = first; i < first + count; i++) {
		if (!private && g->valid[i])
			fault(g, "a valid page was given away");
		g->is_private[i] = private;
	}
	g->state_changes++;
}

static void page_exit(struct snp_guest *g)
{
	uint8_t *page = g->shared + g->registered;
	uint64_t code = load(page, 0x390), info1 = load(page, 0x398), header = load(page, 0x800);
	unsigned current = header & 0xFFFF, end = header >> 16 & 0xFFFF;
	uint64_t size = load(page, 0x3A0);

	store(page, 0x398, 0);
	store(page, 0x3A0, 0);
	g->page_calls++;
	if (code == 0x80000010 && end < GHCB_PSC_MAX) {
		for (; current <= end; current++)
			change_state(g, load(page, 0x808 + 8 * current));
		store(page, 0x800, (header & ~0xFFFFull) | current);
	} else if (code == 0x7B && info1 >> 16 == PORT_STOP) {
		g->handed_over = load(page, 0x1F8) == (STOP_MAGIC | STOP_HANDED_OVER);
	} else if ((code == 0x80000001 || code == 0x80000002) && size == 4) {
		bool write = code == 0x80000002;
		uint32_t value = (uint32_t)load(page, 0x800);

		value = g->mmio == NULL ? UINT32_MAX : g->mmio(g, info1, write, value);
		if (!write)
			store(page, 0x800, value);
	} else {
		fault(g, "an unknown exit of the GHCB page");
	}
	if (g->page_lie != NULL)
		g->page_lie(g, page, code);
}

static uint64_t msr_answer(struct snp_guest *g, uint64_t request)
{
	switch (request & 0xFFF) {
	case 0x002:
		return 2ull << 48 | 1ull << 32 | (uint64_t)SNP_C_BIT << 24 | 0x001;
	case 0x012:
		g->registered = request & ~0xFFFull;
		return g->registered | 0x013;
	case 0x014:
		change_state(g, request & ~0xFFFull);
		return 0x015;
	case 0x080:
		return 3u << 12 | 0x081;
	case GHCB_TERMINATE:
		g->terminated = true;
		g->reason_set = request >> 12 & 0xF;
		g->reason = request >> 16 & 0xFF;
		return request;
	default:
		fault(g, "an unknown request of the GHCB MSR");
		return 0;
	}
}

static void vmgexit(struct snp_guest *g)
{
	uint64_t request = g->ghcb_msr;

	if ((request & 0xFFF) == 0) {
		if (request == g->registered && request == FW_GHCB)
			page_exit(g);
		else
			fault(g, "a GHCB page that is not registered");
		return;
	}
	g->ghcb_msr = msr_answer(g, request);
	if (g->msr_lie != NULL && !g->terminated)
		g->ghcb_msr = g->msr_lie(g, request, g->ghcb_msr);
}

/* EAX, CF in bit 32, as in firmware/snp_ops.h. */
static uint64_t pvalidate(struct snp_guest *g, uint64_t gpa, bool large, bool validate)
{
	uint64_t first = PAGE_OF(gpa), count = large ? 512 : 1;
	unsigned changed = 0;

	if (large && (g->small_backing || gpa % 0x200000 != 0))
		return 6;
	for (uint64_t i = first; i < first + count; i++) {
		if (i >= CC_GUEST_PAGES || !g->is_private[i])
			fault(g, "PVALIDATE of what is not private");
		else
			changed += g->valid[i] != validate;
		if (i < CC_GUEST_PAGES)
			g->valid[i] = validate;
	}
	return changed == 0 ? PVALIDATE_UNCHANGED : 0;
}

static void run_pvalidate(struct snp_guest *g, struct kvm_regs *r)
{
	struct kvm_translation t = { .linear_address = r->rax };
	uint64_t answer, gpa;

	g->pvalidates++;
	if (ioctl(g->cpu, KVM_TRANSLATE, &t) < 0 || !t.valid || (t.physical_address & C_BIT) == 0)
		fault(g, "PVALIDATE through a mapping without the C-bit");
	gpa = t.physical_address & ~C_BIT;
	answer = pvalidate(g, gpa, r->rcx & 1, r->rdx & 1);
	if (g->pvalidate_lie != NULL)
		answer = g->pvalidate_lie(g, gpa, answer);
	r->rax = PVALIDATE_CODE(answer);
	r->rflags = (r->rflags & ~1ull) | ((answer & PVALIDATE_UNCHANGED) != 0);
}

static void run_site(struct snp_guest *g, unsigned kind)
{
	struct kvm_regs r;

	if (ioctl(g->cpu, KVM_GET_REGS, &r) < 0)
		cc_bail("registers");
	if (kind == FW_SITE_PVALIDATE) {
		run_pvalidate(g, &r);
	} else if (kind == FW_SITE_RMPADJUST) {
		r.rax = g->rmpadjust;
	} else if (kind == FW_SITE_VMGEXIT) {
		vmgexit(g);
	} else {
		g->folded = true;
		g->fold_run = g->runs;
	}
	if (ioctl(g->cpu, KVM_SET_REGS, &r) < 0)
		cc_bail("registers");
}

/* Before the fold the guest has no way out but its sites. */
static void handle(struct snp_guest *g)
{
	struct kvm_run *run = g->run;

	if (run->exit_reason == KVM_EXIT_X86_RDMSR) {
		run->msr.data = run->msr.index == MSR_SEV_STATUS ? g->sev_status : g->ghcb_msr;
		run->msr.error = 0;
	} else if (run->exit_reason == KVM_EXIT_X86_WRMSR) {
		g->ghcb_msr = run->msr.data;
		run->msr.error = run->msr.index != MSR_GHCB;
	} else if (run->exit_reason == KVM_EXIT_IO && run->io.port > SITE_PORT &&
		   run->io.port <= SITE_PORT + FW_SITE_FOLD && !g->folded) {
		run_site(g, run->io.port - SITE_PORT);
	} else if (run->exit_reason == KVM_EXIT_IO && g->folded) {
		if (run->io.port == UART_PORT && g->console_size + 1 < sizeof(g->console))
			g->console[g->console_size++] = ((char *)run)[run->io.data_offset];
		g->powered_off = run->io.port == PORT_SLEEP_CONTROL;
	} else {
		fault(g, run->exit_reason == KVM_EXIT_SHUTDOWN ? "triple fault" : "a stray exit");
	}
}

bool snp_guest_run(struct snp_guest *g)
{
	fill_memory(g);
	if (!start(g))
		return false;
	while (!g->powered_off && !g->terminated && g->fault == NULL) {
		if (++g->runs == g->inject_at)
			cc_inject(g->cpu, g->inject_vector);
		if (g->runs > RUNS_MAX)
			fault(g, "no end");
		else if (ioctl(g->cpu, KVM_RUN, 0) < 0)
			fault(g, "KVM_RUN failed");
		else
			handle(g);
	}
	return true;
}

bool snp_guest_usable(struct snp_guest *g)
{
	bool usable;

	snp_guest_init(g);
	fill_memory(g);
	usable = start(g);
	snp_guest_free(g);
	return usable;
}

bool snp_guest_all_valid(const struct snp_guest *g)
{
	for (uint64_t i = 0; i < CC_GUEST_PAGES; i++) {
		uint64_t at = i * FW_PAGE;
		bool ram = at < FW_LOW_RAM_END || at >= FW_HIGH_RAM_BASE;

		if ((g->valid[i] != 0) != ram || !g->is_private[i]) {
			printf("# page 0x%llx: valid %u private %u\n", (unsigned long long)at,
			       g->valid[i], g->is_private[i]);
			return false;
		}
	}
	return true;
}

void snp_guest_free(struct snp_guest *g)
{
	int size = g->kvm < 0 ? 0 : ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size > 0)
		munmap(g->run, (size_t)size);
	if (g->private != NULL)
		munmap(g->private, CC_GUEST_MEMORY);
	if (g->shared != NULL)
		munmap(g->shared, CC_GUEST_MEMORY);
	close(g->cpu);
	close(g->vm);
	close(g->kvm);
	cc_parts_free(&g->parts);
}
