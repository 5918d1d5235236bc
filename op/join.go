package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// join is a spike-element-wise addition (SEW, ADD).
var join = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondResidual, pe.Recipe{pe.Add: 1}, Operands{perKind{spikes: 2}, perKind{spikes: 1}}),
	Float:  computes((*Chip).join),
}

// join adds the other operand of a residual block to the layer's spikes.
func (d *Chip) join(s *schedule.Step, k schedule.Kernel) error {
	net := d.workload.Net
	from := net.Layer(k.Index).Add
	other := d.output(s, from)
	if net.OnlyAdded(from) {
		other = role.OwnSpikes.At(from, s.Time)
	}
	values, _, err := d.take(s, other, d.neurons(s, k))
	if err != nil {
		return err
	}
	if _, scale := net.ValueOf(from); scale > 1 { // counts of the same fraction
		for i := range d.spikes {
			d.spikes[i] *= float32(scale)
		}
	}
	if err := need("spikes", d.spikes, len(values)); err != nil {
		return err
	}
	pe.AddTo(d.spikes, values)
	return nil
}
