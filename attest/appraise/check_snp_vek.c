/* Is the certificate the one that the report names: its form, kind, product, TCB version, chip? */
#include "attest/appraise/check_snp.h"

#include "common/bytes.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const uint8_t no_chip[SNP_CHIP_ID_SIZE];

void snp_wanted(const struct snp_subject *s, char out[SNP_WANTED_SIZE])
{
	static const struct {
		enum snp_component component;
		const char *name;
	} order[] = {
		{ SNP_FMC, "fmcSPL" }, { SNP_BOOTLOADER, "blSPL" },   { SNP_TEE, "teeSPL" },
		{ SNP_SNP, "snpSPL" }, { SNP_MICROCODE, "ucodeSPL" },
	};
	char chip[17];
	bool short_id = snp_tcb_byte(s->product, SNP_FMC) >= 0;

	hex_encode(s->report.chip_id, 8, chip);
	int n = snprintf(out, SNP_WANTED_SIZE, "%s", snp_product_name(s->product));
	if (snp_report_signing_key(&s->report) == SNP_KEY_VCEK)
		n += snprintf(out + n, SNP_WANTED_SIZE - (size_t)n, ", hwID %s%s", chip,
			      short_id ? "" : "...");
	if (!snp_product_known(s->product))
		return;
	const char *between = ", ";
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		int byte = snp_tcb_byte(s->product, order[i].component);
		if (byte < 0)
			continue;
		n += snprintf(out + n, SNP_WANTED_SIZE - (size_t)n, "%s%s=%u", between,
			      order[i].name, s->report.reported_tcb[byte]);
		between = "&";
	}
}

/* After a failure: which certificate would have been the right one. */
static void tell_wanted(const struct snp_appraisal *a, const struct snp_subject *s,
			const char *component)
{
	char wanted[SNP_WANTED_SIZE], next[sizeof(a->checks->item[0].next)];
	bool vlek = snp_report_signing_key(&s->report) == SNP_KEY_VLEK;

	snp_wanted(s, wanted);
	snprintf(next, sizeof(next), "%s %s",
		 vlek ? "ask the provider for the VLEK of" : "fetch the VCEK of", wanted);
	check_tell(a->checks, component, NULL, next);
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
	const char *have = s->vek.is_vlek ? "VLEK" : "VCEK";

	if (key == (s->vek.is_vlek ? SNP_KEY_VLEK : SNP_KEY_VCEK)) {
		check_pass(a->checks, "snp.vek.kind", have,
			   "the kind of key that the report names%s%s",
			   s->vek.is_vlek ? ", of " : "", s->vek.is_vlek ? s->vek.csp : "");
	} else if (key == SNP_KEY_VCEK || key == SNP_KEY_VLEK) {
		check_fail(a->checks, "snp.vek.kind", EX_UNAUTHENTIC, have,
			   key == SNP_KEY_VLEK ? "VLEK" : "VCEK",
			   "the report names another kind of key than this certificate's");
		tell_wanted(a, s, "KEY_INFO.SIGNING_KEY");
	} else {
		check_fail(a->checks, "snp.vek.kind", EX_UNAUTHENTIC, have, "none",
			   "KEY_INFO.SIGNING_KEY is %d: %s", (int)key,
			   key == SNP_KEY_NONE ? "no key signed this report" : "reserved");
		check_tell(a->checks, "KEY_INFO.SIGNING_KEY", NULL,
			   "have the host's operator clear MASK_CHIP_KEY, or load a VLEK");
	}
}

/* CPUID (version 3 and later), the VEK's productName and the root must tell of one product. */
static void check_product(const struct snp_appraisal *a, struct snp_subject *s)
{
	const char *name = snp_product_name(s->vek.product);
	bool pinned = s->pinned != SNP_UNKNOWN;

	if (s->report.has_cpuid && !snp_product_known(s->product))
		check_fail(a->checks, "snp.product", EX_REFUSED, snp_product_name(s->product), NULL,
			   "family 0x%02x, model 0x%02x: a product whose TCB versions this "
			   "program does not know",
			   s->report.family, s->report.model);
	else if (s->report.has_cpuid && s->product != s->vek.product) {
		check_fail(a->checks, "snp.product", EX_UNAUTHENTIC, name,
			   snp_product_name(s->product),
			   "the VEK is for another product than the report's");
		tell_wanted(a, s, "productName");
	} else if (pinned && s->pinned != s->vek.product) {
		check_fail(a->checks, "snp.product", EX_UNAUTHENTIC, name,
			   snp_product_name(s->pinned),
			   "the VEK is for another product than its root");
		check_tell(a->checks, "ARK", NULL, "give the chain of the VEK's product");
	} else {
		check_pass(a->checks, "snp.product", name, "%s agree on the product",
			   s->report.has_cpuid ? "report and certificates" : "the certificates");
	}
	if (s->product == SNP_UNKNOWN)
		s->product = s->vek.product;
}

/* Which of the report's other TCB versions a certificate is for: the usual mistake is to ask for
 * that of CURRENT_TCB. */
static const char *tcb_named(const struct snp_subject *s)
{
	const struct snp_report *r = &s->report;

	if (memcmp(s->vek.tcb, r->current_tcb, SNP_TCB_SIZE) == 0)
		return ": it is of CURRENT_TCB";
	if (memcmp(s->vek.tcb, r->committed_tcb, SNP_TCB_SIZE) == 0)
		return ": it is of COMMITTED_TCB";
	return memcmp(s->vek.tcb, r->launch_tcb, SNP_TCB_SIZE) == 0 ? ": it is of LAUNCH_TCB" : "";
}

/* The components in which two versions differ. */
static void tcb_differs(const struct snp_subject *s, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < SNP_TCB_SIZE && used < size; i++) {
		if (s->vek.tcb[i] == s->report.reported_tcb[i])
			continue;
		int n = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
				 snp_component_name(snp_tcb_component(s->vek.product, i)));
		used += n > 0 ? (size_t)n : 0;
	}
}

/* The key of a VEK is derived from the chip's secret and just this TCB version. */
static void check_vek_tcb(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char have[160], need[160], differs[sizeof(a->checks->item[0].component)];

	snp_tcb_text(s->vek.product, s->vek.tcb, have, sizeof(have));
	snp_tcb_text(s->vek.product, s->report.reported_tcb, need, sizeof(need));
	if (memcmp(s->vek.tcb, s->report.reported_tcb, SNP_TCB_SIZE) == 0) {
		check_pass(a->checks, "snp.vek.tcb", have, "the VEK is of REPORTED_TCB");
		return;
	}
	check_fail(a->checks, "snp.vek.tcb", EX_UNAUTHENTIC, have, need,
		   "the VEK is of another TCB version than REPORTED_TCB%s", tcb_named(s));
	tcb_differs(s, differs, sizeof(differs));
	tell_wanted(a, s, differs);
}

static void check_vek_chip(const struct snp_appraisal *a, const struct snp_subject *s)
{
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
	if (memcmp(id, no_chip, sizeof(no_chip)) == 0) {
		check_fail(a->checks, "snp.vek.chip", EX_UNAUTHENTIC, have, need,
			   "the host masks CHIP_ID: nothing says that this VCEK is the chip's");
		check_tell(a->checks, "CHIP_ID", NULL,
			   "have the host's operator clear MASK_CHIP_ID, or load a VLEK");
	} else if (memcmp(v->hwid, id, v->hwid_size) == 0 &&
		   memcmp(id + v->hwid_size, no_chip, sizeof(no_chip) - v->hwid_size) == 0) {
		check_pass(a->checks, "snp.vek.chip", have, "hwID is CHIP_ID");
	} else {
		check_fail(a->checks, "snp.vek.chip", EX_UNAUTHENTIC, have, need,
			   "the VCEK is of another chip than CHIP_ID");
		tell_wanted(a, s, "hwID");
	}
}

/* What the relying party takes of all that is genuine. */
static void check_product_allowed(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.product.allowed";
	const struct snp_policy *p = a->policy;
	const char *name = snp_product_name(s->product);

	if (!snp_stated(a, id, p != NULL && (p->products.given || p->denied_products.given)))
		return;
	uint32_t bit = s->product == SNP_UNKNOWN ? 0 : 1u << (s->product - SNP_MILAN);
	if (bit == 0 || (p->products.given && (p->products.set & bit) == 0))
		check_fail(a->checks, id, EX_REFUSED, name, NULL,
			   "a product that the policy does not list");
	else if (p->denied_products.given && (p->denied_products.set & bit) != 0)
		check_fail(a->checks, id, EX_REFUSED, name, NULL,
			   "a product that the policy denies");
	else
		check_pass(a->checks, id, name, "a product that the policy takes");
}

static void check_key_allowed(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.vek.allowed";
	const struct snp_policy *p = a->policy;
	enum snp_signing_key key = snp_report_signing_key(&s->report);

	if (!snp_stated(a, id, p != NULL && p->signing_keys.given))
		return;
	const char *have = key == SNP_KEY_VCEK ? "VCEK" : key == SNP_KEY_VLEK ? "VLEK" : "none";
	if ((p->signing_keys.set >> key & 1) != 0)
		check_pass(a->checks, id, have, "a kind of key that the policy takes");
	else
		check_fail(a->checks, id, EX_REFUSED, have, NULL,
			   "a kind of key that the policy does not take");
}

static void check_provider(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.vek.provider";
	const struct snp_policy *p = a->policy;
	bool listed = false;

	if (!snp_stated(a, id, p != NULL && p->providers.count > 0))
		return;
	if (s->vek_ok && !s->vek.is_vlek) {
		check_skip(a->checks, id, "a VCEK is a chip's, no provider's");
		return;
	}
	for (size_t i = 0; i < p->providers.count; i++)
		listed |= s->vek_ok && strcmp(p->providers.value[i], s->vek.csp) == 0;
	if (listed)
		check_pass(a->checks, id, s->vek.csp, "a provider of the policy");
	else
		check_fail(a->checks, id, EX_REFUSED, s->vek_ok ? s->vek.csp : NULL,
			   p->providers.value[0], "the VLEK is of no provider of the policy");
}

static void check_chip_allowed(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.chip";
	const struct snp_policy *p = a->policy;
	char have[2 * SNP_CHIP_ID_SIZE + 1];

	if (!snp_stated(a, id, p != NULL && p->chip_ids.count > 0))
		return;
	hex_encode(s->report.chip_id, SNP_CHIP_ID_SIZE, have);
	if (memcmp(s->report.chip_id, no_chip, sizeof(no_chip)) == 0)
		check_fail(a->checks, id, EX_REFUSED, "masked", "a chip of the policy",
			   "CHIP_ID is masked: the report does not say which chip made it");
	else if (policy_digest_listed(&p->chip_ids, s->report.chip_id, SNP_CHIP_ID_SIZE))
		check_pass(a->checks, id, have, "a chip of the policy");
	else
		check_fail(a->checks, id, EX_REFUSED, have, "a chip of the policy",
			   "CHIP_ID is none that the policy lists");
}

void check_snp_vek(const struct snp_appraisal *a, struct snp_subject *s)
{
	static const char *const rest[] = { "snp.vek.kind", "snp.product", "snp.vek.tcb",
					    "snp.vek.chip" };
	bool given = a->certs->cert[SNP_ROLE_VEK] != NULL;

	if (given)
		check_vek_form(a, s);
	else
		check_skip(a->checks, "snp.vek.form", "there is no VEK certificate");
	if (s->vek_ok) {
		check_kind(a, s);
		check_product(a, s);
		check_vek_tcb(a, s);
		check_vek_chip(a, s);
	}
	for (size_t i = 0; !s->vek_ok && i < sizeof(rest) / sizeof(rest[0]); i++)
		check_skip(a->checks, rest[i], "%s",
			   given ? "the VEK certificate is not usable"
				 : "there is no VEK certificate");
	check_product_allowed(a, s);
	check_key_allowed(a, s);
	check_provider(a, s);
	check_chip_allowed(a, s);
}
