/* Every prerequisite. Ids are stable. Rows of one mask of kinds stand together. */
#include "cli/doctor/finding.h"

#define CONFIDENTIAL (KIND_SNP | KIND_TDX)

#define DEGRADED "or start machines with --isolation degraded"
#define INSTALL_MODULE \
	"install the policy module of this version (semodule -i pavise.cil), " DEGRADED
#define SNP_BIOS "enable SEV-SNP in the BIOS (SMEE, SNP memory coverage of all RAM)"

const struct doctor_row doctor_rows[] = {
	{ "kvm-device", KINDS_ALL, ROW_REQUIRED, probe_kvm_device,
	  "enable virtualization in the BIOS, load kvm_amd or kvm_intel, be root or in group kvm" },
	{ "kvm-api", KINDS_ALL, ROW_REQUIRED, probe_kvm_api, "use a Linux kernel's own KVM" },
	{ "kvm-capabilities", KINDS_ALL, ROW_REQUIRED, probe_kvm_caps,
	  "use Linux 5.10 or newer with KVM for x86-64" },
	{ "programs", KINDS_ALL, ROW_REQUIRED, probe_programs,
	  "install the whole package (make install)" },
	{ "memfd-noexec", KINDS_ALL, ROW_REQUIRED, probe_memfd, "use Linux 6.3 or newer" },
	{ "landlock", KINDS_ALL, ROW_REQUIRED, probe_landlock,
	  "boot with landlock in lsm= on a kernel with CONFIG_SECURITY_LANDLOCK" },
	{ "seccomp", KINDS_ALL, ROW_REQUIRED, probe_seccomp,
	  "use a kernel with CONFIG_SECCOMP_FILTER" },
	{ "namespaces", KINDS_ALL, ROW_REQUIRED, probe_namespaces,
	  "use a kernel with CONFIG_USER_NS and set sysctl user.max_user_namespaces above 0" },
	{ "swtpm", KINDS_ALL, ROW_REQUIRED, probe_swtpm,
	  "install swtpm, or start machines with --no-vtpm" },
	{ "merged-usr", KINDS_ALL, ROW_REQUIRED, probe_usr,
	  "use a distribution with a merged /usr, or start machines with --no-vtpm" },
	{ "memory", KINDS_ALL, ROW_ADVISED, probe_memory,
	  "free some, or start machines with a smaller --memory than 512M" },
	{ "cgroup-v2", KINDS_ALL, ROW_ISOLATION, probe_cgroup,
	  "boot with systemd.unified_cgroup_hierarchy=1 and without cgroup_disable=, " DEGRADED },
	{ "selinux", KINDS_ALL, ROW_ISOLATION, probe_selinux,
	  "boot with SELinux enforcing, " DEGRADED },
	{ "selinux-mcs", KINDS_ALL, ROW_ISOLATION, probe_selinux_mcs,
	  "use a policy with MCS categories, " DEGRADED },
	{ "lsm-self-attr", KINDS_ALL, ROW_ISOLATION, probe_lsm_self,
	  "use Linux 6.8 or newer, " DEGRADED },
	{ "selinux-policy", KINDS_ALL, ROW_ISOLATION, probe_policy, INSTALL_MODULE },
	{ "selinux-walls", KINDS_ALL, ROW_ISOLATION, probe_walls, INSTALL_MODULE },
	{ "selinux-labels", KINDS_ALL, ROW_ISOLATION, probe_labels,
	  "install below /usr or /usr/local and run restorecon over libexec/pavise and "
	  "/usr/bin/swtpm, " DEGRADED },

	{ "vm-guest-memfd", CONFIDENTIAL, ROW_REQUIRED, probe_guest_memfd,
	  "use Linux 6.11 or newer (TDX: 6.16)" },
	{ "vm-attributes", CONFIDENTIAL, ROW_REQUIRED, probe_attributes,
	  "use Linux 6.11 or newer (TDX: 6.16) with SEV-SNP or TDX switched on" },
	{ "vm-hypercall", CONFIDENTIAL, ROW_REQUIRED, probe_hypercall,
	  "use Linux 6.11 or newer (TDX: 6.16)" },

	{ "snp-cpu", KIND_SNP, ROW_REQUIRED, probe_snp_cpu,
	  "use an AMD EPYC of the 7003 series or newer, not from inside a virtual machine" },
	{ "snp-asids", KIND_SNP, ROW_REQUIRED, probe_snp_asids,
	  "set the BIOS option for the lowest ASID without SEV-ES above 1" },
	{ "snp-iommu", KIND_SNP, ROW_REQUIRED, probe_iommu,
	  "boot without iommu=pt, iommu=off, amd_iommu=off and amd_iommu=pgtbl_v2" },
	{ "snp-parameters", KIND_SNP, ROW_REQUIRED, probe_snp_parameters,
	  "Linux 6.11 or newer; " SNP_BIOS "; kvm_amd.sev=1 kvm_amd.sev_es=1 kvm_amd.sev_snp=1; "
	  "dmesg names the cause at \"SEV-SNP\" and \"RMP\"" },
	{ "snp-vm-type", KIND_SNP, ROW_REQUIRED, probe_snp_type,
	  "Linux 6.11 or newer; " SNP_BIOS },
	{ "snp-device", KIND_SNP, ROW_REQUIRED, probe_dev_sev,
	  "load ccp (the secure processor's driver); dmesg names the cause at \"ccp\"" },
	{ "snp-platform", KIND_SNP, ROW_REQUIRED, probe_snp_platform,
	  SNP_BIOS " and update it: the firmware must initialize, with API 1.51 or newer" },

	{ "tdx-cpu", KIND_TDX, ROW_REQUIRED, probe_tdx_cpu,
	  "use an Intel Xeon of the 5th generation or newer, not from inside a virtual machine" },
	{ "tdx-bios", KIND_TDX, ROW_REQUIRED, probe_tdx_bios,
	  "enable TME-MT, TDX and the SEAM loader in the BIOS; use a kernel with "
	  "CONFIG_INTEL_TDX_HOST; dmesg names the cause at \"virt/tdx\"" },
	{ "tdx-hibernation", KIND_TDX, ROW_ADVISED, probe_hibernation, "boot with nohibernate" },
	{ "tdx-parameter", KIND_TDX, ROW_REQUIRED, probe_tdx_parameter,
	  "Linux 6.16 or newer with CONFIG_KVM_INTEL_TDX; boot with kvm_intel.tdx=1" },
	{ "tdx-vm-type", KIND_TDX, ROW_REQUIRED, probe_tdx_type,
	  "Linux 6.16 or newer; kvm_intel.tdx=1; dmesg names the cause at \"virt/tdx\"" },
	{ "tdx-capabilities", KIND_TDX, ROW_REQUIRED, probe_tdx_capabilities,
	  "Linux 6.16 or newer; TDX module 1.5.06 or newer (update the BIOS)" },
	{ "tdx-apic-bus", KIND_TDX, ROW_REQUIRED, probe_apic_bus, "use Linux 6.16 or newer" },
	{ "tdx-quotes", KIND_TDX, ROW_ADVISED, probe_qgs,
	  "install and start Intel's quote generation service (qgsd) with its UNIX socket, which "
	  "its group may write; or give run its vsock" },

	{ "sim-programs", KIND_SIM, ROW_REQUIRED, probe_sim_programs,
	  "install the whole package (make install)" },
	{ "sim-msr-exits", KIND_SIM, ROW_REQUIRED, probe_kvm_msr, "use Linux 5.10 or newer" },
	{ "sim-address-bit", KIND_SIM, ROW_REQUIRED, probe_high_slot,
	  "load kvm_amd with npt=0 or kvm_intel with ept=0 (slow), or use a software KVM" },
	{ "sim-policy", KIND_SIM, ROW_ISOLATION, probe_sim_policy,
	  "install the simulation's policy module (semodule -i pavise-sim.cil), " DEGRADED },
	{ "sim-labels", KIND_SIM, ROW_ISOLATION, probe_sim_labels,
	  "install below /usr or /usr/local and run restorecon over libexec/pavise, " DEGRADED },
};

const size_t doctor_row_count = sizeof(doctor_rows) / sizeof(doctor_rows[0]);
