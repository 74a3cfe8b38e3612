/* vmm/kvm/sev.h on the model: the checks of KVM and of the ccp driver, in their order (Linux 6.12:
 * arch/x86/kvm/svm/sev.c, virt/kvm/guest_memfd.c), and the simulated processor behind them. */
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"

#include "model/launch.h"
#include "model/platform.h"
#include "model/real.h"
#include "common/checked.h"
#include "common/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTRIBUTES_ALL   UAPI_ATTRIBUTE_PRIVATE
#define HYPERCALLS_ALL   (1ull << UAPI_HC_MAP_GPA_RANGE)
#define GHCB_MSR         0xC0010130u
#define FILTERED_MSRS    2u /* that one and SEV_STATUS */

int sev_take_descriptors(int sev_fd, int psp_fd, struct err *e)
{
	int rc = 0;

	if (psp_fd >= 0)
		rc = seal_check_fd("psp", psp_fd, S_IFSOCK, e);
	model.sev_fd = sev_fd;
	model.psp_fd = psp_fd;
	return rc;
}

/* Guest reads and writes of both MSRs leave to the model; KVM would answer them with #GP. */
static int filter_msrs(int vm_fd)
{
	static uint8_t none[8];
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	filter.ranges[0] = (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.base = GHCB_MSR,
		.nmsrs = FILTERED_MSRS,
		.bitmap = none,
	};
	if (ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0)
		return -errno;
	return ioctl(vm_fd, KVM_X86_SET_MSR_FILTER, &filter) < 0 ? -errno : 0;
}

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
				 SNP_C_BIT);
	return 0;
}

int sev_create_vm(int kvm_fd, int *vm_fd)
{
	struct err e = { 0 };
	int rc;

	if (model.psp_fd < 0)
		return -EINVAL; /* no simulated processor: a KVM without SEV-SNP */
	if (kvm_create_vm(kvm_fd, vm_fd, &e) < 0)
		return -EIO;
	model.kvm_fd = kvm_fd;
	model.vm_fd = *vm_fd;
	model.alias.set = set_slot;
	rc = filter_msrs(*vm_fd);
	if (rc < 0) {
		model.vm_fd = -1;
		close(*vm_fd);
	}
	return rc;
}

int sev_vmsa_features(int kvm_fd, uint64_t *mask)
{
	(void)kvm_fd;
	*mask = LAUNCH_VMSA_FEATURES;
	return 0;
}

int private_enable_cap(int vm_fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	if (vm_fd == model.vm_fd && cap == UAPI_CAP_EXIT_HYPERCALL) {
		if ((arg & ~HYPERCALLS_ALL) != 0)
			return -EINVAL;
		model.exit_hypercall = arg != 0;
		return 0;
	}
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
	if (vm_fd != model.vm_fd)
		return -ENOTTY;
	if (size == 0 || size > INT64_MAX || size % RMP_PAGE != 0)
		return -EINVAL;
	if (model.private)
		return -ENOMEM; /* the model has room for one */
	model.private = map_private(size);
	if (!model.private)
		return -ENOMEM;
	model.private_size = size;
	model.gmem_fd = eventfd(0, EFD_CLOEXEC); /* a number to name it by, and no way to it */
	if (model.gmem_fd < 0)
		return -errno;
	*fd = model.gmem_fd;
	return 0;
}

static int check_slot(uint64_t gpa, uint64_t size, uint64_t host, int gmem_fd, uint64_t offset)
{
	if (model.gmem_fd < 0 || gmem_fd != model.gmem_fd)
		return -EINVAL;
	if (size == 0 || (gpa | size | host | offset) % RMP_PAGE != 0 || gpa >= MODEL_C_BIT ||
	    size > MODEL_C_BIT - gpa || !ck_range(offset, size, model.private_size))
		return -EINVAL;
	for (unsigned i = 0; i < model.region_count; i++) {
		const struct model_region *r = &model.region[i];

		if (ck_overlap(gpa, size, r->gpa, r->size))
			return -EEXIST;
		if (ck_overlap(offset, size, r->gmem_offset, r->size))
			return -EINVAL;
	}
	return model.region_count == MODEL_REGION_MAX ? -EINVAL : 0;
}

/* For tests; the launcher passes no environment. Bytes, in any notation of strtoull. */
static uint64_t small_pages(void)
{
	const char *bytes = getenv("PAVISE_SIM_SMALL_BELOW");

	return bytes ? strtoull(bytes, NULL, 0) / RMP_PAGE : 0;
}

/* No slot reaches KVM yet: alias_sync makes them page by page as the RMP lets the guest through. */
int private_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		   int gmem_fd, uint64_t gmem_offset)
{
	struct model_region *r = &model.region[model.region_count];
	int rc;

	(void)slot;
	if (vm_fd != model.vm_fd)
		return -EIO;
	rc = check_slot(gpa, size, host, gmem_fd, gmem_offset);
	if (rc < 0)
		return rc;
	r->gpa = gpa;
	r->size = size;
	r->gmem_offset = gmem_offset;
	r->rmp.pages = size / RMP_PAGE;
	r->rmp.small_below = small_pages();
	r->rmp.page = calloc(r->rmp.pages, 1);
	if (!r->rmp.page)
		return -ENOMEM;
	r->view = (struct alias_region){ gpa, host,
					 (uint64_t)(uintptr_t)(model.private + gmem_offset),
					 &r->rmp };
	model.region_count++;
	return 0;
}

int sev_init2(int vm_fd, int sev_fd, uint64_t vmsa_features, uint32_t *fw)
{
	(void)sev_fd; /* KVM looks at it from LAUNCH_START on */
	return vm_fd != model.vm_fd ? -EIO : launch_init2(vmsa_features, fw);
}

int sev_launch_start(int vm_fd, int sev_fd, uint64_t policy, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_start(sev_fd, policy, fw);
}

int sev_launch_update(int vm_fd, int sev_fd, struct uapi_snp_update *u, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_update(sev_fd, u, fw);
}

int sev_launch_finish(int vm_fd, int sev_fd, struct uapi_snp_finish *f, uint32_t *fw)
{
	return vm_fd != model.vm_fd ? -EIO : launch_finish(sev_fd, f, fw);
}

static int apply_attributes(struct model_region *r, uint64_t gpa, uint64_t size, bool private)
{
	struct err e = { 0 };

	rmp_set_private(&r->rmp, (gpa - r->gpa) / RMP_PAGE, size / RMP_PAGE, private);
	if (!model.finished || model.folded)
		return 0; /* slots come with LAUNCH_FINISH, and go with the fold */
	if (model_sync(r, gpa, size, &e) == 0)
		return 0;
	model_log("%s", e.text);
	return -ENOMEM;
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
	    (gpa | size) % RMP_PAGE != 0)
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
	struct err e = { 0 };

	if (model.folded)
		return 0; /* nothing private is left */
	rmp_discard(&r->rmp, offset / RMP_PAGE, size / RMP_PAGE);
	if (model.finished && model_sync(r, r->gpa + offset, size, &e) < 0) {
		model_log("%s", e.text);
		return -ENOMEM;
	}
	return madvise(model.private + r->gmem_offset + offset, size, MADV_REMOVE) < 0 ? -errno : 0;
}

int private_discard(int gmem_fd, uint64_t offset, uint64_t size)
{
	uint64_t end;
	int rc = 0;

	if (gmem_fd != model.gmem_fd)
		return -EBADF;
	if (size == 0 || (offset | size) % RMP_PAGE != 0 || !ck_add_u64(offset, size, &end) ||
	    end > model.private_size)
		return -EINVAL;
	pthread_mutex_lock(&model.lock);
	for (unsigned i = 0; rc == 0 && i < model.region_count; i++) {
		struct model_region *r = &model.region[i];
		uint64_t from = offset > r->gmem_offset ? offset : r->gmem_offset;
		uint64_t last = r->gmem_offset + r->size;
		uint64_t to = end < last ? end : last;

		if (from < to)
			rc = discard(r, from - r->gmem_offset, to - from);
	}
	pthread_mutex_unlock(&model.lock);
	return rc;
}
