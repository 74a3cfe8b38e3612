#include "image/libraries.h"

#include "common/checked.h"
#include "common/file.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The loader that a program names, borrowed from its bytes; NULL: it is static. */
static int interpreter(const char *name, const uint8_t *data, size_t size, const char **out,
		       struct err *e)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	*out = NULL;
	if (size < sizeof(h))
		return err_set(e, EX_MALFORMED, "%s: no program", name);
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_machine != EM_X86_64 || h.e_phentsize != sizeof(p) ||
	    !ck_range(h.e_phoff, (uint64_t)h.e_phnum * sizeof(p), size))
		return err_set(e, EX_MALFORMED, "%s: no ELF program of x86-64", name);
	for (unsigned n = 0; n < h.e_phnum; n++) {
		memcpy(&p, data + h.e_phoff + n * sizeof(p), sizeof(p));
		if (p.p_type != PT_INTERP)
			continue;
		if (!ck_range(p.p_offset, p.p_filesz, size) || p.p_filesz < 2 ||
		    p.p_filesz > PATH_MAX || data[p.p_offset] != '/' ||
		    data[p.p_offset + p.p_filesz - 1] != '\0')
			return err_set(e, EX_MALFORMED, "%s: names no loader", name);
		*out = (const char *)data + p.p_offset;
		return 0;
	}
	return 0;
}

static void __attribute__((noreturn)) become_loader(int out, const char *loader,
						    const char *program)
{
	char *const argv[] = { (char *)loader, "--list", (char *)program, NULL };
	char *const empty[] = { NULL };

	if (dup2(out, STDOUT_FILENO) == STDOUT_FILENO)
		execve(loader, argv, empty);
	_exit(127);
}

/* "\tlibx.so.1 => /path/libx.so.1 (0x...)", or "\t/path/ld.so (0x...)"; others have no file. */
static int take_line(struct initrd *i, char *line, struct err *e)
{
	char *path = strstr(line, "=> "), *end;

	path = path != NULL ? path + 3 : line + strspn(line, "\t ");
	if (path[0] != '/' || (end = strstr(path, " (0x")) == NULL)
		return strstr(path, "not found") != NULL
			       ? err_set(e, EX_HOST, "library %.100s: install it",
					 line + strspn(line, "\t "))
			       : 0;
	*end = '\0';
	return initrd_add_file(i, path + 1, 0755, path, e);
}

static int take_list(struct initrd *i, FILE *list, struct err *e)
{
	char line[PATH_MAX + 256];
	int rc = 0;

	while (rc == 0 && fgets(line, sizeof(line), list) != NULL)
		rc = take_line(i, line, e);
	return rc;
}

static int add_libraries(struct initrd *i, const char *loader, const char *program, struct err *e)
{
	int ends[2], status = 0, rc;

	if (pipe(ends) != 0)
		return err_errno(e, EX_HOST, errno, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		become_loader(ends[1], loader, program);
	close(ends[1]);
	FILE *list = pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (list == NULL) {
		rc = err_errno(e, EX_HOST, errno, "%s", loader);
		close(ends[0]);
	} else {
		rc = take_list(i, list, e);
		fclose(list);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = err_set(e, EX_HOST, "%s: its loader %s cannot say which libraries it needs",
			     program, loader);
	return rc == 0 ? initrd_add_file(i, loader + 1, 0755, loader, e) : rc;
}

int program_add(struct initrd *i, const char *path, const char *from, struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	const char *loader = NULL;
	char absolute[PATH_MAX];
	int rc = file_read("program", from, INITRD_FILE_MAX, 0, &data, &size, e);

	if (rc < 0)
		return rc;
	rc = interpreter(from, data, size, &loader, e);
	if (rc == 0 && realpath(from, absolute) == NULL)
		rc = err_errno(e, EX_HOST, errno, "%s", from);
	if (rc == 0 && loader != NULL)
		rc = add_libraries(i, loader, absolute, e);
	if (rc < 0) {
		free(data);
		return rc;
	}
	return initrd_add(i, path, 0755, data, size, e);
}
