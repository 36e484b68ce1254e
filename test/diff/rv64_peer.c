/*
 * The peer: a freestanding program for riscv64 Linux, run by qemu-riscv64-static. It shares
 * an array of cases with the driver (file descriptor 3); for each number read from standard
 * input it runs that many and answers with one byte.
 *
 * Registers are loaded and read only by the kernel's signal frame: an ebreak of ours enters
 * the handler, which swaps the case's registers in; the trap that ends the case swaps back.
 */
#include "diff.h"

struct frame {				/* ucontext of riscv64 Linux */
	uint64_t flags, link, stack[3], mask[16];
	uint64_t pad;			/* the next one is 16-byte aligned */
	uint64_t pc, x[31], f[32];
	uint32_t fcsr;
};
_Static_assert(__builtin_offsetof(struct frame, pc) == 176, "layout of ucontext");

struct action {
	void (*fn)(int, void *, struct frame *);
	uint64_t flags, mask;
};

enum {
	SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93,
	SYS_SIGALTSTACK = 132, SYS_SIGACTION = 134, SYS_MMAP = 222,
};
enum { SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000 };
enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_SEGV = 11 };

static struct diff_case *current;
static struct frame resume;
static int running;
static uint8_t stack[65536];

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b,
			 a2 __asm__("a2") = c, a3 __asm__("a3") = d, a4 __asm__("a4") = e,
			 a5 __asm__("a5") = f;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

static void copy(void *to, const void *from, uint64_t len)
{
	uint64_t *d = to;
	const uint64_t *s = from;

	for (uint64_t i = 0; i < len / 8; i++)
		d[i] = s[i];
}

static void load(struct frame *f)
{
	const struct diff_state *in = &current->in;

	f->pc = DIFF_CODE;
	copy(f->x, in->x + 1, sizeof(f->x));
	copy(f->f, in->f, sizeof(f->f));
	f->fcsr = (uint32_t)in->fcsr;
}

static void save(const struct frame *f, int sig)
{
	struct diff_state *out = &current->out;

	out->pc = f->pc;
	out->x[0] = 0;
	copy(out->x + 1, f->x, sizeof(f->x));
	copy(out->f, f->f, sizeof(f->f));
	out->fcsr = f->fcsr;
	out->end = sig == SIG_TRAP ? DIFF_BREAK : sig == SIG_ILL ? DIFF_ILLEGAL : DIFF_FAULT;
}

static void on_signal(int sig, void *info, struct frame *f)
{
	(void)info;
	if (!running) {
		copy(&resume.pc, &f->pc, sizeof(*f) - __builtin_offsetof(struct frame, pc));
		load(f);
		running = 1;
	} else {
		save(f, sig);
		copy(&f->pc, &resume.pc, sizeof(*f) - __builtin_offsetof(struct frame, pc));
		f->pc += 4;
		running = 0;
	}
}

static void run(struct diff_case *c)
{
	copy((void *)DIFF_CODE, c->code, DIFF_CODE_MAX);
	copy((void *)DIFF_DATA, c->in.data, DIFF_DATA_SIZE);
	current = c;
	__asm__ volatile("fence.i\n.option push\n.option norvc\nebreak\n.option pop" ::: "memory");
	copy(c->out.data, (void *)DIFF_DATA, DIFF_DATA_SIZE);
}

static void map(uint64_t at, uint64_t len, int prot)
{
	call(SYS_MMAP, (long)at, (long)len, prot, 0x32 /* private, fixed, anonymous */, -1, 0);
}

void _start(void)
{
	struct action a = { on_signal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0 };
	uint64_t alt[3] = { (uint64_t)stack, 0, sizeof(stack) };
	struct diff_case *cases =
		(void *)call(SYS_MMAP, 0, sizeof(*cases) * DIFF_BATCH, 3, 1, 3, 0);
	static const int signals[] = { SIG_ILL, SIG_TRAP, SIG_BUS, SIG_SEGV };
	uint32_t count;

	map(DIFF_CODE, 4096, 7);
	map(DIFF_DATA, DIFF_DATA_SIZE, 3);
	call(SYS_SIGALTSTACK, (long)alt, 0, 0, 0, 0, 0);
	for (int i = 0; i < 4; i++)
		call(SYS_SIGACTION, signals[i], (long)&a, 0, 8, 0, 0);
	while (call(SYS_READ, 0, (long)&count, sizeof(count), 0, 0, 0) == sizeof(count)) {
		for (uint32_t i = 0; i < count; i++)
			run(&cases[i]);
		call(SYS_WRITE, 1, (long)"", 1, 0, 0, 0);
	}
	call(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}
