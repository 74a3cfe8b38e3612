#include "vmm/tee/private_exits.h"

#include "common/checked.h"
#include "common/kvm_uapi.h"
#include "vmm/tee/private_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

/* Linux, include/uapi/linux/kvm_para.h; any value but zero fails the guest's request. */
#define ANSWER_OK      0ull
#define ANSWER_INVALID ((uint64_t)-22)   /* -KVM_EINVAL */
#define ANSWER_UNKNOWN ((uint64_t)-1000) /* -KVM_ENOSYS */
#define ANSWER_FAILED  ((uint64_t)-12)   /* the host could not */

#define HINT_MASK 0xFull /* page size in args[2] bits 3:0: the count is in 4 KiB all the same */

/* Lines in the log about refused requests: the guest can make as many as it likes. */
#define REFUSALS_LOGGED 16u

/* A fault may be another vCPU's doing, and gone when the guest runs again: believed that often. */
#define SPURIOUS_FAULTS_MAX 64u

static uint64_t convert(struct vcpu *v, uint64_t gpa, uint64_t pages, bool to_private)
{
	while (pages > 0) {
		uint64_t n = pages < PRIVATE_CHUNK_PAGES ? pages : PRIVATE_CHUNK_PAGES;
		int rc;

		if (atomic_load(&v->vm->stopping))
			return ANSWER_FAILED;
		rc = private_memory_convert(&v->vm->private_memory, gpa, n, to_private);
		if (rc < 0) {
			vm_log(v->vm, "vcpu %u: cannot make %llu pages at %#llx %s: %s", v->index,
			       (unsigned long long)n, (unsigned long long)gpa,
			       to_private ? "private" : "shared", strerror(-rc));
			return ANSWER_FAILED;
		}
		gpa += n * PRIVATE_PAGE;
		pages -= n;
	}
	return ANSWER_OK;
}

static uint64_t refuse(struct vcpu *v, uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	if (atomic_fetch_add(&v->vm->private_memory.refusals, 1) < REFUSALS_LOGGED)
		vm_log(v->vm, "vcpu %u: refused to convert %#llx pages at %#llx (attributes %#llx)",
		       v->index, (unsigned long long)pages, (unsigned long long)gpa,
		       (unsigned long long)attributes);
	return ANSWER_INVALID;
}

/* KVM_HC_MAP_GPA_RANGE (Documentation/virt/kvm/x86/hypercalls.rst). All arguments are the guest's:
 * nothing changes unless the whole request is sound. */
static uint64_t map_gpa_range(struct vcpu *v, uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	uint64_t size;

	if (gpa % PRIVATE_PAGE != 0 || pages == 0 || pages > PRIVATE_CONVERT_PAGES_MAX ||
	    (attributes & ~(HINT_MASK | UAPI_MAP_GPA_PRIVATE)) != 0 ||
	    !ck_mul_u64(pages, PRIVATE_PAGE, &size) || !gpa_is_ram(&v->vm->memory, gpa, size))
		return refuse(v, gpa, pages, attributes);
	return convert(v, gpa, pages, (attributes & UAPI_MAP_GPA_PRIVATE) != 0);
}

void private_hypercall(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	if (run->hypercall.nr != UAPI_HC_MAP_GPA_RANGE)
		run->hypercall.ret = ANSWER_UNKNOWN;
	else
		run->hypercall.ret = map_gpa_range(v, run->hypercall.args[0],
						   run->hypercall.args[1], run->hypercall.args[2]);
}

static void end_by_fault(struct vcpu *v, const struct uapi_memory_fault *f, const char *why)
{
	if (!atomic_load(&v->vm->stopping))
		vm_log(v->vm, "vcpu %u: %s access to %#llx: %s", v->index,
		       (f->flags & UAPI_FAULT_PRIVATE) != 0 ? "private" : "shared",
		       (unsigned long long)f->gpa, why);
	vm_end(v->vm, VM_END_MEMORY_FAULT, (uint32_t)(f->gpa / PRIVATE_PAGE));
}

/* All RAM but what the plan stages is private from the start, so a guest that works asks for every
 * change; a page that changed without its asking would be the host's choice. */
void private_fault(struct vcpu *v, int rc)
{
	struct uapi_memory_fault f;
	bool wants_private;

	memcpy(&f, (const uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, sizeof(f));
	wants_private = (f.flags & UAPI_FAULT_PRIVATE) != 0;
	if (rc == -EHWPOISON) {
		end_by_fault(v, &f, "the host's memory is damaged there");
	} else if (!gpa_is_ram(&v->vm->memory, f.gpa, 1)) {
		end_by_fault(v, &f, "there is no RAM");
	} else if (wants_private == private_memory_is_shared(&v->vm->private_memory, f.gpa)) {
		end_by_fault(v, &f, "the page is of the other kind and the guest never asked to "
			     "change it");
	} else if (++v->spurious_faults > SPURIOUS_FAULTS_MAX) {
		end_by_fault(v, &f, "the host gives no memory for it: free some on the host");
	}
}
