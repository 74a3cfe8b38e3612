/* The identity of a process: a pid alone is reused, a pid with its start time is not. */
#ifndef PAVISE_SANDBOX_PROCID_H
#define PAVISE_SANDBOX_PROCID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time of a process in clock ticks since boot (proc(5), /proc/PID/stat field 22).
 * False when there is no such process, or it is a zombie: that holds nothing any more. */
bool procid_start(pid_t pid, uint64_t *start);

/* The same from the text of a stat file. */
bool procid_parse(const char *text, uint64_t *start);

/* The kernel's id of this boot (random(4)), for what may outlive it: start times begin anew. */
#define PROCID_BOOT 37 /* bytes with the final NUL */
bool procid_boot(char out[PROCID_BOOT]);

#endif
