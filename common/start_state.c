#include "common/start_state.h"

/* AMD APM vol. 2: §3.1 control registers, §7.8.2 PAT, §13.1 debug registers, §11.5 XCR0 and x87. */
#define CR0_START 0x80000031ull /* PG, NE, ET, PE */
#define CR4_START 0x20ull	/* PAE */
#define EFER_START 0xD00ull	/* NXE, LMA, LME: the image's page tables use NX */

void start_state_of(const struct plan *p, uint32_t cpu, struct start_state *out)
{
	*out = (struct start_state){
		.cs = { .limit = 0xFFFFFFFF, .selector = 0x10, .attributes = 0xA9B },
		.data = { .limit = 0xFFFFFFFF, .selector = 0x18, .attributes = 0xC93 },
		.tr = { .limit = 0x67, .attributes = 0x8B },
		.ldtr = { .attributes = 0x82 },
		.rip = cpu == 0 ? p->vcpu.rip : p->snp.ap_rip,
		.rsp = p->vcpu.rsp,
		.rflags = 2,
		.cr0 = CR0_START,
		.cr3 = p->vcpu.cr3,
		.cr4 = CR4_START,
		.efer = EFER_START,
		.dr6 = 0xFFFF0FF0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406ull,
		.xcr0 = 1,
		.sev_features = p->snp.sev_features,
		.mxcsr = 0x1F80,
		.fcw = 0x37F,
	};
}
