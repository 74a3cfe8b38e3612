/* A trust domain on the model. KVM's part of the launch (tdx.c: vmm/kvm/tdx.h; seam.c asks it about
 * vCPUs), what CPUID a VMM may configure (td_cpuid.c), the guest's TDCALLs (tdcall.c) and the
 * TDVMCALLs among them (tdvmcall.c), quotes after the fold (td_quote.c). */
#ifndef PAVISE_MODEL_TD_H
#define PAVISE_MODEL_TD_H

#include "model/platform.h"
#include "model/tdx_wire.h"
#include "vmm/kvm/tdx.h"

/* Completion status beyond tdx_wire.h (Intel TDX Module ABI, "Function Completion Status"). */
#define TDX_ST_SYS_SHUTDOWN        0xC000050600000000ull
#define TDX_ST_NO_VE_INFO          0xC000070400000000ull
#define TDX_ST_ENTRY_STATE         0xC0000B0D00000000ull /* | enum tdx_operand */
#define TDX_ST_ALREADY_ACCEPTED    0x00000B0A00000000ull
#define TDX_ST_SIZE_MISMATCH       0xC0000B0B00000000ull
#define TDX_ST_FIELD_ID            0xC0000C0000000000ull
#define TDX_ST_FIELD_NOT_WRITABLE  0xC0000C0100000000ull

/* As on the model's host: what CAPABILITIES answers. */
#define TD_ATTRIBUTES     (1ull << 28) /* SEPT_VE_DISABLE */
#define TD_XFAM           0x61AE7ull   /* x87, SSE, AVX, AVX-512, PKRU, CET, AMX */
#define TD_XFAM_FIXED     3ull

/* The model's host has this many processors, which is the most a TD may have. */
#define TD_CPUS_MAX FW_BOOT_CPU_MAX

/* Fills the masks of bits a VMM may set: -E2BIG when there is no room, else 0. */
int td_cpuid_capabilities(struct tdx_capabilities *c);
/* KVM's checks of INIT_VM's table, then the module's (*hw): 0 or a negative errno. *gpaw: the
 * width of guest-physical addresses that it asks for. */
int td_cpuid_check(const struct tdx_init_vm *init, unsigned *gpaw, uint64_t *hw);
/* Makes of the host's values what the module shows: those bits that were configured are as INIT_VM
 * said. */
void td_cpuid_show(const struct tdx_init_vm *init, union kvm_cpuid_table *t);

/* A vCPU was made, or its CPUID set: KVM's answer, 0 or a negative errno. */
int td_create_vcpu(unsigned id);
void td_note_cpuid(struct model_vcpu *v, const union kvm_cpuid_table *t);
/* KVM_ENABLE_CAP of what only a TD needs; 1: not one of those. */
int td_enable_cap(uint32_t cap, uint64_t arg);

/* ---- run time ---- */

/* The bytes of a TDCALL's operand: [gpa, gpa + size) inside one accepted private page, gpa aligned.
 * NULL: *rc is what became of the call: a completion status in *status and 0, or an exit. */
uint8_t *td_operand(struct model_vcpu *v, uint64_t gpa, uint64_t size, uint64_t align,
		    enum tdx_operand operand, uint64_t *status, int *rc);

int td_run_site(struct model_vcpu *v);
/* TDG.VP.VMCALL: v->td.regs holds the guest's registers. */
int td_vmcall(struct model_vcpu *v);
int td_resume(struct model_vcpu *v);
/* Writes v->td.regs back and ends the instruction. */
int td_finish(struct model_vcpu *v);
/* KVM gives a TD up: nothing runs any more. -EIO. */
int td_kill(const struct model_vcpu *v, const char *what, uint64_t where);

enum agent_answer td_agent_submit(struct model_vcpu *v, struct agent_message *m);
enum agent_answer td_agent_poll(struct agent_message *m);
int td_agent_resume(struct model_vcpu *v);

/* Of the first vCPU, for TDVMCALL CPUID: only that one runs before the fold. */
extern union kvm_cpuid_table td_cpuid;

#endif
