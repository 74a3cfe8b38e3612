#include "devices/guest_memory.h"

#include "common/checked.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define GUARD 4096ull /* bytes: one page of x86-64 */

static int check_file(int fd, uint64_t offset, uint64_t size, struct err *e)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		return err_set(e, EX_MALFORMED,
			       "memory table: a region is no memfd sealed against shrinking: "
			       "seal it before it is shared");
	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "memory table: cannot examine a region");
	if (st.st_size < 0 || !ck_range(offset, size, (uint64_t)st.st_size))
		return err_set(e, EX_MALFORMED, "memory table: a region lies outside its file");
	if (offset % GUARD != 0)
		return err_set(e, EX_MALFORMED, "memory table: an offset is not page aligned");
	return 0;
}

static int check_addresses(const struct guest_memory *m, uint64_t gpa, uint64_t size,
			   uint64_t user_addr, struct err *e)
{
	uint64_t end;

	if (m->count >= GUEST_REGION_MAX)
		return err_set(e, EX_MALFORMED, "memory table: more than %d regions",
			       GUEST_REGION_MAX);
	if (size == 0 || !ck_add_u64(gpa, size, &end) || !ck_add_u64(user_addr, size, &end))
		return err_set(e, EX_MALFORMED, "memory table: a region is empty or wraps");
	for (unsigned i = 0; i < m->count; i++) {
		const struct guest_region *r = &m->region[i];

		if (ck_overlap(gpa, size, r->gpa, r->size) ||
		    ck_overlap(user_addr, size, r->user_addr, r->size))
			return err_set(e, EX_MALFORMED, "memory table: regions overlap");
	}
	return 0;
}

/* Address space for the region, rounded up to pages, and a guard page on each side. */
static int reserve(uint64_t size, uint64_t *span, uintptr_t *base, struct err *e)
{
	uint64_t rounded, total;

	if (!ck_align_up_u64(size, GUARD, &rounded) || !ck_add_u64(rounded, 2 * GUARD, &total))
		return err_set(e, EX_MALFORMED, "memory table: a region is too large");
	void *p = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "memory table: cannot reserve addresses");
	*span = total;
	*base = (uintptr_t)p;
	return 0;
}

int guest_memory_map(struct guest_memory *m, uint64_t gpa, uint64_t size, uint64_t user_addr,
		     int fd, uint64_t offset, struct err *e)
{
	uint64_t span = 0;
	uintptr_t base = 0;
	int r = check_addresses(m, gpa, size, user_addr, e);

	if (r == 0)
		r = check_file(fd, offset, size, e);
	if (r == 0)
		r = reserve(size, &span, &base, e);
	if (r < 0)
		return r;
	void *want = (void *)(base + GUARD);
	if (mmap(want, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) ==
	    MAP_FAILED) {
		r = err_errno(e, EX_HOST, errno, "memory table: cannot map a region");
		munmap((void *)base, span);
		return r;
	}
	m->region[m->count++] = (struct guest_region){
		.gpa = gpa, .size = size, .user_addr = user_addr, .host = base + GUARD };
	return 0;
}

void guest_memory_unmap(struct guest_memory *m)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct guest_region *r = &m->region[i];
		uint64_t rounded = (r->size + GUARD - 1) & ~(uint64_t)(GUARD - 1);

		munmap((void *)(r->host - GUARD), rounded + 2 * GUARD);
	}
	m->count = 0;
}

/* The only place where a guest address becomes a host address. */
static void *locate(const struct guest_memory *m, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct guest_region *r = &m->region[i];

		if (gpa >= r->gpa && ck_range(gpa - r->gpa, size, r->size))
			return (void *)(r->host + (uintptr_t)(gpa - r->gpa));
	}
	return NULL;
}

bool guest_memory_has(const struct guest_memory *m, uint64_t gpa, uint64_t size)
{
	return locate(m, gpa, size) != NULL;
}

bool guest_memory_translate(const struct guest_memory *m, uint64_t user_addr, uint64_t size,
			    uint64_t *gpa)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct guest_region *r = &m->region[i];

		if (user_addr >= r->user_addr &&
		    ck_range(user_addr - r->user_addr, size, r->size)) {
			*gpa = r->gpa + (user_addr - r->user_addr);
			return true;
		}
	}
	return false;
}

bool guest_copy_in(const struct guest_memory *m, void *out, uint64_t gpa, size_t size)
{
	const void *p = locate(m, gpa, size);

	if (p == NULL)
		return false;
	memcpy(out, p, size);
	return true;
}

bool guest_copy_out(const struct guest_memory *m, uint64_t gpa, const void *data, size_t size)
{
	void *p = locate(m, gpa, size);

	if (p == NULL)
		return false;
	memcpy(p, data, size);
	return true;
}

bool guest_load_le16(const struct guest_memory *m, uint64_t gpa, uint16_t *out)
{
	const uint16_t *p = locate(m, gpa, sizeof(uint16_t));

	if (p == NULL || (uintptr_t)p % sizeof(uint16_t) != 0)
		return false;
	*out = le16toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
	return true;
}

bool guest_store_le16(const struct guest_memory *m, uint64_t gpa, uint16_t value)
{
	uint16_t *p = locate(m, gpa, sizeof(uint16_t));

	if (p == NULL || (uintptr_t)p % sizeof(uint16_t) != 0)
		return false;
	__atomic_store_n(p, htole16(value), __ATOMIC_RELEASE);
	return true;
}
