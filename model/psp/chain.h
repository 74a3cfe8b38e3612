/* The simulated chain of keys: ARK -> ASK -> VCEK, shaped like AMD's (57230), marked in every
 * name and by an extension that no hardware certificate has. */
#ifndef PAVISE_MODEL_PSP_CHAIN_H
#define PAVISE_MODEL_PSP_CHAIN_H

#include "common/err.h"
#include "model/psp/machine.h"

#include <openssl/x509.h>

/* A new chip: its key as PKCS#8 DER and its certificate table (VCEK, ASK, ARK in DER). The
 * private keys of ARK and ASK end with this call: nobody can issue below this root again.
 * Both results are the caller's to OPENSSL_free. 0 or -EX_INTERNAL. */
int chain_make(uint8_t **key, size_t *key_size, uint8_t **table, size_t *table_size,
	       struct err *e);

/* Fills key, id, tcb and certs of *chip, which borrows table; chip->key is the caller's to free.
 * -EX_MALFORMED when key and VCEK certificate are no pair or the table is broken. */
int chain_load(const void *key, size_t key_size, const uint8_t *table, size_t table_size,
	       struct psp_chip *chip, struct err *e);

/* The certificate of that role in the table; NULL: absent or malformed. The caller frees. */
enum chain_role { CHAIN_VCEK, CHAIN_ASK, CHAIN_ARK };
X509 *chain_certificate(const uint8_t *table, size_t table_size, enum chain_role role);

#endif
