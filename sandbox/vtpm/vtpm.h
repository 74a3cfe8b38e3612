/* Starts a VM's vTPM: what a real platform does with a TPM between power-on and the first
 * instruction of firmware. Steps and reasons: sandbox/vtpm/README.md. */
#ifndef PAVISE_SANDBOX_VTPM_VTPM_H
#define PAVISE_SANDBOX_VTPM_VTPM_H

#include "common/err.h"

#include <stddef.h>

/* control_fd: swtpm's control channel, data_fd: its data channel, both connected SOCK_STREAM
 * sockets of a swtpm that was started without --flags and has a fresh state folder. Neither is
 * closed or changed. image: the firmware image, image_size bytes, at least 1.
 *
 * On return 0: only the SHA-256 and SHA-384 banks exist; PCR 0 of both is that of an H-CRTM start
 * at locality 4 over the image, H(00..04 || H(image)) (TCG PFP 3.3.2), read back and compared; the
 * TPM has had its TPM2_Startup(CLEAR); the platform hierarchy is off until the next reset, which
 * only the control channel can cause. The data channel may go to the VMM now.
 *
 * -EX_HOST: swtpm refuses, is silent for VTPM_TIMEOUT_MS, or does not do what was asked. */
int vtpm_boot(int control_fd, int data_fd, const void *image, size_t image_size, struct err *e);

#define VTPM_TIMEOUT_MS 30000 /* one command; the slowest takes 1 s under emulation */

#endif
