package pe

import (
	"math"

	"github.com/accelsim-dev/accelsim/units"
)

// Values is the content of a tensor word by word, as DRAM and layer buffer hold
// it: fp32 words, then words of bits (packed spikes, labels, counts, the two
// halves of a float64).
//
// Maps are held channels last, [sample][row][column][channel], and weights as
// [kernel row][kernel column][input channel][output channel], so that terms of
// a sum come in the order of docs/numerics.md.
type Values struct {
	Floats []float32
	Bits   []uint32
}

// Words returns the size.
func (v Values) Words() units.Words { return units.Words(len(v.Floats) + len(v.Bits)) }

// Copy overwrites v with the values of a tensor of the same size.
func (v Values) Copy(from Values) {
	copy(v.Floats, from.Floats)
	copy(v.Bits, from.Bits)
}

// Clear sets every word to zero.
func (v Values) Clear() {
	clear(v.Floats)
	clear(v.Bits)
}

const wordBits = 8 * units.WordBytes

// Pack stores small integers of the given number of bits, one after the other.
func Pack(words []uint32, values []float32, bits int) {
	clear(words)
	for i, v := range values {
		if v == 0 {
			continue
		}
		at := i * bits
		shifted := uint64(v) << (at % wordBits)
		words[at/wordBits] |= uint32(shifted)
		if over := uint32(shifted >> wordBits); over != 0 {
			words[at/wordBits+1] |= over
		}
	}
}

// CopyBits copies so many bits from one packed tensor to another.
func CopyBits(to []uint32, at int, from []uint32, first, n int) {
	if at%wordBits == 0 && first%wordBits == 0 {
		whole := n / wordBits
		copy(to[at/wordBits:][:whole], from[first/wordBits:])
		at, first, n = at+whole*wordBits, first+whole*wordBits, n-whole*wordBits
	}
	for n > 0 {
		k := min(n, wordBits-at%wordBits, wordBits-first%wordBits) // within a word on both sides
		mask := uint32(uint64(1)<<k-1) << (at % wordBits)
		bits := from[first/wordBits] >> (first % wordBits) << (at % wordBits)
		to[at/wordBits] = to[at/wordBits]&^mask | bits&mask
		at, first, n = at+k, first+k, n-k
	}
}

// Unpack restores values that [Pack] stored, from the first one asked for on.
func Unpack(values []float32, words []uint32, bits, first int) {
	mask := uint64(1)<<bits - 1
	for i := range values {
		at := (first + i) * bits
		word := uint64(words[at/wordBits])
		if at%wordBits+bits > wordBits {
			word |= uint64(words[at/wordBits+1]) << wordBits
		}
		values[i] = float32(word >> (at % wordBits) & mask)
	}
}

// putDouble stores a float64 in two words.
func putDouble(words []uint32, i int, v float64) {
	b := math.Float64bits(v)
	words[2*i], words[2*i+1] = uint32(b), uint32(b>>wordBits)
}

func double(words []uint32, i int) float64 {
	return math.Float64frombits(uint64(words[2*i+1])<<wordBits | uint64(words[2*i]))
}
