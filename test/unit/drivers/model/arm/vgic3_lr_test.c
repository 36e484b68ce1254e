/*
 * The GICv3 with list registers. A virtual CPU interface in miniature (IHI 0069, 4.9) takes the
 * part of the hardware; the same random machine and guests run on it, on the model's own CPU
 * interface and on a plain model of this file, and all three must agree at every step.
 */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/arm/irq.h"

#define CPUS	2
#define ICC(crn, crm, op2)	(3 << 14 | (crn) << 7 | (crm) << 3 | (op2))

enum { PMR = ICC(4, 6, 0), IAR0 = ICC(12, 8, 0), EOIR0 = ICC(12, 8, 1), BPR0 = ICC(12, 8, 3),
       DIR = ICC(12, 11, 1), RPR = ICC(12, 11, 3), SGI1R = ICC(12, 11, 5), SGI0R = ICC(12, 11, 7),
       IAR1 = ICC(12, 12, 0), EOIR1 = ICC(12, 12, 1), BPR1 = ICC(12, 12, 3),
       CTLR = ICC(12, 12, 4), IGRPEN0 = ICC(12, 12, 6), IGRPEN1 = ICC(12, 12, 7) };
enum { GROUP = 0x80, SET_ENABLE = 0x100, CLEAR_ENABLE = 0x180, SET_PENDING = 0x200,
       CLEAR_PENDING = 0x280, SET_ACTIVE = 0x300, CLEAR_ACTIVE = 0x380, PRIORITY = 0x400,
       CONFIG = 0xc00, ROUTER = 0x6000, WAKER = 0x14 };

#define LR_P	BIT(62)
#define LR_A	BIT(63)

static const u32 intids[] = { 0, 1, 27, 32, 33, 34, 35, 36, 37 };

/* ---- two devices: [0] through ICC_*, [1] through list registers ---- */

static struct dev d[2];
static bool out[2][2 * CPUS];
static struct irq_line lines[2][2 * CPUS];

static void note(void *ctl, u32 input, bool level)
{
	((bool *)ctl)[input] = level;
}

static void wr(u64 off, u32 len, u64 val)
{
	bench_write(&d[0], off, len, val);
	bench_write(&d[1], off, len, val);
}

static u64 sgi_frame(u32 cpu) { return GIC_REDIST + cpu * GIC_REDIST_LEN + 0x10000; }

static u64 frame(u32 cpu, u32 intid)
{
	return intid < 32 ? sgi_frame(cpu) : 0;
}

/* ---- the hardware ---- */

static struct hw {
	u64 lr[GIC_LR_MAX];
	u32 ich[GIC_ICH_COUNT];
	bool more, loaded;
} hw[CPUS];
static u32 lrs, round_trips;

static u32 field(u32 cpu, u32 hi, u32 lo)
{
	return (u32)BITS(hw[cpu].ich[GIC_ICH_VMCR], hi, lo);
}

static void set_field(u32 cpu, u32 hi, u32 lo, u64 val)
{
	u32 mask = (u32)(MASK(hi - lo + 1) << lo);

	hw[cpu].ich[GIC_ICH_VMCR] = (hw[cpu].ich[GIC_ICH_VMCR] & ~mask) | ((u32)val << lo & mask);
}

static u32 running_of(u32 levels)
{
	return levels ? 8 * (u32)__builtin_ctz(levels) : 0xff;
}

static u32 preemption_of(u32 group, bool cbpr, u32 bpr0, u32 bpr1, u32 priority)
{
	return priority & (0xff << (group && !cbpr ? bpr1 : bpr0 + 1)) & 0xff;
}

static u32 hw_running(u32 cpu)
{
	return running_of(hw[cpu].ich[GIC_ICH_AP0R] | hw[cpu].ich[GIC_ICH_AP1R]);
}

static u32 hw_preemption(u32 cpu, u64 lr)
{
	return preemption_of(lr >> 60 & 1, field(cpu, 4, 4), field(cpu, 23, 21), field(cpu, 20, 18),
			     (u32)BITS(lr, 55, 48));
}

/* The most urgent pending one of the enabled groups. */
static u64 *hw_best(u32 cpu)
{
	u64 *best = NULL;

	for (u32 i = 0; i < lrs; i++) {
		u64 *lr = &hw[cpu].lr[i];

		if ((*lr & (LR_P | LR_A)) != LR_P || !field(cpu, *lr >> 60 & 1, *lr >> 60 & 1))
			continue;
		if (!best || BITS(*lr, 55, 48) < BITS(*best, 55, 48) ||
		    (BITS(*lr, 55, 48) == BITS(*best, 55, 48) && (u32)*lr < (u32)*best))
			best = lr;
	}
	return best;
}

static u32 hw_acknowledge(u32 cpu, u32 group)
{
	u64 *lr = hw_best(cpu);

	if (!lr || (*lr >> 60 & 1) != group || BITS(*lr, 55, 48) >= field(cpu, 31, 24) ||
	    hw_preemption(cpu, *lr) >= hw_running(cpu))
		return 1023;
	*lr ^= LR_P | LR_A;
	hw[cpu].ich[GIC_ICH_AP0R + group] |= 1u << hw_preemption(cpu, *lr) / 8;
	return (u32)*lr;
}

static void hw_deactivate(u32 cpu, u32 intid)
{
	for (u32 i = 0; i < lrs; i++) {
		if ((u32)hw[cpu].lr[i] == intid && hw[cpu].lr[i] & LR_A) {
			hw[cpu].lr[i] &= ~LR_A;
			return;
		}
	}
	hw[cpu].ich[GIC_ICH_EOICOUNT]++;
}

static void hw_end(u32 cpu, u32 group, u32 intid)
{
	u32 levels = hw[cpu].ich[GIC_ICH_AP0R] | hw[cpu].ich[GIC_ICH_AP1R];

	hw[cpu].ich[GIC_ICH_AP0R + group] &= ~(levels & -levels);
	if (!field(cpu, 9, 9))
		hw_deactivate(cpu, intid);
}

/* Would a maintenance interrupt, or the line, bring the CPU out of its guest? */
static bool hw_leaves(u32 cpu)
{
	bool pending = false, leaves = out[1][2 * cpu] || hw[cpu].ich[GIC_ICH_EOICOUNT];

	for (u32 i = 0; i < lrs; i++) {
		pending |= (hw[cpu].lr[i] & (LR_P | LR_A)) == LR_P;
		leaves |= hw[cpu].lr[i] & BIT(41) && !(hw[cpu].lr[i] & (LR_P | LR_A));
	}
	return leaves || (hw[cpu].more && !pending);
}

static void hw_leave(u32 cpu)
{
	if (hw[cpu].loaded)
		vgic3_store(&d[1], cpu, hw[cpu].lr, lrs, hw[cpu].ich);
	hw[cpu].loaded = false;
}

static void hw_enter(u32 cpu)
{
	hw[cpu].more = vgic3_load(&d[1], cpu, hw[cpu].lr, lrs, hw[cpu].ich);
	hw[cpu].loaded = true;
	assert_false(out[1][2 * cpu] || out[1][2 * cpu + 1]);
	round_trips++;
}

/* Until nobody has a reason to leave; one CPU's list registers may be another's news. */
static void hw_serve(void)
{
	u32 quiet = 0;

	for (u32 turns = 0; quiet < CPUS; turns++) {
		u32 cpu = turns % CPUS;

		quiet++;
		if (hw[cpu].loaded && !hw_leaves(cpu))
			continue;
		hw_leave(cpu);
		hw_enter(cpu);
		quiet = 0;
		assert_in_range(turns, 0, 4 * CPUS);	/* no livelock */
	}
}

/* ---- the plain model ---- */

static struct ref_irq {
	bool level, latch, edge, enable, active, group;
	u8 priority, route;
} ref[CPUS][64];
static struct ref_cpu {
	u32 pmr, bpr[2], ctlr, grpen[2], apr[2];
} refc[CPUS];
static u32 ref_groups;

static struct ref_irq *ref_at(u32 cpu, u32 intid)
{
	return &ref[intid < 32 ? cpu : 0][intid];
}

static u32 ref_signalled(u32 cpu)
{
	struct ref_cpu *c = &refc[cpu];
	u32 best = 1023, floor = 256;

	for (u32 n = 0; n < ARRAY_LEN(intids); n++) {
		struct ref_irq *i = ref_at(cpu, intids[n]);

		if ((i->latch || (i->level && !i->edge)) && i->enable && !i->active &&
		    ref_groups & 1u << i->group && c->grpen[i->group] && i->priority < floor &&
		    (intids[n] < 32 || i->route == cpu)) {
			floor = i->priority;
			best = intids[n];
		}
	}
	if (floor >= c->pmr || best == 1023)
		return 1023;
	return preemption_of(ref_at(cpu, best)->group, c->ctlr & 1, c->bpr[0], c->bpr[1], floor) <
			       running_of(c->apr[0] | c->apr[1]) ? best : 1023;
}

static u32 ref_acknowledge(u32 cpu, u32 group)
{
	struct ref_cpu *c = &refc[cpu];
	u32 intid = ref_signalled(cpu);
	struct ref_irq *i = ref_at(cpu, intid & 63);

	if (intid == 1023 || i->group != group)
		return 1023;
	i->active = true;
	i->latch = false;
	c->apr[group] |= 1u << preemption_of(group, c->ctlr & 1, c->bpr[0], c->bpr[1],
					     i->priority) / 8;
	return intid;
}

static void ref_end(u32 cpu, u32 group, u32 intid)
{
	u32 levels = refc[cpu].apr[0] | refc[cpu].apr[1];

	refc[cpu].apr[group] &= ~(levels & -levels);
	if (!(refc[cpu].ctlr & 2))
		ref_at(cpu, intid)->active = false;
}

/* ---- what the machine does ---- */

static u64 seed;
static bool disciplined; /* guests end interrupts in order; few list registers suffice then */
static struct { u32 intid[16], group[16], n; } taken[CPUS];

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static u64 icc(u32 cpu, u32 reg)
{
	u64 val;

	assert_true(vgic3_sysreg(&d[0], cpu, reg, false, &val));
	return val;
}

static void set_icc(u32 cpu, u32 reg, u64 val)
{
	assert_true(vgic3_sysreg(&d[0], cpu, reg, true, &val));
}

static void drive(u32 cpu, u32 intid, bool level)
{
	struct ref_irq *i = ref_at(cpu, intid);

	for (u32 n = 0; n < 2; n++) {
		if (intid >= 32)
			vgic3_input(&d[n], intid, level);
		else
			vgic3_ppi(&d[n], cpu, intid, level);
	}
	i->latch |= i->edge && level && !i->level;
	i->level = level;
}

static void send_sgi(u32 cpu, u32 intid, u32 targets, u32 group)
{
	vgic3_sgi(&d[0], cpu, (u64)intid << 24 | targets, group);
	vgic3_sgi(&d[1], cpu, (u64)intid << 24 | targets, group);
	for (u32 c = 0; c < CPUS; c++)
		if (targets & 1u << c && ref[c][intid].group == group)
			ref[c][intid].latch = true;
}

static void configure(u32 cpu, u32 intid, bool edge)
{
	u64 off = frame(cpu, intid) + CONFIG + intid / 16 * 4;
	u32 bit = 2u << intid % 16 * 2, old = (u32)bench_read(&d[0], off, 4);

	wr(off, 4, edge ? old | bit : old & ~bit);
	ref_at(cpu, intid)->edge = edge;
}

static void regroup(u32 cpu, u32 intid, bool group)
{
	u64 off = frame(cpu, intid) + GROUP + intid / 32 * 4;
	u32 bit = 1u << intid % 32, old = (u32)bench_read(&d[0], off, 4);

	wr(off, 4, group ? old | bit : old & ~bit);
	ref_at(cpu, intid)->group = group;
}

static bool is_taken(u32 intid)
{
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		for (u32 n = 0; n < taken[cpu].n; n++)
			if (taken[cpu].intid[n] == intid)
				return true;
	return false;
}

static void bank(u32 cpu, u32 intid, u32 which)
{
	struct ref_irq *i = ref_at(cpu, intid);

	if ((which == SET_ACTIVE || which == CLEAR_ACTIVE) && is_taken(intid))
		return;		/* it could be taken twice: which of its ends is it then? */
	wr(frame(cpu, intid) + which + intid / 32 * 4, 4, 1u << intid % 32);
	switch (which) {
	case SET_ENABLE: i->enable = true; break;
	case CLEAR_ENABLE: i->enable = false; break;
	case SET_PENDING: i->latch = true; break;
	case CLEAR_PENDING: i->latch = false; break;
	case SET_ACTIVE: i->active = true; break;
	case CLEAR_ACTIVE: i->active = false; break;
	}
}

static void prioritize(u32 cpu, u32 intid, u8 priority)
{
	if (disciplined && ref_at(cpu, intid)->active)
		return;
	wr(frame(cpu, intid) + PRIORITY + intid, 1, priority);
	ref_at(cpu, intid)->priority = priority & 0xf8;
}

static void route(u32 intid, u32 cpu)
{
	if (intid < 32 || ref_at(0, intid)->active)
		return;
	wr(ROUTER + 8 * intid, 8, cpu);
	ref_at(0, intid)->route = (u8)cpu;
}

/* ---- what its guests do ---- */

static void acknowledge(u32 cpu, u32 group)
{
	u32 want = ref_acknowledge(cpu, group);

	assert_int_equal(icc(cpu, group ? IAR1 : IAR0), want);
	assert_int_equal(hw_acknowledge(cpu, group), want);
	if (want != 1023 && taken[cpu].n < 16) {
		taken[cpu].intid[taken[cpu].n] = want;
		taken[cpu].group[taken[cpu].n++] = group;
	}
}

static void end(u32 cpu)
{
	u32 n = --taken[cpu].n, intid = taken[cpu].intid[n], group = taken[cpu].group[n];

	ref_end(cpu, group, intid);
	set_icc(cpu, group ? EOIR1 : EOIR0, intid);
	hw_end(cpu, group, intid);
	if (refc[cpu].ctlr & 2) {
		hw_serve();
		ref_at(cpu, intid)->active = false;
		set_icc(cpu, DIR, intid);
		hw_deactivate(cpu, intid);
	}
}

static void mask(u32 cpu)
{
	struct ref_cpu *c = &refc[cpu];
	u32 group = rnd(2);

	switch (rnd(4)) {
	case 0:
		c->pmr = rnd(2) ? 0xf8 : rnd(32) * 8;
		set_icc(cpu, PMR, c->pmr);
		set_field(cpu, 31, 24, c->pmr);
		break;
	case 1:
		hw_leave(cpu);		/* an exit of its own if there is more than fits */
		c->grpen[group] = rnd(4) != 0;
		set_icc(cpu, group ? IGRPEN1 : IGRPEN0, c->grpen[group]);
		hw_enter(cpu);
		set_field(cpu, group, group, c->grpen[group]);
		hw_leave(cpu);
		hw_enter(cpu);
		break;
	case 2:
		if (taken[cpu].n)
			break;
		c->ctlr = rnd(disciplined ? 2 : 4);
		set_icc(cpu, CTLR, c->ctlr);
		set_field(cpu, 4, 4, c->ctlr & 1);
		set_field(cpu, 9, 9, c->ctlr >> 1);
		break;
	case 3:
		if (taken[cpu].n || c->ctlr & 1)
			break;
		c->bpr[group] = MAX(rnd(8), group ? 3 : 2);
		set_icc(cpu, group ? BPR1 : BPR0, c->bpr[group]);
		set_field(cpu, group ? 20 : 23, group ? 18 : 21, c->bpr[group]);
		break;
	}
}

/* Out of the guest, everything can be looked at: registers, and exact lines. */
static void look(u32 cpu)
{
	hw_leave(cpu);
	assert_int_equal(out[1][2 * cpu], out[0][2 * cpu]);
	assert_int_equal(out[1][2 * cpu + 1], out[0][2 * cpu + 1]);
	for (u32 other = 0; other < CPUS; other++)
		hw_leave(other);
	for (u32 n = 0; n < ARRAY_LEN(intids); n++) {
		u64 off = frame(cpu, intids[n]) + intids[n] / 32 * 4;
		struct ref_irq *i = ref_at(cpu, intids[n]);

		for (u32 k = 0; k < 2; k++) {
			assert_int_equal(bench_read(&d[k], off + SET_PENDING, 4) >>
					 intids[n] % 32 & 1, i->latch || (i->level && !i->edge));
			assert_int_equal(bench_read(&d[k], off + SET_ACTIVE, 4) >>
					 intids[n] % 32 & 1, i->active);
		}
	}
	hw_serve();
}

static void event(u32 cpu, u32 intid)
{
	static const u16 banks[] = { SET_ENABLE, SET_ENABLE, CLEAR_ENABLE, SET_PENDING,
				     CLEAR_PENDING, SET_ACTIVE, CLEAR_ACTIVE };

	switch (rnd(16)) {
	case 0: case 1: case 2: case 3: case 4:
		if (intid >= 16)
			drive(cpu, intid, rnd(2));
		break;
	case 5: case 6: case 7: send_sgi(cpu, rnd(2), rnd(4), rnd(4) != 0); break;
	case 8: case 9: case 10: case 11:
		bank(cpu, intid, banks[rnd(ARRAY_LEN(banks) - (disciplined ? 2 : 0))]);
		break;
	case 12: prioritize(cpu, intid, (u8)(rnd(8) * 32 + rnd(32))); break;
	case 13: route(intid, rnd(CPUS + 1)); break;
	case 14:
		if (intid >= 16)
			configure(cpu, intid, rnd(2));
		break;
	case 15:
		if (rnd(4)) {
			regroup(cpu, intid, rnd(4) != 0);
		} else {
			ref_groups = rnd(8) ? 3 : rnd(4);
			wr(0, 4, ref_groups);
		}
	}
}

static void step(void)
{
	u32 cpu = rnd(CPUS);

	hw_serve();
	switch (rnd(8)) {
	case 0: case 1: case 2: event(cpu, intids[rnd(ARRAY_LEN(intids))]); break;
	case 3: case 4: acknowledge(cpu, rnd(8) != 0); break;
	case 5: case 6:
		if (taken[cpu].n)
			end(cpu);
		break;
	case 7:
		if (rnd(2))
			mask(cpu);
		else
			look(cpu);
	}
	for (u32 c = 0; c < CPUS; c++) {
		assert_int_equal(icc(c, RPR), running_of(refc[c].apr[0] | refc[c].apr[1]));
		assert_int_equal(hw_running(c), icc(c, RPR));
	}
}

/* ---- set-up ---- */

static void machine_open(void)
{
	bench_open();
	memset(out, 0, sizeof(out));
	memset(hw, 0, sizeof(hw));
	memset(ref, 0, sizeof(ref));
	memset(refc, 0, sizeof(refc));
	memset(taken, 0, sizeof(taken));
	for (u32 n = 0; n < 2; n++) {
		d[n] = bench_dev(&vgic3_model, 0x1000000);
		d[n].base += n * 0x1000000;
		for (u32 i = 0; i < 2 * CPUS; i++)
			lines[n][i] = (struct irq_line){ note, out[n], i };
		d[n].out = lines[n];
		d[n].outs = 2 * CPUS;
		assert_int_equal(dev_create(&d[n]), OK);
	}
	ref_groups = 3;
	wr(0, 4, 3);
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		wr(GIC_REDIST + cpu * GIC_REDIST_LEN + WAKER, 4, 0);
		refc[cpu] = (struct ref_cpu){ 0xf8, { 2, 3 }, 0, { 1, 1 }, { 0 } };
		set_icc(cpu, PMR, 0xf8);
		set_icc(cpu, IGRPEN0, 1);
		set_icc(cpu, IGRPEN1, 1);
		hw_enter(cpu);
		set_field(cpu, 31, 24, 0xf8);
		set_field(cpu, 1, 0, 3);
		for (u32 n = 0; n < ARRAY_LEN(intids); n++) {
			ref_at(cpu, intids[n])->edge = intids[n] < 16;
			regroup(cpu, intids[n], true);
			bank(cpu, intids[n], SET_ENABLE);
		}
	}
}

static void machine_close(void)
{
	dev_destroy(&d[1]);
	dev_destroy(&d[0]);
	bench_close();
}

static void run(u32 list_registers, bool in_order, u32 seeds)
{
	lrs = list_registers;
	disciplined = in_order;
	for (u32 n = 1; n <= seeds; n++) {
		seed = (u64)n << 32 | list_registers;
		machine_open();
		for (u32 i = 0; i < 2000; i++)
			step();
		machine_close();
	}
}

static void room_for_all(void **s) { run(16, false, 150); }
static void four(void **s) { run(4, true, 150); }
static void two(void **s) { run(2, true, 150); }
static void only_one(void **s) { run(1, true, 150); }

/* ---- by hand ---- */

static void what_is_in_a_list_register(void **s)
{
	lrs = 4;
	machine_open();
	prioritize(0, 27, 0x48);
	prioritize(0, 33, 0xa0);
	configure(0, 33, true);
	regroup(0, 27, false);
	hw_leave(0);
	drive(0, 27, true);
	drive(0, 33, true);
	hw_enter(0);
	assert_int_equal(hw[0].lr[0], LR_P | 0x48ull << 48 | BIT(41) | 27);
	assert_int_equal(hw[0].lr[1], LR_P | BIT(60) | 0xa0ull << 48 | 33);
	assert_int_equal(hw[0].lr[2] | hw[0].lr[3], 0);
	assert_false(hw[0].more);
	assert_int_equal(hw[0].ich[GIC_ICH_VMCR] & 0xff00021f, 0xf800000b);
	hw[0].lr[0] ^= LR_P | LR_A;
	hw[0].lr[1] = 0;
	hw_leave(0);
	assert_int_equal(bench_read(&d[1], sgi_frame(0) + SET_ACTIVE, 4), BIT(27));
	assert_int_equal(bench_read(&d[1], SET_PENDING + 4, 4), 0);
	machine_close();
}

static void news_and_no_news(void **s)
{
	lrs = 1;
	machine_open();
	hw_leave(0);
	drive(0, 32, true);
	assert_true(out[1][0]);			/* outside: the guest has an interrupt */
	drive(0, 33, true);
	hw_enter(0);
	assert_true(hw[0].more);
	assert_false(out[1][0]);		/* inside: nothing it does not know of */
	drive(0, 34, true);
	assert_true(out[1][0]);
	hw_leave(0);
	hw_enter(0);
	drive(0, 32, false);			/* taken back while it is listed */
	assert_true(out[1][0]);
	hw_leave(0);
	hw_enter(0);
	assert_int_equal((u32)hw[0].lr[0], 33);
	machine_close();
}

/* A runner that is out of its mind harms its guest only. */
static void hostile_list_registers(void **s)
{
	u32 ich[GIC_ICH_COUNT] = { ~0u, ~0u, ~0u, ~0u };
	u64 lr[GIC_LR_MAX];

	lrs = 16;
	machine_open();
	memset(lr, 0xff, sizeof(lr));
	for (u32 n = 0; n < ARRAY_LEN(intids); n++)
		bank(0, intids[n], SET_PENDING);
	hw_leave(0);
	vgic3_load(&d[1], 0, lr, 4, ich);
	memset(lr, 0xff, sizeof(lr));
	memset(ich, 0xff, sizeof(ich));
	vgic3_store(&d[1], 0, lr, 2, ich);
	vgic3_store(&d[1], 0, lr, 16, ich);
	vgic3_load(&d[1], 0, lr, 0, ich);
	vgic3_store(&d[1], 0, NULL, 0, ich);
	machine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_a_list_register),
		cmocka_unit_test(news_and_no_news),
		cmocka_unit_test(hostile_list_registers),
		cmocka_unit_test(room_for_all),
		cmocka_unit_test(four),
		cmocka_unit_test(two),
		cmocka_unit_test(only_one),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%u round trips through list registers\n", round_trips);
	return failed;
}
