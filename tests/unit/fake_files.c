#include "tests/unit/fake_files.h"

#include "common/bytes.h"
#include "firmware/layout.h"

#include <string.h>

static void pattern(uint8_t *out, size_t n, unsigned factor)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * factor + (i >> 8));
}

void fake_firmware(uint8_t out[FAKE_FIRMWARE_SIZE])
{
	static const char version[] = "p\0a\0v\0i\0s\0e\0 \0t\0e\0s\0t\0\0"; /* UTF-16LE */
	struct writer w = writer_over(out, FAKE_FIRMWARE_SIZE);

	pattern(out, FAKE_FIRMWARE_SIZE, 7);
	memcpy(out + 512, version, sizeof(version));
	write_copy(&w, FW_IMAGE_MAGIC, 8);
	write_le32(&w, FW_VARIANT_PLAIN);
	write_le32(&w, 1); /* svn */
	write_le32(&w, FAKE_FIRMWARE_SIZE);
	write_le32(&w, 1024);		 /* entry */
	write_le32(&w, 4096);		 /* page_table */
	write_le32(&w, FW_SCRATCH_SIZE); /* stack_top */
	write_le32(&w, 512);		 /* version */
	write_le32(&w, sizeof(version));
	write_le32(&w, FAKE_FIRMWARE_SIZE - 64); /* note */
	write_le32(&w, 64);
	write_zeros(&w, 16);
}

static void put(uint8_t *k, size_t offset, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		k[offset + i] = (uint8_t)(v >> (8 * i));
}

void fake_firmware_snp(uint8_t out[FAKE_FIRMWARE_SIZE])
{
	static const uint8_t code[][FW_SITE_SIZE] = { { 0xF2, 0x0F, 0x01, 0xFF },
						      { 0xF3, 0x0F, 0x01, 0xFE },
						      { 0xF3, 0x0F, 0x01, 0xD9 },
						      { 0xF3, 0x0F, 0x01, 0xFE } };
	const uint32_t table = 3072;

	fake_firmware(out);
	put(out, 8, FW_VARIANT_SNP, 4);
	put(out, 48, 1040, 4); /* ap_entry */
	put(out, 52, table, 4);
	put(out, 56, 4, 4);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t at = 2048 + 16 * i;
		memcpy(out + at, code[i], FW_SITE_SIZE);
		put(out, table + 8 * i, at, 4);
		put(out, table + 8 * i + 4, i + 1, 4);
	}
}

void fake_firmware_tdx(uint8_t out[FAKE_FIRMWARE_SIZE])
{
	static const uint8_t tdcall[FW_SITE_SIZE] = { 0x66, 0x0F, 0x01, 0xCC };
	const uint32_t table = 3072;

	fake_firmware(out);
	put(out, 8, FW_VARIANT_TDX, 4);
	put(out, 48, 1040, 4); /* ap_entry */
	put(out, 52, table, 4);
	put(out, 56, 2, 4);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t at = 2048 + 16 * i;
		memcpy(out + at, tdcall, FW_SITE_SIZE);
		put(out, table + 8 * i, at, 4);
		put(out, table + 8 * i + 4, FW_SITE_TDCALL + i, 4);
	}
}

/* Offsets: Linux Documentation/arch/x86/boot.rst. */
void fake_kernel(uint8_t out[FAKE_KERNEL_SIZE])
{
	const size_t setup = (size_t)4 * 512;

	pattern(out, FAKE_KERNEL_SIZE, 11);
	memset(out + 0x1f1, 0, 0x264 - 0x1f1);
	out[0x1f1] = 3;					     /* setup_sects */
	put(out, 0x1f4, (FAKE_KERNEL_SIZE - setup) / 16, 4); /* syssize */
	put(out, 0x1fe, 0xAA55, 2);
	out[0x200] = 0xeb;
	out[0x201] = 0x6a;
	memcpy(out + 0x202, "HdrS", 4);
	put(out, 0x206, 0x20f, 2);
	out[0x211] = 1;			/* loaded high */
	put(out, 0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	put(out, 0x236, 0x7f, 2);	/* xloadflags */
	put(out, 0x238, 2047, 4);	/* cmdline_size */
	put(out, 0x248, 1024, 4);	/* payload */
	put(out, 0x24c, FAKE_KERNEL_SIZE - setup - 2048, 4);
	put(out, 0x258, 0x1000000, 8); /* pref_address */
	put(out, 0x260, 4 << 20, 4);   /* init_size */
}
