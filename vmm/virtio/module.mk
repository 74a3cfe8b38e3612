VIRTIO_PURE_SRCS := vmm/bus/pci_config.c vmm/bus/msix.c vmm/virtio/transport.c \
                    vmm/virtio/virtio_pci.c
VMM_VIRTIO_SRCS := $(VIRTIO_PURE_SRCS) vmm/bus/pci.c vmm/bus/routes.c vmm/virtio/vhost.c \
                   vmm/virtio/vdev.c
pavise-vmm_SRCS += $(VMM_VIRTIO_SRCS)

TESTS += test_pci test_msix test_transport test_vhost
test_pci_SRCS := tests/unit/test_pci.c $(VIRTIO_PURE_SRCS) common/bytes.c common/err.c
test_pci_LIBS := -lcmocka
test_msix_SRCS := tests/unit/test_msix.c vmm/bus/msix.c vmm/bus/routes.c tests/unit/kvm_routing.c \
                  common/err.c
test_msix_LIBS := -lcmocka
test_transport_SRCS := tests/unit/test_transport.c vmm/virtio/transport.c
test_transport_LIBS := -lcmocka
test_vhost_SRCS := tests/unit/test_vhost.c vmm/virtio/vhost.c common/bytes.c common/fdpass.c \
                   common/err.c
test_vhost_LIBS := -lcmocka -lpthread

FUZZERS += fuzz_transport fuzz_vhost fuzz_pci
fuzz_transport_SRCS := tests/fuzz/fuzz_transport.c vmm/virtio/transport.c
fuzz_vhost_SRCS := tests/fuzz/fuzz_vhost.c vmm/virtio/vhost.c common/bytes.c common/fdpass.c \
                   common/err.c
fuzz_pci_SRCS := tests/fuzz/fuzz_pci.c $(VIRTIO_PURE_SRCS) common/bytes.c common/err.c

TOOLS += kvm_virtio
kvm_virtio_SRCS := tests/kvm/test_virtio.c tests/kvm/device.c $(KVM_HARNESS_SRCS)
KVM_SCRIPTS += $(O)/tests/kvm_virtio
