# pavise-agent-sim: the agent, with the platform model's ports instead of the kernel's driver.
PROGS += pavise-agent-sim
# AGENT_MAIN_SRCS, AGENT_LIBS: attest/agent/module.mk
pavise-agent-sim_SRCS = model/agent/ports.c model/agent/tee_sim.c $(AGENT_MAIN_SRCS)
pavise-agent-sim_LIBS = $(AGENT_LIBS) -ltss2-tcti-device

TESTS += test_agent_tee
test_agent_tee_SRCS := tests/unit/test_agent_tee.c attest/agent/tee_tsm.c attest/agent/tee.c \
                       model/agent/tee_sim.c common/err.c common/bytes.c
test_agent_tee_LIBS := -lcmocka
