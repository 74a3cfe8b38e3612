/* The command line of pavise-vmm: key=value, written by the launcher, never by a person. */
#ifndef PAVISE_VMM_CONFIG_H
#define PAVISE_VMM_CONFIG_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_TYPE_MAX 8 /* characters of a device type */

struct config_device {
	char type[CONFIG_TYPE_MAX + 1]; /* "blk", "vsock" */
	int fd;                         /* its vhost-user socket */
};

struct config {
	const char *name;  /* [a-z0-9-]{1,32}, borrowed from argv */
	const char *label; /* SELinux label of this process, or "none"; borrowed */
	int control, kvm, plan, ram, log, console;
	int tpm;           /* -1: no TPM */
	uint64_t memory;   /* bytes */
	uint64_t cpus;     /* 1..FW_BOOT_CPU_MAX */
	unsigned device_count;
	struct config_device device[PCI_SLOT_MAX]; /* in PCI slot order, from slot 1 */

	/* SEV-SNP only; descriptors are -1 when absent */
	int sev;               /* /dev/sev: the kernel remembers this very number */
	int psp;               /* the simulated processor's socket; the platform model only */
	int certs;             /* certificate table for the guest: GHCB, extended guest request */
	int id_block, id_auth; /* files of 96 and 4096 bytes: both or none */
	bool has_host_data;
	uint8_t host_data[32]; /* appears in every attestation report of the guest */

	/* TDX only: they appear in every TDREPORT; zeros when not given */
	int quote; /* socket to pavise-quote (common/quote_wire.h); -1: no quotes */
	bool has_mr;
	uint8_t mrconfigid[48], mrowner[48], mrownerconfig[48];
};

/* Parses all arguments; every key up to cpus must be there once, the others
 * at most once (dev more often). -EX_USAGE_ERROR. */
int config_parse(struct config *c, int argc, char **argv, struct err *e);

/* Checks that this process runs under its label and that every descriptor is of its kind: SELinux
 * may have replaced one by a null device. -EX_HOST. */
int config_check_environment(const struct config *c, struct err *e);

#endif
