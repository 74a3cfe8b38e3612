/* What constraints refuse by themselves: for each permission that could carry something from VM to
 * VM, whether it would be refused even if some rule allowed it. Rules are many and change; walls
 * are few. */
#include "policy/audit/scope.h"

#include <string.h>

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

static const struct question level = {
	.id = "wall.level", .weight = 4,
	.what = "a VM's process neither writes nor talks to what has fewer categories",
	.why = "what all VMs may read would carry words from one to the others",
	.fix = "constrain writing and sockets by equal levels, as policy/selinux/pavise.cil does",
};
static const struct question door = {
	.id = "wall.entry", .weight = 6,
	.what = "a VM's domain is entered from the launcher alone, by exec, for one VM",
	.why = "a rule that lets another domain start or become one gives it the VM",
	.fix = "constrain transition and dyntransition into the domains",
};
static const struct question guarded = {
	.id = "wall.guard", .weight = 6,
	.what = "constraints alone keep root from tracing our processes and from our labels",
	.why = "unconfined domains are given every new permission by their base",
	.fix = "constrain ptrace and relabelling, as policy/selinux/pavise.cil does",
};
static const struct question secret = {
	.id = "wall.secret", .weight = 6,
	.what = "nobody but our processes, and keepers of disks, opens what is a VM's",
	.why = "dozens of domains of a base may read every file",
	.fix = "constrain reading and writing to our domains, as policy/selinux/pavise.cil does",
};

enum who {
	WHO_VM,       /* the domains that run VMs */
	WHO_THING,    /* the types of a VM's things */
	WHO_OURS,     /* every domain of pavise's */
	WHO_FILE,     /* every file of pavise's */
	WHO_SECRET,
	WHO_KEPT,
	WHO_ELSE,     /* a type that is nobody's */
	WHO_ROOT,
	WHO_LAUNCHER,
	WHO_STRANGER, /* a domain that is neither ours nor a keeper */
};

#define NODES "file dir lnk_file sock_file fifo_file chr_file blk_file memfd_file"
#define TALK                                                                                      \
	"unix_stream_socket unix_dgram_socket vsock_socket shm sem msg msgq key bpf perf_event "  \
	"binder io_uring"
#define WRITES "write append create setattr link unlink rename add_name remove_name reparent rmdir"
#define CONTENT "read write append map execute open link rename"

/* Which permissions ("*": any), from whom, on what context. */
static const struct wall_class {
	const struct question *question;
	enum who from;
	enum level from_level;
	enum who to;
	enum level to_level;
	enum role role;
	const char *classes;
	const char *permissions;
} rows[] = {
	{ &wall, WHO_VM, LEVEL_A, WHO_VM, LEVEL_B, ROLE_PROCESS, "process process2 fd " TALK, "*" },
	{ &wall, WHO_VM, LEVEL_A, WHO_VM, LEVEL_B, ROLE_OBJECT,
	  "file dir lnk_file anon_inode", "*" },
	{ &wall, WHO_VM, LEVEL_A, WHO_THING, LEVEL_B, ROLE_OBJECT, NODES, "*" },
	{ &wall, WHO_VM, LEVEL_A, WHO_ELSE, LEVEL_B, ROLE_OBJECT, NODES " anon_inode", "*" },
	{ &level, WHO_VM, LEVEL_A, WHO_VM, LEVEL_S0, ROLE_PROCESS, TALK, "*" },
	{ &level, WHO_VM, LEVEL_A, WHO_VM, LEVEL_S0, ROLE_OBJECT, "anon_inode", "*" },
	{ &level, WHO_VM, LEVEL_A, WHO_THING, LEVEL_S0, ROLE_OBJECT, NODES, WRITES },
	{ &door, WHO_LAUNCHER, LEVEL_HIGH, WHO_VM, LEVEL_S0, ROLE_PROCESS, "process",
	  "transition" },
	{ &door, WHO_LAUNCHER, LEVEL_HIGH, WHO_VM, LEVEL_HIGH, ROLE_PROCESS, "process",
	  "transition" },
	{ &door, WHO_ROOT, LEVEL_HIGH, WHO_VM, LEVEL_A, ROLE_PROCESS, "process", "transition" },
	{ &door, WHO_ROOT, LEVEL_HIGH, WHO_OURS, LEVEL_A, ROLE_PROCESS, "process",
	  "dyntransition" },
	{ &guarded, WHO_ROOT, LEVEL_HIGH, WHO_OURS, LEVEL_A, ROLE_PROCESS, "process", "ptrace" },
	{ &guarded, WHO_ROOT, LEVEL_HIGH, WHO_FILE, LEVEL_A, ROLE_OBJECT, NODES " anon_inode",
	  "relabelfrom relabelto" },
	{ &guarded, WHO_LAUNCHER, LEVEL_HIGH, WHO_FILE, LEVEL_HIGH, ROLE_OBJECT,
	  NODES " anon_inode", "create relabelto" },
	{ &secret, WHO_ROOT, LEVEL_HIGH, WHO_SECRET, LEVEL_A, ROLE_OBJECT,
	  "file anon_inode memfd_file", CONTENT },
	{ &secret, WHO_STRANGER, LEVEL_HIGH, WHO_KEPT, LEVEL_A, ROLE_OBJECT, "file", CONTENT },
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

static bool is_stranger(const struct scope *s, uint32_t type)
{
	static const char *const ours[] = { "pavise_domain", "pavise_keeper", "pavise_relabeler",
					    "pavise_starter" };

	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (pdb_in_attribute(s->db, type, ours[i]))
			return false;
	return pdb_is_domain(s->db, type);
}

static bool is_one(const struct scope *s, enum who who, uint32_t type)
{
	switch (who) {
	case WHO_VM: return scope_is_domain(s, type);
	case WHO_THING: return scope_holds(s, type) && !scope_is_domain(s, type);
	case WHO_OURS: return pdb_in_attribute(s->db, type, "pavise_domain");
	case WHO_FILE: return pdb_in_attribute(s->db, type, "pavise_file");
	case WHO_SECRET: return pdb_in_attribute(s->db, type, "pavise_secret");
	case WHO_KEPT: return pdb_in_attribute(s->db, type, "pavise_kept");
	case WHO_ELSE: return type == pdb_type(s->db, "tmpfs_t");
	case WHO_ROOT: return type == pdb_type(s->db, "unconfined_t");
	case WHO_LAUNCHER: return type == pdb_type(s->db, "pavise_launch_t");
	case WHO_STRANGER: return is_stranger(s, type);
	}
	return false;
}

static int ask_pair(const struct scope *s, const struct wall_class *c, uint32_t class,
		    uint32_t domain, uint32_t type, struct gaps *g, struct err *e)
{
	const struct context from = { domain, c->from_level, ROLE_PROCESS };
	const struct context to = { type, c->to_level, c->role };
	int rc = pdb_permit(s->db, domain, type, class, e);

	if (rc == 0)
		add_gap(g, domain, type,
			pdb_decide(s->db, from, to, class) &
				pdb_permissions(s->db, class, c->permissions));
	return rc;
}

static int note(const struct scope *s, struct report *r, const struct wall_class *c, uint32_t class,
		const struct gap *gap, struct err *e)
{
	char names[PDB_ROOM];

	pdb_permission_names(s->db, class, gap->bits, names);
	return report_open(r, c->question, e, "%s { %s }: %s:%s -> %s:%s%s",
			   pdb_class_name(s->db, class), names, pdb_type_name(s->db, gap->from),
			   pdb_level_name(c->from_level), pdb_type_name(s->db, gap->to),
			   pdb_level_name(c->to_level), gap->pairs > 1 ? " and others" : "");
}

static int ask_from(const struct scope *s, const struct wall_class *c, uint32_t class,
		    uint32_t domain, struct gaps *g, struct err *e)
{
	int rc = 0;

	for (uint32_t t = 1; rc == 0 && t <= pdb_types(s->db); t++)
		if (pdb_type_name(s->db, t) != NULL && is_one(s, c->to, t))
			rc = ask_pair(s, c, class, domain, t, g, e);
	return rc;
}

static int ask_row(const struct scope *s, struct report *r, const struct wall_class *c,
		   uint32_t class, struct err *e)
{
	struct gaps gaps = { .count = 0 };
	bool enough = false; /* one stranger stands for all */
	int rc = 0;

	for (uint32_t t = 1; rc == 0 && !enough && t <= pdb_types(s->db); t++)
		if (pdb_type_name(s->db, t) != NULL && is_one(s, c->from, t)) {
			rc = ask_from(s, c, class, t, &gaps, e);
			enough = c->from == WHO_STRANGER;
		}
	for (unsigned i = 0; rc == 0 && i < gaps.count; i++)
		rc = note(s, r, c, class, &gaps.list[i], e);
	return rc;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

int audit_wall(const struct scope *s, struct report *r, uint32_t class, struct err *e)
{
	const char *name = pdb_class_name(s->db, class);
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (name != NULL && has_word(rows[i].classes, name) &&
		    (s->ours || rows[i].question == &wall))
			rc = ask_row(s, r, &rows[i], class, e);
	return rc;
}

int audit_walls(const struct scope *s, struct report *r, struct err *e)
{
	static const struct question *const ours[] = { &level, &door, &guarded, &secret };
	int rc = 0;

	report_ask(r, &wall);
	report_ask(r, &unknown);
	for (unsigned i = 0; s->ours && i < sizeof(ours) / sizeof(ours[0]); i++)
		report_ask(r, ours[i]);
	if (pdb_class(s->db, "memfd_file") == 0)
		rc = report_open(r, &unknown, e, "memfd_file");
	for (uint32_t class = 1; rc == 0 && class <= pdb_classes(s->db); class++)
		rc = audit_wall(s, r, class, e);
	return rc;
}
