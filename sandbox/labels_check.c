/* labels_check_host: the loaded policy is asked for decisions, not for its version: what counts
 * is that the walls stand, whoever wrote them. */
#include "sandbox/labels.h"

#include <errno.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ADVICE[] = "boot with SELinux enforcing, or start with --isolation degraded";

static int check_kernel(struct err *e)
{
	char label[LABEL_MAX];

	if (is_selinux_enabled() != 1)
		return err_set(e, EX_HOST, "SELinux: not active on this host: %s", ADVICE);
	if (security_getenforce() != 1)
		return err_set(e, EX_HOST, "SELinux: permissive on this host: %s", ADVICE);
	if (is_selinux_mls_enabled() != 1)
		return err_set(e, EX_HOST, "SELinux: the policy has no categories (MCS): install "
			       "one that has them");
	int rc = lsm_get(LSM_CURRENT, label);
	if (rc != 0)
		return err_errno(e, EX_HOST, -rc,
				 "lsm_get_self_attr: Linux 6.8 or newer is needed");
	return 0;
}

/* The launcher must be where its policy holds it, with clearance over every category. */
static int check_self(char *self, struct err *e)
{
	char cut[LABEL_MAX];
	struct label_parts parts;

	if (lsm_get(LSM_CURRENT, self) != 0)
		return err_set(e, EX_HOST, "SELinux: own label not readable");
	memcpy(cut, self, LABEL_MAX);
	if (!label_split(cut, &parts) || strcmp(parts.type, "pavise_launch_t") != 0)
		return err_set(e, EX_HOST, "SELinux: the launcher runs as %s, not in "
			       "pavise_launch_t: install the policy module and label its programs "
			       "(restorecon)", self);
	if (strcmp(parts.level, "s0-s0:c0.c1023") != 0)
		return err_set(e, EX_HOST, "SELinux: the launcher runs as %s: it needs all "
			       "categories (s0-s0:c0.c1023)", self);
	return 0;
}

static int ask(const char *from, const char *to, const char *class, const char *permission,
	       bool *allowed, bool *permissive, struct err *e)
{
	struct av_decision d;
	security_class_t c = string_to_security_class(class);
	access_vector_t v = c == 0 ? 0 : string_to_av_perm(c, permission);

	memset(&d, 0, sizeof(d));
	if (v == 0)
		return err_set(e, EX_HOST, "SELinux: the policy has no %s { %s }: use a newer one",
			       class, permission);
	if (security_compute_av_flags_raw(from, to, c, v, &d) != 0)
		return err_errno(e, EX_HOST, errno, "SELinux: no decision for %s on %s: install "
				 "the policy module of this version", from, to);
	*allowed = (d.allowed & v) == v;
	*permissive = (d.flags & SELINUX_AVD_FLAGS_PERMISSIVE) != 0;
	return 0;
}

/* Labels the questions are about: two VMs, and a VM process over all categories. */
struct examples {
	char self[LABEL_MAX];
	char vmm_a[LABEL_MAX], vmm_b[LABEL_MAX], vmm_all[LABEL_MAX], vmm_low[LABEL_MAX];
	char dev_a[LABEL_MAX], vtpm_a[LABEL_MAX], quote_a[LABEL_MAX], image_b[LABEL_MAX];
};

static void make_examples(struct examples *x, const struct label_parts *p)
{
	const struct {
		char *out;
		const char *role, *type, *level;
	} all[] = {
		{ x->vmm_a, p->role, "pavise_vmm_t", "s0:c1,c2" },
		{ x->vmm_b, p->role, "pavise_vmm_t", "s0:c3,c4" },
		{ x->vmm_all, p->role, "pavise_vmm_t", "s0-s0:c0.c1023" },
		{ x->vmm_low, p->role, "pavise_vmm_t", "s0" },
		{ x->dev_a, p->role, "pavise_dev_t", "s0:c1,c2" },
		{ x->vtpm_a, p->role, "pavise_vtpm_t", "s0:c1,c2" },
		{ x->quote_a, p->role, "pavise_quote_t", "s0:c1,c2" },
		{ x->image_b, "object_r", "pavise_image_t", "s0:c3,c4" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		snprintf(all[i].out, LABEL_MAX, "%.80s:%.40s:%s:%s", p->user, all[i].role,
			 all[i].type, all[i].level);
}

static int check_walls(const struct examples *x, struct err *e)
{
	const struct {
		const char *from, *to, *class, *permission;
		bool want;
	} walls[] = {
		{ x->self, x->vmm_a, "process", "transition", true },
		{ x->self, x->dev_a, "process", "transition", true },
		{ x->self, x->vtpm_a, "process", "transition", true },
		{ x->self, x->quote_a, "process", "transition", true },
		{ x->self, x->vmm_all, "process", "transition", false },
		{ x->self, x->vmm_low, "process", "transition", false },
		{ x->vmm_a, x->vmm_b, "process", "signull", false },
		{ x->vmm_a, x->vmm_b, "process", "ptrace", false },
		{ x->vmm_a, x->vmm_b, "fd", "use", false },
		{ x->vmm_a, x->vmm_b, "unix_stream_socket", "connectto", false },
		{ x->quote_a, x->vmm_b, "unix_stream_socket", "connectto", false },
		{ x->vmm_a, x->vmm_a, "unix_stream_socket", "connectto", false },
		{ x->dev_a, x->image_b, "file", "read", false },
		{ x->dev_a, x->image_b, "file", "map", false },
	};
	bool allowed = false, permissive = true;

	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		int rc = ask(walls[i].from, walls[i].to, walls[i].class, walls[i].permission,
			     &allowed, &permissive, e);
		if (rc != 0)
			return rc;
		if (permissive)
			return err_set(e, EX_HOST, "SELinux: the domain of %s is permissive: "
				       "semanage permissive -d", walls[i].from);
		if (allowed != walls[i].want)
			return err_set(e, EX_HOST, "SELinux: the policy %s %s { %s } from %s to %s:"
				       " install the policy module of this version",
				       allowed ? "allows" : "denies", walls[i].class,
				       walls[i].permission, walls[i].from, walls[i].to);
	}
	return 0;
}

/* The vTPM's domain is only a target above: its own permissive mark shows in a question of it. */
static int check_permissive(const struct examples *x, struct err *e)
{
	bool allowed = false, permissive = true;
	int rc = ask(x->vtpm_a, x->vmm_b, "process", "ptrace", &allowed, &permissive, e);

	if (rc == 0 && permissive)
		rc = err_set(e, EX_HOST, "SELinux: pavise_vtpm_t is permissive: semanage "
			     "permissive -d pavise_vtpm_t");
	return rc;
}

int labels_check_walls(const char *launcher, struct err *e)
{
	struct examples x;
	char cut[LABEL_MAX];
	struct label_parts parts;
	int rc;

	snprintf(x.self, sizeof(x.self), "%s", launcher);
	memcpy(cut, x.self, LABEL_MAX);
	if (!label_split(cut, &parts))
		return err_set(e, EX_INTERNAL, "SELinux: %s: not a label", launcher);
	make_examples(&x, &parts);
	rc = check_walls(&x, e);
	if (rc == 0)
		rc = check_permissive(&x, e);
	return rc;
}

int labels_check_host(struct err *e)
{
	char self[LABEL_MAX];
	int rc = check_kernel(e);

	if (rc == 0)
		rc = check_self(self, e);
	return rc == 0 ? labels_check_walls(self, e) : rc;
}
