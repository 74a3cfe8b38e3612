#include "tests/unit/fake_sev.h"

#include "common/plan.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fake_sev fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.types = 1u << 0 | 1u << UAPI_VM_TYPE_SNP;
	fake.hypercalls = 1u << UAPI_HC_MAP_GPA_RANGE;
	fake.attributes = (unsigned)UAPI_ATTRIBUTE_PRIVATE;
	fake.gmem = 1;
	fake.max_vcpus = 1024;
}

static const char *last_line(void)
{
	size_t i = fake.used > 0 ? fake.used - 1 : 0;

	while (i > 0 && fake.trace[i - 1] != '\n')
		i--;
	return fake.trace + i;
}

void fake_note(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(fake.trace + fake.used, sizeof(fake.trace) - fake.used - 1, fmt, args);
	va_end(args);
	if (n < 0 || fake.used + (size_t)n + 2 > sizeof(fake.trace))
		return; /* full: what is missing fails the test */
	fake.used += (size_t)n;
	fake.trace[fake.used++] = '\n';
	fake.trace[fake.used] = '\0';
}

unsigned fake_count(const char *begin)
{
	unsigned count = 0;

	for (const char *line = fake.trace; *line; line = strchr(line, '\n') + 1)
		count += strncmp(line, begin, strlen(begin)) == 0;
	return count;
}

const struct fake_answer *fake_disturbance(void)
{
	for (unsigned i = 0; i < FAKE_SCRIPT_MAX; i++) {
		struct fake_answer *a = &fake.script[i];

		if (a->times > 0 && strncmp(last_line(), a->call, strlen(a->call)) == 0) {
			a->times--;
			return a;
		}
	}
	return NULL;
}

/* Without a code nothing is written: callers start from 0. */
static int answer(uint32_t *fw)
{
	const struct fake_answer *a = fake_disturbance();

	if (fw && a && a->fw != 0)
		*fw = (uint32_t)a->fw;
	return a ? a->rc : 0;
}

/* Of calls that make their own sentence. */
static int kvm_answer(struct err *e)
{
	return answer(NULL) < 0 ? err_set(e, EX_HOST, "kvm: refused") : 0;
}

int sev_take_descriptors(int sev_fd, int psp_fd, struct err *e)
{
	(void)sev_fd;
	(void)psp_fd;
	(void)e;
	return 0;
}

int sev_create_vm(int kvm_fd, int *vm_fd)
{
	fake_note("create_vm %d", kvm_fd);
	*vm_fd = 40;
	return answer(NULL);
}

int sev_vmsa_features(int kvm_fd, uint64_t *mask)
{
	fake_note("vmsa_features %d", kvm_fd);
	*mask = fake.vmsa_features;
	return answer(NULL);
}

int private_enable_cap(int vm_fd, uint32_t cap, uint64_t arg)
{
	fake_note("cap %d %u %#llx", vm_fd, cap, (unsigned long long)arg);
	return answer(NULL);
}

int private_create_memfd(int vm_fd, uint64_t size, int *fd)
{
	fake_note("guest_memfd %d %#llx", vm_fd, (unsigned long long)size);
	*fd = 41;
	return answer(NULL);
}

int private_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		   int gmem_fd, uint64_t gmem_offset)
{
	fake_note("memory %d %u %#llx %#llx %s %d %#llx", vm_fd, slot, (unsigned long long)gpa,
		  (unsigned long long)size, host != 0 && host % 4096 == 0 ? "host" : "bad",
		  gmem_fd, (unsigned long long)gmem_offset);
	return answer(NULL);
}

int sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw)
{
	fake_note("init2 %d %d %#llx", vm_fd, sev_fd, (unsigned long long)vmsa_features);
	return answer(fw);
}

int sev_enable_req_certs(int vm_fd, int sev_fd, uint32_t *fw)
{
	fake_note("req_certs %d %d", vm_fd, sev_fd);
	return answer(fw);
}

int sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw)
{
	fake_note("start %d %d %#llx", vm_fd, sev_fd, (unsigned long long)policy);
	return answer(fw);
}

static bool all_signals_blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 1 &&
	       sigismember(&now, SIGWINCH) == 1;
}

static void advance(struct uapi_snp_update *u, int pages)
{
	u->gfn_start += (uint64_t)(int64_t)pages;
	u->len -= (uint64_t)((int64_t)pages * 4096);
	if (u->type != UAPI_SNP_PAGE_ZERO)
		u->uaddr += (uint64_t)((int64_t)pages * 4096);
}

int sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	const struct fake_answer *a;
	const char *source = u->uaddr == 0 ? "none" : u->uaddr % 4096 == 0 ? "page" : "unaligned";

	fake_note("update %u %d %d %#llx %#llx %s", u->type, vm_fd, sev_fd,
		  (unsigned long long)u->gfn_start, (unsigned long long)u->len, source);
	fake.signals_seen |= !all_signals_blocked();
	a = fake_disturbance();
	if (a && a->fw != 0)
		*fw = (uint32_t)a->fw;
	if (a && a->correct_cpuid) { /* EAX and the reserved field */
		*(uint32_t *)(uintptr_t)(u->uaddr + 16 + 24) ^= 4;
		*(uint64_t *)(uintptr_t)(u->uaddr + 16 + 40) ^= 4;
	}
	advance(u, a ? a->pages : (int)(u->len / 4096));
	return a ? a->rc : 0;
}

int sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw)
{
	fake_note("finish %d %d", vm_fd, sev_fd);
	fake.finish = *f;
	if (f->id_block_en) {
		memcpy(fake.id_block, (const void *)(uintptr_t)f->id_block_uaddr, 96);
		memcpy(fake.id_auth, (const void *)(uintptr_t)f->id_auth_uaddr, 4096);
	}
	return answer(fw);
}

int private_set_attributes(int vm_fd, uint64_t gpa, uint64_t size, uint64_t attributes)
{
	fake_note("attributes %d %#llx %#llx %#llx", vm_fd, (unsigned long long)gpa,
		  (unsigned long long)size, (unsigned long long)attributes);
	if (fake.on_attributes)
		fake.on_attributes();
	return answer(NULL);
}

int private_discard(int gmem_fd, uint64_t offset, uint64_t size)
{
	fake_note("discard private %d %#llx %#llx", gmem_fd, (unsigned long long)offset,
		  (unsigned long long)size);
	return answer(NULL);
}

int kvm_check_cap(int kvm_fd, unsigned cap)
{
	(void)kvm_fd;
	switch (cap) {
	case UAPI_CAP_VM_TYPES:          return (int)fake.types;
	case UAPI_CAP_EXIT_HYPERCALL:    return (int)fake.hypercalls;
	case UAPI_CAP_MEMORY_ATTRIBUTES: return (int)fake.attributes;
	case UAPI_CAP_GUEST_MEMFD:       return (int)fake.gmem;
	case KVM_CAP_MAX_VCPUS:          return (int)fake.max_vcpus;
	default:                         return 1;
	}
}

int kvm_check_api(int kvm_fd, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	return 0;
}

int kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e)
{
	fake_note("irqchip %d %u", vm_fd, pins);
	return kvm_answer(e);
}

int kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	fake_note("get_sregs %d", vcpu_fd);
	memset(sregs, 0xA5, sizeof(*sregs)); /* what is not set shows */
	return kvm_answer(e);
}

int kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e)
{
	fake_note("sregs %d", vcpu_fd);
	fake.sregs = *sregs;
	return kvm_answer(e);
}

int kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e)
{
	fake_note("regs %d rip %#llx", vcpu_fd, (unsigned long long)regs->rip);
	fake.regs = *regs;
	return kvm_answer(e);
}

int kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e)
{
	fake_note("msr %d %#x %#llx", vcpu_fd, index, (unsigned long long)value);
	return kvm_answer(e);
}
