# The policy is a source file that the host's tools compile against its own base policy:
#   make policy       compiles it against Debian's, in a copy of a policy store, with the
#                     neverallow rules checked (POLICY_STORE=DIR: a root that holds one)
POLICY_CIL := policy/selinux/pavise.cil policy/selinux/pavise-sim.cil \
              policy/selinux/pavise-attestd.cil policy/selinux/pavise-audit.cil
POLICY_STORE ?=

policy: $(O)/policy/pavise.built
$(O)/policy/pavise.built: $(POLICY_CIL) policy/selinux/build.sh
	@mkdir -p $(@D)
	@echo "  CIL   $(POLICY_CIL)"
	$(Q)policy/selinux/build.sh $(O)/policy/store "$(POLICY_STORE)" $(POLICY_CIL)
	$(Q)touch $@
.PHONY: policy

#   make policy-install, make policy-uninstall   into this host's store (POLICY_STORE=DIR: that one's),
#                     with pavise-sim too when POLICY_MODULES names it
POLICY_MODULES ?= pavise pavise-attestd pavise-audit
POLICY_ROOT = $(if $(POLICY_STORE),--root "$(POLICY_STORE)")
policy-install:
	$(Q)policy/selinux/install.sh $(POLICY_ROOT) $(POLICY_MODULES:%=policy/selinux/%.cil)
policy-uninstall:
	$(Q)policy/selinux/install.sh $(POLICY_ROOT) --uninstall $(POLICY_MODULES:%=policy/selinux/%.cil)
.PHONY: policy-install policy-uninstall

UNIT_SCRIPTS += tests/policy/test_policy_docs.sh
LAB_SCRIPTS += tests/policy/test_policy_build.sh tests/policy/test_policy_audit.sh tests/policy/test_policy_install.sh
