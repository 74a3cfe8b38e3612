#include "attest/measure/snp/contents.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS_MAX 4u
#define PAGES_PER_THREAD 256u /* below 1 MiB a thread costs more than it saves */

struct slice {
	const uint8_t *data;
	uint8_t (*out)[SNP_DIGEST_SIZE];
	size_t pages;
	int result;
	struct err e;
	pthread_t thread;
	int started;
};

static void *hash_slice(void *arg)
{
	struct slice *s = arg;
	struct snp_digest d;

	s->result = snp_digest_open(&d, &s->e);
	for (size_t i = 0; s->result == 0 && i < s->pages; i++)
		s->result = snp_digest_contents(&d, s->data + i * SNP_PAGE_SIZE, s->out[i], &s->e);
	snp_digest_close(&d);
	return NULL;
}

static size_t thread_count(size_t pages)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = pages / PAGES_PER_THREAD;

	if (online > 0 && n > (size_t)online)
		n = (size_t)online;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	return n == 0 ? 1 : n;
}

int snp_contents(const uint8_t *data, size_t pages, uint8_t (*out)[SNP_DIGEST_SIZE], struct err *e)
{
	struct slice slice[THREADS_MAX] = { 0 };
	size_t threads = thread_count(pages), done = 0;
	int r = 0;

	for (size_t i = 0; i < threads; i++) {
		struct slice *s = &slice[i];
		size_t n = i + 1 == threads ? pages - done : pages / threads;
		s->data = data + done * SNP_PAGE_SIZE;
		s->out = out + done;
		s->pages = n;
		done += n;
		/* The last slice is the caller's own, and any that gets no thread. */
		s->started =
			i + 1 < threads && pthread_create(&s->thread, NULL, hash_slice, s) == 0;
		if (!s->started)
			hash_slice(s);
	}
	for (size_t i = 0; i < threads; i++) {
		if (slice[i].started)
			pthread_join(slice[i].thread, NULL);
		if (slice[i].result < 0 && r == 0)
			r = err_set(e, EX_INTERNAL, "%s", slice[i].e.text);
	}
	return r;
}
