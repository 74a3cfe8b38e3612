/* The one simulated machine of this process, for an SEV-SNP guest or a trust domain: what KVM, the
 * page record and the processor would keep. Everything is made before sealing; at run time nothing
 * is allocated. What differs between the two kinds of guest is behind struct model_kind: kind_snp
 * (sev.c, launch.c, snp_exits.c), kind_tdx (tdx.c, tdcall.c, tdvmcall.c).
 *
 * Before GO one thread runs; after it every function of the model runs under model.lock, taken in
 * seam.c, so one vCPU at a time is between two KVM_RUNs. */
#ifndef PAVISE_MODEL_PLATFORM_H
#define PAVISE_MODEL_PLATFORM_H

#include "common/err.h"
#include "common/plan.h"
#include "firmware/layout.h"
#include "model/alias.h"
#include "model/ghcb.h"
#include "model/pages.h"
#include "model/request.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MODEL_C_BIT (1ull << SNP_C_BIT)
#define MODEL_S_BIT (1ull << TDX_S_BIT)

#define MODEL_GMEM_MAX   2 /* RAM; the reset page of a trust domain may have its own */
#define MODEL_REGION_MAX 6
#define MODEL_SITE_MAX   512
#define MODEL_ASID       1u
#define MODEL_VMSA_GPA   0xFFFFFFFFF000ull

struct model_region {
	uint64_t gpa, size;    /* bytes */
	int gmem_fd;
	uint64_t gmem_offset;
	struct pages pages;
	struct alias_region view;
};

/* fd is a token: no descriptor leads to private memory. */
struct model_gmem {
	int fd;
	uint8_t *map;   /* mapped here alone, its memfd is closed */
	uint64_t size;
};

/* What a vCPU has to do before it may enter the guest again: it left the guest once for the
 * instruction, and once or more to the VMM with an exit of the model's making. */
enum model_pending {
	PENDING_NONE,
	PENDING_SITE,     /* run the instruction again: the VMM may have changed an attribute */

	/* SEV-SNP */
	PENDING_MSR_PSC,  /* take hypercall.ret into the GHCB MSR */
	PENDING_PAGE_PSC, /* and into the GHCB page; go on with its next entries */
	PENDING_PORT_IN,
	PENDING_MMIO_READ,
	PENDING_DONE,     /* nothing but to finish the instruction */

	/* TDX: what the TDVMCALL still has to take from the VMM */
	PENDING_MAP_GPA,
	PENDING_QUOTE,
	PENDING_INFO,
	PENDING_NOTIFY,
	PENDING_TD_IN,
	PENDING_TD_READ,
	PENDING_TD_DONE,
	PENDING_HALT,
	PENDING_AGENT_SHARE, /* the agent's request: the VMM shares the buffer of its quote */
	PENDING_AGENT_QUOTE, /* and takes the request */
};

/* What only a vCPU of a trust domain has. */
struct model_td_vcpu {
	bool inited;            /* INIT_VCPU */
	bool x2apic;            /* CPUID has it */
	uint32_t signature;     /* CPUID.1:EAX */
	unsigned address_bits;  /* CPUID.8000_0008:EAX[7:0] */
	struct kvm_regs regs;   /* of the TDVMCALL at work */
	uint64_t map_next, map_end; /* MapGPA: with the S-bit as the guest gave it */
	unsigned size;          /* of the port or MMIO read at work */
};

struct model_vcpu {
	int fd;
	unsigned id;
	struct kvm_run *run;
	uint64_t run_size;
	struct kvm_regs regs;   /* as the VMM set them: the VMSA is made of these */
	struct kvm_sregs sregs;
	uint64_t pat;
	bool has_pat, has_cpuid, protected;

	uint64_t ghcb_msr, ghcb_registered;
	enum model_pending pending;
	uint32_t site;          /* index into model.site of the instruction at work */
	struct ghcb_call call;
	struct model_td_vcpu td;
	uint8_t ghcb[GHCB_SIZE]; /* the copy that is judged: the guest cannot change it any more */
};

struct model_site {
	uint64_t gpa;
	uint32_t kind;      /* enum fw_site_kind */
	uint8_t original[FW_SITE_SIZE];
};

/* What differs between the kinds of confidential guest. */
struct model_kind {
	const char *name;       /* for the log */
	const char *fault;      /* what hardware raises where the model stops */
	uint32_t tee;           /* enum plan_tee */
	uint32_t variant;       /* enum fw_variant of its image */
	uint32_t fold_site;     /* enum fw_site_kind of the last one */
	uint64_t private_bit;   /* set in the guest-physical addresses of private memory */
	uint64_t shared_bit;    /* the same for shared memory */
	bool sharing_discards;  /* the attribute "shared" takes the private page back at once */

	bool (*site_fits)(const uint8_t bytes[FW_SITE_SIZE], uint32_t kind);
	/* One instruction of the image: v->site says which. As model_run_vcpu, or ENTER_GUEST. */
	int (*run_site)(struct model_vcpu *v);
	/* The VMM answered an exit that run_site made: v->pending says which. */
	int (*resume)(struct model_vcpu *v);
	/* An access without slot that is no memory fault: r is NULL when it is not RAM. */
	int (*bad_access)(struct model_vcpu *v, const struct model_region *r, uint64_t gpa,
			  bool private);
	/* Any other exit of the plain VM; NULL: goes to the VMM as it is. */
	int (*other_exit)(struct model_vcpu *v);
	/* May the vCPU enter the guest? ENTER_GUEST, or what KVM_RUN answers. */
	int (*check_run)(struct model_vcpu *v);
	/* What else ends with private memory; a part of a sentence for the log. */
	void (*folded)(char *text, size_t size);
	/* The agent's request after the fold (request.h). */
	enum agent_answer (*agent_submit)(struct model_vcpu *v, struct agent_message *m);
	/* After AGENT_LATER; NULL: answers always come at once. */
	enum agent_answer (*agent_poll)(struct agent_message *m);
};
extern const struct model_kind kind_snp, kind_tdx;

#define ENTER_GUEST 1 /* nothing for the VMM: the guest goes on */

struct model {
	pthread_mutex_t lock;
	const struct model_kind *kind; /* NULL: no confidential VM */
	int kvm_fd, vm_fd;      /* -1: no confidential VM */
	int psp_fd, log_fd;     /* -1: none */
	int sev_fd;

	/* The launch (tee-abi: KVM's wrapper, then the firmware's states). */
	bool inited, context, finished, folded, dead;
	bool exit_hypercall;    /* KVM_CAP_EXIT_HYPERCALL enabled */
	uint64_t vmsa_features;

	/* A trust domain's (tdx.c). `inited` is INIT_VM, `finished` FINALIZE_VM. */
	bool irqchip;           /* KVM_CAP_SPLIT_IRQCHIP enabled */
	uint64_t tsc_khz, attributes, xfam;

	unsigned gmem_count;
	struct model_gmem gmem[MODEL_GMEM_MAX];
	unsigned region_count;
	struct model_region region[MODEL_REGION_MAX];
	struct alias alias;

	unsigned vcpu_count;
	struct model_vcpu vcpu[FW_BOOT_CPU_MAX];
	unsigned site_count;
	struct model_site site[MODEL_SITE_MAX];
};
extern struct model model;

/* Why a run ends for a reason only the model has: KVM_EXIT_INTERNAL_ERROR with this suberror. Real
 * hardware raises #VC in the guest or kills it; the model cannot, and stops the VM. */
enum model_stop {
	MODEL_STOP_UNVALIDATED = 0x51000001, /* SEV-SNP: private access to a page not validated:
					      * #VC 0x404 */
	MODEL_STOP_DIRECT_IO = 0x51000002,   /* IN, OUT or MMIO without GHCB or TDVMCALL: #VC,
					      * #VE */
	MODEL_STOP_SITE = 0x51000003,        /* a site ran where #GP or #PF would come */
	MODEL_STOP_FAULT = 0x51000004,       /* the model itself cannot go on; the log says why */
};

/* The one confidential VM of this process was made. */
void model_take_vm(const struct model_kind *kind, int kvm_fd, int vm_fd);

/* One line into the VM's log: "platform model (simulated): ...". */
void model_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The region that holds [gpa, gpa + size), gpa without C- or S-bit; NULL when it is not all RAM. */
struct model_region *model_region_of(uint64_t gpa, uint64_t size);

/* The private or shared bytes at gpa: valid to the end of its page. NULL when it is not RAM or the
 * page is not usable that way. */
uint8_t *model_page(uint64_t gpa, bool private);

/* Slots of [gpa, gpa + size) as the page record says. */
int model_sync(struct model_region *r, uint64_t gpa, uint64_t size, struct err *e);

/* Takes the bit of its view off a guest-physical address; *private says which view it was. */
uint64_t model_address(uint64_t gpa, bool *private);

/* Sites (sites.c): read from the image in private memory, replaced. -EX_MALFORMED. */
int model_patch_sites(struct err *e);
/* The site whose four bytes contain rip or end at the two-byte OUT before it; -1: none. */
int model_site_at(uint64_t rip);

/* VMSA of a vCPU, as KVM makes it (vmsa.c). */
void model_make_vmsa(const struct model_vcpu *v, uint64_t features, uint8_t page[4096]);

/* Ends private memory: from here on it is a plain guest (fold.c). */
int model_fold(struct err *e);
/* All slots of the launched memory, at the end of the launch. 0, or -EIO with the reason logged. */
int model_open_memory(void);

/* Runs a vCPU until the VMM has something to do: as kvm_run_vcpu (exits.c). */
int model_run_vcpu(struct model_vcpu *v);

/* Ends the run with that reason, as exit of v; answers 0. */
int model_stop(struct model_vcpu *v, enum model_stop why);
/* The same, for something that hardware answers with an exception: a line says what and where. */
int model_stop_access(struct model_vcpu *v, enum model_stop why, const char *what, uint64_t where);

/* For kinds: exits towards the VMM, each with what is left to do when the VMM has answered. */
int exit_leave(struct model_vcpu *v, uint32_t reason, enum model_pending pending);
int exit_memory_fault(struct model_vcpu *v, uint64_t gpa, bool private, enum model_pending pending);
int exit_change_pages(struct model_vcpu *v, uint64_t gpa, uint64_t pages, bool private, bool large,
		      enum model_pending pending);
int exit_port(struct model_vcpu *v, uint16_t port, unsigned size, bool write, uint64_t value,
	      enum model_pending pending);
int exit_mmio(struct model_vcpu *v, uint64_t gpa, unsigned size, bool write, uint64_t value,
	      enum model_pending pending);
/* What the VMM gave for a port that was read. */
uint64_t exit_port_value(const struct model_vcpu *v, unsigned size);
/* The instruction at v->site is over: folds when it was the last one. */
int exit_finish_site(struct model_vcpu *v);

#endif
