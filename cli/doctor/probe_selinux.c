/* SELinux: what the launcher's check (sandbox/labels_check.c) will ask when a machine starts. */
#include "cli/doctor/finding.h"
#include "sandbox/lsm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static bool present(const struct doctor_host *h, struct doctor_finding *f)
{
	if (h->selinux(h->context) != SELINUX_ABSENT)
		return true;
	missing(f, "SELinux is not active");
	return false;
}

void probe_selinux(const struct doctor_host *h, struct doctor_finding *f)
{
	if (!present(h, f))
		return;
	if (h->selinux(h->context) == SELINUX_ENFORCING)
		found(f, "SELinux is enforcing");
	else
		missing(f, "SELinux is permissive");
}

void probe_selinux_mcs(const struct doctor_host *h, struct doctor_finding *f)
{
	if (!present(h, f))
		return;
	if (h->selinux_mcs(h->context))
		found(f, "the policy has categories");
	else
		missing(f, "the policy has no categories");
}

void probe_lsm_self(const struct doctor_host *h, struct doctor_finding *f)
{
	int rc = h->kernel(h->context, FEATURE_LSM_SELF);

	if (rc < 0)
		missing(f, "lsm_get_self_attr(2): %s", strerror(-rc));
	else
		found(f, "lsm_get_self_attr(2) exists");
}

static void probe_domains(const struct doctor_host *h, const char *const *type, size_t count,
			  struct doctor_finding *f)
{
	char label[LABEL_MAX];

	if (!present(h, f))
		return;
	for (size_t i = 0; i < count; i++) {
		snprintf(label, sizeof(label), "system_u:system_r:%s:s0:c1,c2", type[i]);
		int rc = h->selinux_knows(h->context, label);
		if (rc == -EINVAL)
			missing(f, "the loaded policy has no %s", type[i]);
		else if (rc < 0)
			not_seen(f, "/sys/fs/selinux/context", rc);
		if (rc < 0)
			return;
	}
	found(f, "its domains are in the loaded policy");
}

void probe_policy(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const types[] = { "pavise_launch_t", "pavise_vmm_t", "pavise_dev_t",
					     "pavise_vtpm_t", "pavise_quote_t" };

	probe_domains(h, types, sizeof(types) / sizeof(types[0]), f);
}

void probe_sim_policy(const struct doctor_host *h, struct doctor_finding *f)
{
	static const char *const types[] = { "pavise_vmm_sim_t", "pavise_psp_t" };

	probe_domains(h, types, sizeof(types) / sizeof(types[0]), f);
}

void probe_walls(const struct doctor_host *h, struct doctor_finding *f)
{
	struct err e = { 0 };

	/* Without the domains no question about them has an answer. */
	probe_policy(h, f);
	if (f->state != DOCTOR_FOUND)
		return;
	if (h->selinux_walls(h->context, &e) < 0)
		missing(f, "%s", e.text);
	else
		found(f, "the policy keeps two machines apart");
}

struct labelled {
	const char *path; /* without a slash: in the programs' folder */
	const char *type;
};

static void probe_file_labels(const struct doctor_host *h, const struct labelled *file,
			      size_t count, struct doctor_finding *f)
{
	char path[PATH_MAX], label[LABEL_MAX];

	if (!present(h, f))
		return;
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s%s%s", file[i].path[0] == '/' ? "" : h->programs,
			 file[i].path[0] == '/' ? "" : "/", file[i].path);
		int rc = h->label(h->context, path, label, sizeof(label));
		if (rc < 0) {
			not_seen(f, path, rc);
			return;
		}
		if (!has_word(label, ":", file[i].type)) {
			missing(f, "%s is %s, not %s", path, label, file[i].type);
			return;
		}
	}
	found(f, "each program bears its label");
}

void probe_labels(const struct doctor_host *h, struct doctor_finding *f)
{
	static const struct labelled files[] = {
		{ "pavise-launch", "pavise_launch_exec_t" },
		{ "pavise-vmm", "pavise_vmm_exec_t" },
		{ "pavise-dev", "pavise_dev_exec_t" },
		{ "pavise-quote", "pavise_quote_exec_t" },
		{ "/usr/bin/swtpm", "pavise_vtpm_exec_t" },
	};

	probe_file_labels(h, files, sizeof(files) / sizeof(files[0]), f);
}

void probe_sim_labels(const struct doctor_host *h, struct doctor_finding *f)
{
	static const struct labelled files[] = {
		{ "pavise-vmm-sim", "pavise_vmm_sim_exec_t" },
		{ "pavise-psp-sim", "pavise_psp_exec_t" },
		{ "pavise-tdx-sim", "pavise_psp_exec_t" },
	};

	probe_file_labels(h, files, sizeof(files) / sizeof(files[0]), f);
}
