/*
 * Entropy from RNDR (FEAT_RNG, Arm ARM C6 and D19). It fails now and then, with Z set, when
 * its source is exhausted.
 */
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/io.h"
#include "drivers/port/rng.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"

#define ATTEMPTS 100

static bool rndr(u64 *v)
{
	u64 ok;

	__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, ne" : "=r"(*v), "=r"(ok) :: "cc");
	return ok;
}

static err_t rndr_read(struct rng *r, void *buf, size_t len)
{
	u8 *p = buf;
	u32 failed = 0;
	u64 v;

	while (len) {
		size_t n = MIN(len, sizeof(v));

		if (!rndr(&v)) {
			if (++failed == ATTEMPTS)
				return ERRF(E_IO, "RNDR gives no random numbers");
			continue;
		}
		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
	return OK;
}

static const struct rng_ops rndr_ops = { .read = rndr_read };
static struct rng rndr_rng = { .ops = &rndr_ops, .name = "RNDR" };
static bool present;			/* set once */

void rng_init(void)
{
	present = BITS(sysreg_read(id_aa64isar0_el1), 63, 60) != 0;
	log_info("entropy: %s", present ? "RNDR" : "none, this CPU has no RNDR");
}

struct rng *arch_rng(void)
{
	return present ? &rndr_rng : NULL;
}
