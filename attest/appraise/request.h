/* What a verifier is asked to judge: bytes, never files, so that the library opens nothing and a
 * fuzzer gives what a command line gives. All memory is the caller's and outlives the appraisal. */
#ifndef PAVISE_ATTEST_APPRAISE_REQUEST_H
#define PAVISE_ATTEST_APPRAISE_REQUEST_H

#include "attest/appraise/checks.h"
#include "attest/appraise/policy.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct warm; /* warm.h */

#define REQUEST_CRL_MAX 4u
#define REQUEST_COLLATERAL_MAX 32u

/* Bytes as received; data NULL: not given. name says in texts where they are from. */
struct blob {
	const uint8_t *data;
	size_t size; /* bytes */
	const char *name;
};

enum request_kind { REQUEST_BUNDLE, REQUEST_SNP, REQUEST_TDX, REQUEST_TPM };

struct request {
	enum request_kind kind;
	struct blob evidence;	      /* bundle, ATTESTATION_REPORT, quote, TPMS_ATTEST */
	const struct policy *policy;  /* NULL: none given, the verdict is a refusal */
	struct blob plan;	      /* that the policy names */
	struct blob references;	      /* bundle of allowed values that the policy names */
	struct blob trust_root;	      /* a root that is not the vendor's, DER or PEM */
	/* docs/PROTOCOL.collateral, other JSON, or the files of a folder, each under its own name:
	 * TDX's, and AMD's certificates and CRLs. To be merged. */
	struct blob collateral[REQUEST_COLLATERAL_MAX];
	size_t collateral_count;
	const uint8_t *nonce;	      /* the relying party's; NULL: none given */
	size_t nonce_size;	      /* bytes */
	const uint8_t *report_data;   /* 64 bytes: what REPORT_DATA must be; NULL: nobody said */
	time_t now;		      /* validity is judged at this time */
	uint32_t allow_report_version; /* an unknown version to be taken as the last known; 0: none */
	struct warm *warm;	       /* of earlier appraisals, by this thread; NULL: nothing */
	/* REQUEST_SNP */
	struct blob vek, chain, cert_table, crl[REQUEST_CRL_MAX];
	size_t crl_count;
	/* REQUEST_TDX */
	struct blob ccel;
	/* REQUEST_TPM */
	struct blob signature, ak, pcrs, event_log;
};

/* Makes every check of the request, whatever fails, and fills *out (checks_init). 0, or
 * an error that is not the evidence's fault: -EX_MALFORMED (a plan, root or bundle of reference
 * values that breaks its form), -EX_USAGE_ERROR (something the policy names was not given),
 * -EX_HOST, -EX_INTERNAL (also for a kind that is none). */
int appraise(const struct request *r, struct checks *out, struct err *e);

/* Its parts, by kind (appraise_KIND.c). */
int appraise_bundle(const struct request *r, struct checks *out, struct err *e);
int appraise_snp(const struct request *r, struct checks *out, struct err *e);
int appraise_tdx(const struct request *r, struct checks *out, struct err *e);
int appraise_tpm(const struct request *r, struct checks *out, struct err *e);

#endif
