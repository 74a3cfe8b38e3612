# TPM structures and event logs: what tests them beside attest/module.mk.
$(eval $(call attest_test,test_tpm_input,tests/unit/fake_tpm.c tests/unit/fake_ca.c))
$(eval $(call attest_fuzzer,fuzz_quote))
TPM_WORLD_SRCS := tests/unit/tpm_world.c tests/unit/fake_tpm.c tests/unit/fake_ca.c
$(eval $(call attest_test,test_verify_tpm,$(TPM_WORLD_SRCS)))
$(eval $(call attest_test,test_verify_log,$(TPM_WORLD_SRCS)))
$(eval $(call attest_test,test_tpm_vectors,$(VECTOR_SRCS)))
UNIT_SCRIPTS += tests/unit/verify_tpm.py
$(eval $(call attest_test,test_policy_tpm))
