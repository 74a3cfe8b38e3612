#include "attest/appraise/check_bundle.h"

#include "attest/appraise/appraise_common.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>

#define ID "reference.bundle"

/* Whose bundle it is, how old, and for what: the first that is wrong is told. */
static void judge(const struct request *r, const struct policy *p, const char *name,
		  struct value_bundle *b, struct checks *checks, struct err *e)
{
	char have[2 * REFERENCES_DIGEST_SIZE + 1] = "", need[2 * REFERENCES_DIGEST_SIZE + 1];
	uint8_t digest[REFERENCES_DIGEST_SIZE];
	int status = references_verify(name, &b->values, p->references_key.value, e);

	if (status == 0)
		status = references_check(name, &b->values, r->now, p->min_svn, e);
	b->believed = status == 0;
	hex_encode(p->references_key.value, REFERENCES_DIGEST_SIZE, need);
	if (status == 0) {
		check_pass(checks, ID, need,
			   "%zu values for firmware of security version %u, "
			   "signed with the key of the policy",
			   b->values.count, b->values.svn);
	} else if (status == -EX_UNAUTHENTIC) {
		struct err none = { 0 };
		if (references_key_digest(&b->values, digest, &none) == 0)
			hex_encode(digest, sizeof(digest), have);
		check_fail(checks, ID, EX_UNAUTHENTIC, have, need, "%s", e->text);
	} else {
		check_fail_err(checks, ID, e);
	}
}

int check_value_bundle(const struct request *r, const struct policy *p, struct value_bundle *out,
		       struct checks *checks, struct err *e)
{
	const char *name = r->references.name != NULL ? r->references.name : "references";
	struct err why = { 0 };

	if (p == NULL || p->references[0] == '\0') {
		check_skip(checks, ID, "%s",
			   p != NULL && p->base == POLICY_NONE ? UNJUDGED
							       : "the policy names no bundle");
		return 0;
	}
	if (r->references.data == NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "policy: names the bundle \"%.64s\", and it was not given",
			       p->references);
	int status =
		references_parse(name, r->references.data, r->references.size, &out->values, e);
	if (status < 0)
		return status;
	out->given = true;
	judge(r, p, name, out, checks, &why);
	return 0;
}

void value_bundle_free(struct value_bundle *b)
{
	references_free(&b->values);
}

/* A value matched, or none did. */
static void tell(const struct value_bundle *b, const char *id, const struct reference_value *found,
		 const char *have, struct checks *checks)
{
	if (!b->believed) {
		check_skip(checks, id, "the bundle of reference values cannot be believed");
	} else if (found != NULL) {
		check_pass(checks, id, have, "a reference value of the bundle: %s", found->label);
	} else {
		check_fail(checks, id, EX_REFUSED, have, "a value of the bundle",
			   "none of the %zu reference values of the bundle", b->values.count);
		check_tell(checks, NULL, NULL,
			   "ask the firmware's owner for a bundle with this machine in it");
	}
}

/* Is it there for another guest policy? */
static bool known_otherwise(const struct references *r, const uint8_t *measurement)
{
	bool known = false;

	for (size_t i = 0; i < r->count; i++)
		known |=
			r->value[i].tee == REFERENCE_SNP &&
			CRYPTO_memcmp(r->value[i].digest, measurement, REFERENCES_DIGEST_SIZE) == 0;
	return known;
}

void check_bundled_snp(const struct value_bundle *b, const char *id, const uint8_t *measurement,
		       uint64_t policy, struct checks *checks)
{
	const struct reference_value *found = references_find_snp(&b->values, measurement, policy);
	char have[2 * REFERENCES_DIGEST_SIZE + 1];

	hex_encode(measurement, REFERENCES_DIGEST_SIZE, have);
	if (b->believed && found == NULL && known_otherwise(&b->values, measurement))
		check_fail(checks, id, EX_REFUSED, have, "a value of the bundle",
			   "a reference value of the bundle, but launched with another guest "
			   "policy than it has there: 0x%llx",
			   (unsigned long long)policy);
	else
		tell(b, id, found, have, checks);
}

/* What the bundle's values with an MRTD say of an RTMR. */
struct said {
	bool mrtd;	     /* there are such values */
	const char *label;   /* of one that says what it is; NULL: none does */
	const uint8_t *need; /* what the first that speaks of it says; NULL: none does */
};

static struct said ask(const struct references *r, const uint8_t *mrtd, unsigned n,
		       const uint8_t *rtmr)
{
	struct said s = { 0 };

	for (size_t i = 0; i < r->count; i++) {
		const struct reference_value *v = &r->value[i];
		if (v->tee != REFERENCE_TDX ||
		    CRYPTO_memcmp(v->digest, mrtd, REFERENCES_DIGEST_SIZE) != 0)
			continue;
		s.mrtd = true;
		if (!v->has_rtmr[n])
			continue;
		s.need = s.need == NULL ? v->rtmr[n] : s.need;
		if (CRYPTO_memcmp(v->rtmr[n], rtmr, REFERENCES_DIGEST_SIZE) == 0)
			s.label = s.label == NULL ? v->label : s.label;
	}
	return s;
}

void check_bundled_tdx(const struct value_bundle *b, const char *id, const uint8_t *mrtd,
		       const uint8_t *const rtmr[REFERENCES_RTMRS], struct checks *checks)
{
	const struct reference_value *found = references_find_tdx(&b->values, mrtd, rtmr);
	char have[2 * REFERENCES_DIGEST_SIZE + 1];

	hex_encode(mrtd, REFERENCES_DIGEST_SIZE, have);
	if (b->believed && found == NULL && ask(&b->values, mrtd, 0, rtmr[0]).mrtd) {
		check_fail(checks, id, EX_REFUSED, have, "a value of the bundle",
			   "a reference value of the bundle, but not with these RTMRs: another "
			   "machine than any in it");
		check_tell(checks, NULL, NULL,
			   "ask the firmware's owner for a bundle with this machine in it");
	} else {
		tell(b, id, found, have, checks);
	}
}

void check_bundled_rtmr(const struct value_bundle *b, const char *id, const uint8_t *mrtd,
			unsigned n, const uint8_t rtmr[REFERENCES_DIGEST_SIZE],
			struct checks *checks)
{
	struct said s = ask(&b->values, mrtd, n, rtmr);
	char have[2 * REFERENCES_DIGEST_SIZE + 1], need[2 * REFERENCES_DIGEST_SIZE + 1];

	hex_encode(rtmr, REFERENCES_DIGEST_SIZE, have);
	if (!b->believed) {
		check_skip(checks, id, "the bundle of reference values cannot be believed");
	} else if (s.need == NULL) {
		check_skip(checks, id, "no value of the bundle with this MRTD says RTMR%u: not judged",
			   n);
	} else if (s.label != NULL) {
		check_pass(checks, id, have, "RTMR%u of a reference value of the bundle: %s", n,
			   s.label);
	} else {
		hex_encode(s.need, REFERENCES_DIGEST_SIZE, need);
		check_fail(checks, id, EX_REFUSED, have, need,
			   "RTMR%u is that of no value of the bundle with this MRTD", n);
	}
}
