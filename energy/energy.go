// Package energy holds what each operation and each on-chip access costs, as a
// table that a file can replace value by value.
//
// The built-in table is 45nm.yaml; it is also the documentation of the format
// and tells where each number comes from. Simulators count in integers and
// multiply with this table once, at the end.
//
// The same counts cost the same to the last bit on every processor: a product is
// rounded before it goes into a sum, which Go may otherwise fuse, and nothing
// here calls what the math package has in assembly for some processors only.
package energy

import (
	"fmt"
	"math"
	"slices"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// Op is an operation of a processing element.
type Op = pe.Op

// Milliwatts is static power.
type Milliwatts float64

// Over returns the energy that p takes in time t.
func (p Milliwatts) Over(t units.Time) units.Picojoules {
	return units.Picojoules(float64(p) * t.Float64() * 1e-3) // 1 mW ps = 1e-15 J
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

	Operations          [pe.NumPrecisions][pe.NumOps]Value
	PEStatic            Value // per PE of fp32
	SRAMRead, SRAMWrite []Point
	SRAMStaticPerKiB    Value

	// Given are the values that come from a file, in its order.
	Given []Given
}

// Given is a key that a file gives a value, and where.
type Given struct {
	Key, File string
	Line      int
}

// String returns file, line and key.
func (g Given) String() string { return fmt.Sprintf("%s:%d: %s", g.File, g.Line, g.Key) }

// Idle returns the given values that change nothing on machines of these
// precisions: operations in other number formats. It is an error if that is all
// that a file gives.
func (t Table) Idle(machines ...pe.Precision) (idle []Given, err error) {
	for _, g := range t.Given {
		if p, _, ok := operationOf(g.Key); ok && !slices.Contains(machines, p) {
			idle = append(idle, g)
		}
	}
	if len(idle) > 0 && len(idle) == len(t.Given) {
		_, op, _ := operationOf(idle[0].Key)
		return idle, fmt.Errorf("%v: changes nothing: PEs compute in %s; give %s", idle[0], machines[0], operationKey(machines[0], op))
	}
	return idle, nil
}

// referenceWord is the word that the values of SRAM and a PE's leakage are for.
// Another width takes its share of them: an access pays for the bit lines that it
// moves, which the table's 32 bits of a 64-bit access rest on, too; registers and
// adders leak by the bit. A multiplier of half the width leaks less than half, so
// that for it this is an upper bound.
const referenceWord units.Bytes = 4

func share(word units.Bytes) float64 { return float64(word) / float64(referenceWord) }

// PE returns the energy of one operation.
func (t Table) PE(p pe.Precision, op Op) units.Picojoules {
	return units.Picojoules(t.Operations[p][op].Amount)
}

// SRAM returns the energy of that many words of the given size read from and
// written to a bank of the given capacity.
func (t Table) SRAM(capacity, word units.Bytes, reads, writes units.Words) units.Picojoules {
	read := float64(float64(reads) * access(t.SRAMRead, capacity))
	written := float64(float64(writes) * access(t.SRAMWrite, capacity))
	return units.Picojoules((read + written) * share(word))
}

// Static returns the leakage power of that many PEs of a precision and of SRAM
// of that capacity in all.
func (t Table) Static(pes int, p pe.Precision, sram units.Bytes) Milliwatts {
	logic := float64(float64(pes) * t.PEStatic.Amount * share(p.Word()))
	memory := float64(float64(sram) / float64(units.KiB) * t.SRAMStaticPerKiB.Amount)
	return Milliwatts(logic + memory)
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
	if capacity == above.Capacity {
		return above.Amount
	}
	// A zero has no logarithm: the other end then stands for the whole span.
	if below.Amount == 0 || above.Amount == 0 {
		return max(below.Amount, above.Amount)
	}
	fraction := elementary.Log(float64(capacity)/float64(below.Capacity)) / elementary.Log(float64(above.Capacity)/float64(below.Capacity))
	return below.Amount * elementary.Exp(fraction*elementary.Log(above.Amount/below.Amount))
}
