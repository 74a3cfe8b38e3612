#include "attest/snp/cert_table.h"

#include "common/bytes.h"
#include "common/checked.h"

#include <string.h>

#define ENTRY_SIZE 24u

/* In the byte order of RFC 4122 (big endian), unlike GUIDs of UEFI. */
static const uint8_t guids[SNP_CERT_KINDS][16] = {
	[SNP_CERT_VCEK] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
			    0x3b, 0xe8, 0xac, 0xcd },
	[SNP_CERT_VLEK] = { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0,
			    0x45, 0xa0, 0xb8, 0xa1 },
	[SNP_CERT_ASK] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
			   0xf3, 0x27, 0xc7, 0x82 },
	[SNP_CERT_ARK] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
			   0x01, 0x4c, 0xd0, 0xae },
};

struct entry {
	uint8_t guid[16];
	uint64_t offset, size;
};

static enum snp_cert_kind kind_of(const uint8_t guid[16])
{
	for (unsigned i = 0; i < SNP_CERT_KINDS; i++)
		if (memcmp(guids[i], guid, sizeof(guids[i])) == 0)
			return (enum snp_cert_kind)i;
	return SNP_CERT_KINDS;
}

/* Reads entries up to the zero one; their number, or negative. */
static int read_entries(struct reader *r, struct entry *out, struct err *e)
{
	static const struct entry end;
	struct entry entry;

	for (int n = 0;; n++) {
		memset(&entry, 0, sizeof(entry));
		read_copy(r, entry.guid, sizeof(entry.guid));
		entry.offset = read_le32(r);
		entry.size = read_le32(r);
		if (r->bad)
			return err_set(e, EX_MALFORMED,
				       "certificate table: ends before its zero entry");
		if (memcmp(&entry, &end, sizeof(end)) == 0)
			return n;
		if (n == SNP_CERT_TABLE_ENTRIES)
			return err_set(e, EX_MALFORMED, "certificate table: more than %u entries",
				       SNP_CERT_TABLE_ENTRIES);
		out[n] = entry;
	}
}

static int check_place(const struct entry *all, int n, uint64_t header, uint64_t size,
		       struct err *e)
{
	const struct entry *x = &all[n];

	if (x->size == 0 || x->offset < header || !ck_range(x->offset, x->size, size))
		return err_set(e, EX_MALFORMED,
			       "certificate table: entry %d: %llu bytes at %llu lie outside of "
			       "%llu..%llu",
			       n, (unsigned long long)x->size, (unsigned long long)x->offset,
			       (unsigned long long)header, (unsigned long long)size);
	for (int i = 0; i < n; i++)
		if (ck_overlap(x->offset, x->size, all[i].offset, all[i].size))
			return err_set(e, EX_MALFORMED,
				       "certificate table: entries %d and %d overlap", i, n);
	return 0;
}

int snp_cert_table_parse(const uint8_t *data, size_t size, struct snp_cert_table *out,
			 struct err *e)
{
	struct entry entry[SNP_CERT_TABLE_ENTRIES] = { 0 };
	struct reader r = reader_over(data, size);

	memset(out, 0, sizeof(*out));
	if (size > SNP_CERT_TABLE_MAX)
		return err_set(e, EX_MALFORMED, "certificate table: %zu bytes, at most %u", size,
			       SNP_CERT_TABLE_MAX);
	int count = read_entries(&r, entry, e);
	for (int i = 0; i < count; i++) {
		int status = check_place(entry, i, r.pos, size, e);
		if (status < 0)
			return status;
		enum snp_cert_kind kind = kind_of(entry[i].guid);
		if (kind == SNP_CERT_KINDS) {
			out->unknown++;
			continue;
		}
		if (out->cert[kind].data != NULL)
			return err_set(e, EX_MALFORMED,
				       "certificate table: entry %d: a second one of its kind", i);
		out->cert[kind].data = data + entry[i].offset;
		out->cert[kind].size = (size_t)entry[i].size;
	}
	return count < 0 ? count : 0;
}
