/* What the front answers: docs/openapi.json, and nothing beside it. */
#ifndef PAVISE_ATTEST_FRONT_API_H
#define PAVISE_ATTEST_FRONT_API_H

#include "attest/front/fetch.h"
#include "attest/front/limits.h"

#include <event2/http.h>

struct api {
	struct fetcher *fetcher;
	struct limits limits;
	int log; /* one line a request */
};

/* Answers one request, now or when the guest has answered; arg is a struct api. */
void api_handle(struct evhttp_request *req, void *arg);

#endif
