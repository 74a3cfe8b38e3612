/* The front's side of TLS: version 1.3 and nothing older. */
#ifndef PAVISE_ATTEST_FRONT_TLS_H
#define PAVISE_ATTEST_FRONT_TLS_H

#include "common/err.h"

#include <openssl/ssl.h>

struct tls_files {
	int cert;      /* PEM: the server's certificate, then those that lead to its root */
	int key;       /* PEM, not encrypted */
	int client_ca; /* PEM: who may ask; -1: everybody */
};

/* Reads the files and closes them; SSL_CTX_free ends *out. Certificate and key must belong
 * together. -EX_MALFORMED names the file and what is wrong with it; -EX_INTERNAL. */
int tls_open(const struct tls_files *files, SSL_CTX **out, struct err *e);

#endif
