/* What the pdb_*.c files share: a policy as libsepol holds it, and what makes questions quick. */
#ifndef PAVISE_POLICY_AUDIT_PDB_INSIDE_H
#define PAVISE_POLICY_AUDIT_PDB_INSIDE_H

#include "policy/audit/pdb.h"

#include <sepol/handle.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>

#define PDB_HOLDERS_MAX 16u

/* Users and roles of the reference policy, by what they hold: 1 objects, 2 and up processes, the
 * likelier first. 0 is no number of one; an empty pair ends the list. */
struct pdb_holder {
	const char *user, *role;
};
extern const struct pdb_holder pdb_holders[PDB_HOLDERS_MAX];

/* A set of classes. */
struct classes {
	uint64_t bits[4];
};

struct pdb {
	policydb_t db;
	sidtab_t sids;
	sepol_handle_t *handle;
	/* For each type: which user and role its context has, found when first asked for. */
	uint8_t *holder[LEVEL_COUNT][ROLE_COUNT];
	uint32_t user[PDB_HOLDERS_MAX], role[PDB_HOLDERS_MAX]; /* values of pdb_holders; 0: not there */
	/* libsepol decides between contexts of its table. It holds these two, which are filled in anew
	 * for each question: searching a table of all contexts takes seconds. */
	context_struct_t *source, *target;
	sepol_security_id_t source_sid, target_sid;
	/* A row of bits for each source type: which target types some rule lets it reach at all. Most
	 * questions end here. */
	uint64_t *reach;
	uint32_t row; /* words of one row */
	/* pdb_focus: which types have a number there (from 1 on), and for each such number and each other
	 * type the classes that rules name with it as source and as target. */
	uint8_t *focus_of;
	uint32_t focus[PDB_FOCUS_MAX];
	unsigned focus_count;
	struct classes *as_source, *as_target;
	context_struct_t range[LEVEL_COUNT]; /* contexts with that range, all else to be replaced */
};

/* libsepol keeps one policy; whoever asks makes his the current one. */
void pdb_select(struct pdb *p);

/* Fills in pdb.reach: once, after the policy is read. -EX_HOST: out of memory. */
int pdb_make_reach(struct pdb *p, struct err *e);

#endif
