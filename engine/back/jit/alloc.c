/*
 * Where values are while a block is written: in a pinned register that still holds them, in a
 * temporary, in memory (an unpinned register of the guest, or their own spill slot), or in
 * several of these. A register is only given up for another value after whatever it holds is
 * safe elsewhere, so the order of events needs no lookahead but each value's last use.
 *
 * A slot of the state is vacated before it is PUT: what lived in it and is used later moves to
 * a temporary. The result of an operation that the next one PUTs is made in the pinned register
 * itself.
 */
#include "engine/back/jit/jit.h"

#include "kernel/base/panic.h"
#include "kernel/base/str.h"

static bool is_const(const struct jit *j, val_t v)
{
	return j->ir->op[v].op == IR_CONST;
}

bool jit_dead_after(const struct jit *j, val_t v, u32 i)
{
	return j->last[v] <= i;
}

u32 jit_next_op(const struct jit *j, u32 i)
{
	do
		i++;
	while (i < j->ir->count && (j->ir->op[i].op == IR_NOP || j->ir->op[i].op == IR_CONST));
	return i;
}

s32 jit_spill_slot(const struct jit *j, val_t v)
{
	return (s32)(ALIGN_UP(j->isa->state_size, (size_t)64) + 16u * v);
}
_Static_assert(16 * IR_OPS_MAX + JIT_FRAME_ROOM <= GCPU_TEMPS, "every value has a spill slot");

void jit_places_init(struct jit *j)
{
	memset(j->place, NO_REG, j->ir->count * sizeof(j->place[0]));
	for (u32 v = 0; v < j->ir->count; v++)
		j->place[v].mem = false;
	memset(j->reg, 0, sizeof(j->reg));
	memset(j->freg, 0, sizeof(j->freg));
	memset(j->slot, 0, sizeof(j->slot));
	j->locked = j->flocked = 0;
	j->suspects = j->born = (struct suspects){ 0 };
	j->written = 0;
}

/* ---- suspects (jit.h) ---- */

static void suspect_not(struct jit *j, u32 regs)
{
	j->suspects.regs[0] &= ~regs;
	j->suspects.regs[1] &= ~regs;
}

/* @d is what @s is. */
static void fmove(struct jit *j, u8 d, u8 s)
{
	j->t->fmove(j, d, s);
	suspect_not(j, 1u << d);
	for (u32 k = 0; k < 2; k++)
		j->suspects.regs[k] |= (j->suspects.regs[k] >> s & 1) << d;
}

/* Only what is settled goes to memory or to an integer register. */
static void fstore(struct jit *j, s32 off, u8 s)
{
	jit_settle(j, 1u << s);
	j->t->fstore(j, off, s);
}

static void from_fp(struct jit *j, u8 d, u8 s)
{
	jit_settle(j, 1u << s);
	j->t->from_fp(j, d, s);
}

static void suspects_end_op(struct jit *j)
{
	suspect_not(j, j->written);
	for (u32 k = 0; k < 2; k++)
		j->suspects.regs[k] |= j->born.regs[k];
	j->born = (struct suspects){ 0 };
	j->written = 0;
}

/* ---- giving up registers ---- */

static bool is_temp(const struct jit *j, u8 r)
{
	return r != NO_REG && j->t->temps >> r & 1;
}

static bool is_ftemp(const struct jit *j, u8 r)
{
	return r != NO_REG && j->t->ftemps >> r & 1;
}

s32 jit_to_memory(struct jit *j, val_t v)
{
	struct place *p = &j->place[v];

	if (p->mem)
		return p->off;
	p->off = jit_spill_slot(j, v);
	p->mem = true;
	if (is_const(j, v))
		j->t->store_imm(j, p->off, j->ir->op[v].imm);
	else if (p->reg != NO_REG)
		j->t->store(j, p->off, p->reg);
	else
		fstore(j, p->off, p->freg);
	return p->off;
}

/* Is @v safe when the place that the caller is about to take away is gone? */
static bool is_elsewhere(const struct jit *j, val_t v, bool reg, bool freg, bool mem)
{
	const struct place *p = &j->place[v];

	return is_const(j, v) || (reg && p->reg != NO_REG) || (freg && p->freg != NO_REG) ||
	       (mem && p->mem);
}

static void reg_evict(struct jit *j, u8 r)
{
	val_t v = j->reg[r];

	if (!v)
		return;
	if (!is_elsewhere(j, v, false, true, true))
		jit_to_memory(j, v);
	j->place[v].reg = NO_REG;
	j->reg[r] = 0;
}

static void freg_evict(struct jit *j, u8 r)
{
	val_t v = j->freg[r];

	if (!v)
		return;
	if (!is_elsewhere(j, v, true, false, true))
		jit_to_memory(j, v);
	j->place[v].freg = NO_REG;
	j->freg[r] = 0;
}

/* The free one of @set, else the one whose value is used furthest away. */
static u8 pick(const struct jit *j, u32 set, const val_t *held)
{
	u8 best = NO_REG;

	for (; set; set &= set - 1) {
		u8 r = (u8)__builtin_ctz(set);

		if (!held[r])
			return r;
		if (best == NO_REG || j->last[held[r]] > j->last[held[best]])
			best = r;
	}
	assert(best != NO_REG);
	return best;
}

u8 jit_temp(struct jit *j)
{
	u8 r = pick(j, j->t->temps & ~j->locked, j->reg);

	reg_evict(j, r);
	j->locked |= 1u << r;
	return r;
}

u8 jit_ftemp(struct jit *j)
{
	u8 r = pick(j, j->t->ftemps & ~j->flocked, j->freg);

	freg_evict(j, r);
	suspect_not(j, 1u << r);
	j->flocked |= 1u << r;
	return r;
}

void jit_take(struct jit *j, u8 r)
{
	reg_evict(j, r);
	j->locked |= 1u << r;
}

void jit_places_end_op(struct jit *j)
{
	j->locked = j->flocked = 0;
	for (u32 set = j->t->temps; set; set &= set - 1) {
		u32 r = (u32)__builtin_ctz(set);
		val_t v = j->reg[r];

		if (v && jit_dead_after(j, v, j->op))
			j->place[v].reg = NO_REG, j->reg[r] = 0;
	}
	if (!j->fp)
		return;
	suspects_end_op(j);
	for (u32 set = j->t->ftemps; set; set &= set - 1) {
		u32 r = (u32)__builtin_ctz(set);
		val_t v = j->freg[r];

		if (v && jit_dead_after(j, v, j->op))
			j->place[v].freg = NO_REG, j->freg[r] = 0;
	}
}

/* ---- operands ---- */

static void hold(struct jit *j, u8 r, val_t v)
{
	j->reg[r] = v;
	j->place[v].reg = r;
}

u8 jit_use(struct jit *j, val_t v)
{
	struct place *p = &j->place[v];
	u8 r = p->reg;

	if (r == NO_REG) {
		r = jit_temp(j);
		if (is_const(j, v))
			j->t->imm(j, r, j->ir->op[v].imm);
		else if (p->freg != NO_REG)
			from_fp(j, r, p->freg);
		else
			j->t->load(j, r, p->off);
		hold(j, r, v);
	}
	j->locked |= 1u << r;
	return r;
}

u8 jit_fuse(struct jit *j, val_t v)
{
	struct place *p = &j->place[v];
	u8 r = p->freg;

	if (r == NO_REG) {
		u32 locked = j->locked;

		r = jit_ftemp(j);
		if (p->reg != NO_REG || is_const(j, v))
			j->t->to_fp(j, r, jit_use(j, v));
		else
			j->t->fload(j, r, p->off);
		j->locked = locked;		/* the operation reads it here */
		j->freg[r] = v;
		p->freg = r;
		j->locked = locked;	/* it is not read there any more */
	}
	j->flocked |= 1u << r;
	return r;
}

/* ---- slots of the state ---- */

static u32 slot_of(const struct ir_op *o)
{
	return o->off % 8 == 0 && o->off / 8 < IR_MEMO ? (u32)o->off / 8 : IR_MEMO;
}

/* What lives in slot @s no longer does; it moves if it is used after operation @at. */
static void slot_vacate(struct jit *j, u32 s, u32 at)
{
	val_t v = s < IR_MEMO ? j->slot[s] : 0;
	struct place *p = &j->place[v];
	bool in_reg, in_freg, in_mem;

	if (!v)
		return;
	j->slot[s] = 0;
	in_reg = p->reg != NO_REG && p->reg == j->pins->reg[s];
	in_freg = p->freg != NO_REG && p->freg == j->pins->freg[s];
	in_mem = p->mem && p->off == (s32)(8 * s);
	if (!jit_dead_after(j, v, at) && !is_elsewhere(j, v, !in_reg, !in_freg, !in_mem)) {
		if (in_reg && !(j->t->temps & ~j->locked)) {
			jit_to_memory(j, v);
			p->reg = NO_REG;
			return;
		}
		u8 r = in_freg ? jit_ftemp(j) : jit_temp(j);

		if (in_freg)
			fmove(j, r, p->freg);
		else if (in_reg)
			j->t->move(j, r, p->reg);
		else
			j->t->load(j, r, p->off);
		/* The operation does not need it where it is now: it may move once more. */
		if (in_freg) {
			j->freg[r] = v;
			p->freg = r;
			j->flocked &= ~(1u << r);
			in_freg = false;
		} else {
			hold(j, r, v);
			j->locked &= ~(1u << r);
			in_reg = false;
		}
	}
	if (in_reg)
		p->reg = NO_REG;
	if (in_freg)
		p->freg = NO_REG;
	if (in_mem)
		p->mem = false;
}

void jit_vacate(struct jit *j, u32 first, u32 last)
{
	for (u32 s = first; s <= last && s < IR_MEMO; s++)
		slot_vacate(j, s, j->op - 1);
}

void jit_vacate_all(struct jit *j)
{
	jit_vacate(j, 0, IR_MEMO - 1);
}

void jit_sync(struct jit *j, u32 first, u32 last, bool out)
{
	for (u32 s = first; s <= last && s < IR_MEMO; s++) {
		s32 off = (s32)(8 * s);

		if (j->pins->reg[s] != NO_REG && out)
			j->t->store(j, off, j->pins->reg[s]);
		else if (j->pins->reg[s] != NO_REG)
			j->t->load(j, j->pins->reg[s], off);
		else if (j->pins->freg[s] != NO_REG && out)
			fstore(j, off, j->pins->freg[s]);
		else if (j->pins->freg[s] != NO_REG)
			j->t->fload(j, j->pins->freg[s], off);
	}
}

void jit_sync_part(struct jit *j, const struct ir_op *o, u32 len, bool out)
{
	jit_sync(j, (u32)o->off / 8, ((u32)o->off + len - 1) / 8, out);
}

/* The slot that the operation after @i PUTs the result of @i to, or IR_MEMO. */
static u32 put_after(const struct jit *j, u32 i, u32 *put)
{
	u32 n = jit_next_op(j, i);

	*put = n;
	if (n >= j->ir->count || j->ir->op[n].op != IR_PUT64 || j->ir->op[n].a != i)
		return IR_MEMO;
	return slot_of(&j->ir->op[n]);
}

/* A temporary that the result may take over from operand @v, which dies here. */
static bool inherit(const struct jit *j, val_t v, u32 i)
{
	return v && is_temp(j, j->place[v].reg) && jit_dead_after(j, v, i);
}

u8 jit_def(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 n, s = put_after(j, i, &n);
	u8 r;

	if (s < IR_MEMO && j->pins->reg[s] != NO_REG) {
		slot_vacate(j, s, n);
		j->slot[s] = (val_t)i;
		return j->place[i].reg = j->pins->reg[s];
	}
	val_t from = inherit(j, o->a, i) ? o->a : inherit(j, o->b, i) ? o->b :
		     inherit(j, o->c, i) ? o->c : 0;

	if (from) {
		r = j->place[from].reg;
		j->place[from].reg = NO_REG;
		j->locked |= 1u << r;
	} else {
		r = jit_temp(j);
	}
	hold(j, r, (val_t)i);
	return r;
}

u8 jit_fdef(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 n, s = put_after(j, i, &n);
	u8 r;

	if (s < IR_MEMO && j->pins->freg[s] != NO_REG) {
		slot_vacate(j, s, n);
		j->slot[s] = (val_t)i;
		j->written |= 1u << j->pins->freg[s];
		return j->place[i].freg = j->pins->freg[s];
	}
	if (o->a && is_ftemp(j, j->place[o->a].freg) && jit_dead_after(j, o->a, i)) {
		r = j->place[o->a].freg;
		j->place[o->a].freg = NO_REG;
		j->flocked |= 1u << r;
	} else {
		r = jit_ftemp(j);
	}
	j->written |= 1u << r;
	j->freg[r] = (val_t)i;
	return j->place[i].freg = r;
}

u32 jit_in_place(struct jit *j, u32 i, val_t v, s32 *off)
{
	u32 n, s = put_after(j, i, &n);
	struct place *p = &j->place[v];

	*off = 8 * (s32)s;
	if (s == IR_MEMO || j->slot[s] != v || p->reg != NO_REG || p->freg != NO_REG || !p->mem ||
	    p->off != *off || j->ir->op[i].uses != 1 || !jit_dead_after(j, v, n))
		return 0;
	j->slot[s] = 0;
	p->mem = false;
	return n;
}

s32 jit_def_memory(struct jit *j, u32 i)
{
	struct place *p = &j->place[i];

	p->mem = true;
	return p->off = jit_spill_slot(j, (val_t)i);
}

/* ---- GET and PUT of whole registers; the rest of both is the target's ---- */

u32 jit_get(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 s = slot_of(o);
	struct place *p = &j->place[i];

	if (s < IR_MEMO && j->slot[s])
		slot_vacate(j, s, i);
	if (s < IR_MEMO && j->pins->reg[s] != NO_REG) {
		p->reg = j->pins->reg[s];
	} else if (s < IR_MEMO && j->pins->freg[s] != NO_REG) {
		p->freg = j->pins->freg[s];
	} else {
		p->mem = true;
		p->off = o->off;
	}
	if (s < IR_MEMO) {
		j->slot[s] = (val_t)i;
	} else {
		/* Nobody would notice a PUT there: take a copy. */
		u8 r = jit_temp(j);

		j->t->load(j, r, p->off);
		p->mem = false;
		hold(j, r, (val_t)i);
	}
	return i;
}

static void put_memory(struct jit *j, s32 off, val_t v)
{
	struct place *p = &j->place[v];

	if (is_const(j, v) && p->reg == NO_REG)
		j->t->store_imm(j, off, j->ir->op[v].imm);
	else if (p->reg == NO_REG && p->freg != NO_REG)
		fstore(j, off, p->freg);
	else
		j->t->store(j, off, jit_use(j, v));
}

u32 jit_put(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 s = slot_of(o);
	struct place *p = &j->place[o->a];
	val_t v = o->a;

	if (s == IR_MEMO) {
		/* An odd place may lie across two slots. */
		u32 first = (u32)o->off / 8, last = ((u32)o->off + 7) / 8;

		for (u32 k = first; k <= last; k++)
			slot_vacate(j, k, i - 1);
		jit_sync(j, first, last, true);
		put_memory(j, o->off, v);
		jit_sync(j, first, last, false);
		return i;
	}
	if (j->slot[s] == v)
		return i;		/* made there, or came from there */
	slot_vacate(j, s, i);
	if (j->pins->reg[s] != NO_REG) {
		u8 pin = j->pins->reg[s];

		if (p->reg != NO_REG)
			j->t->move(j, pin, p->reg);
		else if (is_const(j, v))
			j->t->imm(j, pin, j->ir->op[v].imm);
		else if (p->freg != NO_REG)
			from_fp(j, pin, p->freg);
		else
			j->t->load(j, pin, p->off);
		if (p->reg == NO_REG || is_temp(j, p->reg)) {
			if (p->reg != NO_REG)
				j->reg[p->reg] = 0;
			p->reg = pin;
			j->slot[s] = v;
		}
	} else if (j->pins->freg[s] != NO_REG) {
		u8 pin = j->pins->freg[s];

		suspect_not(j, 1u << pin);
		if (p->freg != NO_REG)
			fmove(j, pin, p->freg);
		else if (p->reg != NO_REG || is_const(j, v))
			j->t->to_fp(j, pin, jit_use(j, v));
		else
			j->t->fload(j, pin, p->off);
		if (!is_const(j, v) && (p->freg == NO_REG || is_ftemp(j, p->freg))) {
			if (p->freg != NO_REG)
				j->freg[p->freg] = 0;
			p->freg = pin;
			j->slot[s] = v;
		}
	} else {
		put_memory(j, o->off, v);
		if (!p->mem && !is_const(j, v)) {
			p->mem = true;
			p->off = o->off;
			j->slot[s] = v;
		}
	}
	return i;
}
