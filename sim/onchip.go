package sim

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/onchip"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// layerBuffer is what a PE group has on chip: one memory for all tensors, or one
// for each kind.
type layerBuffer struct {
	*onchip.Memory[copyOf]
	memory   [role.Buffers]int // where tensors of a kind are
	built    []hardware.Buffer // as
	perClock []units.Words     // that a memory's ports take or give; 0 is no limit
}

func newLayerBuffer(memories []hardware.Buffer, word units.Bytes) layerBuffer {
	b := layerBuffer{built: memories}
	var capacities []units.Words
	for _, m := range memories {
		capacities = append(capacities, units.Words(m.Capacity/word))
		b.perClock = append(b.perClock, m.Accesses())
	}
	if len(memories) > 1 {
		for kind := range b.memory {
			b.memory[kind] = kind
		}
	}
	b.Memory = onchip.NewMemory(func(c copyOf) int { return b.memory[c.Class.Buffer()] }, capacities...)
	return b
}

// access counts words that the DMA writes to the buffer or reads from it.
func (b *layerBuffer) access(c role.Role, reads, writes units.Words) {
	b.Buffers()[b.memory[c.Buffer()]].Access(reads, writes)
}

// serve counts a kernel's accesses and returns the clocks in which the memories
// can serve them: of the one that takes longest, as if accesses spread evenly
// over its banks. What arrives early waits in front of the PEs.
func (b *layerBuffer) serve(a *accesses) (clocks units.Cycles) {
	var of accesses // by memory
	for kind, words := range a {
		at := &of[b.memory[kind]]
		at.Reads += words.Reads
		at.Writes += words.Writes
	}
	for i, memory := range b.Buffers() {
		memory.Access(of[i].Reads, of[i].Writes)
		if limit := b.perClock[i]; limit > 0 {
			clocks = max(clocks, units.Cycles(units.CeilDiv(of[i].Reads+of[i].Writes, limit)))
		}
	}
	return clocks
}

// demand returns what a step loads and makes, by memory, beside what is kept free
// for spikes.
func (b *layerBuffer) demand(s *schedule.Step, kept units.Words) (demand [role.Buffers]units.Words) {
	demand[b.memory[role.SpikeBuffer]] = kept
	for _, t := range s.Reads {
		demand[b.memory[t.Tensor.Class.Buffer()]] += t.Words
	}
	for _, made := range s.Products {
		if !made.InPlace {
			demand[b.memory[made.Tensor.Class.Buffer()]] += made.Words
		}
	}
	return demand
}

// refusal says why a step does not fit.
func (b *layerBuffer) refusal(s *schedule.Step, kept units.Words, word units.Bytes) string {
	demand := b.demand(s, kept)
	for i, memory := range b.Buffers() {
		if demand[i] <= memory.Free() {
			continue
		}
		which := "layer buffer"
		if len(b.built) > 1 {
			which = "buffer for " + role.Buffer(i).String()
		}
		return fmt.Sprintf("needs %d bytes on chip beside the %d that are held; the %s has %d",
			demand[i].Of(word), memory.Occupied().Of(word), which, memory.Capacity().Of(word))
	}
	return "is not begun, although it fits"
}

// fits tells whether there is room for what a step loads and makes, beside what
// is kept free for spikes.
func (b *layerBuffer) fits(s *schedule.Step, kept units.Words) bool {
	demand := b.demand(s, kept)
	for i, memory := range b.Buffers() {
		if demand[i] > memory.Free() {
			return false
		}
	}
	return true
}

// counted returns the accesses so far, by memory.
func (b *layerBuffer) counted() (of accesses) {
	for i, memory := range b.Buffers() {
		of[i].Reads, of[i].Writes = memory.Accesses()
	}
	return of
}

// accesses are words that PEs read from and wrote to the layer buffer, by the
// kind of tensor that they are of.
type accesses [role.Buffers]Traffic

// matrix adds those of a matrix product, by the kinds of its operands and
// results.
func (a *accesses) matrix(c pe.Cost, rows, columns, results role.Buffer) {
	a[rows].Reads += c.Reads - c.Columns - c.Sums
	a[columns].Reads += c.Columns
	a[results].Reads += c.Sums
	a[results].Writes += c.Writes
}

// vector adds those of a vector kernel.
func (a *accesses) vector(elements int64, o op.Operands) {
	for b := range a {
		a[b].Reads += units.Words(elements * int64(o.Reads[b]))
		a[b].Writes += units.Words(elements * int64(o.Writes[b]))
	}
}
