/* pavise-launch: one VM, from descriptors the caller opened to an empty run directory again.
 * Single-threaded; parses the plan (the caller's) and nothing a guest wrote. */
#include "sandbox/vm.h"

#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>

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
	if (options_parse(argc, argv, &options, &e) != 0)
		return err_report(&e, "pavise-launch");
	if (vm_prepare(&vm, &options, &e) == 0 && vm_start(&vm, &e) == 0 &&
	    vm_supervise(&vm, &e) == 0)
		status = vm_end_text(&vm, text, sizeof(text));
	vm_teardown(&vm, &undo);
	return finish(options.name, &e, &undo, status, text);
}
