package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// maxPooling takes the largest of a window and does not fire. It keeps the first
// place that has it, to which the error goes.
var maxPooling = pooling{
	forward:  perWindow(Operands{Reads: perKind{spikes: 1}}, pe.Recipe{pe.Compare: 1}),
	backward: perWindow(Operands{perKind{gradients: 1, spikes: 1}, perKind{gradients: 1}}, pe.Recipe{pe.Compare: 1}),
	pool:     (*Chip).maxPool,
	back:     (*Chip).maxPoolBackward,
}

func (d *Chip) maxPool(s *schedule.Step, k schedule.Kernel) error {
	t := role.PoolChoice.At(k.Index, s.Time)
	windows := d.pooled(d.workload.Net.Layer(k.Index), d.neurons(s, k))
	choice := make([]float32, windows.Size())
	err := d.poolCounts(s, k, func(p pe.Pooling, b int, to, counts []float32) {
		p.Largest(to, sample(choice, b, p.Out.Size()), counts)
	})
	if err != nil {
		return err
	}
	v, err := d.product(s, t, windows)
	if err != nil {
		return err
	}
	pe.Pack(v.Bits, choice, d.bits(t))
	return nil
}

func (d *Chip) maxPoolBackward(s *schedule.Step, k schedule.Kernel) error {
	windows := d.pooled(d.workload.Net.Layer(k.Index), d.neurons(s, k))
	choice, _, err := d.take(s, role.PoolChoice.At(k.Index, s.Time), windows)
	if err != nil {
		return err
	}
	return d.poolErrors(s, k, func(p pe.Pooling, b int, delta, gamma []float32) {
		p.ChosenErrors(delta, sample(choice, b, p.Out.Size()), gamma)
	})
}
