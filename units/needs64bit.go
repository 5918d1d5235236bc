//go:build 386 || arm || mips || mipsle

package units

// Sizes of tensors, of the batch's potentials for one, are ints, and those of
// the built-in networks exceed 2^31: on a 32-bit processor they would overflow
// silently. So the compiler stops here, and this name is what it prints.
var _ = accelsim_needs_a_64_bit_processor_because_sizes_of_tensors_exceed_32_bits
