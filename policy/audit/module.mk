# pavise-audit: what a binary policy decides, over libsepol (static: it needs what the shared
# library does not show). The rules it expects are a text file: a line becomes a string.
PROGS += pavise-audit
pavise-audit_SRCS := $(wildcard policy/audit/*.c) common/audit_report.c common/err.c common/err_report.c common/file.c
pavise-audit_LIBS := -Wl,-Bstatic -lsepol -Wl,-Bdynamic -ljansson
pavise-audit_LINK := $(DYNAMIC)

$(O)/gen/policy/expected_rules.h: policy/audit/expected.rules
	@mkdir -p $(@D)
	$(Q)sed 's/.*/"&",/' $< >$@
GENERATED += $(O)/gen/policy/expected_rules.h

# For tests/policy/test_policy_build.sh: what the questions about walls are worth.
TOOLS += wall_teeth
wall_teeth_SRCS = tests/policy/wall_teeth.c $(filter-out policy/audit/main.c,$(pavise-audit_SRCS))
wall_teeth_LIBS := $(pavise-audit_LIBS)
wall_teeth_LINK := $(DYNAMIC)
