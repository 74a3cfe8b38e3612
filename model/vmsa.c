/* The save area that KVM makes of a vCPU's state at LAUNCH_FINISH (Linux 6.12: sev_es_sync_vmsa;
 * layout: AMD APM vol. 2 table B-4). Written from those, not from what `pavise measure` predicts:
 * the two are compared by tests. */
#include "model/platform.h"

#include <string.h>

#define EFER_SVME (1ull << 12) /* KVM runs no guest without it */
#define CR4_MCE   (1ull << 6)
#define PAT_RESET 0x0007040600070406ull

static void put(uint8_t *page, unsigned offset, uint64_t v, unsigned size)
{
	memcpy(page + offset, &v, size);
}

/* svm_set_segment packs the descriptor's attributes. */
static void put_segment(uint8_t *page, unsigned offset, const struct kvm_segment *s)
{
	unsigned present = s->present && !s->unusable;
	unsigned attributes = s->type | (unsigned)s->s << 4 | (unsigned)s->dpl << 5 |
			      present << 7 | (unsigned)s->avl << 8 | (unsigned)s->l << 9 |
			      (unsigned)s->db << 10 | (unsigned)s->g << 11;

	put(page, offset, s->selector, 2);
	put(page, offset + 2, attributes, 2);
	put(page, offset + 4, s->limit, 4);
	put(page, offset + 8, s->base, 8);
}

static void put_table(uint8_t *page, unsigned offset, const struct kvm_dtable *t)
{
	put(page, offset + 4, t->limit, 4);
	put(page, offset + 8, t->base, 8);
}

static void put_system(uint8_t *page, const struct kvm_sregs *s)
{
	put_segment(page, 0x00, &s->es);
	put_segment(page, 0x10, &s->cs);
	put_segment(page, 0x20, &s->ss);
	put_segment(page, 0x30, &s->ds);
	put_segment(page, 0x40, &s->fs);
	put_segment(page, 0x50, &s->gs);
	put_table(page, 0x60, &s->gdt);
	put_segment(page, 0x70, &s->ldt);
	put_table(page, 0x80, &s->idt);
	put_segment(page, 0x90, &s->tr);
	put(page, 0xCB, s->ss.dpl, 1); /* CPL */
	put(page, 0xD0, s->efer | EFER_SVME, 8);
	put(page, 0x148, s->cr4 | CR4_MCE, 8);
	put(page, 0x150, s->cr3, 8);
	put(page, 0x158, s->cr0, 8);
	put(page, 0x240, s->cr2, 8);
}

static void put_general(uint8_t *page, const struct kvm_regs *r)
{
	const uint64_t from_300[16] = {
		0, r->rcx, r->rdx, r->rbx, 0, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	put(page, 0x170, r->rflags, 8);
	put(page, 0x178, r->rip, 8);
	put(page, 0x1D8, r->rsp, 8);
	put(page, 0x1F8, r->rax, 8);
	memcpy(page + 0x300, from_300, sizeof(from_300));
}

void model_make_vmsa(const struct model_vcpu *v, uint64_t features, uint8_t page[4096])
{
	memset(page, 0, 4096);
	put_system(page, &v->sregs);
	put_general(page, &v->regs);
	/* What vmm/kvm/kvm.h has no call to change is as after a reset (SDM vol. 3 table 9-1): debug
	 * registers, XCR0, MXCSR, x87. The plain KVM below may keep them differently. */
	put(page, 0x160, 0x400, 8);
	put(page, 0x168, 0xFFFF0FF0, 8);
	put(page, 0x268, v->has_pat ? v->pat : PAT_RESET, 8);
	put(page, 0x3B0, features, 8);
	put(page, 0x3E8, 1, 8);
	put(page, 0x408, 0x1F80, 4);
	put(page, 0x410, 0x37F, 2);
}
