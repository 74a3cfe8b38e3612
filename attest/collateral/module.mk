# Collateral: what vendors publish about their platforms, and `pavise collateral`.
COLLATERAL_MAIN_SRCS := attest/collateral/main.c common/err_report.c attest/collateral/files.c \
                        attest/collateral/report.c
ATTEST_LIB_SRCS += $(filter-out $(COLLATERAL_MAIN_SRCS),$(wildcard attest/collateral/*.c))

PROGS += pavise-collateral
pavise-collateral_SRCS := $(COLLATERAL_MAIN_SRCS) common/file.c
pavise-collateral_LIBS := $(ATTEST_LIB_LIBS)

FAKE_COLLATERAL_SRCS := tests/unit/fake_collateral.c tests/unit/fake_tcb.c model/tdx_sim/ecdsa.c \
                        tests/unit/fake_x509.c
$(eval $(call attest_test,test_collateral,$(FAKE_COLLATERAL_SRCS) \
	tests/unit/fake_snp.c tests/unit/vectors.c common/file.c))
$(eval $(call attest_fuzzer,fuzz_collateral))
UNIT_SCRIPTS += tests/unit/collateral.py

# A simulated vendor's files and keys of a moment, for tests/unit/collateral.py and as seeds.
TOOLS += collateral_files
collateral_files_SRCS := tests/tools/collateral_files.c $(FAKE_COLLATERAL_SRCS) common/file.c
collateral_files_LIBS := $(ATTEST_LIB_LIBS)
