# The firmware: one freestanding image per machine kind, and the pure files that
# hosted programs share with it. Its flags are its own: no C library, no SSE, no red zone, no
# run-time support; the warnings are everybody's.

# Pure files: what measures and predicts links these too.
FIRMWARE_PURE_SRCS := firmware/acpi.c firmware/events.c firmware/staging.c \
                      firmware/sha256.c firmware/sha256ni.c firmware/sha384.c

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

GENERATED += $(FW_DSDT)

# The images, pavise-fw-{plain,snp,tdx}.bin, one for each kind of machine. Which parts run
# privileged: image.lds.
FW_SVN := 1
FW_RELEASE := 0.1
FW_SRCS := firmware/machine.c firmware/paging.c firmware/tpm.c firmware/main.c firmware/mem.c \
           firmware/bootblock.c firmware/hashpage.c firmware/kernel.c firmware/bzimage.c \
           firmware/elfkernel.c firmware/zeropage.c firmware/tpmcmd.c $(FIRMWARE_PURE_SRCS)
FW_ASMS := firmware/header.S firmware/entry.S
FW_SNP_PURE_SRCS := firmware/ghcb.c firmware/accept_snp.c firmware/accept.c \
                    firmware/cpuid_page.c firmware/ccblob.c firmware/sites.c
FW_TDX_PURE_SRCS := firmware/tdcall.c firmware/accept_tdx.c firmware/accept.c firmware/sites.c
FW_PVH_PARTS := firmware/pvh.S firmware/startinfo.c
FW_PARTS_plain := $(FW_ASMS) $(FW_PVH_PARTS) $(FW_SRCS)
FW_PARTS_tdx := $(FW_ASMS) firmware/tdx_start.S firmware/tdx_insn.S $(FW_PVH_PARTS) $(FW_SRCS) firmware/tdx.c \
                $(FW_TDX_PURE_SRCS)
FW_PARTS_snp := $(FW_ASMS) firmware/snp_insn.S $(FW_SRCS) firmware/snp.c $(FW_SNP_PURE_SRCS)
# -fpie: code and constants must work at two addresses (ring 3 sees them through a window).
# No jump tables and no built constants tables: they would hold addresses of one of the two.
FW_CFLAGS := -std=gnu17 -O2 $(WARN) -I. -I$(O)/gen -ffreestanding -fpie -fvisibility=hidden -m64 \
             -mcmodel=small -mgeneral-regs-only -mno-red-zone -fno-stack-protector \
             -fcf-protection=none -fno-asynchronous-unwind-tables -fno-jump-tables \
             -fno-tree-switch-conversion -fno-strict-aliasing -fno-tree-loop-distribute-patterns \
             -ffile-prefix-map=$(CURDIR)=. -fno-ident -fno-common
# The one file with vector code, for ring 3 (sha256ni.c).
FW_VECTOR_CFLAGS := $(filter-out -mgeneral-regs-only,$(FW_CFLAGS)) -fno-tree-vectorize
FW_DEFS := -DIMAGE_BASE=0x100000 -DIMAGE_MAX=0x10000 -DSCRATCH_BASE=0x110000 \
           -DSCRATCH_SIZE=0x70000
# Bytes at the end of a TDX image: descriptor, footer table and reset vector.
FW_RESET_SIZE_tdx := 512

# $(1) the kind of machine, $(2) its number: enum fw_variant.
define fw_image
FW_DIR_$(1) := $(O)/firmware/$(1)
FW_OBJS_$(1) := $$(patsubst firmware/%,$(O)/firmware/$(1)/%.o,$$(basename $$(FW_PARTS_$(1))))

# Half the boot is hashing: unrolled it takes half the time for 1 KiB of code.
$(O)/firmware/$(1)/sha256.o $(O)/firmware/$(1)/sha384.o: FW_MORE := -funroll-all-loops

$(O)/firmware/$(1)/sha256ni.o: FW_CFLAGS := $(FW_VECTOR_CFLAGS)
$(O)/firmware/$(1)/sha256ni.o: FW_MORE := -funroll-all-loops

$(O)/firmware/$(1)/%.o: firmware/%.c $(FW_DSDT) firmware/module.mk
	@mkdir -p $$(@D)
	@echo "  FWCC  $$< ($(1))"
	$$(Q)$$(CC) $$(FW_CFLAGS) $$(FW_MORE) -DVARIANT=$(2) -MMD -MP -c -o $$@ $$<

$(O)/firmware/$(1)/%.o: firmware/%.S firmware/module.mk
	@mkdir -p $$(@D)
	@echo "  FWAS  $$< ($(1))"
	$$(Q)$$(CC) -I. $$(FW_DEFS) -DVARIANT=$(2) -DSVN=$$(FW_SVN) \
		-DRESET_SIZE=$(or $(FW_RESET_SIZE_$(1)),0) \
		'-DVERSION_TEXT="pavise firmware $(1) $$(FW_RELEASE) svn $$(FW_SVN)"' \
		-fno-pie -ffile-prefix-map=$$(CURDIR)=. -MMD -MP -c -o $$@ $$<

$(O)/firmware/$(1)/image.lds: firmware/image.lds firmware/module.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(FW_DEFS) -DRESET_SIZE=$(or $(FW_RESET_SIZE_$(1)),0) -E -P -x c -o $$@ $$<

$(O)/firmware/pavise-fw-$(1).elf: $$(FW_OBJS_$(1)) $(O)/firmware/$(1)/image.lds
	@echo "  FWLD  $$@"
	$$(Q)$$(LD) -static -nostdlib --no-dynamic-linker --build-id=none -z noexecstack \
		-z max-page-size=4096 --fatal-warnings --orphan-handling=error \
		-T $(O)/firmware/$(1)/image.lds -o $$@ $$(FW_OBJS_$(1))

# What a verifier expects in PCR 0, or in the launch digest, follows from these digests.
$(O)/firmware/pavise-fw-$(1).bin: $(O)/firmware/pavise-fw-$(1).elf
	$$(Q)objcopy -O binary -j .rodata -j .sites -j .tables -j .start32 -j .text -j .utext \
		-j .pad -j .reset $$< $$@
	@echo "  FW    $$@ $$$$(stat -c %s $$@) bytes"
	@echo "        sha256 $$$$(sha256sum <$$@ | cut -d' ' -f1)"
	@echo "        sha384 $$$$(sha384sum <$$@ | cut -d' ' -f1)"

EXTRA += $(O)/firmware/pavise-fw-$(1).bin
-include $$(FW_OBJS_$(1):.o=.d)
endef
$(eval $(call fw_image,plain,1))
$(eval $(call fw_image,snp,2))
$(eval $(call fw_image,tdx,3))

FW_HOSTED_SRCS := $(FIRMWARE_PURE_SRCS) firmware/bootblock.c firmware/hashpage.c \
                  firmware/kernel.c firmware/bzimage.c firmware/elfkernel.c \
                  firmware/zeropage.c firmware/startinfo.c firmware/tpmcmd.c

TESTS += test_fw_sha2 test_fw_boot_block test_fw_hash_page test_fw_linux test_fw_elf test_fw_log test_fw_acpi
$(foreach t,sha2 boot_block hash_page linux elf log acpi,\
	$(eval test_fw_$(t)_SRCS := tests/unit/test_fw_$(t).c $(FW_HOSTED_SRCS))\
	$(eval test_fw_$(t)_LIBS := -lcmocka -lcrypto))
test_fw_log_SRCS += attest/tpm/eventlog.c attest/tpm/replay.c attest/tpm/alg.c \
                    common/err.c common/bytes.c

TESTS += test_fw_snp_ghcb test_fw_snp_accept test_fw_snp_pages
$(foreach t,ghcb accept pages,\
	$(eval test_fw_snp_$(t)_SRCS := tests/unit/test_fw_snp_$(t).c tests/unit/snp_machine.c \
		$(FW_SNP_PURE_SRCS) $(FW_HOSTED_SRCS))\
	$(eval test_fw_snp_$(t)_LIBS := -lcmocka))

TESTS += test_fw_tdx_call test_fw_tdx_accept test_fw_tdx_image
$(foreach t,call accept image,\
	$(eval test_fw_tdx_$(t)_SRCS := tests/unit/test_fw_tdx_$(t).c tests/unit/tdx_machine.c \
		$(FW_TDX_PURE_SRCS) $(FIRMWARE_PURE_SRCS))\
	$(eval test_fw_tdx_$(t)_LIBS := -lcmocka))
test_fw_tdx_image_SRCS += attest/measure/tdx/tdvf.c attest/measure/ovmf/table.c common/file.c \
                          common/bytes.c common/err.c

UNIT_SCRIPTS += tests/unit/test_fw_image.sh

# A bzImage of one page for the kvm tier: writes down what it was entered with, powers off.
FAKE_KERNEL := $(O)/tests/guests/fakekernel.bin
EXTRA_TESTS += $(FAKE_KERNEL)
$(FAKE_KERNEL): tests/guests/fakekernel/fakekernel.S
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	$(Q)$(CC) -c -o $(@:.bin=.o) $<
	$(Q)objcopy -O binary -j .text $(@:.bin=.o) $@

# The same as ELF files: a vmlinux and a kernel that has a PVH entry only.
FAKE_ELFS := $(O)/tests/guests/fakeelf-linux.elf $(O)/tests/guests/fakeelf-pvh.elf
EXTRA_TESTS += $(FAKE_ELFS)
$(FAKE_ELFS): $(O)/tests/guests/fakeelf-%.elf: tests/guests/fakeelf/%.S tests/guests/fakeelf/parts.h \
		tests/guests/fakeelf/kernel.lds
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	$(Q)$(CC) -I. -fno-pie -c -o $(@:.elf=.o) $<
	$(Q)$(LD) -static -nostdlib --build-id=none -z noexecstack -z max-page-size=4096 \
		-T tests/guests/fakeelf/kernel.lds -o $@ $(@:.elf=.o)

TOOLS += kvm_fw
kvm_fw_SRCS = tests/kvm/test_fw.c tests/kvm/fw_machine.c $(KVM_HARNESS_SRCS) $(FW_HOSTED_SRCS) \
               common/boot_block.c
KVM_SCRIPTS += $(O)/tests/kvm_fw

TOOLS += kvm_fw_kernels
kvm_fw_kernels_SRCS = tests/kvm/test_fw_kernels.c tests/kvm/fw_machine.c $(KVM_HARNESS_SRCS) \
                       $(FW_HOSTED_SRCS) common/boot_block.c
KVM_SCRIPTS += $(O)/tests/kvm_fw_kernels

TOOLS += kvm_fw_snp
kvm_fw_snp_SRCS = tests/kvm/test_fw_snp.c tests/kvm/snp_guest.c tests/kvm/cc_parts.c \
                   $(KVM_HARNESS_SRCS) $(FW_HOSTED_SRCS) $(FW_SNP_PURE_SRCS) common/boot_block.c \
                   vmm/platform/tpm_crb.c
KVM_SCRIPTS += $(O)/tests/kvm_fw_snp

TOOLS += kvm_fw_tdx
kvm_fw_tdx_SRCS = tests/kvm/test_fw_tdx.c tests/kvm/tdx_guest.c tests/kvm/cc_parts.c \
                   tests/unit/tdx_machine.c $(KVM_HARNESS_SRCS) $(FW_HOSTED_SRCS) common/boot_block.c \
                   vmm/platform/tpm_crb.c
KVM_SCRIPTS += $(O)/tests/kvm_fw_tdx

TOOLS += kvm_fw_snp_lies
kvm_fw_snp_lies_SRCS = tests/kvm/test_fw_snp_lies.c tests/kvm/snp_guest.c tests/kvm/cc_parts.c \
                        $(KVM_HARNESS_SRCS) $(FW_HOSTED_SRCS) common/boot_block.c
KVM_SCRIPTS += $(O)/tests/kvm_fw_snp_lies

FUZZERS += fuzz_bzimage fuzz_elf fuzz_boot_block fuzz_hash_page fuzz_ghcb fuzz_tdcall
fuzz_tdcall_SRCS := tests/fuzz/fuzz_tdcall.c tests/unit/tdx_machine.c $(FW_TDX_PURE_SRCS) \
                    firmware/sha384.c
fuzz_ghcb_SRCS := tests/fuzz/fuzz_ghcb.c tests/unit/snp_machine.c $(FW_SNP_PURE_SRCS)
fuzz_bzimage_SRCS := tests/fuzz/fuzz_bzimage.c firmware/kernel.c firmware/bzimage.c firmware/elfkernel.c \
                     firmware/zeropage.c
fuzz_elf_SRCS := tests/fuzz/fuzz_elf.c firmware/kernel.c firmware/bzimage.c firmware/elfkernel.c \
                 firmware/zeropage.c firmware/startinfo.c
fuzz_boot_block_SRCS := tests/fuzz/fuzz_boot_block.c firmware/bootblock.c firmware/acpi.c
fuzz_hash_page_SRCS := tests/fuzz/fuzz_hash_page.c firmware/hashpage.c
