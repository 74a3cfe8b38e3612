#include "vmm/platform/power.h"

#include "firmware/stop.h"

#define SLEEP_ENABLE 0x20u /* SLP_EN */
#define SLEEP_TYPE(v) ((v) >> 2 & 7u)
#define SLEEP_TYPE_OFF 5u  /* what the firmware's _S5 names */

void power_init(struct power *p, power_end_fn end, power_hand_over_fn hand_over, void *ctx)
{
	*p = (struct power){ .end = end, .hand_over = hand_over, .ctx = ctx };
}

/* Sleep control, then sleep status: nothing was ever slept through, so both read zero. */
uint64_t power_sleep_read(void *ctx, uint64_t offset, unsigned size)
{
	(void)ctx;
	(void)offset;
	(void)size;
	return 0;
}

void power_sleep_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *p = ctx;

	if (offset == 0 && size == 1 && (value & SLEEP_ENABLE) &&
	    SLEEP_TYPE(value) == SLEEP_TYPE_OFF)
		p->end(p->ctx, VM_END_POWER_OFF, 0);
}

uint64_t power_reset_read(void *ctx, uint64_t offset, unsigned size)
{
	(void)ctx;
	(void)offset;
	(void)size;
	return 0;
}

void power_reset_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *p = ctx;

	if (offset == 0 && size == 1 && value == 1)
		p->end(p->ctx, VM_END_RESET, 0);
}

/* As if nothing were there: Linux uses the port for delays. */
uint64_t power_stop_read(void *ctx, uint64_t offset, unsigned size)
{
	(void)ctx;
	(void)offset;
	(void)size;
	return ~0ull;
}

void power_stop_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *p = ctx;
	uint32_t code;

	if (p->handed_over || offset != 0 || size != 4 ||
	    (value & STOP_MAGIC_MASK) != STOP_MAGIC)
		return;
	code = (uint32_t)value & ~STOP_MAGIC_MASK;
	if (code == STOP_HANDED_OVER) {
		p->handed_over = true;
		p->hand_over(p->ctx);
	} else {
		p->end(p->ctx, VM_END_FIRMWARE_STOP, code);
	}
}
