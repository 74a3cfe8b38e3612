/* What constraints refuse by themselves: for each permission that could carry something from VM to
 * VM, whether it would be refused even if some rule allowed it. Rules are many and change; walls
 * are few. */
#include "policy/audit/scope.h"

static const struct question wall = {
	.id = "wall.open", .weight = 6,
	.what = "constraints alone keep one VM from another's things, whatever rules allow",
	.why = "a rule that is added for convenience would join all VMs of the host at once",
	.fix = "mlsconstrain these permissions between the domains and types of VMs, as "
	       "policy/selinux/pavise.cil does",
};
static const struct question unknown = {
	.id = "wall.class", .weight = 1,
	.what = "the policy knows every class a newer kernel asks about",
	.why = "a kernel that has a class asks about it only when the policy has it too",
	.fix = "update the base policy; pavise's modules then need rules for the class",
};

#define NODES                                                                                     \
	"read write append getattr setattr create unlink link rename relabelfrom relabelto open " \
	"ioctl lock"
#define FILES NODES " map execute"
#define FOLDERS NODES " search add_name remove_name reparent rmdir mounton"

/* Which permissions, on what context. */
static const struct wall_class {
	const char *name;
	enum role role;
	bool of_domain; /* target: the VM's process, or what the kernel makes with its label */
	const char *permissions;
} classes[] = {
	{ "process", ROLE_PROCESS, true,
	  "ptrace signal signull sigkill sigstop getattr getsched setsched getsession getpgid "
	  "setpgid getcap setcap share getrlimit setrlimit" },
	{ "fd", ROLE_PROCESS, true, "use" },
	{ "unix_stream_socket", ROLE_PROCESS, true, "read write connectto sendto recvfrom" },
	{ "unix_dgram_socket", ROLE_PROCESS, true, "read write sendto recvfrom" },
	{ "shm", ROLE_PROCESS, true, "read write getattr" },
	{ "sem", ROLE_PROCESS, true, "read write getattr" },
	{ "msgq", ROLE_PROCESS, true, "read write enqueue getattr" },
	{ "key", ROLE_PROCESS, true, "read write view search link" },
	{ "file", ROLE_OBJECT, true, "read write getattr open" },
	{ "anon_inode", ROLE_OBJECT, true, "read write map ioctl getattr create" },
	{ "memfd_file", ROLE_OBJECT, true, "read write map getattr" },
	{ "file", ROLE_OBJECT, false, FILES },
	{ "dir", ROLE_OBJECT, false, FOLDERS },
	{ "lnk_file", ROLE_OBJECT, false, NODES },
	{ "sock_file", ROLE_OBJECT, false, NODES },
	{ "fifo_file", ROLE_OBJECT, false, NODES },
	{ "chr_file", ROLE_OBJECT, false, FILES },
	{ "blk_file", ROLE_OBJECT, false, FILES },
};

/* The pairs of types between which the same permissions are open: walls rarely tell types apart. */
struct gap {
	uint32_t bits;
	uint32_t from, to; /* the first pair */
	unsigned pairs;
};
#define GAPS_MAX 64u

struct gaps {
	struct gap list[GAPS_MAX];
	unsigned count;
};

static void add_gap(struct gaps *g, uint32_t from, uint32_t to, uint32_t bits)
{
	unsigned i = 0;

	if (bits == 0)
		return;
	while (i < g->count && g->list[i].bits != bits)
		i++;
	if (i == GAPS_MAX)
		g->list[--i].bits |= bits;
	if (i == g->count)
		g->list[g->count++] = (struct gap){ bits, from, to, 0 };
	g->list[i].pairs++;
}

static int ask_pair(const struct scope *s, const struct wall_class *c, uint32_t domain,
		    uint32_t type, struct gaps *g, struct err *e)
{
	const struct context from = { domain, LEVEL_A, ROLE_PROCESS };
	const struct context to = { type, LEVEL_B, c->role };
	uint32_t class = pdb_class(s->db, c->name);
	int rc = pdb_permit(s->db, domain, type, class, e);

	if (rc == 0)
		add_gap(g, domain, type,
			pdb_decide(s->db, from, to, class) &
				pdb_permissions(s->db, class, c->permissions));
	return rc;
}

static int note(const struct scope *s, struct report *r, const struct wall_class *c,
		const struct gap *gap, struct err *e)
{
	char names[PDB_ROOM];

	pdb_permission_names(s->db, pdb_class(s->db, c->name), gap->bits, names);
	return report_open(r, &wall, e, "%s { %s }: %s:%s -> %s:%s%s", c->name, names,
			   pdb_type_name(s->db, gap->from), pdb_level_name(LEVEL_A),
			   pdb_type_name(s->db, gap->to), pdb_level_name(LEVEL_B),
			   gap->pairs > 1 ? " and others" : "");
}

static int ask_class(const struct scope *s, struct report *r, const struct wall_class *c,
		     struct err *e)
{
	struct gaps gaps = { .count = 0 };
	int rc = 0;

	for (unsigned i = 0; i < s->domains; i++)
		for (uint32_t t = 1; rc == 0 && t <= pdb_types(s->db); t++)
			if (scope_holds(s, t) && scope_is_domain(s, t) == c->of_domain)
				rc = ask_pair(s, c, s->domain[i], t, &gaps, e);
	for (unsigned i = 0; rc == 0 && i < gaps.count; i++)
		rc = note(s, r, c, &gaps.list[i], e);
	return rc;
}

int audit_walls(const struct scope *s, struct report *r, struct err *e)
{
	int rc = 0;

	report_ask(r, &wall);
	report_ask(r, &unknown);
	for (unsigned i = 0; rc == 0 && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (pdb_class(s->db, classes[i].name) != 0)
			rc = ask_class(s, r, &classes[i], e);
		else
			rc = report_open(r, &unknown, e, "%s", classes[i].name);
	}
	return rc;
}
