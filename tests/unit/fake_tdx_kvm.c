#include "tests/unit/fake_tdx_kvm.h"

#include "common/plan.h"
#include "vmm/exit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_tdx fake_tdx;
union kvm_cpuid_table fake_supported, fake_shown, fake_set;

void fake_tdx_reset(void)
{
	static const struct kvm_cpuid_entry2 mask[] = {
		{ .function = 1, .eax = 0x0FFF3FFF, .ebx = 0x00FF0000, .ecx = 0x31044D88,
		  .edx = 0xB8440000 },
		{ .function = 7, .flags = 1, .ebx = 0xDC2B9B18, .ecx = 0x02417F65,
		  .edx = 0x0005411C },
		{ .function = 0x80000008, .eax = 0xFF00FF, .ebx = 0x200 },
		{ .function = 4, .flags = 1, .eax = ~0u, .ebx = ~0u, .ecx = ~0u },
		{ .function = 0xA, .eax = ~0u, .ebx = ~0u, .edx = ~0u },
	};
	static const struct kvm_cpuid_entry2 supported[] = {
		{ .function = 1, .eax = 0x000806F8, .ebx = 0x00400800, .ecx = ~(1u << 24),
		  .edx = 0xFFFFFFFF },
		{ .function = 4, .index = 1, .flags = 1, .eax = 0x11 },
		{ .function = 4, .flags = 1, .eax = 0x22 },
		{ .function = 7, .flags = 1, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
		{ .function = 0xA, .eax = 0x07300802, .edx = 0x603 },
		{ .function = 0x80000008, .eax = 0x00392E2E, .ebx = ~0u }, /* MAXPHYADDR 46 */
	};

	fake_reset();
	memset(&fake_tdx, 0, sizeof(fake_tdx));
	memset(&fake_shown, 0, sizeof(fake_shown));
	memset(&fake_set, 0, sizeof(fake_set));
	fake.types |= 1u << UAPI_VM_TYPE_TDX;
	fake_tdx.attributes = PLAN_TDX_ATTRIBUTES;
	fake_tdx.xfam = 0x602E7;
	fake_tdx.user_calls = 2;
	fake_tdx.tsc_khz = 2099998;
	fake_tdx.leaves = 18;
	for (unsigned i = 0; i < UAPI_TDX_CPUID_MAX; i++)
		fake_tdx.mask[i] = (struct kvm_cpuid_entry2){ .function = 0x1000 + i };
	memcpy(fake_tdx.mask, mask, sizeof(mask));
	fake_supported.head.nent = sizeof(supported) / sizeof(supported[0]);
	memcpy(fake_supported.head.entries, supported, sizeof(supported));
}

/* Without a status nothing is written: callers start from 0. */
static int answer(uint64_t *hw)
{
	const struct fake_answer *a = fake_disturbance();

	if (hw && a && a->fw != 0)
		*hw = a->fw;
	return a ? a->rc : 0;
}

int tdx_create_vm(int kvm_fd, int *vm_fd)
{
	fake_note("create_td %d", kvm_fd);
	*vm_fd = FAKE_TDX_VM;
	return answer(NULL);
}

static const char *dirt(const void *data, size_t from, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = from; i < size; i++)
		if (byte[i] != 0)
			return " dirty";
	return "";
}

int tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw)
{
	const uint32_t room = c->head.nent;
	int rc;

	c->head.nent = 0;
	fake_note("capabilities %d %u%s", vm_fd, room, dirt(c, 0, sizeof(*c)));
	rc = answer(hw);
	if (rc < 0)
		return rc;
	if (room < fake_tdx.leaves) {
		c->head.nent = fake_tdx.leaves; /* as the kernel does */
		return -E2BIG;
	}
	c->head.supported_attributes = fake_tdx.attributes;
	c->head.supported_xfam = fake_tdx.xfam;
	c->head.user_tdvmcallinfo_1_r11 = fake_tdx.user_calls;
	c->head.nent = fake_tdx.leaves;
	memcpy(c->cpuid, fake_tdx.mask, fake_tdx.leaves * sizeof(c->cpuid[0]));
	return 0;
}

int tdx_get_tsc_khz(int vm_fd, uint64_t *khz)
{
	fake_note("get_tsc %d", vm_fd);
	*khz = fake_tdx.tsc_khz;
	return answer(NULL);
}

int tdx_set_tsc_khz(int vm_fd, uint64_t khz)
{
	fake_note("tsc %d %llu", vm_fd, (unsigned long long)khz);
	return answer(NULL);
}

int tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw)
{
	fake_note("init_vm %d %#llx %#llx %u", vm_fd, (unsigned long long)init->head.attributes,
		  (unsigned long long)init->head.xfam, init->head.nent);
	fake_tdx.init = *init;
	return answer(hw);
}

int tdx_finalize_vm(int vm_fd, uint64_t *hw)
{
	fake_note("finalize %d", vm_fd);
	return answer(hw);
}

int tdx_init_vcpu(int vcpu_fd, uint64_t rcx, uint64_t *hw)
{
	fake_note("init_vcpu %d %llu", vcpu_fd, (unsigned long long)rcx);
	return answer(hw);
}

static bool all_signals_blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 1 &&
	       sigismember(&now, SIGWINCH) == 1;
}

static void take_pages(const struct uapi_tdx_mem_region *r, uint64_t count, int measure)
{
	if (r->source_addr == 0)
		return; /* the note says so */
	for (uint64_t i = 0; i < count && fake_tdx.pages < FAKE_PAGES_MAX; i++) {
		struct fake_page *p = &fake_tdx.page[fake_tdx.pages++];

		p->gpa = r->gpa + i * 4096;
		p->source = r->source_addr + i * 4096;
		p->measured = measure;
		memcpy(p->bytes, (const uint8_t *)(uintptr_t)r->source_addr + i * 4096, 4096);
	}
}

int tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure, uint64_t *hw)
{
	const struct fake_answer *a;
	int64_t pages;

	fake_note("region %d %#llx %llu%s%s", vcpu_fd, (unsigned long long)r->gpa,
		  (unsigned long long)r->nr_pages, measure ? " measured" : "",
		  r->source_addr % 4096 != 0 || r->source_addr == 0 ? " unaligned" : "");
	fake_tdx.signals_seen |= !all_signals_blocked();
	a = fake_disturbance();
	if (a && a->fw != 0)
		*hw = a->fw;
	pages = a ? a->pages : (int64_t)r->nr_pages;
	if (pages > 0)
		take_pages(r, (uint64_t)pages, measure);
	r->gpa += (uint64_t)(pages * 4096);
	r->source_addr += (uint64_t)(pages * 4096);
	r->nr_pages -= (uint64_t)pages;
	return a ? a->rc : 0;
}

int tdx_get_cpuid(int vcpu_fd, union kvm_cpuid_table *table, uint64_t *hw)
{
	int rc;

	fake_note("get_cpuid %d %u%s", vcpu_fd, table->head.nent,
		  dirt(table, offsetof(union kvm_cpuid_table, head.entries), sizeof(*table)));
	rc = answer(hw);
	if (rc < 0)
		return rc;
	if (fake_shown.head.nent > 0) {
		*table = fake_shown;
		return 0;
	}
	table->head.nent = fake_tdx.init.head.nent;
	memcpy(table->head.entries, fake_tdx.init.cpuid,
	       table->head.nent * sizeof(fake_tdx.init.cpuid[0]));
	table->head.entries[0].ecx |= 1u << 21; /* fixed by the module */
	return 0;
}

int kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*out = fake_supported;
	return 0;
}

int kvm_irqfd(int vm_fd, int eventfd, uint32_t gsi, struct err *e)
{
	(void)eventfd;
	fake_note("irqfd %d %u", vm_fd, gsi);
	return answer(NULL) < 0 ? err_set(e, EX_HOST, "kvm: no irqfd") : 0;
}

int kvm_set_gsi_routing(int vm_fd, const struct kvm_msi_route *route, unsigned count,
			struct err *e)
{
	fake_note("routing %d %u", vm_fd, count);
	if (count > 0)
		fake_tdx.route = route[count - 1];
	return answer(NULL) < 0 ? err_set(e, EX_HOST, "kvm: no routes") : 0;
}

int kvm_run_size(int kvm_fd, size_t *size, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*size = 4096;
	return 0;
}

/* A file of a page, which can be mapped as a run area is, behind the number 70 + id. */
int kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e)
{
	int fd = memfd_create("vcpu", MFD_CLOEXEC);

	(void)e;
	fake_note("vcpu %d %u", vm_fd, id);
	*vcpu_fd = (int)(FAKE_TDX_VCPU + id);
	if (fd < 0 || ftruncate(fd, 4096) < 0 || dup2(fd, *vcpu_fd) < 0)
		abort();
	close(fd);
	return 0;
}

int kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e)
{
	(void)e;
	fake_note("cpuid %d %u", vcpu_fd, table->head.nent);
	fake_set = *table;
	return 0;
}

/* vcpu.c names these; no test here enters a guest. */
int kvm_run_vcpu(int vcpu_fd)
{
	(void)vcpu_fd;
	abort();
}

void exit_handle(struct vcpu *v, int rc)
{
	(void)v;
	(void)rc;
	abort();
}
