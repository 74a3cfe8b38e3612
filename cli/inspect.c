/* pavise inspect NAME: what the launcher of a running VM knows of it. */
#include "cli/status.h"

#include <getopt.h>
#include <stdio.h>

static const char USAGE[] =
	"usage: pavise inspect NAME [--json] [--run-dir DIR]\n\n"
	"Prints what the launcher of VM NAME says of it: phase, isolation and what it lacks,\n"
	"processes with user id, label and limits, disks. Root may.\n";

static void print_disk(size_t i, const struct status_disk *d)
{
	printf("disk %zu:      %s, %llu bytes%s\n", i, d->path, (unsigned long long)d->size,
	       d->readonly ? ", read-only" : "");
}

static void print_cgroup(const struct status_cgroup *c)
{
	if (c->given)
		printf("%llu bytes of memory, %llu tasks", (unsigned long long)c->memory,
		       (unsigned long long)c->tasks);
}

static void print_process(const struct status_process *p)
{
	printf("process:     %s, pid %llu, uid %llu, label %s; at most %llu bytes a file, %llu "
	       "descriptors, %llu threads%s",
	       p->name, (unsigned long long)p->pid, (unsigned long long)p->uid, p->label,
	       (unsigned long long)p->file_size, (unsigned long long)p->descriptors,
	       (unsigned long long)p->threads, p->cgroup.given ? ", " : "");
	print_cgroup(&p->cgroup);
	putchar('\n');
}

static void print_text(const struct status *s)
{
	char isolation[STATUS_ISOLATION], tee[STATUS_TEE];

	status_isolation(s, isolation);
	status_tee(s, tee);
	printf("name:        %s\nuuid:        %s\nphase:       %s\n", s->name, s->uuid,
	       s->running ? "running" : "starting");
	if (s->running)
		printf("uptime:      %llu s\n", (unsigned long long)s->uptime);
	printf("isolation:   %s\ncategories:  %s\nprocessors:  %llu\nmemory:      %llu bytes\n"
	       "tee:         %s%s\nvtpm:        %s\nlauncher:    pid %llu\n",
	       isolation, s->pair, (unsigned long long)s->cpus, (unsigned long long)s->memory, tee,
	       s->simulated ? ": protects nothing" : "", s->vtpm ? "yes" : "no",
	       (unsigned long long)s->launcher);
	printf("limits:      %s", s->cgroup.given ? "" : "none");
	print_cgroup(&s->cgroup);
	putchar('\n');
	for (size_t i = 0; i < s->disk_count; i++)
		print_disk(i, &s->disk[i]);
	for (size_t i = 0; i < s->process_count; i++)
		print_process(&s->process[i]);
}

static int inspect(const char *run_dir, const char *name, bool json, struct err *e)
{
	struct status s;
	bool reached;
	int r = status_ask(run_dir, name, &s, &reached, e);

	if (r == 0 && json)
		r = json_dumpf(s.json, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF ?
			    0 :
			    err_set(e, EX_HOST, "output: cannot be written");
	else if (r == 0)
		print_text(&s);
	status_free(&s);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(e, EX_HOST, "output: cannot be written");
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *run_dir = NULL;
	bool json = false;
	struct err e = { 0 };
	int code;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == 'h')
			return fputs(USAGE, stdout) < 0 ? EX_HOST : EX_OK;
		if (code == 'r')
			run_dir = optarg;
		else if (code == 'j')
			json = true;
		else
			return EX_USAGE_ERROR;
	}
	if (optind != argc - 1) {
		fputs(USAGE, stderr);
		return EX_USAGE_ERROR;
	}
	return inspect(run_dir, argv[optind], json, &e) == 0 ? EX_OK :
							       err_report(&e, "pavise inspect");
}
