/* What must be so before any rule counts. */
#include "policy/audit/scope.h"

static const struct question permissive = {
	.id = "base.permissive", .weight = 10, .gate = true,
	.what = "no domain of a VM is permissive",
	.why = "a permissive domain is denied nothing, although getenforce says Enforcing",
	.fix = "semanage permissive -d DOMAIN",
};
static const struct question constrained = {
	.id = "base.constrained", .weight = 10, .gate = true,
	.what = "every domain of a VM is subject to the base policy's category constraints",
	.why = "only types with the attribute mcs_constrained_type are constrained at all",
	.fix = "put the domain into mcs_constrained_type",
};
static const struct question nnp = {
	.id = "base.nnp", .weight = 2,
	.what = "transitions under no_new_privs are the policy's decision",
	.why = "without the capability nnp_nosuid_transition a confined launcher must choose between "
	       "no_new_privs and a label of its own for its children",
	.fix = "enable the policy capability nnp_nosuid_transition",
};
static const struct question modules = {
	.id = "base.modules", .weight = 5,
	.what = "pavise's own walls are in this policy",
	.why = "without them VMs are kept apart only where the distribution's constraints happen to "
	       "cover the class, and root may trace every VM",
	.fix = "semodule -i policy/selinux/pavise.cil",
};

int audit_base(const struct scope *s, struct report *r, struct err *e)
{
	int rc = 0;

	report_ask(r, &permissive);
	report_ask(r, &constrained);
	report_ask(r, &nnp);
	report_ask(r, &modules);
	for (unsigned i = 0; rc == 0 && i < s->domains; i++) {
		const char *name = pdb_type_name(s->db, s->domain[i]);

		if (pdb_is_permissive(s->db, s->domain[i]))
			rc = report_open(r, &permissive, e, "%s is permissive", name);
		if (rc == 0 && !pdb_in_attribute(s->db, s->domain[i], "mcs_constrained_type"))
			rc = report_open(r, &constrained, e, "%s is not constrained", name);
	}
	if (rc == 0 && !pdb_has_capability(s->db, "nnp_nosuid_transition"))
		rc = report_open(r, &nnp, e, "nnp_nosuid_transition is not set");
	if (rc == 0 && !s->ours)
		rc = report_open(r, &modules, e, "no type of pavise's");
	return rc;
}
