/* The parts of emit.h that are no one-liners. */
#include "emit.h"

u64 seed = 88172645463325252;
u16 *at;

void regs_random(struct regs *r)
{
	r->x[0] = 0;
	for (u32 i = 1; i < 32; i++)
		r->x[i] = random();
	for (u32 i = 0; i < 32; i++)
		r->f[i] = random();
	r->fcsr = 0;
}

u64 probe_in(u64 priv, const struct regs *in, struct regs *out, u64 entry)
{
	static u32 nothing[] = { EBREAK };
	static u64 overhead;
	u64 status = (read_csr(mstatus) & ~MPP) | priv << 11, cause;
	struct regs out0;

	if (!overhead) {
		fence_i();
		probe(in, &out0, (u64)nothing, status | MPP);
		overhead = out0.instret;
	}
	cause = probe(in, out, entry, status);
	out->instret -= overhead;
	return cause;
}
