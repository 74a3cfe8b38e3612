#include "vmm/memory.h"

#include "common/checked.h"
#include "firmware/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A size that changes under KVM would turn guest accesses into faults of this process. */
static int check_ram_fd(int fd, uint64_t size, struct err *e)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;
	int seals;

	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "ram: cannot look at descriptor %d", fd);
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size != size)
		return err_set(e, EX_HOST, "ram: descriptor %d is not a memfd of %llu bytes: "
			       "memory= must be its size", fd, (unsigned long long)size);
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return err_errno(e, EX_HOST, errno, "ram: descriptor %d has no seals", fd);
	if ((seals & wanted) != wanted)
		return err_set(e, EX_HOST, "ram: descriptor %d can change its size: "
			       "seal it with F_SEAL_SHRINK and F_SEAL_GROW", fd);
	return 0;
}

static void lay_out(struct memory *m)
{
	uint64_t low = m->size < MMIO_HOLE_BASE ? m->size : MMIO_HOLE_BASE;

	m->region[0] = (struct memory_region){ 0, low, 0, m->map };
	m->count = 1;
	if (m->size > low) {
		m->region[1] = (struct memory_region){ MMIO_HOLE_END, m->size - low, low,
						       m->map + low };
		m->count = 2;
	}
}

int memory_map(struct memory *m, int fd, uint64_t size, struct err *e)
{
	void *map;
	int rc;

	if (size <= FW_RESERVED_END || size % FW_RAM_ALIGN != 0 || size > 1ull << 45)
		return err_set(e, EX_USAGE_ERROR, "memory: %llu bytes is not a multiple of 2 MiB "
			       "from 4 MiB to 32 TiB: choose another size",
			       (unsigned long long)size);
	rc = check_ram_fd(fd, size, e);
	if (rc < 0)
		return rc;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "ram: cannot map %llu bytes",
				 (unsigned long long)size);
	/* A wish: fewer faults and TLB misses where the host lets shared memory have them. */
	(void)madvise(map, size, MADV_HUGEPAGE);
	*m = (struct memory){ .fd = fd, .size = size, .map = (uint64_t)(uintptr_t)map };
	lay_out(m);
	return 0;
}

/* Host address of a guest range, 0 when it is not RAM. Stays in this file on purpose. */
static uintptr_t locate(const struct memory *m, uint64_t gpa, uint64_t n)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_region *r = &m->region[i];

		if (gpa >= r->gpa && ck_range(gpa - r->gpa, n, r->size))
			return (uintptr_t)(r->host + (gpa - r->gpa));
	}
	return 0;
}

int gpa_read(const struct memory *m, uint64_t gpa, void *out, size_t n)
{
	uintptr_t host = locate(m, gpa, n);

	if (host == 0)
		return -EX_GUEST;
	memcpy(out, (const void *)host, n);
	return 0;
}

int gpa_write(const struct memory *m, uint64_t gpa, const void *data, size_t n)
{
	uintptr_t host = locate(m, gpa, n);

	if (host == 0)
		return -EX_GUEST;
	memcpy((void *)host, data, n);
	return 0;
}

int gpa_publish(const struct memory *m, uint64_t gpa, uint64_t value)
{
	uintptr_t host = locate(m, gpa, sizeof(value));

	if (host == 0 || host % sizeof(value) != 0)
		return -EX_GUEST;
	__atomic_store_n((uint64_t *)host, value, __ATOMIC_RELEASE);
	return 0;
}

int gpa_is_ram(const struct memory *m, uint64_t gpa, uint64_t n)
{
	return locate(m, gpa, n) != 0;
}

int memory_discard(const struct memory *m, uint64_t offset, uint64_t n)
{
	if (!ck_range(offset, n, m->size))
		return -EX_INTERNAL;
	if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)n) < 0)
		return -EX_HOST;
	return 0;
}
