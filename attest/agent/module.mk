AGENT_SRCS := attest/agent/evidence.c attest/agent/tpm.c attest/agent/wire.c attest/agent/tee.c
AGENT_LIBS := -ltss2-esys -ltss2-mu $(JANSSON_LIBS) $(CRYPTO_LIBS)

# All but where a report comes from: the one thing that pavise-agent-sim has otherwise.
AGENT_MAIN_SRCS := attest/agent/main.c common/err_report.c \
                   attest/agent/data_key.c attest/key/hpke.c attest/key/wrapped_key.c \
                   $(AGENT_SRCS) attest/binding.c common/err.c \
                   common/bytes.c common/args.c

PROGS += pavise-agent
pavise-agent_SRCS := attest/agent/tee_tsm.c $(AGENT_MAIN_SRCS)
pavise-agent_LIBS := $(AGENT_LIBS) -ltss2-tcti-device

TESTS += test_wire
test_wire_SRCS := tests/unit/test_wire.c attest/agent/wire.c common/bytes.c common/err.c
test_wire_LIBS := -lcmocka

FUZZERS += fuzz_wire
fuzz_wire_SRCS := tests/fuzz/fuzz_wire.c attest/agent/wire.c common/bytes.c common/err.c
