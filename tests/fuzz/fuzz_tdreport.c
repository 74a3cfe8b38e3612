/* A TDREPORT from anyone: what is taken has both digests right. */
#include "attest/tdx/tdreport.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdx_tdreport r;
	struct err e = { 0 };
	int status = tdx_tdreport_parse(data, size, &r, &e);

	if ((status < 0) != (e.status != EX_OK))
		abort();
	if (status == 0 && (size != TDX_TDREPORT_SIZE || r.body.mrtd != data + 528))
		abort();
	return 0;
}
