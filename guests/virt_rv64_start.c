/*
 * How the RISC-V board starts. Two ways:
 *
 *  - direct: hart 0 enters the kernel in S-mode with a0 = its number, a1 = the device tree (Linux
 *    riscv boot.rst); the other harts are off until SBI HSM, which FVP itself answers;
 *  - firmware: all harts start in M-mode at the reset vector in ROM, as on QEMU, which jumps to
 *    the firmware with a2 = struct fw_dynamic_info (OpenSBI), naming the kernel as next stage.
 */
#include "arch/mem.h"
#include "engine/front/rv64/state.h"
#include "guests/virt_rv64.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"

/* The reset vector. All harts run it; firmware picks one to go on. */
static err_t start_write_rom(struct virt_start *s)
{
	static const u32 code[] = {
		0x00000297,	/* auipc t0, 0 */
		0x02828613,	/* addi a2, t0, 0x28: fw_dynamic_info */
		0xf1402573,	/* csrr a0, mhartid */
		0x0202b583,	/* ld a1, 0x20(t0) */
		0x0182b283,	/* ld t0, 0x18(t0) */
		0x00028067,	/* jr t0 */
	};
	const u64 data[] = {
		s->firmware_entry, s->fdt,
		/* fw_dynamic_info: magic, version, next address and mode, options, boot hart */
		0x4942534f, 2, s->next, PRIV_S, 0, 0,
	};
	u8 *rom = arch_ram_alloc(VIRT_ROM_LEN, NODE_ANY);

	_Static_assert(sizeof(code) == 0x18, "the code knows where the data is");
	if (!rom)
		return ERRF(E_NOMEM, "vm %s: no memory for its ROM", s->vm->config.name);
	s->vm->rom[0] = rom;
	s->vm->rom_len[0] = VIRT_ROM_LEN;
	memcpy(rom, code, sizeof(code));
	memcpy(rom + sizeof(code), data, sizeof(data));
	return space_map_rom(&s->vm->space, VIRT_ROM, VIRT_ROM_LEN, rom, "ROM");
}

err_t virt_rv64_start(struct virt_start *s)
{
	struct vm *vm = s->vm;
	err_t e;

	if (!s->firmware.data) {
		rv64_start(&vm->vcpu[0].g, s->next, 0, s->fdt, false);
		return vcpu_power_on(&vm->vcpu[0]);
	}
	e = start_write_rom(s);
	for (u32 i = 0; e == OK && i < vm->vcpus; i++) {
		rv64_start(&vm->vcpu[i].g, VIRT_ROM, 0, 0, true);
		e = vcpu_power_on(&vm->vcpu[i]);
	}
	return e;
}
