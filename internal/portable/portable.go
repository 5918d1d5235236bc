// Package portable checks that results are the same bits on every processor,
// and that the program builds for others than this one. It has tests only.
//
// Go may evaluate x*y + z with one rounding where the processor can, and does
// so for amd64 from GOAMD64=v3 on, arm64, ppc64le, s390x, riscv64 and loong64.
// An explicit conversion of the product, float64(x*y) + z, forbids it. One
// forgotten product changes a spike, and all that follows from it; so the tests
// read what the compiler made of every package from which results come.
package portable
