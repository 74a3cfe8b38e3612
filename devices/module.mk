DEVICES_SRCS := devices/guest_memory.c devices/devlog.c devices/virtqueue.c \
                devices/vhost_server.c
DEVICES_COMMON := common/err.c common/bytes.c common/fdpass.c
DEV_FRONT_SRCS := tests/unit/dev_front.c

TESTS += test_blk
test_blk_SRCS := tests/unit/test_blk.c $(DEV_FRONT_SRCS) devices/blk.c $(DEVICES_SRCS) \
                 $(DEVICES_COMMON)
test_blk_LIBS := -lcmocka
