/*
 * hotpool MB: keeps MB of free memory in the hands of this machine, until it
 * is killed.
 *
 * Some virtual machines give free blocks of 2 MiB back to their host, and
 * the first touch afterwards costs more than what is to be measured.  So
 * this takes twice as much memory in small pages and gives every other
 * 512 KiB of it back to the kernel: the pieces cannot grow to such a block.
 */
#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "regress/tools/tool.h"

#define PIECE	((size_t)512 * 1024)

int
main(int argc, char **argv)
{
	size_t		 size, at, page;
	char		*p;

	log_init("hotpool", 1, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: hotpool megabytes\n");
		return (1);
	}
	size = (size_t)tool_number(argv[1], 1, 1 << 20) * 2 * 1024 * 1024;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		fatal("mmap");
	if (madvise(p, size, MADV_NOHUGEPAGE) == -1)
		fatal("madvise");
	page = sysconf(_SC_PAGESIZE);
	for (at = 0; at < size; at += page)
		p[at] = 1;
	for (at = 0; at < size; at += 2 * PIECE)
		if (madvise(p + at, PIECE, MADV_DONTNEED) == -1)
			fatal("madvise");
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
