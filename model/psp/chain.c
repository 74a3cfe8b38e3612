#include "model/psp/chain.h"

#include "common/bytes.h"
#include "model/certificate.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."
#define UNIT "Engineering"
#define LIFE_YEARS 25

/* GHCB 56421 "Certificate Table": GUIDs in the byte order they are written in. */
#define GUID 16u
#define ENTRY (GUID + 8u)
#define ROLES 3u
static const uint8_t guid[ROLES][GUID] = {
	[CHAIN_VCEK] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
			 0x3b, 0xe8, 0xac, 0xcd },
	[CHAIN_ASK] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
			0xf3, 0x27, 0xc7, 0x82 },
	[CHAIN_ARK] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
			0x01, 0x4c, 0xd0, 0xae },
};

/* The VCEK's name keeps its form: what tells VCEK from VLEK reads it. */
static const char *const common_name[ROLES] = {
	[CHAIN_VCEK] = "SEV-VCEK SIMULATED",
	[CHAIN_ASK] = "SEV-Genoa SIMULATED",
	[CHAIN_ARK] = "ARK-Genoa SIMULATED",
};

/* TCB_VERSION of Genoa, and the extension each component has in the VCEK. */
static const struct {
	const char *oid;
	uint8_t value;
	int at; /* byte of TCB_VERSION; -1: not in it */
} components[] = {
	{ AMD_ARC "3.1", 10, 0 }, /* boot loader */
	{ AMD_ARC "3.2", 0, 1 },  /* TEE */
	{ AMD_ARC "3.3", 23, 6 }, /* SNP */
	{ AMD_ARC "3.4", 0, -1 }, { AMD_ARC "3.5", 0, -1 },
	{ AMD_ARC "3.6", 0, -1 }, { AMD_ARC "3.7", 0, -1 },
	{ AMD_ARC "3.8", 84, 7 }, /* microcode */
};
#define COMPONENTS (sizeof(components) / sizeof(components[0]))

static bool add_integer(X509 *x, const char *oid, uint8_t v)
{
	const uint8_t small[] = { 2, 1, v }, large[] = { 2, 2, 0, v };

	return v < 0x80 ? certificate_add_extension(x, oid, small, sizeof(small))
			: certificate_add_extension(x, oid, large, sizeof(large));
}

/* RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48 bytes: as AMD signs. */
static bool sign(X509 *x, EVP_PKEY *issuer)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool good = ctx != NULL &&
		    EVP_DigestSignInit(ctx, &pctx, EVP_sha384(), NULL, issuer) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha384()) > 0 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 48) > 0 && X509_sign_ctx(x, ctx) > 0;

	EVP_MD_CTX_free(ctx);
	return good;
}

static bool add_authority(X509 *x)
{
	return certificate_add_text(x, NID_basic_constraints, "critical,CA:TRUE") &&
	       certificate_add_text(x, NID_key_usage, "critical,keyCertSign,cRLSign");
}

static bool add_chip(X509 *x, const uint8_t id[64])
{
	bool good = add_integer(x, AMD_ARC "1", 0) &&
		    certificate_add_string(x, AMD_ARC "2", V_ASN1_IA5STRING, "Genoa") &&
		    certificate_add_extension(x, AMD_ARC "4", id, 64);

	for (size_t i = 0; good && i < COMPONENTS; i++)
		good = add_integer(x, components[i].oid, components[i].value);
	return good;
}

/* A certificate over key in that role, signed by issuer. id: of the chip, VCEK only. */
static X509 *issue(enum chain_role role, EVP_PKEY *key, EVP_PKEY *issuer, const uint8_t *id)
{
	const enum chain_role from = role == CHAIN_VCEK ? CHAIN_ASK : CHAIN_ARK;
	X509 *x = X509_new();
	bool good = x != NULL &&
		    /* A VCEK has serial number 0 (57230). */
		    certificate_set_frame(x, role == CHAIN_VCEK ? 0 : role, LIFE_YEARS, key) &&
		    certificate_set_name(X509_get_subject_name(x), UNIT, common_name[role]) &&
		    certificate_set_name(X509_get_issuer_name(x), UNIT, common_name[from]) &&
		    (role == CHAIN_VCEK ? add_chip(x, id) : add_authority(x)) &&
		    certificate_add_simulated(x) && sign(x, issuer);

	if (good)
		return x;
	X509_free(x);
	return NULL;
}

static uint8_t *write_table(X509 *const cert[ROLES], size_t *size)
{
	uint8_t *der[ROLES] = { NULL };
	int der_size[ROLES];
	size_t total = (size_t)(ROLES + 1) * ENTRY;
	uint32_t offset = (uint32_t)total;
	bool good = true;

	for (size_t i = 0; i < ROLES; i++) {
		der_size[i] = i2d_X509(cert[i], &der[i]);
		good = good && der_size[i] > 0;
		total += der_size[i] > 0 ? (size_t)der_size[i] : 0;
	}
	uint8_t *out = good && total <= PSP_CERTS_MAX ? OPENSSL_malloc(total) : NULL;
	struct writer w = writer_over(out, out != NULL ? total : 0);
	for (size_t i = 0; i < ROLES && out != NULL; i++) {
		write_copy(&w, guid[i], GUID);
		write_le32(&w, offset);
		write_le32(&w, (uint32_t)der_size[i]);
		offset += (uint32_t)der_size[i];
	}
	write_zeros(&w, ENTRY);
	for (size_t i = 0; i < ROLES && out != NULL; i++)
		write_copy(&w, der[i], (size_t)der_size[i]);
	for (size_t i = 0; i < ROLES; i++)
		OPENSSL_free(der[i]);
	*size = total;
	return out;
}

int chain_make(uint8_t **key, size_t *key_size, uint8_t **table, size_t *table_size,
	       struct err *e)
{
	EVP_PKEY *ark = EVP_RSA_gen(4096), *ask = EVP_RSA_gen(4096), *vcek = EVP_EC_gen("P-384");
	X509 *cert[ROLES] = { NULL };
	uint8_t id[64];

	*key = *table = NULL;
	if (ark != NULL && ask != NULL && vcek != NULL && RAND_bytes(id, sizeof(id)) == 1) {
		cert[CHAIN_ARK] = issue(CHAIN_ARK, ark, ark, NULL);
		cert[CHAIN_ASK] = issue(CHAIN_ASK, ask, ark, NULL);
		cert[CHAIN_VCEK] = issue(CHAIN_VCEK, vcek, ask, id);
	}
	/* libcrypto overwrites private numbers when it frees a key. */
	EVP_PKEY_free(ark);
	EVP_PKEY_free(ask);
	if (cert[CHAIN_ARK] != NULL && cert[CHAIN_ASK] != NULL && cert[CHAIN_VCEK] != NULL &&
	    certificate_key_der(vcek, key, key_size))
		*table = write_table(cert, table_size);
	EVP_PKEY_free(vcek);
	for (size_t i = 0; i < ROLES; i++)
		X509_free(cert[i]);
	if (*table != NULL)
		return 0;
	if (*key != NULL)
		OPENSSL_clear_free(*key, *key_size);
	*key = NULL;
	return err_set(e, EX_INTERNAL, "psp: libcrypto cannot make the simulated chain");
}

X509 *chain_certificate(const uint8_t *table, size_t table_size, enum chain_role role)
{
	static const uint8_t last[ENTRY];
	struct reader r = reader_over(table, table_size);

	for (;;) {
		const uint8_t *entry = read_view(&r, ENTRY);
		if (entry == NULL || memcmp(entry, last, ENTRY) == 0)
			return NULL;
		struct reader where = reader_over(entry + GUID, 8);
		uint32_t offset = read_le32(&where), size = read_le32(&where);
		if (memcmp(entry, guid[role], GUID) != 0)
			continue;
		if (offset > table_size || size > table_size - offset)
			return NULL;
		const uint8_t *der = table + offset;
		X509 *x = d2i_X509(NULL, &der, (long)size);
		if (x != NULL && der == table + offset + size)
			return x;
		X509_free(x);
		return NULL;
	}
}

/* The bytes of an extension; NULL: absent. Borrowed from x. */
static const ASN1_OCTET_STRING *extension(X509 *x, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = object != NULL ? X509_get_ext_by_OBJ(x, object, -1) : -1;

	ASN1_OBJECT_free(object);
	return at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(x, at)) : NULL;
}

static bool read_chip(X509 *vcek, struct psp_chip *chip)
{
	const ASN1_OCTET_STRING *id = extension(vcek, AMD_ARC "4");

	if (id == NULL || ASN1_STRING_length(id) != (int)sizeof(chip->id))
		return false;
	memcpy(chip->id, ASN1_STRING_get0_data(id), sizeof(chip->id));
	memset(chip->tcb, 0, sizeof(chip->tcb));
	for (size_t i = 0; i < COMPONENTS; i++) {
		const ASN1_OCTET_STRING *v = extension(vcek, components[i].oid);
		int n = v != NULL ? ASN1_STRING_length(v) : 0;
		if (n != 3 && n != 4)
			return false;
		if (components[i].at >= 0)
			chip->tcb[components[i].at] = ASN1_STRING_get0_data(v)[n - 1];
	}
	return true;
}

int chain_load(const void *key, size_t key_size, const uint8_t *table, size_t table_size,
	       struct psp_chip *chip, struct err *e)
{
	X509 *vcek = chain_certificate(table, table_size, CHAIN_VCEK);

	chip->key = certificate_key_read(key, key_size);
	bool good = chip->key != NULL && vcek != NULL && table_size <= PSP_CERTS_MAX &&
		    X509_check_private_key(vcek, chip->key) == 1 && read_chip(vcek, chip);
	X509_free(vcek);
	if (good) {
		chip->certs = table;
		chip->certs_size = table_size;
		return 0;
	}
	EVP_PKEY_free(chip->key);
	chip->key = NULL;
	return err_set(e, EX_MALFORMED, "psp: chip key and certificates do not belong together: "
		       "remove the state folder to make a new chip");
}
