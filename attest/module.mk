# Attestation: what a machine will measure, and what its evidence proves. The programs here need
# no root, no KVM and no SELinux library.
BINDING_SRCS := attest/binding.c

TPM_SRCS := attest/tpm/eventlog.c attest/tpm/quote.c attest/tpm/ak.c

ATTEST_COMMON_SRCS := common/err.c common/bytes.c common/file.c common/plan.c \
                      common/boot_block.c
FIRMWARE_SHARED_SRCS := firmware/acpi.c firmware/events.c firmware/staging.c

MEASURE_SRCS := attest/measure/image.c attest/measure/hash_page.c attest/measure/plain.c \
                attest/measure/expect.c attest/measure/size.c attest/tpm/alg.c \
                $(FIRMWARE_SHARED_SRCS)

PROGS += pavise-measure
pavise-measure_SRCS := attest/measure/main.c attest/measure/report.c $(MEASURE_SRCS) \
                       $(ATTEST_COMMON_SRCS)
pavise-measure_LIBS := -ljansson -lcrypto
pavise-measure_LINK := $(DYNAMIC)

APPRAISE_SRCS := attest/appraise/evidence.c attest/appraise/policy.c \
                 attest/appraise/json_pcrs.c attest/appraise/checks.c \
                 attest/appraise/appraise.c attest/appraise/check_quote.c \
                 attest/appraise/check_log.c attest/appraise/check_reference.c \
                 $(TPM_SRCS) $(BINDING_SRCS)

PROGS += pavise-verify
pavise-verify_SRCS := attest/appraise/main.c attest/appraise/report.c $(APPRAISE_SRCS) \
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
