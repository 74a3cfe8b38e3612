#include "tests/model/fault/launch.h"

#include "model/td.h"

#include <errno.h>
#include <string.h>

#define ROOM 128u
#define TIMES 3u

static enum {
	NONE, ROOM_SMALL, ENTROPY, AGAIN, BUSY, INTR, PARTIAL, FINAL, FOREVER, IDLE, AHEAD, FULL,
	KINDS
} kind;
static unsigned adds, tries;

int __wrap_tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw);
int __real_tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw);
int __wrap_tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw);
int __real_tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw);
int __wrap_tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure,
			       uint64_t *hw);
int __real_tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure,
			       uint64_t *hw);
int __wrap_tdx_finalize_vm(int vm_fd, uint64_t *hw);
int __real_tdx_finalize_vm(int vm_fd, uint64_t *hw);

bool fault_launch(const char *name)
{
	static const char *const names[KINDS] = { "", "room", "entropy", "again", "busy", "intr",
						  "partial", "final", "forever", "idle", "ahead",
						  "full" };

	for (int i = ROOM_SMALL; i < KINDS; i++)
		if (strcmp(name, names[i]) == 0)
			kind = i;
	return kind != NONE;
}

int __wrap_tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw)
{
	*hw = 0;
	if (kind == FULL || (kind == ROOM_SMALL && c->head.nent < ROOM))
		return -E2BIG;
	return __real_tdx_capabilities(vm_fd, c, hw);
}

int __wrap_tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw)
{
	if (kind != ENTROPY || tries++ >= TIMES)
		return __real_tdx_init_vm(vm_fd, init, hw);
	*hw = TDX_ST_NO_ENTROPY;
	return -EAGAIN;
}

/* Of a longer region only the first page is done. */
static int one_page(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure, uint64_t *hw)
{
	struct uapi_tdx_mem_region one = *r;
	int rc;

	one.nr_pages = 1;
	rc = __real_tdx_init_mem_region(vcpu_fd, &one, measure, hw);
	if (rc < 0)
		return rc;
	r->source_addr = one.source_addr;
	r->gpa = one.gpa;
	r->nr_pages--;
	return 0;
}

int __wrap_tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure,
			       uint64_t *hw)
{
	bool odd = adds++ % 2 == 0;

	*hw = 0;
	switch (kind) {
	case AGAIN:
		return odd ? -EAGAIN : one_page(vcpu_fd, r, measure, hw);
	case FOREVER:
	case BUSY:
		if (!odd && kind == BUSY)
			return one_page(vcpu_fd, r, measure, hw);
		*hw = TDX_ST_OPERAND_BUSY | TDX_OP_RCX;
		return -EBUSY;
	case INTR:
		if (one_page(vcpu_fd, r, measure, hw) < 0)
			return -EIO;
		return odd ? -EINTR : 0;
	case PARTIAL:
		return one_page(vcpu_fd, r, measure, hw);
	case IDLE:
		return 0;
	case AHEAD:
		r->nr_pages++;
		return -EAGAIN;
	default:
		return __real_tdx_init_mem_region(vcpu_fd, r, measure, hw);
	}
}

int __wrap_tdx_finalize_vm(int vm_fd, uint64_t *hw)
{
	if (kind != FINAL || tries++ >= TIMES)
		return __real_tdx_finalize_vm(vm_fd, hw);
	*hw = TDX_ST_OPERAND_BUSY;
	return -EBUSY;
}
