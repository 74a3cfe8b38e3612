# libpavise-attest: everything of attest/ that judges and predicts, from bytes in memory. It opens
# no file, prints nothing and has no state. Read before the modules, which append their sources:
#   ATTEST_LIB_SRCS += attest/X/a.c
#   $(eval $(call attest_test,test_X,OTHER_SRCS))    tests/unit/test_X.c, with the library
#   $(eval $(call attest_fuzzer,fuzz_X,OTHER_SRCS))  tests/fuzz/fuzz_X.c, likewise
ATTEST_LIB_SRCS :=
ATTEST_TESTS :=
ATTEST_LIB := $(O)/lib/libpavise-attest.a
ATTEST_LIB_LIBS := $(ATTEST_LIB) $(JANSSON_LIBS) $(CRYPTO_LIBS)

# The same for fuzzers, with their instrumentation.
ATTEST_FUZZ_LIB := $(O)/fuzz/libpavise-attest.a

define attest_test
TESTS += $(1)
$(1)_SRCS := tests/unit/$(1).c $(2)
$(1)_LIBS := -lcmocka $(ATTEST_LIB_LIBS)
ATTEST_TESTS += $(1)
endef

define attest_fuzzer
FUZZERS += $(1)
$(1)_SRCS := tests/fuzz/$(1).c $(2)
$(1)_LIBS := $(ATTEST_FUZZ_LIB) $(JANSSON_LIBS) $(CRYPTO_LIBS)
endef
