#include "tests/unit/checked_mutex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

bool mutex_init_fails;

int __real_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes)
{
	return mutex_init_fails ? EAGAIN : __real_pthread_mutex_init(m, attributes);
}

bool mutex_is_locked(pthread_mutex_t *m)
{
	if (pthread_mutex_trylock(m) != 0)
		return true;
	(void)__real_pthread_mutex_unlock(m);
	return false;
}

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
