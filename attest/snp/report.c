#include "attest/snp/report.h"

#include "common/bytes.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

/* SIGNATURE (56860, "ECDSA P-384 with SHA-384"): two little-endian integers in wide fields. */
#define ALGO_ECDSA_P384_SHA384 1u
#define SIGNATURE_FIELD 72u
#define SIGNATURE_INTEGER 48u

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* BUILD, MINOR, MAJOR. */
static struct snp_version version_at(const uint8_t *p)
{
	return (struct snp_version){ .major = p[2], .minor = p[1], .build = p[0] };
}

int snp_version_compare(struct snp_version a, struct snp_version b)
{
	return (a.major << 16 | a.minor << 8 | a.build) - (b.major << 16 | b.minor << 8 | b.build);
}

/* The parts that this version of the report leaves unused. */
static bool reserved_zero(const uint8_t *data, uint32_t version)
{
	size_t cpuid = version >= 3 ? 0x18B : 0x188, tail = version >= 5 ? 0x208 : 0x1F8;

	return all_zero(data + 0x4C, 4) && all_zero(data + cpuid, 0x1A0 - cpuid) &&
	       data[0x1EB] == 0 && data[0x1EF] == 0 &&
	       all_zero(data + tail, SNP_REPORT_SIGNED - tail);
}

int snp_report_parse(const uint8_t *data, size_t size, struct snp_report *out, struct err *e)
{
	struct reader r = reader_over(data, size);

	if (size != SNP_REPORT_SIZE)
		return err_set(e, EX_MALFORMED, "report: %zu bytes, an SEV-SNP report has %u", size,
			       SNP_REPORT_SIZE);
	*out = (struct snp_report){ .raw = data, .version = read_le32(&r) };
	out->guest_svn = read_le32(&r);
	out->policy = read_le64(&r);
	out->family_id = read_view(&r, 16);
	out->image_id = read_view(&r, 16);
	out->vmpl = read_le32(&r);
	out->signature_algo = read_le32(&r);
	out->current_tcb = read_view(&r, SNP_TCB_SIZE);
	out->platform_info = read_le64(&r);
	out->key_info = read_le32(&r);
	out->report_data = data + 0x50;
	out->measurement = data + 0x90;
	out->host_data = data + 0xC0;
	out->id_key_digest = data + 0xE0;
	out->author_key_digest = data + 0x110;
	out->report_id = data + 0x140;
	out->report_id_ma = data + 0x160;
	out->reported_tcb = data + 0x180;
	out->chip_id = data + 0x1A0;
	out->committed_tcb = data + 0x1E0;
	out->current = version_at(data + 0x1E8);
	out->committed = version_at(data + 0x1EC);
	out->launch_tcb = data + 0x1F0;
	out->has_mitigation = out->version >= 5;
	r.pos = 0x1F8;
	if (out->has_mitigation) {
		out->launch_mitigation = read_le64(&r);
		out->current_mitigation = read_le64(&r);
	}
	out->has_cpuid = out->version >= 3;
	if (out->has_cpuid) {
		out->family = data[0x188];
		out->model = data[0x189];
		out->stepping = data[0x18A];
	}
	out->reserved_zero = reserved_zero(data, out->version);
	if (out->version < SNP_REPORT_VERSION_MIN)
		return err_set(e, EX_MALFORMED, "report: version %u, the oldest known is %u",
			       out->version, SNP_REPORT_VERSION_MIN);
	return 0;
}

enum snp_signing_key snp_report_signing_key(const struct snp_report *r)
{
	return (enum snp_signing_key)(r->key_info >> 2 & 7);
}

enum snp_product snp_report_product(const struct snp_report *r)
{
	return r->has_cpuid ? snp_product_of_cpuid(r->family, r->model) : SNP_UNKNOWN;
}

/* DER of SEQUENCE { INTEGER r, INTEGER s }, made by libcrypto (OPENSSL_free). 0: failed. */
static int to_der(const uint8_t *fields, unsigned char **out)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_lebin2bn(fields, SIGNATURE_INTEGER, NULL);
	BIGNUM *s = BN_lebin2bn(fields + SIGNATURE_FIELD, SIGNATURE_INTEGER, NULL);
	int n = 0;

	*out = NULL;
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s)) {
		r = s = NULL; /* now the pair's */
		n = i2d_ECDSA_SIG(pair, out);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return n;
}

/* Every byte that means nothing must be zero: the signature does not cover itself. */
static int check_form(const struct snp_report *r, struct err *e)
{
	const uint8_t *f = r->raw + SNP_REPORT_SIGNED;
	const size_t used = (size_t)2 * SIGNATURE_FIELD;

	if (r->signature_algo != ALGO_ECDSA_P384_SHA384)
		return err_set(e, EX_MALFORMED,
			       "report: signature algorithm %u, only 1 (ECDSA P-384 with SHA-384) "
			       "is known",
			       r->signature_algo);
	if (!all_zero(f + SIGNATURE_INTEGER, SIGNATURE_FIELD - SIGNATURE_INTEGER) ||
	    !all_zero(f + SIGNATURE_FIELD + SIGNATURE_INTEGER,
		      SIGNATURE_FIELD - SIGNATURE_INTEGER) ||
	    !all_zero(f + used, SNP_REPORT_SIZE - SNP_REPORT_SIGNED - used))
		return err_set(e, EX_MALFORMED,
			       "report: the signature's unused bytes are not zero");
	return 0;
}

int snp_report_verify(const struct snp_report *r, EVP_PKEY *key, struct err *e)
{
	unsigned char *der;
	int status = check_form(r, e);

	if (status < 0)
		return status;
	int n = to_der(r->raw + SNP_REPORT_SIGNED, &der);
	if (n <= 0)
		return err_set(e, EX_INTERNAL, "report: libcrypto cannot encode the signature");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md != NULL && EVP_DigestVerifyInit(md, NULL, EVP_sha384(), NULL, key) > 0 &&
		  EVP_DigestVerify(md, der, (size_t)n, r->raw, SNP_REPORT_SIGNED) == 1;
	EVP_MD_CTX_free(md);
	OPENSSL_free(der);
	ERR_clear_error();
	if (!ok)
		return err_set(e, EX_UNAUTHENTIC,
			       "report: its signature does not hold under this certificate's key");
	return 0;
}
