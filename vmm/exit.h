/* What the VMM does when a vCPU leaves the guest. */
#ifndef PAVISE_VMM_EXIT_H
#define PAVISE_VMM_EXIT_H

struct vcpu;

/* Handles the exit described by v->run after KVM_RUN returned rc (0 or a negative errno). Ends
 * the VM (vm_end) for everything that is not an access to answer. */
void exit_handle(struct vcpu *v, int rc);

#endif
