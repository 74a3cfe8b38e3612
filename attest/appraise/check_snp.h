/* The appraisal of an SEV-SNP report: certificates, signature, and what the report claims. */
#ifndef PAVISE_ATTEST_APPRAISE_CHECK_SNP_H
#define PAVISE_ATTEST_APPRAISE_CHECK_SNP_H

#include "attest/appraise/checks.h"
#include "attest/appraise/policy_snp.h"
#include "attest/appraise/request.h"
#include "attest/collateral/collateral.h"
#include "attest/snp/cert.h"
#include "attest/snp/report.h"

#include <time.h>

#define SNP_SCOPE "SEV-SNP: the processor and its firmware are trusted, the host is not"

/* What a plan's files lead to. */
#define SNP_REFERENCE_MAX FW_BOOT_CPU_MAX /* a plan may serve any number of processors */
struct snp_reference {
	uint8_t measurement[SNP_REFERENCE_MAX][SNP_MEASUREMENT_SIZE];
	char machine[SNP_REFERENCE_MAX][32]; /* "cpus 2" */
	size_t count;
	uint64_t guest_policy;
};

struct value_bundle; /* check_bundle.h */

struct snp_appraisal {
	const uint8_t *report; /* as received */
	size_t report_size;
	const uint8_t *cert_table; /* as received; size 0: none */
	size_t cert_table_size;
	struct snp_certs *certs; /* from options; completed from the table */
	X509 *trust_root;	 /* NULL: only AMD's roots count */
	/* Fills what certificates and lists are missing; NULL: none. Its error: it breaks its form. */
	const struct collateral *collateral;
	const struct err *collateral_error;
	const struct blob *crl;	 /* AMD's revocation lists, as received */
	size_t crl_count;
	uint32_t allow_version; /* of reports: an unknown one to take as the last known; 0: none */
	time_t now;
	const struct snp_policy *policy;       /* NULL: nothing is judged … */
	const char *unjudged;		       /* … and this is why */
	const struct snp_reference *reference; /* of the policy's plan; NULL without one */
	const struct value_bundle *bundle;     /* that the policy names; NULL without one */
	const uint8_t *report_data; /* 64 bytes that REPORT_DATA must be; NULL: nobody said */
	struct checks *checks;	    /* filled */
};

#define SNP_CHECKS 45u /* how many it makes, whatever the report */

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

/* Certificates from the collateral. */
void check_snp_collateral(const struct snp_appraisal *a, const struct snp_subject *s);
/* Its lists of the ARK, one after the other: begin with *next 0; NULL: no more. */
const struct crl *snp_collateral_list(const struct snp_appraisal *a, size_t *next,
				      const char **name);
/* Root, links, validity, and what the VEK certificate says. */
void check_snp_chain(const struct snp_appraisal *a, struct snp_subject *s);
void check_snp_vek(const struct snp_appraisal *a, struct snp_subject *s);
void check_snp_revocation(const struct snp_appraisal *a, const struct snp_subject *s);
void check_snp_signature(const struct snp_appraisal *a, const struct snp_subject *s);
/* TCB versions, firmware, mitigations. */
void check_snp_tcb(const struct snp_appraisal *a, const struct snp_subject *s);
/* What the guest was launched with, and on: bits. */
void check_snp_machine(const struct snp_appraisal *a, const struct snp_subject *s);
/* Values that the policy, the plan or the caller states. */
void check_snp_values(const struct snp_appraisal *a, const struct snp_subject *s);
/* Every field as a claim. */
void claim_snp(const struct snp_appraisal *a, const struct snp_subject *s);

/* Is there a policy? If not, the check is skipped, with why. Here, so that analysers see it. */
static inline bool snp_judged(const struct snp_appraisal *a, const char *id)
{
	if (a->policy == NULL)
		check_skip(a->checks, id, "%s", a->unjudged != NULL ? a->unjudged : "no policy");
	return a->policy != NULL;
}

/* Is there one, and does it state what this check needs (given)? */
static inline bool snp_stated(const struct snp_appraisal *a, const char *id, bool given)
{
	if (!snp_judged(a, id))
		return false;
	if (!given)
		check_skip(a->checks, id, "the policy states none");
	return given;
}

/* Which VEK would fit the report: "Genoa, hwID 00112233..., blSPL=3&teeSPL=0&snpSPL=8&ucodeSPL=115"
 * (57230: what the key distribution service is asked for). */
#define SNP_WANTED_SIZE 160u
void snp_wanted(const struct snp_subject *s, char out[SNP_WANTED_SIZE]);

#endif
