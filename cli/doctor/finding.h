/* Helpers of the probes: filling a finding, and questions that several of them ask. */
#ifndef PAVISE_CLI_DOCTOR_FINDING_H
#define PAVISE_CLI_DOCTOR_FINDING_H

#include "cli/doctor/doctor.h"

void found(struct doctor_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void missing(struct doctor_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A look at OBJECT failed with this negative errno: unknown when it was forbidden, else missing. */
void not_seen(struct doctor_finding *f, const char *object, int rc);

/* Opens /dev/kvm for the caller to close. False: f says why not. */
bool open_kvm(const struct doctor_host *h, int *fd, struct doctor_finding *f);
/* KVM's answer to KVM_CHECK_EXTENSION, 0 when it has none. False: f says why not. */
bool kvm_answer(const struct doctor_host *h, unsigned cap, unsigned *answer,
		struct doctor_finding *f);
/* Found when KVM makes machines of this type (KVM_CAP_VM_TYPES). */
void probe_vm_type(const struct doctor_host *h, unsigned type, struct doctor_finding *f);

/* Is the word in a text of words divided by any of the characters? */
bool has_word(const char *text, const char *dividers, const char *word);
/* Is a yes/no parameter of a kernel module (a path) on? False: f says that it is not. */
bool parameter_on(const struct doctor_host *h, const char *path, struct doctor_finding *f);

/* The rows' probes. */
typedef void doctor_probe(const struct doctor_host *h, struct doctor_finding *f);
doctor_probe probe_kvm_device, probe_kvm_api, probe_kvm_caps;                  /* probe_kvm.c */
doctor_probe probe_guest_memfd, probe_attributes, probe_hypercall, probe_kvm_msr, probe_high_slot;
doctor_probe probe_programs, probe_sim_programs, probe_memfd, probe_landlock;  /* probe_host.c */
doctor_probe probe_seccomp, probe_namespaces, probe_swtpm, probe_usr, probe_memory, probe_cgroup;
doctor_probe probe_selinux, probe_selinux_mcs, probe_lsm_self, probe_policy;   /* probe_selinux.c */
doctor_probe probe_walls, probe_labels, probe_sim_policy, probe_sim_labels;
doctor_probe probe_snp_cpu, probe_snp_asids, probe_snp_parameters, probe_iommu; /* probe_snp.c */
doctor_probe probe_snp_type, probe_dev_sev, probe_snp_platform;
doctor_probe probe_tdx_cpu, probe_tdx_bios, probe_tdx_parameter;               /* probe_tdx.c */
doctor_probe probe_hibernation;
doctor_probe probe_tdx_type, probe_tdx_capabilities, probe_apic_bus, probe_qgs;

#endif
