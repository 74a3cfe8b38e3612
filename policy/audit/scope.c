#include "policy/audit/scope.h"

#include <stdio.h>
#include <string.h>

#define OUR_ATTRIBUTE "pavise_mcs_domain"
#define OUR_FILES "pavise_file"
#define FOREIGN_DOMAIN "svirt_t"

bool scope_holds(const struct scope *s, uint32_t type)
{
	const char *name = pdb_type_name(s->db, type);

	if (name == NULL || scope_is_domain(s, type))
		return name != NULL;
	if (s->ours)
		return pdb_in_attribute(s->db, type, OUR_FILES) &&
		       !pdb_in_attribute(s->db, type, "exec_type");
	return strncmp(name, s->prefix, strlen(s->prefix)) == 0 && !pdb_is_domain(s->db, type) &&
	       !pdb_in_attribute(s->db, type, "exec_type");
}

bool scope_is_domain(const struct scope *s, uint32_t type)
{
	for (unsigned i = 0; i < s->domains; i++)
		if (s->domain[i] == type)
			return true;
	return false;
}

static int add_ours(struct scope *s, struct err *e)
{
	for (uint32_t t = 1; t <= pdb_types(s->db); t++)
		if (pdb_type_name(s->db, t) != NULL && pdb_in_attribute(s->db, t, OUR_ATTRIBUTE)) {
			if (s->domains == SCOPE_DOMAINS_MAX)
				return err_set(e, EX_MALFORMED, "policy: more than %u types in "
					       OUR_ATTRIBUTE ": another module has added some",
					       SCOPE_DOMAINS_MAX);
			s->domain[s->domains++] = t;
		}
	s->ours = s->domains != 0;
	return 0;
}

/* "svirt_t": its things are named svirt_… */
static void add_foreign(struct scope *s, const char *name, uint32_t type)
{
	int n = (int)strcspn(name, "_");

	s->domain[s->domains++] = type;
	snprintf(s->prefix, sizeof(s->prefix), "%.*s_", n < 30 ? n : 30, name);
}

static int focus(const struct scope *s, struct err *e)
{
	uint32_t types[PDB_FOCUS_MAX];
	unsigned n = 0;

	for (uint32_t t = 1; n < PDB_FOCUS_MAX && t <= pdb_types(s->db); t++)
		if (scope_holds(s, t))
			types[n++] = t;
	return pdb_focus(s->db, types, n, e);
}

int scope_make(struct scope *s, struct pdb *db, const char *domain, struct err *e)
{
	uint32_t type;

	*s = (struct scope){ .db = db };
	if (domain == NULL && add_ours(s, e) < 0)
		return -e->status;
	if (s->ours)
		return focus(s, e);
	if (domain == NULL)
		domain = FOREIGN_DOMAIN;
	type = pdb_type(db, domain);
	if (type == 0 || !pdb_is_domain(db, type))
		return err_set(e, EX_USAGE_ERROR, "%.64s: no domain of this policy: name one with "
			       "--domain, or load pavise's modules", domain);
	add_foreign(s, domain, type);
	return focus(s, e);
}
