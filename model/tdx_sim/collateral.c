#include "model/tdx_sim/collateral.h"

#include "common/bytes.h"
#include "model/certificate.h"
#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/ecdsa.h"
#include "model/tdx_sim/module.h"

#include <openssl/pem.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY (24L * 60 * 60)
#define HOUR (60L * 60)
#define STAMP 24u          /* characters of an RFC 3339 time with NUL, and some */
#define DOCUMENT_MAX 8192u /* of one signed answer */
#define PART_MAX 8192u     /* bytes of a part */
#define EVALUATION 1       /* tcbEvaluationDataNumber: the platform never changes */
#define TCB_DATE "2026-01-01T00:00:00Z"
#define NO_DIGEST                                                                                  \
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"00000000"

/* Text that grows in bounded room. */
struct text {
	char *data;
	size_t max, size;
	bool bad;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(t->data + t->size, t->max - t->size, format, args);
	va_end(args);
	t->bad = t->bad || n < 0 || (size_t)n >= t->max - t->size;
	t->size += t->bad ? 0 : (size_t)n;
}

static bool stamp(time_t t, char out[STAMP])
{
	struct tm tm;

	return gmtime_r(&t, &tm) != NULL && strftime(out, STAMP, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

/* "id" to "nextUpdate". An hour back: clocks differ. */
static void put_head(struct text *t, const char *id, int version, time_t now)
{
	char issued[STAMP] = "", next[STAMP] = "";

	t->bad = t->bad || !stamp(now - HOUR, issued) || !stamp(now + COLLATERAL_DAYS * DAY, next);
	put(t, "{\"id\":\"%s\",\"version\":%d,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\",", id,
	    version, issued, next);
}

static void put_components(struct text *t, const char *key, const uint8_t svn[TDX_SIM_COMPONENTS])
{
	put(t, "\"%s\":[", key);
	for (unsigned i = 0; i < TDX_SIM_COMPONENTS; i++)
		put(t, "%s{\"svn\":%u}", i > 0 ? "," : "", svn[i]);
	put(t, "]");
}

static void put_svn_level(struct text *t, unsigned svn)
{
	put(t, "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":%u},\"tcbDate\":\"" TCB_DATE "\","
	       "\"tcbStatus\":\"UpToDate\"}]", svn);
}

/* "Get TDX TCB Info", version 3: one level, which is this platform's own. */
static void put_tcb_info(struct text *t, time_t now)
{
	static const char signer[] = "\"mrsigner\":\"" NO_DIGEST "\","
				     "\"attributes\":\"0000000000000000\","
				     "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";
	const uint8_t tdx[TDX_SIM_COMPONENTS] = { TDX_SIM_MODULE_SVN, 0, TDX_SIM_LOADER_SVN };
	uint8_t sgx[TDX_SIM_COMPONENTS];
	char fmspc[2 * sizeof(tdx_sim_fmspc) + 1];

	memset(sgx, TDX_SIM_COMPONENT_SVN, sizeof(sgx));
	hex_encode(tdx_sim_fmspc, sizeof(tdx_sim_fmspc), fmspc);
	put_head(t, "TDX", 3, now);
	put(t, "\"fmspc\":\"%s\",\"pceId\":\"0000\",\"tcbType\":0,", fmspc);
	put(t, "\"tcbEvaluationDataNumber\":%d,\"tdxModule\":{%s},", EVALUATION, signer);
	put(t, "\"tdxModuleIdentities\":[{\"id\":\"TDX_%02X\",%s,", TDX_SIM_MODULE_MAJOR, signer);
	put_svn_level(t, TDX_SIM_MODULE_SVN);
	put(t, "}],\"tcbLevels\":[{\"tcb\":{");
	put_components(t, "sgxtcbcomponents", sgx);
	put(t, ",\"pcesvn\":%u,", TDX_SIM_PCE_SVN);
	put_components(t, "tdxtcbcomponents", tdx);
	put(t, "},\"tcbDate\":\"" TCB_DATE "\",\"tcbStatus\":\"UpToDate\"}]}");
}

/* "Get TDX QE Identity", version 2. */
static void put_qe_identity(struct text *t, time_t now)
{
	uint8_t signer[32];
	char hex[65];

	t->bad = t->bad || tdx_sim_qe_signer(signer) != 0;
	if (t->bad)
		return;
	hex_encode(signer, sizeof(signer), hex);
	put_head(t, "TD_QE", 2, now);
	put(t, "\"tcbEvaluationDataNumber\":%d,\"miscselect\":\"00000000\","
	       "\"miscselectMask\":\"FFFFFFFF\","
	       "\"attributes\":\"%02X000000000000000000000000000000\","
	       "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",",
	    EVALUATION, TDX_SIM_QE_FLAGS);
	put(t, "\"mrsigner\":\"%s\",\"isvprodid\":%u,", hex, TDX_SIM_QE_PROD_ID);
	put_svn_level(t, TDX_SIM_QE_SVN);
	put(t, "}");
}

/* One part of the bundle. */
static void put_part(struct text *t, const char *kind, const void *data, size_t n)
{
	static char base64[PART_MAX / 3 * 4 + 8];
	uint8_t digest[32];
	char hex[65];

	if (n > PART_MAX || EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) != 1) {
		t->bad = true;
		return;
	}
	hex_encode(digest, sizeof(digest), hex);
	EVP_EncodeBlock((uint8_t *)base64, data, (int)n);
	put(t, "%s{\"kind\":\"%s\",\"origin\":\"pavise-tdx-sim: SIMULATED\",\"sha256\":\"%s\","
	       "\"base64\":\"%s\"}",
	    t->data[t->size - 1] == '[' ? "" : ",", kind, hex, base64);
}

static void put_signed(struct text *t, const char *kind, const char *key, const struct text *body,
		       EVP_PKEY *signer)
{
	static char room[DOCUMENT_MAX];
	struct text answer = { .data = room, .max = sizeof(room) };
	uint8_t rs[64];
	char hex[129];

	if (body->bad || !tdx_ecdsa_sign(signer, body->data, body->size, rs)) {
		t->bad = true;
		return;
	}
	hex_encode(rs, sizeof(rs), hex);
	put(&answer, "{\"%s\":%s,\"signature\":\"%s\"}", key, body->data, hex);
	t->bad = t->bad || answer.bad;
	put_part(t, kind, answer.data, answer.size);
}

/* Signing certificate, PCK CA, root: DER one after the other. */
static void put_certificates(struct text *t, const struct tdx_collateral_from *from)
{
	static uint8_t room[PART_MAX];
	X509 *cert[] = {
		tdx_chain_certificate(from->signing, from->signing_size, 0),
		tdx_chain_certificate(from->certs, from->certs_size, TDX_CHAIN_CA),
		tdx_chain_certificate(from->certs, from->certs_size, TDX_CHAIN_ROOT),
	};
	size_t at = 0;

	for (size_t i = 0; i < sizeof(cert) / sizeof(cert[0]); i++) {
		int n = cert[i] != NULL ? i2d_X509(cert[i], NULL) : 0;
		uint8_t *p = room + at;

		t->bad = t->bad || n <= 0 || (size_t)n > sizeof(room) - at;
		if (!t->bad)
			at += (size_t)i2d_X509(cert[i], &p);
		X509_free(cert[i]);
	}
	put_part(t, "certificates", room, at);
}

static void put_list(struct text *t, const struct tdx_collateral_from *from, unsigned place)
{
	X509_CRL *crl = tdx_chain_list(from->signing, from->signing_size, place);
	uint8_t *der = NULL;
	int n = crl != NULL ? i2d_X509_CRL(crl, &der) : 0;

	if (n > 0)
		put_part(t, "crl", der, (size_t)n);
	else
		t->bad = true;
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

int tdx_collateral_make(const struct tdx_collateral_from *from, char out[COLLATERAL_TEXT_MAX],
			size_t *size, struct err *e)
{
	static char room[2][DOCUMENT_MAX];
	struct text t = { .data = out, .max = COLLATERAL_TEXT_MAX };
	struct text tcb = { .data = room[0], .max = DOCUMENT_MAX };
	struct text qe = { .data = room[1], .max = DOCUMENT_MAX };
	EVP_PKEY *signer = certificate_key_read(from->key, from->key_size);
	char created[STAMP] = "";

	if (signer == NULL)
		return err_set(e, EX_MALFORMED, "collateral: the signing key is broken: remove the "
			       "state folder to make a new platform");
	t.bad = !stamp(from->now, created);
	put(&t, "{\"format\":\"pavise-collateral\",\"version\":0,\"created\":\"%s\",\"parts\":[",
	    created);
	put_tcb_info(&tcb, from->now);
	put_signed(&t, "tdx-tcb-info", "tcbInfo", &tcb, signer);
	put_qe_identity(&qe, from->now);
	put_signed(&t, "tdx-qe-identity", "enclaveIdentity", &qe, signer);
	put_certificates(&t, from);
	put_list(&t, from, 0);
	put_list(&t, from, 1);
	put(&t, "]}\n");
	EVP_PKEY_free(signer);
	*size = t.size;
	return !t.bad ? 0 : err_set(e, EX_INTERNAL, "collateral: cannot be made");
}
