#include "tests/unit/fake_snp.h"

#include "common/bytes.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define YEAR (365l * 24 * 3600)
#define AMD_OID "1.3.6.1.4.1.3704.1."

static const uint8_t genoa_tcb[SNP_TCB_SIZE] = { 10, 0, 0, 0, 0, 0, 23, 200 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Keys of 4096 bits take seconds. Where many programs run one after the other, the folder that
 * PAVISE_FAKE_KEYS names keeps them (tests/mutate_checks.py): the nth of a program is the nth of
 * the next one. */
EVP_PKEY *fake_snp_rsa(unsigned bits)
{
	static unsigned made;
	const char *folder = getenv("PAVISE_FAKE_KEYS");
	char whole[512], path[540];

	if (folder == NULL) {
		EVP_PKEY *key = EVP_RSA_gen(bits);
		must(key != NULL);
		return key;
	}
	snprintf(whole, sizeof(whole), "%s/rsa-%u-%u", folder, bits, made++);
	FILE *f = fopen(whole, "r");
	EVP_PKEY *key = f != NULL ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : EVP_RSA_gen(bits);
	must(key != NULL);
	if (f == NULL) {
		/* Whole or not at all: two programs may be at it. */
		snprintf(path, sizeof(path), "%s.%d", whole, (int)getpid());
		f = fopen(path, "w");
		must(f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
		must(rename(path, whole) == 0);
	}
	fclose(f);
	return key;
}

EVP_PKEY *fake_snp_ec(const char *group)
{
	EVP_PKEY *key = EVP_EC_gen(group);

	must(key != NULL);
	return key;
}

static void set_name(X509_NAME *name, const char *common)
{
	must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
					(const unsigned char *)"pavise test", -1, -1, 0) &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1,
					-1, 0));
}

static void add_raw(X509 *cert, const char *oid, const void *data, size_t size, int critical)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *text = ASN1_OCTET_STRING_new();

	must(obj != NULL && text != NULL && ASN1_OCTET_STRING_set(text, data, (int)size));
	X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, text);
	must(ext != NULL && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(obj);
	ASN1_OCTET_STRING_free(text);
}

/* One of AMD's extensions, unless it is to be dropped, doubled or replaced. */
static void add_amd(X509 *cert, const struct fake_snp_how *how, const char *end, const void *data,
		    size_t size)
{
	char oid[64];

	snprintf(oid, sizeof(oid), AMD_OID "%s", end);
	if (how->drop != NULL && strcmp(how->drop, end) == 0)
		return;
	if (how->raw_oid != NULL && strcmp(how->raw_oid, end) == 0)
		add_raw(cert, oid, how->raw, how->raw_size, 0);
	else
		add_raw(cert, oid, data, size, 0);
	if (how->twice != NULL && strcmp(how->twice, end) == 0)
		add_raw(cert, oid, data, size, 0);
}

static void add_integer(X509 *cert, const struct fake_snp_how *how, const char *end, uint8_t v)
{
	uint8_t low[] = { 2, 1, v }, high[] = { 2, 2, 0, v };

	if (v < 0x80)
		add_amd(cert, how, end, low, sizeof(low));
	else
		add_amd(cert, how, end, high, sizeof(high));
}

static void add_text(X509 *cert, const struct fake_snp_how *how, const char *end, const char *text)
{
	uint8_t data[130] = { 0x16, (uint8_t)strlen(text) };

	memcpy(data + 2, text, strlen(text));
	add_amd(cert, how, end, data, strlen(text) + 2);
}

static void add_vek_extensions(X509 *cert, const struct fake_snp_how *how)
{
	static const char *const old[] = { "3.1", "3.2", "3.4", "3.5", "3.6", "3.7", "3.3", "3.8" };
	static const char *const fmc[] = { "3.9", "3.1", "3.2", "3.3", "3.5", "3.6", "3.7", "3.8" };
	uint8_t octets[66] = { 4, (uint8_t)how->hwid_size };

	add_integer(cert, how, "1", (uint8_t)how->struct_version);
	add_text(cert, how, "2", how->product);
	for (unsigned i = 0; i < SNP_TCB_SIZE; i++)
		add_integer(cert, how, how->struct_version == 0 ? old[i] : fmc[i], how->tcb[i]);
	if (how->hwid_size > 0 && how->hwid_octets) {
		memcpy(octets + 2, how->hwid, how->hwid_size);
		add_amd(cert, how, "4", octets, how->hwid_size + 2);
	} else if (how->hwid_size > 0) {
		add_amd(cert, how, "4", how->hwid, how->hwid_size);
	}
	if (how->csp != NULL)
		add_text(cert, how, "5", how->csp);
}

static void add_ca_extensions(X509 *cert, const struct fake_snp_how *how)
{
	static const uint8_t ca[] = { 0x30, 3, 1, 1, 0xFF }, none[] = { 0x30, 0 };
	static const uint8_t sign[] = { 3, 2, 1, 6 }, encipher[] = { 3, 2, 5, 0x20 };

	add_raw(cert, "2.5.29.19", how->ca ? ca : none, how->ca ? sizeof(ca) : sizeof(none), 1);
	add_raw(cert, "2.5.29.15", how->key_usage ? sign : encipher, sizeof(sign), 1);
}

static void sign_cert(X509 *cert, const struct fake_snp_how *how)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;

	must(md != NULL && EVP_DigestSignInit(md, &ctx, how->md, NULL, how->issuer_key) > 0);
	if (EVP_PKEY_is_a(how->issuer_key, "RSA") && !how->pkcs1)
		must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, how->salt) > 0);
	must(X509_sign_ctx(cert, md) > 0);
	EVP_MD_CTX_free(md);
}

X509 *fake_snp_cert(const struct fake_snp_how *how)
{
	X509 *cert = X509_new();

	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) &&
	     ASN1_INTEGER_set(X509_get_serialNumber(cert), how->serial) &&
	     X509_set_pubkey(cert, how->key) &&
	     ASN1_TIME_set(X509_getm_notBefore(cert), FAKE_SNP_NOW + how->from) &&
	     ASN1_TIME_set(X509_getm_notAfter(cert), FAKE_SNP_NOW + how->to));
	set_name(X509_get_subject_name(cert), how->subject);
	set_name(X509_get_issuer_name(cert), how->issuer);
	if (how->is_vek)
		add_vek_extensions(cert, how);
	else
		add_ca_extensions(cert, how);
	if (how->critical)
		add_raw(cert, "1.3.6.1.4.1.99999.1", "\5\0", 2, 1);
	sign_cert(cert, how);
	/* As from a file: libcrypto has seen every byte of it. */
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	const unsigned char *p = der;
	must(n > 0);
	X509_free(cert);
	cert = d2i_X509(NULL, &p, n);
	OPENSSL_free(der);
	must(cert != NULL);
	return cert;
}

struct fake_snp_how fake_snp_how(const struct fake_snp *f, enum snp_role role)
{
	struct fake_snp_how how = { .from = -YEAR,
				    .to = 6 * YEAR,
				    .ca = true,
				    .key_usage = true,
				    .salt = 48,
				    .md = EVP_sha384(),
				    .issuer = "ARK-Test",
				    .issuer_key = f->ark_key };

	if (role == SNP_ROLE_ARK) {
		how.subject = "ARK-Test";
		how.key = f->ark_key;
		how.serial = 1;
	} else if (role == SNP_ROLE_ASK) {
		how.subject = "SEV-Test";
		how.key = f->ask_key;
		how.serial = 2;
	} else {
		how.subject = "SEV-VCEK";
		how.key = f->vek_key;
		how.issuer = "SEV-Test";
		how.issuer_key = f->ask_key;
		how.is_vek = true;
		how.product = "Genoa";
		memcpy(how.tcb, genoa_tcb, sizeof(how.tcb));
		how.hwid = f->report + 0x1A0;
		how.hwid_size = SNP_CHIP_ID_SIZE;
	}
	return how;
}

static void make_report(uint8_t *r)
{
	static const unsigned tcbs[] = { 0x38, 0x180, 0x1E0, 0x1F0 };

	memset(r, 0, SNP_REPORT_SIZE);
	r[0x00] = 3;	/* VERSION */
	r[0x0A] = 0x03; /* POLICY 0x30000 */
	r[0x34] = 1;	/* SIGNATURE_ALGO */
	memset(r + 0x50, 'd', 64);
	memset(r + 0x90, 'm', 48);
	memset(r + 0xC0, 'h', 32);
	memset(r + 0x160, 0xFF, 32);
	for (size_t i = 0; i < sizeof(tcbs) / sizeof(tcbs[0]); i++)
		memcpy(r + tcbs[i], genoa_tcb, sizeof(genoa_tcb));
	r[0x188] = 0x19; /* Genoa */
	r[0x189] = 0x11;
	r[0x18A] = 1;
	for (unsigned i = 0; i < 64; i++)
		r[0x1A0 + i] = (uint8_t)(0x40 + i);
}

void fake_snp_sign(struct fake_snp *f)
{
	unsigned char der[160];
	const unsigned char *p = der;
	size_t n = sizeof(der);
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	must(md != NULL && EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, f->vek_key) > 0 &&
	     EVP_DigestSign(md, der, &n, f->report, SNP_REPORT_SIGNED) > 0);
	EVP_MD_CTX_free(md);
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	must(sig != NULL);
	memset(f->report + SNP_REPORT_SIGNED, 0, SNP_REPORT_SIZE - SNP_REPORT_SIGNED);
	must(BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), f->report + SNP_REPORT_SIGNED, 72) == 72 &&
	     BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), f->report + SNP_REPORT_SIGNED + 72, 72) == 72);
	ECDSA_SIG_free(sig);
}

void fake_snp_table(struct fake_snp *f, bool vlek)
{
	static const char *const guids[] = { "63da758de6644564adc5f4b93be8accd",
					     "4ab7b379bbac4fe4a02f05aef327c782",
					     "c0b406a4a80349529743"
					     "3fb6014cd0ae" };
	X509 *certs[] = { f->vek, f->ask, f->ark };
	struct writer w = writer_over(f->table, sizeof(f->table));
	size_t at = (size_t)4 * 24;

	memset(f->table, 0, sizeof(f->table));
	for (unsigned i = 0; i < 3; i++) {
		uint8_t guid[16];
		unsigned char *der = NULL;
		int n = i2d_X509(certs[i], &der);

		must(n > 0 && at + (size_t)n <= sizeof(f->table));
		must(hex_decode(i == 0 && vlek ? "a8074bc2a25a483eaae639c045a0b8a1" : guids[i],
				guid, sizeof(guid)));
		write_copy(&w, guid, sizeof(guid));
		write_le32(&w, (uint32_t)at);
		write_le32(&w, (uint32_t)n);
		memcpy(f->table + at, der, (size_t)n);
		at += (size_t)n;
		OPENSSL_free(der);
	}
	f->table_size = at;
}

void fake_snp_make(struct fake_snp *f)
{
	memset(f, 0, sizeof(*f));
	f->ark_key = fake_snp_rsa(4096);
	f->ask_key = fake_snp_rsa(4096);
	f->vek_key = fake_snp_ec("P-384");
	make_report(f->report);
	struct fake_snp_how ark = fake_snp_how(f, SNP_ROLE_ARK);
	struct fake_snp_how ask = fake_snp_how(f, SNP_ROLE_ASK);
	struct fake_snp_how vek = fake_snp_how(f, SNP_ROLE_VEK);
	f->ark = fake_snp_cert(&ark);
	f->ask = fake_snp_cert(&ask);
	f->vek = fake_snp_cert(&vek);
	fake_snp_sign(f);
	fake_snp_table(f, false);
}

void fake_snp_free(struct fake_snp *f)
{
	EVP_PKEY_free(f->ark_key);
	EVP_PKEY_free(f->ask_key);
	EVP_PKEY_free(f->vek_key);
	X509_free(f->ark);
	X509_free(f->ask);
	X509_free(f->vek);
	memset(f, 0, sizeof(*f));
}
