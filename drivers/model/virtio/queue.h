/*
 * Split virtqueues, the device's side. Virtual I/O Device (VIRTIO) 1.2, section 2.7.
 *
 * Parse, then apply: vq_pop() copies every descriptor once to private memory, checks it and
 * yields host addresses; from there on nothing that the driver changes in its tables matters.
 * A ring or chain that breaks the rules yields VQ_BROKEN and the device asks to be reset.
 */
#pragma once

#include "drivers/port/blk.h"
#include "mmu/space.h"

#define VQ_SIZE_MAX	256	/* entries a queue may have */
#define VQ_SEGMENTS	(VQ_SIZE_MAX + 8)	/* a descriptor may cover adjacent RAM ranges */

struct vq {
	/* what the driver configured */
	u16 size;
	bool ready;
	gpa_t desc, driver, device;
	/* progress */
	u16 next_avail;		/* the available entry that is looked at next */
	u16 next_used;		/* the used entry that is written next */
	u16 told_used;		/* next_used when the driver was interrupted last */
	/* not saved: valid from vq_open() on, while the device holds its lock */
	struct space *space;
	bool event_idx, indirect;
	u8 *desc_at, *driver_at, *device_at;
};

#define VQ_FIELDS(type, q) \
	FIELD(type, q.size), FIELD(type, q.ready), FIELD(type, q.desc), FIELD(type, q.driver), \
	FIELD(type, q.device), FIELD(type, q.next_avail), FIELD(type, q.next_used), \
	FIELD(type, q.told_used)

struct vq_desc {		/* 2.7.5 */
	u64 addr;
	u32 len;
	u16 flags, next;
};

/* The device reads seg[0 .. outs) and writes seg[outs .. count). No segment is empty. */
struct chain {
	u16 head;
	u32 outs, count;
	u64 out_len, in_len;	/* bytes, together below 4 GiB */
	struct iovec_host seg[VQ_SEGMENTS];
	gpa_t gpa[VQ_SEGMENTS];
	struct vq_desc table[VQ_SIZE_MAX];	/* the private copy of an indirect table */
};

enum vq_pop { VQ_EMPTY, VQ_CHAIN, VQ_BROKEN };

/* Find the rings in @s; false if they are not in RAM, misaligned or of a bad size. */
bool vq_open(struct vq *q, struct space *s, u64 features);
/* The next chain. VQ_BROKEN was logged in @name's name. */
enum vq_pop vq_pop(struct vq *q, struct chain *c, const char *name);
/* Put the chain just popped back. */
void vq_unpop(struct vq *q);
/* Give chain @head back with @written bytes; the driver sees it at once. */
void vq_push(struct vq *q, u16 head, u32 written);
/* Ask for a notification of new chains; true if some came meanwhile (pop again). */
bool vq_rearm(struct vq *q);
/* Does the driver want an interrupt for what was pushed since the last call? */
bool vq_wants_interrupt(struct vq *q);

/* Copy up to @len bytes from the chain's readable part, or into its writable part; the count. */
u64 chain_take(struct chain *c, void *buf, u64 len);
u64 chain_put(struct chain *c, const void *buf, u64 len);
/*
 * The writable part has been written; before vq_push(). Its pages were marked when it was popped,
 * but others may have begun to watch them since (mmu/watch.h).
 */
void chain_written(const struct chain *c, struct space *s);
