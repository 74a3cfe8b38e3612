/* A certificate table from any host, and the certificates in it. */
#include "attest/snp/cert.h"
#include "attest/x509/cert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_views(const struct snp_cert_table *t, const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < SNP_CERT_KINDS; i++) {
		if (t->cert[i].data == NULL)
			continue;
		size_t at = (size_t)(t->cert[i].data - data);
		if (t->cert[i].size == 0 || at > size || t->cert[i].size > size - at)
			abort();
	}
}

static void use_certs(struct snp_certs *c)
{
	struct err e = { 0 };
	struct snp_vek vek;
	char name[64];
	uint8_t digest[48];

	for (unsigned i = 0; i < SNP_ROLES; i++) {
		if (c->cert[i] == NULL)
			continue;
		cert_common_name(X509_get_subject_name(c->cert[i]), name, sizeof(name));
		if (cert_key_digest(c->cert[i], digest) == 0)
			snp_pinned_product(digest);
		cert_check_time("input", c->cert[i], 1800000000, &e);
		if (snp_vek_parse(c->cert[i], &vek, &e) == 0 &&
		    (vek.product == SNP_UNKNOWN || vek.is_vlek != (vek.hwid_size == 0)))
			abort();
	}
	if (c->cert[SNP_ROLE_VEK] != NULL && c->cert[SNP_ROLE_ASK] != NULL)
		snp_cert_check_issuer(SNP_ROLE_VEK, c->cert[SNP_ROLE_VEK], c->cert[SNP_ROLE_ASK],
				      NULL, &e);
	snp_certs_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_cert_table table;
	struct snp_certs certs = { 0 };
	struct err e = { 0 };

	/* The same bytes as a file of certificates. */
	if (snp_certs_add(&certs, "input", data, size, &e) < 0 &&
	    (e.status != EX_MALFORMED || e.text[0] == '\0'))
		abort();
	use_certs(&certs);
	e = (struct err){ 0 };
	if (snp_cert_table_parse(data, size, &table, &e) < 0) {
		if (e.status != EX_MALFORMED || e.text[0] == '\0')
			abort();
		return 0;
	}
	check_views(&table, data, size);
	for (int key = SNP_KEY_VCEK; key <= SNP_KEY_VLEK; key++) {
		e = (struct err){ 0 };
		snp_certs_add_table(&certs, &table, (enum snp_signing_key)key, &e);
		use_certs(&certs);
	}
	return 0;
}
