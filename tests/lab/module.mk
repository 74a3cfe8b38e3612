# The lab (tests/lab/README.md): what it builds, and its own tests.
EXTRA_TESTS += $(O)/tests/lab/kvm-probe
UNIT_SCRIPTS += tests/unit/test_run_tests.sh
LAB_SCRIPTS += tests/lab/selftest/test_lab_selftest.sh tests/lab/selftest/test_lab_guards.sh

# Static: it runs in the lab machine whatever libraries are there.
$(O)/tests/lab/kvm-probe: tests/lab/selftest/kvm-probe.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(STATIC) -o $@ $<
LAB_SCRIPTS += tests/lab/plain/test_plain.sh tests/lab/snp/test_demo.sh tests/lab/tdx/test_tdx.sh \
               tests/lab/image/test_image.sh
