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
	tdx_machine_init(&g->m);
}

static void launch(struct tdx_guest *g, uint64_t gpa, const void *data, size_t size)
{
	memcpy(g->private + gpa, data, size);
	memset(&g->m.accepted[PAGE_OF(gpa)], 1, PAGE_OF(size + FW_PAGE - 1));
}

static void patch_sites(struct tdx_guest *g)
{
	static const uint8_t ud2[] = { 0x0F, 0x0B };
	const struct fw_image_header *h = (const void *)g->parts.firmware;
	const struct fw_site *site = (const void *)(g->parts.firmware + h->sites_offset);

	cc_patch_sites(&g->parts, g->private + FW_IMAGE, SITE_PORT);
	for (uint32_t i = 0; g->no_tdcall && i < h->sites_count; i++)
		memcpy(g->private + FW_IMAGE + site[i].offset, ud2, sizeof(ud2));
}

/* The state after KVM_TDX_FINALIZE_VM, docs/PROTOCOL.plan "TDX". */
static void fill_memory(struct tdx_guest *g)
{
	static const uint8_t zero[FW_SCRATCH_SIZE];

	g->private = cc_map_memory(CC_PRIVATE_FILL);
	g->shared = cc_map_memory(CC_SHARED_FILL);
	g->m.memory = g->private;
	launch(g, FW_IMAGE, g->parts.firmware, g->parts.firmware_size);
	launch(g, FW_SCRATCH, zero, sizeof(zero));
	launch(g, FW_HASH_PAGE, &g->parts.hash_page, sizeof(g->parts.hash_page));
	launch(g, FW_MAILBOX, zero, FW_PAGE);
	if (g->dirty != 0)
		g->private[g->dirty] = 1;
	patch_sites(g);
	g->reset = mmap(NULL, FW_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->reset == MAP_FAILED)
		cc_bail("memory");
	memcpy(g->reset, g->parts.firmware + g->parts.firmware_size - FW_PAGE, FW_PAGE);
	tdx_machine_share(&g->m, FW_BOOT_BLOCK, FW_BOOT_BLOCK + FW_PAGE);
	tdx_machine_share(&g->m, FW_STAGING, g->parts.staging.end);
	cc_stage(&g->parts, g->shared);
}

/* TDX module ABI, "initial state of a VCPU"; RCX and R8 are the host's choice. */
static int set_registers(const struct tdx_guest *g, unsigned cpu)
{
	const struct kvm_segment code = { .limit = UINT32_MAX, .type = 11, .present = 1, .s = 1,
					  .db = 1, .g = 1 };
	const struct kvm_segment data = { .limit = UINT32_MAX, .type = 3, .present = 1, .s = 1,
					  .db = 1, .g = 1 };
	const struct kvm_regs regs = { .rip = FW_RESET_VECTOR, .rflags = 2, .rbx = g->m.gpaw,
				       .rsi = cpu, .rdx = 0x806F8, .rcx = TDX_MACHINE_JUNK,
				       .r8 = TDX_MACHINE_JUNK };
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

static void from_kvm(const struct kvm_regs *k, struct tdx_regs *r)
{
	*r = (struct tdx_regs){ k->rcx, k->rdx, k->r8,	k->r9,	k->r10,
				k->r11, k->r12, k->r13, k->r14, k->r15 };
}

static void to_kvm(const struct tdx_regs *r, struct kvm_regs *k)
{
	k->rcx = r->rcx;
	k->rdx = r->rdx;
	k->r8 = r->r8;
	k->r9 = r->r9;
	k->r10 = r->r10;
	k->r11 = r->r11;
	k->r12 = r->r12;
	k->r13 = r->r13;
	k->r14 = r->r14;
	k->r15 = r->r15;
}

static void run_site(struct tdx_guest *g, unsigned kind)
{
	struct kvm_regs k;
	struct tdx_regs r;

	if (ioctl(g->cpu[0], KVM_GET_REGS, &k) < 0)
		cc_bail("registers");
	if (kind == FW_SITE_TDX_FOLD) {
		g->folded = true;
		g->fold_run = g->runs;
		if (k.rax != TDG_VP_INFO)
			fault(g, "the fold is not a TDG.VP.INFO");
	}
	from_kvm(&k, &r);
	k.rax = g->m.ops.call(g->m.ops.ctx, k.rax, &r);
	to_kvm(&r, &k);
	if (g->m.fault != NULL)
		fault(g, g->m.fault);
	if (ioctl(g->cpu[0], KVM_SET_REGS, &k) < 0)
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
	while (!g->powered_off && !g->m.fatal && g->fault == NULL) {
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
	const struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000L },
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
