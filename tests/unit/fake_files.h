/* Stand-ins for the files a plan is made of, for tests: they keep every rule of their formats,
 * their code would not run. */
#ifndef PAVISE_TESTS_UNIT_FAKE_FILES_H
#define PAVISE_TESTS_UNIT_FAKE_FILES_H

#include <stddef.h>
#include <stdint.h>

#define FAKE_FIRMWARE_SIZE 8192u
#define FAKE_KERNEL_SIZE 20480u

void fake_firmware(uint8_t out[FAKE_FIRMWARE_SIZE]);
/* The same as an SEV-SNP image, with a waiting loop and one site of each kind. */
void fake_firmware_snp(uint8_t out[FAKE_FIRMWARE_SIZE]);
/* As a TDX image: a TDCALL, and the last one. */
void fake_firmware_tdx(uint8_t out[FAKE_FIRMWARE_SIZE]);
void fake_kernel(uint8_t out[FAKE_KERNEL_SIZE]);

#endif
