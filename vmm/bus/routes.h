/* Which GSI raises which message: one array for the whole VM. KVM_SET_GSI_ROUTING replaces all
 * routes at once, so every change rewrites the table from this array and no change can leave
 * half of one behind. A GSI without a route raises nothing. */
#ifndef PAVISE_VMM_BUS_ROUTES_H
#define PAVISE_VMM_BUS_ROUTES_H

#include "common/err.h"
#include "vmm/bus/msix.h"
#include "vmm/kvm/kvm.h"

#include <stdbool.h>
#include <stdint.h>

struct routes {
	struct kvm_msi_route route[KVM_MSI_ROUTE_MAX]; /* those in use, in no order */
	unsigned count;
};

enum route_change { ROUTE_SAME, ROUTE_CHANGED, ROUTE_APPEARED };

/* Gives gsi this message, or none for NULL, and says what changed. Nothing reaches KVM before
 * routes_commit. A table with no room left answers ROUTE_SAME: it has more entries than a VM's
 * devices have vectors. */
enum route_change routes_set(struct routes *r, uint32_t gsi, const struct msix_message *message);

/* Writes the whole table to KVM. */
int routes_commit(const struct routes *r, int vm_fd, struct err *e);

#endif
