#include "attest/measure/kernel_hashes.h"

#include "common/bytes.h"

#include <openssl/evp.h>
#include <string.h>

/* The GUIDs of target/i386/sev.c as they lie in memory: the first
 * three fields little endian. */
static const uint8_t guid_table[16] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
					0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
static const uint8_t guid_cmdline[16] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
					  0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
static const uint8_t guid_initrd[16] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
					 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
static const uint8_t guid_kernel[16] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
					 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

static int write_entry(struct writer *w, const uint8_t guid[16], const void *data, size_t size)
{
	uint8_t sha256[32];

	/* libcrypto wants a pointer even to nothing. */
	if (!EVP_Digest(size == 0 ? "" : data, size, sha256, NULL, EVP_sha256(), NULL))
		return -1;
	write_copy(w, guid, 16);
	write_le16(w, sizeof(struct fw_hash_entry));
	write_copy(w, sha256, sizeof(sha256));
	return 0;
}

int kernel_hashes_fill(const uint8_t *kernel, size_t kernel_size, const uint8_t *initrd,
		       size_t initrd_size, const char *cmdline, uint8_t out[FW_HASH_TABLE_SIZE],
		       struct err *e)
{
	struct writer w = writer_over(out, FW_HASH_TABLE_SIZE);

	write_copy(&w, guid_table, 16);
	write_le16(&w, sizeof(struct fw_hash_table) - 8);
	if (write_entry(&w, guid_cmdline, cmdline, strlen(cmdline) + 1) < 0 ||
	    write_entry(&w, guid_initrd, initrd, initrd_size) < 0 ||
	    write_entry(&w, guid_kernel, kernel, kernel_size) < 0)
		return err_set(e, EX_INTERNAL, "kernel hashes: libcrypto refuses to hash");
	write_zeros(&w, 8);
	if (w.bad || w.pos != FW_HASH_TABLE_SIZE)
		return err_set(e, EX_INTERNAL, "kernel hashes: table of %zu bytes", w.pos);
	return 0;
}
