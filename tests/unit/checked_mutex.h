/* Mutexes of tests with one thread (ld --wrap): to lock one twice, or to unlock one that is not
 * locked, ends the test at once. */
#ifndef PAVISE_TESTS_CHECKED_MUTEX_H
#define PAVISE_TESTS_CHECKED_MUTEX_H

#include <pthread.h>
#include <stdbool.h>

extern bool mutex_init_fails; /* from now on */

bool mutex_is_locked(pthread_mutex_t *m);

#endif
