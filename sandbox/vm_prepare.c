#include "sandbox/vm_limits.h"
#include "sandbox/vm_platform.h"

#include "sandbox/disk_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/kvm.h>

#define KVM_API 12 /* the only one there is (Documentation/virt/kvm/api.rst 4.1) */

static int open_kvm(int *fd, struct err *e)
{
	*fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "/dev/kvm: cannot be opened (load kvm_amd or "
				 "kvm_intel, enable virtualization)");
	if (ioctl(*fd, KVM_GET_API_VERSION, 0) != KVM_API)
		return err_set(e, EX_HOST, "/dev/kvm: does not speak KVM's API 12: load kvm_amd or "
			       "kvm_intel");
	return 0;
}

/* Where our programs are: as told, or beside the launcher itself. */
static int open_libexec(const char *told, int *fd, struct err *e)
{
	char path[PATH_MAX];

	if (told == NULL) {
		ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
		char *slash = strrchr(path, '/');
		if (slash == NULL)
			return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
		*slash = '\0';
		told = path;
	}
	*fd = open(told, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "%s: the programs' folder", told);
	return 0;
}

static const char *tee_name(enum plan_tee tee)
{
	return tee == PLAN_TEE_SNP ? "snp" : tee == PLAN_TEE_TDX ? "tdx" : "none";
}

static int check_plan(const struct vm *vm, struct err *e)
{
	const struct plan *p = &vm->plan.plan;

	if (p->tee != vm->opt->tee)
		return err_set(e, EX_USAGE_ERROR, "plan: made with measure %s, but asked is --tee "
			       "%s: use another plan, or say --tee %s", tee_name(p->tee),
			       tee_name(vm->opt->tee), tee_name(p->tee));
	if (p->tee == PLAN_TEE_SNP && p->snp.cpus != 0 && vm->opt->cpus != p->snp.cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus %u: the plan's measurement covers %u: give "
			       "that many, or measure again", vm->opt->cpus, p->snp.cpus);
	if (vm->opt->cpus > p->max_cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus %u: the plan allows %u: ask for fewer or "
			       "measure with a larger --max-cpus", vm->opt->cpus, p->max_cpus);
	if (vm->opt->memory < p->min_ram)
		return err_set(e, EX_USAGE_ERROR, "memory of %llu bytes: the plan demands %llu: "
			       "ask for more", (unsigned long long)vm->opt->memory,
			       (unsigned long long)p->min_ram);
	return 0;
}

static void disk_name(unsigned i, char out[16])
{
	snprintf(out, 16, "disk %u", i);
}

static int check_disks(struct vm *vm, struct err *e)
{
	char name[16];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++) {
		vm->disk[i] = (struct disk){ .fd = vm->opt->disk[i].fd,
					     .readonly = vm->opt->disk[i].readonly };
		disk_name(i, name);
		rc = disk_check(name, &vm->disk[i], e);
		for (unsigned k = 0; rc == 0 && k < i; k++)
			if (disk_same(&vm->disk[i], &vm->disk[k]))
				rc = err_set(e, EX_USAGE_ERROR, "%s: the same file as disk %u: "
					     "give each image once", name, k);
	}
	return rc;
}

/* All are taken before the label of one changes: a VM that comes too late changes none. What they
 * were is on the disk before that, too: whoever finds us dead puts it back. */
static int take_disks(struct vm *vm, struct err *e)
{
	char name[16];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++) {
		disk_name(i, name);
		rc = disk_take(name, &vm->disk[i], &vm->labels, &vm->run.table, e);
	}
	if (rc == 0)
		rc = disk_record_write(vm->run.dir, vm->disk, vm->opt->disk_count, e);
	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++) {
		disk_name(i, name);
		rc = disk_label(name, &vm->disk[i], &vm->labels, e);
	}
	return rc;
}

static int take_all(struct vm *vm, struct err *e)
{
	int rc = label_write(&vm->labels, "plan", vm->plan.fd, vm->labels.conf, e);

	if (rc == 0)
		rc = platform_label(vm, e);
	if (rc == 0)
		rc = label_write(&vm->labels, "guest memory", vm->ram, vm->labels.ram, e);
	return rc == 0 ? take_disks(vm, e) : rc;
}

/* The watch begins first: what the check finds holds until that says otherwise. */
static int check_selinux(struct vm *vm, struct err *e)
{
	struct err why = { 0 };
	int watched = watch_open(&vm->watch, WATCH_PAGE, &why), rc = labels_check_host(e);

	/* Without SELinux the check has the better words. */
	return rc == 0 && watched != 0 ? err_set(e, EX_HOST, "%s", why.text) : rc;
}

static int take_signals(struct vm *vm, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (vm->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_errno(e, EX_HOST, errno, "signalfd");
	return 0;
}

/* First all that only looks, then what leaves a trace: a refusal should have nothing to undo. */
int vm_prepare(struct vm *vm, const struct options *o, struct err *e)
{
	int rc;

	*vm = (struct vm){ .opt = o, .kvm = -1, .sev = -1, .psp = -1, .quote = -1, .ram = -1,
			   .libexec = -1, .signals = -1, .id_block = -1, .id_auth = -1, .certs = -1,
			   .agent_channel = -1, .vtpm_control = -1, .vtpm_data = -1,
			   .plan = { .fd = -1 }, .control = { .listener = -1, .lessee = -1 },
			   .run = { .base = -1, .dir = -1, .table = { .dir = -1 } },
			   .records = { .fd = -1 } };
	memset(vm->control.client, 0xff, sizeof(vm->control.client));
	labels_none(&vm->labels);
	cgroup_none(&vm->cgroup);
	timings_start(&vm->timings);
	if (geteuid() != 0)
		return err_set(e, EX_HOST, "not root: labels, user ids and namespaces are root's "
			       "to give: run it as root");
	if ((rc = options_check_host(o, e)) != 0 ||
	    (rc = plan_copy_make(o->plan_fd, &vm->plan, e)) || (rc = check_plan(vm, e)) != 0 ||
	    (rc = open_kvm(&vm->kvm, e)) != 0 || (rc = platform_open(vm, e)) != 0 ||
	    (rc = open_libexec(o->libexec, &vm->libexec, e)) != 0 || (rc = check_disks(vm, e)) != 0)
		return rc;
	if (o->required && (rc = check_selinux(vm, e)) != 0)
		return rc;
	if (!o->required)
		vm->missing |= VM_MISSING_LABELS;
	if ((rc = vm_limits_open(vm, e)) != 0 || (rc = take_signals(vm, e)) != 0 ||
	    (rc = rundir_make(o->run_dir, o->name, o->cgroup, &vm->run, e)) != 0 ||
	    (rc = vm_limits_make(vm, e)) != 0 || (rc = records_open(vm, e)) != 0)
		return rc;
	if (o->required && (rc = labels_make(&vm->labels, &vm->run.pair, e)) != 0)
		return rc;
	if (o->required && o->simulated &&
	    (rc = labels_simulate(&vm->labels, &vm->run.pair, e)) != 0)
		return rc;
	if ((rc = ram_make(o->memory, &vm->ram, e)) != 0 || (rc = take_all(vm, e)) != 0 ||
	    (rc = records_assigned(vm, e)) != 0)
		return rc;
	rc = control_open(&vm->run, &vm->control, e);
	timings_mark(&vm->timings, TIMING_PREPARE);
	return rc;
}
