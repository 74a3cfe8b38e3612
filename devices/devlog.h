/* The text log of a back end. What a guest does can write lines here, so their number is
 * bounded per process: the last line allowed says that nothing more will come. No clock and no
 * stdio: this runs after sealing. */
#ifndef PAVISE_DEVICES_DEVLOG_H
#define PAVISE_DEVICES_DEVLOG_H

#define DEVLOG_LINES_MAX 64

struct devlog {
	int fd;               /* append-only file; negative: no log */
	const char *name;     /* "blk": starts each line; borrowed */
	unsigned lines;       /* written so far */
};

/* One line, "NAME: text"; text without newline. At most DEVLOG_LINES_MAX lines in a process's
 * life. */
void devlog_line(struct devlog *log, const char *text);

#endif
