# Measured by `make bench`, never by `make check`; beside it bench-verify and bench-measure, which
# the folders of what they measure name.
TOOLS += peak-memory
peak-memory_SRCS := tests/bench/peak_memory.c
peak-memory_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)
