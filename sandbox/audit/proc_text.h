/* Lines of /proc files that a process has a hand in: its mappings bear names of files it chose. */
#ifndef PAVISE_SANDBOX_AUDIT_PROC_TEXT_H
#define PAVISE_SANDBOX_AUDIT_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of /proc/PID/maps (proc(5)). */
struct mapping {
	bool write, execute, shared;
	unsigned major, minor;
	uint64_t inode;     /* 0: no file */
	const char *name;   /* borrowed, up to the end of the line; "" : none */
	size_t name_size;
};

/* Takes the line at *at (moved behind it). False: it is none; *at is NULL then. */
bool mapping_next(const char **at, struct mapping *out);

/* The soft and hard value of a line of /proc/PID/limits, "Max open files" say; UINT64_MAX:
 * unlimited. False: there is no such line. */
bool limit_find(const char *text, const char *name, uint64_t *soft, uint64_t *hard);

/* Mount point and options of a line of /proc/PID/mountinfo, at *at, which is moved behind it. */
struct mounted {
	char point[128], options[128], type[24];
};
bool mounted_next(const char **at, struct mounted *out);

#endif
