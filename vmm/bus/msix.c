#include "vmm/bus/msix.h"

#include "firmware/layout.h"

#include <string.h>

#define ENTRY_MASKED 1u

void msix_init(struct msix *m, unsigned count)
{
	memset(m, 0, sizeof(*m));
	m->count = count < MSIX_VECTORS_MAX ? count : MSIX_VECTORS_MAX;
	for (unsigned i = 0; i < m->count; i++)
		m->entry[i].control = ENTRY_MASKED;
}

uint16_t msix_control(const struct msix *m)
{
	return (uint16_t)((m->count - 1) | (m->enabled ? MSIX_ENABLE : 0) |
			  (m->masked ? MSIX_MASK_ALL : 0));
}

void msix_set_control(struct msix *m, uint16_t value)
{
	m->enabled = (value & MSIX_ENABLE) != 0;
	m->masked = (value & MSIX_MASK_ALL) != 0;
}

static bool in_table(const struct msix *m, uint64_t offset, unsigned size)
{
	return (size == 4 || size == 8) && offset % size == 0 &&
	       offset < (uint64_t)m->count * MSIX_ENTRY_SIZE;
}

static uint32_t field_read(const struct msix *m, uint64_t offset)
{
	const struct msix_entry *entry = &m->entry[offset / MSIX_ENTRY_SIZE];

	switch (offset % MSIX_ENTRY_SIZE) {
	case 0:
		return entry->address_low;
	case 4:
		return entry->address_high;
	case 8:
		return entry->data;
	default:
		return entry->control;
	}
}

static void field_write(struct msix *m, uint64_t offset, uint32_t value)
{
	struct msix_entry *entry = &m->entry[offset / MSIX_ENTRY_SIZE];

	switch (offset % MSIX_ENTRY_SIZE) {
	case 0:
		entry->address_low = value & ~3u; /* §6.8.2.6: DWORD aligned */
		break;
	case 4:
		entry->address_high = value;
		break;
	case 8:
		entry->data = value;
		break;
	default:
		entry->control = value & ENTRY_MASKED;
		break;
	}
}

uint64_t msix_table_read(const struct msix *m, uint64_t offset, unsigned size)
{
	uint64_t value;

	if (!in_table(m, offset, size))
		return 0;
	value = field_read(m, offset);
	if (size == 8)
		value |= (uint64_t)field_read(m, offset + 4) << 32;
	return value;
}

void msix_table_write(struct msix *m, uint64_t offset, unsigned size, uint64_t value)
{
	if (!in_table(m, offset, size))
		return;
	field_write(m, offset, (uint32_t)value);
	if (size == 8)
		field_write(m, offset + 4, (uint32_t)(value >> 32));
}

/* SDM vol. 3 §11.11.1: bits 31..20 of a message address are 0xFEE. The upper half must be zero:
 * KVM refuses the whole routing table for some values there, and one guest write must not cost
 * the other devices their interrupts. */
static bool aims_at_lapic(const struct msix_entry *entry)
{
	return entry->address_high == 0 && (entry->address_low & 0xFFF00000u) == LAPIC_BASE;
}

bool msix_message(const struct msix *m, unsigned vector, struct msix_message *out)
{
	const struct msix_entry *entry;

	if (vector >= m->count || !m->enabled || m->masked)
		return false;
	entry = &m->entry[vector];
	if ((entry->control & ENTRY_MASKED) != 0 || !aims_at_lapic(entry))
		return false;
	out->address = entry->address_low;
	out->data = entry->data;
	return true;
}
