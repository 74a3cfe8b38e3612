/* The GHCB protocols (AMD publication 56421, GHCB standard, version 2), ring 0, the asking side.
 * Whatever comes back was written by the host: each value is read once, each response code, range
 * and reserved bit is checked, and nothing but the stated result is used.
 * Every function returns STOP_HANDED_OVER (0) or the code to stop with. */
#ifndef PAVISE_FIRMWARE_GHCB_H
#define PAVISE_FIRMWARE_GHCB_H

#include "firmware/snp_ops.h"
#include "firmware/stop.h"

/* One word for the host before the processor stops for ever (GHCB MSR protocol 0x100): bits 15:12
 * the set of reasons, 23:16 the reason. Ours are stop codes. */
#define GHCB_TERMINATE 0x100
#define GHCB_STOP_SET  3

/* Operations of a page state change. */
#define GHCB_PRIVATE 1u
#define GHCB_SHARED  2u

/* Entries of one page state change: what the shared buffer holds (2032 bytes, header 8). */
#define GHCB_PSC_MAX 253u
/* Calls without any progress that one page state change survives. */
#define GHCB_PSC_STALLS 16u

/* One entry: guest-physical address, operation, and whether it is a 2 MiB page. */
#define GHCB_PSC_LARGE (1ull << 56)
static inline uint64_t ghcb_psc_entry(uint64_t gpa, unsigned operation, bool large)
{
	return gpa | (uint64_t)operation << 52 | (large ? GHCB_PSC_LARGE : 0);
}

/* Agrees on version 2, checks that the host offers SEV-SNP and AP creation and means our C-bit,
 * makes FW_GHCB a shared page and registers it. Before this the page protocol must not be used. */
enum fw_stop ghcb_open(const struct snp_ops *o);

/* Changes the state of one 4 KiB page by the MSR protocol. */
enum fw_stop ghcb_page_state(const struct snp_ops *o, uint64_t gpa, unsigned operation);

/* Changes the states of `count` pages, 1..GHCB_PSC_MAX. The host may stop in between; the call is
 * repeated from our own index, a bounded number of times. */
enum fw_stop ghcb_page_states(const struct snp_ops *o, const uint64_t *entries, unsigned count);

/* A 32-bit access to a device's registers. *out is the host's claim, as from any device. */
enum fw_stop ghcb_mmio_read(const struct snp_ops *o, uint64_t gpa, uint32_t *out);
enum fw_stop ghcb_mmio_write(const struct snp_ops *o, uint64_t gpa, uint32_t value);

/* A 32-bit OUT. */
enum fw_stop ghcb_port_write(const struct snp_ops *o, uint16_t port, uint32_t value);

#endif
