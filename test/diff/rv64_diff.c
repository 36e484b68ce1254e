/*
 * The driver: seeds to cases, cases to both machines, differences to a minimal reproducer.
 *
 *	rv64_diff PEER SECONDS [SEED]	runs batches for SECONDS (with SECONDS 0: only SEED)
 *
 * Our side is one guest CPU for each runner; every one of them runs every case.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/mem.h"
#include "engine/front/rv64/rv64.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"
#include "kernel/base/page.h"
#include "rv64_gen.h"

#define TRAP_AT		0x1000ull	/* our machine's trap vector: wfi */
#define INSNS_LIMIT	100000

extern const struct isa rv64_isa;

static struct diff_case *cases;
static int to_peer, from_peer;
static u8 *data_page;
static const struct tried {
	const char *name;
	const struct runner *runner;
	enum gcpu_views views;
} tried[] = {
	{ "interp", &interp_runner, VIEWS_NONE }, { "jit", &jit_runner, VIEWS_NONE },
	{ "hybrid", &hybrid_runner, VIEWS_NONE }, { "direct", &jit_runner, VIEWS_ALL },
	{ "audit", &audit_runner, VIEWS_NONE },
};
#define TRIED ARRAY_LEN(tried)
static struct gcpu cpu[TRIED];
static struct space space;
static struct gclock gclk;
static struct cpu self;

void gcpu_kick(struct gcpu *x) { (void)x; }

/* ---- our machine: U-mode, every trap ends in M-mode at a wfi ---- */

static u8 *ours_ram(gpa_t at, u64 len)
{
	u8 *p = arch_ram_alloc_viewed(len, 0);

	if (!p || space_map_ram(&space, at, len, p, "ram") != OK)
		exit(4);
	return p;
}

static void ours_open(void)
{
	static u8 heap[MIB(16)] aligned_to(4096);
	static const u32 wfi = 0x10500073;

	page_add_range(heap, sizeof(heap), 0);
	cpu_self = &self;
	hosted_traps_init();		/* accesses in views fault */
	gclock_start(&gclk, 0);
	if (space_init(&space) != OK)
		exit(4);
	memcpy(ours_ram(TRAP_AT, PAGE_SIZE), &wfi, sizeof(wfi));
	ours_ram(DIFF_CODE, PAGE_SIZE);
	data_page = ours_ram(DIFF_DATA, DIFF_DATA_SIZE);
	for (u32 i = 0; i < TRIED; i++) {
		cpu[i].isa = &rv64_isa;
		cpu[i].runner = tried[i].runner;
		cpu[i].views = tried[i].views;
		cpu[i].features = rv64_isa.features;
		cpu[i].space = &space;
		cpu[i].clock = &gclk;
		cpu[i].firmware = true;
		if (gcpu_init(&cpu[i]) != OK)
			exit(4);
	}
}

static void ours_load(struct gcpu *g, const struct diff_state *in)
{
	struct rv64_state *st = g->st;

	rv64_start(g, DIFF_CODE, 0, 0, true);
	memcpy(st->x, in->x, sizeof(st->x));
	memcpy(st->f, in->f, sizeof(st->f));
	g->fp_flags = in->fcsr & 31;
	g->fp_rm = st->frm = in->fcsr >> 5 & 7;
	st->mtvec = TRAP_AT;
	st->mstatus = MSTATUS_FS;
	st->priv = PRIV_U;
	st->pmpaddr[0] = MASK(54);
	st->pmpcfg[0] = 0x1f;
	rv64_ctx_update(g);
}

static void run_one(struct gcpu *g, struct diff_case *c, struct diff_state *out)
{
	const struct rv64_state *st = g->st;
	struct exit x;

	if (space_write(&space, DIFF_CODE, c->code, DIFF_CODE_MAX) != OK ||
	    space_write(&space, DIFF_DATA, c->in.data, DIFF_DATA_SIZE) != OK)
		exit(4);
	ours_load(g, &c->in);
	gcpu_request(g, REQ_FENCE_I);
	g->budget = INSNS_LIMIT;
	g->runner->run(g, &x);
	out->pc = st->mepc;
	memcpy(out->x, st->x, sizeof(out->x));
	memcpy(out->f, st->f, sizeof(out->f));
	out->fcsr = (u64)st->frm << 5 | g->fp_flags;
	out->end = x.why != EXIT_HALT ? DIFF_LOST : st->mcause == CAUSE_BREAKPOINT ? DIFF_BREAK :
		   st->mcause == CAUSE_ILLEGAL ? DIFF_ILLEGAL : DIFF_FAULT;
	memcpy(out->data, data_page, DIFF_DATA_SIZE);
}

/* Run @c under every runner; *out is what the first one that differs from @want made of it. */
static const struct tried *ours_run(struct diff_case *c, const struct diff_state *want,
				    struct diff_state *out)
{
	for (u32 i = 0; i < TRIED; i++) {
		run_one(&cpu[i], c, out);
		if (memcmp(out, want, sizeof(*out)))
			return &tried[i];
	}
	return NULL;
}

/* ---- the peer ---- */

static void peer_open(const char *program)
{
	int in[2], out[2], fd = memfd_create("cases", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*cases) * DIFF_BATCH) || pipe(in) || pipe(out)) {
		perror("rv64_diff");
		exit(4);
	}
	cases = mmap(NULL, sizeof(*cases) * DIFF_BATCH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fork() == 0) {
		close(in[1]);			/* or the peer would never see the end */
		close(out[0]);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(fd, 3);
		execlp("qemu-riscv64-static", "qemu-riscv64-static", "-cpu", "rv64,zbc=off,h=off",
		       program, (char *)NULL);
		perror("qemu-riscv64-static");
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_peer = in[1];
	from_peer = out[0];
	signal(SIGPIPE, SIG_IGN);
}

static void peer_run(u32 count)
{
	char done;

	if (write(to_peer, &count, sizeof(count)) != sizeof(count) ||
	    read(from_peer, &done, 1) != 1) {
		fprintf(stderr, "rv64_diff: the peer died\n");
		exit(4);
	}
}

/* ---- comparing ---- */

static bool differs(struct diff_case *c)
{
	static struct diff_state ours;

	cases[0] = *c;
	peer_run(1);
	return ours_run(c, &cases[0].out, &ours) != NULL;
}

/* Replace instructions by nops and registers by zero as long as the difference stays. */
static void reduce(struct diff_case *c)
{
	struct diff_case t;

	for (u32 at = 0; at + 4 < c->code_len; at += gen_insn_len(&t, at)) {
		static const u8 nop4[] = { 0x13, 0, 0, 0 }, nop2[] = { 1, 0 };

		t = *c;
		if (gen_insn_len(c, at) == 4)
			memcpy(t.code + at, nop4, 4);
		else
			memcpy(t.code + at, nop2, 2);
		if (differs(&t))
			*c = t;
		else
			t = *c;
	}
	for (u32 i = 0; i < 64; i++) {
		u64 *reg = i < 32 ? &t.in.x[i] : &t.in.f[i - 32];

		t = *c;
		*reg = 0;
		if (differs(&t))
			*c = t;
	}
}

static void print_code(const struct diff_case *c)
{
	for (u32 at = 0; at < c->code_len; at += gen_insn_len(c, at)) {
		char text[80];
		struct sink_buf b = sink_buf_init(text, sizeof(text));
		u32 w = 0;

		memcpy(&w, c->code + at, gen_insn_len(c, at));
		rv64_isa.disasm(c->code + at, c->code_len - at, DIFF_CODE + at, &b.sink);
		if (w != 0x13 && w != 1)
			printf("  %8llx  %08x  %s\n", DIFF_CODE + at, w, text);
	}
}

static void print_word(const char *name, u32 i, u64 in, u64 ours, u64 peer)
{
	if (ours != peer)
		printf("  %s%u: in %016llx ours %016llx qemu %016llx\n", name, i,
		       (unsigned long long)in, (unsigned long long)ours, (unsigned long long)peer);
	else if (in)
		printf("  %s%u: in %016llx\n", name, i, (unsigned long long)in);
}

static void report(struct diff_case *c, u64 seed)
{
	static struct diff_state ours;
	const struct diff_state *peer = &cases[0].out;

	const struct tried *who;

	reduce(c);
	differs(c);
	who = ours_run(c, peer, &ours);
	printf("FAIL diff/rv64: seed %llu, runner %s\n", (unsigned long long)seed,
	       who ? who->name : "(only once)");
	print_code(c);
	print_word("pc", 0, 0, ours.pc, peer->pc);
	print_word("end", 0, 0, ours.end, peer->end);
	print_word("fcsr", 0, c->in.fcsr, ours.fcsr, peer->fcsr);
	for (u32 i = 0; i < 32; i++)
		print_word("x", i, c->in.x[i], ours.x[i], peer->x[i]);
	for (u32 i = 0; i < 32; i++)
		print_word("f", i, c->in.f[i], ours.f[i], peer->f[i]);
	for (u32 i = 0; i < DIFF_DATA_SIZE; i++)
		if (ours.data[i] != peer->data[i])
			print_word("data+", i, c->in.data[i], ours.data[i], peer->data[i]);
}

/* One batch from @seed on; the number of differing cases. */
static u32 batch(u64 seed, u32 count)
{
	static struct diff_state ours;
	u32 bad = 0;

	for (u32 i = 0; i < count; i++)
		gen_case(&cases[i], seed + i);
	peer_run(count);
	for (u32 i = 0; i < count; i++) {
		bool wrong = ours_run(&cases[i], &cases[i].out, &ours) != NULL;

		bad += wrong;
		cases[i].in.end = wrong;
	}
	for (u32 i = 0; bad && i < count; i++)
		if (cases[i].in.end) {
			struct diff_case c;

			gen_case(&c, seed + i);
			report(&c, seed + i);
			return bad;
		}
	return bad;
}

int main(int argc, char **argv)
{
	u64 seed, first, run = 0;
	u32 bad = 0;
	double seconds = argc > 2 ? atof(argv[2]) : 0;
	time_t end = time(NULL) + (time_t)seconds;

	if (argc < 3) {
		fprintf(stderr, "usage: rv64_diff PEER SECONDS [SEED]\n");
		return 64;
	}
	first = seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (u64)time(NULL) << 24;
	ours_open();
	peer_open(argv[1]);
	do {
		u32 count = seconds > 0 ? DIFF_BATCH : 1;

		bad += batch(seed, count);
		seed += count;
		run += count;
	} while (!bad && time(NULL) < end);
	printf("%s diff/rv64: %llu programs, seeds from %llu\n", bad ? "FAIL" : "PASS",
	       (unsigned long long)run, (unsigned long long)first);
	return bad != 0;
}
