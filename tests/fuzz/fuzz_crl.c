/* A revocation list, or certificates, from anyone. */
#include "attest/x509/cert.h"
#include "attest/x509/crl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_certs(const struct certs *c)
{
	uint8_t digest[48];
	char name[64];
	struct err e = { 0 };

	if (c->count == 0 || c->count > CERTS_MAX)
		abort();
	for (size_t i = 0; i < c->count; i++) {
		cert_common_name(X509_get_subject_name(c->cert[i]), name, sizeof(name));
		cert_key_digest(c->cert[i], digest);
		cert_is_root(c->cert[i]);
		cert_check_time("certificate", c->cert[i], 1800000000, &e);
		cert_check_issued("certificate", c->cert[i], c->cert[c->count - 1], &e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first two bytes: where certificates end and a list begins. */
	size_t split = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
	struct certs certs;
	struct crl list;
	struct err e = { 0 };

	if (size < 2)
		return 0;
	data += 2;
	size -= 2;
	split = split < size ? split : size;
	if (certs_read("input", data, split, &certs, &e) == 0)
		use_certs(&certs);
	else if (e.status != EX_MALFORMED || certs.count != 0)
		abort();
	e = (struct err){ 0 };
	if (crl_read("input", data + split, size - split, &list, &e) == 0) {
		if (strlen(list.issuer) >= sizeof(list.issuer))
			abort();
		for (size_t i = 0; i < certs.count; i++)
			crl_check("input", &list, certs.cert[i], "certificate", certs.cert[0],
				  1800000000, &e);
		crl_free(&list);
	} else if (e.status != EX_MALFORMED || list.list != NULL) {
		abort();
	}
	certs_free(&certs);
	return 0;
}
