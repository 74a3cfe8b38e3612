/* What a VM's process may do to the system, and the system's programs to a VM: the assertions that
 * the build checks with neverallow, checked again on the binary, where a later module may have
 * added rules. */
#include "policy/audit/scope.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct question memory = {
	.id = "power.process", .weight = 8, .gate = true,
	.what = "a VM's process can neither make code nor choose labels nor trace itself",
	.why = "writable and executable memory is how a bug becomes code; setexec and setcurrent "
	       "leave the label",
	.fix = "remove the rule, or keep it out of the VM's domains by neverallow",
};
static const struct question capabilities = {
	.id = "power.capability", .weight = 8, .gate = true,
	.what = "a VM's process has no use of any capability",
	.why = "a capability is a part of root's power, in a namespace too",
	.fix = "remove the rule; the launcher does what needs a capability",
};
static const struct question network = {
	.id = "power.network", .weight = 5,
	.what = "a VM's process cannot make a socket of the network or of the kernel",
	.why = "what is taken over could talk to the outside and to kernel interfaces",
	.fix = "pass a connected descriptor instead",
};
static const struct question device = {
	.id = "power.device", .weight = 6,
	.what = "a VM's process opens no device by path",
	.why = "a passed descriptor is one device; open is whichever the path leads to",
	.fix = "open in the launcher and pass the descriptor",
};
static const struct question writing = {
	.id = "power.write", .weight = 6,
	.what = "a VM's process opens no file of the system to write",
	.why = "what it writes is read by programs with more power",
	.fix = "open in the launcher and pass the descriptor",
};
static const struct question execute = {
	.id = "power.execute", .weight = 8, .gate = true,
	.what = "a VM's process runs no other program and is entered by one program alone",
	.why = "a shell is the usual next step of an intruder; a second entry point is a second "
	       "program in the same domain",
	.fix = "remove execute_no_trans and entrypoint of other types",
};
static const struct question kernel = {
	.id = "power.kernel", .weight = 10, .gate = true,
	.what = "a VM's process changes neither policy nor kernel",
	.why = "load_policy, setenforce, modules and bpf end every other rule",
	.fix = "remove the rule",
};
static const struct question leave = {
	.id = "power.transition", .weight = 8, .gate = true,
	.what = "a VM's process neither enters nor traces another domain",
	.why = "the other domain's powers become its own",
	.fix = "remove the rule",
};
static const struct question traced = {
	.id = "guard.trace", .weight = 6,
	.what = "nobody traces a VM's process, root included",
	.why = "who traces reads guest memory, takes descriptors and acts under the VM's label",
	.fix = "load pavise's modules: a constraint on ptrace beats the rules of unconfined domains",
};
static const struct question relabelled = {
	.id = "guard.relabel", .weight = 6,
	.what = "only the launcher and setfiles change labels of a VM's things",
	.why = "who may relabel an image gives it to another VM or to himself",
	.fix = "load pavise's modules: a constraint on relabelling beats the rules of unconfined "
	       "domains",
};
static const struct question entry = {
	.id = "guard.entry", .weight = 8, .gate = true,
	.what = "a VM's domain is entered with one VM's categories and no others",
	.why = "a launcher that forgets a label would start a process over all VMs or with none's",
	.fix = "constrain process transition into the domains: low = high, and not the caller's",
};
static const struct question ioctls = {
	.id = "power.ioctl", .weight = 3,
	.what = "each thing a VM's process may command has a list of commands",
	.why = "ioctl without a list is every command of a driver, file system or socket",
	.fix = "allowx DOMAIN TYPE (ioctl CLASS (…))",
};

/* What every process may open and nobody can hear another through. */
static const char *const mute_devices[] = { "null_device_t", "zero_device_t", "devtty_t" };

/* The one network socket of ours: quote services of TDX listen on vsock. */
static const struct {
	const char *domain, *class;
} granted[] = { { "pavise_quote_t", "vsock_socket" } };

#define SOCKETS                                                                                   \
	"tcp_socket udp_socket rawip_socket packet_socket sctp_socket dccp_socket vsock_socket "  \
	"netlink_socket netlink_route_socket netlink_tcpdiag_socket netlink_nflog_socket "        \
	"netlink_xfrm_socket netlink_selinux_socket netlink_audit_socket netlink_dnrt_socket "    \
	"netlink_kobject_uevent_socket netlink_generic_socket netlink_crypto_socket "             \
	"netlink_netfilter_socket netlink_connector_socket netlink_rdma_socket alg_socket "       \
	"bluetooth_socket can_socket xdp_socket tipc_socket"

enum target { TARGET_SELF, TARGET_PROCESSES, TARGET_OTHERS };

/* A VM's process has none of these permissions on those targets. */
static const struct power {
	const struct question *question;
	const char *classes;
	const char *permissions; /* "*": any. */
	enum target target;
	bool together;           /* open only when it has all of them */
} powers[] = {
	{ &memory, "process",
	  "execmem execstack execheap setexec setcurrent dyntransition setfscreate setsockcreate "
	  "setkeycreate ptrace", TARGET_SELF, false },
	{ &capabilities, "capability capability2 cap_userns cap2_userns", "*", TARGET_SELF, false },
	{ &network, SOCKETS, "create", TARGET_SELF, false },
	{ &kernel, "bpf perf_event", "*", TARGET_SELF, false },
	{ &kernel, "security",
	  "load_policy setenforce setbool setsecparam setcheckreqprot", TARGET_OTHERS, false },
	{ &kernel, "system", "module_request module_load", TARGET_OTHERS, false },
	{ &device, "chr_file blk_file", "open", TARGET_OTHERS, false },
	{ &writing, "file", "open write", TARGET_OTHERS, true },
	{ &writing, "file", "open append", TARGET_OTHERS, true },
	{ &execute, "file", "execute_no_trans", TARGET_OTHERS, false },
	{ &leave, "process", "transition dyntransition ptrace", TARGET_PROCESSES, false },
};

struct ask {
	const struct scope *scope;
	struct report *report;
	struct err *e;
};

static int note(const struct ask *a, const struct question *q, uint32_t source, uint32_t target,
		uint32_t class, uint32_t bits)
{
	const struct pdb *db = a->scope->db;
	char names[PDB_ROOM];

	if (bits == 0)
		return 0;
	pdb_permission_names(a->scope->db, class, bits, names);
	return report_open(a->report, q, a->e, "%s -> %s %s { %s }", pdb_type_name(db, source),
			   pdb_type_name(db, target), pdb_class_name(db, class), names);
}

static bool is_granted(const struct pdb *db, uint32_t domain, uint32_t class)
{
	for (unsigned i = 0; i < COUNT(granted); i++)
		if (pdb_type(db, granted[i].domain) == domain &&
		    pdb_class(db, granted[i].class) == class)
			return true;
	return false;
}

static int hold(const struct ask *a, const struct power *p, uint32_t domain, uint32_t type,
		uint32_t class, uint32_t mask)
{
	struct pdb *db = a->scope->db;
	const struct context source = { domain, LEVEL_A, ROLE_PROCESS };
	uint32_t bits = 0;

	for (unsigned level = LEVEL_S0; level <= LEVEL_HIGH; level++) {
		enum role role = p->target == TARGET_OTHERS ? ROLE_OBJECT : ROLE_PROCESS;
		struct context target = { type, (enum level)level, role };

		bits |= pdb_decide(db, source, target, class) & mask;
	}
	if ((p->together && bits != mask) ||
	    (p->question == &network && is_granted(db, domain, class)))
		return 0;
	return note(a, p->question, domain, type, class, bits);
}

static bool is_mute(const struct pdb *db, uint32_t type)
{
	for (unsigned i = 0; i < COUNT(mute_devices); i++)
		if (pdb_type(db, mute_devices[i]) == type)
			return true;
	return false;
}

static bool is_target(const struct scope *s, const struct power *p, uint32_t domain, uint32_t type)
{
	if (pdb_type_name(s->db, type) == NULL)
		return false;
	if (p->target == TARGET_SELF)
		return type == domain;
	if (p->target == TARGET_PROCESSES)
		return type != domain && pdb_is_domain(s->db, type);
	if (p->question == &device && is_mute(s->db, type))
		return false;
	/* A VM's own files are reach's business; processes' /proc entries the kernel's. */
	return !scope_holds(s, type) && !pdb_is_domain(s->db, type);
}

static int hold_class(const struct ask *a, const struct power *p, uint32_t class)
{
	const struct scope *s = a->scope;
	uint32_t mask = pdb_permissions(s->db, class, p->permissions);
	int rc = 0;

	for (unsigned i = 0; class != 0 && i < s->domains; i++)
		for (uint32_t t = 1; rc == 0 && t <= pdb_types(s->db); t++)
			if (is_target(s, p, s->domain[i], t))
				rc = hold(a, p, s->domain[i], t, class, mask);
	return rc;
}

static int hold_power(const struct ask *a, const struct power *p)
{
	char name[64];
	int rc = 0;

	for (const char *at = p->classes; rc == 0 && *at != '\0';) {
		size_t n = strcspn(at, " ");

		memcpy(name, at, n); /* of the tables above */
		name[n] = '\0';
		rc = hold_class(a, p, pdb_class(a->scope->db, name));
		at += n + (at[n] == ' ');
	}
	return rc;
}

/* One entry point each: the type DOMAIN_exec_t, or the only one of a foreign domain. */
static int entry_points(const struct ask *a)
{
	struct pdb *db = a->scope->db;
	uint32_t class = pdb_class(db, "file"), bit = pdb_permissions(db, class, "entrypoint");
	int rc = 0;

	for (unsigned i = 0; i < a->scope->domains; i++) {
		const struct context source = { a->scope->domain[i], LEVEL_A, ROLE_PROCESS };
		uint32_t first = 0;

		for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++) {
			struct context target = { t, LEVEL_S0, ROLE_OBJECT };

			if (pdb_type_name(db, t) == NULL ||
			    (pdb_decide(db, source, target, class) & bit) == 0)
				continue;
			if (first != 0)
				rc = note(a, &execute, source.type, t, class, bit);
			first = t;
		}
	}
	return rc;
}

static bool is_launcher(const struct pdb *db, uint32_t type)
{
	const char *name = pdb_type_name(db, type);

	return strcmp(name, "pavise_launch_t") == 0 || strcmp(name, "setfiles_t") == 0 ||
	       strcmp(name, "restorecond_t") == 0;
}

/* Who may do that to a VM's processes (or things), over all categories or with none. */
static int guard(const struct ask *a, const struct question *q, uint32_t target, enum role role,
		 uint32_t class, uint32_t mask)
{
	struct pdb *db = a->scope->db;
	int rc = 0;

	for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++) {
		const struct context to = { target, LEVEL_A, role };
		uint32_t bits;

		if (pdb_type_name(db, t) == NULL || is_launcher(db, t) || !pdb_is_domain(db, t))
			continue;
		bits = pdb_decide(db, (struct context){ t, LEVEL_HIGH, ROLE_PROCESS }, to, class) |
		       pdb_decide(db, (struct context){ t, LEVEL_S0, ROLE_PROCESS }, to, class);
		rc = note(a, q, t, target, class, bits & mask);
	}
	return rc;
}

static int guards(const struct ask *a)
{
	struct pdb *db = a->scope->db;
	uint32_t process = pdb_class(db, "process"), file = pdb_class(db, "file");
	int rc = 0;

	for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++) {
		if (!scope_holds(a->scope, t))
			continue;
		if (scope_is_domain(a->scope, t))
			rc = guard(a, &traced, t, ROLE_PROCESS, process,
				   pdb_permissions(db, process, "ptrace"));
		else if (!pdb_is_domain(db, t))
			rc = guard(a, &relabelled, t, ROLE_OBJECT, file,
				   pdb_permissions(db, file, "relabelfrom relabelto"));
	}
	return rc;
}

/* With no categories, or with all: from whoever may enter at all. */
static int entries(const struct ask *a)
{
	struct pdb *db = a->scope->db;
	uint32_t class = pdb_class(db, "process"), bit = pdb_permissions(db, class, "transition");
	static const enum level wrong[] = { LEVEL_S0, LEVEL_HIGH };
	int rc = 0;

	for (unsigned i = 0; i < a->scope->domains; i++)
		for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++)
			for (unsigned w = 0; rc == 0 && w < COUNT(wrong); w++) {
				struct context to = { a->scope->domain[i], wrong[w], ROLE_PROCESS };
				struct context from = { t, LEVEL_HIGH, ROLE_PROCESS };

				if (pdb_type_name(db, t) == NULL || !pdb_is_domain(db, t) ||
				    (pdb_decide(db, from, to, class) & bit) == 0)
					continue;
				rc = report_open(a->report, &entry, a->e, "%s:%s enters %s:%s",
						 pdb_type_name(db, t), pdb_level_name(LEVEL_HIGH),
						 pdb_type_name(db, to.type),
						 pdb_level_name(wrong[w]));
			}
	return rc;
}

/* Of a device or file, and of what another process made, or itself. */
static bool may_command(const struct ask *a, uint32_t domain, uint32_t type, uint32_t class)
{
	struct pdb *db = a->scope->db;
	const struct context from = { domain, LEVEL_A, ROLE_PROCESS };
	const struct context object = { type, LEVEL_S0, ROLE_OBJECT };
	const struct context process = { type, LEVEL_A, ROLE_PROCESS };

	return ((pdb_decide(db, from, object, class) | pdb_decide(db, from, process, class)) &
		pdb_permissions(db, class, "ioctl")) != 0;
}

static int ioctl_lists(const struct ask *a)
{
	struct pdb *db = a->scope->db;
	int rc = 0;

	for (uint32_t class = 1; class <= pdb_classes(db); class++) {
		uint32_t bit = pdb_permissions(db, class, "ioctl");

		for (unsigned i = 0; bit != 0 && i < a->scope->domains; i++)
			for (uint32_t t = 1; rc == 0 && t <= pdb_types(db); t++)
				if (pdb_type_name(db, t) != NULL &&
				    may_command(a, a->scope->domain[i], t, class) &&
				    !pdb_has_ioctl_list(db, a->scope->domain[i], t, class))
					rc = note(a, &ioctls, a->scope->domain[i], t, class, bit);
	}
	return rc;
}

int audit_powers(const struct scope *s, struct report *r, struct err *e)
{
	static const struct question *const all[] = {
		&memory, &capabilities, &network, &kernel, &device, &writing, &execute,
		&leave,  &ioctls,       &traced,  &relabelled, &entry,
	};
	const struct ask a = { s, r, e };
	int rc = 0;

	for (unsigned i = 0; i < COUNT(all); i++)
		report_ask(r, all[i]);
	for (unsigned i = 0; rc == 0 && i < COUNT(powers); i++)
		rc = hold_power(&a, &powers[i]);
	if (rc == 0)
		rc = entry_points(&a);
	if (rc == 0)
		rc = ioctl_lists(&a);
	if (rc == 0)
		rc = guards(&a);
	return rc == 0 ? entries(&a) : rc;
}
