#include "attest/measure/snp/vmsa.h"

#include "common/bytes.h"

#include <string.h>

/* Offsets: AMD APM vol. 2 appendix B, table B-4 (VMSA of an SEV-ES or SEV-SNP guest). */
enum {
	ES = 0x000,
	CS = 0x010,
	SS = 0x020,
	DS = 0x030,
	FS = 0x040,
	GS = 0x050,
	GDTR = 0x060,
	LDTR = 0x070,
	IDTR = 0x080,
	TR = 0x090,
	EFER = 0x0D0,
	CR4 = 0x148,
	CR3 = 0x150,
	CR0 = 0x158,
	DR7 = 0x160,
	DR6 = 0x168,
	RFLAGS = 0x170,
	RIP = 0x178,
	RSP = 0x1D8,
	G_PAT = 0x268,
	SEV_FEATURES = 0x3B0,
	XCR0 = 0x3E8,
	MXCSR = 0x408,
	X87_FCW = 0x410,
};

static void put(uint8_t *vmsa, size_t offset, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		vmsa[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_segment(uint8_t *vmsa, size_t offset, const struct start_segment *s)
{
	put(vmsa, offset, s->selector, 2);
	put(vmsa, offset + 2, s->attributes, 2);
	put(vmsa, offset + 4, s->limit, 4);
	put(vmsa, offset + 8, s->base, 8);
}

void snp_vmsa_fill(const struct start_state *s, uint8_t out[SNP_PAGE_SIZE])
{
	static const size_t data_segments[] = { ES, SS, DS, FS, GS };

	memset(out, 0, SNP_PAGE_SIZE);
	for (size_t i = 0; i < sizeof(data_segments) / sizeof(data_segments[0]); i++)
		put_segment(out, data_segments[i], &s->data);
	put_segment(out, CS, &s->cs);
	put_segment(out, GDTR, &s->gdtr);
	put_segment(out, LDTR, &s->ldtr);
	put_segment(out, IDTR, &s->idtr);
	put_segment(out, TR, &s->tr);
	put(out, EFER, s->efer | START_KVM_EFER, 8);
	put(out, CR4, s->cr4 | START_KVM_CR4, 8);
	put(out, CR3, s->cr3, 8);
	put(out, CR0, s->cr0, 8);
	put(out, DR7, s->dr7, 8);
	put(out, DR6, s->dr6, 8);
	put(out, RFLAGS, s->rflags, 8);
	put(out, RIP, s->rip, 8);
	put(out, RSP, s->rsp, 8);
	put(out, G_PAT, s->pat, 8);
	put(out, SEV_FEATURES, s->sev_features, 8);
	put(out, XCR0, s->xcr0, 8);
	put(out, MXCSR, s->mxcsr, 4);
	put(out, X87_FCW, s->fcw, 2);
}
