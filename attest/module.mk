# Attestation: what a machine will measure, and what its evidence proves. The programs here need
# no root, no KVM and no SELinux library.

BINDING_SRCS := attest/binding.c

MEASURE_SRCS := $(wildcard attest/measure/*.c attest/measure/*/*.c)
MEASURE_MAIN_SRCS := attest/measure/main.c common/err_report.c \
                     attest/measure/options.c attest/measure/report.c \
                     attest/measure/snp/report.c attest/measure/tdx/report.c \
                     $(MEASURE_COMMAND_SRCS)
FIRMWARE_SHARED_SRCS := firmware/acpi.c firmware/events.c firmware/staging.c \
                        firmware/kernel.c firmware/bzimage.c firmware/elfkernel.c common/stop_text.c
MEASURE_SRCS := $(filter-out $(MEASURE_MAIN_SRCS),$(MEASURE_SRCS)) attest/tpm/alg.c \
                $(FIRMWARE_SHARED_SRCS)

VERIFY_MAIN_SRCS := attest/appraise/main.c common/err_report.c \
                    attest/appraise/options.c attest/appraise/inputs.c \
                    attest/appraise/report.c

POLICY_MAIN_SRCS := attest/appraise/policy_main.c common/err_report.c

ATTEST_COMMON_SRCS := common/err.c common/bytes.c common/file.c common/plan.c \
                      common/start_state.c common/boot_block.c

CFLAGS_attest_library := -DPAVISE_VERSION='"$(VERSION)"'
ATTEST_LIB_SRCS += attest/library.c $(BINDING_SRCS) $(MEASURE_SRCS) \
                   $(filter-out $(VERIFY_MAIN_SRCS) $(POLICY_MAIN_SRCS),$(wildcard attest/appraise/*.c)) \
                   $(filter-out attest/tpm/alg.c,$(wildcard attest/tpm/*.c)) \
                   $(wildcard attest/snp/*.c) \
                   common/err.c common/bytes.c common/plan.c common/start_state.c \
                   common/boot_block.c common/json.c common/rfc3339.c

PROGS += pavise-measure
pavise-measure_SRCS := $(MEASURE_MAIN_SRCS) common/args.c common/file.c
pavise-measure_LIBS := $(ATTEST_LIB_LIBS)

PROGS += pavise-verify
pavise-verify_SRCS := $(VERIFY_MAIN_SRCS) common/args.c common/file.c
pavise-verify_LIBS := $(ATTEST_LIB_LIBS)

PROGS += pavise-policy
pavise-policy_SRCS := $(POLICY_MAIN_SRCS) common/file.c
pavise-policy_LIBS := $(ATTEST_LIB_LIBS)

# What the documents say of a policy's keys (make policy-docs).
TOOLS += policy_docs
policy_docs_SRCS := tests/tools/policy_docs.c
policy_docs_LIBS := $(ATTEST_LIB_LIBS)

# ---- tests: all link the archive --------------------------------------------------------------

FAKE_SRCS := tests/unit/fake_files.c tests/unit/fake_tpm.c tests/unit/fake_evidence.c
FAKE_SNP_SRCS := tests/unit/fake_snp_world.c tests/unit/fake_snp.c $(FAKE_SRCS)
SNP_JUDGE_SRCS := tests/unit/snp_judge.c tests/unit/fake_snp.c
SNP_VECTOR_SRCS := tests/unit/snp_vectors.c tests/unit/vectors.c common/file.c
VECTOR_SRCS := tests/unit/vectors.c common/file.c

$(eval $(call attest_test,test_binding))
$(eval $(call attest_test,test_policy_form))
$(eval $(call attest_test,test_policy_keys))
$(eval $(call attest_test,test_appraise,$(FAKE_SNP_SRCS)))
$(eval $(call attest_test,test_verify,$(FAKE_SRCS)))
$(eval $(call attest_test,test_verify_snp,$(FAKE_SNP_SRCS)))
$(eval $(call attest_test,test_verify_references,$(FAKE_SNP_SRCS) tests/unit/fake_tdx.c model/tdx_sim/ecdsa.c \
	attest/measure/bundle_sign.c common/file.c))
$(eval $(call attest_test,test_snp_chain,$(SNP_JUDGE_SRCS)))
$(eval $(call attest_test,test_snp_report,$(SNP_JUDGE_SRCS)))
$(eval $(call attest_test,test_snp_collateral,$(FAKE_SNP_SRCS) tests/unit/fake_x509.c))
$(eval $(call attest_test,test_snp_crl,$(SNP_JUDGE_SRCS) tests/unit/fake_x509.c))
$(eval $(call attest_test,test_snp_policy,$(SNP_JUDGE_SRCS)))
$(eval $(call attest_test,test_snp_vectors,$(SNP_VECTOR_SRCS)))
$(eval $(call attest_test,test_snp_negative,$(SNP_VECTOR_SRCS)))
$(eval $(call attest_test,test_warm,tests/unit/fake_tdx.c tests/unit/fake_tcb.c model/tdx_sim/ecdsa.c \
	tests/unit/fake_snp.c tests/unit/fake_x509.c $(SNP_VECTOR_SRCS)))
$(eval $(call attest_test,test_eventlog,$(FAKE_SRCS) $(VECTOR_SRCS)))
$(eval $(call attest_test,test_quote,tests/unit/fake_tpm.c $(VECTOR_SRCS)))
$(eval $(call attest_test,test_measure,tests/unit/fake_files.c \
	firmware/bootblock.c firmware/hashpage.c))
$(eval $(call attest_test,test_measure_snp,tests/unit/fake_files.c firmware/hashpage.c common/file.c))

UNIT_SCRIPTS += tests/unit/measure.py tests/unit/measure_snp.py tests/unit/verify.py \
                tests/unit/verify_snp.py tests/unit/policy.py tests/unit/library.py

# Harnesses of everything that reads a file from outside.
$(eval $(call attest_fuzzer,fuzz_evidence,$(FAKE_SRCS)))
$(eval $(call attest_fuzzer,fuzz_snp_report))
$(eval $(call attest_fuzzer,fuzz_cert_table))
$(eval $(call attest_fuzzer,fuzz_eventlog))
$(eval $(call attest_fuzzer,fuzz_policy))
$(eval $(call attest_fuzzer,fuzz_plan))

# Makes the committed seeds anew: build/tests/make_attest_corpus tests/fuzz/corpus
TOOLS += make_attest_corpus
make_attest_corpus_SRCS := tests/fuzz/make_attest_corpus.c common/err_report.c \
                           $(FAKE_SRCS) common/file.c
make_attest_corpus_LIBS := $(ATTEST_LIB_LIBS)

# Files of an SEV-SNP guest with a private root, for tests/unit/verify_snp.py; report.bin with
# table.bin behind it, table.bin and vek.der are the seeds of fuzz_snp_report and fuzz_cert_table.
TOOLS += snp_files
snp_files_SRCS := tests/tools/snp_files.c common/err_report.c \
                  $(FAKE_SNP_SRCS) tests/unit/fake_x509.c common/file.c
snp_files_LIBS := $(ATTEST_LIB_LIBS)

# The agent's own code on a software TPM: its evidence must be affirmed (tests/unit/verify.py).
TOOLS += agent_once
agent_once_SRCS := tests/tools/agent_once.c common/err_report.c \
                   $(AGENT_SRCS) $(BINDING_SRCS) common/err.c \
                   common/bytes.c common/file.c
agent_once_LIBS := $(AGENT_LIBS) -ltss2-tcti-swtpm

# Prints what verifying costs, as a ratio to the signatures it needs.
TOOLS += bench-verify
bench-verify_SRCS := tests/bench/bench_verify.c tests/unit/fake_snp.c tests/unit/fake_tdx.c \
                     tests/unit/fake_tcb.c model/tdx_sim/ecdsa.c
bench-verify_LIBS := $(ATTEST_LIB_LIBS)
