/*
 * The code cache: see code.h. Lowering of IR to what is stored here is the back end's
 * (interp_lower).
 */
#include "arch/mem.h"
#include "engine/back/interp/interp.h"
#include "engine/back/jit/compile.h"
#include "engine/code.h"
#include "engine/mem.h"
#include "engine/tuning.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

static err_t host_code_init(struct code_cache *c, struct gcpu *g, size_t host_size)
{
	err_t e = arch_code_alloc(host_size, &c->rw, &c->rx);

	if (e != OK)
		return e;
	c->host_size = host_size;
	c->jit = jit_create(g, c->rw, c->rx, host_size);
	if (!c->jit)
		return ERRF(E_NOMEM, "no memory for the translator");
	c->begins = heap_alloc((host_size >> PAGE_SHIFT) * sizeof(*c->begins));
	if (!c->begins)
		return ERRF(E_NOMEM, "no memory for an index of host code");
	c->host_first = ALIGN_UP(jit_shared_size(c->jit), PAGE_SIZE);
	c->host_sector = ALIGN_DOWN((host_size - c->host_first) / CODE_SECTORS, PAGE_SIZE);
	return OK;
}

static bool sector_take(struct code_cache *c, u32 sector)
{
	if (!c->memory[sector])
		c->memory[sector] = heap_alloc_aligned(c->sector_size, 4096);
	return c->memory[sector];
}

err_t code_init(struct gcpu *g, size_t size, size_t host_size, u32 hot)
{
	struct code_cache *c = heap_alloc(sizeof(*c));

	if (!c)
		return ERR(E_NOMEM);
	g->code = c;
	c->hot = hot;
	c->next_stamp = engine_tuning.first_stamp;
	c->sectors = CODE_SECTORS;
	c->sector_size = ALIGN_DOWN(size / CODE_SECTORS, (size_t)16);
	assert(c->sector_size <= BIT(CODE_PLACE_BITS));
	c->link = heap_alloc(engine_tuning.code_links * sizeof(*c->link));
	c->bucket = heap_alloc(CODE_HASH * sizeof(*c->bucket));
	c->jump = (struct code_jump *)((u8 *)g->st + gcpu_jumps_at(g->isa));
	c->ir = heap_alloc(sizeof(*c->ir));
	if (!sector_take(c, 0) || !c->link || !c->bucket || !c->ir || !smc_init(g, &c->smc)) {
		code_fini(g);
		return ERRF(E_NOMEM, "no memory for a code cache of %zu KiB", size >> 10);
	}
	err_t e = host_size ? host_code_init(c, g, host_size) : OK;
	if (e != OK)
		code_fini(g);
	else
		code_stamp(g);
	return e;
}

void code_fini(struct gcpu *g)
{
	struct code_cache *c = g->code;

	if (!c)
		return;
	if (c->rw)
		arch_code_free(c->rw, c->rx, c->host_size);
	jit_destroy(c->jit);
	heap_free(c->begins);
	smc_fini(g, &c->smc);
	heap_free(c->ir);
	heap_free(c->bucket);
	heap_free(c->link);
	for (u32 s = 0; s < CODE_SECTORS; s++)
		heap_free(c->memory[s]);
	heap_free(c);
	g->code = NULL;
}

/* ---- links between blocks ---- */

static void ops_unlink_all(struct code_cache *c)
{
	while (c->links)
		((struct xop *)code_at(c, c->link[--c->links]))->link = NULL;
}

void code_link_op(struct code_cache *c, struct xop *x, struct block *to)
{
	if (c->links == engine_tuning.code_links)
		ops_unlink_all(c);
	if (!x->link)
		c->link[c->links++] = code_place(c, x);
	x->link = to;
}

/* Forget links that lead to or from @sector. */
static void ops_unlink(struct code_cache *c, u32 sector)
{
	u32 kept = 0;

	for (u32 i = 0; i < c->links; i++) {
		struct xop *x = code_at(c, c->link[i]);

		if (code_place_sector(c->link[i]) == sector)
			continue;
		if (code_place_sector(code_place(c, x->link)) == sector)
			x->link = NULL;
		else
			c->link[kept++] = c->link[i];
	}
	c->links = kept;
}

/* Are the pages of @b in the instruction TLB, whose generation tells when they no longer are? */
static bool block_is_cached(const struct gcpu *g, const struct block *b)
{
	return tlb_read(g->tlb, &g->tlb->i, b->pc) &&
	       (b->gpa2 == NO_PAGE || tlb_read(g->tlb, &g->tlb->i, b->pc + b->bytes - 1));
}

void code_link(struct gcpu *g, const struct block *from, struct jit_site *site,
	       const struct block *to)
{
	if (site->kind == SITE_LINK ? block_may_chain(from, to) : block_is_cached(g, to))
		smc_link(g->code, site, to);
}

/* ---- stamps ---- */

/*
 * A stamp that was never used. Host code compares its low half: before that repeats, whatever holds
 * one is forgotten, but no block, as one may be in the making. 0 is no stamp.
 */
static u64 stamp_new(struct code_cache *c)
{
	if ((u32)++c->next_stamp == 0) {
		c->next_stamp++;
		smc_unlink_all(c);
		memset(c->jump, 0, CODE_JUMPS * sizeof(*c->jump));
		memset(c->stamps, 0, sizeof(c->stamps));
	}
	return c->next_stamp;
}

/* A place for a new stamp: what has been used since the last look at it gets a second chance. */
static u32 stamp_slot(struct code_cache *c)
{
	u32 i = c->stamp_victim++ % CODE_STAMPS;

	while (c->stamps[i].used) {
		c->stamps[i].used = false;
		i = c->stamp_victim++ % CODE_STAMPS;
	}
	return i;
}

static u64 stamp_of(struct code_cache *c, u64 generation, u32 key, u32 ctx)
{
	u32 i;

	for (i = 0; i < CODE_STAMPS; i++)
		if (c->stamps[i].generation == generation && c->stamps[i].key == key &&
		    c->stamps[i].ctx == ctx && c->stamps[i].stamp) {
			c->stamps[i].used = true;
			return c->stamps[i].stamp;
		}
	u64 stamp = stamp_new(c);		/* may forget them all */

	i = stamp_slot(c);
	c->stamps[i].generation = generation;
	c->stamps[i].key = key;
	c->stamps[i].ctx = ctx;
	return c->stamps[i].stamp = stamp;
}

void code_stamp(struct gcpu *g)
{
	const struct mmu_tlb *t = g->tlb;

	for (u32 half = 0; half < 2; half++)
		g->code->stamp[half] = stamp_of(g->code, t->generation[half],
						t->fetch_key[half], g->ctx);
}

/* ---- memory ---- */

static size_t host_sector_at(const struct code_cache *c, u32 sector)
{
	return c->host_first + sector * c->host_sector;
}

static void bucket_remove(struct code_cache *c, struct block *b);

/* The blocks of one sector, which lie one after the other. */
#define sector_each(c, s, b)								\
	for (struct block *b = (struct block *)(c)->memory[s];				\
	     (uptr)b - (uptr)(c)->memory[s] < (c)->used[s];				\
	     b = (struct block *)((u8 *)b + b->size))

static void sector_empty(struct code_cache *c, u32 sector)
{
	sector_each(c, sector, b) {
		bucket_remove(c, b);
		smc_remove(b);
		code_jump_forget(c, b);
		c->stats.evicted++;
	}
	c->used[sector] = c->host_used[sector] = 0;
	if (c->begins)
		memset(&c->begins[host_sector_at(c, sector) >> PAGE_SHIFT], 0,
		       (c->host_sector >> PAGE_SHIFT) * sizeof(*c->begins));
}

/* Move on to a new sector or the oldest, emptying it: nothing leads to what was in it any more. */
static void sector_next(struct code_cache *c)
{
	u32 next = (c->sector + 1) % c->sectors;

	if (!sector_take(c, next)) {
		c->sectors = next;	/* no memory: not the first, which is there */
		next = 0;
	}
	ops_unlink(c, next);
	smc_unlink_sector(c, next);
	sector_empty(c, next);
	c->sector = next;
}

void code_unlink(struct gcpu *g)
{
	ops_unlink_all(g->code);
	smc_unlink_all(g->code);
}

static void blocks_drop(struct code_cache *c)
{
	ops_unlink_all(c);
	smc_unlink_all(c);
	for (u32 s = 0; s < CODE_SECTORS; s++)
		sector_empty(c, s);
	smc_reset(c);
	memset(c->jump, 0, CODE_JUMPS * sizeof(*c->jump));
	memset(c->stamps, 0, sizeof(c->stamps));
	memset(c->tabled, 0, sizeof(c->tabled));
}

void code_drop(struct gcpu *g)
{
	blocks_drop(g->code);
	code_stamp(g);
}

void code_follow_space(struct gcpu *g)
{
	struct code_cache *c = g->code;

	if (likely(c->space_generation == g->space->generation))
		return;
	c->space_generation = g->space->generation;
	tlb_flush_all(g->tlb);
	code_drop(g);
}

/* Room for a block of @size bytes, in the current sector or the next. */
static struct block *code_room(struct code_cache *c, size_t size)
{
	if (c->used[c->sector] + size > c->sector_size)
		sector_next(c);
	return (struct block *)(c->memory[c->sector] + c->used[c->sector]);
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

static u64 *tabled_word(const struct code_cache *c, gva_t pc, u64 *bit)
{
	u64 h = pc * 0x9e3779b97f4a7c15ull >> 52;

	*bit = BIT(h % 64);
	return (u64 *)&c->tabled[h / 64];
}
_Static_assert(CODE_TABLED == BIT(12), "the hash has 12 bits");

bool code_uses_tables(const struct code_cache *c, gva_t pc)
{
	u64 bit;

	return *tabled_word(c, pc, &bit) & bit;
}

void code_use_tables(struct gcpu *g, struct block *b)
{
	struct code_cache *c = g->code;
	u64 bit;

	*tabled_word(c, b->pc, &bit) |= bit;
	smc_unlink(c, b);
	bucket_remove(c, b);
	smc_remove(b);
	code_jump_forget(c, b);
	c->stats.tabled++;
}

static bool block_is(const struct block *b, gva_t pc, gpa_t gpa, u32 ctx)
{
	return b->pc == pc && b->gpa == gpa && b->ctx == ctx;
}

/* After a flush of the TLB, what the jump cache had is most likely it. */
static struct block *bucket_find(struct code_cache *c, gva_t pc, gpa_t gpa, u32 ctx)
{
	struct block *b = code_jump_at(c, pc)->block;

	if (b && block_is(b, pc, gpa, ctx))
		return b;
	b = *bucket_of(c, pc, gpa, ctx);
	while (b && !block_is(b, pc, gpa, ctx))
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

/* Of @bytes bytes, of which @first lie in the first page. */
static u64 hash_code(const u8 *page, u32 first, const u8 *page2, u32 bytes)
{
	first = MIN(first, bytes);
	return hash_bytes(hash_bytes(bytes, page, first), page2, bytes - first);
}

static u64 fetch_hash(const struct fetch *f, u32 bytes)
{
	return hash_code(f->host, f->len, f->host2, bytes);
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

/*
 * Build the IR of the block at @pc into c->ir, from a copy of its bytes: they may change meanwhile,
 * and what is hashed must be what was translated. False: fetching a second page faulted. With
 * @keep the pages are watched.
 */
static bool code_build(struct gcpu *g, gva_t pc, u32 limit, bool keep, struct fetch *f)
{
	struct code_cache *c = g->code;
	struct code_window w = {
		.pc = pc, .bytes = c->copy, .len = MIN(f->len, g->isa->longest * IR_INSNS_MAX),
		.ctx = g->ctx, .features = g->features,
	};

	if (keep)
		smc_watch(g, f->gpa);
	memcpy(c->copy, f->host, w.len);
	if (code_translate(g, &w, limit)) {
		c->hash = hash_code(c->copy, f->len, NULL, c->ir->bytes);
		return true;
	}
	if (!fetch_next_page(g, pc, f))
		return false;
	if (keep)
		smc_watch(g, f->gpa2);
	w.len = 16;
	memcpy(c->copy + f->len, f->host2, w.len - f->len);
	if (!code_translate(g, &w, 1))
		panic("%s: no instruction in %u bytes at %#llx", g->isa->name, w.len,
		      (unsigned long long)pc);
	c->hash = hash_code(c->copy, f->len, c->copy + f->len, c->ir->bytes);
	return true;
}

/* What a block is to be told from others by. */
static void block_identify(struct code_cache *c, struct block *b, const struct fetch *f, u32 size)
{
	b->gpa = f->gpa;
	b->gpa2 = c->ir->bytes > f->len ? f->gpa2 : NO_PAGE;
	b->hash = c->hash;
	b->size = size;
	c->stats.translated++;
	c->stats.ir_ops += c->ir->count;
}

/* Lower c->ir into the cache, for the interpreter. */
static struct block *code_store(struct gcpu *g, const struct fetch *f)
{
	struct code_cache *c = g->code;
	struct block *b = code_room(c, interp_size(c->ir));

	block_identify(c, b, f, interp_lower(g, c->ir, b));
	b->heat = engine_tuning.heat ? engine_tuning.heat(c->hot) : c->hot;
	return b;
}

/*
 * The same for the audit runner, behind @b of @size bytes: all accesses to memory take the slow
 * path. The size of both.
 */
static u32 twin_make(struct gcpu *g, struct block *b, u32 size)
{
	struct ir_block *ir = g->code->ir;

	b->twin = (struct block *)((u8 *)b + size);
	b->repeatable = true;
	for (u32 i = 1; i < ir->count; i++) {
		if (ir->op[i].op >= IR_LDU8 && ir->op[i].op <= IR_STV)
			ir->op[i].aux |= MEM_SLOW;
		else if (ir->op[i].op == IR_CALL)
			b->repeatable = false;
	}
	return size + interp_lower(g, ir, b->twin);
}

static void begin_note(struct code_cache *c, const struct block *b)
{
	u32 *first = &c->begins[(size_t)(b->entry - c->rx) >> PAGE_SHIFT];

	if (!*first)
		*first = code_place(c, b) + 1;
}

struct block *code_block_at(const struct code_cache *c, const u8 *pc)
{
	size_t at = (size_t)(pc - c->rx), sector = (at - c->host_first) / c->host_sector;
	size_t page = at >> PAGE_SHIFT;
	struct block *best = NULL;
	u8 *p, *end;

	if (at < c->host_first || sector >= CODE_SECTORS)
		return NULL;
	/* The last block that begins on a page before may reach into this one. */
	while (page > host_sector_at(c, (u32)sector) >> PAGE_SHIFT &&
	       (!c->begins[page] ||
		((struct block *)code_at(c, c->begins[page] - 1))->entry > pc))
		page--;
	if (!c->begins[page])
		return NULL;
	end = c->memory[sector] + c->used[sector];
	for (p = code_at(c, c->begins[page] - 1); p < end; p += ((struct block *)p)->size) {
		struct block *b = (struct block *)p;

		if (b->entry && b->entry > pc)
			break;
		best = b->entry ? b : best;
	}
	return best;
}

/* The same as host code. */
static struct block *code_store_host(struct gcpu *g, const struct fetch *f)
{
	struct code_cache *c = g->code;
	struct block *b;
	u32 size, bytes;

	for (u32 tries = 0; ; tries++) {
		size_t at;

		b = code_room(c, jit_size(c->ir) + (c->twins ? interp_size(c->ir) : 0));
		at = host_sector_at(c, c->sector) + c->host_used[c->sector];
		size = jit_compile(c, g, b, at, c->host_sector - c->host_used[c->sector],
				   &bytes);
		if (size)
			break;
		if (tries == 1)
			panic("a block of %u operations fits in no sector", c->ir->count);
		sector_next(c);
	}
	block_identify(c, b, f, c->twins ? twin_make(g, b, size) : size);
	c->host_used[c->sector] += ALIGN_UP(bytes, 16u);
	begin_note(c, b);
	c->stats.compiled++;
	c->stats.host_bytes += bytes;
	c->stats.host_insns += b->insns;
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
	if (b->stale) {
		smc_watch(g, b->gpa);
		if (b->gpa2 != NO_PAGE)
			smc_watch(g, b->gpa2);
		if (fetch_hash(f, b->bytes) != b->hash)
			return false;
		b->stale = false;
		g->code->stats.verified++;
	}
	return true;
}

static bool jump_current(const struct code_cache *c, const struct code_jump *j)
{
	return j->stamp == c->stamp[j->pc >> 63];
}

/* A place for @pc in the jump cache. What has to leave it goes to its other one if that is free. */
static struct code_jump *jump_place(struct code_cache *c, gva_t pc)
{
	struct code_jump *j = code_jump_at(c, pc), *other = code_jump_other(c, pc);

	if (j->pc != pc && jump_current(c, j) &&
	    !(jump_current(c, other) && code_jump_at(c, other->pc) == other))
		*other = *j;
	return j;
}

/* Remember in the jump cache what may be found again without a fetch. */
static struct block *code_remember(struct gcpu *g, gva_t pc, struct block *b)
{
	struct code_cache *c = g->code;

	if (block_is_cached(g, b))
		*jump_place(c, pc) = (struct code_jump){
			.pc = pc, .stamp = c->stamp[pc >> 63], .block = b,
			.entry = b->entry ? b->entry : jit_leave_entry(c->jit, b),
		};
	return b;
}

/* The block at @pc if there is a current one. False: fetching failed. */
static bool code_search(struct gcpu *g, gva_t pc, struct fetch *f, struct block **out)
{
	struct code_cache *c = g->code;
	struct block *b;

	*out = NULL;
	if (smc_is_full(&c->smc))
		code_drop(g);
	if (!fetch_begin(g, pc, f))
		return false;
	b = bucket_find(c, pc, f->gpa, g->ctx);
	if (!b)
		return true;
	if (block_current(g, b, f)) {
		*out = b;
		return true;
	}
	if (g->xcpt.pending)
		return false;
	bucket_remove(c, b);		/* its memory is reclaimed with its sector */
	smc_remove(b);
	code_jump_forget(c, b);
	c->stats.stale++;
	return true;
}

static struct block *code_make(struct gcpu *g, gva_t pc, struct fetch *f, bool host)
{
	struct code_cache *c = g->code;
	struct block *b, **bucket;

	if (!code_build(g, pc, IR_INSNS_MAX, true, f))
		return NULL;
	b = host ? code_store_host(g, f) : code_store(g, f);
	c->used[c->sector] += b->size;
	smc_add(c, b);
	bucket = bucket_of(c, pc, b->gpa, b->ctx);
	b->next = *bucket;
	*bucket = b;
	return code_remember(g, pc, b);
}

struct block *code_find(struct gcpu *g, gva_t pc)
{
	struct fetch f;
	struct block *b;

	if (!code_search(g, pc, &f, &b))
		return NULL;
	if (!b)
		return code_make(g, pc, &f, g->code->hot == 0);
	g->code->stats.found++;
	return code_remember(g, pc, b);
}

struct block *code_compile(struct gcpu *g, gva_t pc)
{
	struct fetch f;
	struct block *b;

	if (!code_search(g, pc, &f, &b))
		return NULL;
	if (b && b->entry)
		return code_remember(g, pc, b);
	if (b) {
		bucket_remove(g->code, b);	/* links of the interpreter still lead to it: hot */
		code_jump_forget(g->code, b);
	}
	return code_make(g, pc, &f, true);
}

struct block *code_find_short(struct gcpu *g, gva_t pc, u32 limit)
{
	struct fetch f;

	if (!fetch_begin(g, pc, &f) || !code_build(g, pc, limit, false, &f))
		return NULL;
	return code_store(g, &f);		/* ->used stays: the next block overwrites it */
}
