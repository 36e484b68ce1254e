/*
 * Device models: what the guest sees. A model is a const struct; an instance is a struct
 * dev with the model's private state. It gets to the outside only through ports, to
 * guest memory only through dev->space, and to the CPU only through its irq_line.
 *
 * Calls into a model (read, write, port callbacks) are serialised by dev->lock, which the
 * bus takes around MMIO; a callback that comes from elsewhere (timer, port) takes it itself.
 */
#pragma once

#include "drivers/port/blk.h"
#include "drivers/port/chr.h"
#include "drivers/port/rng.h"
#include "kernel/base/err.h"
#include "kernel/base/field.h"
#include "kernel/base/fmt.h"
#include "kernel/base/gclock.h"
#include "kernel/base/lock.h"
#include "mmu/ports.h"
#include "mmu/space.h"

/*
 * A wire into an interrupt controller (or a CPU). Level semantics; set() may be called repeatedly
 * with the same level, from any CPU.
 */
struct irq_line {
	void (*set)(void *ctl, u32 input, bool level);
	void *ctl;
	u32 input;
};

static inline void irq_set(const struct irq_line *l, bool level)
{
	if (l->set)
		l->set(l->ctl, l->input, level);
}

/*
 * Ports of a device: @len of them from @base on, which the model sees as offsets from @off on,
 * next to those of its memory-mapped registers. A list ends with @len 0.
 */
struct dev_pio {
	u16 base, len;
	u32 off;
};

struct dev {
	/* set once, by the board */
	const struct model *model;
	const char *name;		/* "uart0" */
	gpa_t base;
	u64 len;			/* 0: no memory-mapped registers */
	struct space *space;		/* for DMA */
	struct ports *ports;		/* x86: the I/O space, or NULL */
	const struct dev_pio *pio;	/* its ports there; NULL: the model's usual ones */
	struct lock *lock;		/* the VM's bus lock */
	struct irq_line irq;
	struct irq_line *out;		/* interrupt controllers: their outputs, one per context */
	u32 outs;
	union { struct chr *chr; struct blk *blk; struct rng *rng; void *any; } port;
	struct gclock *clock;		/* guest time */
	/* enum shutdown_how; power and reset devices */
	void (*shutdown)(void *vm, u32 how, u32 code);
	void *vm;
	u32 (*cpu)(void *vm);	/* interrupt controllers: whose access is this? vm_cpu() */
	/* the model's */
	void *state;
};

enum shutdown_how {
	SHUTDOWN_POWEROFF,
	SHUTDOWN_REBOOT,
	SHUTDOWN_FAIL,		/* with a code from the guest */
};

struct model {
	const char *name;		/* "vplic" */
	const char *compatible;		/* "sifive,plic-1.0.0" */
	size_t state_size;
	const struct field *fields;	/* ends with a NULL name */
	const struct dev_pio *pio;	/* its ports on every PC, if it has such */
	err_t (*attach)(struct dev *d);	/* state is zeroed; ports, irq, space are set */
	void (*detach)(struct dev *d);	/* drains and releases; may be NULL */
	void (*reset)(struct dev *d);
	u64 (*read)(struct dev *d, u64 off, u32 len);
	void (*write)(struct dev *d, u64 off, u32 len, u64 val);
};

/*
 * All models: a row each in drivers/model/models.def gives `extern const struct model NAME_model`.
 */
#define MODEL_ROW(sym) extern const struct model sym##_model;
#include "drivers/model/models.def"
#undef MODEL_ROW

/*
 * Allocate the state, attach, reset and map the registers. @d is filled in by the caller down to
 * `vm`.
 */
err_t dev_create(struct dev *d);
void dev_destroy(struct dev *d);
void dev_reset(struct dev *d);
/* Print every field: `vm show` and the post-mortem. */
void dev_print(const struct dev *d, struct sink *to);
