/*
 * The opcode maps: opcodes.def made into tables. The first two lists number the rows of choices and
 * give each cell its bits, so that the tables themselves read like the manual's.
 */
#include "engine/front/x86/opcodes.h"

enum {
#define X86_CELL(name, bits)
#define X86_ROW(map, row, ...)
#define X86_REG(name, ...)	ROW_##name,
#define X86_PP(name, ...)	ROW_##name,
#define X86_MODE(name, ...)	ROW_##name,
#include "engine/front/x86/opcodes.def"
	ROWS
};

enum {
#define X86_CELL(name, bits)	name = (bits),
#define X86_ROW(map, row, ...)
#define X86_REG(name, ...)	name = MODRM | BY_REG | ROW_##name << 16,
#define X86_PP(name, ...)	name = MODRM | BY_PP | ROW_##name << 16,
#define X86_MODE(name, ...)	name = MODRM | BY_MODE | ROW_##name << 16,
#include "engine/front/x86/opcodes.def"
};

const u32 x86_opcodes[4][16][16] = {
#define X86_CELL(name, bits)
#define X86_ROW(map, row, ...)	[map][row] = { __VA_ARGS__ },
#define X86_REG(name, ...)
#define X86_PP(name, ...)
#define X86_MODE(name, ...)
#include "engine/front/x86/opcodes.def"
};

const u32 x86_choices[ROWS][16] = {
#define X86_CELL(name, bits)
#define X86_ROW(map, row, ...)
#define X86_REG(name, ...)	[ROW_##name] = { __VA_ARGS__ },
#define X86_PP(name, ...)	[ROW_##name] = { __VA_ARGS__ },
#define X86_MODE(name, ...)	[ROW_##name] = { __VA_ARGS__ },
#include "engine/front/x86/opcodes.def"
};
