/* The parts of the payload: sealing, the run over all attempts, and holding still as the other
 * VM. */
#ifndef PAVISE_TESTS_ESCAPE_PAYLOAD_H
#define PAVISE_TESTS_ESCAPE_PAYLOAD_H

#include "common/err.h"
#include "tests/escape/attempt.h"

/* Seals this process as the program of that role does, without the layers that are off. */
int seal_as(enum role role, struct err *e);

/* Tries everything that is for that role; one line an attempt on standard output. */
void try_all(enum role role);

/* Before it is sealed, for attempts of class_kvm: a VM with one processor. */
void kvm_prepare(void);

/* As a process of the VM that is attacked: plants the secret, says where, and is sealed. */
int victim_prepare(enum role role, struct err *e);

/* In the launcher's domain: the secret as its vTPM's state, with that label ("none": no label). */
int plant_state(const char *path, const char *label);

/* The seccomp filter of a running process, in hexadecimal, on standard output. */
int print_filter(const char *pid);

/* As a process of the host that is no VM's: listens, and holds what the attempts look for. */
int bystander(void);

#endif
