package op

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// newest returns the copy of a tensor on chip that no later step than the given
// one loaded or made; its step is -1 if there is none.
func (d *Chip) newest(t role.Tensor, step int64) Copy {
	found := Copy{t, -1}
	for key := range d.chip {
		if key.Tensor == t && key.Step <= step && key.Step > found.Step {
			found = key
		}
	}
	return found
}

// find returns the part of a tensor that the step loaded, got from another group
// or lists as being on chip; nil if it does none of it.
func (d *Chip) find(s *schedule.Step, t role.Tensor) (*part, error) {
	named := func(r schedule.Transfer) bool { return r.Tensor == t }
	if slices.ContainsFunc(s.Reads, named) || slices.ContainsFunc(s.Receives, named) {
		return d.chip[Copy{t, d.now}], nil
	}
	for _, used := range s.Uses {
		if used != t {
			continue
		}
		if p := d.chip[d.newest(t, d.now-1)]; p != nil {
			return p, nil
		}
		return nil, fmt.Errorf("%v is used, but the layer buffer does not hold it", t)
	}
	return nil, nil
}

// source returns the part of a tensor that the step loaded, has made so far or
// lists as being on chip, with all values computed.
func (d *Chip) source(s *schedule.Step, t role.Tensor) (*part, error) {
	p, err := d.find(s, t)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, fmt.Errorf("%v is needed, but the step neither loads nor makes it, nor has it on chip", t)
	case p.missing > 0:
		return nil, fmt.Errorf("%v is needed, but %d of its values were not computed yet", t, p.missing)
	}
	return p, nil
}

// operand returns a box of a tensor that the step loaded, has made so far or
// lists as being on chip.
func (d *Chip) operand(s *schedule.Step, t role.Tensor, box role.Region) (pe.Values, error) {
	if d.isMade(t) {
		return d.product(s, t, box)
	}
	p, err := d.source(s, t)
	if err != nil {
		return pe.Values{}, err
	}
	return d.box(t, p, box, false)
}

// box returns a box of a part: the part itself if it is no more than that.
func (d *Chip) box(t role.Tensor, p *part, box role.Region, made bool) (pe.Values, error) {
	if same(p.region, box) {
		return p.Values, nil
	}
	for i := range d.views {
		if v := &d.views[i]; v.tensor == t && v.region == box {
			v.made = v.made || made
			return v.Values, nil
		}
	}
	values := d.allocate(t, box)
	d.views = append(d.views, view{values, t, box, p, made})
	return values, d.cut(t, box, values, p.region, p.Values)
}

// product returns the place of a box of a tensor that the step makes, goes on
// making, or changes. One with a place of its own starts at zero.
func (d *Chip) product(s *schedule.Step, t role.Tensor, box role.Region) (pe.Values, error) {
	p, begins, err := d.place(s, t)
	if err != nil {
		return pe.Values{}, err
	}
	if !d.isMade(t) {
		d.made = append(d.made, t)
		if begins {
			p.missing = p.region.Size()
		}
		p.missing = max(0, p.missing-box.Size()) // sums are made again and again
	}
	return d.box(t, p, box, true)
}

// successor returns the place of a box of a tensor that takes over from another:
// in its place, or with its values, if they came by themselves.
func (d *Chip) successor(s *schedule.Step, t, before role.Tensor, box role.Region) (pe.Values, error) {
	begun := d.isMade(t)
	v, err := d.product(s, t, box)
	if begun || err != nil {
		return v, err
	}
	for i := range s.Products {
		if p := &s.Products[i]; p.InPlace && p.Replaces == before {
			return v, nil
		}
	}
	for i := range s.Reads {
		if s.Reads[i].Tensor == before {
			old, err := d.operand(s, before, box)
			v.Copy(old)
			return v, err
		}
	}
	return v, nil
}

// place returns the part that the step puts a tensor into, and whether it is
// the first step to do so.
func (d *Chip) place(s *schedule.Step, t role.Tensor) (*part, bool, error) {
	for i := range s.Products {
		p := &s.Products[i]
		if p.Tensor != t {
			continue
		}
		if p.InPlace {
			old := d.chip[d.newest(p.Replaces, d.now)]
			if old == nil {
				return nil, false, fmt.Errorf("%v is not on chip, so %v cannot take its place", p.Replaces, t)
			}
			return old, true, nil
		}
		key := Copy{t, d.now}
		if d.chip[key] == nil {
			region, err := d.region(t, p.Region)
			if err != nil {
				return nil, false, err
			}
			d.chip[key] = &part{Values: d.allocate(t, region), region: region}
		}
		return d.chip[key], true, nil
	}
	p, err := d.find(s, t)
	if p == nil && err == nil {
		err = fmt.Errorf("%v is computed, but the step does not make it", t)
	}
	return p, false, err
}

// room returns a register file of n values; they are not cleared.
func room(values []float32, n int) []float32 {
	if cap(values) < n {
		return make([]float32, n)
	}
	return values[:n]
}

// need checks that a kernel before this one of the same step left as many
// values in the registers.
func need(what string, values []float32, n int) error {
	if len(values) != n {
		return fmt.Errorf("the PEs hold %d %s; %d are needed", len(values), what, n)
	}
	return nil
}

// output names what readers of layer l see at the step's time.
func (d *Chip) output(s *schedule.Step, l int) role.Tensor {
	if l != network.InputLayer {
		return role.Tensor{Class: role.Spikes, Index: l, Step: s.Time}
	}
	t := role.Tensor{Class: role.Input, Step: s.Time}
	if d.workload.Net.Encoding == network.Direct {
		t.Step = 0
	}
	return t
}

// take returns a box of a map of spikes or of the network's input, and whether
// its values are real numbers.
func (d *Chip) take(s *schedule.Step, t role.Tensor, box role.Region) (values []float32, real bool, err error) {
	bits := d.bits(t)
	if bits == 0 {
		v, err := d.operand(s, t, box)
		return v.Floats, true, err
	}
	p, err := d.source(s, t)
	if err != nil {
		return nil, false, err
	}
	inside, ok := box.Within(p.region)
	if !ok {
		return nil, false, fmt.Errorf("of %v the layer buffer holds %v, but %v is needed", t, p.region, box)
	}
	d.unpacked = room(d.unpacked, box.Size())
	at := 0
	inside.Runs(func(first, n int) {
		pe.Unpack(d.unpacked[at:at+n], p.Bits, bits, first)
		at += n
	})
	return d.unpacked, false, nil
}

// takeValues is take with counts divided by their scale: fractions are real numbers.
func (d *Chip) takeValues(s *schedule.Step, t role.Tensor, box role.Region) (values []float32, real bool, err error) {
	values, real, err = d.take(s, t, box)
	if err != nil || real || t.Class != role.Spikes {
		return values, real, err
	}
	scale := d.workload.Net.Layer(t.Index).Scale
	if scale == 1 {
		return values, false, nil
	}
	for i, count := range values {
		values[i] = count / float32(scale)
	}
	return values, true, nil
}

// sample returns sample b's part of a batch.
func sample(values []float32, b, n int) []float32 { return values[b*n : (b+1)*n : (b+1)*n] }

// before names a tensor some steps earlier; errors and gradients go backwards in
// time.
func before(t role.Tensor, steps int) role.Tensor {
	t.Step -= steps
	return t
}
