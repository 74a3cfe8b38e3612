#include "tests/unit/fake_tdx.h"

#include "common/bytes.h"
#include "model/tdx_sim/ecdsa.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR (365l * 24 * 3600)
#define SGX_OID "1.2.840.113741.1.13.1"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void set_name(X509_NAME *name, const char *common)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1,
					-1, 0) &&
	     X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
					(const unsigned char *)"pavise test", -1, -1, 0));
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

static void add_ext(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext != NULL && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

/* ---- Intel's extension, in DER by hand: some tests want what a library would not write ---- */

static void put_tlv(struct writer *w, uint8_t tag, const void *data, size_t n)
{
	write_u8(w, tag);
	if (n >= 0x100) {
		write_u8(w, 0x82);
		write_be16(w, (uint16_t)n);
	} else if (n >= 0x80) {
		write_u8(w, 0x81);
		write_u8(w, (uint8_t)n);
	} else {
		write_u8(w, (uint8_t)n);
	}
	write_copy(w, data, n);
}

/* SEQUENCE { OID, value }: end is what follows SGX_OID, as "2.17"; unless it is to be dropped,
 * doubled or replaced. */
static void put_member(struct writer *w, const struct fake_tdx_how *how, const char *end,
		       const void *value, size_t n)
{
	uint8_t oid[16] = { 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01 }, data[1024];
	struct writer pair = writer_over(data, sizeof(data));
	size_t oid_size = 9;

	if (how->drop != NULL && strcmp(how->drop, end) == 0)
		return;
	for (const char *p = end; p != NULL; p = strchr(p, '.') ? strchr(p, '.') + 1 : NULL)
		oid[oid_size++] = (uint8_t)strtoul(p, NULL, 10);
	put_tlv(&pair, 6, oid, oid_size);
	if (how->raw_oid != NULL && strcmp(how->raw_oid, end) == 0)
		write_copy(&pair, how->raw, how->raw_size);
	else
		write_copy(&pair, value, n);
	put_tlv(w, 0x30, data, pair.pos);
	if (how->twice != NULL && strcmp(how->twice, end) == 0)
		put_tlv(w, 0x30, data, pair.pos);
}

static void put_octets(struct writer *w, const struct fake_tdx_how *how, const char *end,
		       const uint8_t *p, size_t n)
{
	uint8_t data[40];
	struct writer v = writer_over(data, sizeof(data));

	put_tlv(&v, 4, p, n);
	put_member(w, how, end, data, v.pos);
}

static void put_integer(struct writer *w, const struct fake_tdx_how *how, const char *end,
			uint16_t value)
{
	uint8_t be[3] = { 0, (uint8_t)(value >> 8), (uint8_t)value }, data[8];
	struct writer v = writer_over(data, sizeof(data));
	size_t skip = be[1] >= 0x80 ? 0 : be[1] != 0 ? 1 : be[2] >= 0x80 ? 1 : 2;

	put_tlv(&v, 2, be + skip, sizeof(be) - skip);
	put_member(w, how, end, data, v.pos);
}

static void put_list(struct writer *w, const struct fake_tdx_how *how, const char *end,
		     const struct writer *members)
{
	uint8_t data[1024];
	struct writer v = writer_over(data, sizeof(data));

	put_tlv(&v, 0x30, members->data, members->pos);
	put_member(w, how, end, data, v.pos);
}

static void put_tcb(struct writer *w, const struct fake_tdx_how *how)
{
	uint8_t data[1024];
	struct writer tcb = writer_over(data, sizeof(data));
	char end[8];

	for (unsigned i = 0; i < TDX_PCK_COMPONENTS; i++) {
		snprintf(end, sizeof(end), "2.%u", i + 1);
		put_integer(&tcb, how, end, how->pck.component[i]);
	}
	put_integer(&tcb, how, "2.17", how->pck.pce_svn);
	put_octets(&tcb, how, "2.18", how->pck.cpu_svn, sizeof(how->pck.cpu_svn));
	put_list(w, how, "2", &tcb);
}

static void put_configuration(struct writer *w, const struct fake_tdx_how *how)
{
	const bool bits[] = { how->pck.dynamic_platform, how->pck.cached_keys, how->pck.smt };
	uint8_t data[128];
	struct writer list = writer_over(data, sizeof(data));
	char end[8];

	for (unsigned i = 0; i < 3; i++) {
		uint8_t v[] = { 1, 1, bits[i] ? 0xFF : 0 };
		snprintf(end, sizeof(end), "7.%u", i + 1);
		put_member(&list, how, end, v, sizeof(v));
	}
	put_list(w, how, "7", &list);
}

size_t fake_tdx_sgx(const struct fake_tdx_how *how, uint8_t out[1024])
{
	const struct tdx_pck *p = &how->pck;
	uint8_t data[1024], type[] = { 0x0A, 1, p->sgx_type };
	struct writer w = writer_over(data, sizeof(data)), whole = writer_over(out, 1024);

	put_octets(&w, how, "1", p->ppid, sizeof(p->ppid));
	put_tcb(&w, how);
	put_octets(&w, how, "3", p->pce_id, sizeof(p->pce_id));
	put_octets(&w, how, "4", p->fmspc, sizeof(p->fmspc));
	put_member(&w, how, "5", type, sizeof(type));
	if (p->has_platform_instance)
		put_octets(&w, how, "6", p->platform_instance, sizeof(p->platform_instance));
	if (p->has_configuration)
		put_configuration(&w, how);
	put_tlv(&whole, 0x30, data, w.pos);
	must(!w.bad && !whole.bad);
	return whole.pos;
}

/* ---- certificates ---- */

static void add_use(X509 *cert, const struct fake_tdx_how *how)
{
	char text[64];

	if (how->ca && how->pathlen >= 0)
		snprintf(text, sizeof(text), "critical,CA:TRUE,pathlen:%d", how->pathlen);
	else
		snprintf(text, sizeof(text), "critical,CA:%s", how->ca ? "TRUE" : "FALSE");
	add_ext(cert, NID_basic_constraints, text);
	add_ext(cert, NID_key_usage,
		how->cert_sign		 ? "critical,keyCertSign,cRLSign"
		: how->digital_signature ? "critical,digitalSignature"
					 : "critical,keyAgreement");
}

X509 *fake_tdx_cert(const struct fake_tdx_how *how)
{
	X509 *cert = X509_new();
	uint8_t sgx[1024];

	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) &&
	     ASN1_INTEGER_set(X509_get_serialNumber(cert), how->serial) &&
	     X509_set_pubkey(cert, how->key) &&
	     ASN1_TIME_set(X509_getm_notBefore(cert), FAKE_TDX_NOW + how->from) &&
	     ASN1_TIME_set(X509_getm_notAfter(cert), FAKE_TDX_NOW + how->to));
	set_name(X509_get_subject_name(cert), how->subject);
	set_name(X509_get_issuer_name(cert), how->issuer);
	add_use(cert, how);
	if (how->sgx != NULL)
		add_raw(cert, SGX_OID, how->sgx, how->sgx_size, 0);
	else if (how->is_pck)
		add_raw(cert, SGX_OID, sgx, fake_tdx_sgx(how, sgx), 0);
	if (how->sgx_twice)
		add_raw(cert, SGX_OID, sgx, fake_tdx_sgx(how, sgx), 0);
	if (how->critical)
		add_raw(cert, "1.3.6.1.4.1.99999.1", "\5\0", 2, 1);
	must(X509_sign(cert, how->issuer_key, how->md) > 0);
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

static struct tdx_pck fake_pck(void)
{
	struct tdx_pck p = { .pce_svn = 11,
			     .fmspc = { 0xB0, 0xC0, 0x6F },
			     .sgx_type = 1,
			     .has_platform_instance = true,
			     .has_configuration = true,
			     .dynamic_platform = true,
			     .cached_keys = true };

	memset(p.ppid, 'p', sizeof(p.ppid));
	memset(p.platform_instance, 'i', sizeof(p.platform_instance));
	for (unsigned i = 0; i < TDX_PCK_COMPONENTS; i++) {
		p.component[i] = (uint8_t)(i * 17);
		p.cpu_svn[i] = (uint8_t)(i * 17);
	}
	return p;
}

struct fake_tdx_how fake_tdx_how(const struct fake_tdx *f, enum tdx_role role)
{
	static const char *const names[] = { "Test PCK Certificate", "Test PCK Platform CA",
					     "Test Root CA" };
	enum tdx_role issuer = role == TDX_ROLE_ROOT ? role : role + 1;
	struct fake_tdx_how how = { .subject = names[role],
				    .issuer = names[issuer],
				    .key = f->key[role],
				    .issuer_key = f->key[issuer],
				    .from = -YEAR,
				    .to = 6 * YEAR,
				    .serial = 100 + (long)role,
				    .md = EVP_sha256(),
				    .ca = role != TDX_ROLE_PCK,
				    .cert_sign = role != TDX_ROLE_PCK,
				    .digital_signature = true,
				    .pathlen = role == TDX_ROLE_ROOT ? 1 : 0,
				    .is_pck = role == TDX_ROLE_PCK,
				    .pck = fake_pck() };

	return how;
}

void fake_tdx_set(struct fake_tdx *f, enum tdx_role role, const struct fake_tdx_how *how)
{
	X509_free(f->chain.cert[role]);
	f->chain.cert[role] = fake_tdx_cert(how);
}

unsigned char *fake_tdx_crl(const struct fake_tdx *f, enum tdx_role issuer, EVP_PKEY *key,
			    long serial, long from, long to, size_t *size)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *this = ASN1_TIME_set(NULL, FAKE_TDX_NOW + from);
	ASN1_TIME *next = ASN1_TIME_set(NULL, FAKE_TDX_NOW + to);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char *der = NULL;

	must(crl != NULL && this != NULL && next != NULL && number != NULL &&
	     X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
	     X509_CRL_set_issuer_name(crl, X509_get_subject_name(f->chain.cert[issuer])) &&
	     X509_CRL_set1_lastUpdate(crl, this) && X509_CRL_set1_nextUpdate(crl, next) &&
	     ASN1_INTEGER_set(number, 1) &&
	     X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0));
	if (serial != 0) {
		X509_REVOKED *entry = X509_REVOKED_new();
		must(entry != NULL && ASN1_INTEGER_set(number, serial) &&
		     X509_REVOKED_set_serialNumber(entry, number) &&
		     X509_REVOKED_set_revocationDate(entry, this) &&
		     X509_CRL_add0_revoked(crl, entry));
	}
	must(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	int n = i2d_X509_CRL(crl, &der);
	must(n > 0);
	*size = (size_t)n;
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(this);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
	return der;
}

/* ---- quotes ---- */

void fake_tdx_ecdsa(EVP_PKEY *key, const void *data, size_t n, uint8_t rs[64])
{
	must(tdx_ecdsa_sign(key, data, n, rs));
}

static void put_chain(struct writer *w, const struct fake_tdx *f)
{
	for (unsigned i = 0; i < TDX_ROLES; i++) {
		BIO *text = BIO_new(BIO_s_mem());
		char *p;

		must(text != NULL);
		must(f->der ? i2d_X509_bio(text, f->chain.cert[i])
			    : PEM_write_bio_X509(text, f->chain.cert[i]));
		long n = BIO_get_mem_data(text, &p);
		write_copy(w, p, (size_t)n);
		BIO_free(text);
	}
	if (!f->der)
		write_u8(w, 0);
}

static void set_u32(uint8_t *p, size_t v)
{
	struct writer w = writer_over(p, 4);

	write_le32(&w, (uint32_t)v);
}

static void bind_key(struct fake_tdx *f, const uint8_t key[64])
{
	uint8_t data[64 + sizeof(f->qe_auth)];

	memcpy(data, key, 64);
	memcpy(data + 64, f->qe_auth, f->qe_auth_size);
	memset(f->qe_report + 320, 0, 64);
	must(EVP_Digest(data, 64 + f->qe_auth_size, f->qe_report + 320, NULL, EVP_sha256(), NULL));
}

void fake_tdx_sign(struct fake_tdx *f)
{
	struct writer w = writer_over(f->quote, sizeof(f->quote));
	size_t body = f->body_type == TDX_BODY_TD_1_5 ? 648 : 584;
	uint8_t key[64], rs[64];

	memset(f->quote, 0, sizeof(f->quote));
	must(tdx_ecdsa_point(f->ak, key));
	if (!f->keep_report_data)
		bind_key(f, key);
	write_copy(&w, f->header, sizeof(f->header));
	w.pos = 0;
	write_le16(&w, f->version);
	w.pos = sizeof(f->header);
	if (f->version >= 5) {
		write_le16(&w, f->body_type);
		write_le32(&w, (uint32_t)body);
	}
	write_copy(&w, f->body, body);
	fake_tdx_ecdsa(f->ak, f->quote, w.pos, rs);
	f->at_signature_size = w.pos;
	write_le32(&w, 0);
	write_copy(&w, rs, sizeof(rs));
	write_copy(&w, key, sizeof(key));
	write_le16(&w, 6);
	f->at_outer_size = w.pos;
	write_le32(&w, 0);
	write_copy(&w, f->qe_report, sizeof(f->qe_report));
	fake_tdx_ecdsa(f->key[TDX_ROLE_PCK], f->qe_report, sizeof(f->qe_report), rs);
	write_copy(&w, rs, sizeof(rs));
	f->at_auth_size = w.pos;
	write_le16(&w, (uint16_t)f->qe_auth_size);
	write_copy(&w, f->qe_auth, f->qe_auth_size);
	write_le16(&w, 5);
	f->at_inner_size = w.pos;
	write_le32(&w, 0);
	f->at_certs = w.pos;
	put_chain(&w, f);
	set_u32(f->quote + f->at_inner_size, w.pos - f->at_inner_size - 4);
	set_u32(f->quote + f->at_outer_size, w.pos - f->at_outer_size - 4);
	set_u32(f->quote + f->at_signature_size, w.pos - f->at_signature_size - 4);
	write_zeros(&w, f->trailing);
	must(!w.bad);
	f->quote_size = w.pos;
}

static void make_parts(struct fake_tdx *f)
{
	static const uint8_t vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					    0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
	struct writer h = writer_over(f->header, sizeof(f->header));

	write_le16(&h, f->version);
	write_le16(&h, 2);
	write_le32(&h, 0x81);
	write_le32(&h, 0);
	write_copy(&h, vendor, sizeof(vendor));
	memcpy(f->body, "\6\1\3", 3); /* TEE_TCB_SVN */
	memset(f->body + FAKE_TDX_MRSEAM, 's', 48);
	f->body[FAKE_TDX_ATTRIBUTES + 3] = 0x10; /* SEPT_VE_DISABLE */
	memcpy(f->body + FAKE_TDX_XFAM, "\xE7\x02\6", 3);
	memset(f->body + FAKE_TDX_MRTD, 'm', 48);
	for (unsigned i = 0; i < TDX_RTMRS; i++)
		memset(f->body + FAKE_TDX_RTMR0 + (size_t)48 * i, (int)('0' + i), 48);
	memset(f->body + FAKE_TDX_REPORT_DATA, 'd', 64);
	memcpy(f->body + FAKE_TDX_SVN2, "\6\1\3", 3);
	memset(f->qe_report + 128, 'q', 32); /* MRSIGNER */
	f->qe_report[256] = 2;		     /* ISVPRODID: the TD QE */
	f->qe_report[258] = 4;		     /* ISVSVN */
	for (unsigned i = 0; i < sizeof(f->qe_auth); i++)
		f->qe_auth[i] = (uint8_t)i;
	f->qe_auth_size = sizeof(f->qe_auth);
}

void fake_tdx_make(struct fake_tdx *f, uint16_t version, uint16_t body_type)
{
	memset(f, 0, sizeof(*f));
	f->version = version;
	f->body_type = body_type;
	f->ak = EVP_EC_gen("P-256");
	must(f->ak != NULL);
	for (unsigned i = 0; i < TDX_ROLES; i++) {
		f->key[i] = EVP_EC_gen("P-256");
		must(f->key[i] != NULL);
	}
	for (unsigned i = 0; i < TDX_ROLES; i++) {
		struct fake_tdx_how how = fake_tdx_how(f, (enum tdx_role)i);
		fake_tdx_set(f, (enum tdx_role)i, &how);
	}
	make_parts(f);
	fake_tdx_sign(f);
}

void fake_tdx_free(struct fake_tdx *f)
{
	for (unsigned i = 0; i < TDX_ROLES; i++)
		EVP_PKEY_free(f->key[i]);
	EVP_PKEY_free(f->ak);
	tdx_chain_free(&f->chain);
	memset(f, 0, sizeof(*f));
}
