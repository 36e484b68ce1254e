/*
 * A virtio driver for tests: negotiates, builds rings in the bench's RAM, offers chains and
 * collects them. It can break every rule, because the test writes the rings itself.
 */
#pragma once

#include "test/unit/drivers/model/bench.h"

#include "kernel/base/str.h"

enum {
	REG_MAGIC = 0,
	REG_VERSION = 4,
	REG_DEVICE_ID = 8,
	REG_VENDOR = 0xc,
	REG_DEVICE_FEATURES = 0x10,
	REG_DEVICE_FEATURES_SEL = 0x14,
	REG_DRIVER_FEATURES = 0x20,
	REG_DRIVER_FEATURES_SEL = 0x24,
	REG_QUEUE_SEL = 0x30,
	REG_QUEUE_NUM_MAX = 0x34,
	REG_QUEUE_NUM = 0x38,
	REG_QUEUE_READY = 0x44,
	REG_QUEUE_NOTIFY = 0x50,
	REG_INTERRUPT_STATUS = 0x60,
	REG_INTERRUPT_ACK = 0x64,
	REG_STATUS = 0x70,
	REG_QUEUE_DESC = 0x80,
	REG_QUEUE_DRIVER = 0x90,
	REG_QUEUE_DEVICE = 0xa0,
	REG_SHM_LEN_LOW = 0xb0,
	REG_GENERATION = 0xfc,
	REG_CONFIG = 0x100
};
enum {
	ACKNOWLEDGE = 1,
	DRIVER = 2,
	DRIVER_OK = 4,
	FEATURES_OK = 8,
	NEEDS_RESET = 64,
	FAILED = 128
};
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

#define F_INDIRECT	BIT(28)
#define F_EVENT_IDX	BIT(29)
#define F_VERSION_1	BIT(32)

#define DRV_SIZE	8			/* entries a queue */
#define DRV_RINGS(q)	(BENCH_RAM + 0x10000ull * (1 + (q)))
#define DRV_DESC(q)	(DRV_RINGS(q))
#define DRV_AVAIL(q)	(DRV_RINGS(q) + 0x1000)
#define DRV_USED(q)	(DRV_RINGS(q) + 0x2000)
#define DRV_BUF		(BENCH_RAM + KIB(256))	/* buffers from here on */

static struct dev d;
static u16 drv_seen[2];				/* used entries collected */
static u16 drv_offered[2];

static inline u8 *ram(gpa_t gpa)
{
	return bench_ram + (gpa - BENCH_RAM);
}

static inline u32 rd(u64 off) { return (u32)bench_read(&d, off, 4); }
static inline void wr(u64 off, u32 val) { bench_write(&d, off, 4, val); }

static inline void wr_pair(u64 off, u64 val)
{
	wr(off, (u32)val);
	wr(off + 4, (u32)(val >> 32));
}

static inline u64 drv_features(void)
{
	u64 low;

	wr(REG_DEVICE_FEATURES_SEL, 0);
	low = rd(REG_DEVICE_FEATURES);
	wr(REG_DEVICE_FEATURES_SEL, 1);
	return low | (u64)rd(REG_DEVICE_FEATURES) << 32;
}

static inline void drv_choose(u64 features)
{
	wr(REG_STATUS, 0);
	wr(REG_STATUS, ACKNOWLEDGE);
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER);
	wr(REG_DRIVER_FEATURES_SEL, 0);
	wr(REG_DRIVER_FEATURES, (u32)features);
	wr(REG_DRIVER_FEATURES_SEL, 1);
	wr(REG_DRIVER_FEATURES, (u32)(features >> 32));
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

static inline void drv_queue(u32 q)
{
	memset(ram(DRV_RINGS(q)), 0, 0x10000);
	drv_seen[q] = drv_offered[q] = 0;
	wr(REG_QUEUE_SEL, q);
	wr(REG_QUEUE_NUM, DRV_SIZE);
	wr_pair(REG_QUEUE_DESC, DRV_DESC(q));
	wr_pair(REG_QUEUE_DRIVER, DRV_AVAIL(q));
	wr_pair(REG_QUEUE_DEVICE, DRV_USED(q));
	wr(REG_QUEUE_READY, 1);
}

static inline void drv_start(u64 features, u32 queues)
{
	drv_choose(features | F_VERSION_1);
	for (u32 q = 0; q < queues; q++)
		drv_queue(q);
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static inline void drv_put_desc(u8 *at, gpa_t gpa, u32 len, u16 flags, u16 next)
{
	store_le64(at, gpa);
	store_le32(at + 8, len);
	store_le16(at + 12, flags);
	store_le16(at + 14, next);
}

static inline void drv_desc(u32 q, u16 i, gpa_t gpa, u32 len, u16 flags, u16 next)
{
	drv_put_desc(ram(DRV_DESC(q) + 16ull * i), gpa, len, flags, next);
}

/* Make the chain that starts at @head available, without a notification. */
static inline void drv_offer(u32 q, u16 head)
{
	store_le16(ram(DRV_AVAIL(q) + 4 + 2 * (drv_offered[q] % DRV_SIZE)), head);
	store_le16(ram(DRV_AVAIL(q) + 2), ++drv_offered[q]);
}

static inline void drv_kick(u32 q)
{
	wr(REG_QUEUE_NOTIFY, q);
}

static inline void drv_send(u32 q, u16 head)
{
	drv_offer(q, head);
	drv_kick(q);
}

/* The next used entry: its length, or -1 if there is none. @id may be NULL. */
static inline s64 drv_collect(u32 q, u32 *id)
{
	const u8 *e = ram(DRV_USED(q) + 4 + 8 * (drv_seen[q] % DRV_SIZE));

	if (drv_seen[q] == __atomic_load_n((u16 *)ram(DRV_USED(q) + 2), __ATOMIC_ACQUIRE))
		return -1;
	drv_seen[q]++;
	if (id)
		*id = load_le32(e);
	return load_le32(e + 4);
}

static inline bool drv_broken(void)
{
	return rd(REG_STATUS) & NEEDS_RESET;
}

static inline void drv_close(void)
{
	dev_destroy(&d);
	bench_close();
}
