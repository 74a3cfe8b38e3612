DEVICES_SRCS := devices/guest_memory.c devices/devlog.c devices/virtqueue.c \
                devices/vhost_server.c
DEVICES_VSOCK := devices/vsock.c devices/vsock_stream.c
DEVICES_COMMON := common/err.c common/bytes.c common/fdpass.c
DEV_FRONT_SRCS := tests/unit/dev_front.c $(DEVICES_SRCS) $(DEVICES_COMMON)

TESTS += test_virtqueue test_blk test_vsock test_vsock_stream
test_virtqueue_SRCS := tests/unit/test_virtqueue.c $(DEV_FRONT_SRCS)
test_virtqueue_LIBS := -lcmocka
test_blk_SRCS := tests/unit/test_blk.c devices/blk.c $(DEV_FRONT_SRCS)
test_blk_LIBS := -lcmocka
test_vsock_SRCS := tests/unit/test_vsock.c $(DEVICES_VSOCK) $(DEV_FRONT_SRCS)
test_vsock_LIBS := -lcmocka
test_vsock_stream_SRCS := tests/unit/test_vsock_stream.c devices/vsock_stream.c common/bytes.c
test_vsock_stream_LIBS := -lcmocka
