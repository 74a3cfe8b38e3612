/* A binary policy (policy.N) and its decisions, constraints included: what the kernel that loads it
 * would answer. Over libsepol, whose loaded policy is a global: one thread. No SELinux is needed,
 * and nothing of this machine's own policy is looked at. */
#ifndef PAVISE_POLICY_AUDIT_PDB_H
#define PAVISE_POLICY_AUDIT_PDB_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PDB_FILE_MAX (64u << 20) /* bytes; Debian's has 2 MiB */
#define PDB_ROOM 4096u           /* of a list of permissions as text */

/* Two VMs, what all share, and who is above all. */
enum level {
	LEVEL_S0,   /* s0 */
	LEVEL_A,    /* s0:c10,c20 */
	LEVEL_B,    /* s0:c30,c40 */
	LEVEL_HIGH, /* s0-s0:c0.c1023 */
	LEVEL_COUNT,
};

/* Whose context a target has: a process of that type, or an object. */
enum role { ROLE_PROCESS, ROLE_OBJECT, ROLE_COUNT };

struct context {
	uint32_t type; /* 1..pdb_types */
	enum level level;
	enum role role;
};

struct pdb;

/* -EX_HOST for the file, -EX_MALFORMED for its contents. Caller frees with pdb_close. */
int pdb_open(const char *path, struct pdb **out, struct err *e);
void pdb_close(struct pdb *p);

const char *pdb_level_name(enum level level);
bool pdb_has_capability(const struct pdb *p, const char *name);

/* Types have numbers from 1 on; some of them are attributes'. */
uint32_t pdb_types(const struct pdb *p);
const char *pdb_type_name(const struct pdb *p, uint32_t type); /* NULL: none of that number */
uint32_t pdb_type(const struct pdb *p, const char *name);      /* 0: none of that name */
bool pdb_knows_attribute(const struct pdb *p, const char *name);
bool pdb_in_attribute(const struct pdb *p, uint32_t type, const char *attribute);
bool pdb_is_permissive(const struct pdb *p, uint32_t type);
/* Whether a process can have it: some role but object_r holds it. */
bool pdb_is_domain(struct pdb *p, uint32_t type);

/* Classes have numbers from 1 on. */
uint32_t pdb_classes(const struct pdb *p);
const char *pdb_class_name(const struct pdb *p, uint32_t class);
uint32_t pdb_class(const struct pdb *p, const char *name); /* 0: none */
/* Bits of the named permissions (space between them; "*": all) that the class has. */
uint32_t pdb_permissions(const struct pdb *p, uint32_t class, const char *names);
/* "read write" in out. */
void pdb_permission_names(struct pdb *p, uint32_t class, uint32_t bits, char out[PDB_ROOM]);

/* Whether any rule at all lets source reach target: quick, and false ends most questions. */
bool pdb_may_reach(const struct pdb *p, uint32_t source, uint32_t target);

/* Notes which classes rules name between each of these types and any other, so that most questions
 * about them end early: the answers stay the same. At most PDB_FOCUS_MAX types count. Once for a
 * policy. -EX_HOST: out of memory. */
#define PDB_FOCUS_MAX 128u
int pdb_focus(struct pdb *p, const uint32_t *types, unsigned count, struct err *e);

/* What the source may do to the target; 0 when one of the contexts cannot exist. */
uint32_t pdb_decide(struct pdb *p, struct context source, struct context target, uint32_t class);

/* What if a rule let source do everything to target? From here on the policy has that rule, so what
 * is refused afterwards is refused by constraints. -EX_HOST: out of memory. */
int pdb_permit(struct pdb *p, uint32_t source, uint32_t target, uint32_t class, struct err *e);

/* One allow rule as it stands: type or attribute to type or attribute, conditional ones included. */
struct rule {
	uint32_t source, target; /* numbers of types or attributes */
	uint32_t class, bits;
};
typedef void pdb_rule_fn(void *arg, const struct rule *rule);
void pdb_rules(const struct pdb *p, pdb_rule_fn *each, void *arg);
/* Whether type is what the number stands for, or among it. */
bool pdb_stands_for(const struct pdb *p, uint32_t number, uint32_t type);
/* Name of an attribute, NULL when the number is none's. */
const char *pdb_attribute_name(const struct pdb *p, uint32_t number);
/* Whether a rule limits the ioctl numbers of source on target and class. */
bool pdb_has_ioctl_list(const struct pdb *p, uint32_t source, uint32_t target, uint32_t class);

#endif
