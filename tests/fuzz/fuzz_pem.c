/* Files of certificates as people keep them: what is left is never more, and doing it again changes
 * nothing. */
#include "attest/x509/cert.h"
#include "attest/x509/pem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1); /* one byte too many is seen */
	struct certs certs;
	struct err e = { 0 };

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	size_t n = pem_without_text(copy, size);
	if (n > size || pem_without_text(copy, n) != n)
		abort();
	if (certs_read("input", copy, n, &certs, &e) == 0)
		certs_free(&certs);
	free(copy);
	return 0;
}
