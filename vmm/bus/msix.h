/* MSI-X of one function: the vector table, the pending bits and the two bits of Message
 * Control that matter (PCI Local Bus 3.0 §6.8.2). Pure: it holds what the guest wrote and says
 * which message, if any, a vector stands for now; who routes interrupts asks after each write.
 *
 * The pending bits always read zero. An interrupt for a masked vector is dropped by KVM (it has
 * no route), so nobody could set its bit; instead the router raises the vector once when it is
 * unmasked. A driver must take a spurious interrupt anyway, so none is ever missed. */
#ifndef PAVISE_VMM_BUS_MSIX_H
#define PAVISE_VMM_BUS_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#define MSIX_VECTORS_MAX 16
#define MSIX_ENTRY_SIZE  16u     /* bytes of a table entry, §6.8.2 */
#define MSIX_PBA_SIZE    8u      /* bytes: 64 pending bits, more than MSIX_VECTORS_MAX */
#define MSIX_ENABLE      0x8000u /* Message Control, §6.8.2.3 */
#define MSIX_MASK_ALL    0x4000u

struct msix_entry {
	uint32_t address_low, address_high, data;
	uint32_t control; /* bit 0: masked; the rest is reserved and zero */
};

struct msix {
	unsigned count; /* vectors, 1..MSIX_VECTORS_MAX */
	bool enabled, masked;
	struct msix_entry entry[MSIX_VECTORS_MAX];
};

struct msix_message {
	uint64_t address;
	uint32_t data;
};

/* As after reset: disabled, every vector masked (§6.8.2.9). */
void msix_init(struct msix *m, unsigned count);

/* Message Control of the capability: table size and the two writable bits. */
uint16_t msix_control(const struct msix *m);
void msix_set_control(struct msix *m, uint16_t value);

/* The table: aligned accesses of 4 or 8 bytes (§6.8.2); others read zero and write nothing. */
uint64_t msix_table_read(const struct msix *m, uint64_t offset, unsigned size);
void msix_table_write(struct msix *m, uint64_t offset, unsigned size, uint64_t value);

/* The message of a vector. False when the vector does not exist, is masked in any way, or does
 * not aim at the local APICs: on x86 such a message would be a plain write to memory. */
bool msix_message(const struct msix *m, unsigned vector, struct msix_message *out);

#endif
