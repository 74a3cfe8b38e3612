/* The one simulated SEV-SNP machine of this process: what KVM, the RMP and the processor would
 * keep. Everything is made before sealing; at run time nothing is allocated.
 *
 * Before GO one thread runs; after it every function of the model runs under model.lock, taken in
 * seam.c, so one vCPU at a time is between two KVM_RUNs. */
#ifndef PAVISE_MODEL_PLATFORM_H
#define PAVISE_MODEL_PLATFORM_H

#include "common/err.h"
#include "firmware/layout.h"
#include "model/alias.h"
#include "model/ghcb.h"
#include "model/rmp.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MODEL_REGION_MAX 4
#define MODEL_SITE_MAX   512
#define MODEL_ASID       1u
#define MODEL_VMSA_GPA   0xFFFFFFFFF000ull

struct model_region {
	uint64_t gpa, size;    /* bytes */
	uint64_t gmem_offset;
	struct rmp rmp;
	struct alias_region view;
};

/* What a vCPU has to do before it may enter the guest again: it left the guest once for the
 * instruction, and once or more to the VMM with an exit of the model's making. */
enum model_pending {
	PENDING_NONE,
	PENDING_SITE,     /* run the instruction again: the VMM may have changed an attribute */
	PENDING_MSR_PSC,  /* take hypercall.ret into the GHCB MSR */
	PENDING_PAGE_PSC, /* and into the GHCB page; go on with its next entries */
	PENDING_PORT_IN,
	PENDING_MMIO_READ,
	PENDING_DONE,     /* nothing but to finish the instruction */
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
	uint8_t ghcb[GHCB_SIZE]; /* the copy that is judged: the guest cannot change it any more */
};

struct model_site {
	uint64_t gpa;
	uint32_t kind;      /* enum fw_site_kind */
	uint8_t original[FW_SITE_SIZE];
};

struct model {
	pthread_mutex_t lock;
	int kvm_fd, vm_fd;      /* -1: no SNP VM */
	int psp_fd, log_fd;     /* -1: none */
	int sev_fd;

	/* The launch (tee-abi: KVM's wrapper, then the firmware's states). */
	bool inited, context, finished, folded, dead;
	bool exit_hypercall;    /* KVM_CAP_EXIT_HYPERCALL enabled */
	uint64_t vmsa_features;

	/* Memory. gmem_fd is a token: no descriptor leads to the private memory. */
	int gmem_fd;
	uint8_t *private;       /* mapped here alone, its memfd is closed */
	uint64_t private_size;
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
	MODEL_STOP_UNVALIDATED = 0x51000001, /* private access to a page not validated: #VC 0x404 */
	MODEL_STOP_DIRECT_IO = 0x51000002,   /* IN, OUT or MMIO without a GHCB: #VC */
	MODEL_STOP_SITE = 0x51000003,        /* a site ran where #GP or #PF would come */
	MODEL_STOP_FAULT = 0x51000004,       /* the model itself cannot go on; the log says why */
};

/* One line into the VM's log: "platform model (simulated): ...". */
void model_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The region that holds [gpa, gpa + size), gpa without C-bit; NULL when it is not all RAM. */
struct model_region *model_region_of(uint64_t gpa, uint64_t size);

/* The private or shared bytes at gpa: valid to the end of its page. NULL when it is not RAM or the
 * page is not usable that way. */
uint8_t *model_page(uint64_t gpa, bool private);

/* Slots of [gpa, gpa + size) as the RMP says. */
int model_sync(struct model_region *r, uint64_t gpa, uint64_t size, struct err *e);

/* Sites (sites.c): read from the image in private memory, replaced. -EX_MALFORMED. */
int model_patch_sites(struct err *e);
/* The site whose four bytes contain rip or end at the two-byte OUT before it; -1: none. */
int model_site_at(uint64_t rip);

/* VMSA of a vCPU, as KVM makes it (vmsa.c). */
void model_make_vmsa(const struct model_vcpu *v, uint64_t features, uint8_t page[4096]);

/* Ends private memory: from here on it is a plain guest (fold.c). */
int model_fold(struct err *e);

/* Runs a vCPU until the VMM has something to do: as kvm_run_vcpu (exits.c). */
int model_run_vcpu(struct model_vcpu *v);

/* Ends the run with that reason, as exit of v; answers 0. */
int model_stop(struct model_vcpu *v, enum model_stop why);

/* Ports of the guest agent, only after the fold (request.c). True: the exit was one of those. */
bool model_request_port(struct kvm_run *run);

#endif
