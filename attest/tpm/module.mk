# TPM structures and event logs: what tests them beside attest/module.mk.
$(eval $(call attest_test,test_tpm_input,tests/unit/fake_tpm.c tests/unit/fake_ca.c))
$(eval $(call attest_fuzzer,fuzz_quote))
