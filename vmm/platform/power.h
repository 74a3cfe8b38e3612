/* The ways a guest ends itself: ACPI sleep control (power off), reset register, and the firmware's
 * stop port. Addresses: firmware/layout.h. ACPI 6.5 §4.8.3.7 (sleep control), §4.8.3.6 (reset). */
#ifndef PAVISE_VMM_PLATFORM_POWER_H
#define PAVISE_VMM_PLATFORM_POWER_H

#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>

/* The guest asked to end; detail = enum fw_stop for VM_END_FIRMWARE_STOP. */
typedef void (*power_end_fn)(void *ctx, enum vm_end end, uint32_t detail);

/* The firmware is done, Linux comes next: said once. */
typedef void (*power_hand_over_fn)(void *ctx);

struct power {
	power_end_fn end;
	power_hand_over_fn hand_over;
	void *ctx;
	bool handed_over; /* Linux owns the stop port now */
};

void power_init(struct power *p, power_end_fn end, power_hand_over_fn hand_over, void *ctx);

/* dispatch callbacks, ctx = struct power. */
uint64_t power_sleep_read(void *ctx, uint64_t offset, unsigned size);
void power_sleep_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);
uint64_t power_reset_read(void *ctx, uint64_t offset, unsigned size);
void power_reset_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);
uint64_t power_stop_read(void *ctx, uint64_t offset, unsigned size);
void power_stop_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);

#endif
