/* The certificates under a report: VCEK or VLEK (together "VEK"), ASK or ASVK, ARK (AMD 57230). */
#ifndef PAVISE_ATTEST_SNP_CERT_H
#define PAVISE_ATTEST_SNP_CERT_H

#include "attest/snp/cert_table.h"
#include "attest/snp/report.h"
#include "attest/x509/cert_cache.h"
#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_CERT_FILE_MAX 65536u /* bytes, that of attest/x509/cert.h */

enum snp_role { SNP_ROLE_VEK, SNP_ROLE_ASK, SNP_ROLE_ARK, SNP_ROLES };

/* NULL: not given. Owned; snp_certs_free. */
struct snp_certs {
	X509 *cert[SNP_ROLES];
	struct cert_cache *cache; /* borrowed, to read and check with; NULL: none */
};

/* "VEK", "ASK", "ARK". */
const char *snp_role_name(enum snp_role role);

/* Takes every certificate of size bytes, DER or PEM (attest/x509/cert.h). Which one it is, its
 * form tells (issued by itself: ARK; EC key: VEK; else ASK); the checks prove it. `object` names
 * the bytes in texts. -EX_MALFORMED: no certificate, not in the one form that DER allows, or
 * two different ones of a role. */
int snp_certs_add(struct snp_certs *c, const char *object, const uint8_t *data, size_t size,
		  struct err *e);

/* Takes from a table what is still missing, by its GUIDs. -EX_MALFORMED. */
int snp_certs_add_table(struct snp_certs *c, const struct snp_cert_table *t,
			enum snp_signing_key key, struct err *e);

void snp_certs_free(struct snp_certs *c);

/* What AMD's extensions of a VEK say. */
struct snp_vek {
	bool is_vlek; /* names a provider (cspID), no chip (hwID) */
	uint32_t struct_version;
	enum snp_product product;
	char product_name[32], csp[128]; /* csp: VLEK only */
	uint8_t tcb[SNP_TCB_SIZE];	 /* in the product's layout, as REPORTED_TCB */
	uint8_t hwid[SNP_CHIP_ID_SIZE];
	size_t hwid_size; /* 64, 8 (Turin) or 0 (VLEK) */
};

/* -EX_MALFORMED: an extension missing, twice, of another encoding or value; an unknown critical
 * one; both or neither of hwID and cspID. -EX_REFUSED: a product that is not known. */
int snp_vek_parse(X509 *cert, struct snp_vek *out, struct err *e);

/* Is cert signed by issuer, named as its issuer, with RSASSA-PSS as AMD does (SHA-384, MGF1 with
 * SHA-384, salt of 48 bytes), by a key of RSA 4096? -EX_UNAUTHENTIC, also when issuer may not
 * issue. cache: of certificates, NULL: none. */
int snp_cert_check_issuer(enum snp_role role, X509 *cert, X509 *issuer, struct cert_cache *cache,
			  struct err *e);

/* The product whose ARK has this key, SNP_UNKNOWN: none that is pinned. */
enum snp_product snp_pinned_product(const uint8_t digest[48]);

#endif
