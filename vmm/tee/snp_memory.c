#include "vmm/tee/snp_memory.h"

#include "common/checked.h"
#include "firmware/layout.h"
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"
#include "vmm/tee/snp.h"
#include "vmm/tee/snp_errors.h"

#include <errno.h>
#include <stdlib.h>

static const struct memory_region *region_of(const struct snp *s, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < s->memory->count; i++) {
		const struct memory_region *r = &s->memory->region[i];

		if (gpa >= r->gpa && ck_range(gpa - r->gpa, size, r->size))
			return r;
	}
	return NULL;
}

static void note(struct snp *s, uint64_t offset, uint64_t size, bool shared)
{
	uint64_t end = (offset + size) / SNP_PAGE;

	for (uint64_t page = offset / SNP_PAGE; page < end; page++) {
		uint8_t bit = (uint8_t)(1u << page % 8);

		if (shared)
			s->shared[page / 8] |= bit;
		else
			s->shared[page / 8] &= (uint8_t)~bit;
	}
}

int snp_memory_init(struct snp *s, struct err *e)
{
	int rc = private_create_memfd(s->vm_fd, s->memory->size, &s->gmem_fd);

	if (rc < 0)
		return snp_error(SNP_GUEST_MEMFD, rc, 0, e);
	s->shared = calloc(1, s->memory->size / SNP_PAGE / 8 + 1);
	if (!s->shared)
		return err_set(e, EX_HOST, "memory: no room for the book of shared pages: "
			       "give the guest less");
	for (unsigned i = 0; i < s->memory->count; i++) {
		const struct memory_region *r = &s->memory->region[i];

		rc = private_set_memory(s->vm_fd, i, r->gpa, r->size, r->host, s->gmem_fd, r->offset);
		if (rc < 0)
			return snp_error(SNP_MEMORY, rc, 0, e);
		rc = private_set_attributes(s->vm_fd, r->gpa, r->size, UAPI_ATTRIBUTE_PRIVATE);
		if (rc < 0)
			return snp_error(SNP_ATTRIBUTES, rc, 0, e);
	}
	return 0;
}

/* The guest-physical range that has to be shared for this region of the plan. */
static void staging_unit(const struct plan_region *r, uint64_t *base, uint64_t *size)
{
	uint64_t unit = r->type == PLAN_BOOT_BLOCK ? SNP_PAGE : FW_STAGING_ALIGN;
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
int snp_memory_share_staging(struct snp *s, const struct plan *p, struct err *e)
{
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct memory_region *m;
		uint64_t base, size;
		int rc;

		if (plan_is_launched(p->region[i].type))
			continue;
		staging_unit(&p->region[i], &base, &size);
		m = region_of(s, base, size);
		if (!m)
			return err_set(e, EX_MALFORMED, "plan: region %u at %#llx does not lie in "
				       "RAM", i, (unsigned long long)p->region[i].gpa);
		rc = check_unit(p, base, size, e);
		if (rc < 0)
			return rc;
		rc = private_set_attributes(s->vm_fd, base, size, 0);
		if (rc < 0)
			return snp_error(SNP_ATTRIBUTES, rc, 0, e);
		note(s, m->offset + (base - m->gpa), size, true);
	}
	return 0;
}

bool snp_page_is_shared(struct snp *s, uint64_t gpa)
{
	const struct memory_region *r = region_of(s, gpa, 1);
	uint64_t page;
	bool shared;

	if (!r)
		return false;
	page = (r->offset + (gpa - r->gpa)) / SNP_PAGE;
	pthread_mutex_lock(&s->lock);
	shared = s->shared[page / 8] >> page % 8 & 1;
	pthread_mutex_unlock(&s->lock);
	return shared;
}

/* First the attribute, so that no new fault fills the side that is freed next (api.rst,
 * KVM_SET_MEMORY_ATTRIBUTES). What cannot be freed stays behind unreachable: a waste, no harm. */
int snp_convert(struct snp *s, uint64_t gpa, uint64_t pages, bool to_private)
{
	uint64_t size = pages * SNP_PAGE;
	const struct memory_region *r;
	uint64_t offset;
	int rc;

	if (pages < 1 || pages > SNP_CHUNK_PAGES || gpa % SNP_PAGE != 0)
		return -EINVAL;
	r = region_of(s, gpa, size);
	if (!r)
		return -EINVAL;
	offset = r->offset + (gpa - r->gpa);
	pthread_mutex_lock(&s->lock);
	rc = private_set_attributes(s->vm_fd, gpa, size, to_private ? UAPI_ATTRIBUTE_PRIVATE : 0);
	if (rc == 0) {
		note(s, offset, size, !to_private);
		if (to_private)
			(void)memory_discard(s->memory, offset, size);
		else
			(void)private_discard(s->gmem_fd, offset, size);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}
