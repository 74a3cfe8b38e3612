/* What every machine's processes need of the kernel and the host: sandbox/README.md. */
#include "cli/doctor/finding.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void probe_files(const struct doctor_host *h, const char *const *name, size_t count,
			struct doctor_finding *f)
{
	char path[PATH_MAX];
	unsigned mode = 0;

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", h->programs, name[i]);
		int rc = h->mode(h->context, path, &mode);
		if (rc < 0) {
			not_seen(f, path, rc);
			return;
		}
		if (!S_ISREG(mode) || (mode & 0111) == 0) {
			missing(f, "%s is no program", path);
			return;
		}
	}
	found(f, "all in %s", h->programs);
}

void probe_programs(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const names[] = { "pavise-run", "pavise-launch", "pavise-vmm",
					     "pavise-dev", "pavise-quote" };

	probe_files(h, names, sizeof(names) / sizeof(names[0]), f);
}

void probe_sim_programs(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const names[] = { "pavise-vmm-sim", "pavise-psp-sim",
					     "pavise-tdx-sim" };

	probe_files(h, names, sizeof(names) / sizeof(names[0]), f);
}

void probe_memfd(const struct doctor_host *h, struct doctor_finding *f)
{
	int rc = h->kernel(h->context, FEATURE_MEMFD_NOEXEC);

	if (rc < 0)
		missing(f, "memfd_create refuses MFD_NOEXEC_SEAL: %s", strerror(-rc));
	else
		found(f, "memory files can be sealed against execution");
}

void probe_landlock(const struct doctor_host *h, struct doctor_finding *f)
{
	int abi = h->kernel(h->context, FEATURE_LANDLOCK);

	if (abi < 1)
		missing(f, "Landlock: %s", abi < 0 ? strerror(-abi) : "no ABI version");
	else
		found(f, "Landlock ABI %d%s", abi,
		      abi < 4 ? " (4 denies TCP, 6 signals and abstract sockets, too)" :
		      abi < 6 ? " (6 denies signals and abstract sockets, too)" : "");
}

void probe_seccomp(const struct doctor_host *h, struct doctor_finding *f)
{
	int rc = h->kernel(h->context, FEATURE_SECCOMP);

	if (rc < 0)
		missing(f, "seccomp filters that kill the process: %s", strerror(-rc));
	else
		found(f, "seccomp filters may kill the process");
}

void probe_namespaces(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const names[] = { "user", "pid", "mnt", "net", "ipc", "uts", "cgroup" };
	static const char MOST[] = "/proc/sys/user/max_user_namespaces";
	char path[64], text[32];
	unsigned mode;
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		rc = h->mode(h->context, path, &mode);
		if (rc < 0) {
			not_seen(f, path, rc);
			return;
		}
	}
	rc = h->read(h->context, MOST, text, sizeof(text));
	if (rc < 0)
		not_seen(f, MOST, rc);
	else if (strtoul(text, NULL, 10) == 0)
		missing(f, "%s is 0", MOST);
	else
		found(f, "user and all other namespaces that a child gets");
}

void probe_swtpm(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char PROGRAM[] = "/usr/bin/swtpm"; /* where the launcher looks */
	char text[160];
	int rc = h->version(h->context, PROGRAM, text, sizeof(text));

	if (rc < 0)
		not_seen(f, PROGRAM, rc);
	else
		found(f, "%s: %s", PROGRAM, text);
}

/* The jail of swtpm has /usr alone, and the links that a merged /usr has (sandbox/jail.c). */
void probe_usr(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char LOADER[] = "/usr/lib64/ld-linux-x86-64.so.2";
	unsigned mode;
	int rc = h->mode(h->context, LOADER, &mode);

	if (rc < 0)
		not_seen(f, LOADER, rc);
	else
		found(f, "the loader is in /usr");
}

#define GUEST_DEFAULT_KIB (512ul << 10) /* pavise run without --memory */

void probe_memory(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char FILE_NAME[] = "/proc/meminfo", KEY[] = "MemAvailable:";
	char text[4096];
	int rc = h->read(h->context, FILE_NAME, text, sizeof(text));
	const char *at = rc < 0 ? NULL : strstr(text, KEY);

	if (at == NULL) {
		not_seen(f, FILE_NAME, rc < 0 ? rc : -ENOMSG);
		return;
	}
	unsigned long kib = strtoul(at + sizeof(KEY) - 1, NULL, 10);
	if (kib < GUEST_DEFAULT_KIB)
		missing(f, "%lu MiB of memory available", kib >> 10);
	else
		found(f, "%lu MiB of memory available", kib >> 10);
}

void probe_cgroup(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char FILE_NAME[] = "/sys/fs/cgroup/cgroup.controllers";
	char text[256];
	int rc = h->read(h->context, FILE_NAME, text, sizeof(text));

	if (rc < 0) {
		not_seen(f, FILE_NAME, rc);
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	if (has_word(text, " ", "memory") && has_word(text, " ", "pids"))
		found(f, "cgroup v2 with %s", text);
	else
		missing(f, "cgroup v2 without the controllers memory and pids, but %s", text);
}
