package sim

import (
	"accelsim/dram"
	"accelsim/schedule"
	"accelsim/units"
)

// Address is where the tensors of one class and index live in DRAM: step s is
// in slot s mod Slots, at Base + slot * Stride.
type Address struct {
	schedule.Extent
	Base, Stride units.Bytes
}

// Addresses returns the address map by which [Run] moves a program's tensors,
// ascending, and a [NotFit] error if the device cannot hold them.
func Addresses(p *schedule.Program, d dram.Device) ([]Address, error) {
	m, err := layOut(p.Extents(), d, p.Word)
	if err != nil {
		return nil, err
	}
	if m.end > d.Capacity() {
		return nil, &NotFit{Footprint: m.end, Capacity: d.Capacity()}
	}
	var list []Address
	for _, e := range p.Extents() {
		r := m.regions[e.Class][e.Index]
		list = append(list, Address{Extent: e, Base: r.base, Stride: r.stride})
	}
	return list, nil
}
