/* The guest's own page tables, read as the processor would: 4 levels, each entry private or shared
 * by its C-bit (AMD APM vol. 2 §5.3, §15.34.1). */
#ifndef PAVISE_MODEL_WALK_H
#define PAVISE_MODEL_WALK_H

#include <linux/kvm.h>
#include <stdint.h>

/* Guest-physical address of a linear one, C-bit included. -1: no mapping, #PF. */
int walk(const struct kvm_sregs *sregs, uint64_t linear, uint64_t *gpa);

#endif
