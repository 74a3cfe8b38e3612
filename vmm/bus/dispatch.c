#include "vmm/bus/dispatch.h"

#include "common/checked.h"
#include "vmm/vm.h"

int dispatch_add(struct dispatch *d, uint64_t base, uint64_t len, dispatch_read_fn read,
		 dispatch_write_fn write, void *ctx, struct err *e)
{
	uint64_t end;

	if (len == 0 || !ck_add_u64(base, len, &end))
		return err_set(e, EX_INTERNAL, "bus: range at %#llx is empty or wraps",
			       (unsigned long long)base);
	if (d->count == DISPATCH_MAX)
		return err_set(e, EX_INTERNAL, "bus: no room for a range at %#llx",
			       (unsigned long long)base);
	for (unsigned i = 0; i < d->count; i++) {
		if (ck_overlap(base, len, d->range[i].base, d->range[i].len))
			return err_set(e, EX_INTERNAL, "bus: range at %#llx overlaps one at %#llx",
				       (unsigned long long)base,
				       (unsigned long long)d->range[i].base);
	}
	d->range[d->count++] = (struct dispatch_range){ base, len, read, write, ctx };
	return 0;
}

/* The range that contains the whole access, or NULL. */
static const struct dispatch_range *find(const struct dispatch *d, uint64_t address, unsigned size)
{
	for (unsigned i = 0; i < d->count; i++) {
		const struct dispatch_range *r = &d->range[i];

		if (address >= r->base && ck_range(address - r->base, size, r->len))
			return r;
	}
	return NULL;
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size >= 8 ? value : value & ((1ull << (8 * size)) - 1);
}

uint64_t dispatch_read(const struct dispatch *d, uint64_t address, unsigned size)
{
	const struct dispatch_range *r = find(d, address, size);

	return low_bytes(r ? r->read(r->ctx, address - r->base, size) : ~0ull, size);
}

void dispatch_write(const struct dispatch *d, uint64_t address, unsigned size, uint64_t value)
{
	const struct dispatch_range *r = find(d, address, size);

	if (r)
		r->write(r->ctx, address - r->base, size, low_bytes(value, size));
}

int dispatch_add_pio(struct vm *vm, uint16_t base, uint16_t len, dispatch_read_fn read,
		     dispatch_write_fn write, void *ctx, struct err *e)
{
	return dispatch_add(&vm->pio, base, len, read, write, ctx, e);
}

int dispatch_add_mmio(struct vm *vm, uint64_t base, uint64_t len, dispatch_read_fn read,
		      dispatch_write_fn write, void *ctx, struct err *e)
{
	return dispatch_add(&vm->mmio, base, len, read, write, ctx, e);
}
