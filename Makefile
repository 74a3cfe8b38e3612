# pavise: one flat make. Each folder lists its programs and tests in its module.mk;
# the rules that build them are all here.
#
#   make            build every program and the firmware
#   make check      set up, build, run every test tier this machine can run
#   make demo       set up, build, and show the main job in the lab
#   make help       every target, a line each

VERSION := 0.1.0
O ?= build
CC := gcc
HOSTCC := gcc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
PYTHON ?= python3
Q := @

CPPFLAGS := -I. -I$(O)/gen -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wformat=2 -Wnull-dereference -Wvla -Wundef -Werror
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
          -fzero-call-used-regs=used-gpr -ftrivial-auto-var-init=zero -fno-strict-aliasing
OPT ?= -O2 -g
CFLAGS := -std=gnu17 $(OPT) $(WARN) $(HARDEN)
LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
DYNAMIC := -pie
STATIC := -static-pie

# Programs, cmocka tests, test scripts and fuzzers, filled in by the modules:
#   PROGS += NAME        NAME_SRCS, NAME_LIBS, NAME_LINK ($(STATIC) or $(DYNAMIC))
#   TESTS += test_NAME   the same variables; run in the unit tier
#   TOOLS += NAME        the same variables; used by tests only, never installed
#   FUZZERS += fuzz_NAME the same variables; built with clang
PROGS :=
TESTS :=
TOOLS :=
UNIT_SCRIPTS :=
KVM_SCRIPTS :=
LAB_SCRIPTS :=
FUZZERS :=
EXTRA :=

all:

# common first: the others name its variables.
include common/module.mk $(filter-out common/module.mk,$(sort $(wildcard */module.mk */*/module.mk)))

# $(1) a name: link the program from its sources.
define program
$(1)_OBJS := $$(patsubst %.c,$$(O)/obj/%.o,$$(filter %.c,$$($(1)_SRCS))) \
             $$(patsubst %.S,$$(O)/obj/%.o,$$(filter %.S,$$($(1)_SRCS)))
$(2)/$(1): $$($(1)_OBJS)
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	$$(Q)$$(CC) $$(CFLAGS) $$(SANITIZE) $$(LDFLAGS) $$(if $$($(1)_LINK),$$($(1)_LINK),$$(DYNAMIC)) -o $$@ $$($(1)_OBJS) $$($(1)_LIBS)
ALL_OBJS += $$($(1)_OBJS)
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p),$(O)/bin)))
$(foreach t,$(TESTS) $(TOOLS),$(eval $(call program,$(t),$(O)/tests)))

# $(1) a fuzzer: built in one step, with its own instrumentation.
define fuzzer
$(O)/fuzz/$(1): $$($(1)_SRCS)
	@mkdir -p $$(@D)
	@echo "  FUZZ  $$@"
	$$(Q)$$(CLANG) -std=gnu17 -O1 -g -I. -I$$(O)/gen -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $$@ $$($(1)_SRCS) $$($(1)_LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -MMD -MP -c -o $@ $<

$(O)/obj/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(sort $(ALL_OBJS)))

all: $(addprefix $(O)/bin/,$(PROGS)) $(EXTRA)
tests: all $(addprefix $(O)/tests/,$(TESTS) $(TOOLS))
fuzzers: $(addprefix $(O)/fuzz/,$(FUZZERS))

clean:
	rm -rf $(O)

.PHONY: all tests fuzzers clean
.DELETE_ON_ERROR:
.SECONDARY:
