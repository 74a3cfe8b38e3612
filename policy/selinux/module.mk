# The policy is a source file that the host's tools compile against its own base policy:
#   make policy       compiles it against Debian's, in a copy of a policy store, with the
#                     neverallow rules checked (POLICY_STORE=DIR: a root that holds one)
POLICY_CIL := policy/selinux/pavise.cil policy/selinux/pavise-sim.cil \
              policy/selinux/pavise-attestd.cil
POLICY_STORE ?=

policy: $(O)/policy/pavise.built
$(O)/policy/pavise.built: $(POLICY_CIL) policy/selinux/build.sh
	@mkdir -p $(@D)
	@echo "  CIL   $(POLICY_CIL)"
	$(Q)policy/selinux/build.sh $(O)/policy/store "$(POLICY_STORE)" $(POLICY_CIL)
	$(Q)touch $@
.PHONY: policy

LAB_SCRIPTS += tests/policy/test_policy_build.sh tests/policy/test_policy_audit.sh
