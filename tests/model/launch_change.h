/* One thing changed between prediction and launch: the controls of the launch matrix. */
#ifndef PAVISE_TESTS_MODEL_LAUNCH_CHANGE_H
#define PAVISE_TESTS_MODEL_LAUNCH_CHANGE_H

#include "tests/model/launch_one.h"

enum launch_change {
	CHANGE_NOTHING,
	/* One byte, or one place, of the plan (docs/PROTOCOL.plan). */
	CHANGE_IMAGE,       /* padding behind its header, so that it boots as before */
	CHANGE_LAST_PAGE,   /* of the image; with it the reset page of a trust domain, its copy */
	CHANGE_HASH_PAGE,
	CHANGE_ORDER,       /* hash page and the region before it change places */
	CHANGE_ZERO_SIZE,   /* one zero page less */
	CHANGE_MAILBOX_PLACE,
	CHANGE_RIP,         /* SEV-SNP: first processor's, one byte on */
	CHANGE_AP_RIP,      /* SEV-SNP: the others' */
	CHANGE_XFAM,        /* TDX: AVX-512 taken out */
	/* What the host is asked for. */
	CHANGE_CPUS,        /* one more */
	CHANGE_MEMORY,      /* 64 MiB more */
	CHANGE_HOST_DATA, CHANGE_MRCONFIGID, CHANGE_MROWNER, CHANGE_MROWNERCONFIG,
};

/* Changes l->config, or writes another plan to FOLDER/changed and makes it l->plan. The identity
 * that l->h will be given comes from l->config, what it is compared with from the prediction's:
 * see launch_difference. 0, or -1: that plan has no such part. */
int launch_change(struct launch *l, enum launch_change change);

#endif
