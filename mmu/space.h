/*
 * Guest physical address space: a sorted array of ranges, found by binary search with
 * the last hit remembered by the caller's TLB. RAM and ROM ranges have a host address;
 * MMIO ranges have a model. Everything a device or a page walk reads or writes goes
 * through here; there is no other way from a gpa to memory.
 *
 * Ranges change only while no vCPU of the space runs.
 */
#pragma once

#include "kernel/base/err.h"
#include "kernel/base/lock.h"
#include "mmu/watch.h"

enum range_kind { RANGE_RAM, RANGE_ROM, RANGE_MMIO };

/*
 * MMIO callbacks. @off is relative to the range, @len is 1, 2, 4 or 8 and may be
 * misaligned or cross registers: the model decides. Unknown registers read as zero bits
 * unless the specification says otherwise; nothing a guest does here may fail the host.
 */
struct mmio_ops {
	u64 (*read)(void *ctx, u64 off, u32 len);
	void (*write)(void *ctx, u64 off, u32 len, u64 val);
};

struct range {
	gpa_t base;
	u64 len;			/* bytes, a multiple of PAGE_SIZE; MMIO: of 16 */
	enum range_kind kind;
	const char *name;		/* for messages, static lifetime */
	u8 *host;			/* RAM, ROM */
	_Atomic u64 *dirty;		/* RAM: one bit a page, or NULL while not logging */
	_Atomic u8 *watch_state;	/* RAM: WATCH_* bits of each page */
	struct code_watch *watch;	/* the space's */
	const struct mmio_ops *ops;	/* MMIO */
	void *ctx;
	struct lock *lock;		/* MMIO: taken around ops, or NULL */
};

struct space {
	struct range *range;		/* sorted by base, not overlapping */
	u32 count;
	bool logging;
	u64 generation;			/* grows with every change of the ranges */
	struct code_watch watch;
	_Atomic u32 last;	/* index of the range that space_find() found last: a guess */
	void *accel;			/* a hardware runner's own: second-level tables */
};

err_t space_init(struct space *s);
void space_fini(struct space *s);

/*
 * @base and @len page aligned, not overlapping an existing range (E_EXIST) nor wrapping (E_RANGE).
 */
err_t space_map_ram(struct space *s, gpa_t base, u64 len, u8 *host, const char *name);
err_t space_map_rom(struct space *s, gpa_t base, u64 len, u8 *host, const char *name);
err_t space_map_mmio(struct space *s, gpa_t base, u64 len, const struct mmio_ops *ops, void *ctx,
		     struct lock *lock, const char *name);
err_t space_unmap(struct space *s, gpa_t base);	/* E_NOENT only */

/* The range that holds @gpa, or NULL. */
const struct range *space_find(struct space *s, gpa_t gpa);

/*
 * Host address of [gpa, gpa + len) if it lies in one RAM range (or ROM, if !@write), else
 * NULL. With @write the pages are marked dirty at once.
 */
u8 *space_ptr(struct space *s, gpa_t gpa, u64 len, bool write);

/*
 * Copy between a buffer and guest memory, across adjacent ranges: reads from RAM and ROM,
 * writes to RAM. E_FAULT with nothing copied if any byte is not such memory.
 */
err_t space_read(struct space *s, gpa_t gpa, void *buf, u64 len);
err_t space_write(struct space *s, gpa_t gpa, const void *buf, u64 len);

/* Dispatch one access to a model; the range must be RANGE_MMIO. */
u64 range_mmio_read(const struct range *r, gpa_t gpa, u32 len);
void range_mmio_write(const struct range *r, gpa_t gpa, u32 len, u64 val);
/*
 * An access to what is no memory for it: a device in @r; where nothing (NULL) or ROM is, reads
 * float high and writes go nowhere. What was read.
 */
u64 range_emulate(const struct range *r, gpa_t gpa, u32 len, bool write, u64 val);

/*
 * Dirty log: start with all pages clean; take copies and clears the bits of the RAM range
 * that begins at @base (E_NOENT; E_STATE when off; E_RANGE if @words is too small). CPUs
 * mark a page when it enters their TLB writable: flush their TLBs after start and take.
 */
err_t space_log_start(struct space *s);
void space_log_stop(struct space *s);
err_t space_log_take(struct space *s, gpa_t base, u64 *bitmap, u64 words);

/* Words of the dirty bitmap of @r. */
static inline u64 range_dirty_words(const struct range *r)
{
	return (r->len / PAGE_SIZE + 63) / 64;
}

/* The WATCH_* bits of the page of @gpa. */
static inline u8 range_watch_state(const struct range *r, gpa_t gpa)
{
	return r->watch_state ? atomic_load(&r->watch_state[(gpa - r->base) >> PAGE_SHIFT]) : 0;
}

/* The page of @gpa is about to be written, or may be from now on: for the log and the watch. */
static inline void range_mark_dirty(const struct range *r, gpa_t gpa)
{
	u64 page = (gpa - r->base) >> PAGE_SHIFT;

	if (unlikely(r->dirty != NULL))
		atomic_fetch_or_explicit(&r->dirty[page / 64], BIT(page % 64),
					 memory_order_relaxed);
	if (unlikely(range_watch_state(r, gpa) & WATCH_NOW))
		watch_written(r, gpa);
}
