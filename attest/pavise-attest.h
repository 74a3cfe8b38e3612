/* libpavise-attest: judges evidence of SEV-SNP, TDX and TPM machines, offline.
 *
 * Bytes go in, a list of checks and a verdict come out. The library opens no file, no device and no
 * connection, prints nothing, asks no clock and has no state of its own: any number of threads may
 * use it, each with its own objects. An object may be used by one thread at a time; a policy is
 * only read by pavise_verify and may be shared.
 *
 * Sizes are bytes, times are seconds since the epoch (UTC). Texts are UTF-8 and end with NUL.
 * Functions that can fail return PAVISE_OK or another status below and then fill *e, if e is not
 * NULL. Every pavise_X_free takes NULL.
 *
 * docs/PROTOCOL.policy, docs/PROTOCOL.checks and docs/verify-result.schema.json say what policies,
 * checks and results mean. */
#ifndef PAVISE_ATTEST_H
#define PAVISE_ATTEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Version of the library, as "0.1.0". The text is the library's. */
const char *pavise_attest_version(void);

/* What a verdict comes to, what one failed check alone would, and why a call failed. */
enum pavise_status {
	PAVISE_OK = 0,		/* verdict: affirming, or authentic where nothing was to be judged */
	PAVISE_REFUSED = 1,	/* not what the policy accepts */
	PAVISE_UNAUTHENTIC = 2, /* a signature, certificate, digest, nonce or binding does not hold */
	PAVISE_MALFORMED = 3,	/* a part breaks its format */
	PAVISE_COLLATERAL = 4,	/* a certificate or list is missing, expired or not yet valid */
	PAVISE_HOST = 5,	/* call: no memory */
	PAVISE_USAGE = 64,	/* call: a wrong value, or something missing */
	PAVISE_INTERNAL = 70,	/* call: a bug, or a failure of libcrypto */
};

struct pavise_error {
	enum pavise_status status;
	char text[512]; /* one line: "OBJECT: cause: next step" */
};

/* ---- policies -------------------------------------------------------------------------------- */

struct pavise_policy;

/* Reads a policy (JSON, docs/PROTOCOL.policy) of size bytes; name says in texts where it is from.
 * *out is to be freed. PAVISE_MALFORMED. */
int pavise_policy_parse(const char *name, const char *text, size_t size, struct pavise_policy **out,
			struct pavise_error *e);

/* "strict", "recommended", "permissive" or "none". *out is to be freed. PAVISE_USAGE. */
int pavise_policy_built_in(const char *name, struct pavise_policy **out, struct pavise_error *e);

/* The path of the launch plan that a policy names, as written; NULL: none. The policy's. Its bytes
 * have to be given with PAVISE_IN_PLAN. */
const char *pavise_policy_plan(const struct pavise_policy *p);

/* The same for a signed bundle of reference values (docs/PROTOCOL.references), whose bytes have to
 * be given with PAVISE_IN_REFERENCES. */
const char *pavise_policy_references(const struct pavise_policy *p);

/* What the policy accepts, a key a line, for people. To be freed with free(); NULL: no memory. */
char *pavise_policy_explain(const struct pavise_policy *p);

void pavise_policy_free(struct pavise_policy *p);

/* ---- requests -------------------------------------------------------------------------------- */

struct pavise_request;

enum pavise_kind {
	PAVISE_KIND_BUNDLE = 0, /* docs/PROTOCOL.evidence */
	PAVISE_KIND_SNP = 1,	/* an SEV-SNP ATTESTATION_REPORT */
	PAVISE_KIND_TDX = 2,	/* a TDX quote */
	PAVISE_KIND_TPM = 3,	/* a TPMS_ATTEST of type quote */
};

/* What may be given, each once unless it says otherwise. Certificates and lists: DER or PEM. */
enum pavise_input {
	PAVISE_IN_EVIDENCE = 0,	/* bundle, report or quote; always needed */
	PAVISE_IN_NONCE = 1,	/* the relying party's, 1 to 64 bytes */
	PAVISE_IN_REPORT_DATA = 2, /* SNP, TDX: what REPORT_DATA must be, 64 bytes; not with a nonce */
	PAVISE_IN_PLAN = 3,	/* the launch plan that the policy names */
	PAVISE_IN_TRUST_ROOT = 4,	/* a root that is not the vendor's */
	PAVISE_IN_VEK = 5,		/* SNP, bundle: VCEK or VLEK, or the whole chain */
	PAVISE_IN_CHAIN = 6,	/* SNP, bundle, TPM: further certificates */
	PAVISE_IN_CERT_TABLE = 7,	/* SNP: the host's GUIDed table */
	PAVISE_IN_CRL = 8,		/* SNP, bundle: a revocation list; up to 4 times */
	PAVISE_IN_COLLATERAL = 9,	/* certificates, TCB info, identities, lists; up to 32 times */
	PAVISE_IN_CCEL = 10,	/* TDX: event log */
	PAVISE_IN_SIGNATURE = 11,	/* TPM */
	PAVISE_IN_AK = 12,		/* TPM: attestation key */
	PAVISE_IN_PCRS = 13,	/* TPM: values of the quoted PCRs */
	PAVISE_IN_EVENT_LOG = 14,	/* TPM */
	PAVISE_IN_REFERENCES = 15,	/* the reference values that the policy names */
};

/* An empty request. now: the time that validity is judged at. To be freed; NULL: no memory, or no
 * such kind. */
struct pavise_request *pavise_request_new(enum pavise_kind kind, int64_t now);

/* Adds size bytes at data, which stay the caller's and must outlive the request, as must name (for
 * texts; NULL: a name of the library's). PAVISE_USAGE: not for this kind, of a wrong size, or once
 * too often. */
int pavise_request_add(struct pavise_request *r, enum pavise_input input, const void *data,
		       size_t size, const char *name, struct pavise_error *e);

/* The policy to judge by; borrowed, must outlive the request. Without one the verdict is a
 * refusal. */
void pavise_request_set_policy(struct pavise_request *r, const struct pavise_policy *p);

/* Takes evidence of this unknown version as the last one known; 0: none (as at first). */
void pavise_request_allow_version(struct pavise_request *r, uint32_t version);

void pavise_request_free(struct pavise_request *r);

/* ---- results --------------------------------------------------------------------------------- */

struct pavise_result;

/* Makes every check of the request. PAVISE_OK: *out is set, to be freed, and has the verdict; it
 * borrows nothing. Otherwise nothing could be judged: PAVISE_MALFORMED (plan or trusted root),
 * PAVISE_USAGE (evidence, or a plan that the policy names, is missing), PAVISE_HOST,
 * PAVISE_INTERNAL. */
int pavise_verify(const struct pavise_request *r, struct pavise_result **out,
		  struct pavise_error *e);

/* A verifier keeps what it can use again: certificates that it read (at most 64), signatures of
 * theirs that held, the last collateral (at most 8 MiB of files). Results are those of pavise_verify,
 * sooner: times, revocation, names and policies are judged anew each time, a changed byte is
 * another certificate, and nothing that failed is remembered. One thread at a time. To be freed;
 * NULL: no memory. */
struct pavise_verifier;
struct pavise_verifier *pavise_verifier_new(void);
void pavise_verifier_free(struct pavise_verifier *v);

/* As pavise_verify, with what v (NULL: nothing) keeps of earlier calls. */
int pavise_verify_with(struct pavise_verifier *v, const struct pavise_request *r,
		       struct pavise_result **out, struct pavise_error *e);

/* The verdict: the worst failed check. Only PAVISE_OK is one to rely on. */
enum pavise_status pavise_result_status(const struct pavise_result *r);

/* The verdict in words, with what it rests on where that is less than usual. The result's. */
const char *pavise_result_verdict(const struct pavise_result *r);

/* What a verdict of PAVISE_OK rests on, in words; the result's. */
const char *pavise_result_scope(const struct pavise_result *r);

enum pavise_outcome { PAVISE_PASS = 0, PAVISE_FAIL = 1, PAVISE_SKIPPED = 2 };

/* One check; texts are the result's, "" where there is nothing to say. */
struct pavise_check {
	const char *id; /* stable: docs/PROTOCOL.checks */
	enum pavise_outcome outcome;
	enum pavise_status failure; /* of PAVISE_FAIL: what it alone would come to */
	const char *note;	    /* what was checked, or why it failed or was skipped */
	const char *have, *need;    /* values that were compared */
	const char *component;	    /* the part that is concerned */
	const char *advisory;	    /* vendors' advisories, with spaces between */
	const char *next;	    /* what the reader can do */
};

size_t pavise_result_checks(const struct pavise_result *r);
/* The check at i, from 0, in the order made. PAVISE_USAGE: there is none. */
int pavise_result_check(const struct pavise_result *r, size_t i, struct pavise_check *out);

/* Claims: what the evidence says of itself, believed only as far as the checks go. */
size_t pavise_result_claims(const struct pavise_result *r);
/* Name and value of the claim at i; texts are the result's. PAVISE_USAGE: there is none. */
int pavise_result_claim(const struct pavise_result *r, size_t i, const char **name,
			const char **value);
/* The value of a claim by name ("snp.measurement"); NULL: the evidence has none. The result's. */
const char *pavise_result_find_claim(const struct pavise_result *r, const char *name);

/* All of it as JSON (docs/verify-result.schema.json). To be freed with free(); NULL: no memory. */
char *pavise_result_json(const struct pavise_result *r);

void pavise_result_free(struct pavise_result *r);

/* ---- measurement ----------------------------------------------------------------------------- */

#define PAVISE_SNP_MEASUREMENT_SIZE 48

/* The launch digest of an SEV-SNP launch plan (docs/PROTOCOL.plan) of size bytes. name: for texts.
 * PAVISE_MALFORMED; PAVISE_USAGE for a plan that leaves its number of processors open, and so has a
 * digest for each; PAVISE_INTERNAL. */
int pavise_measure_snp_plan(const char *name, const void *plan, size_t size,
			    uint8_t out[PAVISE_SNP_MEASUREMENT_SIZE], struct pavise_error *e);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
