/* The GUIDed table at the end of an OVMF or TDVF image (EDK2 OvmfPkg/ResetVector/Ia16/
 * ResetVectorVtf0.asm): entries {data, u16 length, GUID} that are read backwards from a footer
 * 48 bytes before the end. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_TABLE_H
#define PAVISE_ATTEST_MEASURE_OVMF_TABLE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct ovmf_table {
	const uint8_t *data; /* the entries, in the image */
	size_t size;	     /* bytes, without the footer */
};

/* Finds the table of the image and checks the length of every entry. -EX_MALFORMED when there is
 * none or an entry reaches beyond it; `object` names the image. */
int ovmf_table_open(const char *object, const uint8_t *image, size_t size, struct ovmf_table *out,
		    struct err *e);

/* Data of the entry with that GUID, as it lies in memory (first three fields little endian), and
 * its size; NULL when there is none. Of several the one nearest to the end, as QEMU takes it. */
const uint8_t *ovmf_table_find(const struct ovmf_table *t, const uint8_t guid[16], size_t *size);

#endif
