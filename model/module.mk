# pavise-vmm-sim: the objects of pavise-vmm, but for the seam (MODEL_SEAM), and the platform model around
# them (model/real.h).
comma := ,
MODEL_SRCS := model/alias.c model/exits.c model/fold.c model/ghcb.c model/launch.c model/pages.c \
              model/platform.c model/private.c model/psp_client.c model/request.c model/rmp.c \
              model/seam.c model/sept.c model/sev.c model/sites.c model/snp_exits.c \
              model/td_cpuid.c model/td_quote.c model/tdcall.c model/tdvmcall.c model/tdx.c \
              model/tdx_client.c model/vmsa.c model/walk.c
MODEL_SEAM := vmm/kvm/private.c vmm/kvm/sev.c vmm/kvm/tdx.c vmm/filters.c
MODEL_WRAPPED := config_check_environment kvm_check_cap kvm_supported_cpuid \
                 kvm_set_memory kvm_split_irqchip kvm_create_vcpu kvm_set_cpuid kvm_set_msr \
                 kvm_set_regs kvm_set_sregs kvm_get_regs kvm_get_sregs kvm_run_vcpu

PROGS += pavise-vmm-sim
pavise-vmm-sim_SRCS = $(filter-out $(MODEL_SEAM),$(pavise-vmm_SRCS)) $(MODEL_SRCS) model/filters.c
pavise-vmm-sim_LIBS := $(addprefix -Wl$(comma)--wrap=,$(MODEL_WRAPPED))
pavise-vmm-sim_LINK := $(STATIC)
