/*
 * A virtual machine: address space, devices, guest CPUs, one guest clock. A board (see
 * board.h) furnishes it. States:
 *
 *	STOPPED --start--> RUNNING <--pause/resume--> PAUSED
 *	RUNNING, PAUSED --stop, poweroff, crash--> STOPPED
 *
 * start rebuilds the machine from its configuration (fresh RAM, devices reset, images
 * loaded), so a reboot is stop + start. A guest's sin ends that guest: vm_fail() leaves a
 * post-mortem that `vm show` prints.
 */
#pragma once

#include "drivers/model/model.h"
#include "engine/code.h"
#include "engine/gcpu.h"
#include "kernel/base/list.h"
#include "kernel/config.h"

struct board;
struct console_chan;
struct vm;

enum vm_state { VM_STOPPED, VM_RUNNING, VM_PAUSED };

/* VM_END(name, what people are told, exit status of the hosted program) */
#define VM_ENDS(VM_END) \
	VM_END(NONE,      "has not run yet", 0) \
	VM_END(POWEROFF,  "powered off by the guest", 0) \
	VM_END(REBOOT,    "rebooted by the guest", 1) \
	VM_END(FAIL_CODE, "failed, the guest says", 3) \
	VM_END(CRASH,     "crashed", 3) \
	VM_END(STOPPED,   "stopped", 0) \
	VM_END(BUDGET,    "instruction budget used up", 2) \
	VM_END(HALTED,    "halted: all its CPUs are off", 2) \
	VM_END(RESET,     "reset", 1)

enum vm_end {
#define VM_END(name, text, status) END_##name,
	VM_ENDS(VM_END)
#undef VM_END
	END_COUNT
};

enum vcpu_state {
	VCPU_OFF,		/* powered off (HSM stopped, PSCI off), waits for vcpu_power_on */
	VCPU_READY,		/* in a run queue */
	VCPU_RUNNING,
	VCPU_WAITING,		/* halted, waits for an interrupt */
	VCPU_PARKED,		/* VM paused, ending or not yet started */
};

struct vcpu {
	struct gcpu g;			/* first */
	struct vm *vm;
	u32 index;
	/*
	 * In whose turns it runs: normally its own. With a clock that counts, in the first CPU's,
	 * ->carried before it; that one has ->crew CPUs from itself on.
	 */
	u32 carried, crew;
	/* sched lock */
	enum vcpu_state state;
	bool power;			/* on, as seen by HSM/PSCI */
	struct list run_link;
	u32 host;			/* host CPU it runs on or ran last */
	s32 pin;			/* host CPU, or -1 */
	ns_t run_ns;			/* host time spent running */
	/* any CPU, atomic */
	_Atomic bool park;		/* leave the guest and stay PARKED */
	_Atomic u64 retired;		/* g.icount as of the last exit */
	/* owning CPU only */
	struct exit exit;		/* the current one */
	u8 last[8];		/* enum exit_why of the newest telling exits, ring at last_at */
	u32 last_at;
};

/* Work done since the last start; approximate while the VM runs. */
struct vm_stats {
	u64 instructions;
	ns_t run_ns;			/* host time, summed over the guest's CPUs */
	u64 exits[EXIT_COUNT];
	u64 tlb_slow, tlb_fills, tlb_flushes;
	u64 lpt_fills, lpt_flushes;	/* of translated code's page tables */
	struct code_stats code;
};

struct vm {
	/* set once */
	const struct board *board;	/* NULL until the first start */
	struct vm_config config;	/* strings owned by the config */
	u32 id;
	/* lock */
	struct lock lock;
	enum vm_state state;
	enum vm_end end;		/* how the last run ended */
	u32 end_code;			/* END_FAIL_CODE: the guest's exit code */
	char problem[192];		/* why it did not start, or "" */
	char post_mortem[4096];
	struct vm_stats ended;		/* of the last run */
	u32 failures;			/* in a row, each soon after its start */
	struct space space;
	struct ports ports;		/* x86 */
	struct gclock clock;
	u32 turn;			/* a clock that counts: the CPU whose quantum it is */
	struct vcpu *vcpu; /* allocated once: another CPU may still be looking at ->attention */
	u32 vcpus;
	struct dev *dev;
	u32 devs;
	u8 *ram;
	u64 ram_len;
	/* board's flash and firmware copies from arch_ram_alloc, freed by vm teardown */
	u8 *rom[4];
	u64 rom_len[4];
	void *board_data;		/* heap, freed by vm teardown */
	struct blk *blk[CONFIG_LIST_MAX];	/* opened disks, closed by vm teardown */
	struct console_chan *console;
	ns_t started;
	/* bus_lock: around device models */
	struct lock bus_lock;
	/* any CPU, atomic */
	_Atomic u32 stop_request;	/* enum vm_end + 1, or 0: CPU 0's loop ends the VM */
	_Atomic u32 stop_code;
	_Atomic bool pause_request;	/* CPU 0's loop pauses the VM */
	_Atomic bool end_claimed;	/* the first end wins and may write cause[] */
	char cause[160];		/* END_CRASH: the message of vm_fail() */
};

extern struct vm *vms[VM_MAX];
extern u32 vm_count;

/*
 * Which board and runner @c gets on this machine, and why; an error names the VM and says what is
 * missing.
 */
struct vm_plan {
	const struct board *board;
	const struct runner *runner;
	const char *why;		/* this runner */
	u32 features;
	enum gcpu_views views;		/* memory-mode */
};
err_t vm_plan(const struct vm_config *c, struct vm_plan *out);

/* Its RAM, for the board; NULL: no memory. */
void *vm_alloc_ram(const struct vm *vm);

/*
 * Life cycle. CPU 0's loop is where it happens: called there, these take effect before they
 * return. From anywhere else (a guest CPU's own exit, another host CPU) stop, reset and pause
 * are requests that CPU 0 serves soon.
 */
err_t vm_create(const struct vm_config *c, struct vm **out);	/* E_EXIST, E_RANGE, E_NOMEM */
/* E_STATE unless stopped; on failure also logged and kept in ->problem */
err_t vm_start(struct vm *vm);
err_t vm_stop(struct vm *vm);
err_t vm_reset(struct vm *vm);		/* stop + start */
err_t vm_pause(struct vm *vm);
err_t vm_resume(struct vm *vm);
/* Press its power key: the guest may then end by itself. E_UNSUPPORTED: the board has none. */
err_t vm_press(struct vm *vm);
/* Serve what other CPUs asked for; CPU 0's loop. */
void vm_serve_requests(void);
/* Called when a VM has ended and does not start again. Set by kernel/main.c. */
extern void (*vm_on_end)(struct vm *vm);

struct vm *vm_find(const char *name);
void vm_stats(const struct vm *vm, struct vm_stats *out);
const char *vm_state_name(enum vm_state s);
const char *vm_end_text(enum vm_end e);
int vm_end_status(enum vm_end e);

/*
 * End the guest with a message; any CPU, any depth: takes effect when its CPUs next leave the
 * guest.
 */
void vm_fail(struct vm *vm, const char *fmt, ...) printf_like(2, 3);
/* The guest asked to end (test device, SBI SRST, PSCI). @how is enum shutdown_how. */
void vm_shutdown(void *vm, u32 how, u32 code);
/*
 * Ask CPU 0 to end the VM as @end; the first request wins. Any CPU, any depth, not under the sched
 * lock.
 */
void vm_request_end(struct vm *vm, enum vm_end end, u32 code);

/* For dev.cpu: the index of the guest CPU whose turn it is on this host CPU. */
u32 vm_cpu(void *vm);

/*
 * HSM/PSCI: start a powered-off guest CPU whose registers the caller has set; E_STATE if it is on.
 */
err_t vcpu_power_on(struct vcpu *v);
/* The calling guest CPU switches itself off; takes effect when its exit returns. */
void vcpu_power_off(struct vcpu *v);
/* Powered off and out of its last turn: its registers are the caller's until vcpu_power_on(). */
bool vcpu_is_off(struct vcpu *v);

/* Between vm.c and vm_end.c: take the machine apart; serve ->stop_request. */
void vm_teardown(struct vm *vm);
void vm_finish(struct vm *vm);
/* Registers and last exits of CPUs that are parked. */
void vm_print_cpus(const struct vm *vm, struct sink *to);

static inline struct vcpu *vcpu_carrier(struct vcpu *v)
{
	return v - v->carried;
}

static inline struct vcpu *vcpu_of(struct gcpu *g)
{
	return container_of(g, struct vcpu, g);
}
