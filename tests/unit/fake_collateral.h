/* A vendor with a private root, as Intel is one: its certificates, lists and signed answers, made
 * with keys of a moment. */
#ifndef PAVISE_TESTS_UNIT_FAKE_COLLATERAL_H
#define PAVISE_TESTS_UNIT_FAKE_COLLATERAL_H

#include "tests/unit/fake_tcb.h"
#include "tests/unit/fake_x509.h"

#define FAKE_DER_SIZE 4096u
#define FAKE_PEM_SIZE 8192u

struct fake_collateral {
	EVP_PKEY *root_key, *ca_key, *signer_key;
	X509 *root, *ca, *signer;
	char tcb[FAKE_TCB_TEXT], qe[FAKE_TCB_TEXT];		   /* the signed answers */
	char signer_chain[FAKE_PEM_SIZE], ca_chain[FAKE_PEM_SIZE]; /* PEM, with the root */
	uint8_t root_crl[FAKE_DER_SIZE], pck_crl[FAKE_DER_SIZE];
	size_t root_crl_size, pck_crl_size;
	uint8_t root_digest[48];
};

/* Everything good at FAKE_X509_NOW; aborts on failure. */
void fake_collateral_make(struct fake_collateral *f);
void fake_collateral_free(struct fake_collateral *f);

/* Signs anew. */
void fake_collateral_tcb(struct fake_collateral *f, const struct fake_tcb *how);
void fake_collateral_qe(struct fake_collateral *f, const struct fake_qe *how);
/* A list of the root's (serial numbers: signer 3, CA 2) or of the CA's. */
void fake_collateral_root_crl(struct fake_collateral *f, const struct fake_crl *how);
void fake_collateral_pck_crl(struct fake_collateral *f, const struct fake_crl *how);
/* The signing certificate, made otherwise (names and keys are filled in when NULL). */
void fake_collateral_signer(struct fake_collateral *f, const struct fake_cert *how);

/* The same as the JSON form in which quote libraries hand it on (free it). lists: how those
 * are written, "hex", "base64" or "pem". */
char *fake_collateral_form(const struct fake_collateral *f, const char *lists);

#endif
