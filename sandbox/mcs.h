/* MCS category pairs: one per running VM, from a table that survives a crash of the launcher.
 *
 * Every VM gets exactly two distinct categories. Sets of equal size are what makes two levels
 * incomparable: neither dominates the other (a single category would be a subset of pairs that
 * hold it). The same pair names the VM's range of user ids.
 *
 * The table is a directory with one file "cA.cB" per held pair, made with O_EXCL while the
 * directory is locked (flock); the file holds "PID START NAME BOOT" of its owner
 * (docs/PROTOCOL.rundir). An entry whose owner is gone is reclaimed by the next allocation. What
 * else is in the directory is not the table's: left alone, never followed. */
#ifndef PAVISE_SANDBOX_MCS_H
#define PAVISE_SANDBOX_MCS_H

#include "common/err.h"
#include "sandbox/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MCS_CATEGORIES 1024u

/* User ids of the pair with index i: MCS_UID_BASE + i * MCS_UIDS and the MCS_UIDS - 1 behind it,
 * above every system's and container's usual range. */
#define MCS_UID_BASE 0x70000000u
#define MCS_UIDS 16u

struct mcs_pair {
	uint16_t low, high; /* low < high < MCS_CATEGORIES */
};

struct mcs_table {
	int dir;             /* descriptor of the table's directory; -1: closed */
	unsigned categories; /* the pool is c0..c(categories - 1) */
};

/* What a dead owner left. It may have died before it got the name, which somebody else may hold. */
struct mcs_dead {
	struct mcs_pair pair;
	pid_t pid;                      /* 0: the entry is garbled, so is the name: "" */
	char name[NAME_MAX_LENGTH + 1];
};

/* Called with the table locked (so it may not ask mcs_held). True: nothing carries the pair any
 * more, the table may give it to others. False: it is kept, and asked about again next time. */
typedef bool mcs_reclaimed_fn(void *context, const struct mcs_dead *dead);

/* Opens the table at path, making it (mode 0700) when absent. categories 3..1024. */
int mcs_open(const char *path, unsigned categories, struct mcs_table *t, struct err *e);
void mcs_close(struct mcs_table *t);

/* Gives back the pairs of the dead; reclaimed (NULL: nothing) is asked about each before its entry
 * goes, so whoever dies in between is followed by another one who finds the same. -EX_HOST. */
int mcs_reclaim(struct mcs_table *t, mcs_reclaimed_fn *reclaimed, void *context, struct err *e);

/* Reclaims what the dead left, then takes a uniformly random free pair for this process. The entry
 * is on the disk when this returns, where there is one. -EX_BUSY when every pair is held. The
 * caller releases it, or dies. */
int mcs_allocate(struct mcs_table *t, const char *name, mcs_reclaimed_fn *reclaimed, void *context,
		 struct mcs_pair *out, struct err *e);

/* Gives a pair of this process back; one that is not held is no error. It needs no lock: while the
 * owner lives nobody else removes the entry, nor can make another one of its name. */
void mcs_release(struct mcs_table *t, const struct mcs_pair *p);

/* Does a living process hold the pair? True too when that cannot be told. */
bool mcs_held(struct mcs_table *t, const struct mcs_pair *p);

/* 0..523775, different for different pairs. */
uint32_t mcs_index(const struct mcs_pair *p);

/* Makes "cA,cB" of a pair; out holds MCS_TEXT bytes. */
#define MCS_TEXT 16
void mcs_text(const struct mcs_pair *p, char *out);

/* Reads exactly "cA,cB" with A < B < 1024. */
bool mcs_parse(const char *text, struct mcs_pair *out);

#endif
