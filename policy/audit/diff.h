/* Two policies, by their decisions. */
#ifndef PAVISE_POLICY_AUDIT_DIFF_H
#define PAVISE_POLICY_AUDIT_DIFF_H

#include "policy/audit/scope.h"

/* Notes what the scope's policy decides otherwise than `before` for the VM's processes at one VM's
 * level, on every type, class and level. 0, or -EX_HOST. */
int audit_diff(const struct scope *s, struct pdb *before, struct report *r, struct err *e);

#endif
