#include "firmware/acpi.h"

#include "firmware/dsdt.h" /* generated from dsdt.asl: fw_dsdt_plain, fw_dsdt_tpm */

#include <stdbool.h>
#include <string.h>

/* Sizes and offsets from the ACPI specification 6.4 §5.2. */
#define HEADER_SIZE 36u
#define RSDP_SIZE   36u
#define FADT_SIZE   276u
#define TPM2_SIZE   76u /* TCG ACPI specification 1.2 §8.3, table revision 4 */
#define CCEL_SIZE   56u /* UEFI 2.10 §38.4.2, ACPI 6.5 §5.2.34: CC Event Log table, revision 1 */
#define WAKEUP_SIZE 16u /* §5.2.12.19: Multiprocessor Wakeup structure, version 0 */

#define FADT_DSDT           40u
#define FADT_BOOT_ARCH      109u
#define FADT_FLAGS          112u
#define FADT_RESET_REG      116u
#define FADT_RESET_VALUE    128u
#define FADT_MINOR_VERSION  131u
#define FADT_X_DSDT         140u
#define FADT_SLEEP_CONTROL  244u
#define FADT_SLEEP_STATUS   256u

#define FADT_PWR_BUTTON (1u << 4)  /* no fixed power button */
#define FADT_SLP_BUTTON (1u << 5)  /* no fixed sleep button */
#define FADT_RESET      (1u << 10)
#define FADT_HW_REDUCED (1u << 20)
#define BOOT_NO_VGA     (1u << 2)
#define BOOT_NO_CMOS    (1u << 5)

struct tables {
	uint8_t *out;
	size_t cap;
	size_t pos;   /* end of what is used */
	bool full;
};

static void store(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Reserves n zeroed bytes, 16-byte aligned; NULL when they do not fit. */
static uint8_t *reserve(struct tables *t, size_t n)
{
	size_t at = (t->pos + 15) & ~(size_t)15;

	if (t->full || at > t->cap || n > t->cap - at) {
		t->full = true;
		return NULL;
	}
	memset(t->out + t->pos, 0, at - t->pos + n);
	t->pos = at + n;
	return t->out + at;
}

static uint64_t address_of(const struct tables *t, const uint8_t *p)
{
	return FW_ACPI + (uint64_t)(p - t->out);
}

static void set_checksum(uint8_t *table, size_t n, size_t at)
{
	unsigned sum = 0;

	table[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum += table[i];
	table[at] = (uint8_t)(0x100 - (sum & 0xFF));
}

static uint8_t *start_table(struct tables *t, const char *signature, uint8_t revision, size_t size)
{
	uint8_t *p = reserve(t, size);

	if (p == NULL)
		return NULL;
	memcpy(p, signature, 4);
	store(p + 4, size, 4);
	p[8] = revision;
	memcpy(p + 10, "PAVISE", 6);
	memcpy(p + 16, "PAVISEFW", 8);
	store(p + 24, 1, 4);
	memcpy(p + 28, "PAVI", 4);
	store(p + 32, 1, 4);
	return p;
}

static void end_table(uint8_t *p, size_t size)
{
	set_checksum(p, size, 9);
}

/* A generic address structure (§5.2.3.2) of one byte in I/O space. */
static void put_io_byte(uint8_t *p, uint16_t port)
{
	p[0] = 1; /* system I/O */
	p[1] = 8; /* bits */
	p[3] = 1; /* byte access */
	store(p + 4, port, 8);
}

static uint64_t put_dsdt(struct tables *t, bool tpm)
{
	const uint8_t *aml = tpm ? fw_dsdt_tpm : fw_dsdt_plain;
	size_t n = tpm ? sizeof(fw_dsdt_tpm) : sizeof(fw_dsdt_plain);
	uint8_t *p = reserve(t, n);

	if (p == NULL)
		return 0;
	memcpy(p, aml, n);
	return address_of(t, p);
}

/* §5.2.9, hardware-reduced: no PM timer, no SCI, no FACS. */
static uint64_t put_fadt(struct tables *t, uint64_t dsdt)
{
	uint8_t *p = start_table(t, "FACP", 6, FADT_SIZE);

	if (p == NULL)
		return 0;
	store(p + FADT_DSDT, dsdt, 4);
	store(p + FADT_BOOT_ARCH, BOOT_NO_VGA | BOOT_NO_CMOS, 2);
	store(p + FADT_FLAGS, FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_RESET | FADT_HW_REDUCED, 4);
	put_io_byte(p + FADT_RESET_REG, PORT_RESET);
	p[FADT_RESET_VALUE] = 1;
	p[FADT_MINOR_VERSION] = 4;
	store(p + FADT_X_DSDT, dsdt, 8);
	put_io_byte(p + FADT_SLEEP_CONTROL, PORT_SLEEP_CONTROL);
	put_io_byte(p + FADT_SLEEP_STATUS, PORT_SLEEP_STATUS);
	end_table(p, FADT_SIZE);
	return address_of(t, p);
}

/* A local APIC entry (type 0) names an 8-bit id, 255 being broadcast; from there on a local
 * x2APIC entry (type 9) is needed: §5.2.12.2, §5.2.12.12. */
static size_t cpu_entry_size(uint32_t apic_id)
{
	return apic_id < 255 ? 8 : 16;
}

static void put_cpu_entry(uint8_t *p, uint32_t uid, uint32_t apic_id)
{
	p[1] = (uint8_t)cpu_entry_size(apic_id);
	if (apic_id < 255) {
		p[2] = (uint8_t)uid;
		p[3] = (uint8_t)apic_id;
		p[4] = 1; /* enabled */
	} else {
		p[0] = 9;
		store(p + 4, apic_id, 4);
		p[8] = 1;
		store(p + 12, uid, 4);
	}
}

/* How Linux starts the other processors of a trust domain: there is no INIT, and no SIPI. */
static void put_wakeup(uint8_t *p)
{
	p[0] = 0x10;
	p[1] = WAKEUP_SIZE;
	store(p + 8, FW_MAILBOX, 8);
}

static uint64_t put_madt(struct tables *t, const struct fw_boot_block *b, enum fw_variant variant)
{
	const bool mailbox = variant == FW_VARIANT_TDX;
	size_t size = HEADER_SIZE + 8 + 12 + (mailbox ? WAKEUP_SIZE : 0), at = HEADER_SIZE + 8;
	uint8_t *p;

	for (uint32_t i = 0; i < b->cpu_count && i < FW_BOOT_CPU_MAX; i++)
		size += cpu_entry_size(b->apic_id[i]);
	p = start_table(t, "APIC", 5, size);
	if (p == NULL)
		return 0;
	store(p + HEADER_SIZE, LAPIC_BASE, 4);
	for (uint32_t i = 0; i < b->cpu_count && i < FW_BOOT_CPU_MAX; i++) {
		put_cpu_entry(p + at, i, b->apic_id[i]);
		at += cpu_entry_size(b->apic_id[i]);
	}
	p[at] = 1; /* I/O APIC, id 0, GSI base 0: §5.2.12.3 */
	p[at + 1] = 12;
	store(p + at + 4, IOAPIC_BASE, 4);
	if (mailbox)
		put_wakeup(p + at + 12);
	end_table(p, size);
	return address_of(t, p);
}

static uint64_t put_tpm2(struct tables *t)
{
	uint8_t *p = start_table(t, "TPM2", 4, TPM2_SIZE);

	if (p == NULL)
		return 0;
	store(p + 40, TPM_CRB_CONTROL, 8);
	store(p + 48, 7, 4); /* start method: command response buffer */
	store(p + 64, FW_EVENT_LOG_SIZE, 4);
	store(p + 68, FW_EVENT_LOG, 8);
	end_table(p, TPM2_SIZE);
	return address_of(t, p);
}

static uint64_t put_ccel(struct tables *t)
{
	uint8_t *p = start_table(t, "CCEL", 1, CCEL_SIZE);

	if (p == NULL)
		return 0;
	p[36] = 2; /* confidential computing by TDX */
	store(p + 40, FW_CC_LOG_SIZE, 8);
	store(p + 48, FW_CC_LOG, 8);
	end_table(p, CCEL_SIZE);
	return address_of(t, p);
}

int fw_acpi_build(const struct fw_boot_block *b, enum fw_variant variant, uint8_t *out, size_t cap,
		  size_t *size)
{
	struct tables t = { .out = out, .cap = cap };
	bool tpm = (b->flags & FW_BOOT_HAS_TPM) != 0;
	uint64_t entry[4];
	size_t count = 0;
	uint8_t *rsdp = reserve(&t, RSDP_SIZE), *xsdt;
	size_t xsdt_size;

	entry[count++] = put_fadt(&t, put_dsdt(&t, tpm));
	entry[count++] = put_madt(&t, b, variant);
	if (tpm)
		entry[count++] = put_tpm2(&t);
	if (variant == FW_VARIANT_TDX)
		entry[count++] = put_ccel(&t);
	xsdt_size = HEADER_SIZE + 8 * count;
	xsdt = start_table(&t, "XSDT", 1, xsdt_size);
	if (t.full || rsdp == NULL || xsdt == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		store(xsdt + HEADER_SIZE + 8 * i, entry[i], 8);
	end_table(xsdt, xsdt_size);
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "PAVISE", 6);
	rsdp[15] = 2;
	store(rsdp + 20, RSDP_SIZE, 4);
	store(rsdp + 24, address_of(&t, xsdt), 8);
	set_checksum(rsdp, 20, 8);
	set_checksum(rsdp, RSDP_SIZE, 32);
	*size = t.pos;
	return 0;
}
