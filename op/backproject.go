package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// backProject is W^T gamma of one reader: the first term of Eq. 4, whose MACs are
// Eq. 17's. Errors are no spikes: nothing gates them.
var backProject = Row{
	Nest: OverErrors, Product: &errorProduct,
	Float: computes((*Chip).backProject), Fixed: computes((*Chip).fixedBackProject),
}

// errorProduct takes errors through weights.
var errorProduct = Product{
	Matrix: func(c *Case) pe.Matrix { return pe.Errors(*c.Reader, c.Workload.Batch) },
	Rows:   gradients, Columns: weights, Results: gradients,
	Book: func(b Book, cost pe.Cost, _ Happened) { b.MAC(cost.Slots) },
}

// errorOperands are what W^T gamma of one reader takes. A tile that does not go
// through all errors of a fully connected reader goes on where the one before
// ended.
type errorOperands struct {
	pe.Connection
	box            role.Region
	weights, gamma []float32
	partialSums
}

func (d *Chip) errorOperands(s *schedule.Step, k schedule.Kernel) (o errorOperands, err error) {
	index := k.Reader
	if index == 0 {
		index = s.Block
	}
	if o.box, err = d.errorBox(s, k); err != nil {
		return o, err
	}
	c := d.connection(s, k.Reader == 0, index, k.Input)
	c.err.Step = d.program.ErrorTime(s, k)
	tile, errors, wanted := c.from(o.box, k.Part)
	weights, err := d.operand(s, c.weights, wanted)
	if err != nil {
		return o, err
	}
	gamma, err := d.operand(s, c.err, errors)
	if err != nil {
		return o, err
	}
	o.Connection, o.weights, o.gamma = tile, weights.Floats, gamma.Floats
	o.partialSums, err = d.partial(s, k, o.box, c.Out.Channels)
	return o, err
}

// backProject adds one reader's part to the first term of Eq. 4.
func (d *Chip) backProject(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.errorOperands(s, k)
	if err != nil {
		return err
	}
	d.sums = room(d.sums, o.box.Size())
	o.resume(d.sums)
	d.spread(&o, d.sums)
	if o.after.Floats != nil {
		copy(o.after.Floats, d.sums)
		return nil
	}
	return d.addErrors(d.sums)
}

// spread adds W^T gamma of every sample to sums.
func (d *Chip) spread(o *errorOperands, sums []float32) {
	inputs, outputs := o.In.Size(), o.Out.Size()
	for b := range o.box.Extent(0) {
		d.events = o.Errors(sample(sums, b, inputs), o.weights, sample(o.gamma, b, outputs), d.events)
	}
}

func (d *Chip) fixedBackProject(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.errorOperands(s, k)
	if err != nil {
		return err
	}
	f := d.fixed
	if len(f.spatial) == 0 {
		f.spatial = make([]int64, o.box.Size())
		o.resumeFixed(f.spatial)
	}
	f.spread(&o)
	if o.leaveFixed(f.spatial) {
		f.spatial = f.spatial[:0]
	}
	return nil
}

// spread adds W^T gamma of every sample to the exact sums.
func (f *fixedUnits) spread(o *errorOperands) {
	w, gamma := integers(f.Weight, o.weights), integers(f.Error, o.gamma)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	for b := range o.box.Extent(0) {
		sums, gamma := f.spatial[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				for i, w := range w[weight+channel*n:][:n] {
					sums[in+channel] += gamma[out+i] * w
				}
			}
		})
	}
}
