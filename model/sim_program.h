/* What pavise-psp-sim and pavise-tdx-sim are as programs: a few tools for an operator, and a sealed
 * process of one VM that serves its VMM. The platform itself is what a struct sim_program names. */
#ifndef PAVISE_MODEL_SIM_PROGRAM_H
#define PAVISE_MODEL_SIM_PROGRAM_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_KEY_MAX 4095u    /* bytes of PKCS#8 DER */
#define SIM_CERTS_MAX 12288u /* bytes of certificates */

struct sock_filter;

/* Descriptors that the launcher passed, checked. */
struct sim_fds {
	int psp;     /* the VMM's connection, SOCK_SEQPACKET */
	int control; /* the launcher's, SOCK_SEQPACKET */
	int qgs;     /* listening, of a program that listens; else -1 */
};

/* PROGRAM NAME --state DIR [-o FILE] */
struct sim_tool {
	const char *name;
	int (*write)(const char *folder, const char *path, struct err *e);
};

struct sim_program {
	const char *name;           /* "pavise-psp-sim" */
	const char *usage;
	const char *made;           /* what init makes: "a simulated chip" */
	bool listens;               /* takes qgs=FD */
	int (*init)(const char *folder, int *made, struct err *e);
	const struct sim_tool *tool; /* beside init; tools of them */
	size_t tools;
	/* Takes key and certificates, which are the host's, and uses each key once, so that libcrypto
	 * fetches and sets up all it needs before the filter. The key is gone afterwards; certs stay. */
	int (*open)(const uint8_t *key, size_t key_size, const uint8_t *certs, size_t certs_size,
		    struct err *e);
	/* Until the launcher stops it or goes. The process is sealed before. */
	int (*serve)(const struct sim_fds *fds, struct err *e);
	const struct sock_filter *filter;
	size_t filter_count;
};

/* All of main(). Ends the process, with one of enum exit_status. */
void sim_program_run(const struct sim_program *p, int argc, char **argv) __attribute__((noreturn));

#endif
