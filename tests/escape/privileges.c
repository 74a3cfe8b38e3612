/* Ids, capabilities and keys. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool set_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1u << CAP_SYS_ADMIN, .permitted = 1u << CAP_SYS_ADMIN },
	};

	return syscall(SYS_capset, &header, data) == 0;
}

/* What a capability is for, without asking for it by name. */
static bool change_owner(void)
{
	return fchown(STDOUT_FILENO, 1, 1) == 0 && fchown(STDOUT_FILENO, 0, 0) == 0;
}

static bool bounding(void)
{
	return prctl(PR_CAPBSET_DROP, CAP_AUDIT_CONTROL, 0, 0, 0) == 0;
}

static bool securebits(void)
{
	return prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS, 0, 0, 0) == 0;
}

static bool become_root(void)
{
	return setresuid(0, 0, 0) == 0;
}

static bool become_other(void)
{
	return setresuid(12345, 12345, 12345) == 0;
}

static bool become_group(void)
{
	return setresgid(12345, 12345, 12345) == 0;
}

static bool add_group(void)
{
	const gid_t group = 6; /* disk */

	return setgroups(1, &group) == 0;
}

static bool read_key(void)
{
	char data[128] = { 0 };
	long n = syscall(SYS_keyctl, KEYCTL_READ, target_number("KEY"), data, sizeof(data));

	return n > 0 && has_secret(data, sizeof(data));
}

static bool add_key(void)
{
	return syscall(SYS_add_key, "user", "escape", "x", 1, KEY_SPEC_PROCESS_KEYRING) > 0;
}

static bool join_session(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "escape") > 0;
}

static const struct attempt attempts[] = {
	{ "capset", "raises a capability", VM_ROLES, set_capabilities },
	{ "chown", "gives a file away", VM_ROLES, change_owner },
	{ "cap-bounding", "changes its bounding set", VM_ROLES, bounding },
	{ "securebits", "changes its securebits", VM_ROLES, securebits },
	{ "setuid-root", "becomes root", VM_ROLES, become_root },
	{ "setuid-other", "becomes another user", VM_ROLES, become_other },
	{ "setgid-other", "becomes another group", VM_ROLES, become_group },
	{ "setgroups", "joins a group", VM_ROLES, add_group },
	{ "key-read", "reads a key of the host", VM_ROLES, read_key },
	{ "key-add", "adds a key", OWN_ROLES, add_key },
	{ "key-session", "joins a session keyring", OWN_ROLES, join_session },
};

const struct class class_privileges = CLASS("privileges", attempts);
