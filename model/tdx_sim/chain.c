#include "model/tdx_sim/chain.h"

#include "model/certificate.h"
#include "model/tdx_sim/module.h"
#include "model/tdx_sim/sgx_extension.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define UNIT "SIMULATED"
#define LIFE_YEARS 25
#define DAY (24L * 60 * 60)

enum role { PCK = TDX_CHAIN_PCK, CA = TDX_CHAIN_CA, ROOT = TDX_CHAIN_ROOT, SIGNING, ROLES };

/* The signing certificate keeps its form: those who look for it read its name. */
static const struct {
	const char *name, *constraints, *usage;
	enum role issuer;
} roles[ROLES] = {
	[PCK] = { "SIMULATED SGX PCK Certificate", "critical,CA:FALSE",
		  "critical,digitalSignature,nonRepudiation", CA },
	[CA] = { "SIMULATED SGX PCK Platform CA", "critical,CA:TRUE,pathlen:0",
		 "critical,keyCertSign,cRLSign", ROOT },
	[ROOT] = { "SIMULATED SGX Root CA", "critical,CA:TRUE,pathlen:1",
		   "critical,keyCertSign,cRLSign", ROOT },
	[SIGNING] = { "Intel SGX TCB Signing", "critical,CA:FALSE",
		      "critical,digitalSignature,nonRepudiation", ROOT },
};

static bool add_platform(X509 *x)
{
	uint8_t id[16], extension[SGX_EXTENSION_MAX];
	size_t n = RAND_bytes(id, sizeof(id)) == 1 ? sgx_extension_make(id, extension) : 0;

	return n > 0 && certificate_add_extension(x, SGX_EXTENSION_OID, extension, (int)n);
}

static X509 *issue(enum role role, EVP_PKEY *const key[ROLES])
{
	X509 *x = X509_new();
	bool good = x != NULL && certificate_set_frame(x, role + 1u, LIFE_YEARS, key[role]) &&
		    certificate_set_name(X509_get_subject_name(x), UNIT, roles[role].name) &&
		    certificate_set_name(X509_get_issuer_name(x), UNIT,
					 roles[roles[role].issuer].name) &&
		    certificate_add_text(x, NID_basic_constraints, roles[role].constraints) &&
		    certificate_add_text(x, NID_key_usage, roles[role].usage) &&
		    (role != PCK || add_platform(x)) && certificate_add_simulated(x) &&
		    X509_sign(x, key[roles[role].issuer], EVP_sha256()) > 0;

	if (good)
		return x;
	X509_free(x);
	return NULL;
}

/* An empty list (RFC 5280, version 2), as of yesterday. */
static X509_CRL *list(enum role issuer, EVP_PKEY *const key[ROLES])
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	ASN1_TIME *first = X509_gmtime_adj(NULL, -DAY);
	ASN1_TIME *next = X509_time_adj_ex(NULL, LIFE_YEARS * 365, 0, NULL);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	bool good = crl != NULL && first != NULL && next != NULL && number != NULL &&
		    certificate_set_name(name, UNIT, roles[issuer].name) &&
		    X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		    X509_CRL_set_issuer_name(crl, name) == 1 &&
		    X509_CRL_set1_lastUpdate(crl, first) == 1 &&
		    X509_CRL_set1_nextUpdate(crl, next) == 1 && ASN1_INTEGER_set(number, 1) == 1 &&
		    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1 &&
		    X509_CRL_sign(crl, key[issuer], EVP_sha256()) > 0;

	ASN1_INTEGER_free(number);
	ASN1_TIME_free(next);
	ASN1_TIME_free(first);
	X509_NAME_free(name);
	if (good)
		return crl;
	X509_CRL_free(crl);
	return NULL;
}

/* Takes the text out of bio, which ends. */
static bool take(BIO *bio, bool good, size_t max, char **out, size_t *size)
{
	char *data = NULL;
	long n = bio != NULL ? BIO_get_mem_data(bio, &data) : 0;

	if (good && n > 0 && (size_t)n <= max)
		*out = OPENSSL_memdup(data, (size_t)n);
	*size = *out != NULL ? (size_t)n : 0;
	BIO_free(bio);
	return *out != NULL;
}

static bool write_certs(EVP_PKEY *const key[ROLES], struct tdx_chain_made *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio != NULL;

	for (unsigned i = PCK; i <= ROOT && good; i++) {
		X509 *x = issue((enum role)i, key);
		good = x != NULL && PEM_write_bio_X509(bio, x) == 1;
		X509_free(x);
	}
	return take(bio, good, TDX_SIM_CHAIN_MAX, &out->certs, &out->certs_size);
}

static bool write_signing(EVP_PKEY *const key[ROLES], struct tdx_chain_made *out)
{
	X509_CRL *root = list(ROOT, key), *ca = list(CA, key);
	X509 *signer = issue(SIGNING, key);
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio != NULL && root != NULL && ca != NULL && signer != NULL &&
		    PEM_write_bio_X509(bio, signer) == 1 &&
		    PEM_write_bio_X509_CRL(bio, root) == 1 && PEM_write_bio_X509_CRL(bio, ca) == 1;

	X509_CRL_free(root);
	X509_CRL_free(ca);
	X509_free(signer);
	return take(bio, good, CHAIN_SIGNING_MAX, &out->signing, &out->signing_size);
}

int tdx_chain_make(struct tdx_chain_made *out, struct err *e)
{
	EVP_PKEY *key[ROLES];
	bool good = true;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ROLES; i++) {
		key[i] = EVP_EC_gen("P-256");
		good = good && key[i] != NULL;
	}
	good = good && write_certs(key, out) && write_signing(key, out) &&
	       certificate_key_der(key[PCK], &out->pck_key, &out->pck_key_size) &&
	       certificate_key_der(key[SIGNING], &out->signing_key, &out->signing_key_size);
	/* libcrypto overwrites private numbers when it frees a key. */
	for (unsigned i = 0; i < ROLES; i++)
		EVP_PKEY_free(key[i]);
	if (good)
		return 0;
	tdx_chain_made_free(out);
	return err_set(e, EX_INTERNAL, "tdx: libcrypto cannot make the simulated chain");
}

void tdx_chain_made_free(struct tdx_chain_made *c)
{
	OPENSSL_clear_free(c->pck_key, c->pck_key_size);
	OPENSSL_clear_free(c->signing_key, c->signing_key_size);
	OPENSSL_free(c->certs);
	OPENSSL_free(c->signing);
	memset(c, 0, sizeof(*c));
}

X509 *tdx_chain_certificate(const void *pem, size_t size, unsigned place)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	X509 *x = NULL;

	for (unsigned i = 0; bio != NULL && i <= place; i++) {
		X509_free(x);
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	}
	BIO_free(bio);
	return x;
}

X509_CRL *tdx_chain_list(const void *pem, size_t size, unsigned place)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	X509_CRL *crl = NULL;

	for (unsigned i = 0; bio != NULL && i <= place; i++) {
		X509_CRL_free(crl);
		crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	}
	BIO_free(bio);
	return crl;
}

int tdx_chain_load(const uint8_t *key, size_t key_size, const uint8_t *certs, size_t certs_size,
		   EVP_PKEY **pck, struct err *e)
{
	X509 *cert = certs_size <= TDX_SIM_CHAIN_MAX ?
			     tdx_chain_certificate(certs, certs_size, TDX_CHAIN_PCK) : NULL;

	*pck = cert != NULL ? certificate_key_read(key, key_size) : NULL;
	bool good = *pck != NULL && X509_check_private_key(cert, *pck) == 1;
	X509_free(cert);
	if (good)
		return 0;
	EVP_PKEY_free(*pck);
	*pck = NULL;
	return err_set(e, EX_MALFORMED, "tdx: key and certificates do not belong together: remove "
		       "the state folder to make a new platform");
}
