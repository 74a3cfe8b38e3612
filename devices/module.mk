DEVICES_SRCS := devices/guest_memory.c devices/devlog.c devices/virtqueue.c \
                devices/vhost_server.c devices/vhost_requests.c
DEVICES_VSOCK := devices/vsock.c devices/vsock_stream.c
DEVICES_COMMON := common/err.c common/bytes.c common/fdpass.c
DEV_FRONT_SRCS := tests/unit/dev_front.c $(DEVICES_SRCS) $(DEVICES_COMMON)

PROGS += pavise-dev
pavise-dev_SRCS := devices/main.c common/err_report.c \
                   devices/loop.c devices/blk.c $(DEVICES_VSOCK) $(DEVICES_SRCS) \
                   $(DEVICES_COMMON) common/args.c common/record.c common/seal.c
pavise-dev_LINK := $(STATIC)

TESTS += test_virtqueue test_blk test_vsock test_vsock_stream test_vhost_server \
         test_dev_process
test_virtqueue_SRCS := tests/unit/test_virtqueue.c $(DEV_FRONT_SRCS)
test_virtqueue_LIBS := -lcmocka
test_blk_SRCS := tests/unit/test_blk.c devices/blk.c $(DEV_FRONT_SRCS)
test_blk_LIBS := -lcmocka
test_vsock_SRCS := tests/unit/test_vsock.c $(DEVICES_VSOCK) $(DEV_FRONT_SRCS)
test_vsock_LIBS := -lcmocka
test_vsock_stream_SRCS := tests/unit/test_vsock_stream.c devices/vsock_stream.c common/bytes.c
test_vsock_stream_LIBS := -lcmocka
test_vhost_server_SRCS := tests/unit/test_vhost_server.c $(DEV_FRONT_SRCS)
test_vhost_server_LIBS := -lcmocka
test_dev_process_SRCS := tests/unit/test_dev_process.c $(DEV_FRONT_SRCS) common/record.c \
                         devices/vsock_stream.c
test_dev_process_LIBS := -lcmocka

# Hostile input. The seeds in tests/fuzz/corpus are written by tests/fuzz/make_*_corpus.py.
FUZZERS += fuzz_virtqueue fuzz_vsock fuzz_vhost_server
fuzz_virtqueue_SRCS := tests/fuzz/fuzz_virtqueue.c devices/virtqueue.c devices/guest_memory.c \
                       devices/devlog.c common/err.c common/bytes.c
fuzz_vsock_SRCS := tests/fuzz/fuzz_vsock.c devices/vsock_stream.c common/bytes.c
fuzz_vhost_server_SRCS := tests/fuzz/fuzz_vhost_server.c $(DEVICES_SRCS) $(DEVICES_COMMON)
