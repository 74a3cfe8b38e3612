# Used by `make bench` and `make bench-boot`, never by `make check`; beside these two bench-verify
# and bench-measure, which the folders of what they measure name.
TOOLS += peak-memory
peak-memory_SRCS := tests/bench/peak_memory.c
peak-memory_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)

# Static: it runs in the lab machine whatever libraries are there.
TOOLS += boot-time
boot-time_SRCS := tests/bench/boot/boot_time.c
boot-time_LINK := $(STATIC)
