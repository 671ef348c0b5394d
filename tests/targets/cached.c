// SPDX-License-Identifier: GPL-2.0
/* cached FILE: prints how many bytes of it are in the page cache. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t page = sysconf(_SC_PAGESIZE), pages, cached = 0, i;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	unsigned char *present;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		err(1, "the file");
	pages = (st.st_size + page - 1) / page;
	if (!pages)
		errx(1, "the file is empty");
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	present = calloc(pages, 1);
	if (map == MAP_FAILED || !present || mincore(map, st.st_size, present))
		err(1, "mincore");
	for (i = 0; i < pages; i++)
		cached += present[i] & 1;
	printf("%zu\n", cached * page);
	return 0;
}
