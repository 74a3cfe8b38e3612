/* What a verification costs, as a ratio to the bare OpenSSL signature checks it needs, on one
 * thread and in its processor time, with keys of a moment (tests/unit/fake_snp.h, fake_tdx.h):
 *
 *   verify snp: cold ratio A, warm ratio B
 *
 * A: pavise_verify() to every signature under the evidence (SNP: ARK, ASK, VEK by RSA-4096, the
 * report by P-384; TDX: root CA, PCK CA, PCK, quoting enclave, quote by P-256). B: the same with a
 * verifier that has seen another report or quote of this chain, to the signatures that then are
 * left (SNP: the report; TDX: quoting enclave and quote). "To all": B's time to A's signatures.
 * The second TDX line is with collateral: TCB info, QE identity, their signer, both lists.
 * Medians of ROUNDS alternating rounds. usage: bench-verify [CALLS] */
#include "attest/pavise-attest.h"

#include "tests/unit/fake_snp.h"
#include "tests/unit/fake_tcb.h"
#include "tests/unit/fake_tdx.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 15
#define OPS_MAX 12u
#define FILES_MAX 6u

/* One signature, ready to be checked. */
struct op {
	EVP_PKEY *key; /* borrowed */
	const EVP_MD *md;
	bool pss;
	unsigned char *data, *signature; /* owned */
	size_t size, signature_size;
};

/* Evidence, and its signatures: first those that do not change with it. */
struct subject {
	const char *name;
	enum pavise_kind kind;
	const uint8_t *evidence, *table;
	size_t evidence_size, table_size;
	unsigned char *root;
	int root_size;
	/* Collateral; owned. */
	unsigned char *file[FILES_MAX];
	size_t file_size[FILES_MAX], files;
	struct op op[OPS_MAX];
	size_t ops, lasting;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench-verify: %s failed\n", what);
	exit(70);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_cert(struct subject *s, X509 *cert, X509 *issuer)
{
	struct op *op = &s->op[s->ops++];
	const ASN1_BIT_STRING *signature;

	X509_get0_signature(&signature, NULL, cert);
	op->key = X509_get0_pubkey(issuer);
	op->pss = EVP_PKEY_is_a(op->key, "RSA");
	op->md = op->pss ? EVP_sha384() : EVP_sha256();
	int n = i2d_re_X509_tbs(cert, &op->data);
	op->signature_size = (size_t)ASN1_STRING_length(signature);
	op->signature = OPENSSL_memdup(ASN1_STRING_get0_data(signature), op->signature_size);
	must(n > 0 && op->signature != NULL, "a certificate");
	op->size = (size_t)n;
	s->lasting = s->ops;
}

/* r and s, n bytes each. */
static void add_ecdsa(struct subject *s, EVP_PKEY *key, const EVP_MD *md, const void *data,
		      size_t size, BIGNUM *r, BIGNUM *v)
{
	struct op *op = &s->op[s->ops++];
	ECDSA_SIG *pair = ECDSA_SIG_new();

	must(pair != NULL && ECDSA_SIG_set0(pair, r, v) == 1, "a signature");
	int n = i2d_ECDSA_SIG(pair, &op->signature);
	ECDSA_SIG_free(pair);
	*op = (struct op){ .key = key,
			   .md = md,
			   .data = OPENSSL_memdup(data, size),
			   .size = size,
			   .signature = op->signature,
			   .signature_size = (size_t)n };
	must(n > 0 && op->data != NULL, "a signature");
}

static bool check(const struct op *op)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	bool ok = md != NULL && EVP_DigestVerifyInit(md, &ctx, op->md, NULL, op->key) == 1;

	if (ok && op->pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) == 1;
	ok = ok && EVP_DigestVerify(md, op->signature, op->signature_size, op->data, op->size) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

static double bare(const struct subject *s, size_t from, unsigned calls)
{
	double start = now();

	for (unsigned i = 0; i < calls; i++)
		for (size_t k = from; k < s->ops; k++)
			must(check(&s->op[k]), "a bare signature");
	return (now() - start) / calls;
}

static double verify(const struct subject *s, struct pavise_verifier *v, unsigned calls)
{
	struct pavise_request *r = pavise_request_new(s->kind, (int64_t)FAKE_SNP_NOW);
	struct pavise_policy *p = NULL;
	struct pavise_result *result;
	double start;

	must(r != NULL && pavise_policy_built_in("permissive", &p, NULL) == PAVISE_OK &&
		     pavise_request_add(r, PAVISE_IN_EVIDENCE, s->evidence, s->evidence_size, NULL,
					NULL) == PAVISE_OK &&
		     pavise_request_add(r, PAVISE_IN_TRUST_ROOT, s->root, (size_t)s->root_size,
					NULL, NULL) == PAVISE_OK,
	     "a request");
	if (s->table != NULL)
		must(pavise_request_add(r, PAVISE_IN_CERT_TABLE, s->table, s->table_size, NULL,
					NULL) == PAVISE_OK,
		     "a certificate table");
	for (size_t i = 0; i < s->files; i++)
		must(pavise_request_add(r, PAVISE_IN_COLLATERAL, s->file[i], s->file_size[i], NULL,
					NULL) == PAVISE_OK,
		     "collateral");
	pavise_request_set_policy(r, p);
	start = now();
	for (unsigned i = 0; i < calls; i++) {
		must(pavise_verify_with(v, r, &result, NULL) == PAVISE_OK, "pavise_verify_with");
		must(pavise_result_status(result) == PAVISE_OK, "the verification");
		pavise_result_free(result);
	}
	double spent = (now() - start) / calls;
	pavise_request_free(r);
	pavise_policy_free(p);
	return spent;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static void run(const struct subject *s, unsigned calls)
{
	struct pavise_verifier *v = pavise_verifier_new();
	double all[ROUNDS], left[ROUNDS], cold[ROUNDS], warm[ROUNDS];
	double cold_ratio[ROUNDS], warm_ratio[ROUNDS], warm_to_all[ROUNDS];

	must(v != NULL, "a verifier");
	verify(s, v, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		all[i] = bare(s, 0, calls);
		cold[i] = verify(s, NULL, calls);
		left[i] = bare(s, s->lasting, calls);
		warm[i] = verify(s, v, calls);
		cold_ratio[i] = cold[i] / all[i];
		warm_ratio[i] = warm[i] / left[i];
		warm_to_all[i] = warm[i] / all[i];
	}
	pavise_verifier_free(v);
	printf("verify %s: %zu signatures %.3f ms, cold %.3f ms; the last %zu of them %.3f ms, "
	       "warm %.3f ms\n",
	       s->name, s->ops, median(all) * 1e3, median(cold) * 1e3, s->ops - s->lasting,
	       median(left) * 1e3, median(warm) * 1e3);
	printf("verify %s: cold ratio %.2f, warm ratio %.2f (to all %.2f)\n", s->name,
	       median(cold_ratio), median(warm_ratio), median(warm_to_all));
}

static void drop(struct subject *s)
{
	for (size_t i = 0; i < s->ops; i++) {
		OPENSSL_free(s->op[i].data);
		OPENSSL_free(s->op[i].signature);
	}
	OPENSSL_free(s->root);
	for (size_t i = 0; i < s->files; i++)
		OPENSSL_free(s->file[i]);
}

static void run_snp(unsigned calls)
{
	struct subject s = { .name = "snp", .kind = PAVISE_KIND_SNP };
	struct fake_snp *f = calloc(1, sizeof(*f));

	must(f != NULL, "memory");
	fake_snp_make(f);
	s.evidence = f->report;
	s.evidence_size = sizeof(f->report);
	s.table = f->table;
	s.table_size = f->table_size;
	s.root_size = i2d_X509(f->ark, &s.root);
	add_cert(&s, f->ark, f->ark);
	add_cert(&s, f->ask, f->ark);
	add_cert(&s, f->vek, f->ask);
	/* 56860, "Signature": little endian, 72 bytes each. */
	const uint8_t *signature = f->report + SNP_REPORT_SIGNED;
	add_ecdsa(&s, f->vek_key, EVP_sha384(), f->report, SNP_REPORT_SIGNED,
		  BN_lebin2bn(signature, 48, NULL), BN_lebin2bn(signature + 72, 48, NULL));
	run(&s, calls);
	drop(&s);
	fake_snp_free(f);
	free(f);
}

static void add_file(struct subject *s, unsigned char *data, size_t size)
{
	must(data != NULL && size > 0 && s->files < FILES_MAX, "collateral");
	s->file[s->files] = data;
	s->file_size[s->files++] = size;
}

static void add_cert_file(struct subject *s, X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	add_file(s, der, n > 0 ? (size_t)n : 0);
}

/* {"key": body, "signature": …}, and what is signed of it. */
static void add_answer(struct subject *s, const char *key, const char *body, EVP_PKEY *signer)
{
	static char text[FAKE_TCB_TEXT + 256];
	uint8_t rs[64];

	size_t size = fake_signed(key, body, signer, text, sizeof(text));
	add_file(s, OPENSSL_memdup(text, size), size);
	fake_tdx_ecdsa(signer, body, strlen(body), rs);
	add_ecdsa(s, signer, EVP_sha256(), body, strlen(body), BN_bin2bn(rs, 32, NULL),
		  BN_bin2bn(rs + 32, 32, NULL));
	s->lasting = s->ops;
}

static void add_list(struct subject *s, const struct fake_tdx *f, enum tdx_role issuer)
{
	const ASN1_BIT_STRING *signature;
	size_t size;
	unsigned char *der = fake_tdx_crl(f, issuer, f->key[issuer], 0, -86400, 86400, &size);
	const unsigned char *p = der;
	X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)size);
	struct op *op = &s->op[s->ops++];

	must(list != NULL, "a list");
	add_file(s, der, size);
	X509_CRL_get0_signature(list, &signature, NULL);
	int n = i2d_re_X509_CRL_tbs(list, &op->data);
	op->key = f->key[issuer];
	op->md = EVP_sha256();
	op->size = (size_t)n;
	op->signature_size = (size_t)ASN1_STRING_length(signature);
	op->signature = OPENSSL_memdup(ASN1_STRING_get0_data(signature), op->signature_size);
	must(n > 0 && op->signature != NULL, "a list");
	X509_CRL_free(list);
	s->lasting = s->ops;
}

static void add_collateral(struct subject *s, const struct fake_tdx *f, EVP_PKEY *key)
{
	static char body[FAKE_TCB_TEXT];
	struct fake_tdx_how how = fake_tdx_how(f, TDX_ROLE_PCK);
	struct fake_tcb tcb = fake_tcb();
	struct fake_qe qe = fake_qe();

	how.subject = "Intel SGX TCB Signing";
	how.issuer = "Test Root CA";
	how.key = key;
	how.issuer_key = f->key[TDX_ROLE_ROOT];
	how.serial = 200;
	how.is_pck = false;
	X509 *signer = fake_tdx_cert(&how);
	add_cert(s, signer, f->chain.cert[TDX_ROLE_ROOT]);
	add_cert_file(s, signer);
	X509_free(signer);
	add_cert_file(s, f->chain.cert[TDX_ROLE_ROOT]);
	tcb.fmspc = "B0C06F000000";
	memset(tcb.level[1].sgx, 0, 16);
	memset(tcb.level[1].tdx, 0, 16);
	fake_tcb_info(&tcb, body, sizeof(body));
	add_answer(s, "tcbInfo", body, key);
	fake_qe_identity(&qe, body, sizeof(body));
	add_answer(s, "enclaveIdentity", body, key);
	add_list(s, f, TDX_ROLE_ROOT);
	add_list(s, f, TDX_ROLE_CA);
}

static void run_tdx(bool collateral, unsigned calls)
{
	struct subject s = { .name = collateral ? "tdx v4 with collateral" : "tdx v4",
			     .kind = PAVISE_KIND_TDX };
	EVP_PKEY *signer = EVP_EC_gen("P-256");
	struct fake_tdx *f = calloc(1, sizeof(*f));
	struct tdx_quote q;
	struct err e = { 0 };

	must(f != NULL && signer != NULL, "memory");
	fake_tdx_make(f, 4, TDX_BODY_TD_1_0);
	memset(f->qe_report + 128, 0x11, 32); /* MRSIGNER of fake_qe_identity() */
	f->qe_report[48] = 0x11;	      /* ATTRIBUTES */
	fake_tdx_sign(f);
	must(tdx_quote_parse(f->quote, f->quote_size, &q, &e) == 0, "the quote");
	s.evidence = f->quote;
	s.evidence_size = f->quote_size;
	s.root_size = i2d_X509(f->chain.cert[TDX_ROLE_ROOT], &s.root);
	add_cert(&s, f->chain.cert[TDX_ROLE_ROOT], f->chain.cert[TDX_ROLE_ROOT]);
	add_cert(&s, f->chain.cert[TDX_ROLE_CA], f->chain.cert[TDX_ROLE_ROOT]);
	add_cert(&s, f->chain.cert[TDX_ROLE_PCK], f->chain.cert[TDX_ROLE_CA]);
	if (collateral)
		add_collateral(&s, f, signer);
	add_ecdsa(&s, f->key[TDX_ROLE_PCK], EVP_sha256(), q.qe_report, TDX_QE_REPORT_SIZE,
		  BN_bin2bn(q.qe_signature, 32, NULL), BN_bin2bn(q.qe_signature + 32, 32, NULL));
	add_ecdsa(&s, f->ak, EVP_sha256(), q.raw, q.signed_size, BN_bin2bn(q.signature, 32, NULL),
		  BN_bin2bn(q.signature + 32, 32, NULL));
	run(&s, calls);
	drop(&s);
	fake_tdx_free(f);
	EVP_PKEY_free(signer);
	free(f);
}

int main(int argc, char **argv)
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 40;

	if (argc > 2 || calls == 0 || calls > 100000) {
		fputs("usage: bench-verify [CALLS]\n", stderr);
		return 64;
	}
	run_snp((unsigned)calls);
	run_tdx(false, (unsigned)calls);
	run_tdx(true, (unsigned)calls);
	return 0;
}
