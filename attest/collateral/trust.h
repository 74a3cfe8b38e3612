/* Whether a part of collateral is its vendor's, and of which time. */
#ifndef PAVISE_ATTEST_COLLATERAL_TRUST_H
#define PAVISE_ATTEST_COLLATERAL_TRUST_H

#include "attest/collateral/collateral.h"

/* In rising severity. */
enum collateral_answer {
	COLLATERAL_GOOD,
	COLLATERAL_STALE,   /* proven, but it or what proves it is not of this time */
	COLLATERAL_MISSING, /* what would prove it is not there */
	COLLATERAL_BAD,	    /* not authentic: signature, root, revocation */
};

struct collateral_trust {
	const uint8_t *root; /* 48: digest of one more root's key (cert_key_digest); NULL: none */
	time_t now;
};

struct collateral_proof {
	enum collateral_answer answer;
	struct err why;	      /* unless GOOD: of class EX_COLLATERAL or EX_UNAUTHENTIC */
	bool private_root;    /* it leads to the root of the trust, not to Intel's */
	bool revocation_seen; /* a list of the root's has been asked about the signer */
	time_t until;	      /* GOOD: when the first of what it rests on ends */
};

/* TCB info, QE identity: signed by "Intel SGX TCB Signing", which Intel's root (or the given one)
 * issued and has not revoked, all of them valid at the time, and current itself. */
struct collateral_proof collateral_prove_json(const struct collateral *c,
					      const struct collateral_part *p,
					      const struct collateral_trust *t);

/* A revocation list: signed by its issuer, which is in the collateral and leads to a root that
 * counts (Intel's, AMD's or the given one), and current. */
struct collateral_proof collateral_prove_crl(const struct collateral *c,
					     const struct collateral_part *p,
					     const struct collateral_trust *t);

/* A certificate: leads to a root that counts and that has not revoked what is below it, all of
 * them valid at the time. */
struct collateral_proof collateral_prove_cert(const struct collateral *c, X509 *cert,
					      const struct collateral_trust *t);

#endif
