# Attestation: what a machine will measure, and what its evidence proves. The programs here need
# no root, no KVM and no SELinux library.
BINDING_SRCS := attest/binding.c

TPM_SRCS := attest/tpm/eventlog.c attest/tpm/replay.c attest/tpm/event_types.c \
            attest/tpm/event_meaning.c attest/tpm/event_match.c attest/tpm/quote.c attest/tpm/ak.c

ATTEST_COMMON_SRCS := common/err.c common/bytes.c common/file.c common/plan.c \
                      common/start_state.c common/boot_block.c
FIRMWARE_SHARED_SRCS := firmware/acpi.c firmware/events.c firmware/staging.c

MEASURE_SNP_SRCS := attest/measure/snp/digest.c attest/measure/snp/vmsa.c \
                    attest/measure/snp/plan.c attest/measure/snp/measure.c
MEASURE_SRCS := attest/measure/image.c attest/measure/sites.c attest/measure/hash_page.c \
                attest/measure/parts.c attest/measure/plain.c $(MEASURE_SNP_SRCS) \
                attest/measure/expect.c attest/measure/size.c attest/tpm/alg.c \
                $(FIRMWARE_SHARED_SRCS)

PROGS += pavise-measure
pavise-measure_SRCS := attest/measure/main.c attest/measure/options.c \
                       attest/measure/report.c attest/measure/snp/report.c $(MEASURE_SRCS) \
                       $(ATTEST_COMMON_SRCS)
pavise-measure_LIBS := -ljansson -lcrypto
pavise-measure_LINK := $(DYNAMIC)

SNP_SRCS := attest/snp/report.c attest/snp/tcb.c attest/snp/cert_table.c attest/snp/cert.c \
            attest/snp/vek.c attest/snp/roots.c

POLICY_SRCS := attest/appraise/policy.c attest/appraise/policy_snp.c \
               attest/appraise/json_pcrs.c attest/snp/tcb.c

APPRAISE_SRCS := attest/appraise/evidence.c attest/appraise/checks.c $(POLICY_SRCS) \
                 attest/appraise/appraise.c attest/appraise/check_quote.c \
                 attest/appraise/check_log.c attest/appraise/check_reference.c \
                 attest/appraise/check_snp.c attest/appraise/check_snp_chain.c \
                 attest/appraise/check_snp_claims.c $(filter-out $(POLICY_SRCS),$(SNP_SRCS)) \
                 $(TPM_SRCS) $(BINDING_SRCS)

PROGS += pavise-verify
pavise-verify_SRCS := attest/appraise/main.c attest/appraise/options.c \
                      attest/appraise/inputs.c attest/appraise/report.c $(APPRAISE_SRCS) \
                      $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS) common/json.c
pavise-verify_LIBS := -ljansson -lcrypto
pavise-verify_LINK := $(DYNAMIC)

TESTS += test_binding
test_binding_SRCS := tests/unit/test_binding.c $(BINDING_SRCS) common/err.c common/bytes.c
test_binding_LIBS := -lcmocka -lcrypto

FAKE_SRCS := tests/unit/fake_files.c tests/unit/fake_tpm.c tests/unit/fake_evidence.c

TESTS += test_verify
test_verify_SRCS := tests/unit/test_verify.c $(FAKE_SRCS) $(APPRAISE_SRCS) $(MEASURE_SRCS) \
                    $(ATTEST_COMMON_SRCS) common/json.c
test_verify_LIBS := -lcmocka -ljansson -lcrypto

# The checks of a report need the policy's form, not its text.
SNP_CHECK_SRCS := attest/appraise/check_snp.c attest/appraise/check_snp_chain.c \
                  attest/appraise/check_snp_claims.c attest/appraise/checks.c $(SNP_SRCS) \
                  common/err.c common/bytes.c

SNP_JUDGE_SRCS := tests/unit/snp_judge.c tests/unit/fake_snp.c

TESTS += test_snp_chain test_snp_report test_snp_vectors
test_snp_chain_SRCS := tests/unit/test_snp_chain.c $(SNP_JUDGE_SRCS) $(SNP_CHECK_SRCS)
test_snp_chain_LIBS := -lcmocka -lcrypto
test_snp_report_SRCS := tests/unit/test_snp_report.c $(SNP_JUDGE_SRCS) $(SNP_CHECK_SRCS)
test_snp_report_LIBS := -lcmocka -lcrypto
test_snp_vectors_SRCS := tests/unit/test_snp_vectors.c tests/unit/vectors.c $(SNP_CHECK_SRCS) \
                         common/file.c common/json.c
test_snp_vectors_LIBS := -lcmocka -ljansson -lcrypto

FAKE_SNP_SRCS := tests/unit/fake_snp_world.c tests/unit/fake_snp.c $(FAKE_SRCS)

TESTS += test_verify_snp
test_verify_snp_SRCS := tests/unit/test_verify_snp.c $(FAKE_SNP_SRCS) $(APPRAISE_SRCS) \
                        $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS) common/json.c
test_verify_snp_LIBS := -lcmocka -ljansson -lcrypto

TESTS += test_eventlog
test_eventlog_SRCS := tests/unit/test_eventlog.c tests/unit/vectors.c $(FAKE_SRCS) \
                      $(APPRAISE_SRCS) $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS) common/json.c
test_eventlog_LIBS := -lcmocka -ljansson -lcrypto

TESTS += test_quote
test_quote_SRCS := tests/unit/test_quote.c tests/unit/vectors.c tests/unit/fake_tpm.c \
                   $(TPM_SRCS) attest/tpm/alg.c common/err.c common/bytes.c common/file.c \
                   common/json.c
test_quote_LIBS := -lcmocka -ljansson -lcrypto

UNIT_SCRIPTS += tests/unit/measure.py tests/unit/measure_snp.py tests/unit/verify.py \
                tests/unit/verify_snp.py

# Harnesses of everything that reads a file from outside.
FUZZERS += fuzz_evidence
fuzz_evidence_SRCS := tests/fuzz/fuzz_evidence.c $(FAKE_SRCS) $(APPRAISE_SRCS) $(MEASURE_SRCS) \
                      $(ATTEST_COMMON_SRCS) common/json.c
fuzz_evidence_LIBS := -ljansson -lcrypto
FUZZERS += fuzz_snp_report
fuzz_snp_report_SRCS := tests/fuzz/fuzz_snp_report.c $(SNP_CHECK_SRCS)
fuzz_snp_report_LIBS := -lcrypto
FUZZERS += fuzz_cert_table
fuzz_cert_table_SRCS := tests/fuzz/fuzz_cert_table.c $(SNP_SRCS) common/err.c common/bytes.c
fuzz_cert_table_LIBS := -lcrypto
FUZZERS += fuzz_eventlog
fuzz_eventlog_SRCS := tests/fuzz/fuzz_eventlog.c attest/tpm/eventlog.c attest/tpm/replay.c \
                      attest/tpm/event_types.c attest/tpm/event_meaning.c \
                      attest/tpm/event_match.c attest/tpm/alg.c common/err.c common/bytes.c
fuzz_eventlog_LIBS := -lcrypto
FUZZERS += fuzz_policy
fuzz_policy_SRCS := tests/fuzz/fuzz_policy.c $(POLICY_SRCS) $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS) \
                    common/json.c
fuzz_policy_LIBS := -ljansson -lcrypto
FUZZERS += fuzz_plan
fuzz_plan_SRCS := tests/fuzz/fuzz_plan.c $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS)
fuzz_plan_LIBS := -lcrypto

# Makes the committed seeds anew: build/tests/make_attest_corpus tests/fuzz/corpus
TOOLS += make_attest_corpus
make_attest_corpus_SRCS := tests/fuzz/make_attest_corpus.c $(FAKE_SRCS) $(APPRAISE_SRCS) \
                           $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS) common/json.c
make_attest_corpus_LIBS := -ljansson -lcrypto

TESTS += test_measure
test_measure_SRCS := tests/unit/test_measure.c tests/unit/fake_files.c firmware/bzimage.c \
                     firmware/bootblock.c firmware/hashpage.c $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS)
test_measure_LIBS := -lcmocka -lcrypto

TESTS += test_measure_snp
test_measure_snp_SRCS := tests/unit/test_measure_snp.c tests/unit/fake_files.c \
                         firmware/hashpage.c $(MEASURE_SRCS) $(ATTEST_COMMON_SRCS)
test_measure_snp_LIBS := -lcmocka -lcrypto

# Files of an SEV-SNP guest with a private root, for tests/unit/verify_snp.py; report.bin with
# table.bin behind it, table.bin and vek.der are the seeds of fuzz_snp_report and fuzz_cert_table.
TOOLS += snp_files
snp_files_SRCS := tests/tools/snp_files.c $(FAKE_SNP_SRCS) $(APPRAISE_SRCS) $(MEASURE_SRCS) \
                  $(ATTEST_COMMON_SRCS) common/json.c
snp_files_LIBS := -ljansson -lcrypto

# The agent's own code on a software TPM: its evidence must be affirmed (tests/unit/verify.py).
TOOLS += agent_once
agent_once_SRCS := tests/tools/agent_once.c $(AGENT_SRCS) $(BINDING_SRCS) common/err.c \
                   common/bytes.c common/file.c
agent_once_LIBS := $(AGENT_LIBS) -ltss2-tcti-swtpm
