VMM_PLATFORM_SRCS := vmm/platform/uart.c vmm/platform/ioapic.c vmm/platform/power.c \
                     vmm/platform/tpm_crb.c
VMM_SRCS := vmm/main.c vmm/config.c vmm/machine.c vmm/run.c vmm/vm.c vmm/vcpu.c vmm/memory.c \
            vmm/exit.c vmm/kvm/kvm.c vmm/tee/tee.c vmm/tee/plain.c vmm/bus/dispatch.c \
            $(VMM_PLATFORM_SRCS)

PROGS += pavise-vmm
pavise-vmm_SRCS := $(VMM_SRCS) $(COMMON_SRCS) common/seal.c
pavise-vmm_LINK := $(STATIC)
$(O)/obj/vmm/run.o: $(O)/gen/seccomp/vmm_main.h $(O)/gen/seccomp/vmm_vcpu.h
