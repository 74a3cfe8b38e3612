/* What a second policy allows or refuses that a first one does not: decisions about our types (or
 * the audited VM's), with attributes and constraints evaluated, not rules. */
#include "policy/audit/diff.h"

#include <stdio.h>

static const struct question more = {
	.id = "diff.more", .weight = 5,
	.what = "the policy allows nothing about these types that the other one does not",
	.why = "what was refused is allowed now",
	.fix = "review each line",
};
static const struct question less = {
	.id = "diff.less", .weight = 1,
	.what = "the policy refuses nothing about these types that the other one allows",
	.why = "what was allowed is refused now: a program may fail",
	.fix = "review each line",
};

struct sides {
	struct pdb *now, *before;
	struct report *report;
	struct err *e;
};

static uint32_t decide(struct pdb *db, const char *source, const char *target, enum role role,
		       enum level level, const char *class)
{
	const struct context from = { pdb_type(db, source), LEVEL_A, ROLE_PROCESS };
	const struct context to = { pdb_type(db, target), level, role };

	return from.type == 0 || to.type == 0 ? 0 : pdb_decide(db, from, to, pdb_class(db, class));
}

/* Permissions of both policies by name: their bits may differ. */
static int compare(const struct sides *d, const char *source, const char *target, enum role role,
		   enum level level, const char *class)
{
	uint32_t now = decide(d->now, source, target, role, level, class);
	uint32_t before = decide(d->before, source, target, role, level, class);
	char a[PDB_ROOM] = "", b[PDB_ROOM] = "", text[PDB_ROOM];
	uint32_t added, gone;
	int rc = 0;

	if (now == 0 && before == 0)
		return 0;
	pdb_permission_names(d->now, pdb_class(d->now, class), now, a);
	pdb_permission_names(d->before, pdb_class(d->before, class), before, b);
	added = now & ~pdb_permissions(d->now, pdb_class(d->now, class), before == 0 ? "" : b);
	gone = before &
	       ~pdb_permissions(d->before, pdb_class(d->before, class), now == 0 ? "" : a);
	if (added != 0) {
		pdb_permission_names(d->now, pdb_class(d->now, class), added, text);
		rc = report_open(d->report, &more, d->e, "%s:%s -> %s:%s %s { %s }", source,
				 pdb_level_name(LEVEL_A), target, pdb_level_name(level), class,
				 text);
	}
	if (rc == 0 && gone != 0) {
		pdb_permission_names(d->before, pdb_class(d->before, class), gone, text);
		rc = report_open(d->report, &less, d->e, "%s:%s -> %s:%s %s { %s }", source,
				 pdb_level_name(LEVEL_A), target, pdb_level_name(level), class,
				 text);
	}
	return rc;
}

static int compare_pair(const struct sides *d, struct pdb *db, uint32_t source, uint32_t target)
{
	const char *from = pdb_type_name(db, source), *to = pdb_type_name(db, target);
	enum role role = pdb_is_domain(db, target) ? ROLE_PROCESS : ROLE_OBJECT;
	int rc = 0;

	for (uint32_t c = 1; rc == 0 && c <= pdb_classes(db); c++)
		for (unsigned l = 0; rc == 0 && l < LEVEL_COUNT; l++)
			rc = compare(d, from, to, role, (enum level)l, pdb_class_name(db, c));
	return rc;
}

int audit_diff(const struct scope *s, struct pdb *before, struct report *r, struct err *e)
{
	const struct sides d = { s->db, before, r, e };
	int rc = 0;

	report_ask(r, &more);
	report_ask(r, &less);
	for (unsigned i = 0; i < s->domains; i++)
		for (uint32_t t = 1; rc == 0 && t <= pdb_types(s->db); t++)
			if (pdb_type_name(s->db, t) != NULL &&
			    (pdb_may_reach(s->db, s->domain[i], t) ||
			     pdb_may_reach(before, pdb_type(before, pdb_type_name(s->db, s->domain[i])),
					   pdb_type(before, pdb_type_name(s->db, t)))))
				rc = compare_pair(&d, s->db, s->domain[i], t);
	return rc;
}
