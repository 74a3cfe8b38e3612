/* One thing that a taken-over process of a VM might try, and what it is tried on. Each attempt
 * runs in a process of its own that has just sealed itself as the role does; whether it was done
 * is decided by what happened (bytes read, a signal taken), not by an errno. */
#ifndef PAVISE_TESTS_ESCAPE_ATTEMPT_H
#define PAVISE_TESTS_ESCAPE_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum role { ROLE_VMM, ROLE_VCPU, ROLE_BLK, ROLE_VSOCK, ROLE_QUOTE, ROLE_VTPM,
	    ROLE_LAUNCHER, ROLE_ROOT, ROLES };

#define BIT(role) (1u << (role))
#define KVM_ROLES (BIT(ROLE_VMM) | BIT(ROLE_VCPU))
#define OWN_ROLES (KVM_ROLES | BIT(ROLE_BLK) | BIT(ROLE_VSOCK) | BIT(ROLE_QUOTE))
#define VM_ROLES (OWN_ROLES | BIT(ROLE_VTPM))

struct attempt {
	const char *id;   /* in the matrix */
	const char *text;
	unsigned roles;   /* BIT of each enum role that tries it */
	/* True: it was done. False: errno says why not. A program that it executed in its own place
	 * says the same by exiting with EXECUTED. */
	bool (*fn)(void);
};

struct class {
	const char *name;
	const struct attempt *attempts;
	size_t count;
	bool alone; /* tried in a VM of its own, with ESCAPE_ALONE=1 */
};

#define CLASS(name, attempts) { name, attempts, sizeof(attempts) / sizeof((attempts)[0]), false }

#define EXECUTED 42 /* exit status, and what injected code returns */

extern const struct class class_files, class_proc, class_processes, class_exec, class_memory,
	class_sockets, class_namespaces, class_privileges, class_kernel, class_devices, class_kvm,
	class_labels, class_limits, class_passing, class_pcr0, class_hog, class_others;

/* What is attacked: ESCAPE_NAME of the environment, which run.sh fills; "" and -1 when it is not
 * there. */
const char *target(const char *name);
long target_number(const char *name);

/* The descriptor that this role was given as `key=` in its arguments; -1: none. */
int own_descriptor(const char *key);
enum role own_role(void);
void payload_arguments(char **argv, enum role role);

/* Is the other VM's secret in these bytes? The environment has it backwards, so that this
 * process does not find its own copy. */
bool has_secret(const void *data, size_t size);
/* Reads a bounded part of fd, closes it. */
bool reads_secret(int fd);
/* errno of a failed attempt that no system call set. */
bool stopped(int cause);

/* Code that returns EXECUTED, as bytes. */
extern const unsigned char code_bytes[6];
bool code_runs(void *code);

#endif
