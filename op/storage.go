package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// bits is how many bits a value of a packed tensor has; 0 is a float32.
func (d *Chip) bits(t role.Tensor) int {
	if t.Class == role.PartialSum && d.fixed != nil {
		return doubleBits // exact
	}
	switch sizes := &d.program.Sizes; sizes.Format(t.Class) {
	case role.Spike:
		return sizes.SpikeBits(t.Class, t.Index)
	case role.Integer:
		return integerBits
	case role.Double:
		return doubleBits
	case role.Number:
	}
	return 0
}

const integerBits, doubleBits = 32, 64

// allocate returns cleared room for a part of a tensor. A channel's 1/std, two
// words, is beside the first of its normalised sums.
func (d *Chip) allocate(t role.Tensor, r role.Region) pe.Values {
	n := size{floats: r.Size()}
	if bits := d.bits(t); bits > 0 {
		n = size{bits: units.CeilDiv(n.floats*bits, 8*units.WordBytes)}
	} else if t.Class.Row().Deviations && r.Starts() {
		n.bits = int(d.program.Sizes.DoubleWords()) * r.Extent(3)
	}
	if list := d.spare[n]; len(list) > 0 {
		v := list[len(list)-1]
		d.spare[n] = list[:len(list)-1]
		v.Clear()
		return v
	}
	return pe.Values{Floats: make([]float32, n.floats), Bits: make([]uint32, n.bits)}
}

func (d *Chip) free(v pe.Values) {
	n := size{len(v.Floats), len(v.Bits)}
	d.spare[n] = append(d.spare[n], v)
}

// cut copies a box out of a part of a tensor, back puts it there again.
func (d *Chip) cut(t role.Tensor, box role.Region, to pe.Values, part role.Region, from pe.Values) error {
	return d.move(t, box, part, func(at, there, n, bits int) {
		if bits > 0 {
			pe.CopyBits(to.Bits, at, from.Bits, there, n)
		} else {
			copy(to.Floats[at:at+n], from.Floats[there:])
		}
	}, func(at, there, n int) { copy(to.Bits[at:at+n], from.Bits[there:]) })
}

func (d *Chip) back(t role.Tensor, box role.Region, from pe.Values, part role.Region, to pe.Values) error {
	return d.move(t, box, part, func(at, there, n, bits int) {
		if bits > 0 {
			pe.CopyBits(to.Bits, there, from.Bits, at, n)
		} else {
			copy(to.Floats[there:there+n], from.Floats[at:])
		}
	}, func(at, there, n int) { copy(to.Bits[there:there+n], from.Bits[at:]) })
}

// move visits the runs of a box in a part, and the deviations of its channels.
func (d *Chip) move(t role.Tensor, box, part role.Region, run func(at, there, n, bits int), deviations func(at, there, n int)) error {
	inside, ok := box.Within(part)
	if !ok {
		return fmt.Errorf("of %v the layer buffer holds %v, but %v is needed", t, part, box)
	}
	bits := d.bits(t)
	at, scale := 0, max(1, bits)
	inside.Runs(func(there, n int) {
		run(at*scale, there*scale, n*scale, bits)
		at += n
	})
	if t.Class.Row().Deviations && box.Starts() {
		words := int(d.program.Sizes.DoubleWords())
		deviations(0, words*int(inside.From[3]), words*box.Extent(3))
	}
	return nil
}

// same tells whether a part is just what is asked for.
func same(a, b role.Region) bool {
	return a == b || a.All() && b.All() && a.Total() == b.Total()
}
