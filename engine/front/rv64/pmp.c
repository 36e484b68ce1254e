/*
 * Physical memory protection: 16 entries of any kind down to 4 bytes. Privileged spec 3.7.
 *
 * The lowest-numbered entry that matches any byte of an access decides, and must match all
 * of them. Entries bind M-mode only if locked; S and U have nothing that no entry grants.
 */
#include "engine/front/rv64/rv64.h"

enum { PMP_A = 3 << 3, PMP_OFF = 0, PMP_TOR = 1 << 3, PMP_NA4 = 2 << 3, PMP_NAPOT = 3 << 3 };

#define PMP_ADDR_MASK	MASK(54)	/* of pmpaddr: bits 55..2 of an address */

/* [*first, *last] of entry @i, both inclusive; false if it matches nothing. */
static bool pmp_region(const struct rv64_state *st, u32 i, gpa_t *first, gpa_t *last)
{
	u64 addr = st->pmpaddr[i], ones;

	switch (st->pmpcfg[i] & PMP_A) {
	case PMP_TOR:
		*first = i ? st->pmpaddr[i - 1] << 2 : 0;
		*last = (addr << 2) - 1;
		return *first < addr << 2;
	case PMP_NA4:
		*first = addr << 2;
		*last = *first + 3;
		return true;
	case PMP_NAPOT:
		ones = addr ^ (addr + 1);		/* trailing ones and the zero above */
		*first = (addr & ~ones) << 2;
		*last = *first + (ones << 2 | 3);
		return true;
	}
	return false;
}

u32 rv64_pmp(const struct rv64_state *st, enum rv64_priv priv, gpa_t gpa, u64 len)
{
	for (u32 i = 0; i < RV64_PMP_COUNT; i++) {
		gpa_t first, last;

		if (!pmp_region(st, i, &first, &last) || last < gpa || first > gpa + len - 1)
			continue;
		if (first > gpa || last < gpa + len - 1)
			return PMP_SPLIT;
		if (priv == PRIV_M && !(st->pmpcfg[i] & PMP_L))
			break;
		return st->pmpcfg[i] & (PMP_R | PMP_W | PMP_X);
	}
	return priv == PRIV_M ? PMP_R | PMP_W | PMP_X : 0;
}

static void pmp_changed(struct gcpu *g)
{
	tlb_flush_all(g->tlb);
	gcpu_request(g, REQ_UNLINK);	/* links between blocks were made under the old rules */
	rv64_ctx_update(g);
}

u64 rv64_pmp_read_cfg(const struct rv64_state *st, u32 reg)
{
	u64 v = 0;

	for (u32 i = 0; i < 8 && 8 * reg + i < RV64_PMP_COUNT; i++)
		v |= (u64)st->pmpcfg[8 * reg + i] << 8 * i;
	return v;
}

void rv64_pmp_write_cfg(struct gcpu *g, u32 reg, u64 v)
{
	struct rv64_state *st = rv64_st(g);

	for (u32 i = 0; i < 8 && 8 * reg + i < RV64_PMP_COUNT; i++) {
		u8 *cfg = &st->pmpcfg[8 * reg + i], new = (u8)(v >> 8 * i);

		if (*cfg & PMP_L)
			continue;
		new &= PMP_R | PMP_W | PMP_X | PMP_A | PMP_L;
		if (!(new & PMP_R))
			new &= (u8)~PMP_W;		/* W without R is reserved */
		*cfg = new;
	}
	pmp_changed(g);
}

void rv64_pmp_write_addr(struct gcpu *g, u32 i, u64 v)
{
	struct rv64_state *st = rv64_st(g);
	u8 above = i + 1 < RV64_PMP_COUNT ? st->pmpcfg[i + 1] : 0;

	if (i >= RV64_PMP_COUNT || st->pmpcfg[i] & PMP_L)
		return;
	if (above & PMP_L && (above & PMP_A) == PMP_TOR)
		return;					/* it is the base of a locked range */
	st->pmpaddr[i] = v & PMP_ADDR_MASK;
	pmp_changed(g);
}
