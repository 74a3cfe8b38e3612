/* A quote from end to end: its form, its certificates, its signatures. */
#include "attest/appraise/check_tdx.h"

#include "attest/appraise/log_case.h"
#include "common/bytes.h"

#include <stdio.h>

/* Everything behind the form, in the order it would be made. */
static const char *const later[] = {
	"tdx.version",	    "tdx.trailing",	  "tdx.certs",	      "tdx.root",
	"tdx.chain.root",   "tdx.chain.ca",	  "tdx.chain.pck",    "tdx.validity",
	"tdx.revocation",   "tdx.pck.form",	  "tdx.qe.vendor",    "tdx.qe.signature",
	"tdx.qe.binding",   "tdx.signature",	  "tdx.tcb_info",     "tdx.qe_identity",
	"tdx.collateral",   "tdx.tcb.evaluation", "tdx.module",	      "tdx.qe.identity",
	"tdx.tcb.platform", "tdx.tcb.module",	  "tdx.tcb.qe",	      "tdx.tcb.status",
	"tdx.tcb.date",	    "tdx.debug",	  "tdx.migration",    "tdx.sept_ve",
	"tdx.attributes",   "tdx.xfam",		  "tdx.mrseam",	      "tdx.mrtd",
	"tdx.rtmr.0",	    "tdx.rtmr.1",	  "tdx.rtmr.2",	      "tdx.rtmr.3",
	"tdx.config_id",    "tdx.owner",	  "tdx.owner_config", "tdx.service_td",
	"reference.machine", "reference.log",	  "tdx.binding",
};

bool check_tdx_unjudged(const struct tdx_appraisal *a, const char *id)
{
	if (a->policy == NULL)
		check_skip(a->checks, id, "%s", a->unjudged);
	return a->policy == NULL;
}

static void check_version(const struct tdx_appraisal *a, const struct tdx_quote *q)
{
	char have[16];

	snprintf(have, sizeof(have), "%u", q->version);
	check_pass(a->checks, "tdx.version", have, "a quote of a TD %s",
		   q->body_type == TDX_BODY_TD_1_5 ? "1.5" : "1.0");
}

/* Hosts hand quotes out in buffers of fixed size. */
static void check_trailing(const struct tdx_appraisal *a, const struct tdx_quote *q)
{
	char have[24];

	snprintf(have, sizeof(have), "%zu", q->trailing);
	check_pass(a->checks, "tdx.trailing", have, "%s",
		   q->trailing == 0 ? "nothing follows the quote"
				    : "bytes follow the quote: nothing signs them, they are not "
				      "used");
}

static void check_result(const struct tdx_appraisal *a, const char *id, int r, const char *good,
			 const struct err *e)
{
	if (r < 0)
		check_fail_err(a->checks, id, e);
	else
		check_pass(a->checks, id, NULL, "%s", good);
}

/* From the PCK to the attestation key, from that to the quote. */
static void check_signatures(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	const struct tdx_quote *q = &s->quote;
	struct err qe = { 0 }, binding = { 0 }, quote = { 0 };
	char have[33];

	hex_encode(q->qe_vendor, 16, have);
	if (tdx_qe_vendor_is_intel(q))
		check_pass(a->checks, "tdx.qe.vendor", have, "says that it is Intel's quoting enclave");
	else
		check_fail(a->checks, "tdx.qe.vendor", EX_UNAUTHENTIC, have,
			   "939a7233f79c4ca9940a0db3957f0607",
			   "not Intel's quoting enclave: what it signs means something else");
	if (s->chain_ok)
		check_result(
			a, "tdx.qe.signature",
			tdx_qe_report_verify(q, X509_get0_pubkey(s->chain.cert[TDX_ROLE_PCK]), &qe),
			"the platform's PCK signed the quoting enclave's report", &qe);
	else
		check_skip(a->checks, "tdx.qe.signature", "the PCK chain is malformed");
	check_result(a, "tdx.qe.binding", tdx_qe_report_binds(q, &binding),
		     "the quoting enclave's report carries the attestation key", &binding);
	check_result(a, "tdx.signature", tdx_quote_verify(q, a->cache, &quote),
		     "holds over the quote as received, under the attestation key", &quote);
}

/* The registers lie in the body one behind the other. */
static void check_log(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	const uint8_t(*rtmr)[TDX_DIGEST_SIZE] = (const uint8_t(*)[TDX_DIGEST_SIZE])b->rtmr[0];

	check_cc_log(a->ccel, a->ccel_size, rtmr, a->log, a->policy == NULL ? a->unjudged : NULL,
		     a->checks);
}

void check_tdx(const struct tdx_appraisal *a)
{
	struct tdx_subject s = { 0 };
	struct err e = { 0 };

	if (tdx_quote_parse(a->quote, a->quote_size, &s.quote, &e) < 0) {
		check_fail_err(a->checks, "tdx.form", &e);
		for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
			check_skip(a->checks, later[i], "the quote is malformed");
		skip_log_checks(a->checks, "the quote is malformed");
		return;
	}
	check_pass(a->checks, "tdx.form", NULL, "a TDX quote; every declared length holds");
	check_version(a, &s.quote);
	check_trailing(a, &s.quote);
	tdx_qe_report_read(&s.quote, &s.qe);
	check_tdx_chain(a, &s);
	check_signatures(a, &s);
	check_tdx_collateral(a, &s);
	check_tdx_tcb(a, &s);
	check_tdx_guest(a, &s);
	check_tdx_measured(a, &s);
	check_log(a, &s.quote.body);
	claim_tdx(a, &s);
	tdx_chain_free(&s.chain);
}
