/* What a launcher says of its VM when it is asked (docs/PROTOCOL.control, DESCRIBE). */
#ifndef PAVISE_SANDBOX_DESCRIBE_H
#define PAVISE_SANDBOX_DESCRIBE_H

#include <stddef.h>

/* Writes the JSON object about a struct vm into out (size bytes, no NUL behind it); its length, or
 * 0 when it cannot be made. */
size_t describe_vm(const void *vm, char *out, size_t size);

#endif
