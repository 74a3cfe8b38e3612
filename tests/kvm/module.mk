# Tests that run tiny guests on /dev/kvm. A further one lists $(KVM_HARNESS_SRCS).
KVM_HARNESS_SRCS := tests/kvm/harness.c tests/kvm/tap.c $(COMMON_SRCS)

TOOLS += kvm_vmm
kvm_vmm_SRCS := tests/kvm/test_vmm.c $(KVM_HARNESS_SRCS)
KVM_SCRIPTS += $(O)/tests/kvm_vmm tests/kvm/filters.py
