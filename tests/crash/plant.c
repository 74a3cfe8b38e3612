/* Leaks made on purpose, one of each kind: a suite that does not name them finds nothing at all. */
#include "tests/crash/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct mcs_pair pair = { 1, 2 };
#define PAIR_ENTRY "c1.c2"
#define UID_OF_PAIR (MCS_UID_BASE + MCS_UIDS * 1023u) /* pairs with c0 come first */

static pid_t stray; /* the process of a plant */

/* A process that makes itself what `become` says, and stays. True once it is. */
static bool start_stray(bool (*become)(const struct place *), const struct place *p)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return false;
	stray = fork();
	if (stray == 0) {
		if (!become(p) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	bool good = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return good;
}

static void end_stray(void)
{
	if (stray <= 0)
		return;
	kill(stray, SIGKILL);
	waitpid(stray, NULL, 0);
	stray = 0;
}

static void in_run(const struct place *p, const char *name, char out[96])
{
	snprintf(out, 96, "%s/%s", p->run, name);
}

/* ---- the plants: true when the leak is there ----------------------------------------------- */

static bool be_nobody(const struct place *p)
{
	(void)p;
	return true;
}

static bool be_a_vm(const struct place *p)
{
	(void)p;
	return setresuid(UID_OF_PAIR, UID_OF_PAIR, UID_OF_PAIR) == 0;
}

static bool be_apart(const struct place *p)
{
	(void)p;
	return unshare(CLONE_NEWNET) == 0;
}

static bool be_locking(const struct place *p)
{
	int fd = open(p->disk[0].path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static bool plant_process(struct place *p)
{
	return start_stray(be_nobody, p);
}

static bool plant_user(struct place *p)
{
	p->pair[0] = pair;
	p->pair_count = 1;
	return start_stray(be_a_vm, p);
}

static bool plant_namespace(struct place *p)
{
	return start_stray(be_apart, p);
}

static bool plant_lock(struct place *p)
{
	return start_stray(be_locking, p);
}

static bool plant_folder(struct place *p)
{
	char path[96];

	in_run(p, "ghost", path);
	return mkdir(path, 0700) == 0;
}

static bool plant_mount(struct place *p)
{
	char path[96];

	in_run(p, "ghost", path);
	return plant_folder(p) && mount("ghost", path, "tmpfs", 0, NULL) == 0;
}

static bool plant_mounted_namespace(struct place *p)
{
	char path[96], from[48];

	in_run(p, "ghost", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) != 0 || !start_stray(be_apart, p))
		return false;
	snprintf(from, sizeof(from), "/proc/%d/ns/net", (int)stray);
	bool good = mount(from, path, NULL, MS_BIND, NULL) == 0;
	end_stray(); /* the mount alone holds it now */
	return good;
}

static bool plant_pair(struct place *p)
{
	char path[96];

	in_run(p, ".pairs/" PAIR_ENTRY, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && close(fd) == 0;
}

static int listener = -1;

static bool plant_socket(struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/ghost", p->run);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return listener >= 0 && bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	       listen(listener, 1) == 0;
}

static bool plant_cgroup(struct place *p)
{
	char path[96];

	(void)mkdir(p->cgroup, 0700);
	snprintf(path, sizeof(path), "%s/" PAIR_ENTRY, p->cgroup);
	return mkdir(path, 0700) == 0;
}

/* Where SELinux is, its own type at a level of its own; elsewhere any text will do. */
static bool plant_label(struct place *p)
{
	char label[160];

	snprintf(label, sizeof(label), "%s:c1,c2", p->disk[0].label[0] != '\0' ?
		 p->disk[0].label : "unconfined_u:object_r:pavise_image_t:s0");
	return place_set_label(p, 0, label);
}

static void undo(struct place *p)
{
	char path[96];

	end_stray();
	in_run(p, "ghost", path);
	umount2(path, MNT_DETACH);
	(void)unlink(path);
	(void)rmdir(path);
	in_run(p, ".pairs/" PAIR_ENTRY, path);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/" PAIR_ENTRY, p->cgroup);
	(void)rmdir(path);
	if (listener >= 0)
		close(listener);
	listener = -1;
}

static void restore_label(struct place *p)
{
	(void)place_set_label(p, 0, p->disk[0].label);
}

static const struct {
	const char *what;
	bool (*plant)(struct place *);
	const char *named; /* the suite has to say */
	void (*restore)(struct place *); /* beyond what undo does */
} plants[] = {
	{ .what = "a process", .plant = plant_process, .named = "process " },
	{ .what = "a process with a VM's user id", .plant = plant_user, .named = ", a VM's" },
	{ .what = "a namespace held by a process", .plant = plant_namespace,
	  .named = "namespace net:[" },
	{ .what = "a namespace held by a mount", .plant = plant_mounted_namespace,
	  .named = "namespace that is mounted: " },
	{ .what = "a mount", .plant = plant_mount, .named = "mount: " },
	{ .what = "a socket", .plant = plant_socket, .named = "socket: " },
	{ .what = "a lock on an image", .plant = plant_lock, .named = "lock on " },
	{ .what = "a folder", .plant = plant_folder, .named = "folder: " },
	{ .what = "a pair", .plant = plant_pair, .named = "pair: " },
	{ .what = "a cgroup", .plant = plant_cgroup, .named = "cgroup: " },
	{ .what = "a label of an image", .plant = plant_label, .named = "label of ",
	  .restore = restore_label },
};

static bool is_named(const struct place *p, const char *text)
{
	static struct leaks l;

	leaks_of_all(p, &l);
	for (unsigned i = 0; i < l.count && i < LEAKS_KEPT; i++)
		if (strstr(l.text[i], text) != NULL)
			return true;
	return false;
}

/* The suite as a whole: a leak that no next command clears is counted. */
static bool is_counted(struct suite *s)
{
	unsigned before = s->leaks;
	bool planted = plant_folder(&s->scene.place);

	printf("(on purpose) ");
	suite_judge(s, "a planted folder", false);
	undo(&s->scene.place);
	bool counted = planted && s->leaks > before;
	s->leaks = before;
	return counted;
}

bool suite_planted(struct suite *s)
{
	struct place *p = &s->scene.place;
	const unsigned all = sizeof(plants) / sizeof(plants[0]);
	unsigned named = 0;
	struct outcome o;

	vm_run(&s->scene, &next_setup, NULL, &o); /* makes the run directory */
	for (unsigned i = 0; i < all; i++) {
		bool before = is_named(p, plants[i].named);
		bool planted = plants[i].plant(p);
		int cause = errno;
		bool found = is_named(p, plants[i].named);
		undo(p);
		if (plants[i].restore != NULL)
			plants[i].restore(p);
		bool after = is_named(p, plants[i].named);
		bool good = planted && found && !before && !after;
		named += good;
		printf("planted: %s: %s\n", plants[i].what,
		       good ? "named" : !planted ? strerror(cause) : !found ? "NOT FOUND" :
						   "named without being there");
	}
	bool counted = is_counted(s);
	printf("planted: a folder in the middle of the suite: %s\n",
	       counted ? "counted" : "NOT COUNTED");
	printf("crash: %u leaks planted, %u named\n", all + 1, named + counted);
	return named == all && counted;
}
