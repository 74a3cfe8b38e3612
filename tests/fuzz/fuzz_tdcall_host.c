/* TDCALLs of a hostile trust domain on the platform model (model/tdcall.c, tdvmcall.c, exits.c):
 * any registers, any access, and a VMM that answers anything. What must hold: no memory outside
 * RAM is touched; an exit names memory and sizes that KVM would name; registers that the guest did
 * not show keep their values, and RIP always.
 *
 * Input, steps of one byte and what it needs: 0 TDCALL at the first site (leaf byte, then RCX,
 * RDX, R8 and R10 to R15, each chosen by a byte: a small number, an address that means something,
 * or eight bytes), 1 the same at the fold, 2 an access (address), 3 an attribute (page, private),
 * 4 the VMM's answer to the last exit (a byte) and KVM_RUN again, 5 the module's next status (a
 * byte). */
#include "model/real.h"
#include "model/td.h"
#include "model/tdx_client.h"
#include "vmm/kvm/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#define MEMORY 0x400000ull
#define PAGES  (MEMORY / PAGE_BYTES)
#define SITE   (FW_IMAGE + 0x200)
#define LAST   (FW_IMAGE + 0x204)
#define DATA_OFFSET 4096u

static const uint8_t *input;
static size_t left;

static struct kvm_regs regs;
static uint64_t module_status;
static void (*next_exit)(struct kvm_run *run);
static uint64_t touched;

static uint64_t take(unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && left > 0; i++, left--)
		v |= (uint64_t)*input++ << (8 * i);
	return v;
}

/* ---- below and beside the model ------------------------------------------------------------- */

int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	(void)fd;
	(void)request;
	(void)argument;
	return 0;
}

int __wrap_ppoll(void *fds, unsigned long n, const void *wait, const void *mask);

int __wrap_ppoll(void *fds, unsigned long n, const void *wait, const void *mask)
{
	(void)fds;
	(void)n;
	(void)wait;
	(void)mask;
	return 0;
}

int __real_kvm_get_regs(int vcpu_fd, struct kvm_regs *out, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	*out = regs;
	return 0;
}

int __real_kvm_set_regs(int vcpu_fd, const struct kvm_regs *in, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	REQUIRE(in->rip == regs.rip && in->rsp == regs.rsp && in->rbp == regs.rbp);
	REQUIRE(in->rflags == regs.rflags);
	regs = *in;
	return 0;
}

int __real_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	*sregs = (struct kvm_sregs){ .cs = { .l = 1 } };
	return 0;
}

int __real_kvm_run_vcpu(int vcpu_fd)
{
	struct kvm_run *run = model.vcpu[0].run;

	(void)vcpu_fd;
	run->exit_reason = KVM_EXIT_HLT;
	if (next_exit)
		next_exit(run);
	next_exit = NULL;
	return 0;
}

int tdx_rtmr_extend(int fd, uint32_t index, const uint8_t data[48], uint64_t *status,
		    struct err *e)
{
	uint8_t copy[48];

	(void)fd;
	memcpy(copy, data, sizeof(copy));
	REQUIRE(index < 4);
	*status = module_status;
	return module_status == UINT64_MAX ? err_set(e, EX_INTERNAL, "gone") : 0;
}

int tdx_mr_report(int fd, const uint8_t report_data[64], uint8_t report[TDX_WIRE_REPORT_SIZE],
		  uint64_t *status, struct err *e)
{
	(void)fd;
	memset(report, report_data[0] ^ report_data[63], TDX_WIRE_REPORT_SIZE);
	*status = module_status;
	return module_status == UINT64_MAX ? err_set(e, EX_INTERNAL, "gone") : 0;
}

int td_enable_cap(uint32_t cap, uint64_t arg)
{
	(void)cap;
	(void)arg;
	return 1;
}

/* ---- a launched trust domain ---------------------------------------------------------------- */

static uint8_t *shared, *private;

static int set_slot(void *ctx, uint32_t id, uint64_t gpa, uint64_t size, uint64_t host,
		    struct err *e)
{
	uint64_t at = gpa & ~MODEL_S_BIT;

	(void)ctx;
	(void)id;
	(void)host;
	(void)e;
	REQUIRE(at < MEMORY && size <= MEMORY - at);
	return 0;
}

static void launch(void)
{
	static union {
		struct kvm_run run;
		uint8_t bytes[2 * DATA_OFFSET];
	} area;
	static uint8_t state[PAGES];
	struct model_region *r = &model.region[0];
	struct err e = { 0 };

	if (!shared) {
		shared = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			      -1, 0);
		private = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
		REQUIRE(shared != MAP_FAILED && private != MAP_FAILED);
	}
	model.kind = &kind_tdx;
	model.vm_fd = 5;
	model.log_fd = -1;
	model.inited = model.finished = model.exit_hypercall = true;
	model.folded = model.dead = false;
	model.attributes = TD_ATTRIBUTES;
	memset(state, 0, sizeof(state));
	memset(&area, 0, sizeof(area));
	r->size = MEMORY;
	r->pages = (struct pages){ .page = state, .count = PAGES };
	r->view.shared = (struct alias_view){ MODEL_S_BIT, (uint64_t)(uintptr_t)shared };
	r->view.private = (struct alias_view){ 0, (uint64_t)(uintptr_t)private };
	r->view.pages = &r->pages;
	model.region_count = model.vcpu_count = 1;
	model.alias.count = model.alias.free_count = model.alias.next_id = 0;
	model.alias.set = set_slot;
	model.vcpu[0] = (struct model_vcpu){ .fd = 6, .run = &area.run, .protected = true,
					     .td = { .inited = true, .address_bits = 48 } };
	model.site[0] = (struct model_site){ .gpa = SITE, .kind = FW_SITE_TDCALL };
	model.site[1] = (struct model_site){ .gpa = LAST, .kind = FW_SITE_TDX_FOLD };
	model.site_count = 2;
	pages_set_private(&r->pages, 0, PAGES, true);
	pages_set_private(&r->pages, FW_BOOT_BLOCK / PAGE_BYTES, 1, false);
	for (uint64_t i = FW_IMAGE / PAGE_BYTES; i < FW_BOOT_BLOCK / PAGE_BYTES; i++)
		pages_launch(&r->pages, i);
	REQUIRE(model_sync(r, 0, MEMORY, &e) == 0);
	module_status = 0;
}

/* ---- steps ---------------------------------------------------------------------------------- */

static uint64_t value(void)
{
	static const uint64_t known[] = {
		0, FW_IMAGE, FW_BOOT_BLOCK, FW_BOOT_BLOCK | MODEL_S_BIT, 0x200000, 0x201000, MEMORY,
		MEMORY - 4096, MODEL_S_BIT, MODEL_S_BIT - 4096, UINT64_MAX, UINT64_MAX - 4095,
		0xFC00, 0xFFCC, 0x10000, 0x10001, 0x10002, 0x10003, 0x10004, 0x1000, 0x400000,
		0xFEC00000 | MODEL_S_BIT, 0x200001, 0x1110000300000017,
	};
	unsigned choice = (unsigned)take(1);

	if (choice < 0x80)
		return choice;
	if (choice < 0xF0)
		return known[choice % (sizeof(known) / sizeof(known[0]))];
	return take(8);
}

static bool is_run(const struct kvm_run *run, uint32_t reason)
{
	return run->exit_reason == reason;
}

static void check_exit(int rc)
{
	const struct kvm_run *run = model.vcpu[0].run;
	struct uapi_memory_fault f;

	if (rc == -EFAULT) {
		REQUIRE(is_run(run, UAPI_EXIT_MEMORY_FAULT));
		memcpy(&f, (const uint8_t *)run + UAPI_RUN_MEMORY_FAULT_OFFSET, sizeof(f));
		REQUIRE(f.gpa % 4096 == 0 && f.size == 4096 && f.gpa < MODEL_S_BIT);
	} else if (rc == 0 && is_run(run, KVM_EXIT_HYPERCALL)) {
		REQUIRE(run->hypercall.args[0] % 4096 == 0);
		REQUIRE(run->hypercall.args[1] >= 1 && run->hypercall.args[1] <= 512);
		REQUIRE(run->hypercall.args[0] + run->hypercall.args[1] * 4096 <= MODEL_S_BIT);
		REQUIRE((run->hypercall.args[2] & ~UAPI_MAP_GPA_PRIVATE) == 0);
	} else if (rc == 0 && is_run(run, KVM_EXIT_IO) && !model.folded) {
		REQUIRE(run->io.size == 1 || run->io.size == 2 || run->io.size == 4);
		REQUIRE(run->io.count == 1 && run->io.data_offset == DATA_OFFSET);
	} else if (rc == 0 && is_run(run, KVM_EXIT_MMIO) && !model.folded) {
		REQUIRE(run->mmio.len >= 1 && run->mmio.len <= 8 &&
			(run->mmio.len & (run->mmio.len - 1)) == 0);
		REQUIRE(run->mmio.phys_addr + run->mmio.len <= MODEL_S_BIT);
	} else {
		REQUIRE(rc == 0 || rc == -EIO || rc == -EINTR || rc == -EINVAL);
	}
}

static uint32_t site_port;

static void site_exit(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 4;
	run->io.port = (uint16_t)site_port;
	run->io.count = 1;
	run->io.data_offset = DATA_OFFSET;
}

static void access_exit(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = touched;
	run->mmio.len = 4;
	run->mmio.is_write = 0;
}

static void run_vcpu(void)
{
	/* Only what the guest shows may be changed by the host's side of a TDVMCALL. */
	const struct kvm_regs before = regs;
	bool vmcall = before.rax == 0 && next_exit == site_exit;

	check_exit(model_run_vcpu(&model.vcpu[0]));
	if (vmcall && !model.folded) {
		REQUIRE((before.rcx >> 3 & 1) != 0 || regs.rbx == before.rbx);
		REQUIRE((before.rcx >> 10 & 1) != 0 || regs.r10 == before.r10);
		REQUIRE((before.rcx >> 11 & 1) != 0 || regs.r11 == before.r11);
		REQUIRE((before.rcx >> 12 & 1) != 0 || regs.r12 == before.r12);
		REQUIRE(regs.rcx == before.rcx);
	}
}

static void call(bool last)
{
	if (model.vcpu[0].pending != PENDING_NONE)
		return; /* the guest is not running */
	regs = (struct kvm_regs){ .rip = (last ? LAST : SITE) + 2, .rflags = 2, .rsp = 0x1000,
				  .rbp = 0x2000, .rbx = 3, .rax = take(1) };
	regs.rcx = value();
	regs.rdx = value();
	regs.r8 = value();
	regs.r10 = value();
	regs.r11 = value();
	regs.r12 = value();
	regs.r13 = value();
	regs.r14 = value();
	regs.r15 = value();
	site_port = 0xE0u + (last ? FW_SITE_TDX_FOLD : FW_SITE_TDCALL);
	next_exit = site_exit;
	run_vcpu();
}

static void answer(void)
{
	struct kvm_run *run = model.vcpu[0].run;
	uint64_t v = take(1);

	memset((uint8_t *)run + DATA_OFFSET, (int)v, 8);
	if (is_run(run, KVM_EXIT_HYPERCALL))
		run->hypercall.ret = v & 1;
	if (is_run(run, UAPI_EXIT_TDX))
		memset((uint8_t *)run + UAPI_RUN_TDX_OFFSET + 16, (int)v, 48);
	run->immediate_exit = v >> 1 & 1;
	regs = model.vcpu[0].pending != PENDING_NONE ? model.vcpu[0].td.regs : regs;
	run_vcpu();
}

static void step(void)
{
	uint64_t page, private_now;

	switch (take(1) % 6) {
	case 0:
		call(false);
		break;
	case 1:
		call(true);
		break;
	case 2:
		touched = value() & ((MODEL_S_BIT << 1) - 1); /* CPUID says 48 bits */
		next_exit = model.vcpu[0].pending == PENDING_NONE ? access_exit : NULL;
		run_vcpu();
		break;
	case 3:
		page = take(2) % PAGES;
		private_now = take(1) & 1;
		REQUIRE(private_set_attributes(5, page * PAGE_BYTES, PAGE_BYTES,
					       private_now ? UAPI_ATTRIBUTE_PRIVATE : 0) == 0);
		break;
	case 4:
		answer();
		break;
	default:
		module_status = take(1) == 0xFF ? UINT64_MAX : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	launch();
	while (left > 0 && !model.dead)
		step();
	return 0;
}
