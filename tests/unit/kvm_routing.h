#ifndef PAVISE_TESTS_UNIT_KVM_ROUTING_H
#define PAVISE_TESTS_UNIT_KVM_ROUTING_H

#include "vmm/kvm/kvm.h"

/* The last table kvm_set_gsi_routing was given, and how often it was called. */
struct kvm_routing_seen {
	unsigned calls, count;
	struct kvm_msi_route route[KVM_MSI_ROUTE_MAX];
};
extern struct kvm_routing_seen kvm_routing_seen;

#endif
