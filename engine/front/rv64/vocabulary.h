/*
 * The words in which rv64.def says what instructions mean: thin names over the IR builders.
 * Included by translate.c only, before the generated decoder. Every word works on the
 * translation `tr` of the instruction at hand; a, l, d ... are the row's fields.
 */

/* The instruction. */
#define PC		(tr->pc)
#define NEXT		(tr->next)
#define PRIV		(tr->w->ctx & CTX_PRIV)
#define UNDEFINED	return false
#define REQUIRE(cond)	do { if (!(cond)) UNDEFINED; } while (0)
#define NEED_S		REQUIRE(PRIV != PRIV_U)

/* Does this guest have the row's extension, and may it be used now? */
#define FEATURE(bit)	((tr->w->features & RV64_##bit) != 0)
#define HAS_I		true
#define HAS_S		true
#define HAS_M		true
#define HAS_A		true
#define HAS_C		true
#define HAS_F		((tr->w->ctx & CTX_FP) != 0)
#define HAS_D		HAS_F
#define HAS_Zicsr	true
#define HAS_Zifencei	true
#define HAS_Zihintpause	true
#define HAS_Zba		FEATURE(ZBA)
#define HAS_Zbb		FEATURE(ZBB)
#define HAS_Zbs		FEATURE(ZBS)
#define HAS_Zicond	FEATURE(ZICOND)
#define HAS_Zicbom	FEATURE(ZICBOM)
#define HAS_Zicboz	FEATURE(ZICBOZ)
#define HAS_Zawrs	FEATURE(ZAWRS)
#define HAS_Svinval	FEATURE(SVINVAL)

/* Values. */
#define K(v)		ir_const(tr->b, (u64)(v))
#define X(n)		read_x(tr, n)
#define WX(n, v)	write_x(tr, n, v)

#define OP1(op, x)	ir_1(tr->b, IR_##op, x)
#define OP2(op, x, y)	ir_2(tr->b, IR_##op, x, y)
#define OP3(op, x, y, z) ir_3(tr->b, IR_##op, x, y, z)
#define ADD(x, y)	OP2(ADD64, x, y)
#define SUB(x, y)	OP2(SUB64, x, y)
#define MUL(x, y)	OP2(MUL64, x, y)
#define MULHS(x, y)	OP2(MULHS64, x, y)
#define MULHU(x, y)	OP2(MULHU64, x, y)
#define MULHSU(x, y)	OP2(MULHSU64, x, y)
#define DIVS(x, y)	OP2(DIVS64, x, y)
#define DIVU(x, y)	OP2(DIVU64, x, y)
#define REMS(x, y)	OP2(REMS64, x, y)
#define REMU(x, y)	OP2(REMU64, x, y)
#define AND(x, y)	OP2(AND64, x, y)
#define OR(x, y)	OP2(OR64, x, y)
#define XOR(x, y)	OP2(XOR64, x, y)
#define ANDN(x, y)	OP2(ANDN64, x, y)
#define ORN(x, y)	OP2(ORN64, x, y)
#define XNOR(x, y)	OP2(XNOR64, x, y)
#define SHL(x, y)	OP2(SHL64, x, y)
#define SHR(x, y)	OP2(SHR64, x, y)
#define SAR(x, y)	OP2(SAR64, x, y)
#define ROTR(x, y)	OP2(ROTR64, x, y)
#define MINS(x, y)	OP2(MINS64, x, y)
#define MINU(x, y)	OP2(MINU64, x, y)
#define MAXS(x, y)	OP2(MAXS64, x, y)
#define MAXU(x, y)	OP2(MAXU64, x, y)
#define SETEQ(x, y)	OP2(SETEQ64, x, y)
#define SETLTS(x, y)	OP2(SETLTS64, x, y)
#define SETLTU(x, y)	OP2(SETLTU64, x, y)
#define SETLEU(x, y)	OP2(SETLEU64, x, y)
#define CLZ(x)		OP1(CLZ64, x)
#define CTZ(x)		OP1(CTZ64, x)
#define POPCNT(x)	OP1(POPCNT64, x)
#define BSWAP(x)	OP1(BSWAP64, x)
#define SEL(c, x, y)	OP3(SEL64, c, x, y)
#define ADD32(x, y)	OP2(ADD32, x, y)
#define SUB32(x, y)	OP2(SUB32, x, y)
#define MUL32(x, y)	OP2(MUL32, x, y)
#define DIVS32(x, y)	OP2(DIVS32, x, y)
#define DIVU32(x, y)	OP2(DIVU32, x, y)
#define REMS32(x, y)	OP2(REMS32, x, y)
#define REMU32(x, y)	OP2(REMU32, x, y)
#define SHL32(x, y)	OP2(SHL32, x, y)
#define SHR32(x, y)	OP2(SHR32, x, y)
#define SAR32(x, y)	OP2(SAR32, x, y)
#define ROTR32(x, y)	OP2(ROTR32, x, y)
#define CLZ32(x)	OP1(CLZ32, x)
#define CTZ32(x)	OP1(CTZ32, x)
#define POPCNT32(x)	OP1(POPCNT32, x)
#define SEL32(c, x, y)	OP3(SEL32, c, x, y)
#define SX8(x)		OP1(SX8, x)
#define SX16(x)		OP1(SX16, x)
#define SX32(x)		OP1(SX32, x)
#define ZX16(x)		OP1(ZX16, x)
#define ZX32(x)		OP1(ZX32, x)
#define ORC_B(x)	or_combine_bytes(tr, x)

/* Memory. */
#define LOAD(op, base, off)	ir_load(tr->b, IR_##op, X(base), (s32)(off), 0)
#define STORE(op, base, off, v)	ir_store(tr->b, IR_##op, X(base), (s32)(off), v, 0)
#define ORDER			((u8)((a ? MEM_ACQUIRE : 0) | (l ? MEM_RELEASE : 0)))
#define LR(size, at)		ir_emit(tr->b, IR_LX, at, 0, 0, ORDER, 0, (size) << 8)
#define SC(size, at, v)		ir_emit(tr->b, IR_SX, at, v, 0, ORDER, 0, (size) << 8)
#define AMO(kind, size, at, v)	ir_emit(tr->b, IR_AMO, at, v, 0, ORDER, 0, AMO_##kind | (size) << 8)
#define FENCE			ir_emit(tr->b, IR_FENCE, 0, 0, 0, 0, 0, 0)
#define ZERO_BLOCK(at)		ir_emit(tr->b, IR_ZEROBLK, at, 0, 0, 0, 0, RV64_CBO_BLOCK)

/* Control. */
#define JUMP(to)		ir_exit(tr->b, to, IR_CHAIN)
#define JUMP_TO(v)		ir_exit_to(tr->b, v, IR_LOOKUP)
#define BRANCH_IF(op, x, y, off) branch_if(tr, IR_##op, x, y, off)
#define EXCEPT(cause, v)	ir_except(tr->b, cause, v)
#define ECALL			ecall(tr)
#define CSR(d, v, writes)	access_csr(tr, w, d, v, writes)
#define CALL2(helper, x, y)	ir_call(tr->b, &helper, x, y, 0)
#define CALL_END(helper, x)	CALL3_END(helper, x, 0, 0)
#define CALL3_END(helper, x, y, z) do { ir_call(tr->b, &helper, x, y, z); \
					ir_exit(tr->b, NEXT, IR_CHECK); } while (0)
#define RETURN(helper)		ir_exit_to(tr->b, ir_call(tr->b, &helper, K(w), 0, 0), IR_CHECK)

/* Floating point: FRAW the register's bits, FS its single, FD its double; WS and WD write. */
#define SIGN_S		BIT(31)
#define SIGN_D		BIT(63)
#define ROUNDING_VALID(rm) rounding_valid(tr, rm)
#define FRAW(n)		ir_get64(tr->b, STATE_F(n))
#define FS(n)		OP1(UNBOX32, FRAW(n))
#define FD(n)		FRAW(n)
#define WS(n, v)	write_f(tr, n, OP1(BOX32, v))
#define WD(n, v)	write_f(tr, n, v)
#define WXF(n, v)	do { write_x(tr, n, v); fp_dirty(tr); } while (0)
#define FP_AUX(fmt, rm)	((u8)(IR_FP_##fmt | (rm) << 2))
#define FP1(op, fmt, x, how)	ir_emit(tr->b, IR_##op, x, 0, 0, FP_AUX(fmt, m), 0, how)
#define FP2(op, fmt, x, y)	ir_emit(tr->b, IR_##op, x, y, 0, FP_AUX(fmt, m), 0, 0)
#define FPX(op, fmt, x, y, how)	ir_emit(tr->b, IR_##op, x, y, 0, FP_AUX(fmt, 0), 0, how)
#define MADD(fmt, signs, x, y, z) ir_emit(tr->b, IR_FMA, x, y, z, FP_AUX(fmt, m), 0, signs)
#define SIGNED_AS(fmt, how)	sign_inject(tr, F##fmt(s), s == t ? 0 : F##fmt(t), SIGN_##fmt, how)
