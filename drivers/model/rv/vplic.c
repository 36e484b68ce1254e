/*
 * RISC-V platform level interrupt controller, as on QEMU's virt (sifive,plic-1.0.0): 95
 * sources, 8 priorities, two contexts per hart. RISC-V PLIC specification 1.0.0.
 *
 * Gateways are level triggered: a high input makes its source pending unless it is being
 * served; once pending it stays so until claimed, even if the input drops; completion looks
 * at the input again. Claims ignore the threshold (chapter 9). A completion is accepted from
 * a context that has the source disabled meanwhile: the specification would drop it, QEMU
 * does not, and old kernels that migrate an interrupt while serving it depend on that.
 */
#include "drivers/model/rv/irq.h"

#include "drivers/model/model.h"
#include "kernel/base/log.h"

#define WORDS		(PLIC_SOURCES / 32)
#define PRIORITY_MAX	7

enum {
	PLIC_PRIORITY = 0x0,		/* + 4 * source */
	PLIC_PENDING = 0x1000,		/* + 4 * word */
	PLIC_ENABLE = 0x2000,		/* + 0x80 * context + 4 * word */
	PLIC_ENABLE_STRIDE = 0x80,
	PLIC_CONTEXT = 0x200000,	/* + 0x1000 * context */
	PLIC_CONTEXT_STRIDE = 0x1000,
	PLIC_THRESHOLD = 0,
	PLIC_CLAIM = 4,
};

struct vplic {
	u32 input[WORDS], pending[WORDS], serving[WORDS];
	u8 priority[PLIC_SOURCES];
	u32 enable[PLIC_CONTEXTS * WORDS];
	u8 threshold[PLIC_CONTEXTS];
	bool out[PLIC_CONTEXTS];	/* levels on dev->out */
};

static const struct field vplic_fields[] = {
	FIELD_ARRAY(struct vplic, input),
	FIELD_ARRAY(struct vplic, pending),
	FIELD_ARRAY(struct vplic, serving),
	FIELD_ARRAY(struct vplic, priority),
	FIELD_ARRAY(struct vplic, enable),
	FIELD_ARRAY(struct vplic, threshold),
	FIELD_ARRAY(struct vplic, out),
	{ NULL },
};

/* Of sources pending and enabled in @ctx: the first of the highest priority above @floor, or 0. */
static u32 vplic_best(const struct vplic *p, u32 ctx, u32 floor)
{
	u32 best = 0;

	for (u32 w = 0; w < WORDS; w++) {
		u32 ready = p->pending[w] & p->enable[ctx * WORDS + w];

		for (; ready; ready &= ready - 1) {
			u32 source = 32 * w + (u32)__builtin_ctz(ready);

			if (p->priority[source] > floor) {
				floor = p->priority[source];
				best = source;
			}
		}
	}
	return best;
}

static void vplic_update(struct dev *d)
{
	struct vplic *p = d->state;

	for (u32 ctx = 0; ctx < d->outs; ctx++) {
		bool level = vplic_best(p, ctx, p->threshold[ctx]) != 0;

		if (level != p->out[ctx]) {
			p->out[ctx] = level;
			irq_set(&d->out[ctx], level);
		}
	}
}

/* The gateway: forward a high input once, then wait for completion. */
static void vplic_gate(struct vplic *p, u32 w)
{
	p->pending[w] |= p->input[w] & ~p->serving[w];
}

void vplic_input(void *ctl, u32 source, bool level)
{
	struct dev *d = ctl;
	struct vplic *p = d->state;
	u32 w = source / 32, bit = 1u << source % 32;

	if (!source || source >= PLIC_SOURCES || !!(p->input[w] & bit) == level)
		return;
	p->input[w] ^= bit;
	if (level) {
		vplic_gate(p, w);
		vplic_update(d);
	}
}

static u32 vplic_claim(struct dev *d, u32 ctx)
{
	struct vplic *p = d->state;
	u32 source = vplic_best(p, ctx, 0), w = source / 32, bit = 1u << source % 32;

	if (source) {
		p->pending[w] &= ~bit;
		p->serving[w] |= bit;
		vplic_update(d);
	}
	return source;
}

static void vplic_complete(struct dev *d, u32 source)
{
	struct vplic *p = d->state;

	if (source >= PLIC_SOURCES)
		return;
	p->serving[source / 32] &= ~(1u << source % 32);
	vplic_gate(p, source / 32);
	vplic_update(d);
}

static u64 vplic_read(struct dev *d, u64 off, u32 len)
{
	struct vplic *p = d->state;
	u64 ctx, word;

	if (len != 4 || off % 4)
		return 0;
	if (off < PLIC_PENDING)
		return off / 4 < PLIC_SOURCES ? p->priority[off / 4] : 0;
	if (off < PLIC_ENABLE) {
		word = (off - PLIC_PENDING) / 4;
		return word < WORDS ? p->pending[word] : 0;
	}
	if (off < PLIC_CONTEXT) {
		ctx = (off - PLIC_ENABLE) / PLIC_ENABLE_STRIDE;
		word = off % PLIC_ENABLE_STRIDE / 4;
		return ctx < d->outs && word < WORDS ? p->enable[ctx * WORDS + word] : 0;
	}
	ctx = (off - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE;
	if (ctx >= d->outs)
		return 0;
	switch (off % PLIC_CONTEXT_STRIDE) {
	case PLIC_THRESHOLD: return p->threshold[ctx];
	case PLIC_CLAIM: return vplic_claim(d, (u32)ctx);
	}
	return 0;
}

static void vplic_write_context(struct dev *d, u64 ctx, u64 reg, u32 val)
{
	struct vplic *p = d->state;

	if (ctx >= d->outs)
		return;
	if (reg == PLIC_THRESHOLD) {
		p->threshold[ctx] = val & PRIORITY_MAX;
		vplic_update(d);
	} else if (reg == PLIC_CLAIM) {
		vplic_complete(d, val);
	}
}

static void vplic_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vplic *p = d->state;
	u64 ctx, word;

	if (len != 4 || off % 4) {
		log_limited(LOG_DEBUG, "%s: %u-byte write at 0x%lx ignored", d->name, len, off);
	} else if (off < PLIC_PENDING) {
		if (off && off / 4 < PLIC_SOURCES)
			p->priority[off / 4] = val & PRIORITY_MAX;
		vplic_update(d);
	} else if (off >= PLIC_CONTEXT) {
		vplic_write_context(d, (off - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE,
				    off % PLIC_CONTEXT_STRIDE, (u32)val);
	} else if (off >= PLIC_ENABLE) {
		ctx = (off - PLIC_ENABLE) / PLIC_ENABLE_STRIDE;
		word = off % PLIC_ENABLE_STRIDE / 4;
		if (ctx < d->outs && word < WORDS)
			p->enable[ctx * WORDS + word] = (u32)val & (word ? ~0u : ~1u);
		vplic_update(d);
	}
}

/* Inputs keep the levels that other devices drive; everything else starts anew. */
static void vplic_reset(struct dev *d)
{
	struct vplic *p = d->state, fresh = { 0 };

	for (u32 w = 0; w < WORDS; w++) {
		fresh.input[w] = p->input[w];
		vplic_gate(&fresh, w);
	}
	*p = fresh;
	for (u32 ctx = 0; ctx < d->outs; ctx++)
		irq_set(&d->out[ctx], false);
}

static err_t vplic_attach(struct dev *d)
{
	if (d->outs > PLIC_CONTEXTS)
		return ERRF(E_RANGE, "%s: %u contexts, at most %u", d->name, d->outs,
			    PLIC_CONTEXTS);
	return OK;
}

const struct model vplic_model = {
	.name = "vplic",
	.compatible = "sifive,plic-1.0.0",
	.state_size = sizeof(struct vplic),
	.fields = vplic_fields,
	.attach = vplic_attach,
	.reset = vplic_reset,
	.read = vplic_read,
	.write = vplic_write,
};
