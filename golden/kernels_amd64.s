#include "textflag.h"

// Eight spikes of a word of bytes as a mask, and back.
DATA bytes<>+0(SB)/8, $0x0101010101010101
GLOBL bytes<>(SB), RODATA|NOPTR, $8

DATA absolute<>+0(SB)/4, $0x7fffffff
GLOBL absolute<>(SB), RODATA|NOPTR, $4

DATA eight<>+0(SB)/4, $8
GLOBL eight<>(SB), RODATA|NOPTR, $4

// func addRows1(acc, rows *float32, offset, stride int, index *int32, n int)
// Offset and stride are in bytes.
TEXT ·addRows1(SB), NOSPLIT, $0-48
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ n+40(FP), CX
	VMOVUPS 0(DI), Y0

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VADDPS  0(SI)(AX*1), Y0, Y0
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VZEROUPPER
	RET

// func addRows2(acc, rows *float32, offset, stride int, index *int32, n int)
// Offset and stride are in bytes.
TEXT ·addRows2(SB), NOSPLIT, $0-48
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ n+40(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VADDPS  0(SI)(AX*1), Y0, Y0
	VADDPS  32(SI)(AX*1), Y1, Y1
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func addRows4(acc, rows *float32, offset, stride int, index *int32, n int)
// Offset and stride are in bytes.
TEXT ·addRows4(SB), NOSPLIT, $0-48
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ n+40(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VADDPS  0(SI)(AX*1), Y0, Y0
	VADDPS  32(SI)(AX*1), Y1, Y1
	VADDPS  64(SI)(AX*1), Y2, Y2
	VADDPS  96(SI)(AX*1), Y3, Y3
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VZEROUPPER
	RET

// func addRows8(acc, rows *float32, offset, stride int, index *int32, n int)
// Offset and stride are in bytes.
TEXT ·addRows8(SB), NOSPLIT, $0-48
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ n+40(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VADDPS  0(SI)(AX*1), Y0, Y0
	VADDPS  32(SI)(AX*1), Y1, Y1
	VADDPS  64(SI)(AX*1), Y2, Y2
	VADDPS  96(SI)(AX*1), Y3, Y3
	VADDPS  128(SI)(AX*1), Y4, Y4
	VADDPS  160(SI)(AX*1), Y5, Y5
	VADDPS  192(SI)(AX*1), Y6, Y6
	VADDPS  224(SI)(AX*1), Y7, Y7
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VZEROUPPER
	RET

// func addScaledRows1(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)
// Offset and stride are in bytes. Products are rounded: no fused multiply-add.
TEXT ·addScaledRows1(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ scale+40(FP), R9
	MOVQ n+48(FP), CX
	VMOVUPS 0(DI), Y0

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VBROADCASTSS (R9), Y8
	VMULPS  0(SI)(AX*1), Y8, Y9
	VADDPS  Y9, Y0, Y0
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VZEROUPPER
	RET

// func addScaledRows2(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)
// Offset and stride are in bytes. Products are rounded: no fused multiply-add.
TEXT ·addScaledRows2(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ scale+40(FP), R9
	MOVQ n+48(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VBROADCASTSS (R9), Y8
	VMULPS  0(SI)(AX*1), Y8, Y9
	VMULPS  32(SI)(AX*1), Y8, Y10
	VADDPS  Y9, Y0, Y0
	VADDPS  Y10, Y1, Y1
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func addScaledRows4(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)
// Offset and stride are in bytes. Products are rounded: no fused multiply-add.
TEXT ·addScaledRows4(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ scale+40(FP), R9
	MOVQ n+48(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VBROADCASTSS (R9), Y8
	VMULPS  0(SI)(AX*1), Y8, Y9
	VMULPS  32(SI)(AX*1), Y8, Y10
	VMULPS  64(SI)(AX*1), Y8, Y11
	VMULPS  96(SI)(AX*1), Y8, Y12
	VADDPS  Y9, Y0, Y0
	VADDPS  Y10, Y1, Y1
	VADDPS  Y11, Y2, Y2
	VADDPS  Y12, Y3, Y3
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VZEROUPPER
	RET

// func addScaledRows8(acc, rows *float32, offset, stride int, index *int32, scale *float32, n int)
// Offset and stride are in bytes. Products are rounded: no fused multiply-add.
TEXT ·addScaledRows8(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ index+32(FP), R8
	MOVQ scale+40(FP), R9
	MOVQ n+48(FP), CX
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	VBROADCASTSS (R9), Y8
	VMULPS  0(SI)(AX*1), Y8, Y9
	VMULPS  32(SI)(AX*1), Y8, Y10
	VMULPS  64(SI)(AX*1), Y8, Y11
	VMULPS  96(SI)(AX*1), Y8, Y12
	VADDPS  Y9, Y0, Y0
	VADDPS  Y10, Y1, Y1
	VADDPS  Y11, Y2, Y2
	VADDPS  Y12, Y3, Y3
	VMULPS  128(SI)(AX*1), Y8, Y9
	VMULPS  160(SI)(AX*1), Y8, Y10
	VMULPS  192(SI)(AX*1), Y8, Y11
	VMULPS  224(SI)(AX*1), Y8, Y12
	VADDPS  Y9, Y4, Y4
	VADDPS  Y10, Y5, Y5
	VADDPS  Y11, Y6, Y6
	VADDPS  Y12, Y7, Y7
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VZEROUPPER
	RET

// func fireAVX2(u, previous, sum *float32, spikes *byte, p *lifParameters, n int)
// n is a multiple of 8.
TEXT ·fireAVX2(SB), NOSPLIT, $0-48
	MOVQ u+0(FP), DI
	MOVQ previous+8(FP), SI
	MOVQ sum+16(FP), DX
	MOVQ spikes+24(FP), R8
	MOVQ p+32(FP), R9
	MOVQ n+40(FP), CX
	VBROADCASTSS 0(R9), Y10 // tau
	VBROADCASTSS 4(R9), Y11 // theta
	VBROADCASTSS 8(R9), Y12 // u_th
	MOVQ bytes<>(SB), R10
	XORQ R11, R11

loop:
	VMOVUPS (SI)(R11*4), Y0
	VCMPPS $0x1d, Y12, Y0, Y1 // u' >= u_th
	VANDPS Y1, Y11, Y1
	VMULPS Y0, Y10, Y0
	VADDPS (DX)(R11*4), Y0, Y0
	VSUBPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)(R11*4)
	VCMPPS $0x1d, Y12, Y0, Y1
	VMOVMSKPS Y1, AX
	PDEPQ R10, AX, AX
	MOVQ AX, (R8)(R11*1)
	ADDQ $8, R11
	CMPQ R11, CX
	JLT loop
	VZEROUPPER
	RET

// func potentialErrorAVX2(gamma, spatial, u *float32, p *lifParameters, n int)
// n is a multiple of 8.
TEXT ·potentialErrorAVX2(SB), NOSPLIT, $0-40
	MOVQ gamma+0(FP), DI
	MOVQ spatial+8(FP), SI
	MOVQ u+16(FP), DX
	MOVQ p+24(FP), R9
	MOVQ n+32(FP), CX
	VBROADCASTSS 0(R9), Y10  // tau
	VBROADCASTSS 4(R9), Y11  // theta
	VBROADCASTSS 8(R9), Y12  // u_th
	VBROADCASTSS 12(R9), Y13 // a/2
	VBROADCASTSS 16(R9), Y14 // 1/a
	VBROADCASTSS absolute<>(SB), Y15
	XORQ R11, R11

loop:
	VMOVUPS (DI)(R11*4), Y0     // gamma'
	VMOVUPS (DX)(R11*4), Y1
	VSUBPS  Y12, Y1, Y1
	VANDPS  Y15, Y1, Y1
	VCMPPS  $0x11, Y13, Y1, Y1  // |u - u_th| < a/2
	VMULPS  Y0, Y11, Y2
	VMOVUPS (SI)(R11*4), Y3
	VSUBPS  Y2, Y3, Y3          // delta
	VMULPS  Y14, Y3, Y3
	VANDPS  Y1, Y3, Y3
	VMULPS  Y0, Y10, Y0
	VADDPS  Y0, Y3, Y3
	VMOVUPS Y3, (DI)(R11*4)
	ADDQ    $8, R11
	CMPQ    R11, CX
	JLT     loop
	VZEROUPPER
	RET

// func lastPotentialErrorAVX2(gamma, spatial, u *float32, p *lifParameters, n int)
// The same with gamma' = 0.
TEXT ·lastPotentialErrorAVX2(SB), NOSPLIT, $0-40
	MOVQ gamma+0(FP), DI
	MOVQ spatial+8(FP), SI
	MOVQ u+16(FP), DX
	MOVQ p+24(FP), R9
	MOVQ n+32(FP), CX
	VBROADCASTSS 8(R9), Y12  // u_th
	VBROADCASTSS 12(R9), Y13 // a/2
	VBROADCASTSS 16(R9), Y14 // 1/a
	VBROADCASTSS absolute<>(SB), Y15
	VXORPS Y0, Y0, Y0
	XORQ R11, R11

loop:
	VMOVUPS (DX)(R11*4), Y1
	VSUBPS  Y12, Y1, Y1
	VANDPS  Y15, Y1, Y1
	VCMPPS  $0x11, Y13, Y1, Y1
	VMULPS  (SI)(R11*4), Y14, Y3
	VANDPS  Y1, Y3, Y3
	VADDPS  Y0, Y3, Y3
	VMOVUPS Y3, (DI)(R11*4)
	ADDQ    $8, R11
	CMPQ    R11, CX
	JLT     loop
	VZEROUPPER
	RET

// func momentumAVX2(w, v, dw *float32, momentum, rate float32, n int)
// n is a multiple of 8.
TEXT ·momentumAVX2(SB), NOSPLIT, $0-40
	MOVQ w+0(FP), DI
	MOVQ v+8(FP), SI
	MOVQ dw+16(FP), DX
	VBROADCASTSS momentum+24(FP), Y10
	VBROADCASTSS rate+28(FP), Y11
	MOVQ n+32(FP), CX
	XORQ R11, R11

loop:
	VMULPS  (SI)(R11*4), Y10, Y0
	VADDPS  (DX)(R11*4), Y0, Y0
	VMOVUPS Y0, (SI)(R11*4)
	VMULPS  Y0, Y11, Y0
	VMOVUPS (DI)(R11*4), Y1
	VSUBPS  Y0, Y1, Y1
	VMOVUPS Y1, (DI)(R11*4)
	ADDQ    $8, R11
	CMPQ    R11, CX
	JLT     loop
	VZEROUPPER
	RET

// func addAVX2(to, from *float32, n int)
// n is a multiple of 8.
TEXT ·addAVX2(SB), NOSPLIT, $0-24
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ n+16(FP), CX
	XORQ R11, R11

loop:
	VMOVUPS (DI)(R11*4), Y0
	VADDPS  (SI)(R11*4), Y0, Y0
	VMOVUPS Y0, (DI)(R11*4)
	ADDQ    $8, R11
	CMPQ    R11, CX
	JLT     loop
	VZEROUPPER
	RET

// func listSpikesAVX2(index, start *int32, spikes *byte, positions, words int, order *[256][8]byte) int
// words of eight spikes make a position.
TEXT ·listSpikesAVX2(SB), NOSPLIT, $0-56
	MOVQ index+0(FP), DI
	MOVQ start+8(FP), SI
	MOVQ spikes+16(FP), DX
	MOVQ positions+24(FP), CX
	MOVQ words+32(FP), R8
	MOVQ order+40(FP), R9
	MOVQ bytes<>(SB), R10
	XORQ R11, R11            // listed
	VPXOR Y2, Y2, Y2         // number of the word's first neuron
	VPBROADCASTD eight<>(SB), Y3

position:
	MOVL R11, (SI)
	ADDQ $4, SI
	MOVQ R8, R12

word:
	MOVQ   (DX), AX
	PEXTQ  R10, AX, AX
	VPMOVZXBD (R9)(AX*8), Y0 // the numbers of the set bits
	VPADDD Y2, Y0, Y0
	VMOVDQU Y0, (DI)(R11*4)
	POPCNTL AX, AX
	ADDQ   AX, R11
	VPADDD Y3, Y2, Y2
	ADDQ   $8, DX
	DECQ   R12
	JNZ    word
	DECQ   CX
	JNZ    position
	MOVL   R11, (SI)
	MOVQ   R11, ret+48(FP)
	VZEROUPPER
	RET

// func listFloatsAVX2(index *int32, value *float32, start *int32, values *float32, base, listed, positions, words int, order *[256][8]byte) int
// index and value are where the first goes; base is the first neuron's number;
// listed is added to each start.
TEXT ·listFloatsAVX2(SB), NOSPLIT, $0-80
	MOVQ index+0(FP), DI
	MOVQ value+8(FP), BX
	MOVQ start+16(FP), SI
	MOVQ values+24(FP), DX
	MOVQ base+32(FP), AX
	MOVQ listed+40(FP), R13
	MOVQ positions+48(FP), CX
	MOVQ words+56(FP), R8
	MOVQ order+64(FP), R9
	XORQ R11, R11
	MOVQ AX, X2
	VPBROADCASTD X2, Y2
	VPBROADCASTD eight<>(SB), Y3
	VXORPS Y5, Y5, Y5

position:
	LEAQ (R11)(R13*1), AX
	MOVL AX, (SI)
	ADDQ $4, SI
	MOVQ R8, R12

word:
	VMOVUPS (DX), Y0
	VCMPPS  $4, Y5, Y0, Y1   // not equal, or not a number
	VMOVMSKPS Y1, AX
	VPMOVZXBD (R9)(AX*8), Y4
	VPERMPS Y0, Y4, Y0
	VMOVUPS Y0, (BX)(R11*4)
	VPADDD  Y2, Y4, Y4
	VMOVDQU Y4, (DI)(R11*4)
	POPCNTL AX, AX
	ADDQ    AX, R11
	VPADDD  Y3, Y2, Y2
	ADDQ    $32, DX
	DECQ    R12
	JNZ     word
	DECQ    CX
	JNZ     position
	MOVQ    R11, ret+72(FP)
	VZEROUPPER
	RET

// func addRows1Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)
// As addRows1, for 3 accumulators whose rows are tap bytes apart.
TEXT ·addRows1Taps3(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ n+48(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VADDPS  (AX), Y0, Y0
	VADDPS  (AX)(BX*1), Y1, Y1
	VADDPS  (AX)(BX*2), Y2, Y2
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VZEROUPPER
	RET

// func addRows1Taps5(acc, rows *float32, offset, stride, tap int, index *int32, n int)
// As addRows1, for 5 accumulators whose rows are tap bytes apart.
TEXT ·addRows1Taps5(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ n+48(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VADDPS  (AX), Y0, Y0
	VADDPS  (AX)(BX*1), Y1, Y1
	VADDPS  (AX)(BX*2), Y2, Y2
	VADDPS  (AX)(R10*1), Y3, Y3
	VADDPS  (AX)(BX*4), Y4, Y4
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VZEROUPPER
	RET

// func addRows2Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)
// As addRows2, for 3 accumulators whose rows are tap bytes apart.
TEXT ·addRows2Taps3(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ n+48(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VADDPS  (AX), Y0, Y0
	VADDPS  32(AX), Y1, Y1
	VADDPS  (AX)(BX*1), Y2, Y2
	VADDPS  32(AX)(BX*1), Y3, Y3
	VADDPS  (AX)(BX*2), Y4, Y4
	VADDPS  32(AX)(BX*2), Y5, Y5
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VZEROUPPER
	RET

// func addRows2Taps5(acc, rows *float32, offset, stride, tap int, index *int32, n int)
// As addRows2, for 5 accumulators whose rows are tap bytes apart.
TEXT ·addRows2Taps5(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ n+48(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7
	VMOVUPS 256(DI), Y8
	VMOVUPS 288(DI), Y9

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VADDPS  (AX), Y0, Y0
	VADDPS  32(AX), Y1, Y1
	VADDPS  (AX)(BX*1), Y2, Y2
	VADDPS  32(AX)(BX*1), Y3, Y3
	VADDPS  (AX)(BX*2), Y4, Y4
	VADDPS  32(AX)(BX*2), Y5, Y5
	VADDPS  (AX)(R10*1), Y6, Y6
	VADDPS  32(AX)(R10*1), Y7, Y7
	VADDPS  (AX)(BX*4), Y8, Y8
	VADDPS  32(AX)(BX*4), Y9, Y9
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VMOVUPS Y8, 256(DI)
	VMOVUPS Y9, 288(DI)
	VZEROUPPER
	RET

// func addRows4Taps3(acc, rows *float32, offset, stride, tap int, index *int32, n int)
// As addRows4, for 3 accumulators whose rows are tap bytes apart.
TEXT ·addRows4Taps3(SB), NOSPLIT, $0-56
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ n+48(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7
	VMOVUPS 256(DI), Y8
	VMOVUPS 288(DI), Y9
	VMOVUPS 320(DI), Y10
	VMOVUPS 352(DI), Y11

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VADDPS  (AX), Y0, Y0
	VADDPS  32(AX), Y1, Y1
	VADDPS  64(AX), Y2, Y2
	VADDPS  96(AX), Y3, Y3
	VADDPS  (AX)(BX*1), Y4, Y4
	VADDPS  32(AX)(BX*1), Y5, Y5
	VADDPS  64(AX)(BX*1), Y6, Y6
	VADDPS  96(AX)(BX*1), Y7, Y7
	VADDPS  (AX)(BX*2), Y8, Y8
	VADDPS  32(AX)(BX*2), Y9, Y9
	VADDPS  64(AX)(BX*2), Y10, Y10
	VADDPS  96(AX)(BX*2), Y11, Y11
	ADDQ    $4, R8
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VMOVUPS Y8, 256(DI)
	VMOVUPS Y9, 288(DI)
	VMOVUPS Y10, 320(DI)
	VMOVUPS Y11, 352(DI)
	VZEROUPPER
	RET

// func addScaledRows1Taps3(acc, rows *float32, offset, stride, tap int, index *int32, scale *float32, n int)
// As addScaledRows1, for 3 accumulators whose rows are tap bytes apart.
TEXT ·addScaledRows1Taps3(SB), NOSPLIT, $0-64
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ scale+48(FP), R9
	MOVQ n+56(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VBROADCASTSS (R9), Y8
	VMULPS  (AX), Y8, Y9
	VMULPS  (AX)(BX*1), Y8, Y10
	VMULPS  (AX)(BX*2), Y8, Y11
	VADDPS  Y9, Y0, Y0
	VADDPS  Y10, Y1, Y1
	VADDPS  Y11, Y2, Y2
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VZEROUPPER
	RET

// func addScaledRows1Taps5(acc, rows *float32, offset, stride, tap int, index *int32, scale *float32, n int)
// As addScaledRows1, for 5 accumulators whose rows are tap bytes apart.
TEXT ·addScaledRows1Taps5(SB), NOSPLIT, $0-64
	MOVQ acc+0(FP), DI
	MOVQ rows+8(FP), SI
	ADDQ offset+16(FP), SI
	MOVQ stride+24(FP), DX
	MOVQ tap+32(FP), BX
	MOVQ index+40(FP), R8
	MOVQ scale+48(FP), R9
	MOVQ n+56(FP), CX
	LEAQ (BX)(BX*2), R10
	VMOVUPS 0(DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4

loop:
	MOVLQSX (R8), AX
	IMULQ   DX, AX
	ADDQ    SI, AX
	VBROADCASTSS (R9), Y8
	VMULPS  (AX), Y8, Y9
	VMULPS  (AX)(BX*1), Y8, Y10
	VMULPS  (AX)(BX*2), Y8, Y11
	VMULPS  (AX)(R10*1), Y8, Y12
	VMULPS  (AX)(BX*4), Y8, Y13
	VADDPS  Y9, Y0, Y0
	VADDPS  Y10, Y1, Y1
	VADDPS  Y11, Y2, Y2
	VADDPS  Y12, Y3, Y3
	VADDPS  Y13, Y4, Y4
	ADDQ    $4, R8
	ADDQ    $4, R9
	DECQ    CX
	JNZ     loop

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VZEROUPPER
	RET

// func convolve8(acc, x, weights *float32, xStep, xRow, weightStep, height, taps int)
// Eight positions of a dense convolution, eight output columns: position p
// reads x[row xRow + p xStep + tap], tap < taps, for height rows. Strides are
// in bytes; acc is [position][column].
TEXT ·convolve8(SB), NOSPLIT, $0-64
	MOVQ acc+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ weights+16(FP), DX
	MOVQ xStep+24(FP), BX
	MOVQ xRow+32(FP), R8
	MOVQ weightStep+40(FP), R9
	MOVQ height+48(FP), CX
	LEAQ (BX)(BX*2), R10 // 3
	LEAQ (BX)(BX*4), R11 // 5
	LEAQ (R10)(BX*4), R12 // 7
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

row:
	MOVQ taps+56(FP), R13
	MOVQ SI, AX

tap:
	VMOVUPS (DX), Y8
	VBROADCASTSS (AX), Y9
	VMULPS Y8, Y9, Y9
	VADDPS Y9, Y0, Y0
	VBROADCASTSS (AX)(BX*1), Y10
	VMULPS Y8, Y10, Y10
	VADDPS Y10, Y1, Y1
	VBROADCASTSS (AX)(BX*2), Y11
	VMULPS Y8, Y11, Y11
	VADDPS Y11, Y2, Y2
	VBROADCASTSS (AX)(R10*1), Y12
	VMULPS Y8, Y12, Y12
	VADDPS Y12, Y3, Y3
	VBROADCASTSS (AX)(BX*4), Y13
	VMULPS Y8, Y13, Y13
	VADDPS Y13, Y4, Y4
	VBROADCASTSS (AX)(R11*1), Y14
	VMULPS Y8, Y14, Y14
	VADDPS Y14, Y5, Y5
	VBROADCASTSS (AX)(R10*2), Y15
	VMULPS Y8, Y15, Y15
	VADDPS Y15, Y6, Y6
	VBROADCASTSS (AX)(R12*1), Y9
	VMULPS Y8, Y9, Y9
	VADDPS Y9, Y7, Y7
	ADDQ R9, DX
	ADDQ $4, AX
	DECQ R13
	JNZ  tap
	ADDQ R8, SI
	DECQ CX
	JNZ  row

	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VZEROUPPER
	RET
