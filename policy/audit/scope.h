/* Whose point of view an audit takes: the domains that run one VM each, and the types that such a
 * VM's things have. */
#ifndef PAVISE_POLICY_AUDIT_SCOPE_H
#define PAVISE_POLICY_AUDIT_SCOPE_H

#include "common/err.h"
#include "policy/audit/pdb.h"
#include "common/audit_report.h"

#include <stdbool.h>

#define SCOPE_DOMAINS_MAX 16u
#define SCOPE_PREFIX_MAX 32u

struct scope {
	struct pdb *db;
	uint32_t domain[SCOPE_DOMAINS_MAX];
	unsigned domains;
	bool ours;                     /* the modules of policy/selinux are in this policy */
	char prefix[SCOPE_PREFIX_MAX]; /* else: "svirt_", what its types' names begin with */
};

/* domain NULL: ours where the policy has them, else libvirt's svirt_t. -EX_USAGE_ERROR when the
 * policy has none of that name. */
int scope_make(struct scope *s, struct pdb *db, const char *domain, struct err *e);

/* Whether the type is one of the VM's things: by pavise's attribute for them, or by its name.
 * Programs and other processes than the VM's never have its level. */
bool scope_holds(const struct scope *s, uint32_t type);
bool scope_is_domain(const struct scope *s, uint32_t type);

/* The audits. Each asks its questions and notes what is open. 0, or -EX_HOST. */
int audit_base(const struct scope *s, struct report *r, struct err *e);
int audit_reach(const struct scope *s, struct report *r, struct err *e);
int audit_powers(const struct scope *s, struct report *r, struct err *e);
int audit_flow(const struct scope *s, struct report *r, struct err *e);
int audit_rules(const struct scope *s, struct report *r, struct err *e); /* ours only */
/* The last one: it adds rules to the policy, to see what constraints alone refuse. */
int audit_walls(const struct scope *s, struct report *r, struct err *e);
/* Those of its questions that are about one class. -EX_HOST. */
int audit_wall(const struct scope *s, struct report *r, uint32_t class, struct err *e);

/* The rules and attributes of our types, as expected.rules has them. -EX_HOST. */
int rules_print(struct pdb *db, FILE *out, struct err *e);

#endif
