/* Ways for what one VM knows to reach another: from a process of VM A into an object, from there to
 * whoever reads it, and so on to a process of VM B. Trusted domains end a way: they hold every
 * VM's data by their task, and are listed. Ways over at most one untrusted process are searched;
 * a longer one needs two of them to work together. */
#include "policy/audit/scope.h"

#include <stdlib.h>

static const struct question direct = {
	.id = "flow.direct", .weight = 10, .gate = true,
	.what = "nothing that one VM can write can be read by another",
	.why = "a common writable object joins two VMs, and both stay within their rules",
	.fix = "give the object the VM's level, or take the write away",
};
static const struct question carried = {
	.id = "flow.carried", .weight = 4,
	.what = "no untrusted process reads one VM and writes what another reads",
	.why = "whoever takes over that process carries data between VMs",
	.fix = "take one of the two permissions away, or trust the domain by name",
};

#define READS "read map execute recvfrom recv recv_msg nlmsg_read"
#define WRITES                                                                                    \
	"write append create add_name link rename setattr sendto connectto send send_msg "         \
	"nlmsg_write relabelto enqueue"
static const char *const classes[] = {
	"file", "dir", "lnk_file", "chr_file", "blk_file", "sock_file", "fifo_file", "anon_inode",
	"memfd_file", "shm", "sem", "msgq", "key", "unix_stream_socket", "unix_dgram_socket",
};

/* Domains that may hold what is every VM's. */
static const char *const trusted_attributes[] = {
	"unconfined_domain_type", "files_unconfined_type", "kern_unconfined", "mcsreadall",
	"mcswriteall", "mcs_killall", "mlsfileread", "mlsfilewrite", "can_load_kernmodule",
	"can_relabelto_binary_policy", "can_write_shadow_passwords",
};
static const char *const trusted_names[] = {
	"pavise_launch_t", "pavise_attestd_t", "init_t", "kernel_t", "setfiles_t", "libvirtd_t",
};

/* Written and read by every VM, yet nothing written there is read there. /dev/kvm: each open
 * descriptor is a world of its own. */
static const char *const mute[] = { "null_device_t", "zero_device_t", "devtty_t", "kvm_device_t",
				    "sev_device_t" };

#define OBJECTS_MAX 4096u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct object {
	struct context context;
	uint32_t class;
	uint32_t reads, writes; /* what of its class's permissions takes from it, and gives to it */
};

struct objects {
	struct object list[OBJECTS_MAX];
	unsigned count;
	bool cut; /* there were more: far more than a VM should touch */
};

struct search {
	const struct scope *scope;
	struct report *report;
	struct err *e;
	struct objects written; /* by VM A */
	struct objects read;    /* by VM B */
};

static bool is_trusted(const struct pdb *db, uint32_t type)
{
	for (unsigned i = 0; i < COUNT(trusted_attributes); i++)
		if (pdb_in_attribute(db, type, trusted_attributes[i]))
			return true;
	for (unsigned i = 0; i < COUNT(trusted_names); i++)
		if (pdb_type(db, trusted_names[i]) == type)
			return true;
	return false;
}

/* Whether a process of the VM at that level has one of the permissions. */
static bool any_may(const struct scope *s, enum level level, struct context to, uint32_t class,
		    uint32_t mask)
{
	for (unsigned i = 0; i < s->domains; i++) {
		const struct context from = { s->domain[i], level, ROLE_PROCESS };

		if ((pdb_decide(s->db, from, to, class) & mask) != 0)
			return true;
	}
	return false;
}

static bool is_mute(const struct pdb *db, uint32_t type)
{
	for (unsigned i = 0; i < COUNT(mute); i++)
		if (pdb_type(db, mute[i]) == type)
			return true;
	return false;
}

static void collect_class(const struct scope *s, enum level level, uint32_t class,
			  const char *permissions, struct objects *out)
{
	uint32_t mask = pdb_permissions(s->db, class, permissions);
	uint32_t reads = pdb_permissions(s->db, class, READS);
	uint32_t writes = pdb_permissions(s->db, class, WRITES);

	for (uint32_t t = 1; mask != 0 && t <= pdb_types(s->db); t++)
		for (unsigned l = 0; l < LEVEL_COUNT && pdb_type_name(s->db, t) != NULL; l++) {
			const struct context to = { t, (enum level)l,
						    pdb_is_domain(s->db, t) ? ROLE_PROCESS :
									      ROLE_OBJECT };

			/* What is sent to a process reaches that one alone. */
			if (to.role == ROLE_PROCESS && is_trusted(s->db, t))
				continue;
			if (is_mute(s->db, t) || !any_may(s, level, to, class, mask))
				continue;
			if (out->count < OBJECTS_MAX)
				out->list[out->count++] =
					(struct object){ to, class, reads, writes };
			else
				out->cut = true;
		}
}

static void collect(const struct scope *s, enum level level, const char *permissions,
		    struct objects *out)
{
	for (unsigned i = 0; i < COUNT(classes); i++)
		collect_class(s, level, pdb_class(s->db, classes[i]), permissions, out);
}

static int note_direct(const struct search *f, const struct object *o)
{
	const struct pdb *db = f->scope->db;

	return report_open(f->report, &direct, f->e, "VM A writes %s:%s %s, VM B reads it",
			   pdb_type_name(db, o->context.type), pdb_level_name(o->context.level),
			   pdb_class_name(db, o->class));
}

static int find_direct(const struct search *f)
{
	int rc = 0;

	for (unsigned i = 0; i < f->written.count; i++)
		for (unsigned k = 0; rc == 0 && k < f->read.count; k++) {
			const struct object *a = &f->written.list[i], *b = &f->read.list[k];

			if (a->class == b->class && a->context.type == b->context.type &&
			    a->context.level == b->context.level)
				rc = note_direct(f, a);
		}
	return rc;
}

/* The first of the objects that the process may read (writes: write), or NULL. */
static const struct object *first(const struct search *f, struct context process,
				  const struct objects *objects, bool writes)
{

	for (unsigned i = 0; i < objects->count; i++) {
		const struct object *o = &objects->list[i];

		if ((pdb_decide(f->scope->db, process, o->context, o->class) &
		     (writes ? o->writes : o->reads)) != 0)
			return o;
	}
	return NULL;
}

static int carry(const struct search *f, struct context process)
{
	const struct pdb *db = f->scope->db;
	const struct object *from = first(f, process, &f->written, false), *to = NULL;

	if (from != NULL)
		to = first(f, process, &f->read, true);
	if (to == NULL)
		return 0;
	return report_open(f->report, &carried, f->e,
			   "VM A -> %s:%s %s -> %s:%s -> %s:%s %s -> VM B",
			   pdb_type_name(db, from->context.type),
			   pdb_level_name(from->context.level), pdb_class_name(db, from->class),
			   pdb_type_name(db, process.type), pdb_level_name(process.level),
			   pdb_type_name(db, to->context.type), pdb_level_name(to->context.level),
			   pdb_class_name(db, to->class));
}

static int find_carried(const struct search *f)
{
	struct pdb *db = f->scope->db;
	int rc = 0;

	for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++) {
		if (pdb_type_name(db, t) == NULL || scope_is_domain(f->scope, t) ||
		    is_trusted(db, t) || !pdb_is_domain(db, t))
			continue;
		rc = carry(f, (struct context){ t, LEVEL_HIGH, ROLE_PROCESS });
		if (rc == 0)
			rc = carry(f, (struct context){ t, LEVEL_S0, ROLE_PROCESS });
	}
	return rc;
}

int audit_flow(const struct scope *s, struct report *r, struct err *e)
{
	struct search *f = calloc(1, sizeof(*f));
	int rc;

	report_ask(r, &direct);
	report_ask(r, &carried);
	if (f == NULL)
		return err_set(e, EX_HOST, "out of memory");
	f->scope = s;
	f->report = r;
	f->e = e;
	collect(s, LEVEL_A, WRITES, &f->written);
	collect(s, LEVEL_B, READS, &f->read);
	r->cut |= f->written.cut || f->read.cut;
	rc = find_direct(f);
	if (rc == 0)
		rc = find_carried(f);
	free(f);
	return rc;
}
