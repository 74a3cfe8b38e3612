# What other VMMs measure (QEMU's OVMF, TDVF); lists that ../module.mk and the tests name.
MEASURE_OVMF_SRCS := attest/measure/ovmf/table.c attest/measure/ovmf/image.c \
                     attest/measure/ovmf/cpu_type.c attest/measure/ovmf/launch.c \
                     attest/measure/ovmf/search.c
MEASURE_TDX_SRCS := attest/measure/tdx/tdvf.c attest/measure/tdx/mrtd.c

# Commands of pavise-measure beside those for pavise's own machines.
MEASURE_COMMAND_SRCS := attest/measure/ovmf/command.c attest/measure/ovmf/report.c \
                        attest/measure/tdx/command.c $(MEASURE_OVMF_SRCS) $(MEASURE_TDX_SRCS)
