/* The appraisal of an Intel TDX quote: its form, its certificates, its signatures, the platform's
 * TCB, and what the quote claims of the guest. */
#ifndef PAVISE_ATTEST_APPRAISE_CHECK_TDX_H
#define PAVISE_ATTEST_APPRAISE_CHECK_TDX_H

#include "attest/appraise/checks.h"
#include "attest/appraise/policy_log.h"
#include "attest/appraise/policy_tdx.h"
#include "attest/collateral/collateral.h"
#include "attest/tdx/chain.h"
#include "attest/tdx/pck.h"
#include "attest/tdx/qe_report.h"
#include "attest/tdx/quote.h"

#include <time.h>

#define TDX_SCOPE "TDX: the processor and Intel's TDX module are trusted, the host is not"

struct value_bundle;  /* check_bundle.h */
struct tdx_reference; /* tdx_reference.h */

struct tdx_appraisal {
	const uint8_t *quote; /* as received */
	size_t quote_size;
	X509 *trust_root; /* NULL: only Intel's root counts */
	time_t now;
	const struct tdx_policy *policy;   /* NULL: what needs a judgement is skipped … */
	const char *unjudged;		   /* … with this reason */
	const struct value_bundle *bundle; /* that the policy names; NULL without one */
	const struct tdx_reference *reference; /* of the policy's plan; NULL without one */
	const uint8_t *report_data;	   /* 64 bytes that REPORTDATA must be; NULL: nobody said */
	const uint8_t *ccel;		   /* event log as received; NULL: none */
	size_t ccel_size;
	const struct log_policy *log;	     /* not NULL: which registers must follow from ccel */
	const struct collateral *collateral; /* NULL: none */
	const struct err *collateral_error;  /* it could not be read whole; NULL: it could */
	struct cert_cache *cache;	     /* of certificates; NULL: none */
	struct checks *checks;		     /* filled */
};

/* Makes every check "tdx.…" and "log.…", and every claim; fails never but in them. */
void check_tdx(const struct tdx_appraisal *a);

/* Its parts share this. */
struct tdx_subject {
	struct tdx_quote quote;
	struct tdx_qe_report qe;
	struct tdx_chain chain;
	bool chain_ok; /* chain is set */
	bool is_intel; /* its root's key is Intel's */
	bool root_unnamed; /* its root is not Intel's, and the caller named none */
	struct tdx_pck pck;
	bool pck_ok; /* pck is set */
	/* Intel's, by signature and chain; borrowed; NULL: none that can be used. */
	const struct tcb_info *tcb_info; /* of this kind of platform */
	const struct qe_identity *qe_identity;
};

void check_tdx_chain(const struct tdx_appraisal *a, struct tdx_subject *s);
/* tdx.revocation: both lists, as far as they are given. */
void check_tdx_revocation(const struct tdx_appraisal *a, const struct tdx_subject *s);
void check_tdx_collateral(const struct tdx_appraisal *a, struct tdx_subject *s);
void check_tdx_tcb(const struct tdx_appraisal *a, const struct tdx_subject *s);
void check_tdx_guest(const struct tdx_appraisal *a, const struct tdx_subject *s);
void check_tdx_measured(const struct tdx_appraisal *a, const struct tdx_subject *s);
/* tdx.mrtd, tdx.rtmr.0 and tdx.rtmr.1 by a->reference, which is there; reference.machine and
 * reference.log, with it or without. */
void check_tdx_registers(const struct tdx_appraisal *a, const struct tdx_body *b);
void check_tdx_machine(const struct tdx_appraisal *a, const struct tdx_body *b);
void claim_tdx(const struct tdx_appraisal *a, const struct tdx_subject *s);

/* Was the check `id` skipped, because there is no policy to judge by? */
bool check_tdx_unjudged(const struct tdx_appraisal *a, const char *id);

#endif
