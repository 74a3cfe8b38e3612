VMM_PLATFORM_SRCS := vmm/platform/uart.c vmm/platform/ioapic.c vmm/platform/power.c \
                     vmm/platform/tpm_crb.c
VMM_PRIVATE_SRCS := vmm/tee/launch.c vmm/tee/private_exits.c vmm/tee/private_memory.c
VMM_SNP_SRCS := vmm/tee/snp.c vmm/tee/snp_certs.c vmm/tee/snp_cpuid.c vmm/tee/snp_errors.c vmm/tee/snp_exits.c \
                vmm/tee/snp_launch.c
VMM_TDX_SRCS := vmm/tee/tdx.c vmm/tee/tdx_cpuid.c vmm/tee/tdx_errors.c vmm/tee/tdx_exits.c \
                vmm/tee/tdx_launch.c vmm/tee/tdx_quote.c
VMM_SRCS := vmm/main.c vmm/config.c vmm/machine.c vmm/run.c vmm/vm.c vmm/vcpu.c vmm/memory.c \
            vmm/exit.c vmm/kvm/kvm.c vmm/kvm/private.c vmm/kvm/sev.c vmm/kvm/tdx.c \
            vmm/tee/tee.c vmm/tee/plain.c \
            vmm/bus/dispatch.c $(VMM_PRIVATE_SRCS) $(VMM_SNP_SRCS) $(VMM_TDX_SRCS) \
            vmm/filters.c $(VMM_PLATFORM_SRCS)

PROGS += pavise-vmm
pavise-vmm_SRCS := $(VMM_SRCS) $(COMMON_SRCS) common/boot_block.c common/seal.c
pavise-vmm_LINK := $(STATIC)

TESTS += test_vmm_dispatch test_vmm_platform test_vmm_tpm_crb test_vmm_memory
test_vmm_dispatch_SRCS := tests/unit/test_vmm_dispatch.c vmm/bus/dispatch.c common/err.c
test_vmm_dispatch_LIBS := -lcmocka
test_vmm_platform_SRCS := tests/unit/test_vmm_platform.c vmm/platform/uart.c \
                          vmm/platform/ioapic.c vmm/platform/power.c
test_vmm_platform_LIBS := -lcmocka
test_vmm_tpm_crb_SRCS := tests/unit/test_vmm_tpm_crb.c vmm/platform/tpm_crb.c common/bytes.c \
                         common/err.c
test_vmm_tpm_crb_LIBS := -lcmocka
test_vmm_memory_SRCS := tests/unit/test_vmm_memory.c vmm/memory.c common/err.c
test_vmm_memory_LIBS := -lcmocka

SNP_TEST_SRCS := tests/unit/snp_vm.c tests/unit/fake_sev.c $(VMM_PRIVATE_SRCS) $(VMM_SNP_SRCS) \
                 vmm/vm.c vmm/memory.c $(COMMON_SRCS)
CHECKED_MUTEX := $(addprefix -Wl$(comma)--wrap=pthread_mutex_,init lock unlock)
TESTS += test_snp_launch test_snp_id_block test_snp_exits test_snp_cpuid test_snp_certs test_snp_errors
test_snp_launch_SRCS := tests/unit/test_snp_launch.c $(SNP_TEST_SRCS)
test_snp_launch_LIBS := -lcmocka
test_snp_id_block_SRCS := tests/unit/test_snp_id_block.c $(SNP_TEST_SRCS)
test_snp_id_block_LIBS := -lcmocka -Wl,--wrap=pread
test_snp_exits_SRCS := tests/unit/test_snp_exits.c tests/unit/checked_mutex.c $(SNP_TEST_SRCS)
test_snp_exits_LIBS := -lcmocka $(CHECKED_MUTEX)
TESTS += test_private_memory
test_private_memory_SRCS := tests/unit/test_private_memory.c tests/unit/checked_mutex.c $(SNP_TEST_SRCS)
test_private_memory_LIBS := -lcmocka $(CHECKED_MUTEX) -Wl,--wrap=calloc
test_snp_certs_SRCS := tests/unit/test_snp_certs.c $(SNP_TEST_SRCS)
test_snp_certs_LIBS := -lcmocka
test_snp_errors_SRCS := tests/unit/test_snp_errors.c vmm/tee/snp_errors.c common/snp_term.c \
                        common/err.c
test_snp_errors_LIBS := -lcmocka
test_snp_cpuid_SRCS := tests/unit/test_snp_cpuid.c vmm/tee/snp_cpuid.c common/err.c
test_snp_cpuid_LIBS := -lcmocka

FUZZERS += fuzz_vmm_platform
fuzz_vmm_platform_SRCS := tests/fuzz/fuzz_vmm_platform.c $(VMM_PLATFORM_SRCS) vmm/bus/dispatch.c \
                          common/err.c common/bytes.c

FUZZERS += fuzz_snp_exits
fuzz_snp_exits_SRCS := tests/fuzz/fuzz_snp_exits.c $(SNP_TEST_SRCS)
fuzz_snp_exits_LIBS := -lpthread

TDX_TEST_SRCS := tests/unit/tdx_vm.c tests/unit/fake_tdx_kvm.c tests/unit/fake_sev.c vmm/tee/tee.c \
                 $(VMM_PRIVATE_SRCS) $(VMM_TDX_SRCS) vmm/vm.c vmm/vcpu.c vmm/memory.c \
                 vmm/bus/dispatch.c vmm/bus/pci.c vmm/bus/pci_config.c vmm/bus/routes.c $(COMMON_SRCS)
TESTS += test_tdx_vmm_launch test_tdx_vmm_retry test_tdx_vmm_cpuid test_tdx_vmm_exits test_tdx_vmm_quote test_tdx_vmm_errors
test_tdx_vmm_launch_SRCS := tests/unit/test_tdx_vmm_launch.c $(TDX_TEST_SRCS)
test_tdx_vmm_launch_LIBS := -lcmocka
test_tdx_vmm_retry_SRCS := tests/unit/test_tdx_vmm_retry.c $(TDX_TEST_SRCS)
test_tdx_vmm_retry_LIBS := -lcmocka -Wl,--wrap=ppoll
test_tdx_vmm_cpuid_SRCS := tests/unit/test_tdx_vmm_cpuid.c $(TDX_TEST_SRCS)
test_tdx_vmm_cpuid_LIBS := -lcmocka
test_tdx_vmm_exits_SRCS := tests/unit/test_tdx_vmm_exits.c tests/unit/checked_mutex.c $(TDX_TEST_SRCS)
test_tdx_vmm_exits_LIBS := -lcmocka $(CHECKED_MUTEX)
test_tdx_vmm_quote_SRCS := tests/unit/test_tdx_vmm_quote.c tests/unit/checked_mutex.c $(TDX_TEST_SRCS)
test_tdx_vmm_quote_LIBS := -lcmocka $(CHECKED_MUTEX) -Wl,--wrap=recv
test_tdx_vmm_errors_SRCS := tests/unit/test_tdx_vmm_errors.c vmm/tee/tdx_errors.c common/err.c
test_tdx_vmm_errors_LIBS := -lcmocka

FUZZERS += fuzz_tdx_exits
fuzz_tdx_exits_SRCS := tests/fuzz/fuzz_tdx_exits.c $(TDX_TEST_SRCS)
fuzz_tdx_exits_LIBS := -lpthread
