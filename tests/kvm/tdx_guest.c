#include "tests/kvm/tdx_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define S_BIT        (1ull << TDX_S_BIT)
#define SITE_PORT    0xE0u
#define RUNS_MAX     200000u
#define PAGE_OF(gpa) ((gpa) / FW_PAGE)
#define JUNK         0xA5A5A5A5A5A5A5A5ull

#define TDVMCALL_REPORT_FATAL_ERROR 0x10003u

static void fault(struct tdx_guest *g, const char *what)
{
	if (g->fault == NULL)
		g->fault = what;
}

void tdx_guest_init(struct tdx_guest *g)
{
	memset(g, 0, sizeof(*g));
	g->kvm = g->vm = -1;
	for (unsigned i = 0; i < TDX_GUEST_CPUS; i++)
		g->cpu[i] = -1;
	cc_parts_init(&g->parts, FW_VARIANT_TDX);
	g->attributes = TDX_ATTRIBUTE_SEPT_VE_DISABLE;
	g->gpaw = TDX_GPAW;
}

static void launch(struct tdx_guest *g, uint64_t gpa, const void *data, size_t size)
{
	memcpy(g->private + gpa, data, size);
	memset(&g->accepted[PAGE_OF(gpa)], 1, PAGE_OF(size + FW_PAGE - 1));
}

/* The state after KVM_TDX_FINALIZE_VM, docs/PROTOCOL.plan "TDX". */
static void fill_memory(struct tdx_guest *g)
{
	static const uint8_t zero[FW_SCRATCH_SIZE];

	g->private = cc_map_memory(CC_PRIVATE_FILL);
	g->shared = cc_map_memory(CC_SHARED_FILL);
	memset(g->is_private, 1, sizeof(g->is_private));
	launch(g, FW_IMAGE, g->parts.firmware, g->parts.firmware_size);
	launch(g, FW_SCRATCH, zero, sizeof(zero));
	launch(g, FW_HASH_PAGE, &g->parts.hash_page, sizeof(g->parts.hash_page));
	launch(g, FW_MAILBOX, zero, FW_PAGE);
	if (g->dirty != 0)
		g->private[g->dirty] = 1;
	cc_patch_sites(&g->parts, g->private + FW_IMAGE, SITE_PORT);
	g->reset = mmap(NULL, FW_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->reset == MAP_FAILED)
		cc_bail("memory");
	memcpy(g->reset, g->parts.firmware + g->parts.firmware_size - FW_PAGE, FW_PAGE);
	g->is_private[PAGE_OF(FW_BOOT_BLOCK)] = 0;
	memset(&g->is_private[PAGE_OF(FW_STAGING)], 0,
	       PAGE_OF(g->parts.staging.end - FW_STAGING));
	cc_stage(&g->parts, g->shared);
}

/* TDX module ABI, "initial state of a VCPU"; RCX and R8 are the host's choice. */
static int set_registers(const struct tdx_guest *g, unsigned cpu)
{
	const struct kvm_segment code = { .limit = UINT32_MAX, .type = 11, .present = 1, .s = 1,
					  .db = 1, .g = 1 };
	const struct kvm_segment data = { .limit = UINT32_MAX, .type = 3, .present = 1, .s = 1,
					  .db = 1, .g = 1 };
	const struct kvm_regs regs = { .rip = FW_RESET_VECTOR, .rflags = 2, .rbx = g->gpaw,
				       .rsi = cpu, .rdx = 0x806F8, .rcx = JUNK, .r8 = JUNK };
	struct kvm_sregs s;

	if (ioctl(g->cpu[cpu], KVM_GET_SREGS, &s) < 0)
		return -1;
	s.cs = code;
	s.ds = s.es = s.ss = s.fs = s.gs = data;
	s.cr0 = 0x21;
	s.cr3 = 0;
	s.cr4 = 0x40;
	s.efer = 0x901;
	s.gdt.limit = s.idt.limit = 0;
	if (ioctl(g->cpu[cpu], KVM_SET_SREGS, &s) < 0)
		return -1;
	return ioctl(g->cpu[cpu], KVM_SET_REGS, &regs);
}

static void add_cpu(struct tdx_guest *g, unsigned i)
{
	int size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	g->cpu[i] = ioctl(g->vm, KVM_CREATE_VCPU, i);
	if (g->cpu[i] < 0 || size < 0 || cc_set_cpuid(g->kvm, g->cpu[i]) < 0)
		cc_bail("KVM does not give a vCPU");
	g->run[i] = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, g->cpu[i], 0);
	if (g->run[i] == MAP_FAILED || set_registers(g, i) < 0)
		cc_bail("KVM does not take the start state");
}

static bool start(struct tdx_guest *g)
{
	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0 || cc_set_slot(g->vm, 0, 0, g->private, CC_GUEST_MEMORY) < 0 ||
	    cc_set_slot(g->vm, 1, FW_RESET_PAGE, g->reset, FW_PAGE) < 0)
		cc_bail("KVM does not give a VM");
	if (cc_set_slot(g->vm, 2, S_BIT, g->shared, CC_GUEST_MEMORY) < 0)
		return false;
	for (unsigned i = 0; i < TDX_GUEST_CPUS; i++)
		add_cpu(g, i);
	return true;
}

static void set_status(struct kvm_regs *r, uint64_t status, uint64_t result)
{
	r->r10 = status;
	r->r11 = result;
}

static void map_gpa(struct tdx_guest *g, struct kvm_regs *r)
{
	const bool private = (r->r12 & S_BIT) == 0;
	const uint64_t from = r->r12 & ~S_BIT;
	uint64_t size = r->r13;

	g->map_calls++;
	if (from % FW_PAGE != 0 || size % FW_PAGE != 0 || size == 0 || from > CC_GUEST_MEMORY ||
	    size > CC_GUEST_MEMORY - from) {
		fault(g, "a MapGPA outside RAM");
		return;
	}
	if (g->map_limit != 0 && g->map_limit < size)
		size = g->map_limit;
	for (uint64_t at = from; at < from + size; at += FW_PAGE) {
		if (!private && g->accepted[PAGE_OF(at)])
			fault(g, "an accepted page was given away");
		g->is_private[PAGE_OF(at)] = private;
	}
	if (size == r->r13)
		set_status(r, TDVMCALL_SUCCESS, JUNK);
	else
		set_status(r, TDVMCALL_RETRY, r->r12 + size);
}

static void access_io(struct tdx_guest *g, struct kvm_regs *r)
{
	if (r->r12 != 4 || r->r13 != 1 || r->r14 != PORT_STOP)
		fault(g, "an unknown access to a port");
	g->handed_over = r->r15 == (STOP_MAGIC | STOP_HANDED_OVER);
	set_status(r, TDVMCALL_SUCCESS, JUNK);
}

static void access_mmio(struct tdx_guest *g, struct kvm_regs *r)
{
	const bool write = r->r13 == 1;
	uint32_t value = (uint32_t)r->r15;

	if (r->r12 != 4 || r->r13 > 1 || (r->r14 & S_BIT) == 0)
		fault(g, "an access to registers that are not shared");
	if (g->mmio == NULL)
		value = UINT32_MAX;
	else
		value = g->mmio(g, r->r14 & ~S_BIT, write, value);
	set_status(r, TDVMCALL_SUCCESS, write ? JUNK : value | JUNK << 32);
}

/* What the host gets is what the mask exposes, and of that it may change everything. */
static void vmcall(struct tdx_guest *g, struct kvm_regs *r)
{
	const uint64_t function = r->r11;

	g->vmcalls++;
	if ((r->rcx & ~(uint64_t)TDVMCALL_EXPOSED) != 0 || r->r10 != 0)
		fault(g, "more is exposed than the call needs");
	if (function == TDVMCALL_REPORT_FATAL_ERROR) {
		g->fatal = true;
		g->fatal_code = r->r12;
		if (r->rcx != 0x1C00)
			fault(g, "more is exposed than a stop needs");
		return;
	}
	if (function == TDVMCALL_MAP_GPA && (r->r14 | r->r15) != 0)
		fault(g, "a register of no use is not zero");
	if (function == TDVMCALL_MAP_GPA)
		map_gpa(g, r);
	else if (function == TDVMCALL_IO)
		access_io(g, r);
	else if (function == TDVMCALL_MMIO)
		access_mmio(g, r);
	else
		fault(g, "an unknown sub-function");
	r->r12 = r->r13 = r->r14 = r->r15 = JUNK;
	if (g->host_lie != NULL)
		g->host_lie(g, function, r);
	r->rax = 0;
}

static uint64_t page_accept(struct tdx_guest *g, uint64_t rcx)
{
	const uint64_t level = rcx & 7, gpa = rcx & ~7ull, count = level == 1 ? 512 : 1;
	const uint64_t first = PAGE_OF(gpa);

	g->accepts++;
	if (level > 1 || gpa % (count * FW_PAGE) != 0 || first >= CC_GUEST_PAGES ||
	    count > CC_GUEST_PAGES - first) {
		fault(g, "a page that cannot be accepted");
		return 0xC000010000000001ull;
	}
	if (level == 1 && g->small_backing)
		return TDX_PAGE_SIZE_MISMATCH | 1;
	for (uint64_t i = first; i < first + count; i++) {
		if (!g->is_private[i])
			fault(g, "a page was accepted that is not private");
		if (g->accepted[i])
			return TDX_PAGE_ALREADY_ACCEPTED;
	}
	memset(&g->accepted[first], 1, count);
	/* The module clears them; cc_map_memory fills whole units or nothing. */
	if (g->private[gpa] != 0)
		memset(g->private + gpa, 0, count * FW_PAGE);
	return 0;
}

static uint64_t rtmr_extend(struct tdx_guest *g, uint64_t buffer, uint64_t index)
{
	uint8_t both[96];

	if (index > 3 || buffer % 64 != 0 || buffer < FW_SCRATCH || buffer >= FW_HASH_PAGE) {
		fault(g, "an RTMR or buffer that cannot be");
		return 1;
	}
	memcpy(both, g->rtmr[index], 48);
	memcpy(both + 48, g->private + buffer, 48);
	fw_sha384(both, sizeof(both), g->rtmr[index]);
	return 0;
}

static void module_call(struct tdx_guest *g, struct kvm_regs *r)
{
	const uint64_t leaf = r->rax, argument = r->rcx;

	if (leaf == TDG_VP_INFO) {
		*r = (struct kvm_regs){ .rip = r->rip, .rsp = r->rsp, .rflags = r->rflags,
					.rbx = r->rbx, .rbp = r->rbp, .rsi = r->rsi, .rdi = r->rdi,
					.r12 = r->r12, .r13 = r->r13, .r14 = r->r14,
					.r15 = r->r15, .rcx = g->gpaw, .rdx = g->attributes,
					.r8 = (uint64_t)TDX_GUEST_CPUS << 32 | TDX_GUEST_CPUS };
	} else if (leaf == TDG_MR_RTMR_EXTEND) {
		r->rax = rtmr_extend(g, r->rcx, r->rdx);
	} else if (leaf == TDG_MEM_PAGE_ACCEPT) {
		r->rax = page_accept(g, r->rcx);
	} else {
		fault(g, "an unknown leaf");
	}
	if (g->module_lie != NULL)
		r->rax = g->module_lie(g, leaf, argument, r->rax);
}

static void run_site(struct tdx_guest *g, unsigned kind)
{
	struct kvm_regs r;

	if (ioctl(g->cpu[0], KVM_GET_REGS, &r) < 0)
		cc_bail("registers");
	if (kind == FW_SITE_TDX_FOLD) {
		g->folded = true;
		g->fold_run = g->runs;
		if (r.rax != TDG_VP_INFO)
			fault(g, "the fold is not a TDG.VP.INFO");
		r.rax = 0;
	} else if (r.rax == TDG_VP_VMCALL) {
		vmcall(g, &r);
	} else {
		module_call(g, &r);
	}
	if (ioctl(g->cpu[0], KVM_SET_REGS, &r) < 0)
		cc_bail("registers");
}

/* Before the fold the guest has no way out but its sites. */
static void handle(struct tdx_guest *g)
{
	const struct kvm_run *run = g->run[0];
	unsigned kind;

	if (run->exit_reason == KVM_EXIT_IO && g->folded) {
		g->powered_off = run->io.port == PORT_SLEEP_CONTROL;
		return;
	}
	kind = run->exit_reason == KVM_EXIT_IO ? run->io.port - SITE_PORT : 0;
	if (kind == FW_SITE_TDCALL || kind == FW_SITE_TDX_FOLD)
		run_site(g, kind);
	else
		fault(g, run->exit_reason == KVM_EXIT_SHUTDOWN ? "triple fault" : "a stray exit");
}

bool tdx_guest_run(struct tdx_guest *g)
{
	fill_memory(g);
	if (!start(g))
		return false;
	while (!g->powered_off && !g->fatal && g->fault == NULL) {
		if (++g->runs == g->inject_at)
			cc_inject(g->cpu[0], g->inject_vector);
		if (g->runs > RUNS_MAX)
			fault(g, "no end");
		else if (ioctl(g->cpu[0], KVM_RUN, 0) < 0)
			fault(g, "KVM_RUN failed");
		else
			handle(g);
	}
	return true;
}

static void on_alarm(int signal)
{
	(void)signal;
}

int tdx_guest_run_other(struct tdx_guest *g, unsigned cpu, unsigned ms, struct kvm_regs *r,
			struct kvm_sregs *s)
{
	const struct itimerval timer = { .it_value = { ms / 1000, (ms % 1000) * 1000 },
					 .it_interval = { 0, 10000 } };
	const struct itimerval never = { 0 };
	const struct sigaction act = { .sa_handler = on_alarm };
	int rc, left;

	if (sigaction(SIGALRM, &act, NULL) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0)
		cc_bail("timer");
	rc = ioctl(g->cpu[cpu], KVM_RUN, 0);
	left = rc < 0 ? errno : 0;
	setitimer(ITIMER_REAL, &never, NULL);
	if (ioctl(g->cpu[cpu], KVM_GET_REGS, r) < 0 || ioctl(g->cpu[cpu], KVM_GET_SREGS, s) < 0)
		cc_bail("registers");
	if (rc < 0 && left == EINTR)
		return -1;
	if (rc < 0 || g->run[cpu]->exit_reason != KVM_EXIT_IO)
		fault(g, "another processor left by a stray exit");
	return rc < 0 ? 0 : g->run[cpu]->io.port;
}

void tdx_guest_free(struct tdx_guest *g)
{
	int size = g->kvm < 0 ? 0 : ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	for (unsigned i = 0; i < TDX_GUEST_CPUS; i++) {
		if (g->run[i] != NULL)
			munmap(g->run[i], (size_t)size);
		close(g->cpu[i]);
	}
	munmap(g->private, CC_GUEST_MEMORY);
	munmap(g->shared, CC_GUEST_MEMORY);
	munmap(g->reset, FW_PAGE);
	close(g->vm);
	close(g->kvm);
	cc_parts_free(&g->parts);
}
