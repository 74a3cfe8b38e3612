#include "vmm/tee/private_memory.h"

#include "common/checked.h"
#include "firmware/layout.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/private.h"
#include "vmm/platform/ioapic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* KVM_CAP_X2APIC_API: 32-bit ids, no broadcast to id 255 (api.rst §7.8) */
#define X2APIC_32BIT_IDS_NO_QUIRK 3ull

enum step { ENABLE_CAP, GUEST_MEMFD, MEMORY_SLOT, ATTRIBUTES, STEPS };

static const char *const step_name[STEPS] = {
	[ENABLE_CAP] = "KVM_ENABLE_CAP",
	[GUEST_MEMFD] = "KVM_CREATE_GUEST_MEMFD",
	[MEMORY_SLOT] = "KVM_SET_USER_MEMORY_REGION2",
	[ATTRIBUTES] = "KVM_SET_MEMORY_ATTRIBUTES",
};

#define NEWER "use Linux 6.11 or newer (6.16 for trust domains)"

/* The first row that fits counts; STEPS stands for any of them. */
static const struct {
	enum step step;
	int errnum;
	const char *text;
} rows[] = {
	{ ENABLE_CAP, EINVAL, "this host's KVM lacks a capability that confidential guests need: "
	  NEWER },
	{ GUEST_MEMFD, EINVAL, "the kernel refuses a guest_memfd of this size: memory= must be a "
	  "multiple of 4096" },
	{ MEMORY_SLOT, EINVAL, "the kernel refuses private memory in a slot: " NEWER },
	{ MEMORY_SLOT, EEXIST, "RAM regions overlap: report it as a bug" },
	{ ATTRIBUTES, EINVAL, "the kernel refuses private memory: " NEWER },
	{ STEPS, ENOTTY, "the kernel does not know this step for this VM: " NEWER },
	{ STEPS, ENOMEM, "the host is out of memory: free some or give the guest less" },
	{ STEPS, EFAULT, "the kernel could not read our memory: report it as a bug" },
};

static int failed(enum step step, int rc, struct err *e)
{
	const char *text = "not a known answer of this step: report it with the kernel's version "
			   "and its log";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].step == step || rows[i].step == STEPS) && rows[i].errnum == -rc) {
			text = rows[i].text;
			break;
		}
	return err_set(e, EX_HOST, "%s: %s (%s)", step_name[step], text, strerror(-rc));
}

int private_check_host(int kvm_fd, struct err *e)
{
	unsigned attributes = (unsigned)kvm_check_cap(kvm_fd, UAPI_CAP_MEMORY_ATTRIBUTES);
	unsigned hypercalls = (unsigned)kvm_check_cap(kvm_fd, UAPI_CAP_EXIT_HYPERCALL);

	if (kvm_check_cap(kvm_fd, UAPI_CAP_GUEST_MEMFD) <= 0 ||
	    (attributes & UAPI_ATTRIBUTE_PRIVATE) == 0)
		return err_set(e, EX_HOST, "/dev/kvm: no private memory (guest_memfd, memory "
			       "attributes): " NEWER);
	if ((hypercalls >> UAPI_HC_MAP_GPA_RANGE & 1) == 0)
		return err_set(e, EX_HOST, "/dev/kvm: guests cannot ask to share memory "
			       "(KVM_HC_MAP_GPA_RANGE): " NEWER);
	return 0;
}

int private_enable(int vm_fd, struct err *e)
{
	int rc = private_enable_cap(vm_fd, UAPI_CAP_EXIT_HYPERCALL, 1ull << UAPI_HC_MAP_GPA_RANGE);

	if (rc < 0)
		return failed(ENABLE_CAP, rc, e);
	rc = kvm_split_irqchip(vm_fd, IOAPIC_PINS, e);
	if (rc < 0)
		return rc;
	rc = private_enable_cap(vm_fd, KVM_CAP_X2APIC_API, X2APIC_32BIT_IDS_NO_QUIRK);
	return rc < 0 ? failed(ENABLE_CAP, rc, e) : 0;
}

static const struct memory_region *region_of(const struct private_memory *m, uint64_t gpa,
					     uint64_t size)
{
	for (unsigned i = 0; i < m->memory->count; i++) {
		const struct memory_region *r = &m->memory->region[i];

		if (gpa >= r->gpa && ck_range(gpa - r->gpa, size, r->size))
			return r;
	}
	return NULL;
}

static void note(struct private_memory *m, uint64_t offset, uint64_t size, bool shared)
{
	uint64_t end = (offset + size) / PRIVATE_PAGE;

	for (uint64_t page = offset / PRIVATE_PAGE; page < end; page++) {
		uint8_t bit = (uint8_t)(1u << page % 8);

		if (shared)
			m->shared[page / 8] |= bit;
		else
			m->shared[page / 8] &= (uint8_t)~bit;
	}
}

/* A slot over [gpa, gpa + size), all of it private. */
static int add_slot(struct private_memory *m, uint64_t gpa, uint64_t size, uint64_t host,
		    int gmem_fd, uint64_t offset, struct err *e)
{
	int rc = private_set_memory(m->vm_fd, m->slots, gpa, size, host, gmem_fd, offset);

	if (rc < 0)
		return failed(MEMORY_SLOT, rc, e);
	m->slots++;
	rc = private_set_attributes(m->vm_fd, gpa, size, UAPI_ATTRIBUTE_PRIVATE);
	return rc < 0 ? failed(ATTRIBUTES, rc, e) : 0;
}

int private_memory_init(struct private_memory *m, int vm_fd, const struct memory *memory,
			struct err *e)
{
	int rc;

	m->vm_fd = vm_fd;
	m->memory = memory;
	m->slots = 0;
	if (pthread_mutex_init(&m->lock, NULL) != 0)
		return err_set(e, EX_INTERNAL, "memory: cannot make a lock");
	rc = private_create_memfd(vm_fd, memory->size, &m->gmem_fd);
	if (rc < 0)
		return failed(GUEST_MEMFD, rc, e);
	m->shared = calloc(1, memory->size / PRIVATE_PAGE / 8); /* RAM is a multiple of 2 MiB */
	if (!m->shared)
		return err_set(e, EX_HOST, "memory: no room for the book of shared pages: "
			       "give the guest less");
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *r = &memory->region[i];

		rc = add_slot(m, r->gpa, r->size, r->host, m->gmem_fd, r->offset, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int private_memory_add(struct private_memory *m, uint64_t gpa, uint64_t size, uint64_t host,
		       struct err *e)
{
	int fd; /* lives with the VM, which refers to it */
	int rc = private_create_memfd(m->vm_fd, size, &fd);

	return rc < 0 ? failed(GUEST_MEMFD, rc, e) : add_slot(m, gpa, size, host, fd, 0, e);
}

/* The guest-physical range that has to be shared for this region of the plan. */
static void staging_unit(const struct plan_region *r, uint64_t *base, uint64_t *size)
{
	uint64_t unit = r->type == PLAN_BOOT_BLOCK ? PRIVATE_PAGE : FW_STAGING_ALIGN;
	uint64_t end = (r->gpa + r->size + unit - 1) & ~(unit - 1);

	*base = r->gpa & ~(unit - 1);
	*size = end - *base;
}

static int check_unit(const struct plan *p, uint64_t base, uint64_t size, struct err *e)
{
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *r = &p->region[i];

		if (plan_is_launched(r->type) && ck_overlap(r->gpa, r->size, base, size))
			return err_set(e, EX_MALFORMED, "plan: region %u at %#llx must be private, "
				       "but lies in memory that holds staged data: make the plan "
				       "again", i, (unsigned long long)r->gpa);
	}
	return 0;
}

/* Nothing is on either side yet: only attributes and book change. */
static int share_region(struct private_memory *m, const struct plan *p, uint32_t index,
			struct err *e)
{
	const struct memory_region *r;
	uint64_t base, size;
	int rc;

	staging_unit(&p->region[index], &base, &size);
	r = region_of(m, base, size);
	if (!r)
		return err_set(e, EX_MALFORMED, "plan: region %u at %#llx does not lie in RAM",
			       index, (unsigned long long)p->region[index].gpa);
	rc = check_unit(p, base, size, e);
	if (rc < 0)
		return rc;
	rc = private_set_attributes(m->vm_fd, base, size, 0);
	if (rc < 0)
		return failed(ATTRIBUTES, rc, e);
	note(m, r->offset + (base - r->gpa), size, true);
	return 0;
}

int private_memory_share_staging(struct private_memory *m, const struct plan *p, struct err *e)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->region_count; i++)
		if (!plan_is_launched(p->region[i].type))
			rc = share_region(m, p, i, e);
	return rc;
}

bool private_memory_all_shared(struct private_memory *m, uint64_t gpa, uint64_t size)
{
	const struct memory_region *r = region_of(m, gpa, size);
	uint64_t page, end;
	bool shared = true;

	if (!r || size == 0)
		return false;
	page = (r->offset + (gpa - r->gpa)) / PRIVATE_PAGE;
	end = (r->offset + (gpa - r->gpa) + size - 1) / PRIVATE_PAGE;
	pthread_mutex_lock(&m->lock);
	for (; shared && page <= end; page++)
		shared = m->shared[page / 8] >> page % 8 & 1;
	pthread_mutex_unlock(&m->lock);
	return shared;
}

bool private_memory_is_shared(struct private_memory *m, uint64_t gpa)
{
	return private_memory_all_shared(m, gpa, 1);
}

/* First the attribute, so that no new fault fills the side that is freed next (api.rst,
 * KVM_SET_MEMORY_ATTRIBUTES). What cannot be freed stays behind unreachable: a waste, no harm. */
int private_memory_convert(struct private_memory *m, uint64_t gpa, uint64_t pages, bool to_private)
{
	uint64_t size = pages * PRIVATE_PAGE;
	const struct memory_region *r;
	uint64_t offset;
	int rc;

	if (pages < 1 || pages > PRIVATE_CHUNK_PAGES || gpa % PRIVATE_PAGE != 0)
		return -EINVAL;
	r = region_of(m, gpa, size);
	if (!r)
		return -EINVAL;
	offset = r->offset + (gpa - r->gpa);
	pthread_mutex_lock(&m->lock);
	rc = private_set_attributes(m->vm_fd, gpa, size, to_private ? UAPI_ATTRIBUTE_PRIVATE : 0);
	if (rc == 0) {
		note(m, offset, size, !to_private);
		if (to_private)
			(void)memory_discard(m->memory, offset, size);
		else
			(void)private_discard(m->gmem_fd, offset, size);
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}
