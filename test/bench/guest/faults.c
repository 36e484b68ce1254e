/* Page faults: map, touch every page, unmap. */
#include <sys/mman.h>

#include "test/bench/guest/bench.h"

#define PAGE	4096
#define PAGES	256
#define ROUNDS	80

u64 bench_faults(void)
{
	u64 sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		u8 *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			bench_die("mmap");
		if (madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE))
			bench_die("madvise");
		for (int i = 0; i < PAGES; i++)
			p[i * PAGE] += round + i;
		for (int i = 0; i < PAGES; i++)
			sum = bench_mix(sum, p[i * PAGE]);
		munmap(p, PAGES * PAGE);
	}
	return sum;
}
