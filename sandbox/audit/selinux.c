#include "sandbox/audit/audit.h"

#include <errno.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <string.h>

/* The policy's word on a label: is all allowed to it that is denied? */
static int judge_domain(const struct question *q, const char *label, const char *role,
			struct report *r, struct err *e)
{
	struct av_decision d = { 0 };
	security_class_t process = string_to_security_class("process");
	access_vector_t signal = process == 0 ? 0 : string_to_av_perm(process, "signal");

	if (signal == 0 || security_compute_av_flags_raw(label, label, process, signal, &d) != 0)
		return report_unknown(r, q, e, "%s: %s: the policy does not say: %s", role, label,
				      strerror(errno));
	return (d.flags & SELINUX_AVD_FLAGS_PERMISSIVE) == 0
		       ? 0
		       : report_open(r, q, e, "%s: the domain of %s", role, label);
}

int audit_selinux(const struct audit *a, const struct subject *s, struct report *r, struct err *e)
{
	char enforce[8];
	int rc = 0;

	audit_word(a->sys, "fs/selinux/enforce", enforce, sizeof(enforce));
	if (enforce[0] == '\0')
		rc = report_open(r, &vm_question[Q_ENFORCING], e, "SELinux is not active");
	else if (strcmp(enforce, "1") != 0)
		rc = report_open(r, &vm_question[Q_ENFORCING], e, "SELinux is permissive");
	for (unsigned i = 0; rc == 0 && i < s->m.count; i++) {
		const struct manifest_process *p = &s->m.process[i];
		if (p->label[0] == '\0')
			rc = report_open(r, &vm_question[Q_PERMISSIVE], e,
					 "%s: in no domain of ours", p->role);
		else if (!a->live)
			rc = report_unknown(r, &vm_question[Q_PERMISSIVE], e,
					    "%s: only the running "
					    "kernel says",
					    p->role);
		else
			rc = judge_domain(&vm_question[Q_PERMISSIVE], p->label, p->role, r, e);
	}
	return rc;
}

static const struct question domains = {
	.id = "host.domains",
	.weight = 10,
	.gate = true,
	.what = "our domains are in the policy and none is permissive",
	.why = "without the module nothing keeps VMs apart, and a permissive domain is denied "
	       "nothing",
	.fix = "semodule -i pavise.cil; semanage permissive -d DOMAIN",
};

int audit_domains(const struct audit *a, struct report *r, struct err *e)
{
	static const char *const names[] = {
		"pavise_launch_t", "pavise_vmm_t",   "pavise_dev_t",
		"pavise_vtpm_t",   "pavise_quote_t", "pavise_audit_t"
	};
	char enforce[8], label[LABEL_MAX];
	int rc = 0;

	report_ask(r, &domains);
	audit_word(a->sys, "fs/selinux/enforce", enforce, sizeof(enforce));
	if (!a->live || enforce[0] == '\0')
		return report_unknown(r, &domains, e, "only a running SELinux says");
	for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(label, sizeof(label), "system_u:system_r:%s:s0", names[i]);
		rc = security_check_context_raw(label) != 0
			     ? report_open(r, &domains, e, "%s is not in the policy", names[i])
			     : judge_domain(&domains, label, names[i], r, e);
	}
	return rc;
}
