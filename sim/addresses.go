package sim

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Address is where the tensors of one class and index live in DRAM: step s is
// in slot s mod Slots, at Base + slot * Stride.
type Address struct {
	schedule.Extent
	Base, Stride units.Bytes
}

// Addresses returns the address map by which a program's tensors move on
// hardware whose layer buffer is as large as it takes, ascending, and a [NotFit]
// error if the device cannot hold them. [Plan.Addresses] are any hardware's.
func Addresses(p *schedule.Program, d dram.Device) ([]Address, error) {
	l, err := layOut(p.Extents(), d, p.Sizes.Word)
	if err != nil {
		return nil, err
	}
	return l.addresses, l.fits(d)
}

// layout is where all tensors are in DRAM.
type layout struct {
	addresses []Address
	end       units.Bytes // first address behind the last tensor
	bytes     [role.InMemory]units.Bytes
}

// layOut places tensors one after the other. A slot that is
// as large as a sweep over the banks starts on a whole sweep, others on a
// burst.
func layOut(extents []schedule.Extent, d dram.Device, word units.Bytes) (layout, error) {
	l := layout{addresses: make([]Address, 0, len(extents))}
	sweep, burst := d.Alignment(), d.BurstBytes()
	for _, e := range extents {
		bytes := e.Words.Of(word)
		alignment := burst
		if bytes >= sweep {
			alignment = sweep
		}
		a := Address{Extent: e, Base: alignUp(l.end, alignment), Stride: alignUp(bytes, alignment)}
		total, err := units.Mul(bytes, units.Bytes(e.Slots))
		if err == nil {
			_, err = units.Mul(a.Stride, units.Bytes(e.Slots), 2)
		}
		if err == nil {
			l.end, err = units.Add(a.Base, a.Stride*units.Bytes(e.Slots))
		}
		if err != nil {
			return layout{}, fmt.Errorf("%v of %v: %w", role.Tensor{Class: e.Class, Index: e.Index}, e.Class, err)
		}
		l.bytes[e.Class] += total
		l.addresses = append(l.addresses, a)
	}
	return l, nil
}

func alignUp(b, alignment units.Bytes) units.Bytes {
	return units.CeilDiv(b, alignment) * alignment
}

// footprint returns the bytes of all tensors that have an address.
func (l *layout) footprint() units.Bytes {
	var sum units.Bytes
	for _, b := range l.bytes {
		sum += b
	}
	return sum
}

// fits returns a [NotFit] error if a device cannot hold the tensors.
func (l *layout) fits(d dram.Device) error {
	if l.end > d.Capacity() {
		return &NotFit{Footprint: l.end, Capacity: d.Capacity()}
	}
	return nil
}
