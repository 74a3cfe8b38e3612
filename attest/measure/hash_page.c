#include "attest/measure/hash_page.h"

#include "common/bytes.h"

#include <openssl/evp.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are copied as they lie");

/* GUIDs of QEMU's kernel hashes table (target/i386 sev.c), as they lie in memory: the first
 * three fields little endian. */
static const uint8_t guid_table[16] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
					0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
static const uint8_t guid_cmdline[16] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
					  0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
static const uint8_t guid_initrd[16] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
					 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
static const uint8_t guid_kernel[16] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
					 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

static int hash(const EVP_MD *md, const void *data, size_t size, void *out, struct err *e)
{
	/* An absent initrd has the hash of nothing; libcrypto wants a pointer all the same. */
	if (!EVP_Digest(size == 0 ? "" : data, size, out, NULL, md, NULL))
		return err_set(e, EX_INTERNAL, "hash page: libcrypto refuses to hash");
	return 0;
}

static void write_entry(struct writer *w, const uint8_t guid[16], const uint8_t sha256[32])
{
	write_copy(w, guid, 16);
	write_le16(w, sizeof(struct fw_hash_entry));
	write_copy(w, sha256, 32);
}

static void write_table(struct writer *w, const uint8_t cmdline[32], const uint8_t initrd[32],
			const uint8_t kernel[32])
{
	write_copy(w, guid_table, 16);
	write_le16(w, sizeof(struct fw_hash_table) - 8);
	write_entry(w, guid_cmdline, cmdline);
	write_entry(w, guid_initrd, initrd);
	write_entry(w, guid_kernel, kernel);
}

static void write_record(struct writer *w, const struct hash_page_input *in,
			 const uint8_t kernel[48], const uint8_t initrd[48],
			 const uint8_t cmdline[48])
{
	write_copy(w, FW_HASH_MAGIC, 8);
	write_le32(w, sizeof(struct fw_hash_record));
	write_le32(w, in->variant);
	write_le64(w, in->kernel_size);
	write_le64(w, in->initrd_size);
	write_le64(w, strlen(in->cmdline) + 1);
	write_le64(w, in->min_ram);
	write_le32(w, in->max_cpus);
	write_le32(w, in->require_tpm ? 1 : 0);
	write_copy(w, kernel, 48);
	write_copy(w, initrd, 48);
	write_copy(w, cmdline, 48);
	write_zeros(w, 56);
}

int hash_page_fill(const struct hash_page_input *in, uint8_t out[FW_PAGE], struct err *e)
{
	uint8_t short_hash[3][32], long_hash[3][48];
	size_t cmdline_size = strlen(in->cmdline) + 1;
	int r = 0;

	r |= hash(EVP_sha256(), in->cmdline, cmdline_size, short_hash[0], e);
	r |= hash(EVP_sha256(), in->initrd, in->initrd_size, short_hash[1], e);
	r |= hash(EVP_sha256(), in->kernel, in->kernel_size, short_hash[2], e);
	r |= hash(EVP_sha384(), in->kernel, in->kernel_size, long_hash[0], e);
	r |= hash(EVP_sha384(), in->initrd, in->initrd_size, long_hash[1], e);
	r |= hash(EVP_sha384(), in->cmdline, cmdline_size, long_hash[2], e);
	if (r != 0)
		return -EX_INTERNAL;
	memset(out, 0, FW_PAGE);
	struct writer table = writer_over(out + FW_HASH_TABLE_OFFSET, FW_HASH_TABLE_SIZE);
	write_table(&table, short_hash[0], short_hash[1], short_hash[2]);
	struct writer record =
		writer_over(out + FW_HASH_RECORD_OFFSET, sizeof(struct fw_hash_record));
	write_record(&record, in, long_hash[0], long_hash[1], long_hash[2]);
	if (table.bad || record.bad || record.pos != sizeof(struct fw_hash_record))
		return err_set(e, EX_INTERNAL, "hash page: record of %zu bytes", record.pos);
	return 0;
}

void hash_page_record(const uint8_t page[FW_PAGE], struct fw_hash_record *out)
{
	memcpy(out, page + FW_HASH_RECORD_OFFSET, sizeof(*out));
}
