#include "tests/model/td_bench.h"

#include "model/real.h"
#include "vmm/kvm/private.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN_SIZE 12288u
#define SITE 0x200u
#define LAST 0x204u
#define TSC_KHZ 2000000u

/* ---- a KVM that agrees with everything ------------------------------------------------------ */

int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	(void)fd;
	(void)argument;
	return request == KVM_GET_TSC_KHZ ? (int)TSC_KHZ : 0;
}

int kvm_create_vm(int kvm_fd, int *vm_fd, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*vm_fd = TD_VM_FD;
	return 0;
}

int kvm_run_size(int kvm_fd, size_t *size, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*size = RUN_SIZE;
	return 0;
}

int __real_config_check_environment(const struct config *c, struct err *e)
{
	(void)c;
	(void)e;
	return 0;
}

int __real_kvm_check_cap(int kvm_fd, unsigned cap)
{
	(void)kvm_fd;
	(void)cap;
	return 1;
}

int __real_kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*out = td_vcpu_cpuid();
	return 0;
}

int __real_kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
			  struct err *e)
{
	(void)vm_fd;
	(void)slot;
	(void)gpa;
	(void)size;
	(void)host;
	(void)e;
	return 0;
}

int __real_kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e)
{
	(void)vm_fd;
	(void)pins;
	(void)e;
	return 0;
}

int __real_kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e)
{
	(void)vm_fd;
	(void)id;
	(void)e;
	*vcpu_fd = memfd_create("run", MFD_CLOEXEC);
	return ftruncate(*vcpu_fd, RUN_SIZE);
}

int __real_kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e)
{
	(void)vcpu_fd;
	(void)table;
	(void)e;
	return 0;
}

int __real_kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e)
{
	(void)vcpu_fd;
	(void)index;
	(void)value;
	(void)e;
	return 0;
}

struct kvm_regs td_after;

int __real_kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	td_after = *regs;
	return 0;
}

int __real_kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e)
{
	(void)vcpu_fd;
	(void)sregs;
	(void)e;
	return 0;
}

int __real_kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	*regs = td_after;
	return 0;
}

int __real_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	(void)vcpu_fd;
	(void)e;
	*sregs = (struct kvm_sregs){ .cs = { .l = 1 } };
	return 0;
}

static void (*next_exit)(struct kvm_run *run);

/* The guest does its one thing, then nothing any more. */
int __real_kvm_run_vcpu(int vcpu_fd)
{
	struct kvm_run *run = td_run();

	(void)vcpu_fd;
	run->exit_reason = KVM_EXIT_HLT;
	if (next_exit)
		next_exit(run);
	next_exit = NULL;
	return 0;
}

/* ---- a module that answers as told ---------------------------------------------------------- */

static int module_end;
static pthread_t module_thread;
static uint32_t special;
static uint64_t special_status;
static unsigned calls;
static bool dying;

static uint32_t answer_size(uint32_t command)
{
	if (command == TDX_MR_REPORT)
		return TDX_WIRE_REPORT_SIZE;
	return command == TDX_MR_READ ? (uint32_t)sizeof(struct tdx_registers) : 0;
}

static void *module(void *unused)
{
	static uint8_t in[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX], out[sizeof(in)];

	(void)unused;
	while (read(module_end, in, sizeof(in)) > 0 && !dying) {
		struct tdx_header h;

		memcpy(&h, in, sizeof(h));
		calls++;
		h.status = h.command == special ? special_status : 0;
		h.size = h.status == 0 ? answer_size(h.command) : 0;
		memcpy(out, &h, sizeof(h));
		memset(out + sizeof(h), 0xD0, h.size);
		if (write(module_end, out, sizeof(h) + h.size) < 0)
			break;
	}
	(void)shutdown(module_end, SHUT_RDWR);
	return NULL;
}

void td_module_says(uint32_t command, uint64_t status)
{
	special = command;
	special_status = status;
}

unsigned td_module_calls(void)
{
	unsigned n = calls;

	calls = 0;
	return n;
}

void td_module_dies(void)
{
	dying = true;
}

/* ---- steps ---------------------------------------------------------------------------------- */

uint8_t *td_ram;
_Alignas(4096) uint8_t td_source[2][4096];
int td_vcpu_fd;
static int gmem;

union kvm_cpuid_table td_vcpu_cpuid(void)
{
	union kvm_cpuid_table t = { .head = { .nent = 3 } };

	t.head.entries[0] = (struct kvm_cpuid_entry2){ .function = 0, .eax = 0xD, .ebx = 7 };
	t.head.entries[1] = (struct kvm_cpuid_entry2){ .function = 1, .eax = 0x806F8,
						       .ecx = 1u << 21 };
	t.head.entries[2] = (struct kvm_cpuid_entry2){ .function = 0x80000008,
						       .eax = 48u << 16 | 48 };
	return t;
}

struct tdx_init_vm td_init_vm(void)
{
	struct tdx_init_vm init = { .head = { .attributes = TD_ATTRIBUTES, .xfam = 0xE7,
					      .nent = 1 } };

	init.cpuid[0] = (struct kvm_cpuid_entry2){ .function = 0x80000008, .eax = 48u << 16 | 48 };
	return init;
}

struct uapi_tdx_mem_region td_region(uint64_t gpa, uint64_t pages)
{
	return (struct uapi_tdx_mem_region){ (uint64_t)(uintptr_t)td_source, gpa, pages };
}

static void make_image(void)
{
	static const uint8_t tdcall[4] = { 0x66, 0x0F, 0x01, 0xCC };
	const struct fw_site site[2] = { { SITE, FW_SITE_TDCALL }, { LAST, FW_SITE_TDX_FOLD } };
	struct fw_image_header h = { .variant = FW_VARIANT_TDX, .image_size = FW_PAGE,
				     .sites_offset = 0x100, .sites_count = 2 };

	memset(td_source, 0, sizeof(td_source));
	memcpy(h.magic, FW_IMAGE_MAGIC, sizeof(h.magic));
	memcpy(td_source[0], &h, sizeof(h));
	memcpy(td_source[0] + 0x100, site, sizeof(site));
	memcpy(td_source[0] + SITE, tdcall, sizeof(tdcall));
	memcpy(td_source[0] + LAST, tdcall, sizeof(tdcall));
}

static void make_memory(void)
{
	assert_int_equal(private_create_memfd(TD_VM_FD, TD_MEMORY, &gmem), 0);
	assert_int_equal(private_set_memory(TD_VM_FD, 0, 0, TD_MEMORY,
					    (uint64_t)(uintptr_t)td_ram, gmem, 0), 0);
	assert_int_equal(private_set_attributes(TD_VM_FD, 0, TD_MEMORY, UAPI_ATTRIBUTE_PRIVATE), 0);
	assert_int_equal(private_set_attributes(TD_VM_FD, FW_BOOT_BLOCK, FW_PAGE, 0), 0);
}

static void make_vcpu(enum td_step step)
{
	union kvm_cpuid_table t = td_vcpu_cpuid();
	struct err e = { 0 };
	uint64_t hw;

	assert_int_equal(__wrap_kvm_create_vcpu(TD_VM_FD, 0, &td_vcpu_fd, &e), 0);
	if (step < TD_VCPU_READY)
		return;
	assert_int_equal(__wrap_kvm_set_cpuid(td_vcpu_fd, &t, &e), 0);
	assert_int_equal(tdx_init_vcpu(td_vcpu_fd, 0, &hw), 0);
}

void td_reach(enum td_step step)
{
	struct uapi_tdx_mem_region m = td_region(FW_IMAGE, 1);
	struct tdx_init_vm init = td_init_vm();
	struct err e = { 0 };
	int vm_fd, pair[2];
	uint64_t hw;

	model = (struct model){ .kvm_fd = -1, .vm_fd = -1, .log_fd = -1, .sev_fd = -1 };
	pthread_mutex_init(&model.lock, NULL);
	dying = false;
	td_module_says(0, 0);
	td_ram = mmap(NULL, TD_MEMORY, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(td_ram, MAP_FAILED);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	model.psp_fd = pair[0];
	module_end = pair[1];
	assert_int_equal(pthread_create(&module_thread, NULL, module, NULL), 0);
	make_image();
	assert_int_equal(tdx_create_vm(3, &vm_fd), 0);
	if (step >= TD_IRQCHIP)
		assert_int_equal(__wrap_kvm_split_irqchip(TD_VM_FD, 24, &e), 0);
	if (step >= TD_INITED)
		assert_int_equal(tdx_init_vm(TD_VM_FD, &init, &hw), 0);
	make_memory();
	if (step >= TD_VCPU)
		make_vcpu(step);
	if (step >= TD_ADDED)
		assert_int_equal(tdx_init_mem_region(td_vcpu_fd, &m, 1, &hw), 0);
	if (step >= TD_FINAL)
		assert_int_equal(tdx_finalize_vm(TD_VM_FD, &hw), 0);
	(void)td_module_calls();
}

void td_leave(void)
{
	for (unsigned i = 0; i < model.vcpu_count; i++) {
		munmap(model.vcpu[i].run, model.vcpu[i].run_size);
		close(model.vcpu[i].fd);
	}
	for (unsigned i = 0; i < model.region_count; i++)
		free(model.region[i].pages.page);
	munmap(model.gmem[0].map, model.gmem[0].size);
	munmap(td_ram, TD_MEMORY);
	close(gmem);
	close(model.psp_fd);
	pthread_join(module_thread, NULL);
	close(module_end);
}

/* ---- the guest ------------------------------------------------------------------------------ */

struct kvm_run *td_run(void)
{
	return model.vcpu[0].run;
}

static uint32_t site_kind;

static void site_exit(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 4;
	run->io.port = (uint16_t)(0xE0 + site_kind);
	run->io.count = 1;
	run->io.data_offset = 4096;
}

int td_call(const struct kvm_regs *regs, bool last)
{
	site_kind = last ? FW_SITE_TDX_FOLD : FW_SITE_TDCALL;
	td_after = *regs;
	td_after.rip = FW_IMAGE + (last ? LAST : SITE) + 2;
	return td_exit(site_exit);
}

int td_exit(void (*fill)(struct kvm_run *run))
{
	next_exit = fill;
	return td_again();
}

int td_again(void)
{
	return __wrap_kvm_run_vcpu(td_vcpu_fd);
}
