#include "tests/model/snp_bench.h"

#include "model/psp_wire.h"
#include "model/real.h"
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"

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

uint8_t *bench_ram;
_Alignas(4096) uint8_t bench_source[2][4096];
int bench_gmem;

/* ---- a KVM that agrees with everything ----------------------------------------------------- */

int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	(void)fd;
	(void)request;
	(void)argument;
	return 0;
}

int kvm_create_vm(int kvm_fd, int *vm_fd, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*vm_fd = VM_FD;
	return 0;
}

/* No vCPU runs here: whatever asks for one of these fails, and shows that it came through. */
static int no_vcpu(struct err *e)
{
	return err_set(e, EX_INTERNAL, "no vCPU");
}

int __real_kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e)
{
	(void)vcpu_fd;
	(void)regs;
	return no_vcpu(e);
}

int __real_kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e)
{
	(void)vcpu_fd;
	(void)regs;
	return no_vcpu(e);
}

int __real_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	(void)vcpu_fd;
	(void)sregs;
	return no_vcpu(e);
}

int __real_kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e)
{
	(void)vcpu_fd;
	(void)sregs;
	return no_vcpu(e);
}

int __real_kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e)
{
	(void)vcpu_fd;
	(void)index;
	(void)value;
	return no_vcpu(e);
}

int __real_kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e)
{
	(void)vcpu_fd;
	(void)table;
	return no_vcpu(e);
}

int __real_kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e)
{
	(void)kvm_fd;
	(void)out;
	return no_vcpu(e);
}

int __real_kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e)
{
	(void)vm_fd;
	(void)id;
	(void)vcpu_fd;
	return no_vcpu(e);
}

int kvm_run_size(int kvm_fd, size_t *size, struct err *e)
{
	(void)kvm_fd;
	(void)size;
	return no_vcpu(e);
}

int __real_kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
			  struct err *e)
{
	(void)vm_fd;
	(void)slot;
	(void)gpa;
	(void)size;
	(void)host;
	return no_vcpu(e);
}

int __real_kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e)
{
	(void)vm_fd;
	(void)pins;
	(void)e;
	return 0;
}

int __real_kvm_check_cap(int kvm_fd, unsigned cap)
{
	(void)kvm_fd;
	(void)cap;
	return 0;
}

int __real_config_check_environment(const struct config *c, struct err *e)
{
	(void)c;
	(void)e;
	return 0;
}

int __real_kvm_run_vcpu(int vcpu_fd)
{
	(void)vcpu_fd;
	return -EIO;
}

/* ---- a secure processor that answers as told ------------------------------------------------ */

int bench_psp_end;
static pthread_t psp_thread;
static uint32_t answer_code, answer_to; /* this code to this command; all else succeeds */
static unsigned answer_after;           /* so many of them succeed before */
static unsigned commands;               /* since the last look */
uint8_t bench_last_data[PSP_PAGE];

static void *processor(void *unused)
{
	static uint8_t in[16 + PSP_PAYLOAD_MAX], out[16 + PSP_PAGE];

	(void)unused;
	while (read(bench_psp_end, in, sizeof(in)) > 0) {
		struct psp_header h;
		bool page;

		memcpy(&h, in, sizeof(h));
		commands++;
		h.status = 0;
		if (h.command == answer_to && answer_after-- == 0) {
			h.status = answer_code;
			answer_after = 0;
		}
		page = h.command == PSP_LAUNCH_UPDATE && h.status != 0;
		if (h.command == PSP_LAUNCH_UPDATE)
			memcpy(bench_last_data, in + sizeof(h) + 32, PSP_PAGE);
		h.size = page ? PSP_PAGE : 0;
		memcpy(out, &h, sizeof(h));
		memset(out + sizeof(h), 0xC0, PSP_PAGE);
		if (write(bench_psp_end, out, sizeof(h) + h.size) < 0)
			break;
	}
	return NULL;
}

void bench_answer_after(uint32_t command, unsigned good, uint32_t code)
{
	answer_to = command;
	answer_after = good;
	answer_code = code;
}

void bench_answer(uint32_t command, uint32_t code)
{
	bench_answer_after(command, 0, code);
}

int bench_commands(void)
{
	int n = (int)commands;

	commands = 0;
	return n;
}

bool bench_make_ram(void)
{
	bench_ram = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return bench_ram != MAP_FAILED;
}

/* ---- states --------------------------------------------------------------------------------- */


static void make_image(void)
{
	struct fw_image_header h = { .variant = FW_VARIANT_SNP, .image_size = FW_PAGE,
				     .sites_offset = 0x100, .sites_count = 1 };
	const struct fw_site site = { .offset = 0x200, .kind = FW_SITE_VMGEXIT };
	const uint8_t vmgexit[4] = { 0xF3, 0x0F, 0x01, 0xD9 };

	memcpy(h.magic, FW_IMAGE_MAGIC, sizeof(h.magic));
	memcpy(bench_source[0], &h, sizeof(h));
	memcpy(bench_source[0] + 0x100, &site, sizeof(site));
	memcpy(bench_source[0] + 0x200, vmgexit, sizeof(vmgexit));
}

struct uapi_snp_update bench_update(uint64_t gpa, uint64_t pages, uint8_t type)
{
	return (struct uapi_snp_update){ .gfn_start = gpa / FW_PAGE, .len = pages * FW_PAGE,
					 .uaddr = (uint64_t)(uintptr_t)bench_source,
					 .type = type };
}

void bench_add_vcpu(void)
{
	struct model_vcpu *v = &model.vcpu[model.vcpu_count];

	memset(v, 0, sizeof(*v));
	v->fd = 2000 + (int)model.vcpu_count;
	v->id = model.vcpu_count++;
}

void bench_reach(enum step step)
{
	uint32_t fw;
	int vm_fd, pair[2];

	model = (struct model){ .kvm_fd = -1, .vm_fd = -1, .log_fd = -1 };
	pthread_mutex_init(&model.lock, NULL);
	bench_answer(0, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	bench_psp_end = pair[1];
	model.psp_fd = pair[0];
	model.sev_fd = -1;
	assert_int_equal(pthread_create(&psp_thread, NULL, processor, NULL), 0);
	make_image();
	assert_int_equal(sev_create_vm(3, &vm_fd), 0);
	if (step >= INITED)
		assert_int_equal(sev_init2(VM_FD, -1, 0, &fw), 0);
	assert_int_equal(private_create_memfd(VM_FD, MEMORY, &bench_gmem), 0);
	assert_int_equal(private_set_memory(VM_FD, 0, 0, MEMORY, (uint64_t)(uintptr_t)bench_ram,
					    bench_gmem, 0), 0);
	assert_int_equal(private_set_attributes(VM_FD, 0, MEMORY, UAPI_ATTRIBUTE_PRIVATE), 0);
	if (step >= INITED)
		bench_add_vcpu();
	if (step >= STARTED)
		assert_int_equal(sev_launch_start(VM_FD, -1, 0x30000, &fw), 0);
	if (step >= UPDATED) {
		struct uapi_snp_update u = bench_update(FW_IMAGE, 1, PSP_TYPE_NORMAL);

		assert_int_equal(sev_launch_update(VM_FD, -1, &u, &fw), 0);
	}
	if (step >= FINISHED) {
		struct uapi_snp_finish f = { 0 };

		assert_int_equal(sev_launch_finish(VM_FD, -1, &f, &fw), 0);
	}
	(void)bench_commands();
}

void bench_leave(void)
{
	for (unsigned i = 0; i < model.region_count; i++)
		free(model.region[i].pages.page);
	munmap(model.gmem[0].map, model.gmem[0].size);
	close(bench_gmem);
	close(model.psp_fd);
	pthread_join(psp_thread, NULL);
	close(bench_psp_end);
}
