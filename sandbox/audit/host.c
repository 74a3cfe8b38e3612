/* The host below the VMs: what it must not do behind their backs, and what it must hold ready. */
#include "sandbox/audit/audit.h"
#include "sandbox/proc_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of one word, and what it may hold. */
struct setting {
	struct question q;
	const char *file;     /* below /sys or /proc: */
	bool in_sys;
	bool may_lack;        /* a kernel without the file has not got the thing */
	const char *good[4];  /* words, or beginnings of them when they end in "*" */
};

static const struct setting settings[] = {
	{ .file = "fs/selinux/enforce", .in_sys = true,
	  .good = { "1" },
	  .q = { .id = "host.selinux", .weight = 10, .gate = true,
		 .what = "SELinux enforces",
		 .why = "labels count for nothing otherwise",
		 .fix = "setenforce 1; boot with enforcing=1" } },
	{ .file = "fs/selinux/booleans/secure_mode_policyload", .in_sys = true,
	  .good = { "1" },
	  .q = { .id = "host.policyload", .weight = 4,
		 .what = "the policy can not be changed any more",
		 .why = "root could load another one while VMs run",
		 .fix = "setsebool secure_mode_policyload on" } },
	{ .file = "kernel/security/lockdown", .in_sys = true,
	  .q = { .id = "host.lockdown", .weight = 4,
		 .what = "the kernel is locked down",
		 .why = "root could otherwise write to the kernel's memory and load any module",
		 .fix = "boot with lockdown=integrity" } },
	{ .file = "kernel/mm/ksm/run", .in_sys = true, .may_lack = true,
	  .good = { "0", "2" },
	  .q = { .id = "host.ksm", .weight = 4,
		 .what = "equal pages of VMs are not merged",
		 .why = "how long a write takes tells one VM what another holds",
		 .fix = "echo 2 > /sys/kernel/mm/ksm/run" } },
	{ .file = "devices/system/cpu/smt/control", .in_sys = true, .may_lack = true,
	  .good = { "off", "forceoff", "notsupported", "notimplemented" },
	  .q = { .id = "host.smt", .weight = 3,
		 .what = "a core runs one thread at a time",
		 .why = "its caches tell one VM of the other",
		 .fix = "boot with nosmt" } },
	{ .file = "sys/kernel/core_pattern",
	  .good = { "core*", "/*" },
	  .q = { .id = "host.core_pattern", .weight = 2,
		 .what = "cores of processes go to no program",
		 .why = "a pipe takes them whatever a limit says",
		 .fix = "sysctl kernel.core_pattern=core" } },
	{ .file = "sys/kernel/yama/ptrace_scope",
	  .good = { "1", "2", "3" },
	  .q = { .id = "host.yama", .weight = 2,
		 .what = "a process traces its own children at most",
		 .why = "processes of one user could read each other",
		 .fix = "sysctl kernel.yama.ptrace_scope=1" } },
	{ .file = "sys/vm/unprivileged_userfaultfd", .may_lack = true,
	  .good = { "0" },
	  .q = { .id = "host.userfaultfd", .weight = 3,
		 .what = "page faults are root's to handle",
		 .why = "who stops the kernel in a fault wins its races",
		 .fix = "sysctl vm.unprivileged_userfaultfd=0" } },
	{ .file = "sys/kernel/unprivileged_bpf_disabled", .may_lack = true,
	  .good = { "1", "2" },
	  .q = { .id = "host.bpf", .weight = 3,
		 .what = "programs for the kernel are root's to load",
		 .why = "they are checked by a verifier that has had bugs",
		 .fix = "sysctl kernel.unprivileged_bpf_disabled=1" } },
	{ .file = "sys/kernel/kptr_restrict",
	  .good = { "1", "2" },
	  .q = { .id = "host.pointers", .weight = 1,
		 .what = "the kernel's addresses are hidden",
		 .why = "they are the first thing an exploit needs",
		 .fix = "sysctl kernel.kptr_restrict=1" } },
};

static bool is_good(const struct setting *s, const char *word)
{
	for (size_t i = 0; i < 4 && s->good[i] != NULL; i++) {
		const char *g = s->good[i];
		size_t n = strlen(g);
		if (g[n - 1] == '*' ? strncmp(word, g, n - 1) == 0 : strcmp(word, g) == 0)
			return true;
	}
	return false;
}

/* "none [integrity] confidentiality": the one in brackets. */
static bool lockdown_chosen(const char *text)
{
	return strstr(text, "[integrity]") != NULL || strstr(text, "[confidentiality]") != NULL;
}

static int ask_setting(const struct audit *a, const struct setting *s, struct report *r,
		       struct err *e)
{
	char text[512];
	ssize_t n = proc_read(s->in_sys ? a->sys : a->proc, s->file, text, sizeof(text));

	report_ask(r, &s->q);
	if (n == -ENOENT && s->may_lack)
		return 0;
	if (n < 0)
		return report_unknown(r, &s->q, e, "/%s/%s: %s", s->in_sys ? "sys" : "proc",
				      s->file, strerror((int)-n));
	text[strcspn(text, "\n")] = '\0';
	bool good = false;
	if (strcmp(s->q.id, "host.lockdown") == 0) {
		good = lockdown_chosen(text);
	} else {
		char word[512];
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " \t"), text);
		good = is_good(s, word);
	}
	return good ? 0 : report_open(r, &s->q, e, "/%s/%s: %.200s", s->in_sys ? "sys" : "proc",
				      s->file, text);
}

static const struct question swap = {
	.id = "host.swap", .weight = 4,
	.what = "nothing is swapped to disk",
	.why = "what a VM had in memory stays on the disk after it",
	.fix = "swapoff -a, or swap to an encrypted device and accept this",
};

/* proc(5): a heading, then a line for each. */
static int ask_swap(const struct audit *a, struct report *r, struct err *e)
{
	char text[4096];
	ssize_t n = proc_read(a->proc, "swaps", text, sizeof(text));

	report_ask(r, &swap);
	if (n == -ENOENT)
		return 0;
	if (n < 0 && n != -EFBIG)
		return report_unknown(r, &swap, e, "/proc/swaps: %s", strerror((int)-n));
	const char *first = strchr(text, '\n');
	return first == NULL || first[1] == '\0' ?
		       0 : report_open(r, &swap, e, "%.*s", (int)strcspn(first + 1, " \t\n"),
				       first + 1);
}

static const struct question modules = {
	.id = "host.lsm", .weight = 6,
	.what = "the kernel has SELinux and Landlock",
	.why = "each is a layer of every process",
	.fix = "boot with both in lsm=",
};

static int ask_lsm(const struct audit *a, struct report *r, struct err *e)
{
	static const char *const wanted[] = { "selinux", "landlock" };
	char text[256];
	ssize_t n = proc_read(a->sys, "kernel/security/lsm", text, sizeof(text) - 1);
	int rc = 0;

	report_ask(r, &modules);
	if (n <= 0)
		return report_unknown(r, &modules, e, "/sys/kernel/security/lsm: %s",
				      n == 0 ? "empty" : strerror((int)-n));
	for (size_t i = 0; rc == 0 && i < 2; i++)
		if (strstr(text, wanted[i]) == NULL)
			rc = report_open(r, &modules, e, "no %s in %.200s", wanted[i], text);
	return rc;
}

static const struct question flaws = {
	.id = "host.processor", .weight = 3,
	.what = "known flaws of the processor are mitigated",
	.why = "they let a guest read what is not its own",
	.fix = "update microcode and kernel; mitigations=auto",
};

static int ask_flaws(const struct audit *a, struct report *r, struct err *e)
{
	int fd = openat(a->sys, "devices/system/cpu/vulnerabilities",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char text[256];

	report_ask(r, &flaws);
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return report_unknown(r, &flaws, e, "the kernel does not list them");
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ssize_t n = proc_read(dirfd(d), entry->d_name, text, sizeof(text));
		text[n <= 0 ? 0 : strcspn(text, "\n")] = '\0';
		if (n <= 0)
			rc = report_unknown(r, &flaws, e, "%s", entry->d_name);
		else if (strstr(text, "ulnerable") != NULL)
			rc = report_open(r, &flaws, e, "%s: %s", entry->d_name, text);
	}
	closedir(d);
	return rc;
}

static const struct question groups = {
	.id = "host.cgroup", .weight = 5,
	.what = "there is a cgroup v2 with limits for memory and tasks",
	.why = "without limits a VM can take the whole host",
	.fix = "boot with systemd.unified_cgroup_hierarchy=1",
};

static int ask_cgroup(const struct audit *a, struct report *r, struct err *e)
{
	static const char *const wanted[] = { "memory", "pids" };
	char text[512];
	ssize_t n = proc_read(a->sys, "fs/cgroup/cgroup.controllers", text, sizeof(text));
	int rc = 0;

	report_ask(r, &groups);
	if (n < 0)
		return report_open(r, &groups, e, "none at /sys/fs/cgroup");
	for (size_t i = 0; rc == 0 && i < 2; i++)
		if (strstr(text, wanted[i]) == NULL)
			rc = report_open(r, &groups, e, "no controller %s", wanted[i]);
	return rc;
}

static const struct question kvm = {
	.id = "host.kvm", .weight = 4,
	.what = "/dev/kvm is not everybody's",
	.why = "who opens it makes VMs that nothing of ours holds",
	.fix = "chmod 0660 /dev/kvm",
};

static int ask_kvm(const struct audit *a, struct report *r, struct err *e)
{
	struct stat st;

	report_ask(r, &kvm);
	if (fstatat(a->dev, "kvm", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return report_unknown(r, &kvm, e, "/dev/kvm: %s", strerror(errno));
	return (st.st_mode & 006) == 0 ?
		       0 : report_open(r, &kvm, e, "mode %04o", (unsigned)(st.st_mode & 07777));
}

int audit_host(const struct audit *a, struct report *r, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(settings) / sizeof(settings[0]); i++)
		rc = ask_setting(a, &settings[i], r, e);
	if (rc == 0)
		rc = audit_domains(a, r, e);
	if (rc == 0)
		rc = ask_lsm(a, r, e);
	if (rc == 0)
		rc = ask_swap(a, r, e);
	if (rc == 0)
		rc = ask_flaws(a, r, e);
	if (rc == 0)
		rc = ask_cgroup(a, r, e);
	return rc == 0 ? ask_kvm(a, r, e) : rc;
}
