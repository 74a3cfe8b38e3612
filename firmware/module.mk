# The firmware: one freestanding image per machine kind (now: plain), and the pure files that
# hosted programs share with it. Its flags are its own: no C library, no SSE, no red zone, no
# run-time support; the warnings are everybody's.

# Pure files: what measures and predicts links these too.
FIRMWARE_PURE_SRCS := firmware/acpi.c firmware/events.c firmware/staging.c \
                      firmware/sha256.c firmware/sha384.c

IASL ?= iasl
FW_DSDT := $(O)/gen/firmware/dsdt.h

$(O)/gen/firmware/dsdt-plain.aml $(O)/gen/firmware/dsdt-tpm.aml: firmware/dsdt.asl
	@mkdir -p $(@D)
	@echo "  IASL  $@"
	$(Q)$(IASL) -vs -vw 3144 $(if $(findstring tpm,$@),-D HAVE_TPM) -p $(basename $@) $< >$(basename $@).log || \
		{ cat $(basename $@).log; exit 1; }

$(FW_DSDT): $(O)/gen/firmware/dsdt-plain.aml $(O)/gen/firmware/dsdt-tpm.aml
	@echo "  GEN   $@"
	$(Q){ for kind in plain tpm; do \
		echo "static const unsigned char fw_dsdt_$$kind[] = {"; \
		od -An -v -tx1 $(O)/gen/firmware/dsdt-$$kind.aml | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
		echo "};"; done; } >$@

# Whatever includes firmware/acpi.c needs the constants first.
$(O)/obj/firmware/acpi.o: $(FW_DSDT)

TESTS += test_fw_sha2
test_fw_sha2_SRCS := tests/unit/test_fw_sha2.c firmware/sha256.c firmware/sha384.c
test_fw_sha2_LIBS := -lcmocka -lcrypto
