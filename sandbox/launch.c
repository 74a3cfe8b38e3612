/* pavise-launch: one VM, from descriptors the caller opened to an empty run directory again.
 * Single-threaded; parses the plan (the caller's) and nothing a guest wrote. */
#include "sandbox/layers.h"
#include "sandbox/reclaim.h"
#include "sandbox/vm.h"

#include <jansson.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int finish(const char *name, const struct err *cause, const struct err *undo, int status,
		  const char *text)
{
	if (cause->status != EX_OK)
		status = err_report(cause, name);
	else
		fprintf(stderr, "%s: %s\n", name, text);
	/* What could not be undone is said beside the cause, and never hidden by success. */
	if (undo->status != EX_OK) {
		err_report(undo, name);
		if (status == EX_OK)
			status = undo->status;
	}
	return status;
}

/* What the launcher needs of root: ids and folders of children, labels of others' images, an end
 * for children, records in the kernel's audit trail. In the namespaces it makes it has all it needs
 * as their owner. */
static int drop_privileges(struct err *e)
{
	uint32_t keep = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH |
			1u << CAP_FOWNER | 1u << CAP_KILL | 1u << CAP_SETGID | 1u << CAP_SETUID;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	/* Without it there are no records: required isolation refuses that when it writes one. */
	if (syscall(SYS_capget, &header, data) == 0)
		keep |= data[0].permitted & 1u << CAP_AUDIT_WRITE;
	data[0] = (struct __user_cap_data_struct){ .effective = keep, .permitted = keep };
	data[1] = (struct __user_cap_data_struct){ 0 };

	/* Not libcap-ng: it remembers this process, and its children use it in a pid namespace of
	 * their own. */
	if (syscall(SYS_capset, &header, data) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, EX_HOST, "capabilities: root lacks what a launch needs: run it "
			       "as the host's root, not a container's");
	return 0;
}

static int reclaim(const struct options *o, struct err *e)
{
	if (geteuid() != 0)
		err_set(e, EX_HOST, "not root: what VMs leave is root's: run it as root");
	else
		reclaim_all(o->run_dir, o->cgroup, e);
	return e->status == EX_OK ? EX_OK : err_report(e, "pavise-launch");
}

int main(int argc, char **argv)
{
	struct options options;
	struct err e = { 0 }, undo = { 0 };
	struct vm vm;
	char text[256] = "";
	int status = EX_OK;

	/* Plan, vTPM channel and guest memory go through here: no core file, no ptrace. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* A caller that went away, its pipe with it, must not cost the clean-up. */
	signal(SIGPIPE, SIG_IGN);
	/* Or tables of JSON open a device for it. They hold our own keys alone: any number will do. */
	json_object_seed(1);
	if (options_parse(argc, argv, &options, &e) != 0)
		return err_report(&e, "pavise-launch");
	/* Refused below as not root, with a better word. */
	if (geteuid() == 0 && layer_on(LAYER_CAPABILITIES) && drop_privileges(&e) != 0)
		return err_report(&e, "pavise-launch");
	if (options.reclaim)
		return reclaim(&options, &e);
	if (vm_prepare(&vm, &options, &e) == 0 && vm_start(&vm, &e) == 0 &&
	    vm_supervise(&vm, &e) == 0)
		status = vm_end_text(&vm, text, sizeof(text));
	vm_teardown(&vm, &undo);
	records_ended(&vm, &e, &undo);
	if (options.timings)
		timings_print(&vm.timings, options.name);
	return finish(options.name, &e, &undo, status, text);
}
