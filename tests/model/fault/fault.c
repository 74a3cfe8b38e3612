/* pavise-vmm-sim with a host that attacks its guest once: a program of tests, never installed. Its
 * further argument, which neither pavise-vmm nor pavise-vmm-sim knows:
 *
 *   fault=swap:GPA:GPA   two private pages change places
 *   fault=remap:GPA:GPA  the second page's bytes appear at the first one's address
 *   fault=drop:GPA:0     a validated page is taken back, and given anew when it is used
 *   fault=vector:N       an exception or interrupt comes where none can
 *   fault=poke:GPA:VALUE eight bytes are other than the VMM put them, from the start
 *   fault=launch:NAME    a kernel under strain while a trust domain is launched (launch.h)
 *   fault=snp:NAME       ... while an SEV-SNP guest is (launch_snp.h)
 *
 * Numbers are hexadecimal. The attack comes when the guest asks for its staging area to be made
 * private (a poke before the guest runs): its kernel lies in private memory by then and is not yet
 * where it will run.
 *
 * SEV-SNP hardware lets a host do all of it by RMPUPDATE, which takes the page's validation away;
 * the next access raises #VC with error code 0x404 (AMD APM vol. 2 §15.36.10, §15.36.5). The model
 * alone stops a VM there (model/README.md); here it delivers the #VC, one instruction late, since
 * KVM has made an MMIO access of the first one and must finish it: what it read is all ones, what
 * it wrote is lost. TDX hardware lets a host block and remove a page and give another, which is
 * pending: the next access ends the trust domain, as in the model alone. */
#include "common/args.h"
#include "common/kvm_uapi.h"
#include "model/platform.h"
#include "model/real.h"
#include "tests/model/fault/launch.h"
#include "tests/model/fault/launch_snp.h"
#include "vmm/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VECTOR_NMI 2u
#define VECTOR_VC 29u
#define VC_NOT_VALIDATED 0x404u /* SVM exit code of a nested page fault, as #VC shows it */
#define FRAGMENTS_MAX 8u        /* MMIO exits of one instruction */

static struct {
	enum { NONE, SWAP, REMAP, DROP, VECTOR, POKE } kind;
	uint64_t a, b;
	bool done;
} fault;

int __wrap_config_parse(struct config *c, int argc, char **argv, struct err *e);
int __real_config_parse(struct config *c, int argc, char **argv, struct err *e);
int __wrap_model_run_vcpu(struct model_vcpu *v);
int __real_model_run_vcpu(struct model_vcpu *v);

static int parse(const char *value, struct err *e)
{
	static const char *const names[] = { "", "swap:", "remap:", "drop:", "vector:", "poke:" };
	static const char launch[] = "launch:", snp[] = "snp:";
	char *end = NULL;

	if (strncmp(value, launch, sizeof(launch) - 1) == 0 &&
	    fault_launch(value + sizeof(launch) - 1))
		return 0;
	if (strncmp(value, snp, sizeof(snp) - 1) == 0 && fault_launch_snp(value + sizeof(snp) - 1))
		return 0;
	for (int i = SWAP; i <= POKE; i++) {
		size_t n = strlen(names[i]);

		if (strncmp(value, names[i], n) != 0)
			continue;
		fault.kind = i;
		fault.a = strtoull(value + n, &end, 16);
		if (*end == ':')
			fault.b = strtoull(end + 1, &end, 16);
		if (*end == '\0')
			return 0;
	}
	return err_set(e, EX_USAGE_ERROR, "fault=%s: not one of those in fault.c", value);
}

/* Takes fault= out of the arguments. */
int __wrap_config_parse(struct config *c, int argc, char **argv, struct err *e)
{
	int kept = 1, rc = 0;

	for (int i = 1; i < argc && rc == 0; i++) {
		const char *value = args_value(argv[i], "fault");

		if (value != NULL)
			rc = parse(value, e);
		else
			argv[kept++] = argv[i];
	}
	return rc < 0 ? rc : __real_config_parse(c, kept, argv, e);
}

static uint8_t *bytes_of(uint64_t gpa)
{
	const struct model_region *r = model_region_of(gpa, PAGE_BYTES);

	return r ? (uint8_t *)(uintptr_t)(r->view.private.host + (gpa - r->gpa)) : NULL;
}

/* RMPUPDATE: the page is the guest's again at the next use, and not validated. */
static int reassign(uint64_t gpa, struct err *e)
{
	struct model_region *r = model_region_of(gpa, PAGE_BYTES);

	pages_discard(&r->pages, (gpa - r->gpa) / PAGE_BYTES, 1);
	return model_sync(r, gpa, PAGE_BYTES, e);
}

static int move_pages(struct err *e)
{
	uint8_t *a = bytes_of(fault.a), *b = bytes_of(fault.b), keep[PAGE_BYTES];
	int rc;

	if (!a || !b)
		return err_set(e, EX_USAGE_ERROR, "fault: an address outside RAM");
	memcpy(keep, a, PAGE_BYTES);
	if (fault.kind == SWAP || fault.kind == REMAP)
		memcpy(a, b, PAGE_BYTES);
	if (fault.kind == SWAP)
		memcpy(b, keep, PAGE_BYTES);
	rc = reassign(fault.a, e);
	return rc == 0 && fault.kind == SWAP ? reassign(fault.b, e) : rc;
}

/* Comes with the next entry into the guest. Through the run area: the sealed thread may not make
 * the ioctl. */
static void inject(struct model_vcpu *v, unsigned vector, uint32_t error_code)
{
	struct kvm_vcpu_events *events = &v->run->s.regs.events;

	memset(events, 0, sizeof(*events));
	if (vector == VECTOR_NMI) {
		events->nmi.injected = 1;
	} else if (vector < 32) {
		events->exception.injected = 1;
		events->exception.nr = (uint8_t)vector;
		events->exception.has_error_code = 1;
		events->exception.error_code = error_code;
	} else {
		events->interrupt.injected = 1;
		events->interrupt.nr = (uint8_t)vector;
	}
	v->run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
}

static void attack(struct model_vcpu *v)
{
	struct err e = { 0 };

	fault.done = true;
	if (fault.kind == VECTOR)
		inject(v, (unsigned)fault.a, 0);
	else if (move_pages(&e) < 0)
		model_log("%s", e.text);
	model_log("fault: done");
}

/* Where the guest will find it: in private memory, or in what is shared from the start. */
static void poke(void)
{
	const struct model_region *r = model_region_of(fault.a, sizeof(fault.b));
	bool shared;

	fault.done = true;
	if (!r)
		return;
	shared = page_shared_usable(r->pages.page[(fault.a - r->gpa) / PAGE_BYTES]);
	memcpy((uint8_t *)(uintptr_t)((shared ? r->view.shared.host : r->view.private.host) +
				      (fault.a - r->gpa)), &fault.b, sizeof(fault.b));
	model_log("fault: done");
}

static bool is_time(const struct model_vcpu *v)
{
	const struct kvm_run *run = v->run;

	return !fault.done && run->exit_reason == KVM_EXIT_HYPERCALL &&
	       run->hypercall.args[0] == FW_STAGING &&
	       (run->hypercall.args[2] & UAPI_MAP_GPA_PRIVATE) != 0;
}

static bool is_not_validated(const struct model_vcpu *v)
{
	return v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	       v->run->internal.suberror == MODEL_STOP_UNVALIDATED;
}

/* Lets KVM finish the access it took for MMIO, without a further instruction of the guest. */
static int finish_access(const struct model_vcpu *v)
{
	int rc = 0;

	v->run->immediate_exit = 1;
	for (unsigned i = 0; rc == 0 && i < FRAGMENTS_MAX; i++) {
		memset(&v->run->mmio, 0xFF, sizeof(v->run->mmio));
		rc = __real_kvm_run_vcpu(v->fd);
	}
	v->run->immediate_exit = 0;
	return rc == -EINTR ? 0 : -EIO;
}

int __wrap_model_run_vcpu(struct model_vcpu *v)
{
	int rc;

	if (fault.kind == POKE && !fault.done && v == model.vcpu)
		poke();
	rc = __real_model_run_vcpu(v);
	if (fault.kind == NONE || fault.kind == POKE || rc != 0)
		return rc;
	if (is_time(v))
		attack(v);
	while (rc == 0 && fault.done && is_not_validated(v)) {
		model_log("fault: #VC in the guest, after the instruction");
		model.dead = false;
		rc = finish_access(v);
		inject(v, VECTOR_VC, VC_NOT_VALIDATED);
		if (rc == 0)
			rc = __real_model_run_vcpu(v);
	}
	return rc;
}
