/* A host for pavise doctor that has everything, until a test takes something away. */
#ifndef PAVISE_TESTS_UNIT_FAKE_HOST_H
#define PAVISE_TESTS_UNIT_FAKE_HOST_H

#include "cli/doctor/doctor.h"

#include <stddef.h>

#define FAKE_FILES 48
#define FAKE_CAPS  256

enum fake_vendor { FAKE_AMD, FAKE_INTEL };

struct fake_file {
	const char *path, *text, *label;
	unsigned mode;
	int rc; /* of whoever touches it */
};

struct fake_host {
	struct fake_file file[FAKE_FILES];
	unsigned files;
	unsigned caps[FAKE_CAPS];
	int feature[4];
	int api, create_vm, create_td, slot; /* what KVM answers */
	int platform_rc;                     /* SNP_PLATFORM_STATUS; then what it says: */
	unsigned api_major, api_minor, state, rmp;
	unsigned tdx_entries;                /* that KVM_TDX_CAPABILITIES has */
	unsigned long long tdx_attributes;
	unsigned sev_eax, sev_edx, family_ecx;
	enum fake_vendor vendor;
	enum doctor_selinux selinux;
	int mcs, knows, walls;
	const char *unknown_type;            /* a type that the policy does not have */
	int descriptors;                     /* open now */
};

void fake_host_init(struct fake_host *f, enum fake_vendor vendor);
struct fake_file *fake_file(struct fake_host *f, const char *path); /* NULL: no such file */
struct doctor_host fake_doctor_host(struct fake_host *f);

#endif
