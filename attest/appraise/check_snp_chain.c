/* From the root key down to the certificate of the chip's key. */
#include "attest/appraise/check_snp.h"

#include "attest/x509/cert.h"
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
	if (cert_key_digest(ark, digest) < 0) {
		check_fail(a->checks, "snp.root", EX_MALFORMED, NULL, NULL, "ARK: has no key");
		return;
	}
	cert_common_name(X509_get_subject_name(ark), name, sizeof(name));
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
	} else if (cert_key_digest(a->trust_root, trusted) == 0 &&
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

static void tell_missing(const struct snp_appraisal *a, const struct snp_subject *s,
			 enum snp_role role)
{
	bool vlek = snp_report_signing_key(&s->report) == SNP_KEY_VLEK;
	char wanted[SNP_WANTED_SIZE], next[256];

	snp_wanted(s, wanted);
	if (role == SNP_ROLE_VEK)
		snprintf(next, sizeof(next), "give with --vek the %s of %s", vlek ? "VLEK" : "VCEK",
			 wanted);
	else
		snprintf(next, sizeof(next), "give with --chain AMD's %s certificates of %s",
			 vlek ? "VLEK" : "VCEK", snp_product_name(s->product));
	check_tell(a->checks, snp_role_name(role), NULL, next);
}

/* The usual mistake: the chain of another product, or the ASK where the ASVK is needed. */
static void check_other_issuer(const struct snp_appraisal *a, const struct snp_subject *s,
			       enum snp_role role, const char *id)
{
	enum snp_role issuer_role = role == SNP_ROLE_VEK ? SNP_ROLE_ASK : SNP_ROLE_ARK;
	char have[NAME_SIZE], need[NAME_SIZE], next[256];

	cert_common_name(X509_get_subject_name(a->certs->cert[issuer_role]), have, sizeof(have));
	cert_common_name(X509_get_issuer_name(a->certs->cert[role]), need, sizeof(need));
	check_fail(a->checks, id, EX_UNAUTHENTIC, have, need,
		   "%s: names another issuer than the %s given", snp_role_name(role),
		   snp_role_name(issuer_role));
	snprintf(next, sizeof(next), "give the chain of \"%s\"%s%s", need,
		 s->product != SNP_UNKNOWN ? ": the report is of " : "",
		 s->product != SNP_UNKNOWN ? snp_product_name(s->product) : "");
	check_tell(a->checks, snp_role_name(issuer_role), NULL, next);
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
		tell_missing(a, s, role);
		return;
	}
	if (issuer == NULL) {
		check_fail(a->checks, id, EX_COLLATERAL, NULL, NULL,
			   "%s: the certificate of its issuer (%s) is missing", snp_role_name(role),
			   snp_role_name(issuer_role));
		return;
	}
	cert_common_name(X509_get_subject_name(cert), have, sizeof(have));
	amd_name(s, role, need, sizeof(need));
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
		check_other_issuer(a, s, role, id);
	else if (snp_cert_check_issuer(role, cert, issuer, a->certs->cache, &e) < 0)
		check_fail(a->checks, id, (enum exit_status)e.status, have, NULL, "%s", e.text);
	else if (is_pinned(s) && strcmp(have, need) != 0)
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, need,
			   "AMD issued this certificate for another use or product");
	else
		check_pass(a->checks, id, have, "issued by the %s", snp_role_name(issuer_role));
}

static void check_validity(const struct snp_appraisal *a)
{
	bool lenient = a->policy != NULL && a->policy->allow_expired;
	struct err e = { 0 };
	time_t now = a->now;
	bool expired = false;

	for (unsigned i = 0; i < SNP_ROLES; i++) {
		X509 *cert = a->certs->cert[i];
		const char *name = snp_role_name((enum snp_role)i);
		if (cert == NULL || cert_check_time(name, cert, a->now, &e) == 0)
			continue;
		expired = true;
		/* X509_cmp_time: -1 before or at the time, 0 when it cannot be read. */
		if (lenient && X509_cmp_time(X509_get0_notBefore(cert), &now) < 0 &&
		    e.status == EX_COLLATERAL)
			continue;
		check_fail_err(a->checks, "snp.validity", &e);
		check_tell(
			a->checks, name, NULL,
			"give one that is valid, or --time when the evidence is of another time");
		return;
	}
	if (expired)
		check_skip(a->checks, "snp.validity", "%s; the policy takes it all the same",
			   e.text);
	else
		check_pass(a->checks, "snp.validity", NULL,
			   "every certificate is within its validity");
}

void check_snp_chain(const struct snp_appraisal *a, struct snp_subject *s)
{
	check_root(a, s);
	check_link(a, s, SNP_ROLE_ARK, SNP_ROLE_ARK, "snp.chain.ark");
	check_link(a, s, SNP_ROLE_ASK, SNP_ROLE_ARK, "snp.chain.ask");
	check_link(a, s, SNP_ROLE_VEK, SNP_ROLE_ASK, "snp.chain.vek");
	check_validity(a);
}
