/* From Intel's root key down to the certificate of the platform's key (PCK), and what that one says
 * of the platform. */
#include "attest/appraise/check_tdx.h"

#include "attest/x509/cert.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 128u

static void check_certs(const struct tdx_appraisal *a, struct tdx_subject *s)
{
	struct err e = { 0 };

	s->chain_ok = tdx_chain_parse(s->quote.certs, s->quote.certs_size, a->cache, &s->chain,
				      &e) == 0;
	if (s->chain_ok)
		check_pass(a->checks, "tdx.certs", NULL,
			   "the quote brings PCK certificate, PCK CA and root CA");
	else
		check_fail_err(a->checks, "tdx.certs", &e);
}

static void check_root(const struct tdx_appraisal *a, struct tdx_subject *s)
{
	X509 *root = s->chain.cert[TDX_ROLE_ROOT];
	uint8_t digest[48], trusted[48];
	char have[97], need[97], name[NAME_SIZE];

	if (cert_key_digest(root, digest) < 0) {
		check_fail(a->checks, "tdx.root", EX_MALFORMED, NULL, NULL, "root CA: has no key");
		return;
	}
	cert_common_name(X509_get_subject_name(root), name, sizeof(name));
	hex_encode(digest, sizeof(digest), have);
	s->is_intel = tdx_root_is_intel(digest);
	if (s->is_intel) {
		check_pass(a->checks, "tdx.root", have, "the key of Intel's SGX root CA");
	} else if (a->trust_root == NULL) {
		s->root_unnamed = true;
		check_fail(a->checks, "tdx.root", EX_REFUSED, have, NULL,
			   "\"%s\" does not have the key of Intel's root CA", name);
		check_tell(a->checks, "root CA", NULL,
			   "a simulated, private or pre-production root: --trust-root F would take "
			   "it");
	} else if (cert_key_digest(a->trust_root, trusted) == 0 &&
		   CRYPTO_memcmp(trusted, digest, sizeof(digest)) == 0) {
		a->checks->private_root = true;
		check_pass(a->checks, "tdx.root", have,
			   "\"%s\" is a simulated or private root, trusted by --trust-root", name);
	} else {
		hex_encode(trusted, sizeof(trusted), need);
		check_fail(a->checks, "tdx.root", EX_UNAUTHENTIC, have, need,
			   "\"%s\" is neither Intel's root nor the one of --trust-root", name);
	}
}

/* Under its one root Intel has further certificates (of TCB signing, of SGX's own CAs). */
static bool is_intel_name(enum tdx_role role, const char *name)
{
	switch (role) {
	case TDX_ROLE_PCK:
		return strcmp(name, "Intel SGX PCK Certificate") == 0;
	case TDX_ROLE_CA:
		return strcmp(name, "Intel SGX PCK Platform CA") == 0 ||
		       strcmp(name, "Intel SGX PCK Processor CA") == 0;
	default:
		return strcmp(name, "Intel SGX Root CA") == 0;
	}
}

static void check_link(const struct tdx_appraisal *a, const struct tdx_subject *s,
		       enum tdx_role role, const char *id)
{
	char have[NAME_SIZE];
	struct err e = { 0 };

	cert_common_name(X509_get_subject_name(s->chain.cert[role]), have, sizeof(have));
	if (tdx_chain_check_link(&s->chain, role, &e) < 0)
		check_fail(a->checks, id, (enum exit_status)e.status, have, NULL, "%s", e.text);
	else if (s->is_intel && !is_intel_name(role, have))
		check_fail(a->checks, id, EX_UNAUTHENTIC, have, NULL,
			   "Intel issued this certificate for another use than %s",
			   tdx_role_name(role));
	else
		check_pass(a->checks, id, have, "%s",
			   role == TDX_ROLE_ROOT ? "issued by itself" : "issued by the next one");
	check_tell(a->checks, tdx_role_name(role), NULL, NULL);
}

static void check_validity(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	bool lenient = a->policy != NULL && !a->policy->require_collateral;
	struct err e = { 0 };

	for (unsigned i = 0; i < TDX_ROLES; i++) {
		if (cert_check_time(tdx_role_name((enum tdx_role)i), s->chain.cert[i], a->now,
				    &e) == 0)
			continue;
		if (lenient)
			check_skip(a->checks, "tdx.validity", "the policy lets it pass: %s",
				   e.text);
		else
			check_fail_err(a->checks, "tdx.validity", &e);
		check_tell(a->checks, tdx_role_name((enum tdx_role)i), NULL, NULL);
		return;
	}
	check_pass(a->checks, "tdx.validity", NULL, "every certificate is within its validity");
}

/* A certificate always says the same. */
static bool read_pck(const struct tdx_appraisal *a, const X509 *cert, struct tdx_pck *out,
		     struct err *e)
{
	if (cert_cache_noted(a->cache, cert, CERT_NOTE_PCK, out, sizeof(*out)))
		return true;
	if (tdx_pck_parse(cert, out, e) < 0)
		return false;
	cert_cache_note(a->cache, cert, CERT_NOTE_PCK, out, sizeof(*out));
	return true;
}

static void check_pck(const struct tdx_appraisal *a, struct tdx_subject *s)
{
	struct err e = { 0 };
	char have[13];

	s->pck_ok = read_pck(a, s->chain.cert[TDX_ROLE_PCK], &s->pck, &e);
	if (!s->pck_ok) {
		check_fail_err(a->checks, "tdx.pck.form", &e);
		return;
	}
	hex_encode(s->pck.fmspc, sizeof(s->pck.fmspc), have);
	check_pass(a->checks, "tdx.pck.form", have,
		   "names the platform's kind (FMSPC) and its TCB components");
}

void check_tdx_chain(const struct tdx_appraisal *a, struct tdx_subject *s)
{
	static const char *const rest[] = { "tdx.root",	     "tdx.chain.root", "tdx.chain.ca",
					    "tdx.chain.pck", "tdx.validity",   "tdx.revocation",
					    "tdx.pck.form" };

	check_certs(a, s);
	if (!s->chain_ok) {
		for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
			check_skip(a->checks, rest[i], "the PCK chain is malformed");
		return;
	}
	check_root(a, s);
	check_link(a, s, TDX_ROLE_ROOT, "tdx.chain.root");
	check_link(a, s, TDX_ROLE_CA, "tdx.chain.ca");
	check_link(a, s, TDX_ROLE_PCK, "tdx.chain.pck");
	check_validity(a, s);
	check_tdx_revocation(a, s);
	check_pck(a, s);
}
