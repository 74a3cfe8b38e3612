/* From the root key down to the certificate of the chip's key, and whether that one is the one
 * that the report names. */
#include "attest/appraise/check_snp.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 128u

/* With AMD's root: names and products are AMD's, too. */
static bool is_pinned(const struct snp_subject *s)
{
	return s->pinned != SNP_UNKNOWN;
}

static void check_root(const struct snp_appraisal *a, struct snp_subject *s)
{
	X509 *ark = a->certs->cert[SNP_ROLE_ARK];
	uint8_t digest[48], trusted[48];
	char have[97], need[97], name[NAME_SIZE];

	if (ark == NULL) {
		check_fail(a->checks, "snp.root", EX_COLLATERAL, NULL, NULL,
			   "no ARK: neither in the evidence nor with --chain");
		return;
	}
	if (snp_key_digest(ark, digest) < 0) {
		check_fail(a->checks, "snp.root", EX_MALFORMED, NULL, NULL, "ARK: has no key");
		return;
	}
	snp_cert_name(ark, name, sizeof(name));
	hex_encode(digest, sizeof(digest), have);
	s->pinned = snp_pinned_product(digest);
	if (is_pinned(s)) {
		check_pass(a->checks, "snp.root", have, "AMD's root key for %s",
			   snp_product_name(s->pinned));
	} else if (a->trust_root == NULL) {
		check_fail(a->checks, "snp.root", EX_REFUSED, have, NULL,
			   "\"%s\" is a simulated or private root, none of AMD's: --trust-root F "
			   "would take it",
			   name);
	} else if (snp_key_digest(a->trust_root, trusted) == 0 &&
		   CRYPTO_memcmp(trusted, digest, sizeof(digest)) == 0) {
		a->checks->private_root = true;
		check_pass(a->checks, "snp.root", have,
			   "\"%s\" is a simulated or private root, trusted by --trust-root", name);
	} else {
		hex_encode(trusted, sizeof(trusted), need);
		check_fail(a->checks, "snp.root", EX_UNAUTHENTIC, have, need,
			   "\"%s\" is neither a root of AMD's nor the one of --trust-root", name);
	}
}

/* The common name AMD gives a certificate of this role. */
static void amd_name(const struct snp_subject *s, enum snp_role role, char *out, size_t size)
{
	const char *product = snp_product_name(s->pinned);
	bool vlek = snp_report_signing_key(&s->report) == SNP_KEY_VLEK;

	if (role == SNP_ROLE_ARK)
		snprintf(out, size, "ARK-%s", product);
	else if (role == SNP_ROLE_ASK)
		snprintf(out, size, "SEV-%s%s", vlek ? "VLEK-" : "", product);
	else
		snprintf(out, size, "SEV-%s", vlek ? "VLEK" : "VCEK");
}

static void check_link(const struct snp_appraisal *a, const struct snp_subject *s,
		       enum snp_role role, enum snp_role issuer_role, const char *id)
{
	X509 *cert = a->certs->cert[role], *issuer = a->certs->cert[issuer_role];
	char have[NAME_SIZE], need[NAME_SIZE];
	struct err e = { 0 };

	if (cert == NULL) {
		check_fail(a->checks, id, EX_COLLATERAL, NULL, NULL,
			   "no %s certificate: neither in the evidence nor among the options",
			   snp_role_name(role));
		return;
	}
	if (issuer == NULL) {
		check_fail(a->checks, id, EX_COLLATERAL, NULL, NULL,
			   "%s: the certificate of its issuer (%s) is missing", snp_role_name(role),
			   snp_role_name(issuer_role));
		return;
	}
	snp_cert_name(cert, have, sizeof(have));
	amd_name(s, role, need, sizeof(need));
	if (snp_cert_check_issuer(role, cert, issuer, &e) < 0)
		check_fail(a->checks, id, (enum exit_status)e.status, have, NULL, "%s", e.text);
	else if (is_pinned(s) && strcmp(have, need) != 0)
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, need,
			   "AMD issued this certificate for another use or product");
	else
		check_pass(a->checks, id, have, "issued by the %s", snp_role_name(issuer_role));
}

static void check_validity(const struct snp_appraisal *a)
{
	struct err e = { 0 };

	for (unsigned i = 0; i < SNP_ROLES; i++)
		if (a->certs->cert[i] != NULL &&
		    snp_cert_check_time((enum snp_role)i, a->certs->cert[i], a->now, &e) < 0) {
			check_fail_err(a->checks, "snp.validity", &e);
			return;
		}
	check_pass(a->checks, "snp.validity", NULL, "every certificate is within its validity");
}

static void check_vek_form(const struct snp_appraisal *a, struct snp_subject *s)
{
	X509 *vek = a->certs->cert[SNP_ROLE_VEK];
	EVP_PKEY *key = X509_get0_pubkey(vek);
	char group[32] = "";
	struct err e = { 0 };

	if (key != NULL)
		EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	s->key_ok = key != NULL && EVP_PKEY_is_a(key, "EC") && strcmp(group, "secp384r1") == 0;
	s->vek_ok = snp_vek_parse(vek, &s->vek, &e) == 0;
	if (!s->vek_ok)
		check_fail_err(a->checks, "snp.vek.form", &e);
	else if (!s->key_ok)
		check_fail(a->checks, "snp.vek.form", EX_MALFORMED, group, "secp384r1",
			   "VEK: its key is not EC P-384");
	else
		check_pass(a->checks, "snp.vek.form", s->vek.product_name,
			   "EC P-384 key, with the extensions of a %s",
			   s->vek.is_vlek ? "VLEK" : "VCEK");
}

/* KEY_INFO says which key signed; a certificate of the other kind is for another purpose. */
static void check_kind(const struct snp_appraisal *a, const struct snp_subject *s)
{
	enum snp_signing_key key = snp_report_signing_key(&s->report);
	const char *need = key == SNP_KEY_VCEK ? "VCEK" : key == SNP_KEY_VLEK ? "VLEK" : "none";

	if ((key == SNP_KEY_VCEK && !s->vek.is_vlek) || (key == SNP_KEY_VLEK && s->vek.is_vlek))
		check_pass(a->checks, "snp.vek.kind", need,
			   "the kind of key that the report names%s%s",
			   s->vek.is_vlek ? ", of " : "", s->vek.is_vlek ? s->vek.csp : "");
	else
		check_fail(a->checks, "snp.vek.kind", EX_UNAUTHENTIC,
			   s->vek.is_vlek ? "VLEK" : "VCEK", need,
			   "the report names another kind of key than this certificate's");
}

/* CPUID (version 3 and later), the VEK's productName and the root must tell of one product. */
static void check_product(const struct snp_appraisal *a, struct snp_subject *s)
{
	const char *name = snp_product_name(s->vek.product);

	if (s->report.has_cpuid && s->product == SNP_UNKNOWN)
		check_fail(a->checks, "snp.product", EX_REFUSED, NULL, NULL,
			   "family 0x%02x, model 0x%02x: a product that this program does not know",
			   s->report.family, s->report.model);
	else if (s->report.has_cpuid && s->product != s->vek.product)
		check_fail(a->checks, "snp.product", EX_UNAUTHENTIC, name,
			   snp_product_name(s->product),
			   "the VEK is for another product than the report's");
	else if (is_pinned(s) && s->pinned != s->vek.product)
		check_fail(a->checks, "snp.product", EX_UNAUTHENTIC, name,
			   snp_product_name(s->pinned),
			   "the VEK is for another product than its root");
	else
		check_pass(a->checks, "snp.product", name, "%s agree on the product",
			   s->report.has_cpuid ? "report and certificates" : "the certificates");
	if (s->product == SNP_UNKNOWN)
		s->product = s->vek.product;
}

/* The key of a VEK is derived from the chip's secret and just this TCB version. */
static void check_vek_tcb(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[160], need[160];

	snp_tcb_text(s->vek.product, s->vek.tcb, have, sizeof(have));
	snp_tcb_text(s->vek.product, s->report.reported_tcb, need, sizeof(need));
	if (memcmp(s->vek.tcb, s->report.reported_tcb, SNP_TCB_SIZE) == 0)
		check_pass(a->checks, "snp.vek.tcb", have, "the VEK is of REPORTED_TCB");
	else
		check_fail(a->checks, "snp.vek.tcb", EX_UNAUTHENTIC, have, need,
			   "the VEK is of another TCB version than REPORTED_TCB");
}

static void check_chip(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const uint8_t zero[SNP_CHIP_ID_SIZE];
	const struct snp_vek *v = &s->vek;
	const uint8_t *id = s->report.chip_id;
	char have[2 * SNP_CHIP_ID_SIZE + 1], need[2 * SNP_CHIP_ID_SIZE + 1];

	if (v->is_vlek) {
		check_skip(a->checks, "snp.vek.chip",
			   "a VLEK belongs to a provider, not to a chip");
		return;
	}
	hex_encode(v->hwid, v->hwid_size, have);
	hex_encode(id, v->hwid_size, need);
	if (memcmp(id, zero, sizeof(zero)) == 0)
		check_fail(a->checks, "snp.vek.chip", EX_UNAUTHENTIC, have, need,
			   "the host masks CHIP_ID: nothing says that this VCEK is the chip's");
	else if (memcmp(v->hwid, id, v->hwid_size) == 0 &&
		 memcmp(id + v->hwid_size, zero, sizeof(zero) - v->hwid_size) == 0)
		check_pass(a->checks, "snp.vek.chip", have, "hwID is CHIP_ID");
	else
		check_fail(a->checks, "snp.vek.chip", EX_UNAUTHENTIC, have, need,
			   "the VCEK is of another chip than CHIP_ID");
}

static void check_vek(const struct snp_appraisal *a, struct snp_subject *s)
{
	static const char *const rest[] = { "snp.vek.kind", "snp.product", "snp.vek.tcb",
					    "snp.vek.chip" };
	bool given = a->certs->cert[SNP_ROLE_VEK] != NULL;

	if (given)
		check_vek_form(a, s);
	else
		check_skip(a->checks, "snp.vek.form", "there is no VEK certificate");
	if (!s->vek_ok) {
		for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
			check_skip(a->checks, rest[i], "%s",
				   given ? "the VEK certificate is malformed"
					 : "there is no VEK certificate");
		return;
	}
	check_kind(a, s);
	check_product(a, s);
	check_vek_tcb(a, s);
	check_chip(a, s);
}

void check_snp_chain(const struct snp_appraisal *a, struct snp_subject *s)
{
	check_root(a, s);
	check_link(a, s, SNP_ROLE_ARK, SNP_ROLE_ARK, "snp.chain.ark");
	check_link(a, s, SNP_ROLE_ASK, SNP_ROLE_ARK, "snp.chain.ask");
	check_link(a, s, SNP_ROLE_VEK, SNP_ROLE_ASK, "snp.chain.vek");
	check_validity(a);
	check_skip(a->checks, "snp.revocation", "this program reads no revocation lists yet");
	check_vek(a, s);
}
