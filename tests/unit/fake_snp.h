/* A chip's key chain and its reports for tests, made with OpenSSL from the text of AMD's documents
 * (56860, 57230). Every part can be made wrong in one way. */
#ifndef PAVISE_TESTS_UNIT_FAKE_SNP_H
#define PAVISE_TESTS_UNIT_FAKE_SNP_H

#include "attest/snp/cert.h"
#include "attest/snp/report.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#define FAKE_SNP_NOW ((time_t)1800000000) /* 2027-01-15 */
#define FAKE_SNP_TABLE_SIZE 16384u

/* How to make a certificate; start from fake_snp_how(). */
struct fake_snp_how {
	const char *subject, *issuer; /* common names */
	EVP_PKEY *key, *issuer_key;
	long serial;   /* every VEK's is 0 */
	long from, to; /* seconds from FAKE_SNP_NOW */
	bool ca, key_usage;
	bool pkcs1; /* RSASSA-PKCS1-v1_5 instead of PSS */
	int salt;   /* of PSS, bytes */
	const EVP_MD *md;
	/* Of a VEK (is_vek): */
	bool is_vek;
	int struct_version;
	const char *product, *csp; /* csp NULL: none */
	uint8_t tcb[SNP_TCB_SIZE];
	const uint8_t *hwid;
	size_t hwid_size;	  /* 0: none */
	bool hwid_octets;	  /* hwID inside a DER OCTET STRING */
	const char *drop, *twice; /* ends of AMD's OIDs, as "3.1" */
	const char *raw_oid;	  /* this one has raw_size bytes at raw instead */
	const void *raw;
	size_t raw_size;
	bool critical; /* an unknown critical extension */
};

struct fake_snp {
	EVP_PKEY *ark_key, *ask_key, *vek_key;
	X509 *ark, *ask, *vek;
	uint8_t report[SNP_REPORT_SIZE];
	uint8_t table[FAKE_SNP_TABLE_SIZE];
	size_t table_size;
};

/* A Genoa chip with a private root, its report signed and its table filled; aborts on failure. */
void fake_snp_make(struct fake_snp *f);
void fake_snp_free(struct fake_snp *f);

EVP_PKEY *fake_snp_rsa(unsigned bits);
EVP_PKEY *fake_snp_ec(const char *group);

/* How f's certificate of that role was made. */
struct fake_snp_how fake_snp_how(const struct fake_snp *f, enum snp_role role);
X509 *fake_snp_cert(const struct fake_snp_how *how);

/* Signs f->report anew. */
void fake_snp_sign(struct fake_snp *f);
/* Fills f->table anew: VCEK (or VLEK), ASK, ARK without gaps, in DER. */
void fake_snp_table(struct fake_snp *f, bool vlek);

#endif
