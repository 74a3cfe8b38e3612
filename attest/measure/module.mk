# What pavise-measure has beside its main file and what pavise's own machines print: it reads files
# and prints, so it is not in the library. ../module.mk takes everything else of this folder there.
MEASURE_COMMAND_SRCS := attest/measure/ovmf/command.c attest/measure/ovmf/report.c \
                        attest/measure/tdx/tdvf_command.c attest/measure/bundle.c \
                        attest/measure/bundle_items.c attest/measure/bundle_sign.c

$(eval $(call attest_test,test_measure_tdx,tests/unit/fake_files.c firmware/hashpage.c))
$(eval $(call attest_test,test_measure_references,attest/measure/bundle_sign.c common/file.c))

UNIT_SCRIPTS += tests/unit/measure_qemu.py tests/unit/measure_tdx.py tests/unit/measure_tdvf.py \
                tests/unit/measure_bundle.py \
                tests/unit/verify_references.py

# Parsers of firmware: small enough to be fuzzed without the rest of the library.
OVMF_SRCS := $(filter-out $(MEASURE_COMMAND_SRCS),$(wildcard attest/measure/ovmf/*.c)) \
             attest/measure/snp/digest.c attest/measure/snp/contents.c attest/measure/snp/vmsa.c \
             common/err.c common/bytes.c

# Seeds: tests/fuzz/make_uefi_corpus.py tests/fuzz/corpus
FUZZERS += fuzz_ovmf
fuzz_ovmf_SRCS := tests/fuzz/fuzz_ovmf.c $(OVMF_SRCS)
fuzz_ovmf_LIBS := -lcrypto
FUZZERS += fuzz_tdvf
fuzz_tdvf_SRCS := tests/fuzz/fuzz_tdvf.c attest/measure/tdx/tdvf.c attest/measure/tdx/mrtd.c \
                  attest/measure/tdx/tdvf_launch.c \
                  attest/measure/ovmf/table.c common/err.c common/bytes.c
fuzz_tdvf_LIBS := -lcrypto
# Seeds: a bundle (pavise measure bundle create), and the text in it (bundle show --json).
FUZZERS += fuzz_references
fuzz_references_SRCS := tests/fuzz/fuzz_references.c attest/measure/references.c \
                        attest/measure/references_value.c attest/x509/when.c common/err.c \
                        common/bytes.c common/json.c common/rfc3339.c
fuzz_references_LIBS := -ljansson -lcrypto

TOOLS += bench-measure
bench-measure_SRCS := tests/bench/bench_measure.c $(OVMF_SRCS)
bench-measure_LIBS := -lcrypto
