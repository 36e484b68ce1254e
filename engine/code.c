/*
 * The code cache: see code.h. Lowering of IR to what is stored here is the back end's
 * (interp_lower).
 */
#include "engine/back/interp/interp.h"
#include "engine/code.h"
#include "engine/mem.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

err_t code_init(struct gcpu *g, size_t size)
{
	struct code_cache *c = heap_alloc(sizeof(*c));

	if (!c)
		return ERR(E_NOMEM);
	g->code = c;
	c->sector_size = ALIGN_DOWN(size / CODE_SECTORS, (size_t)16);
	c->memory = heap_alloc_aligned(c->sector_size * CODE_SECTORS, 4096);
	c->bucket = heap_alloc(CODE_HASH * sizeof(*c->bucket));
	c->jump = heap_alloc(CODE_JUMPS * sizeof(*c->jump));
	c->ir = heap_alloc(sizeof(*c->ir));
	if (!c->memory || !c->bucket || !c->jump || !c->ir) {
		code_fini(g);
		return ERRF(E_NOMEM, "no memory for a code cache of %zu KiB", size >> 10);
	}
	code_stamp(g);
	return OK;
}

void code_fini(struct gcpu *g)
{
	struct code_cache *c = g->code;

	if (!c)
		return;
	heap_free(c->ir);
	heap_free(c->jump);
	heap_free(c->bucket);
	heap_free(c->memory);
	heap_free(c);
	g->code = NULL;
}

/* ---- stamps ---- */

void code_stamp(struct gcpu *g)
{
	struct code_cache *c = g->code;
	u64 generation = g->tlb->generation;
	u32 key = g->tlb->key, i;

	for (i = 0; i < CODE_STAMPS; i++)
		if (c->stamps[i].generation == generation && c->stamps[i].key == key &&
		    c->stamps[i].ctx == g->ctx && c->stamps[i].epoch == c->epoch &&
		    c->stamps[i].stamp)
			break;
	if (i == CODE_STAMPS) {
		i = c->stamp_victim++ % CODE_STAMPS;
		c->stamps[i].generation = generation;
		c->stamps[i].key = key;
		c->stamps[i].ctx = g->ctx;
		c->stamps[i].epoch = c->epoch;
		c->stamps[i].stamp = ++c->next_stamp;
	}
	c->stamp = c->stamps[i].stamp;
}

/* No remembered stamp matches any more: the jump cache is empty without touching it. */
static void stamps_forget(struct code_cache *c)
{
	memset(c->stamps, 0, sizeof(c->stamps));
	c->stamp = ++c->next_stamp;
}

void code_fence(struct code_cache *c)
{
	c->epoch++;
}

/* ---- memory ---- */

static u8 *sector_base(const struct code_cache *c, u32 sector)
{
	return c->memory + sector * c->sector_size;
}

static void bucket_remove(struct code_cache *c, struct block *b);

/* The blocks of one sector, which lie one after the other. */
#define sector_each(c, s, b)								\
	for (struct block *b = (struct block *)sector_base(c, s);			\
	     (u8 *)b < sector_base(c, s) + (c)->used[s];				\
	     b = (struct block *)((u8 *)b + b->size))

static void sector_unlink_all(struct code_cache *c, u32 sector)
{
	sector_each(c, sector, b)
		for (u32 i = 0; i < b->links; i++)
			b->code[b->link[i]].link = NULL;
}

static void sector_empty(struct code_cache *c, u32 sector)
{
	sector_each(c, sector, b) {
		bucket_remove(c, b);
		c->stats.evicted++;
	}
	c->used[sector] = 0;
}

/*
 * Room for a block of @size bytes in the current sector; moves on to the oldest one if it is full.
 */
static struct block *code_room(struct code_cache *c, size_t size)
{
	if (c->used[c->sector] + size > c->sector_size) {
		c->sector = (c->sector + 1) % CODE_SECTORS;
		sector_empty(c, c->sector);
		for (u32 s = 0; s < CODE_SECTORS; s++)
			sector_unlink_all(c, s);
		stamps_forget(c);
	}
	return (struct block *)(sector_base(c, c->sector) + c->used[c->sector]);
}

/* ---- finding ---- */

static struct block **bucket_of(struct code_cache *c, gva_t pc, gpa_t gpa, u32 ctx)
{
	u64 h = (pc ^ gpa << 7 ^ (u64)ctx << 40) * 0x9e3779b97f4a7c15ull;

	return &c->bucket[h >> 32 & (CODE_HASH - 1)];
}

static void bucket_remove(struct code_cache *c, struct block *b)
{
	for (struct block **p = bucket_of(c, b->pc, b->gpa, b->ctx); *p; p = &(*p)->next)
		if (*p == b) {
			*p = b->next;
			return;
		}
}

static struct block *bucket_find(struct code_cache *c, gva_t pc, gpa_t gpa, u32 ctx)
{
	struct block *b = *bucket_of(c, pc, gpa, ctx);

	while (b && (b->pc != pc || b->gpa != gpa || b->ctx != ctx))
		b = b->next;
	return b;
}

/* Guest bytes as seen through the instruction TLB: the rest of one page, and on demand the next. */
struct fetch {
	const u8 *host, *host2;
	gpa_t gpa, gpa2;
	u32 len;		/* bytes up to the end of the page, or of what may be fetched */
};

static bool fetch_begin(struct gcpu *g, gva_t pc, struct fetch *f)
{
	f->host2 = NULL;
	f->gpa2 = NO_PAGE;
	return mem_fetch(g, pc, &f->host, &f->gpa, &f->len);
}

static bool fetch_next_page(struct gcpu *g, gva_t pc, struct fetch *f)
{
	u32 len;

	return mem_fetch(g, pc + f->len, &f->host2, &f->gpa2, &len);
}

static u64 hash_bytes(u64 h, const u8 *p, u32 len)
{
	for (; len >= 8; p += 8, len -= 8)
		h = (h ^ load_le64(p)) * 0xd6e8feb86659fd93ull, h ^= h >> 32;
	for (; len; p++, len--)
		h = (h ^ *p) * 0xd6e8feb86659fd93ull, h ^= h >> 32;
	return h;
}

static u64 fetch_hash(const struct fetch *f, u32 bytes)
{
	u32 first = MIN(bytes, f->len);
	u64 h = hash_bytes(bytes, f->host, first);

	return first < bytes ? hash_bytes(h, f->host2, bytes - first) : h;
}

/*
 * Translate at most @limit instructions into c->ir and finish it. False: not one fits in the
 * window.
 */
static bool code_translate(struct gcpu *g, const struct code_window *w, u32 limit)
{
	struct ir_block *ir = g->code->ir;

	ir_begin(ir, w->pc, w->ctx, limit);
	if (!g->isa->translate(w, ir))
		return false;
	ir_finish(ir, w->pc + ir->bytes);
	return true;
}

/* Build the IR of the block at @pc into c->ir. False: fetching a second page faulted. */
static bool code_build(struct gcpu *g, gva_t pc, u32 limit, struct fetch *f)
{
	u8 straddle[16];
	struct code_window w = { .pc = pc, .bytes = f->host, .len = f->len, .ctx = g->ctx,
				 .features = g->features };

	if (code_translate(g, &w, limit))
		return true;
	if (!fetch_next_page(g, pc, f))
		return false;
	memcpy(straddle, f->host, f->len);
	memcpy(straddle + f->len, f->host2, sizeof(straddle) - f->len);
	w.bytes = straddle;
	w.len = sizeof(straddle);
	if (!code_translate(g, &w, 1))
		panic("%s: no instruction in %zu bytes at %#llx", g->isa->name, sizeof(straddle),
		      (unsigned long long)pc);
	return true;
}

/* Lower c->ir into the cache. */
static struct block *code_store(struct gcpu *g, const struct fetch *f)
{
	struct code_cache *c = g->code;
	struct block *b = code_room(c, interp_size(c->ir));

	u32 size = interp_lower(g, c->ir, b);
	b->gpa = f->gpa;
	b->gpa2 = c->ir->bytes > f->len ? f->gpa2 : NO_PAGE;
	b->epoch = c->epoch;
	b->hash = fetch_hash(f, c->ir->bytes);
	b->size = size;
	c->stats.translated++;
	c->stats.ir_ops += c->ir->count;
	return b;
}

/*
 * May @b, found in its bucket, be used? Its second page must be the same, and its bytes unchanged.
 */
static bool block_current(struct gcpu *g, struct block *b, struct fetch *f)
{
	if (b->gpa2 != NO_PAGE && (!fetch_next_page(g, b->pc, f) || f->gpa2 != b->gpa2))
		return false;
	if (b->gpa2 == NO_PAGE && b->bytes > f->len)
		return false;			/* not all of it may be fetched any more */
	if (b->epoch != g->code->epoch) {
		if (fetch_hash(f, b->bytes) != b->hash)
			return false;
		b->epoch = g->code->epoch;
		g->code->stats.verified++;
	}
	return true;
}

static struct block *code_remember(struct code_cache *c, gva_t pc, struct block *b)
{
	*code_jump_at(c, pc) = (struct code_jump){ .pc = pc, .stamp = c->stamp, .block = b };
	return b;
}

struct block *code_find(struct gcpu *g, gva_t pc)
{
	struct code_cache *c = g->code;
	struct fetch f;
	struct block *b;

	if (!fetch_begin(g, pc, &f))
		return NULL;
	b = bucket_find(c, pc, f.gpa, g->ctx);
	if (b) {
		if (block_current(g, b, &f)) {
			c->stats.found++;
			return code_remember(c, pc, b);
		}
		if (g->xcpt.pending)
			return NULL;
		bucket_remove(c, b);		/* its memory is reclaimed with its sector */
		c->stats.stale++;
	}
	if (!code_build(g, pc, IR_INSNS_MAX, &f))
		return NULL;
	b = code_store(g, &f);
	c->used[c->sector] += b->size;
	struct block **bucket = bucket_of(c, pc, b->gpa, b->ctx);

	b->next = *bucket;
	*bucket = b;
	return code_remember(c, pc, b);
}

struct block *code_find_short(struct gcpu *g, gva_t pc, u32 limit)
{
	struct fetch f;

	if (!fetch_begin(g, pc, &f) || !code_build(g, pc, limit, &f))
		return NULL;
	return code_store(g, &f);		/* ->used stays: the next block overwrites it */
}
