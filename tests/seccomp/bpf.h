/* A simulator of classic BPF as seccomp runs it: the filters' own bytes, without a kernel. */
#ifndef PAVISE_TESTS_SECCOMP_BPF_H
#define PAVISE_TESTS_SECCOMP_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs count instructions over *d. false: the program does what the kernel's checker would refuse
 * (unknown instruction, load outside of struct seccomp_data, jump past the end). */
bool bpf_run(const struct sock_filter *filter, size_t count, const struct seccomp_data *d,
	     uint32_t *action);

#endif
