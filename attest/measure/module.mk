# What other VMMs measure (QEMU's OVMF, TDVF); lists that ../module.mk and the tests name.
MEASURE_OVMF_SRCS := attest/measure/ovmf/table.c attest/measure/ovmf/image.c \
                     attest/measure/ovmf/cpu_type.c attest/measure/ovmf/launch.c \
                     attest/measure/ovmf/search.c attest/measure/snp/contents.c
MEASURE_TDX_SRCS := attest/measure/tdx/tdvf.c attest/measure/tdx/mrtd.c

# Signed bundles of reference values: the verifier's side, a library.
REFERENCES_SRCS := attest/measure/references.c attest/measure/references_value.c
ATTEST_LIB_SRCS += $(REFERENCES_SRCS)

# Commands of pavise-measure beside those for pavise's own machines.
MEASURE_COMMAND_SRCS := attest/measure/ovmf/command.c attest/measure/ovmf/report.c \
                        attest/measure/tdx/command.c attest/measure/bundle.c \
                        attest/measure/bundle_items.c attest/measure/bundle_sign.c \
                        $(MEASURE_OVMF_SRCS) $(MEASURE_TDX_SRCS) $(REFERENCES_SRCS) \
                        attest/x509/when.c common/json.c common/args.c

UNIT_SCRIPTS += tests/unit/measure_qemu.py tests/unit/measure_tdx.py tests/unit/measure_bundle.py

# Seeds: tests/fuzz/make_uefi_corpus.py tests/fuzz/corpus
FUZZERS += fuzz_ovmf
fuzz_ovmf_SRCS := tests/fuzz/fuzz_ovmf.c $(MEASURE_OVMF_SRCS) attest/measure/snp/digest.c \
                  attest/measure/snp/vmsa.c common/err.c common/bytes.c
fuzz_ovmf_LIBS := -lcrypto
FUZZERS += fuzz_tdvf
fuzz_tdvf_SRCS := tests/fuzz/fuzz_tdvf.c $(MEASURE_TDX_SRCS) attest/measure/ovmf/table.c \
                  common/err.c common/bytes.c
fuzz_tdvf_LIBS := -lcrypto

TOOLS += bench-measure
bench-measure_SRCS := tests/bench/bench_measure.c $(MEASURE_OVMF_SRCS) attest/measure/snp/digest.c \
                      attest/measure/snp/vmsa.c common/err.c common/bytes.c
bench-measure_LIBS := -lcrypto

TESTS += test_measure_references
test_measure_references_SRCS := tests/unit/test_measure_references.c \
                                attest/measure/bundle_sign.c $(REFERENCES_SRCS) \
                                attest/x509/when.c common/err.c common/bytes.c common/file.c \
                                common/json.c
test_measure_references_LIBS := -lcmocka -ljansson -lcrypto

# Seeds: a bundle (pavise measure bundle create), and the text in it (bundle show --json).
FUZZERS += fuzz_references
fuzz_references_SRCS := tests/fuzz/fuzz_references.c $(REFERENCES_SRCS) attest/x509/when.c \
                        common/err.c common/bytes.c common/json.c
fuzz_references_LIBS := -ljansson -lcrypto
