/* The built-in policies: where a policy file starts from, and what --policy takes by name. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_BASE_H
#define PAVISE_ATTEST_APPRAISE_POLICY_BASE_H

enum policy_base {
	POLICY_RECOMMENDED, /* no debugging, no migration; reference values as far as given */
	POLICY_STRICT,	    /* and freshness, reference values and revocation are demanded */
	POLICY_PERMISSIVE,  /* any TCB but a revoked one; debugging is refused all the same */
	POLICY_NONE,	    /* judges nothing: authenticity only */
	POLICY_BASES
};

#endif
