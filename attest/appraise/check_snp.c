/* A report from end to end: its form, its certificates, its signature. */
#include "attest/appraise/check_snp.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

/* Everything behind the form, in the order it would be made. */
static const char *const later[] = {
	"snp.version",	   "snp.certs",	       "snp.root",	 "snp.chain.ark", "snp.chain.ask",
	"snp.chain.vek",   "snp.validity",     "snp.revocation", "snp.vek.form",  "snp.vek.kind",
	"snp.product",	   "snp.vek.tcb",      "snp.vek.chip",	 "snp.signature", "snp.tcb.order",
	"snp.tcb.minimum", "snp.guest_policy", "snp.debug",	 "snp.migration", "snp.smt",
	"snp.vmpl",	   "snp.measurement",  "snp.host_data",	 "snp.guest_svn", "snp.id_key",
	"snp.author_key",  "snp.binding",      "snp.platform",
};

static void check_version(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[16];

	snprintf(have, sizeof(have), "%u", s->report.version);
	if (s->report.version <= SNP_REPORT_VERSION_MAX)
		check_pass(a->checks, "snp.version", have, "a version of the report that is known");
	else
		check_fail(a->checks, "snp.version", EX_REFUSED, have, "2 to 5",
			   "later than this program knows: its fields may mean something else");
}

/* Options come first; the host's table fills what they left out. */
static void check_certs(const struct snp_appraisal *a, const struct snp_subject *s)
{
	struct snp_cert_table table;
	struct err e = { 0 };

	if (a->cert_table_size == 0) {
		check_skip(a->checks, "snp.certs", "no certificate table in the evidence");
		return;
	}
	if (snp_cert_table_parse(a->cert_table, a->cert_table_size, &table, &e) < 0 ||
	    snp_certs_add_table(a->certs, &table, snp_report_signing_key(&s->report), &e) < 0)
		check_fail_err(a->checks, "snp.certs", &e);
	else
		check_pass(a->checks, "snp.certs", NULL,
			   "the certificate table of the evidence keeps its form%s",
			   table.unknown > 0 ? "; entries of unknown kinds are not used" : "");
}

/* A root that the relying party holds need not come with a report. A table, however, is whole or
 * nothing: evidence with a changed byte must not pass because the byte was not needed. */
static void add_trusted(const struct snp_appraisal *a)
{
	if (a->cert_table_size == 0 && a->certs->cert[SNP_ROLE_ARK] == NULL &&
	    a->trust_root != NULL && X509_up_ref(a->trust_root))
		a->certs->cert[SNP_ROLE_ARK] = a->trust_root;
}

/* Why a signature may fail although every part is genuine: the wrong certificate was fetched. */
static void explain(const struct snp_subject *s, char *out, size_t size)
{
	bool tcb = memcmp(s->vek.tcb, s->report.reported_tcb, SNP_TCB_SIZE) != 0;
	bool chip =
		!s->vek.is_vlek && memcmp(s->vek.hwid, s->report.chip_id, s->vek.hwid_size) != 0;

	out[0] = '\0';
	if (s->vek_ok && (tcb || chip))
		snprintf(out, size, ": the certificate is for another %s%s%s", chip ? "chip" : "",
			 tcb && chip ? " and another " : "",
			 tcb ? "TCB version than REPORTED_TCB" : "");
	else if (s->vek_ok)
		snprintf(out, size,
			 ": chip and TCB version are those of the certificate: the "
			 "report was changed, or another key signed it");
}

void check_snp_signature(const struct snp_appraisal *a, const struct snp_subject *s)
{
	X509 *vek = a->certs->cert[SNP_ROLE_VEK];
	char why[160];
	struct err e = { 0 };

	if (vek == NULL || !s->key_ok) {
		check_skip(a->checks, "snp.signature", "there is no certificate with a usable key");
		return;
	}
	if (snp_report_verify(&s->report, X509_get0_pubkey(vek), &e) == 0) {
		check_pass(a->checks, "snp.signature", NULL,
			   "holds over the report as received, under the VEK");
		return;
	}
	explain(s, why, sizeof(why));
	check_fail(a->checks, "snp.signature", (enum exit_status)e.status, NULL, NULL, "%s%s",
		   e.text, e.status == EX_UNAUTHENTIC ? why : "");
}

void check_snp(const struct snp_appraisal *a)
{
	struct snp_subject s = { 0 };
	struct err e = { 0 };

	if (snp_report_parse(a->report, a->report_size, &s.report, &e) < 0) {
		check_fail_err(a->checks, "snp.form", &e);
		for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
			check_skip(a->checks, later[i], "the report is malformed");
		return;
	}
	check_pass(a->checks, "snp.form", NULL, "an SEV-SNP attestation report");
	check_version(a, &s);
	s.product = snp_report_product(&s.report);
	check_certs(a, &s);
	add_trusted(a);
	check_snp_chain(a, &s);
	check_snp_signature(a, &s);
	check_snp_claims(a, &s);
}
