#include "attest/measure/hash_page.h"

#include "attest/measure/kernel_hashes.h"
#include "common/bytes.h"

#include <openssl/evp.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are copied as they lie");

static int hash(const EVP_MD *md, const void *data, size_t size, void *out, struct err *e)
{
	/* An absent initrd has the hash of nothing; libcrypto wants a pointer all the same. */
	if (!EVP_Digest(size == 0 ? "" : data, size, out, NULL, md, NULL))
		return err_set(e, EX_INTERNAL, "hash page: libcrypto refuses to hash");
	return 0;
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
	uint8_t long_hash[3][48];
	size_t cmdline_size = strlen(in->cmdline) + 1;
	int r;

	memset(out, 0, FW_PAGE);
	r = kernel_hashes_fill(in->kernel, in->kernel_size, in->initrd, in->initrd_size,
			       in->cmdline, out + FW_HASH_TABLE_OFFSET, e);
	r |= hash(EVP_sha384(), in->kernel, in->kernel_size, long_hash[0], e);
	r |= hash(EVP_sha384(), in->initrd, in->initrd_size, long_hash[1], e);
	r |= hash(EVP_sha384(), in->cmdline, cmdline_size, long_hash[2], e);
	if (r != 0)
		return -EX_INTERNAL;
	struct writer record =
		writer_over(out + FW_HASH_RECORD_OFFSET, sizeof(struct fw_hash_record));
	write_record(&record, in, long_hash[0], long_hash[1], long_hash[2]);
	if (record.bad || record.pos != sizeof(struct fw_hash_record))
		return err_set(e, EX_INTERNAL, "hash page: record of %zu bytes", record.pos);
	return 0;
}

void hash_page_record(const uint8_t page[FW_PAGE], struct fw_hash_record *out)
{
	memcpy(out, page + FW_HASH_RECORD_OFFSET, sizeof(*out));
}
