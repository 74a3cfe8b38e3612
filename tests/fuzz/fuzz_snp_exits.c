/* Any sequence of exits that an SEV-SNP guest can cause: 33 bytes of input each: kind, then four
 * numbers. Promises checked beside memory safety: attributes change only inside RAM, a refused
 * request changes nothing, and the book of shared pages says what the last request made of them. */
#include "common/bytes.h"
#include "common/record.h"
#include "tests/unit/snp_vm.h"
#include "vmm/tee/snp_exits.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/private_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY ((3ull << 30) + (64u << 20)) /* sparse */
#define STEPS_MAX 64

static void must(int good)
{
	if (!good)
		abort();
}

static void begin(void)
{
	static bool made;

	if (!made) {
		snp_vm_begin(MEMORY, 1);
		must(snp_vm_create() == 0);
		made = true;
	}
	memset(sm.vm.private_memory.shared, 0, MEMORY / PRIVATE_PAGE / 8);
	atomic_store(&sm.vm.stopping, false);
	atomic_store(&sm.vm.end, 0);
	must(ftruncate(sm.vm.log_fd, 0) == 0 && ftruncate(sm.vm.end_fd, 0) == 0);
}

static void check_conversion(uint64_t gpa, uint64_t pages, uint64_t attributes, uint64_t ret)
{
	bool shared = (attributes & UAPI_MAP_GPA_PRIVATE) == 0;

	if (ret != 0) {
		must(fake.used == 0);
		return;
	}
	must(pages >= 1 && pages <= PRIVATE_CONVERT_PAGES_MAX);
	must(gpa_is_ram(&sm.vm.memory, gpa, pages * PRIVATE_PAGE));
	must(fake_count("attributes") == (pages + PRIVATE_CHUNK_PAGES - 1) / PRIVATE_CHUNK_PAGES);
	must(private_memory_is_shared(&sm.vm.private_memory, gpa) == shared);
	must(private_memory_is_shared(&sm.vm.private_memory, gpa + (pages - 1) * PRIVATE_PAGE) ==
	     shared);
}

static void hypercall(struct vcpu *v, const uint64_t x[4])
{
	v->run->exit_reason = KVM_EXIT_HYPERCALL;
	v->run->hypercall.nr = x[3] % 4 == 0 ? x[3] : UAPI_HC_MAP_GPA_RANGE;
	memcpy((void *)&v->run->hypercall.args, x, 3 * sizeof(x[0]));
	must(snp_exit(v, 0));
	if (v->run->hypercall.nr == UAPI_HC_MAP_GPA_RANGE)
		check_conversion(x[0], x[1], x[2], v->run->hypercall.ret);
	else
		must(fake.used == 0 && v->run->hypercall.ret != 0);
}

static void memory_fault(struct vcpu *v, const uint64_t x[4])
{
	const struct uapi_memory_fault f = { x[0], x[1], x[2] };

	v->run->exit_reason = UAPI_EXIT_MEMORY_FAULT;
	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	must(snp_exit(v, x[3] & 1 ? -EFAULT : -EHWPOISON));
	must(fake.used == 0); /* nothing is converted that the guest did not ask for */
}

static void system_event(struct vcpu *v, const uint64_t x[4])
{
	v->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = x[3] & 1 ? UAPI_SYSTEM_EVENT_SEV_TERM : (uint32_t)x[1];
	v->run->system_event.ndata = (uint32_t)x[2];
	v->run->system_event.data[0] = x[0];
	if (snp_exit(v, 0))
		must(atomic_load(&sm.vm.end) != 0);
}

/* With a table of two pages: only room that is shared may hold it. */
static void req_certs(struct vcpu *v, const uint64_t x[4])
{
	struct uapi_snp_req_certs c = { x[0], x[1], 0 };

	sm.vm.snp.certs.size = 5000;
	v->run->exit_reason = UAPI_EXIT_SNP_REQ_CERTS;
	memcpy((uint8_t *)v->run + UAPI_RUN_REQ_CERTS_OFFSET, &c, sizeof(c));
	must(snp_exit(v, 0));
	memcpy(&c, (uint8_t *)v->run + UAPI_RUN_REQ_CERTS_OFFSET, sizeof(c));
	must(c.ret == 0 || c.ret == EIO || (c.ret == ENOSPC && c.npages == 2 && x[1] < 2));
	must(c.ret != 0 || (x[1] >= 2 &&
			    private_memory_all_shared(&sm.vm.private_memory, x[0], 8192)));
	must(fake.used == 0);
}

static bool step(struct vcpu *v, struct reader *r)
{
	uint8_t kind = read_u8(r);
	uint64_t x[4];

	for (unsigned i = 0; i < 4; i++)
		x[i] = read_le64(r);
	if (r->bad)
		return false;
	memset(v->run, 0, sizeof(*v->run));
	fake.used = 0;
	fake.trace[0] = '\0';
	switch (kind % 4) {
	case 0: hypercall(v, x); break;
	case 1: memory_fault(v, x); break;
	case 2: system_event(v, x); break;
	default: req_certs(v, x);
	}
	return !atomic_load(&sm.vm.stopping);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	begin();
	for (unsigned i = 0; i < STEPS_MAX && step(&sm.vm.vcpu[0], &r); i++)
		;
	return 0;
}
