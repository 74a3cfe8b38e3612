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
	bool in_sys;          /* below /sys; else below /proc */
	const char *file;
	const char *good[4];  /* words, or beginnings of them when they end in "*" */
	bool may_lack;        /* a kernel without the file has not got the thing */
};

static const struct setting settings[] = {
	{ { "host.selinux", 10, true, "SELinux enforces", "labels count for nothing otherwise",
	    "setenforce 1; boot with enforcing=1" }, true, "fs/selinux/enforce", { "1" }, false },
	{ { "host.policyload", 4, false, "the policy can not be changed any more",
	    "root could load another one while VMs run", "setsebool secure_mode_policyload on" },
	  true, "fs/selinux/booleans/secure_mode_policyload", { "1" }, false },
	{ { "host.lockdown", 4, false, "the kernel is locked down",
	    "root could otherwise write to the kernel's memory and load any module",
	    "boot with lockdown=integrity" }, true, "kernel/security/lockdown", { "none" }, false },
	{ { "host.ksm", 4, false, "equal pages of VMs are not merged",
	    "how long a write takes tells one VM what another holds",
	    "echo 2 > /sys/kernel/mm/ksm/run" }, true, "kernel/mm/ksm/run", { "0", "2" }, true },
	{ { "host.smt", 3, false, "a core runs one thread at a time",
	    "its caches tell one VM of the other", "boot with nosmt" }, true,
	  "devices/system/cpu/smt/control", { "off", "forceoff", "notsupported",
	  "notimplemented" }, true },
	{ { "host.core_pattern", 2, false, "cores of processes go to no program",
	    "a pipe takes them whatever a limit says", "sysctl kernel.core_pattern=core" }, false,
	  "sys/kernel/core_pattern", { "core*", "/*" }, false },
	{ { "host.yama", 2, false, "a process traces its own children at most",
	    "processes of one user could read each other", "sysctl kernel.yama.ptrace_scope=1" },
	  false, "sys/kernel/yama/ptrace_scope", { "1", "2", "3" }, false },
	{ { "host.userfaultfd", 3, false, "page faults are root's to handle",
	    "who stops the kernel in a fault wins its races",
	    "sysctl vm.unprivileged_userfaultfd=0" }, false, "sys/vm/unprivileged_userfaultfd",
	  { "0" }, true },
	{ { "host.bpf", 3, false, "programs for the kernel are root's to load",
	    "they are checked by a verifier that has had bugs",
	    "sysctl kernel.unprivileged_bpf_disabled=1" }, false,
	  "sys/kernel/unprivileged_bpf_disabled", { "1", "2" }, true },
	{ { "host.pointers", 1, false, "the kernel's addresses are hidden",
	    "they are the first thing an exploit needs", "sysctl kernel.kptr_restrict=1" }, false,
	  "sys/kernel/kptr_restrict", { "1", "2" }, false },
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
	"host.swap", 4, false, "nothing is swapped to disk",
	"what a VM had in memory stays on the disk after it",
	"swapoff -a, or swap to an encrypted device and accept this",
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
	"host.lsm", 6, false, "the kernel has SELinux and Landlock", "each is a layer of every process",
	"boot with both in lsm=",
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
	"host.processor", 3, false, "known flaws of the processor are mitigated",
	"they let a guest read what is not its own", "update microcode and kernel; mitigations=auto",
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
	"host.cgroup", 5, false, "there is a cgroup v2 with limits for memory and tasks",
	"without limits a VM can take the whole host", "boot with systemd.unified_cgroup_hierarchy=1",
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
	"host.kvm", 4, false, "/dev/kvm is not everybody's",
	"who opens it makes VMs that nothing of ours holds", "chmod 0660 /dev/kvm",
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
