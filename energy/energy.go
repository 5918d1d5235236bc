// Package energy holds what each operation and each on-chip access costs, as a
// table that a file can replace value by value.
//
// The built-in table is 45nm.yaml; it is also the documentation of the format
// and tells where each number comes from. Simulators count in integers and
// multiply with this table once, at the end.
package energy

import (
	"math"

	"accelsim/elementary"
	"accelsim/pe"
	"accelsim/units"
)

// Op is an operation of a processing element.
type Op = pe.Op

// Milliwatts is static power.
type Milliwatts float64

// Over returns the energy that p takes in time t.
func (p Milliwatts) Over(t units.Picoseconds) units.Picojoules {
	return units.Picojoules(float64(p) * float64(t) * 1e-3) // 1 mW ps = 1e-15 J
}

// Value is one number of a table.
type Value struct {
	Amount float64 // in Unit
	Unit   Unit
	Source string
}

// Unit is what a value is measured in.
type Unit string

// The units of values in a table, whatever prefix a file uses.
const (
	Picojoule Unit = "pJ"
	Milliwatt Unit = "mW"
)

// Point is the energy of a 32-bit access in an SRAM of that capacity.
type Point struct {
	Capacity units.Bytes
	Value
}

// Table holds all values. [Default] and [Load] make one.
type Table struct {
	Technology string

	Operations                  [pe.NumPrecisions][pe.NumOps]Value
	PEStatic                    Value // per PE of fp32
	RegisterRead, RegisterWrite Value // per 32 bits
	SpikeBit                    Value // per access of a 1-bit register
	SRAMRead, SRAMWrite         []Point
	SRAMStaticPerKiB            Value
	DRAMPerBit                  Value
}

// referenceWord is the word that the values of registers, SRAM and a PE's
// leakage are for. Another width takes its share of them: an access pays for the
// bit lines that it moves, which the table's 32 bits of a 64-bit access rest
// on, too; registers and adders leak by the bit. A multiplier of half the width
// leaks less than half, so that for it this is an upper bound.
const referenceWord units.Bytes = 4

func share(word units.Bytes) float64 { return float64(word) / float64(referenceWord) }

// PE returns the energy of one operation.
func (t Table) PE(p pe.Precision, op Op) units.Picojoules {
	return units.Picojoules(t.Operations[p][op].Amount)
}

// Register returns the energy of that many 32-bit words read from and written to
// PEs' registers.
func (t Table) Register(reads, writes units.Words) units.Picojoules {
	return units.Picojoules(float64(float64(reads)*t.RegisterRead.Amount) + float64(float64(writes)*t.RegisterWrite.Amount))
}

// Spikes returns the energy of that many accesses to 1-bit registers.
func (t Table) Spikes(bits int64) units.Picojoules {
	return units.Picojoules(float64(bits) * t.SpikeBit.Amount)
}

// SRAM returns the energy of that many words of the given size read from and
// written to a bank of the given capacity.
func (t Table) SRAM(capacity, word units.Bytes, reads, writes units.Words) units.Picojoules {
	return units.Picojoules((float64(float64(reads)*access(t.SRAMRead, capacity)) + float64(float64(writes)*access(t.SRAMWrite, capacity))) * share(word))
}

// DRAM returns the energy of moving that many bytes to or from a device that
// has no table of currents.
func (t Table) DRAM(moved units.Bytes) units.Picojoules {
	return units.Picojoules(8 * float64(moved) * t.DRAMPerBit.Amount)
}

// Static returns the leakage power of that many PEs of a precision and of SRAM
// of that capacity in all.
func (t Table) Static(pes int, p pe.Precision, sram units.Bytes) Milliwatts {
	return Milliwatts(float64(float64(pes)*t.PEStatic.Amount*share(p.Word())) + float64(float64(sram)/float64(units.KiB)*t.SRAMStaticPerKiB.Amount))
}

// access returns the energy of one word at a capacity: interpolated between
// points on logarithmic scales, beyond them proportional to the square root
// of the capacity, which is how the length of an array's wires grows.
func access(points []Point, capacity units.Bytes) float64 {
	if capacity <= 0 {
		return 0
	}
	first, last := points[0], points[len(points)-1]
	switch {
	case capacity <= first.Capacity:
		return first.Amount * math.Sqrt(float64(capacity)/float64(first.Capacity))
	case capacity >= last.Capacity:
		return last.Amount * math.Sqrt(float64(capacity)/float64(last.Capacity))
	}
	i := 1
	for points[i].Capacity < capacity {
		i++
	}
	below, above := points[i-1], points[i]
	// A zero has no logarithm: the other end then stands for the whole span.
	if below.Amount == 0 || above.Amount == 0 {
		return max(below.Amount, above.Amount)
	}
	fraction := elementary.Log(float64(capacity)/float64(below.Capacity)) / elementary.Log(float64(above.Capacity)/float64(below.Capacity))
	return below.Amount * elementary.Exp(fraction*elementary.Log(above.Amount/below.Amount))
}
