/* A report from end to end: its form, its certificates, its signature. */
#include "attest/appraise/check_snp.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

/* Everything behind the form, in the order it would be made. */
static const char *const later[SNP_CHECKS - 1] = {
	"snp.version",
	"snp.reserved",
	"snp.certs",
	"snp.collateral",
	"snp.root",
	"snp.chain.ark",
	"snp.chain.ask",
	"snp.chain.vek",
	"snp.validity",
	"snp.vek.form",
	"snp.vek.kind",
	"snp.product",
	"snp.vek.tcb",
	"snp.vek.chip",
	"snp.product.allowed",
	"snp.vek.allowed",
	"snp.vek.provider",
	"snp.chip",
	"snp.revocation",
	"snp.signature",
	"snp.tcb.order",
	"snp.tcb.minimum",
	"snp.firmware.current",
	"snp.firmware.committed",
	"snp.provisional",
	"snp.mitigation.launch",
	"snp.mitigation.current",
	"snp.guest_policy",
	"snp.guest_policy.abi",
	"snp.guest_policy.bits",
	"snp.debug",
	"snp.migration",
	"snp.smt",
	"snp.vmpl",
	"snp.key_info",
	"snp.platform",
	"snp.measurement",
	"snp.host_data",
	"snp.family_id",
	"snp.image_id",
	"snp.guest_svn",
	"snp.id_key",
	"snp.author_key",
	"snp.binding",
};

static void check_version(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.version";
	uint32_t version = s->report.version;
	char have[16];

	snprintf(have, sizeof(have), "%u", version);
	if (version <= SNP_REPORT_VERSION_MAX) {
		check_pass(a->checks, id, have, "a version of the report that is known");
	} else if (version == a->allow_version) {
		check_pass(a->checks, id, have,
			   "not known, and taken as version %u: --allow-report-version says so",
			   SNP_REPORT_VERSION_MAX);
	} else {
		check_fail(a->checks, id, EX_REFUSED, have, "2 to 5",
			   "later than this program knows: its fields may mean something else");
		check_tell(a->checks, "VERSION", NULL,
			   "--allow-report-version N would take it as the last version known");
	}
}

/* Something new may stand there; what it means, an older verifier cannot know. */
static void check_reserved(const struct snp_appraisal *a, const struct snp_subject *s)
{
	if (s->report.reserved_zero)
		check_pass(a->checks, "snp.reserved", NULL, "every reserved byte is zero");
	else
		check_skip(a->checks, "snp.reserved",
			   "reserved bytes are not zero: the firmware says something that this "
			   "program does not know");
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
	const struct snp_vek *v = &s->vek;
	bool tcb = memcmp(v->tcb, s->report.reported_tcb, SNP_TCB_SIZE) != 0;
	bool chip = !v->is_vlek && memcmp(v->hwid, s->report.chip_id, v->hwid_size) != 0;
	bool product = snp_product_known(s->product) && s->product != v->product;

	out[0] = '\0';
	if (s->vek_ok && (tcb || chip || product))
		snprintf(out, size, ": tried the %s of %s, which is for another %s%s%s%s%s",
			 v->is_vlek ? "VLEK" : "VCEK", v->product_name, product ? "product" : "",
			 product && (chip || tcb) ? " and another " : "", chip ? "chip" : "",
			 chip && tcb ? " and another " : "",
			 tcb ? "TCB version than REPORTED_TCB" : "");
	else if (s->vek_ok)
		snprintf(out, size,
			 ": product, chip and TCB version are those of the certificate: the "
			 "report was changed, or another key signed it");
}

/* Zeros instead of a signature are what the firmware writes under MASK_CHIP_KEY. */
static bool check_unsigned(const struct snp_appraisal *a, const struct snp_subject *s)
{
	uint8_t any = 0;

	for (unsigned i = SNP_REPORT_SIGNED; i < SNP_REPORT_SIZE; i++)
		any |= s->report.raw[i];
	if (any != 0 && snp_report_signing_key(&s->report) != SNP_KEY_NONE)
		return false;
	check_fail(a->checks, "snp.signature", EX_UNAUTHENTIC,
		   any == 0 ? "no signature" : "SIGNING_KEY none", NULL,
		   "the report is not signed: anyone can write one like it%s",
		   (s->report.key_info & SNP_KEY_INFO_MASK_CHIP) != 0
			   ? " (the host has set MASK_CHIP_KEY)"
			   : "");
	check_tell(a->checks, "SIGNATURE", NULL,
		   "have the host's operator clear MASK_CHIP_KEY, or load a VLEK");
	return true;
}

void check_snp_signature(const struct snp_appraisal *a, const struct snp_subject *s)
{
	X509 *vek = a->certs->cert[SNP_ROLE_VEK];
	char why[240], wanted[SNP_WANTED_SIZE], next[sizeof(a->checks->item[0].next)];
	struct err e = { 0 };

	if (check_unsigned(a, s))
		return;
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
	snp_wanted(s, wanted);
	snprintf(next, sizeof(next), "its key would be that of %s", wanted);
	check_tell(a->checks, "SIGNATURE", NULL, next);
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
	check_reserved(a, &s);
	s.product = snp_report_product(&s.report);
	check_certs(a, &s);
	check_snp_collateral(a, &s);
	add_trusted(a);
	check_snp_chain(a, &s);
	check_snp_vek(a, &s);
	check_snp_revocation(a, &s);
	check_snp_signature(a, &s);
	check_snp_tcb(a, &s);
	check_snp_machine(a, &s);
	check_snp_values(a, &s);
	claim_snp(a, &s);
}
