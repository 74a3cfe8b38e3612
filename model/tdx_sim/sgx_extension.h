/* What a PCK certificate says of its platform (Intel SGX PCK Certificate and CRL Profile
 * Specification, "SGX Extensions"), in DER. */
#ifndef PAVISE_MODEL_TDX_SIM_SGX_EXTENSION_H
#define PAVISE_MODEL_TDX_SIM_SGX_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#define SGX_EXTENSION_OID "1.2.840.113741.1.13.1"
#define SGX_EXTENSION_MAX 1024u

/* The extension of the simulated platform with this id (PPID and platform instance); its size. 0:
 * it did not fit. */
size_t sgx_extension_make(const uint8_t id[16], uint8_t out[SGX_EXTENSION_MAX]);

#endif
