/* vmm/kvm/private.h on the model, for both kinds of guest: the checks of KVM and guest_memfd in
 * their order (virt/kvm/guest_memfd.c, arch/x86/kvm/x86.c). */
#include "vmm/kvm/private.h"

#include "model/td.h"
#include "common/checked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ATTRIBUTES_ALL   UAPI_ATTRIBUTE_PRIVATE
#define HYPERCALLS_ALL   (1ull << UAPI_HC_MAP_GPA_RANGE)

static int set_slot(void *ctx, uint32_t id, uint64_t gpa, uint64_t size, uint64_t host,
		    struct err *e)
{
	struct kvm_userspace_memory_region region = {
		.slot = id, .guest_phys_addr = gpa, .memory_size = size, .userspace_addr = host,
	};

	(void)ctx;
	if (ioctl(model.vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return err_errno(e, EX_HOST, errno, "slot %u at %#llx, %llu bytes: "
				 "this host's KVM cannot hold address bit %u: it needs shadow "
				 "paging", id, (unsigned long long)gpa, (unsigned long long)size,
				 model.kind->private_bit != 0 ? SNP_C_BIT : TDX_S_BIT);
	return 0;
}

void model_take_vm(const struct model_kind *kind, int kvm_fd, int vm_fd)
{
	model.kind = kind;
	model.kvm_fd = kvm_fd;
	model.vm_fd = vm_fd;
	model.alias.set = set_slot;
}

int private_enable_cap(int vm_fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };
	int rc;

	if (vm_fd == model.vm_fd && cap == UAPI_CAP_EXIT_HYPERCALL) {
		if ((arg & ~HYPERCALLS_ALL) != 0)
			return -EINVAL;
		model.exit_hypercall = arg != 0;
		return 0;
	}
	rc = vm_fd == model.vm_fd && model.kind == &kind_tdx ? td_enable_cap(cap, arg) : 1;
	if (rc <= 0)
		return rc;
	return ioctl(vm_fd, KVM_ENABLE_CAP, &c) < 0 ? -errno : 0;
}

/* Mapped here and closed: nobody can map it again, no core shows it, no child inherits it. */
static uint8_t *map_private(uint64_t size)
{
	int fd = memfd_create("pavise-private-sim", MFD_CLOEXEC);
	void *map = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)size) == 0)
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return NULL;
	if (madvise(map, size, MADV_DONTDUMP) < 0 || madvise(map, size, MADV_DONTFORK) < 0) {
		munmap(map, size);
		return NULL;
	}
	return map;
}

int private_create_memfd(int vm_fd, uint64_t size, int *fd)
{
	struct model_gmem *g = &model.gmem[model.gmem_count];

	if (vm_fd != model.vm_fd)
		return -ENOTTY;
	if (size == 0 || size > INT64_MAX || size % PAGE_BYTES != 0)
		return -EINVAL;
	if (model.gmem_count == MODEL_GMEM_MAX)
		return -ENOMEM;
	g->map = map_private(size);
	if (!g->map)
		return -ENOMEM;
	g->size = size;
	g->fd = eventfd(0, EFD_CLOEXEC); /* a number to name it by, and no way to it */
	if (g->fd < 0)
		return -errno;
	*fd = g->fd;
	model.gmem_count++;
	return 0;
}

static struct model_gmem *gmem_of(int fd)
{
	for (unsigned i = 0; i < model.gmem_count; i++)
		if (model.gmem[i].fd == fd)
			return &model.gmem[i];
	return NULL;
}

static int check_slot(uint64_t gpa, uint64_t size, uint64_t host, const struct model_gmem *g,
		      uint64_t offset)
{
	const uint64_t top = model.kind->private_bit | model.kind->shared_bit;

	if (size == 0 || (gpa | size | host | offset) % PAGE_BYTES != 0 || gpa >= top ||
	    size > top - gpa || !ck_range(offset, size, g->size))
		return -EINVAL;
	for (unsigned i = 0; i < model.region_count; i++) {
		const struct model_region *r = &model.region[i];

		if (ck_overlap(gpa, size, r->gpa, r->size))
			return -EEXIST;
		if (r->gmem_fd == g->fd && ck_overlap(offset, size, r->gmem_offset, r->size))
			return -EINVAL;
	}
	return model.region_count == MODEL_REGION_MAX ? -EINVAL : 0;
}

/* For tests; the launcher passes no environment. Bytes, in any notation of strtoull. */
static uint64_t small_pages(void)
{
	const char *bytes = getenv("PAVISE_SIM_SMALL_BELOW");

	return bytes ? strtoull(bytes, NULL, 0) / PAGE_BYTES : 0;
}

/* No slot reaches KVM yet: alias_sync makes them page by page as the record lets the guest
 * through. */
int private_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		       int gmem_fd, uint64_t gmem_offset)
{
	struct model_region *r = &model.region[model.region_count];
	struct model_gmem *g = gmem_of(gmem_fd);
	int rc;

	(void)slot;
	if (vm_fd != model.vm_fd)
		return -EIO;
	rc = g ? check_slot(gpa, size, host, g, gmem_offset) : -EINVAL;
	if (rc < 0)
		return rc;
	r->gpa = gpa;
	r->size = size;
	r->gmem_fd = gmem_fd;
	r->gmem_offset = gmem_offset;
	r->pages.count = size / PAGE_BYTES;
	r->pages.small_below = small_pages();
	r->pages.page = calloc(r->pages.count, 1);
	if (!r->pages.page)
		return -ENOMEM;
	r->view.shared = (struct alias_view){ gpa | model.kind->shared_bit, host };
	r->view.private = (struct alias_view){ gpa | model.kind->private_bit,
					       (uint64_t)(uintptr_t)(g->map + gmem_offset) };
	r->view.pages = &r->pages;
	model.region_count++;
	return 0;
}

/* The pages go back to the host, and their contents are gone. */
static int take_back(struct model_region *r, uint64_t offset, uint64_t size)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)(r->view.private.host + offset);

	pages_discard(&r->pages, offset / PAGE_BYTES, size / PAGE_BYTES);
	return madvise(bytes, size, MADV_REMOVE) < 0 ? -errno : 0;
}

/* Slots come with the end of the launch, and go with the fold. */
static int sync_slots(struct model_region *r, uint64_t gpa, uint64_t size)
{
	struct err e = { 0 };

	if (!model.finished || model_sync(r, gpa, size, &e) == 0)
		return 0;
	model_log("%s", e.text);
	return -ENOMEM;
}

static int apply_attributes(struct model_region *r, uint64_t gpa, uint64_t size, bool private)
{
	int rc;

	if (model.folded)
		return 0;
	pages_set_private(&r->pages, (gpa - r->gpa) / PAGE_BYTES, size / PAGE_BYTES, private);
	rc = sync_slots(r, gpa, size);
	if (rc == 0 && !private && model.kind->sharing_discards)
		rc = take_back(r, gpa - r->gpa, size);
	return rc;
}

/* Also at run time, out of the handler of an exit: the lock is free then. Attributes where there is
 * no RAM are accepted as by KVM, and have no effect. */
int private_set_attributes(int vm_fd, uint64_t gpa, uint64_t size, uint64_t attributes)
{
	uint64_t end;
	int rc = 0;

	if (vm_fd != model.vm_fd)
		return -EIO;
	if ((attributes & ~ATTRIBUTES_ALL) != 0 || size == 0 || !ck_add_u64(gpa, size, &end) ||
	    (gpa | size) % PAGE_BYTES != 0)
		return -EINVAL;
	pthread_mutex_lock(&model.lock);
	for (unsigned i = 0; rc == 0 && i < model.region_count; i++) {
		struct model_region *r = &model.region[i];
		uint64_t from = gpa > r->gpa ? gpa : r->gpa;
		uint64_t to = end < r->gpa + r->size ? end : r->gpa + r->size;

		if (from < to)
			rc = apply_attributes(r, from, to - from, attributes != 0);
	}
	pthread_mutex_unlock(&model.lock);
	return rc;
}

static int discard(struct model_region *r, uint64_t offset, uint64_t size)
{
	int rc;

	if (model.folded)
		return 0; /* nothing private is left */
	pages_discard(&r->pages, offset / PAGE_BYTES, size / PAGE_BYTES);
	rc = sync_slots(r, r->gpa + offset, size);
	return rc < 0 ? rc : take_back(r, offset, size);
}

int private_discard(int gmem_fd, uint64_t offset, uint64_t size)
{
	const struct model_gmem *g = gmem_of(gmem_fd);
	uint64_t end;
	int rc = 0;

	if (!g)
		return -EBADF;
	if (size == 0 || (offset | size) % PAGE_BYTES != 0 || !ck_add_u64(offset, size, &end) ||
	    end > g->size)
		return -EINVAL;
	pthread_mutex_lock(&model.lock);
	for (unsigned i = 0; rc == 0 && i < model.region_count; i++) {
		struct model_region *r = &model.region[i];
		uint64_t from = offset > r->gmem_offset ? offset : r->gmem_offset;
		uint64_t last = r->gmem_offset + r->size;
		uint64_t to = end < last ? end : last;

		if (r->gmem_fd == gmem_fd && from < to)
			rc = discard(r, from - r->gmem_offset, to - from);
	}
	pthread_mutex_unlock(&model.lock);
	return rc;
}
