PROGS += pavise-image
pavise-image_SRCS := image/main.c image/build.c image/keys.c image/check_config.c image/config.c \
                     image/root.c image/pack.c image/pack_tar.c image/pack_folder.c \
                     image/members.c image/disk.c image/digest.c image/initrd.c image/libraries.c \
                     image/modules.c image/kernel_config.S guest/params.c attest/measure/size.c \
                     $(WRAPPED_KEY_SRCS) common/args.c common/file.c common/err_report.c
pavise-image_LIBS := $(ATTEST_LIB_LIBS) -larchive -lcryptsetup -lkmod
$(O)/obj/image/kernel_config.o: guest/kernel.config

FUZZERS += fuzz_kernel_config
fuzz_kernel_config_SRCS := tests/fuzz/fuzz_kernel_config.c image/config.c common/err.c
FUZZERS += fuzz_image_members
fuzz_image_members_SRCS := tests/fuzz/fuzz_image_members.c image/members.c common/err.c

UNIT_SCRIPTS += tests/unit/image.py
