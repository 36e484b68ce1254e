/*
 * The snippets of `make golden`: where it runs, its name, its instructions. `k` is the
 * kernel, without floating point
		`u` a user's program with it. A name says which operands have a
 * host register in all targets (p: a0 to a5, sp, s0, s1, fa0 to fa5), which in none (m: t3 to t6,
 * s5 up, fs7 up). The file is assembled but not run: golden.c reads the records one by one.
 */
	.option	norvc
	.option	norelax

/* A record: length of the code, 'k' or 'u', name, zero; then, at a multiple of 4, the code. */
	.macro	record where, name
9:	.4byte	9f - 8f
	.ascii	"\where"
	.asciz	"\name"
	.balign	4, 0
8:
	.endm
	.macro	k name
	record	k, \name
	.endm
	.macro	u name
	record	u, \name
	.endm

/* ---- integer, two registers ---- */
k add.ppp;	add a0, a1, a2
k add.pp;	add a0, a0, a1
k add.pp2;	add a0, a1, a0
k add.ppm;	add a0, a1, t3
k add.pmp;	add a0, t3, a1
k add.mpp;	add t3, a0, a1
k add.mm;	add t3, t3, t4
k add.mmm;	add t3, t4, t5
k sub.ppp;	sub a0, a1, a2
k sub.pp;	sub a0, a0, a1
k sub.pp2;	sub a0, a1, a0
k sub.ppm;	sub a0, a1, t3
k sub.pmp;	sub a0, t3, a1
k sub.mm;	sub t3, t3, t4
k sub.mmm;	sub t3, t4, t5
k neg.pp;	neg a0, a1
k neg.mm;	neg t3, t3
k and.ppp;	and a0, a1, a2
k and.pp;	and a0, a0, a1
k and.mmm;	and t3, t4, t5
k or.ppp;	or a0, a1, a2
k or.pp;	or a0, a0, a1
k or.mm;	or t3, t3, t4
k xor.ppp;	xor a0, a1, a2
k xor.pp;	xor a0, a0, a1
k xor.mpp;	xor t3, a0, a1
k sll.ppp;	sll a0, a1, a2
k sll.pp;	sll a0, a0, a1
k sll.mmm;	sll t3, t4, t5
k srl.ppp;	srl a0, a1, a2
k sra.ppp;	sra a0, a1, a2
k slt.ppp;	slt a0, a1, a2
k slt.mmm;	slt t3, t4, t5
k sltu.ppp;	sltu a0, a1, a2
k sltu.pp;	sltu a0, a0, a1
k snez.pp;	snez a0, a1
k seqz.pp;	seqz a0, a1
k seqz.mm;	seqz t3, t4
k addw.ppp;	addw a0, a1, a2
k addw.pp;	addw a0, a0, a1
k addw.mmm;	addw t3, t4, t5
k subw.ppp;	subw a0, a1, a2
k sllw.ppp;	sllw a0, a1, a2
k srlw.ppp;	srlw a0, a1, a2
k sraw.ppp;	sraw a0, a1, a2
k mul.ppp;	mul a0, a1, a2
k mul.pp;	mul a0, a0, a1
k mul.mmm;	mul t3, t4, t5
k mulw.ppp;	mulw a0, a1, a2
k mulh.ppp;	mulh a0, a1, a2
k mulhu.ppp;	mulhu a0, a1, a2
k mulhsu.ppp;	mulhsu a0, a1, a2
k div.ppp;	div a0, a1, a2
k divu.ppp;	divu a0, a1, a2
k divuw.ppp;	divuw a0, a1, a2
k rem.ppp;	rem a0, a1, a2
k remu.ppp;	remu a0, a1, a2
k remw.ppp;	remw a0, a1, a2

/* ---- integer, a register and an immediate ---- */
k addi.pp;	addi a0, a1, 16
k addi.p;	addi a0, a0, 16
k addi.pm;	addi a0, t3, 16
k addi.mp;	addi t3, a0, 16
k addi.m;	addi t3, t3, -1
k addi.mm;	addi t3, t4, 2047
k addi.sp;	addi sp, sp, -2048
k addiw.pp;	addiw a0, a1, 1
k addiw.p;	addiw a0, a0, -1
k addiw.m;	addiw t3, t3, 1
k sext.w.pp;	addiw a0, a1, 0
k sext.w.p;	addiw a0, a0, 0
k sext.w.m;	addiw t3, t3, 0
k andi.pp;	andi a0, a1, 255
k andi.p;	andi a0, a0, -16
k andi.m;	andi t3, t3, 1
k andi.odd;	andi a0, a1, 0x555
k ori.pp;	ori a0, a1, 1
k xori.pp;	xori a0, a1, 1
k not.pp;	not a0, a1
k not.p;	not a0, a0
k not.m;	not t3, t3
k slti.pp;	slti a0, a1, 10
k sltiu.pp;	sltiu a0, a1, 1
k slli.pp;	slli a0, a1, 3
k slli.p;	slli a0, a0, 3
k slli.m;	slli t3, t3, 3
k slli.mm;	slli t3, t4, 3
k slli.1;	slli a0, a1, 1
k srli.pp;	srli a0, a1, 12
k srai.pp;	srai a0, a1, 63
k slliw.pp;	slliw a0, a1, 3
k srliw.pp;	srliw a0, a1, 3
k sraiw.pp;	sraiw a0, a1, 3
k sraiw.m;	sraiw t3, t3, 31

/* ---- moves and constants ---- */
k nop;		nop
k mv.pp;	mv a0, a1
k mv.pm;	mv a0, t3
k mv.mp;	mv t3, a0
k mv.mm;	mv t3, t4
k li0.p;	li a0, 0
k li0.m;	li t3, 0
k li1.p;	li a0, 1
k li1.m;	li t3, 1
k li-1.p;	li a0, -1
k lui.p;	lui a0, 0x12345
k lui.neg;	lui a0, 0x80000
k li32.p;	li a0, 0x12345678
k li32.m;	li t3, 0x12345678
k li64.p;	li a0, 0x123456789abcdef0
k auipc.p;	auipc a0, 0x10
k la.p;		auipc a0, 0x10; addi a0, a0, 4

/* ---- Zba, Zbb, Zbs, Zicond ---- */
	.option	arch, +zba, +zbb, +zbs
k sh1add.ppp;	sh1add a0, a1, a2
k sh2add.ppp;	sh2add a0, a1, a2
k sh3add.pp;	sh3add a0, a1, a0
k sh3add.mmm;	sh3add t3, t4, t5
k add.uw.ppp;	add.uw a0, a1, a2
k slli.uw.pp;	slli.uw a0, a1, 4
k sh2add.uw;	sh2add.uw a0, a1, a2
k zext.w.pp;	add.uw a0, a1, zero
k zext.h.pp;	zext.h a0, a1
k sext.b.pp;	sext.b a0, a1
k sext.h.m;	sext.h t3, t4
k andn.ppp;	andn a0, a1, a2
k orn.ppp;	orn a0, a1, a2
k xnor.ppp;	xnor a0, a1, a2
k rol.ppp;	rol a0, a1, a2
k ror.ppp;	ror a0, a1, a2
k rori.pp;	rori a0, a1, 7
k roriw.pp;	roriw a0, a1, 7
k min.ppp;	min a0, a1, a2
k maxu.pp;	maxu a0, a0, a1
k clz.pp;	clz a0, a1
k ctz.pp;	ctz a0, a1
k ctzw.pp;	ctzw a0, a1
k cpop.pp;	cpop a0, a1
k rev8.pp;	rev8 a0, a1
k orc.b.pp;	orc.b a0, a1
k bset.ppp;	bset a0, a1, a2
k bclri.pp;	bclri a0, a1, 5
k bexti.pp;	bexti a0, a1, 9
k bext.ppp;	bext a0, a1, a2
k binvi.p;	binvi a0, a0, 40
k czero.eqz;	.4byte 0x0ec5d533	# a0, a1, a2
k czero.nez;	.4byte 0x0ec5f533

/* ---- memory ---- */
k lb.p;		lb a0, 0(a1)
k lbu.p;	lbu a0, 0(a1)
k lh.p;		lh a0, 8(a1)
k lhu.p;	lhu a0, 8(a1)
k lw.p;		lw a0, 8(a1)
k lwu.p;	lwu a0, 8(a1)
k ld.p;		ld a0, 8(a1)
k ld.p0;	ld a0, 0(a1)
k ld.own;	ld a0, 0(a0)
k ld.m;		ld a0, 8(t3)
k ld.mp;	ld t3, 8(a0)
k ld.mm;	ld t3, 8(t4)
k lb.mm;	lb t3, 8(t4)
k ld.x0;	ld zero, 8(a0)
k sb.p;		sb a0, 0(a1)
k sh.p;		sh a0, 8(a1)
k sw.p;		sw a0, 8(a1)
k sd.p;		sd a0, 8(a1)
k sd.p0;	sd a0, 0(a1)
k sd.zero;	sd zero, 8(a1)
k sb.zero;	sb zero, 0(a1)
k sd.m;		sd a0, 8(t3)
k sd.mp;	sd t3, 8(a0)
k sd.mm;	sd t3, 8(t4)
k sb.mm;	sb t3, 8(t4)
k ld.pair;	ld a0, 0(sp); ld a1, 8(sp)
k sd.pair;	sd ra, 8(sp); sd s0, 0(sp)
k epilogue;	ld ra, 24(sp); ld s0, 16(sp); addi sp, sp, 32
k prologue;	addi sp, sp, -32; sd ra, 24(sp); sd s0, 16(sp)
k lr.w;		lr.w a0, (a1)
k lr.d;		lr.d a0, (a1)
k sc.d;		sc.d a0, a1, (a2)
k sc.w;		sc.w a0, a1, (a2)
k amoadd.w;	amoadd.w a0, a1, (a2)
k amoadd.d;	amoadd.d a0, a1, (a2)
k amoadd.x0;	amoadd.d zero, a1, (a2)
k amoswap.w;	amoswap.w.aq a0, a1, (a2)
k amoor.d;	amoor.d a0, a1, (a2)
k amoand.w;	amoand.w a0, a1, (a2)
k amomax.d;	amomax.d a0, a1, (a2)
k fence;	fence rw, rw
k lr.sc;	lr.d a3, (a0); bne a3, a1, .+12; sc.d a4, a2, (a0); bnez a4, .-12

/* ---- control ---- */
k beq.pp;	beq a0, a1, .+64
k bne.pm;	bne a0, t3, .+64
k bltu.mm;	bltu t3, t4, .+64
k bge.pp;	bge a0, a1, .+64
k beqz.p;	beqz a0, .+64
k bnez.m;	bnez t3, .+64
k bltz.p;	bltz a0, .+64
k bgez.p;	bgez a0, .+64
k j;		j .+64
k j.far;	j .+8192
k jal;		jal .+64
k jalr;		jalr 0(a0)
k jalr.off;	jalr 8(a0)
k jr.m;		jr t3
k ret;		ret
k call;		auipc ra, 1; jalr 16(ra)
k slt.bnez;	slt a0, a1, a2; bnez a0, .+64
k li.bne;	li a0, 10; bne a0, a1, .+64
k andi.beqz;	andi a0, a1, 4; beqz a0, .+64
k ecall;	ecall
k csrr;		csrr a0, sstatus
k csrw;		csrw sscratch, a0
k csrsi;	csrsi sstatus, 2
k csrr.time;	csrr a0, time
k ebreak;	ebreak

/* ---- what compilers write together ---- */
k zext.w.old;	slli a0, a1, 32; srli a0, a0, 32
k zext.h.old;	slli a0, a1, 48; srli a0, a0, 48
k zext.w.own;	slli a0, a0, 32; srli a0, a0, 32
k field;	slli a0, a1, 20; srli a0, a0, 52
k sext.h.old;	slliw a0, a1, 16; sraiw a0, a0, 16
k li.add;	lui a0, 0x12; addiw a0, a0, 52
k index.old;	slli a0, a1, 3; add a0, a0, a2; ld a0, 0(a0)
k index;	sh3add a0, a1, a2; ld a0, 0(a0)
k index.w;	slli a5, a4, 2; add a5, a3, a5; lw a4, 0(a5)
k load.global;	auipc a5, 0x10; ld a5, 16(a5)
k not.and;	not a0, a0; and a0, a0, a1
k sleu;		sltu a0, a0, a1; xori a0, a0, 1
k index.stack;	slli a0, a0, 3; addi a0, a0, 64; add a0, a0, sp; ld a0, -64(a0)
k subw.sraiw;	subw a0, a0, a1; sraiw a0, a0, 5
k rotate.w;	srliw a0, a1, 7; slliw a1, a1, 25; or a0, a0, a1
k rotate.d;	srli a0, a1, 7; slli a1, a1, 57; or a0, a0, a1
k index.u;	slli a0, a0, 32; srli a0, a0, 30; add a0, a0, a1
k index.u4;	slli a0, a0, 32; srli a0, a0, 28; add a0, a0, a1
k addw.chain;	addw a0, a1, a2; addw a0, a0, a3; addw a0, a0, a4
k mask;		addi a0, a1, -1; and a0, a0, a2
k select;	neg a0, a1; xor a2, a2, a3; and a2, a2, a0; xor a2, a2, a3
k max;		bge a0, a1, .+8; mv a0, a1
k swap;		mv a2, a0; mv a0, a1; mv a1, a2
k memcpy;	ld a5, 0(a1); addi a1, a1, 8; sd a5, 0(a0); addi a0, a0, 8; bne a1, a2, .-16
k memset;	sd a1, 0(a0); addi a0, a0, 8; bltu a0, a2, .-8
k strlen;	addi a0, a0, 1; lbu a5, 0(a0); bnez a5, .-8
k strcmp;	lbu a4, 0(a0); lbu a5, 0(a1); addi a0, a0, 1; addi a1, a1, 1; bne a4, a5, .+12
		bnez a4, .-20
k fnv;		lbu a4, 0(a0); xor a5, a5, a4; mul a5, a5, a3; addi a0, a0, 1; bne a0, a1, .-16
k djb;		lbu a4, 0(a0); slliw a5, a2, 5; addw a2, a2, a5; addw a2, a2, a4
		addi a0, a0, 1; bne a0, a1, .-20
k crc;		xor a5, a4, a0; andi a5, a5, 255; slli a5, a5, 2; add a5, a3, a5; lwu a5, 0(a5)
		srliw a0, a0, 8; xor a0, a0, a5
k list;		ld a0, 0(a0); addi a1, a1, 1; bnez a0, .-8
k list.m;	ld t3, 0(t3); addi t4, t4, 1; bnez t3, .-8
k sum.m;	lw t3, 0(s8); addw s9, s9, t3; addi s8, s8, 4; bne s8, s7, .-12
k collatz;	andi a5, a0, 1; beqz a5, .+16; slli a5, a0, 1; add a0, a0, a5; addi a0, a0, 1
		srli a0, a0, 1

/* ---- floating point ---- */
u fadd.d;	fadd.d fa0, fa1, fa2
u fadd.d.own;	fadd.d fa0, fa0, fa1
u fadd.d.own2;	fadd.d fa0, fa1, fa0
u fadd.d.m;	fadd.d fs7, fs8, fs9
u fadd.s;	fadd.s fa0, fa1, fa2
u fadd.s.own;	fadd.s fa0, fa0, fa1
u fadd.s.m;	fadd.s fs7, fs8, fs9
u fadd.s.twice;	fadd.s fa0, fa1, fa2; fadd.s fa0, fa0, fa3
u fsub.d;	fsub.d fa0, fa1, fa2
u fmul.d;	fmul.d fa0, fa1, fa2
u fmul.s;	fmul.s fa0, fa1, fa2
u fdiv.d;	fdiv.d fa0, fa1, fa2
u fsqrt.d;	fsqrt.d fa0, fa1
u fmadd.d;	fmadd.d fa0, fa1, fa2, fa3
u fmadd.d.own;	fmadd.d fa0, fa1, fa2, fa0
u fmadd.s;	fmadd.s fa0, fa1, fa2, fa3
u fnmsub.d.own;	fnmsub.d fa0, fa1, fa2, fa0
u fmin.d;	fmin.d fa0, fa1, fa2
u fmax.s;	fmax.s fa0, fa1, fa2
u fsgnj.d;	fsgnj.d fa0, fa1, fa2
u fmv.d;	fmv.d fa0, fa1
u fmv.d.m;	fmv.d fs7, fs8
u fmv.s;	fmv.s fa0, fa1
u fneg.d;	fneg.d fa0, fa1
u fabs.d;	fabs.d fa0, fa1
u fneg.s;	fneg.s fa0, fa1
u fabs.s;	fabs.s fa0, fa1
u feq.d;	feq.d a0, fa0, fa1
u flt.d;	flt.d a0, fa0, fa1
u fle.s;	fle.s a0, fa0, fa1
u flt.d.beqz;	flt.d a0, fa0, fa1; beqz a0, .+64
u fle.s.bnez;	fle.s a0, fa0, fa1; bnez a0, .+64
u fcvt.d.w;	fcvt.d.w fa0, a0
u fcvt.d.l;	fcvt.d.l fa0, a0
u fcvt.s.w;	fcvt.s.w fa0, a0
u fcvt.d.lu;	fcvt.d.lu fa0, a0
u fcvt.w.d;	fcvt.w.d a0, fa0, rtz
u fcvt.l.d;	fcvt.l.d a0, fa0, rtz
u fcvt.wu.s;	fcvt.wu.s a0, fa0, rtz
u fcvt.s.d;	fcvt.s.d fa0, fa1
u fcvt.d.s;	fcvt.d.s fa0, fa1
u fmv.x.d;	fmv.x.d a0, fa0
u fmv.d.x;	fmv.d.x fa0, a0
u fmv.x.w;	fmv.x.w a0, fa0
u fmv.w.x;	fmv.w.x fa0, a0
u fzero.d;	fmv.d.x fa0, zero
u fclass.d;	fclass.d a0, fa0
u fld;		fld fa0, 8(a0)
u fld.m;	fld fs7, 8(a0)
u fsd;		fsd fa0, 8(a0)
u fsd.m;	fsd fs7, 8(a0)
u flw;		flw fa0, 4(a0)
u fsw;		fsw fa0, 4(a0)
u frflags;	frflags a0
u fsflags;	fsflags a0
u frcsr;	frcsr a0
u fquiet;	frflags a1; flt.d a0, fa0, fa1; fsflags a1
u daxpy;	fld fa5, 0(a0); fld fa4, 0(a1); fmadd.d fa4, fa5, fa0, fa4; fsd fa4, 0(a1)
		addi a0, a0, 8; addi a1, a1, 8; bne a0, a2, .-24
u matrix;	fld fa5, 0(a3); fld fa4, 0(a4); addi a3, a3, 8; add a4, a4, a5
		fmadd.d fa0, fa5, fa4, fa0; bne a3, a2, .-20
u saxpy;	flw fa5, 0(a0); flw fa4, 0(a1); fmadd.s fa4, fa5, fa0, fa4; fsw fa4, 0(a1)
		addi a0, a0, 4; addi a1, a1, 4; bne a0, a2, .-24
u dot.s;	flw fa5, 0(a0); flw fa4, 0(a1); fmul.s fa5, fa5, fa4; fadd.s fa0, fa0, fa5
		addi a0, a0, 4; addi a1, a1, 4; bne a0, a2, .-24
u horner;	fmul.d fa0, fa0, fa1; fadd.d fa0, fa0, fa2; fmul.d fa0, fa0, fa1
		fadd.d fa0, fa0, fa3
u mandel;	fmul.d fa4, fa0, fa0; fmul.d fa5, fa1, fa1; fadd.d fa3, fa4, fa5
		flt.d a5, fa2, fa3; bnez a5, .+64; fsub.d fa4, fa4, fa5; fmul.d fa1, fa0, fa1
		fadd.d fa0, fa4, ft0

9:	.4byte	0
