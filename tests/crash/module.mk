# Crash consistency (tests/crash/README.md). pavise-launch-faults is the launcher, linked so that each of
# its calls into a library is a fault point, found by what its objects refer to.
FIND_POINTS := tests/crash/find_points.py
LEFT_OUT := tests/crash/left-out
FAULTS := $(O)/faults
FAULT_OBJS = $(patsubst %.c,$(FAULTS)/obj/%.o,$(pavise-launch_SRCS))
FAULT_SUPPORT := $(FAULTS)/launcher-calls.o $(O)/obj/tests/crash/enter.o $(FAULTS)/obj/tests/crash/fault.o

# A tail call has no place of its own. Never with a sanitizer: its calls would be points.
$(FAULTS)/obj/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC    $< (faults)"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -fno-optimize-sibling-calls -MMD -MP -c -o $@ $<
ALL_OBJS += $(FAULT_OBJS) $(FAULTS)/obj/tests/crash/fault.o

$(FAULTS)/launcher-calls.S: $(FAULT_OBJS) $(FIND_POINTS) $(LEFT_OUT)
	@echo "  GEN   $@"
	$(Q)$(PYTHON) $(FIND_POINTS) calls --left-out $(LEFT_OUT) --calls $@ --wrap $(@:.S=.wrap) $(FAULT_OBJS)
$(FAULTS)/%.o: $(FAULTS)/%.S tests/crash/trampoline.h
	@echo "  AS    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(O)/tests/pavise-launch-faults: $(FAULT_OBJS) $(FAULT_SUPPORT)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(DYNAMIC) -Wl,@$(FAULTS)/launcher-calls.wrap -o $@ $(FAULT_OBJS) $(FAULT_SUPPORT) $(pavise-launch_LIBS)
$(O)/tests/pavise-launch-faults.points: $(O)/tests/pavise-launch-faults $(FIND_POINTS) $(LEFT_OUT)
	@echo "  GEN   $@"
	$(Q)$(PYTHON) $(FIND_POINTS) points --left-out $(LEFT_OUT) --program $< --out $@ $(FAULT_OBJS)
EXTRA_TESTS += $(O)/tests/pavise-launch-faults.points

TOOLS += crash
crash_SRCS := tests/crash/crash.c tests/crash/judge.c tests/crash/plant.c tests/crash/swarm.c tests/crash/each_point.c tests/crash/points.c \
	tests/crash/vm.c tests/crash/leaks.c sandbox/mcs.c sandbox/procid.c $(CONTROL_CLIENT_SRCS)
crash_LINK := $(STATIC)
KVM_SCRIPTS += tests/crash/test_crash.sh
LAB_SCRIPTS += tests/crash/test_crash_lab.sh

# The table of pairs under every interleaving of two launchers: the same trampolines, for mcs.c alone.
TESTS += test_mcs_interleave
test_mcs_interleave_SRCS := tests/unit/test_mcs_interleave.c tests/crash/enter.S sandbox/mcs.c common/err.c
test_mcs_interleave_LIBS := $(FAULTS)/mcs-calls.a -Wl,@$(FAULTS)/mcs-calls.wrap -lcmocka
MCS_BY_HAND := openat close fdopendir closedir fsync flock getpid getrandom procid_start procid_boot
$(FAULTS)/mcs-calls.S: $(O)/obj/sandbox/mcs.o $(O)/obj/common/err.o $(FIND_POINTS) $(LEFT_OUT) tests/crash/module.mk
	@mkdir -p $(@D)
	@echo "  GEN   $@"
	$(Q)$(PYTHON) $(FIND_POINTS) calls --left-out $(LEFT_OUT) $(addprefix --by-hand ,$(MCS_BY_HAND)) \
		--calls $@ --wrap $(@:.S=.wrap) $(filter %.o,$^)
$(FAULTS)/mcs-calls.a: $(FAULTS)/mcs-calls.o
	$(Q)rm -f $@ && $(AR) rcs $@ $<
