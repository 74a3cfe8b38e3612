/* The part of KVM's interface that is newer than the kernel headers this is built with (6.1):
 * private memory (Linux 6.8), SEV-SNP (6.11) and TDX (6.16). Numbers and layouts are those of
 * Documentation/virt/kvm/api.rst, x86/amd-memory-encryption.rst and x86/intel-tdx.rst; the names are
 * our own, so that newer headers do no harm. Sizes and ioctl numbers are checked below. */
#ifndef PAVISE_COMMON_KVM_UAPI_H
#define PAVISE_COMMON_KVM_UAPI_H

#include <stddef.h>
#include <stdint.h>

/* Capabilities (api.rst §8) */
#define UAPI_CAP_EXIT_HYPERCALL    201u
#define UAPI_CAP_MEMORY_ATTRIBUTES 233u /* answers the attributes there are */
#define UAPI_CAP_GUEST_MEMFD       234u
#define UAPI_CAP_VM_TYPES          235u /* answers a mask: bit n = VM type n */

#define UAPI_VM_TYPE_SNP 4u
#define UAPI_VM_TYPE_TDX 5u

/* Exits */
#define UAPI_EXIT_MEMORY_FAULT 39u
#define UAPI_HC_MAP_GPA_RANGE  12u
#define UAPI_MAP_GPA_PRIVATE   (1ull << 4) /* args[2]: to private; bits 3:0 are a hint */
#define UAPI_SYSTEM_EVENT_SEV_TERM 6u

#define UAPI_ATTRIBUTE_PRIVATE (1ull << 3)
#define UAPI_FAULT_PRIVATE     (1ull << 3)
#define UAPI_SLOT_GUEST_MEMFD  (1u << 2)

/* KVM_EXIT_MEMORY_FAULT: lies at this offset of struct kvm_run. */
#define UAPI_RUN_MEMORY_FAULT_OFFSET 32
struct uapi_memory_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

/* KVM_EXIT_SNP_REQ_CERTS (Linux 7.0): an extended guest request wants certificates. */
#define UAPI_EXIT_SNP_REQ_CERTS 43u
#define UAPI_RUN_REQ_CERTS_OFFSET 32
struct uapi_snp_req_certs {
	uint64_t gpa;
	uint64_t npages; /* room in 4 KiB pages; with ENOSPC: what is needed */
	uint64_t ret;    /* 0, ENOSPC, EAGAIN or EIO */
};

struct uapi_memory_region2 {
	uint32_t slot;
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size;
	uint64_t userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t pad1;
	uint64_t pad2[14];
};

struct uapi_memory_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};

struct uapi_create_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved[6];
};

#define UAPI_SET_USER_MEMORY_REGION2 0x40a0ae49ul
#define UAPI_SET_MEMORY_ATTRIBUTES   0x4020aed2ul
#define UAPI_CREATE_GUEST_MEMFD      0xc040aed4ul
#define UAPI_MEMORY_ENCRYPT_OP       0xc008aebaul

/* Device attributes of /dev/kvm itself */
#define UAPI_GRP_SEV               1u
#define UAPI_SEV_VMSA_FEATURES     0u

/* Commands of KVM_MEMORY_ENCRYPT_OP */
#define UAPI_SEV_INIT2          22u
#define UAPI_SNP_LAUNCH_START  100u
#define UAPI_SNP_LAUNCH_UPDATE 101u
#define UAPI_SNP_LAUNCH_FINISH 102u
#define UAPI_SNP_ENABLE_REQ_CERTS 103u

struct uapi_sev_cmd {
	uint32_t id;
	uint32_t pad0;
	uint64_t data;    /* address of the structure of that command */
	uint32_t error;   /* out: the firmware's code; all ones: never reached the firmware */
	uint32_t sev_fd;
};

struct uapi_sev_init {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t pad1;
	uint32_t pad2[8];
};

struct uapi_snp_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t pad0[6];
	uint64_t pad1[4];
};

/* gfn_start, uaddr and len advance with what was done. */
struct uapi_snp_update {
	uint64_t gfn_start; /* a frame number, not an address */
	uint64_t uaddr;
	uint64_t len;       /* bytes */
	uint8_t type;
	uint8_t pad0;
	uint16_t flags;
	uint32_t pad1;
	uint64_t pad2[4];
};

struct uapi_snp_finish {
	uint64_t id_block_uaddr;
	uint64_t id_auth_uaddr;
	uint8_t id_block_en;
	uint8_t auth_key_en;
	uint8_t vcek_disabled;
	uint8_t host_data[32];
	uint8_t pad0[3];
	uint16_t flags;
	uint64_t pad1[4];
};

/* Types of LAUNCH_UPDATE pages (SNP firmware ABI, PAGE_TYPE) */
#define UAPI_SNP_PAGE_NORMAL  1u
#define UAPI_SNP_PAGE_ZERO    3u
#define UAPI_SNP_PAGE_SECRETS 5u
#define UAPI_SNP_PAGE_CPUID   6u

/* TDX (intel-tdx.rst): sub-commands of KVM_MEMORY_ENCRYPT_OP, on the VM or on a vCPU */
#define UAPI_TDX_CAPABILITIES    0u /* VM */
#define UAPI_TDX_INIT_VM         1u /* VM */
#define UAPI_TDX_INIT_VCPU       2u /* vCPU; data: guest RCX and R8 */
#define UAPI_TDX_INIT_MEM_REGION 3u /* vCPU; flags: UAPI_TDX_MEASURE */
#define UAPI_TDX_FINALIZE_VM     4u /* VM */
#define UAPI_TDX_GET_CPUID       5u /* vCPU */
#define UAPI_TDX_MEASURE 1u

#define UAPI_CAP_APIC_BUS_CYCLES_NS 237u
#define UAPI_TDX_APIC_BUS_NS 40ull /* 25 MHz: what a TD's APIC timer counts with */

struct uapi_tdx_cmd {
	uint32_t id;
	uint32_t flags;
	uint64_t data;
	uint64_t hw_error; /* zero; out: completion status of the TDX module */
};

/* One entry of struct kvm_cpuid2 is struct kvm_cpuid_entry2 (40 bytes) in both tables. */
#define UAPI_TDX_CPUID_MAX 256u
struct uapi_tdx_capabilities {
	uint64_t supported_attributes;
	uint64_t supported_xfam;
	uint64_t kernel_tdvmcallinfo_1_r11;
	uint64_t user_tdvmcallinfo_1_r11;
	uint64_t kernel_tdvmcallinfo_1_r12;
	uint64_t user_tdvmcallinfo_1_r12;
	uint64_t reserved[250];
	uint32_t nent;    /* in: room; out: used. Masks of the bits a VMM may set */
	uint32_t padding;
	/* struct kvm_cpuid_entry2[nent] follows */
};

struct uapi_tdx_init_vm {
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint64_t reserved[12];
	uint32_t nent;
	uint32_t padding;
	/* struct kvm_cpuid_entry2[nent] follows */
};

/* Advances with what was done. */
struct uapi_tdx_mem_region {
	uint64_t source_addr; /* page aligned, of this process */
	uint64_t gpa;
	uint64_t nr_pages;
};

/* KVM_EXIT_TDX */
#define UAPI_EXIT_TDX 40u
#define UAPI_SYSTEM_EVENT_TDX_FATAL 7u
#define UAPI_TDVMCALL_INFO       0x10000ull
#define UAPI_TDVMCALL_GET_QUOTE  0x10002ull
#define UAPI_TDVMCALL_SETUP_NOTIFY 0x10004ull
#define UAPI_TDVMCALL_SUCCESS    0ull
#define UAPI_TDVMCALL_RETRY      1ull
#define UAPI_TDVMCALL_INVALID    0x8000000000000000ull
#define UAPI_TDVMCALL_UNSUPPORTED 0x8000000000000003ull
#define UAPI_RUN_TDX_OFFSET 32
struct uapi_tdx_exit {
	uint64_t flags;
	uint64_t nr;  /* UAPI_TDVMCALL_* */
	uint64_t ret; /* preset to UAPI_TDVMCALL_UNSUPPORTED */
	union {
		struct {
			uint64_t gpa, size; /* bytes */
		} quote;
		struct {
			uint64_t leaf, r11, r12, r13, r14;
		} info;
		struct {
			uint64_t vector; /* 32..255 */
		} notify;
	};
};

_Static_assert(sizeof(struct uapi_tdx_cmd) == 24, "tdx command");
_Static_assert(sizeof(struct uapi_tdx_capabilities) == 2056, "tdx capabilities");
_Static_assert(sizeof(struct uapi_tdx_init_vm) == 264, "tdx init vm");
_Static_assert(sizeof(struct uapi_tdx_mem_region) == 24, "tdx mem region");
_Static_assert(offsetof(struct uapi_tdx_exit, info.r14) + UAPI_RUN_TDX_OFFSET == 88, "tdx exit");
_Static_assert(sizeof(struct uapi_memory_region2) == 160, "memory region 2");
_Static_assert(sizeof(struct uapi_memory_attributes) == 32, "memory attributes");
_Static_assert(sizeof(struct uapi_create_guest_memfd) == 64, "create guest_memfd");
_Static_assert(sizeof(struct uapi_sev_cmd) == 24, "sev command");
_Static_assert(sizeof(struct uapi_sev_init) == 48, "sev init");
_Static_assert(sizeof(struct uapi_snp_start) == 64, "launch start");
_Static_assert(sizeof(struct uapi_snp_update) == 64, "launch update");
_Static_assert(sizeof(struct uapi_snp_finish) == 88, "launch finish");
_Static_assert(offsetof(struct uapi_snp_finish, host_data) == 19, "host data");

#endif
