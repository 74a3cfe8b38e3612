/* Mutexes of tests with one thread (ld --wrap): to lock one twice, or to unlock one that is not
 * locked, ends the test at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	if (pthread_mutex_trylock(m) != 0) {
		fprintf(stderr, "mutex: locked already, or none\n");
		abort();
	}
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (pthread_mutex_trylock(m) == 0) {
		fprintf(stderr, "mutex: unlocked, but nobody locked it\n");
		abort();
	}
	return __real_pthread_mutex_unlock(m);
}
