#include "sandbox/vtpm/vtpm.h"

#include "sandbox/vtpm/control.h"
#include "sandbox/vtpm/tpm.h"

#include <openssl/evp.h>
#include <string.h>

struct boot {
	int control_fd;
	const void *image;
	size_t image_size;
	struct tpm tpm;
};

/* First life: choose the banks. They change with the reset that follows. */
static int choose_banks(struct boot *b, struct err *e)
{
	int rc = control_reset(b->control_fd, VTPM_TIMEOUT_MS, e);

	if (rc == 0)
		rc = tpm_startup_clear(&b->tpm, e);
	if (rc == 0)
		rc = tpm_allocate_banks(&b->tpm, e);
	if (rc == 0)
		rc = tpm_shutdown_clear(&b->tpm, e);
	return rc;
}

/* Second life: the one the guest gets. */
static int measure_firmware(struct boot *b, struct err *e)
{
	int rc = control_reset(b->control_fd, VTPM_TIMEOUT_MS, e);

	if (rc == 0)
		rc = control_hcrtm(b->control_fd, b->image, b->image_size, VTPM_TIMEOUT_MS, e);
	if (rc == 0)
		rc = tpm_startup_clear(&b->tpm, e);
	return rc;
}

/* An H-CRTM event leaves H(initial value || H(data)) where the initial value is the locality, 4,
 * as a number as wide as the digest (TPM 2.0 part 1, 34.4; TCG PFP 3.3.2). */
static int expected_pcr0(const struct boot *b, const EVP_MD *md, unsigned char out[EVP_MAX_MD_SIZE],
			 struct err *e)
{
	unsigned char both[2 * EVP_MAX_MD_SIZE] = { 0 };
	size_t size = (size_t)EVP_MD_get_size(md);

	both[size - 1] = 4;
	if (EVP_Digest(b->image, b->image_size, both + size, NULL, md, NULL) != 1 ||
	    EVP_Digest(both, 2 * size, out, NULL, md, NULL) != 1)
		return err_set(e, EX_INTERNAL, "vtpm: cannot hash the firmware image");
	return 0;
}

static int check_bank(struct boot *b, TPM2_ALG_ID alg, const EVP_MD *md, struct err *e)
{
	unsigned char want[EVP_MAX_MD_SIZE];
	int rc = expected_pcr0(b, md, want, e);

	if (rc < 0)
		return rc;
	return tpm_check_pcr0(&b->tpm, alg, want, (size_t)EVP_MD_get_size(md), e);
}

static int boot(struct boot *b, struct err *e)
{
	int rc = choose_banks(b, e);

	if (rc == 0)
		rc = measure_firmware(b, e);
	if (rc == 0)
		rc = tpm_check_banks(&b->tpm, e);
	if (rc == 0)
		rc = check_bank(b, TPM2_ALG_SHA256, EVP_sha256(), e);
	if (rc == 0)
		rc = check_bank(b, TPM2_ALG_SHA384, EVP_sha384(), e);
	if (rc == 0)
		rc = tpm_disable_platform(&b->tpm, e);
	return rc;
}

int vtpm_boot(int control_fd, int data_fd, const void *image, size_t image_size, struct err *e)
{
	struct boot b = { .control_fd = control_fd, .image = image, .image_size = image_size };
	int rc;

	if (image_size == 0)
		return err_set(e, EX_INTERNAL, "vtpm: no firmware image to measure");
	rc = tpm_open(&b.tpm, data_fd, VTPM_TIMEOUT_MS, e);
	if (rc == 0)
		rc = boot(&b, e);
	tpm_close(&b.tpm);
	return rc;
}
