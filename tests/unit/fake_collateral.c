#include "tests/unit/fake_collateral.h"

#include "attest/x509/cert.h"
#include "common/bytes.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "Intel SGX Root CA"
#define CA "Intel SGX PCK Platform CA"
#define SIGNER "Intel SGX TCB Signing"

void fake_collateral_tcb(struct fake_collateral *f, const struct fake_tcb *how)
{
	static char body[FAKE_TCB_TEXT];

	fake_tcb_info(how, body, sizeof(body));
	fake_signed("tcbInfo", body, f->signer_key, f->tcb, sizeof(f->tcb));
}

void fake_collateral_qe(struct fake_collateral *f, const struct fake_qe *how)
{
	static char body[FAKE_TCB_TEXT];

	fake_qe_identity(how, body, sizeof(body));
	fake_signed("enclaveIdentity", body, f->signer_key, f->qe, sizeof(f->qe));
}

static size_t list(const struct fake_crl *how, const char *issuer, EVP_PKEY *key, uint8_t *out)
{
	struct fake_crl own = *how;

	own.issuer = own.issuer != NULL ? own.issuer : issuer;
	own.key = own.key != NULL ? own.key : key;
	X509_CRL *crl = fake_x509_crl(&own);
	size_t n = fake_crl_der(crl, out, FAKE_DER_SIZE);
	X509_CRL_free(crl);
	return n;
}

void fake_collateral_root_crl(struct fake_collateral *f, const struct fake_crl *how)
{
	f->root_crl_size = list(how, ROOT, f->root_key, f->root_crl);
}

void fake_collateral_pck_crl(struct fake_collateral *f, const struct fake_crl *how)
{
	f->pck_crl_size = list(how, CA, f->ca_key, f->pck_crl);
}

void fake_collateral_signer(struct fake_collateral *f, const struct fake_cert *how)
{
	struct fake_cert own = *how;

	own.subject = own.subject != NULL ? own.subject : SIGNER;
	own.issuer = own.issuer != NULL ? own.issuer : ROOT;
	own.key = own.key != NULL ? own.key : f->signer_key;
	own.issuer_key = own.issuer_key != NULL ? own.issuer_key : f->root_key;
	own.serial = 3;
	X509_free(f->signer);
	f->signer = fake_x509_cert(&own);
	f->signer_chain[0] = '\0';
	fake_cert_pem(f->signer, f->signer_chain, sizeof(f->signer_chain));
	fake_cert_pem(f->root, f->signer_chain, sizeof(f->signer_chain));
}

void fake_collateral_make(struct fake_collateral *f)
{
	const struct fake_tcb tcb = fake_tcb();
	const struct fake_qe qe = fake_qe();

	memset(f, 0, sizeof(*f));
	f->root_key = fake_p256();
	f->ca_key = fake_p256();
	f->signer_key = fake_p256();
	f->root = fake_x509_cert(&(struct fake_cert){
		.subject = ROOT, .key = f->root_key, .serial = 1, .ca = true });
	f->ca = fake_x509_cert(&(struct fake_cert){ .subject = CA,
						    .issuer = ROOT,
						    .key = f->ca_key,
						    .issuer_key = f->root_key,
						    .serial = 2,
						    .ca = true });
	fake_collateral_signer(f, &(struct fake_cert){ 0 });
	fake_cert_pem(f->ca, f->ca_chain, sizeof(f->ca_chain));
	fake_cert_pem(f->root, f->ca_chain, sizeof(f->ca_chain));
	fake_collateral_tcb(f, &tcb);
	fake_collateral_qe(f, &qe);
	fake_collateral_root_crl(f, &(struct fake_crl){ 0 });
	fake_collateral_pck_crl(f, &(struct fake_crl){ 0 });
	if (cert_key_digest(f->root, f->root_digest) < 0)
		abort();
}

void fake_collateral_free(struct fake_collateral *f)
{
	EVP_PKEY_free(f->root_key);
	EVP_PKEY_free(f->ca_key);
	EVP_PKEY_free(f->signer_key);
	X509_free(f->root);
	X509_free(f->ca);
	X509_free(f->signer);
	memset(f, 0, sizeof(*f));
}

static void set_list(json_t *j, const char *key, const uint8_t *der, size_t n, const char *how)
{
	char text[2 * FAKE_DER_SIZE + 1];

	if (strcmp(how, "hex") == 0) {
		hex_encode(der, n, text);
	} else if (strcmp(how, "base64") == 0) {
		EVP_EncodeBlock((uint8_t *)text, der, (int)n);
	} else {
		const uint8_t *p = der;
		X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)n);
		BIO *bio = BIO_new(BIO_s_mem());
		if (crl == NULL || bio == NULL || PEM_write_bio_X509_CRL(bio, crl) != 1)
			abort();
		int size = BIO_read(bio, text, sizeof(text) - 1);
		text[size > 0 ? size : 0] = '\0';
		BIO_free(bio);
		X509_CRL_free(crl);
	}
	json_object_set_new(j, key, json_string(text));
}

/* {"key":BODY,"signature":"HEX"} apart again. */
static void set_signed(json_t *j, const char *key, const char *signature_key, const char *answer)
{
	const char *body = strchr(answer, ':') + 1, *end = strstr(answer, ",\"signature\":\"");

	json_object_set_new(j, key, json_stringn(body, (size_t)(end - body)));
	json_object_set_new(j, signature_key, json_stringn(end + strlen(",\"signature\":\""), 128));
}

char *fake_collateral_form(const struct fake_collateral *f, const char *lists)
{
	json_t *j = json_object();

	set_signed(j, "tcb_info", "tcb_info_signature", f->tcb);
	set_signed(j, "qe_identity", "qe_identity_signature", f->qe);
	json_object_set_new(j, "tcb_info_issuer_chain", json_string(f->signer_chain));
	json_object_set_new(j, "qe_identity_issuer_chain", json_string(f->signer_chain));
	json_object_set_new(j, "pck_crl_issuer_chain", json_string(f->ca_chain));
	set_list(j, "root_ca_crl", f->root_crl, f->root_crl_size, lists);
	set_list(j, "pck_crl", f->pck_crl, f->pck_crl_size, lists);
	char *text = json_dumps(j, 0);
	json_decref(j);
	if (text == NULL)
		abort();
	return text;
}
