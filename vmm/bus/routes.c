#include "vmm/bus/routes.h"

static struct kvm_msi_route *find(struct routes *r, uint32_t gsi)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->route[i].gsi == gsi)
			return &r->route[i];
	return NULL;
}

enum route_change routes_set(struct routes *r, uint32_t gsi, const struct msix_message *message)
{
	struct kvm_msi_route *route = find(r, gsi);

	if (message == NULL) {
		if (route == NULL)
			return ROUTE_SAME;
		*route = r->route[--r->count];
		return ROUTE_CHANGED;
	}
	if (route == NULL) {
		if (r->count == KVM_MSI_ROUTE_MAX)
			return ROUTE_SAME;
		r->route[r->count++] = (struct kvm_msi_route){
			.gsi = gsi, .address = message->address, .data = message->data
		};
		return ROUTE_APPEARED;
	}
	if (route->address == message->address && route->data == message->data)
		return ROUTE_SAME;
	route->address = message->address;
	route->data = message->data;
	return ROUTE_CHANGED;
}

int routes_commit(const struct routes *r, int vm_fd, struct err *e)
{
	return kvm_set_gsi_routing(vm_fd, r->route, r->count, e);
}
