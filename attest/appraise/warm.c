#include "attest/appraise/warm.h"

#include "attest/appraise/request.h"

#include <stdlib.h>
#include <string.h>

/* One file as it was given. */
struct kept_file {
	char *name;
	uint8_t *data;
	size_t size;
};

struct warm {
	struct cert_cache *certs;
	struct collateral collateral; /* of the files; empty while it is lent */
	struct kept_file file[REQUEST_COLLATERAL_MAX];
	size_t files;
};

struct warm *warm_new(void)
{
	struct warm *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->certs = cert_cache_new();
	if (w->certs != NULL)
		return w;
	free(w);
	return NULL;
}

static void drop_files(struct warm *w)
{
	for (size_t i = 0; i < w->files; i++) {
		free(w->file[i].name);
		free(w->file[i].data);
	}
	w->files = 0;
	collateral_free(&w->collateral);
}

void warm_free(struct warm *w)
{
	if (w == NULL)
		return;
	drop_files(w);
	cert_cache_free(w->certs);
	free(w);
}

struct cert_cache *warm_certs(struct warm *w)
{
	return w != NULL ? w->certs : NULL;
}

static const char *name_of(const struct blob *b)
{
	return b->name != NULL ? b->name : "";
}

static bool same_files(const struct warm *w, const struct blob *file, size_t count)
{
	if (w->files != count || count == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (w->file[i].size != file[i].size ||
		    strcmp(w->file[i].name, name_of(&file[i])) != 0 ||
		    memcmp(w->file[i].data, file[i].data, file[i].size) != 0)
			return false;
	return true;
}

bool warm_take(struct warm *w, const struct blob *file, size_t count, struct collateral *out)
{
	if (w == NULL || w->collateral.parts == 0 || !same_files(w, file, count))
		return false;
	*out = w->collateral;
	w->collateral.parts = 0; /* *out's now */
	return true;
}

static bool copy_file(struct warm *w, const struct blob *from)
{
	struct kept_file *to = &w->file[w->files];

	to->name = strdup(name_of(from));
	to->data = malloc(from->size + 1);
	to->size = from->size;
	if (to->name == NULL || to->data == NULL) {
		free(to->name);
		free(to->data);
		return false;
	}
	memcpy(to->data, from->data, from->size);
	w->files++;
	return true;
}

static bool copy_files(struct warm *w, const struct blob *file, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (file[i].size > WARM_COLLATERAL_MAX - sum)
			return false;
		sum += file[i].size;
	}
	drop_files(w);
	for (size_t i = 0; i < count; i++)
		if (!copy_file(w, &file[i]))
			return false;
	return count > 0;
}

void warm_keep(struct warm *w, const struct blob *file, size_t count, struct collateral *c)
{
	if (w == NULL || count > REQUEST_COLLATERAL_MAX || c->parts == 0)
		return;
	if (!same_files(w, file, count) && !copy_files(w, file, count)) {
		drop_files(w);
		return;
	}
	collateral_free(&w->collateral);
	w->collateral = *c;
	c->parts = 0; /* the keeper's now */
}
