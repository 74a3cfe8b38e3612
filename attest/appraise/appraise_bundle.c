#include "attest/appraise/appraise.h"

#include "attest/appraise/appraise_common.h"
#include "attest/appraise/appraise_tdx.h"
#include "attest/appraise/check_bundle.h"
#include "attest/appraise/warm.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_id(char out[32], const char *id, enum expect_bank bank, unsigned pcr)
{
	snprintf(out, 32, "%s.%s.%u", id, tpm_alg_name(expect_bank_alg(bank)), pcr);
}

bool appraise_bank(const struct appraisal *a, enum expect_bank bank)
{
	const struct policy *p = a->policy;
	bool stated = p->tee != EVIDENCE_PLAIN || p->bank[EXPECT_SHA256] || p->bank[EXPECT_SHA384];

	return stated ? p->bank[bank] : a->evidence->pcrs[bank].given != 0;
}

const char *appraise_unjudged(const struct appraisal *a)
{
	return policy_unjudged(a->policy, a->evidence->tee);
}

static void check_nonce(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	char have[2 * BINDING_NONCE_MAX + 1], need[2 * BINDING_NONCE_MAX + 1];

	if (a->nonce == NULL && a->policy->require_nonce) {
		check_fail(a->checks, "freshness", EX_REFUSED, "no --nonce", "--nonce HEX",
			   "the policy wants fresh evidence: give the nonce you chose");
		return;
	}
	if (a->nonce == NULL) {
		check_skip(a->checks, "freshness", "no --nonce given");
		return;
	}
	hex_encode(ev->nonce, ev->nonce_size, have);
	hex_encode(a->nonce, a->nonce_size, need);
	if (a->nonce_size == ev->nonce_size &&
	    CRYPTO_memcmp(a->nonce, ev->nonce, a->nonce_size) == 0)
		check_pass(a->checks, "freshness", have, "the nonce is the one given");
	else
		check_fail(a->checks, "freshness", EX_UNAUTHENTIC, have, need,
			   "another nonce: old evidence, or made for someone else");
}

static void check_agent_key(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	const unsigned char *p = ev->public_key;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)ev->public_key_size);
	char group[32] = "";

	if (key != NULL)
		EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	bool whole = key != NULL && p == ev->public_key + ev->public_key_size;
	bool right = whole && EVP_PKEY_is_a(key, "EC") && strcmp(group, "prime256v1") == 0;
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (right)
		check_pass(a->checks, "agent.key", NULL, "EC P-256 public key");
	else
		check_fail(a->checks, "agent.key", EX_MALFORMED, NULL, NULL, "%s",
			   whole ? "not an EC P-256 key"
				 : "not the DER of one SubjectPublicKeyInfo");
}

static const char *const vtpm_checks[] = {
	"ak.form",	  "ak.provenance",   "quote.form",	 "quote.signature",
	"quote.binding",  "quote.selection", "quote.pcr_digest", "log.form",
	"log.replay",	  "log.separators",  "log.events",	 "log.secure_boot",
	"quote.clock",	  "reference.machine", "reference.pcrs", "reference.log",
};
#define FIRST_REFERENCE 13u /* "reference.machine" */

static void skip_vtpm(const struct appraisal *a, size_t first, const char *why)
{
	for (size_t i = first; i < sizeof(vtpm_checks) / sizeof(vtpm_checks[0]); i++)
		check_skip(a->checks, vtpm_checks[i], "%s", why);
}

static int check_vtpm(const struct appraisal *a, struct err *e)
{
	if (a->evidence->has_vtpm) {
		check_pass(a->checks, "vtpm.present", "host",
			   "a vTPM that runs on the host measured the boot");
		check_quote(a);
		check_event_log(a);
		if (appraise_unjudged(a) == NULL)
			return check_reference(a, e);
		skip_vtpm(a, FIRST_REFERENCE, appraise_unjudged(a));
		return 0;
	}
	check_fail(a->checks, "vtpm.present", EX_REFUSED, "none", "a vTPM",
		   "nothing measured the boot of this machine: start it with a vTPM");
	skip_vtpm(a, 0, "the evidence has no vTPM");
	return 0;
}

/* Under a TEE the owner of the guest does not trust the host, and so not its vTPM: what its checks
 * find can cost the verdict, never earn it. Of a trust domain, whose own log and registers are
 * judged under these names, only its quote. */
static void check_host_quote(const struct appraisal *a)
{
	a->checks->label = "host-vtpm (untrusted by the guest owner)";
	if (a->evidence->has_vtpm) {
		check_skip(a->checks, "vtpm.present",
			   "present; MRTD and RTMRs, not it, say what was booted");
		check_quote(a);
	} else {
		check_skip(a->checks, "vtpm.present", "none, and none is needed");
	}
	a->checks->label = NULL;
}

static void check_host_vtpm(const struct appraisal *a)
{
	a->checks->label = "host-vtpm (untrusted by the guest owner)";
	if (a->evidence->has_vtpm) {
		check_skip(a->checks, "vtpm.present",
			   "present; the launch digest, not it, says what was booted");
		check_quote(a);
		check_event_log(a);
		skip_vtpm(a, FIRST_REFERENCE, "not compared: snp.measurement is");
	} else {
		check_skip(a->checks, "vtpm.present", "none, and none is needed");
		skip_vtpm(a, 0, "the evidence has no vTPM");
	}
	a->checks->label = NULL;
}

static void check_tee(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	const char *have = evidence_tee_name(ev->tee);

	if (!a->policy->any_tee && a->policy->tee != ev->tee)
		check_fail(a->checks, "tee.evidence", EX_REFUSED, have,
			   evidence_tee_name(a->policy->tee), UNJUDGED_TEE);
	else if (ev->tee == EVIDENCE_PLAIN)
		check_skip(a->checks, "tee.evidence", "plain VM: no TEE, the host is trusted");
	else
		check_pass(a->checks, "tee.evidence", have,
			   "%s; the agent calls its source %s, which proves nothing",
			   ev->tee == EVIDENCE_TDX ? "a quote of TDX" : "a report of SEV-SNP",
			   ev->tee_provider);
}

/* What REPORT_DATA must be. */
static int bind_evidence(const struct evidence *ev, uint8_t want[64], struct err *e)
{
	struct binding b = { .nonce = ev->nonce,
			     .nonce_size = ev->nonce_size,
			     .public_key = ev->public_key,
			     .public_key_size = ev->public_key_size,
			     .ak_public = ev->has_vtpm ? ev->ak_public : NULL,
			     .ak_public_size = ev->ak_public_size };

	return binding_sha512(&b, want, e);
}

static void check_report(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	const char *unjudged = appraise_unjudged(a);
	struct snp_certs none = { 0 };
	uint8_t want[64];
	struct err e = { 0 };

	int bound = bind_evidence(ev, want, &e);
	struct snp_appraisal s = {
		.report = ev->report,
		.report_size = ev->report_size,
		.cert_table = ev->cert_table,
		.cert_table_size = ev->cert_table_size,
		.certs = a->certs != NULL ? a->certs : &none,
		.trust_root = a->trust_root,
		.collateral = a->collateral,
		.collateral_error = a->collateral_error,
		.crl = a->crl,
		.crl_count = a->crl_count,
		.allow_version = a->allow_report_version,
		.now = a->now,
		.policy = unjudged == NULL ? &a->policy->snp : NULL,
		.unjudged = unjudged,
		.reference = unjudged == NULL ? a->snp_reference : NULL,
		.bundle = unjudged == NULL ? a->bundle : NULL,
		.report_data = bound == 0 ? want : NULL,
		.checks = a->checks,
	};
	check_snp(&s);
	snp_certs_free(&none);
	/* Without it the report would be anyone's; evidence_parse makes it impossible. */
	if (bound < 0)
		check_fail_err(a->checks, "snp.binding", &e);
}

static int check_td(const struct appraisal *a, bool policy_given, struct err *e)
{
	const struct evidence *ev = a->evidence;
	const struct tdx_case c = { .policy = a->policy,
				    .policy_given = policy_given,
				    .base = a->base,
				    .mrtd = a->mrtd };
	uint8_t want[64];
	struct err why = { 0 };
	int bound = bind_evidence(ev, want, &why);
	struct tdx_appraisal t = {
		.quote = ev->report,
		.quote_size = ev->report_size,
		.trust_root = a->trust_root,
		.now = a->now,
		.bundle = a->bundle,
		.report_data = bound == 0 ? want : NULL,
		.ccel = ev->cc_log_size > 0 ? ev->cc_log : NULL,
		.ccel_size = ev->cc_log_size,
		.collateral = a->collateral,
		.collateral_error = a->collateral_error,
		.cache = a->cache,
		.checks = a->checks,
	};
	int r = judge_tdx(&c, &t, e);

	/* Without it the quote would be anyone's; evidence_parse makes it impossible. */
	if (r == 0 && bound < 0)
		check_fail_err(a->checks, "tdx.binding", &why);
	return r;
}

static void note_claims(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;

	if (ev->claim_vm[0] != '\0' || ev->claim_isolation[0] != '\0' ||
	    ev->claim_missing[0] != '\0')
		check_skip(a->checks, "host.claims",
			   "untrusted, not used: the host says vm \"%s\", isolation \"%s\"%s%s",
			   ev->claim_vm, ev->claim_isolation,
			   ev->claim_missing[0] != '\0' ? " without " : "", ev->claim_missing);
	else
		check_skip(a->checks, "host.claims", "none made");
}

int check_bundle(const struct appraisal *given, struct err *e)
{
	struct appraisal with_policy = *given, *a = &with_policy;
	struct policy assumed;
	int r = 0;

	check_pass(a->checks, "evidence.form", "pavise-evidence 0", "every field keeps its form");
	a->policy = check_policy_given(given->policy, &assumed, a->checks);
	check_nonce(a);
	check_agent_key(a);
	check_tee(a);
	if (a->evidence->tee == EVIDENCE_SNP) {
		a->checks->scope = SNP_SCOPE;
		check_report(a);
		check_host_vtpm(a);
	} else if (a->evidence->tee == EVIDENCE_TDX) {
		a->checks->scope = TDX_SCOPE;
		r = check_td(a, given->policy != NULL, e);
		if (r == 0)
			check_host_quote(a);
	} else {
		r = check_vtpm(a, e);
	}
	if (r == 0)
		note_claims(a);
	return r;
}

/* The caller's first: what the evidence brings can only add to it. */
static int gather_collateral(const struct request *r, const struct evidence *ev,
			     struct collateral *out, struct err *fault, struct err *e)
{
	int status = request_collateral(r, out, fault, e);

	if (status < 0 || ev->collateral == NULL)
		return status;
	int added = collateral_add(out, "evidence.collateral", (const uint8_t *)ev->collateral,
				   ev->collateral_size, fault);
	if (added == -EX_HOST)
		return err_set(e, EX_HOST, "%s", fault->text);
	if (added == 1)
		err_set(fault, EX_MALFORMED, "evidence.collateral: not what collateral looks like");
	return 0;
}

/* With the policy's plan and the certificates of the request. */
static int judge(const struct request *r, const struct evidence *ev, struct checks *out,
		 struct err *e)
{
	struct snp_certs certs = { 0 }, trusted = { 0 };
	struct certs root = { 0 };
	struct plan_reference ref = { 0 };
	struct value_bundle bundle = { 0 };
	struct collateral collateral = { 0 };
	struct err fault = { 0 };
	int status = r->policy == NULL ? 0 : plan_reference_open(r, r->policy, &ref, e);

	if (status == 0 && ev->tee == EVIDENCE_TDX)
		status = request_root(r, &root, e);
	else if (status == 0)
		status = request_snp_certs(r, &certs, &trusted, e);
	if (status == 0)
		status = check_value_bundle(r, r->policy, &bundle, out, e);
	if (status == 0)
		status = gather_collateral(r, ev, &collateral, &fault, e);
	struct appraisal a = {
		.evidence = ev,
		.policy = r->policy,
		.base = ref.given && ref.snp.count == 0 ? &ref.base : NULL,
		.nonce = r->nonce,
		.nonce_size = r->nonce_size,
		.snp_reference = ref.snp.count > 0 ? &ref.snp : NULL,
		.bundle = bundle.given ? &bundle : NULL,
		.certs = &certs,
		.mrtd = ref.tdx.mrtd,
		.trust_root = root.count == 1 ? root.cert[0] : trusted.cert[SNP_ROLE_ARK],
		.cache = warm_certs(r->warm),
		.collateral = &collateral,
		.collateral_error = fault.status != EX_OK ? &fault : NULL,
		.crl = r->crl,
		.crl_count = r->crl_count,
		.allow_report_version = r->allow_report_version,
		.now = r->now,
		.checks = out,
	};
	if (status == 0)
		status = check_bundle(&a, e);
	snp_certs_free(&certs);
	snp_certs_free(&trusted);
	certs_free(&root);
	value_bundle_free(&bundle);
	collateral_free(&collateral);
	return status;
}

int appraise_bundle(const struct request *r, struct checks *out, struct err *e)
{
	struct evidence *ev = malloc(sizeof(*ev));
	struct policy assumed;
	struct err why = { 0 };
	int status;

	if (ev == NULL)
		return err_set(e, EX_HOST, "out of memory");
	status = evidence_parse(r->evidence.name != NULL ? r->evidence.name : "evidence",
				(const char *)r->evidence.data, r->evidence.size, ev, &why);
	if (status == -EX_MALFORMED) {
		check_fail_err(out, "evidence.form", &why);
		check_policy_given(r->policy, &assumed, out);
		status = 0;
	} else if (status < 0) {
		*e = why;
	} else {
		status = judge(r, ev, out, e);
	}
	evidence_free(ev);
	free(ev);
	return status;
}
