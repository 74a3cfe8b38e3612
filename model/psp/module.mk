# pavise-psp-sim: the secure processor of the platform model.
PSP_MACHINE_SRCS := model/psp/machine.c model/psp/cpuid_rules.c model/psp/digest.c \
                    model/psp/identity.c model/psp/report.c
PSP_SRCS := $(PSP_MACHINE_SRCS) model/psp/chain.c model/certificate.c model/psp/state.c model/state_folder.c model/psp/serve.c \
            common/err.c common/bytes.c common/file.c common/record.c

PROGS += pavise-psp-sim
pavise-psp-sim_SRCS := model/psp/main.c model/sim_program.c common/err_report.c $(PSP_SRCS) common/args.c common/seal.c
# Static libcrypto names resolvers and dlopen, which nothing here calls; the linker would warn.
pavise-psp-sim_LIBS := -lcrypto -Wl,--no-warnings
pavise-psp-sim_LINK := $(STATIC)

TESTS += test_psp test_psp_chain test_psp_cpuid test_psp_process
test_psp_process_SRCS := tests/model/test_psp_process.c tests/model/psp_bench.c model/psp_client.c \
                         $(PSP_SRCS)
test_psp_process_LIBS := -lcmocka -lcrypto
test_psp_SRCS := tests/model/test_psp.c tests/model/psp_bench.c model/psp_client.c $(PSP_SRCS)
test_psp_LIBS := -lcmocka -lcrypto
test_psp_cpuid_SRCS := tests/model/test_psp_cpuid.c model/psp/cpuid_rules.c
test_psp_cpuid_LIBS := -lcmocka
test_psp_chain_SRCS := tests/model/test_psp_chain.c tests/model/id_auth.c tests/model/psp_bench.c \
                       $(PSP_SRCS)
test_psp_chain_LIBS := -lcmocka -lcrypto

FUZZERS += fuzz_psp_wire
fuzz_psp_wire_SRCS := tests/fuzz/fuzz_psp_wire.c $(PSP_MACHINE_SRCS) common/err.c common/bytes.c
fuzz_psp_wire_LIBS := -lcrypto
