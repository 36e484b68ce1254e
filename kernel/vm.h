/*
 * A virtual machine: address space, devices, guest CPUs, one guest clock. A board (see
 * board.h) furnishes it. States:
 *
 *	STOPPED --start--> RUNNING <--pause/resume--> PAUSED ; either --stop, poweroff, crash--> STOPPED
 *
 * start rebuilds the machine from its configuration (fresh RAM, devices reset, images
 * loaded), so a reboot is stop + start. A guest's sin ends that guest: vm_fail() leaves a
 * post-mortem that `vm show` prints.
 */
#pragma once

#include "drivers/model/model.h"
#include "engine/gcpu.h"
#include "kernel/base/list.h"
#include "kernel/config.h"

struct board;
struct console_chan;
struct vm;

enum vm_state { VM_STOPPED, VM_RUNNING, VM_PAUSED };
enum vm_end { END_NONE, END_POWEROFF, END_REBOOT, END_FAIL_CODE, END_CRASH, END_STOPPED, END_BUDGET };

enum vcpu_state {
	VCPU_OFF,		/* powered off (HSM stopped, PSCI off), waits for vcpu_power_on */
	VCPU_READY,		/* in a run queue */
	VCPU_RUNNING,
	VCPU_WAITING,		/* halted, waits for an interrupt */
	VCPU_PARKED,		/* VM paused or stopped */
};

struct vcpu {
	struct gcpu g;			/* first */
	struct vm *vm;
	u32 index;
	/* sched lock */
	enum vcpu_state state;
	bool power;			/* on, as seen by HSM/PSCI */
	struct list run_link;
	u32 host;			/* host CPU it runs on or ran last */
	s32 pin;			/* host CPU, or -1 */
	ns_t run_ns;			/* host time spent running */
	/* owning CPU only */
	struct exit last[8];		/* the newest exits, ring at last_at */
	u32 last_at;
};

struct vm {
	/* set once */
	const struct board *board;
	struct vm_config config;	/* strings owned by the config */
	u32 id;
	/* lock */
	struct lock lock;
	enum vm_state state;
	enum vm_end end;		/* how the last run ended */
	u32 end_code;			/* END_FAIL_CODE: the guest's exit code */
	char post_mortem[4096];
	struct space space;
	struct gclock clock;
	struct vcpu *vcpu;
	u32 vcpus;
	struct dev *dev;
	u32 devs;
	u8 *ram;
	u64 ram_len;
	u8 *rom[4];			/* board's flash and firmware copies, freed by vm teardown */
	u64 rom_len[4];
	void *board_data;		/* heap, freed by vm teardown */
	struct blk *blk[CONFIG_LIST_MAX];	/* opened disks, closed by vm teardown */
	struct console_chan *console;
	ns_t started;
	/* bus_lock: around device models */
	struct lock bus_lock;
	/* any CPU, atomic */
	_Atomic u32 stop_request;	/* enum vm_end + 1, or 0: the run loop ends the VM */
	_Atomic u32 stop_code;
};

extern struct vm *vms[VM_MAX];
extern u32 vm_count;

err_t vm_create(const struct vm_config *c, struct vm **out);
err_t vm_start(struct vm *vm);		/* E_STATE unless stopped */
err_t vm_stop(struct vm *vm);
err_t vm_reset(struct vm *vm);		/* stop + start */
err_t vm_pause(struct vm *vm);
err_t vm_resume(struct vm *vm);
struct vm *vm_find(const char *name);

/* End the guest with a message; any CPU, any depth: takes effect when its CPUs next leave the guest. */
void vm_fail(struct vm *vm, const char *fmt, ...) printf_like(2, 3);
/* The guest asked to end (test device, SBI SRST, PSCI). @how is enum shutdown_how. */
void vm_shutdown(void *vm, u32 how, u32 code);

/* HSM/PSCI: start a powered-off guest CPU whose registers the caller has set; E_STATE if it is on. */
err_t vcpu_power_on(struct vcpu *v);
/* The calling guest CPU switches itself off; takes effect when its exit returns. */
void vcpu_power_off(struct vcpu *v);
static inline struct vcpu *vcpu_of(struct gcpu *g)
{
	return container_of(g, struct vcpu, g);
}
