/* What the launcher under test and the suite agree on. The environment variable PAVISE_FAULT is
 *   record:FD             the points that were passed, as struct passage, written to FD at the end
 *   kill:FD:OFFSET:N      who passes the point for the N-th time dies there
 *   launcher:FD:OFFSET:N  the launcher dies, while who passes waits for that and then goes on
 * OFFSET is the return address of the call within the program, hexadecimal. FD says FAULT_HIT of a
 * fault that came about. */
#ifndef PAVISE_TESTS_CRASH_FAULT_H
#define PAVISE_TESTS_CRASH_FAULT_H

#include <stdint.h>

#define FAULT_HIT "hit\n"

struct passage {
	uint32_t offset;
	uint32_t child; /* 0: the launcher's own; 1: of a child before its program runs */
};

#endif
