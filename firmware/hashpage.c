#include "firmware/hashpage.h"

#include <stddef.h>
#include <string.h>

/* GUIDs in memory order (first three fields little endian), as QEMU writes them for SEV. */
static const uint8_t table_guid[16] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
					0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
static const uint8_t kernel_guid[16] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
					 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };
static const uint8_t initrd_guid[16] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
					 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
static const uint8_t cmdline_guid[16] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
					  0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };

#define TABLE_LENGTH 168u /* without the padding */

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static bool entry_ok(const struct fw_hash_entry *e, const uint8_t guid[16])
{
	return memcmp(e->guid, guid, sizeof(e->guid)) == 0 && e->size == sizeof(*e);
}

static bool table_ok(const struct fw_hash_table *t)
{
	return memcmp(t->guid, table_guid, sizeof(t->guid)) == 0 && t->size == TABLE_LENGTH &&
	       entry_ok(&t->cmdline, cmdline_guid) && entry_ok(&t->initrd, initrd_guid) &&
	       entry_ok(&t->kernel, kernel_guid) && all_zero(t->padding, sizeof(t->padding));
}

static bool record_ok(const struct fw_hash_record *r)
{
	if (memcmp(r->magic, FW_HASH_MAGIC, sizeof(r->magic)) != 0 || r->size != sizeof(*r))
		return false;
	/* Upper bounds keep every later sum small; what really fits is known with the RAM. */
	if (r->kernel_size < 1 || r->kernel_size > MMIO_HOLE_BASE)
		return false;
	if (r->initrd_size > MMIO_HOLE_BASE)
		return false;
	if (r->cmdline_size < 1 || r->cmdline_size > FW_CMDLINE_MAX)
		return false;
	return r->max_cpus >= 1 && r->max_cpus <= FW_BOOT_CPU_MAX && r->require_tpm <= 1 &&
	       all_zero(r->reserved, sizeof(r->reserved));
}

enum fw_stop fw_hash_page_check(const struct fw_hash_page *page, uint32_t variant)
{
	if (!table_ok(&page->table) || !all_zero(page->zero0, sizeof(page->zero0)))
		return STOP_HASH_TABLE;
	if (!record_ok(&page->record) || !all_zero(page->zero1, sizeof(page->zero1)))
		return STOP_HASH_RECORD;
	if (page->record.variant != variant)
		return STOP_VARIANT;
	return STOP_HANDED_OVER;
}

static void fill_entry(struct fw_hash_entry *e, const uint8_t guid[16], const uint8_t sha256[32])
{
	memcpy(e->guid, guid, sizeof(e->guid));
	e->size = sizeof(*e);
	memcpy(e->sha256, sha256, sizeof(e->sha256));
}

void fw_hash_page_build(struct fw_hash_page *page, const struct fw_hash_record *record,
			const uint8_t kernel_sha256[32], const uint8_t initrd_sha256[32],
			const uint8_t cmdline_sha256[32])
{
	memset(page, 0, sizeof(*page));
	memcpy(page->table.guid, table_guid, sizeof(page->table.guid));
	page->table.size = TABLE_LENGTH;
	fill_entry(&page->table.cmdline, cmdline_guid, cmdline_sha256);
	fill_entry(&page->table.initrd, initrd_guid, initrd_sha256);
	fill_entry(&page->table.kernel, kernel_guid, kernel_sha256);
	page->record = *record;
}

static uint8_t difference(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t d = 0;

	for (size_t i = 0; i < n; i++)
		d |= a[i] ^ b[i];
	return d;
}

bool fw_hash_matches(const struct fw_digests *got, const struct fw_hash_entry *entry,
		     const uint8_t sha384[48])
{
	uint8_t d = difference(got->sha256, entry->sha256, sizeof(got->sha256));

	d |= difference(got->sha384, sha384, sizeof(got->sha384));
	return d == 0;
}
