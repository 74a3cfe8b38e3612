# pavise-tdx-sim: TDX module, quoting enclave and quote generation service of the platform model.
TDX_SIM_MODULE_SRCS := model/tdx_sim/module.c model/tdx_sim/measure.c model/tdx_sim/report.c \
                       model/tdx_sim/quote.c model/tdx_sim/qgs.c model/tdx_sim/ecdsa.c
TDX_SIM_SRCS := $(TDX_SIM_MODULE_SRCS) model/tdx_sim/chain.c model/tdx_sim/sgx_extension.c \
                model/tdx_sim/collateral.c model/tdx_sim/state.c model/tdx_sim/serve.c \
                model/certificate.c model/state_folder.c common/err.c common/bytes.c common/file.c \
                common/record.c

PROGS += pavise-tdx-sim
pavise-tdx-sim_SRCS := model/tdx_sim/main.c model/sim_program.c common/err_report.c $(TDX_SIM_SRCS) common/args.c \
                       common/seal.c
# Static libcrypto names resolvers and dlopen, which nothing here calls; the linker would warn.
pavise-tdx-sim_LIBS := -lcrypto -Wl,--no-warnings
pavise-tdx-sim_LINK := $(STATIC)

# What these judge with is the library: that both sides agree is the test.
TDX_BENCH_SRCS := tests/model/tdx_bench.c $(TDX_SIM_SRCS)
define tdx_sim_test
TESTS += $(1)
$(1)_SRCS := tests/model/$(1).c $(TDX_BENCH_SRCS) $(2)
$(1)_LIBS := -lcmocka $(ATTEST_LIB_LIBS)
endef
$(eval $(call tdx_sim_test,test_tdx_sim,attest/quote/qgs.c))
$(eval $(call tdx_sim_test,test_tdx_sim_quote))
$(eval $(call tdx_sim_test,test_tdx_sim_process))
$(eval $(call tdx_sim_test,test_tdx_evidence,tests/model/td_world.c tests/unit/fake_files.c))
ATTEST_TESTS += test_tdx_sim_quote test_tdx_evidence

FUZZERS += fuzz_tdx_sim_wire
fuzz_tdx_sim_wire_SRCS := tests/fuzz/fuzz_tdx_sim_wire.c $(TDX_SIM_MODULE_SRCS) common/err.c \
                          common/bytes.c
fuzz_tdx_sim_wire_LIBS := -lcrypto
