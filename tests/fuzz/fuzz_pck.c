/* Intel's extension of a PCK certificate, from anyone: the fuzzer's bytes are its contents. */
#include "attest/tdx/pck.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509 *cert = X509_new();
	ASN1_OBJECT *id = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	ASN1_OCTET_STRING *text = ASN1_OCTET_STRING_new();
	struct tdx_pck pck;
	struct err e = { 0 };

	if (size > 65536)
		size = 65536;
	if (cert == NULL || id == NULL || text == NULL ||
	    !ASN1_OCTET_STRING_set(text, data, (int)size))
		abort();
	X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, id, 0, text);
	if (ext == NULL || !X509_add_ext(cert, ext, -1))
		abort();
	int status = tdx_pck_parse(cert, &pck, &e);
	if ((status < 0) != (e.status != EX_OK))
		abort();
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(text);
	ASN1_OBJECT_free(id);
	X509_free(cert);
	return 0;
}
