/* Other labels: for its files, and for itself and what it makes. */
#include "sandbox/lsm.h"
#include "tests/escape/attempt.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

static bool relabels(int fd)
{
	const char *label = target("FILE_LABEL");

	return fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) == 0;
}

static bool relabel_log(void)
{
	return relabels(own_descriptor("log") >= 0 ? own_descriptor("log") : 1);
}

static bool relabel_disk(void)
{
	return relabels(own_descriptor("disk"));
}

static bool relabel_memory(void)
{
	return relabels(own_descriptor("ram"));
}

static bool sets(enum lsm_attr attribute, const char *label)
{
	int rc = lsm_set(attribute, label);

	return rc == 0 || stopped(-rc);
}

static bool label_exec(void)
{
	return sets(LSM_EXEC, target("LABEL"));
}

static bool label_socket(void)
{
	return sets(LSM_SOCKCREATE, target("LABEL"));
}

static bool label_file(void)
{
	return sets(LSM_FSCREATE, target("FILE_LABEL"));
}

static const struct attempt attempts[] = {
	{ "relabel-log", "relabels its log", VM_ROLES, relabel_log },
	{ "relabel-disk", "relabels its disk", BIT(ROLE_BLK), relabel_disk },
	{ "relabel-memory", "relabels guest memory", KVM_ROLES, relabel_memory },
	{ "label-exec", "sets the label of what it executes", VM_ROLES, label_exec },
	{ "label-socket", "sets the label of its sockets", VM_ROLES, label_socket },
	{ "label-file", "sets the label of its files", VM_ROLES, label_file },
};

const struct class class_labels = CLASS("labels", attempts);
