package sim

import (
	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
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
	return addresses(p.Extents(), d, p.Sizes.Word)
}

// AddressesOn is the same for hardware whose layer buffers may be small and
// whose PE groups may be several: tensors that go to DRAM because of that have
// addresses, too.
func AddressesOn(p *schedule.Program, hw *hardware.Hardware, order schedule.Order) ([]Address, error) {
	plan, err := planFor(p, hw, order, tiling.Memo{})
	if err != nil {
		return nil, err
	}
	return addresses(plan.extents, hw.DRAM, plan.program.Sizes.Word)
}

func addresses(extents []schedule.Extent, d dram.Device, word units.Bytes) ([]Address, error) {
	m, err := layOut(extents, d, word)
	if err != nil {
		return nil, err
	}
	if m.end > d.Capacity() {
		return nil, &NotFit{Footprint: m.end, Capacity: d.Capacity()}
	}
	var list []Address
	for _, e := range extents {
		r := m.regions[e.Class][e.Index]
		list = append(list, Address{Extent: e, Base: r.base, Stride: r.stride})
	}
	return list, nil
}
