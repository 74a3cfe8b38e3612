/* The certificate table that a host hands to its guest with a report (GHCB 56421, "SNP Extended
 * Guest Request"): entries {GUID, offset, length}, ended by a zero entry, then the blobs. */
#ifndef PAVISE_ATTEST_SNP_CERT_TABLE_H
#define PAVISE_ATTEST_SNP_CERT_TABLE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define SNP_CERT_TABLE_MAX 65536u /* bytes */
#define SNP_CERT_TABLE_ENTRIES 16u

enum snp_cert_kind { SNP_CERT_VCEK, SNP_CERT_VLEK, SNP_CERT_ASK, SNP_CERT_ARK, SNP_CERT_KINDS };

/* Views into the table; NULL with size 0 where it has none. */
struct snp_cert_table {
	struct {
		const uint8_t *data;
		size_t size;
	} cert[SNP_CERT_KINDS];
	unsigned unknown; /* entries of other GUIDs, not looked into */
};

/* -EX_MALFORMED: no end, an entry outside of the table or over another one, a kind given twice. */
int snp_cert_table_parse(const uint8_t *data, size_t size, struct snp_cert_table *out,
			 struct err *e);

#endif
