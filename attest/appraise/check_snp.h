/* The appraisal of an SEV-SNP report: certificates, signature, and what the report claims. */
#ifndef PAVISE_ATTEST_APPRAISE_CHECK_SNP_H
#define PAVISE_ATTEST_APPRAISE_CHECK_SNP_H

#include "attest/appraise/checks.h"
#include "attest/appraise/policy_snp.h"
#include "attest/snp/cert.h"
#include "attest/snp/report.h"

#include <time.h>

#define SNP_SCOPE "SEV-SNP: the processor and its firmware are trusted, the host is not"

/* What a plan's files lead to. */
struct snp_reference {
	uint8_t measurement[POLICY_LIST_MAX][SNP_MEASUREMENT_SIZE];
	char machine[POLICY_LIST_MAX][32]; /* "cpus 2" */
	size_t count;
	uint64_t guest_policy;
};

struct snp_appraisal {
	const uint8_t *report; /* as received */
	size_t report_size;
	const uint8_t *cert_table; /* as received; size 0: none */
	size_t cert_table_size;
	struct snp_certs *certs; /* from options; completed from the table */
	X509 *trust_root;	 /* NULL: only AMD's roots count */
	time_t now;
	const struct snp_policy *policy;       /* NULL: nothing is judged … */
	const char *unjudged;		       /* … and this is why */
	const struct snp_reference *reference; /* of the policy's plan; NULL without one */
	const uint8_t *report_data; /* 64 bytes that REPORT_DATA must be; NULL: nobody said */
	struct checks *checks;	    /* filled */
};

/* Makes every check "snp.…"; fails never but in them. */
void check_snp(const struct snp_appraisal *a);

/* Its parts share this. */
struct snp_subject {
	struct snp_report report;
	enum snp_product product; /* SNP_UNKNOWN: nothing that can be believed names one */
	struct snp_vek vek;
	bool vek_ok;		 /* vek is set */
	bool key_ok;		 /* the VEK certificate holds a P-384 key */
	enum snp_product pinned; /* product of the root, SNP_UNKNOWN for a private one */
};

void check_snp_chain(const struct snp_appraisal *a, struct snp_subject *s);
void check_snp_signature(const struct snp_appraisal *a, const struct snp_subject *s);
void check_snp_claims(const struct snp_appraisal *a, const struct snp_subject *s);

#endif
