# pavise-sandbox: prints the tables of sandbox/seccomp, which come in as strings.
PROGS += pavise-sandbox
pavise-sandbox_SRCS := sandbox/explain/main.c common/err.c common/err_report.c
pavise-sandbox_LIBS := -ljansson

# SECCOMP_TABLES is read after this file: known to recipes, not to rules.
$(O)/gen/seccomp/tables.h: $(wildcard sandbox/seccomp/*.table) sandbox/seccomp/module.mk sandbox/explain/module.mk
	@mkdir -p $(@D)
	$(Q){ for t in $(SECCOMP_TABLES); do \
		echo "{ \"$$t\","; \
		sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' sandbox/seccomp/$$t.table; \
		echo "},"; done; } >$@
GENERATED += $(O)/gen/seccomp/tables.h
UNIT_SCRIPTS += tests/unit/sandbox_explain.py
