# Tiny guests, one per property. A folder with a main.c is a guest: its *.c and *.S and the frame in
# tests/guests/lib/ become the flat image build/tests/guests/NAME.bin, which tests/kvm/harness.c
# puts into a plan. Nothing is listed twice: whoever adds a folder has added a guest.
GUESTS := $(patsubst tests/guests/%/main.c,%,$(wildcard tests/guests/*/main.c))
GUEST_IMAGES := $(foreach g,$(GUESTS),$(O)/tests/guests/$(g).bin)
EXTRA_TESTS += $(GUEST_IMAGES)

OBJCOPY ?= objcopy
GUEST_CFLAGS := -std=gnu17 -Os -g $(WARN) -ffreestanding -fno-pic -fno-pie -mno-red-zone \
                -mgeneral-regs-only -mcmodel=small -fno-stack-protector -fcf-protection=none \
                -fno-strict-aliasing -fno-asynchronous-unwind-tables
GUEST_LIB := tests/guests/lib/start.S tests/guests/lib/guest.c tests/guests/lib/virtio.c
GUEST_LDS := tests/guests/lib/guest.lds

$(O)/guests/%.o: % $(wildcard tests/guests/lib/*.h) firmware/layout.h firmware/stop.h
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

# $(1) a guest
define guest
$(O)/tests/guests/$(1).bin: $(addprefix $(O)/guests/,$(addsuffix .o,$(GUEST_LIB) $(wildcard tests/guests/$(1)/*.[cS]))) $(GUEST_LDS)
	@mkdir -p $$(@D)
	@echo "  GUEST $$@"
	$$(Q)$$(LD) -static -nostdlib -z noexecstack --no-warn-rwx-segments -T $(GUEST_LDS) \
		-o $$(@:.bin=.elf) $$(filter %.o,$$^)
	$$(Q)$$(OBJCOPY) -O binary $$(@:.bin=.elf) $$@
endef
$(foreach g,$(GUESTS),$(eval $(call guest,$(g))))
