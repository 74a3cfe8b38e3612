/* Launch digest throughput as a ratio to bare SHA-384 over the same bytes, on one thread. Prints
 * "measure: ratio R"; both are the best of ROUNDS, side by side. On a single processor no more than
 * 32/35 is possible: a page is 33 blocks of SHA-384 with its padding, its PAGE_INFO two more.
 * usage: bench-measure [MIB] */
#include "attest/measure/ovmf/launch.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 7

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift: no page like another, no page of zeros. */
static void fill(uint8_t *data, size_t size)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		data[i] = (uint8_t)x;
	}
}

static double bare(const uint8_t *data, size_t size)
{
	uint8_t out[SNP_DIGEST_SIZE];
	double from = now();

	return EVP_Digest(data, size, out, NULL, EVP_sha384(), NULL) ? now() - from : 0;
}

static double launch(const struct ovmf_launch *l)
{
	struct err e = { 0 };
	struct snp_digest d;
	uint32_t pages = 0;
	double from = now();
	int r = snp_digest_open(&d, &e);

	if (r == 0)
		r = ovmf_add_firmware(l, &d, &pages, &e);
	snp_digest_close(&d);
	return r == 0 ? now() - from : 0;
}

int main(int argc, char **argv)
{
	unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
	size_t size = (size_t)mib << 20;
	uint8_t *data = mib == 0 || mib > 1024 ? NULL : malloc(size);
	double best_bare = 1e9, best_launch = 1e9;

	if (data == NULL) {
		fputs("usage: bench-measure [MIB]\n", stderr);
		return 64;
	}
	fill(data, size);
	struct ovmf_image image = { .data = data, .size = size, .base = (1ull << 32) - size };
	struct ovmf_launch l = { .name = "noise", .image = &image };
	for (unsigned i = 0; i < ROUNDS; i++) {
		double a = bare(data, size), b = launch(&l);
		best_bare = a < best_bare ? a : best_bare;
		best_launch = b < best_launch ? b : best_launch;
	}
	free(data);
	if (best_bare <= 0 || best_launch <= 0)
		return 70;
	printf("measure: %lu MiB, %ld processors, SHA-384 %.0f MB/s, launch digest %.0f MB/s\n",
	       mib, sysconf(_SC_NPROCESSORS_ONLN), (double)size / best_bare / 1e6,
	       (double)size / best_launch / 1e6);
	printf("measure: ratio %.3f\n", best_bare / best_launch);
	return 0;
}
