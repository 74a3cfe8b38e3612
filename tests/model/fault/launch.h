/* A kernel under strain while a trust domain is launched: part of vmm-fault (fault.c). */
#ifndef PAVISE_TESTS_FAULT_LAUNCH_H
#define PAVISE_TESTS_FAULT_LAUNCH_H

#include <stdbool.h>

/* fault=launch:NAME; false: no such name.
 *   room      KVM_TDX_CAPABILITIES says E2BIG until there is room for 128 leaves
 *   entropy   KVM_TDX_INIT_VM finds no random numbers three times
 *   again, busy, intr  KVM_TDX_INIT_MEM_REGION ends with EAGAIN, EBUSY, EINTR every other time, the
 *             last after one page
 *   partial   it does one page and says success
 *   final     KVM_TDX_FINALIZE_VM is busy three times
 * and what no patience helps against:
 *   forever   KVM_TDX_INIT_MEM_REGION is always busy
 *   idle      it does nothing and says success
 *   ahead     it says that more pages are left than there were
 *   full      KVM_TDX_CAPABILITIES never has room enough */
bool fault_launch(const char *name);

#endif
