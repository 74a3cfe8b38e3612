/* What is asked of a running VM, what each answer is worth, and what to do about a bad one. Ids are
 * stable: docs/PROTOCOL.audit. */
#include "sandbox/audit/audit.h"

static const char restart[] = "stop this VM and start it again; if it comes back, report it";
static const char isolation[] = "start it with --isolation required, on a host with SELinux and "
				"our policy module";

const struct question vm_question[VM_QUESTIONS] = {
	[Q_MANIFEST] = {
		.id = "vm.manifest", .weight = 10, .gate = true,
		.what = "the VM has a manifest that can be read",
		.why = "without it nobody knows what should run: an audit has nothing to compare",
		.fix = "wait until the VM runs; remove what a dead launcher left: pavise-launch "
		       "--reclaim",
	},
	[Q_DEFENCES] = {
		.id = "vm.defences", .weight = 5,
		.what = "no layer was left out when it was started",
		.why = "degraded isolation goes on without what the host lacks",
		.fix = isolation,
	},
	[Q_PROCESSES] = {
		.id = "vm.processes", .weight = 10, .gate = true,
		.what = "every process of the manifest runs",
		.why = "a process that ended, or whose number is another's, cannot be vouched for",
		.fix = restart,
	},
	[Q_STRANGERS] = {
		.id = "vm.strangers", .weight = 10, .gate = true,
		.what = "no other process has its label or user ids",
		.why = "labels and user ids are what keeps VMs apart: whoever has them is in",
		.fix = "find out who started it, then kill it",
	},
	[Q_PROGRAM] = {
		.id = "vm.program", .weight = 10, .gate = true,
		.what = "every process runs the program it was started with",
		.why = "another program has other habits than those its filter was made for",
		.fix = restart,
	},
	[Q_LABEL] = {
		.id = "label.task", .weight = 10, .gate = true,
		.what = "every thread has its own label: one level, two categories",
		.why = "SELinux separates by label: s0 or a range is in every VM's reach, or "
		       "reaches all",
		.fix = isolation,
	},
	[Q_PAIR] = {
		.id = "label.pair", .weight = 10, .gate = true,
		.what = "no other VM has its pair of categories or user ids",
		.why = "two VMs of one pair are one VM to the policy",
		.fix = "stop both; a copied run directory or two of them give pairs twice",
	},
	[Q_ENFORCING] = {
		.id = "policy.enforcing", .weight = 10, .gate = true,
		.what = "SELinux enforces",
		.why = "permissive denies nothing",
		.fix = "setenforce 1; boot with enforcing=1",
	},
	[Q_PERMISSIVE] = {
		.id = "policy.permissive", .weight = 10, .gate = true,
		.what = "no domain of it is permissive",
		.why = "a permissive domain is denied nothing, although getenforce says Enforcing",
		.fix = "semanage permissive -d DOMAIN",
	},
	[Q_FILTERS] = {
		.id = "task.filters", .weight = 10, .gate = true,
		.what = "every thread has its system call filters",
		.why = "one thread without a filter is enough to ask the kernel for anything",
		.fix = restart,
	},
	[Q_CAPABILITIES] = {
		.id = "task.capabilities", .weight = 10, .gate = true,
		.what = "no thread holds a capability",
		.why = "a capability in any set may come back",
		.fix = restart,
	},
	[Q_NO_NEW_PRIVS] = {
		.id = "task.no_new_privs", .weight = 8,
		.what = "no thread can gain privileges by exec",
		.why = "programs with file capabilities or set-user-ID would give some",
		.fix = restart,
	},
	[Q_TRACED] = {
		.id = "task.traced", .weight = 8,
		.what = "nobody traces a thread",
		.why = "who traces it reads guest memory and acts in its name",
		.fix = "find the tracer (TracerPid in /proc/PID/status) and end it",
	},
	[Q_DUMPABLE] = {
		.id = "task.dumpable", .weight = 3,
		.what = "no process of ours can be dumped",
		.why = "a core holds guest memory, and its own user may trace it",
		.fix = restart,
	},
	[Q_IDS] = {
		.id = "task.ids", .weight = 8,
		.what = "every thread has its own user and group id, and no other group",
		.why = "where SELinux does not hold, user ids do",
		.fix = restart,
	},
	[Q_NAMESPACES] = {
		.id = "jail.namespaces", .weight = 8,
		.what = "every process has namespaces of its own",
		.why = "a shared one shows it processes, networks or mounts that are not its own",
		.fix = restart,
	},
	[Q_ROOT] = {
		.id = "jail.root", .weight = 6,
		.what = "every process has an empty read-only root",
		.why = "what is mounted can be opened by path",
		.fix = restart,
	},
	[Q_DESCRIPTORS] = {
		.id = "fd.expected", .weight = 8,
		.what = "no descriptor is open that the manifest does not know",
		.why = "what a process holds, it can use: no filter looks at where a descriptor "
		       "leads",
		.fix = restart,
	},
	[Q_OBJECT_LABELS] = {
		.id = "fd.labels", .weight = 10, .gate = true,
		.what = "images, memory and channels have this VM's label",
		.why = "what is labelled for all, or for another VM, is open to them",
		.fix = "stop the VM; restorecon the image; start it again",
	},
	[Q_WRITE_EXECUTE] = {
		.id = "memory.write_execute", .weight = 8,
		.what = "no memory is writable and executable",
		.why = "code that an attacker writes there runs",
		.fix = restart,
	},
	[Q_EXECUTABLE] = {
		.id = "memory.executable", .weight = 6,
		.what = "nothing is executable but the program",
		.why = "other code than the program's was brought in",
		.fix = restart,
	},
	[Q_SHARED_FILES] = {
		.id = "memory.shared", .weight = 6,
		.what = "no file is shared writable but guest memory",
		.why = "a channel that no manifest names",
		.fix = restart,
	},
	[Q_RLIMITS] = {
		.id = "limits.process", .weight = 3,
		.what = "resource limits are as ordered",
		.why = "files, threads and locked memory are the host's",
		.fix = restart,
	},
	[Q_CGROUP] = {
		.id = "limits.cgroup", .weight = 5,
		.what = "it is in its cgroup, and the limits are as ordered",
		.why = "a taken-over process can take all memory and process numbers of the host",
		.fix = "give the limits back by starting it again; --cgroup DIR on a host with "
		       "cgroup v2",
	},
	[Q_LANDLOCK] = {
		.id = "landlock.domain", .weight = 1,
		.what = "every process is in a Landlock domain",
		.why = "new files, connections and signals are refused whatever a filter lets "
		       "through",
		.fix = "none: no kernel shows it to others; a process of ours without does not "
		       "say SEALED",
	},
};
