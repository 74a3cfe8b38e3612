/* What a process of one VM may do to the things of another: every type of the VM and every class,
 * decided with the constraints. Only what the process may do to the same things of its own VM can
 * be open; what rules do not name at all is shut. */
#include "policy/audit/scope.h"

#include <string.h>

/* Moves data or power; the rest only shows that something is there. */
#define STRONG                                                                                     \
	"read write append map execute connectto sendto recvfrom ptrace create link unlink rename " \
	"relabelfrom relabelto transition dyntransition sigkill sigstop use add_name remove_name "  \
	"reparent rmdir ioctl share siginh rlimitinh noatsecure open mounton"

/* What a process has with itself alone: no other process is ever the target. */
#define SELF_CLASSES                                                                              \
	"capability capability2 cap_userns cap2_userns lockdown association filesystem"
#define SELF_PERMISSIONS                                                                          \
	"fork sigchld execmem execstack execheap setexec setcurrent setfscreate setsockcreate "  \
	"setkeycreate"

static const struct question strong = {
	.id = "reach.strong",
	.weight = 10,
	.gate = true,
	.what = "a VM's process can neither use nor change another VM's things",
	.why = "categories only keep VMs apart where a constraint of the policy covers the class and "
	       "permission: here none does, so a taken-over VM process needs only a descriptor or a "
	       "path to use what is another VM's",
	.fix = "load pavise's modules, whose constraints do not depend on the base policy's, or add "
	       "mlsconstrain rules for these permissions",
};
static const struct question weak = {
	.id = "reach.weak",
	.weight = 3,
	.what = "a VM's process cannot even see another VM's things",
	.why = "attributes and signals without effect tell who else is there and what it does",
	.fix = "as for reach.strong",
};

/* Whatever context the target may have: a process of that type, or an object. */
static uint32_t decide(const struct scope *s, uint32_t domain, uint32_t type, enum level level,
		       uint32_t class)
{
	const struct context source = { domain, LEVEL_A, ROLE_PROCESS };
	uint32_t bits = pdb_decide(s->db, source, (struct context){ type, level, ROLE_OBJECT }, class);

	if (pdb_is_domain(s->db, type))
		bits |= pdb_decide(s->db, source, (struct context){ type, level, ROLE_PROCESS },
				   class);
	return bits;
}

static int note(const struct scope *s, struct report *r, const struct question *q, uint32_t domain,
		uint32_t type, uint32_t class, uint32_t bits, struct err *e)
{
	char names[PDB_ROOM];

	if (bits == 0)
		return 0;
	pdb_permission_names(s->db, class, bits, names);
	return report_open(r, q, e, "%s:%s -> %s:%s %s { %s }", pdb_type_name(s->db, domain),
			   pdb_level_name(LEVEL_A), pdb_type_name(s->db, type),
			   pdb_level_name(LEVEL_B), pdb_class_name(s->db, class), names);
}

/* A word of a list of words. */
static bool is_listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static int reach_type(const struct scope *s, struct report *r, uint32_t domain, uint32_t type,
		      struct err *e)
{
	int rc = 0;

	for (uint32_t class = 1; rc == 0 && class <= pdb_classes(s->db); class++) {
		uint32_t other, mask;

		if (is_listed(SELF_CLASSES, pdb_class_name(s->db, class)) ||
		    decide(s, domain, type, LEVEL_A, class) == 0)
			continue;
		other = decide(s, domain, type, LEVEL_B, class) &
			~pdb_permissions(s->db, class, SELF_PERMISSIONS);
		mask = pdb_permissions(s->db, class, STRONG);
		rc = note(s, r, &strong, domain, type, class, other & mask, e);
		if (rc == 0)
			rc = note(s, r, &weak, domain, type, class, other & ~mask, e);
	}
	return rc;
}

int audit_reach(const struct scope *s, struct report *r, struct err *e)
{
	int rc = 0;

	report_ask(r, &strong);
	report_ask(r, &weak);
	for (unsigned i = 0; i < s->domains; i++)
		for (uint32_t t = 1; rc == 0 && t <= pdb_types(s->db); t++)
			if (scope_holds(s, t))
				rc = reach_type(s, r, s->domain[i], t, e);
	return rc;
}
