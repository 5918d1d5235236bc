package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// count adds a classifier's spikes to those of the interval.
var count = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondLoss, pe.Recipe{pe.Add: 1}, Operands{perKind{spikes: 2}, perKind{spikes: 1}}),
	Float:  computes((*Chip).count), Fixed: computes((*Chip).count),
}

// logitSums returns the sums of what a classifier reads out over its interval.
func (d *Chip) logitSums(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	v, err := d.product(s, role.LogitSum.At(k.Index, 0), d.neurons(s, k))
	return v.Floats, err
}

// counts returns the spike counts of a classifier's interval: made anew at its
// first step, and then kept.
func (d *Chip) counts(s *schedule.Step, k schedule.Kernel) ([]uint32, error) {
	v, err := d.product(s, role.Tensor{Class: role.SpikeCount, Index: k.Index}, d.neurons(s, k))
	return v.Bits, err
}

func (d *Chip) count(s *schedule.Step, k schedule.Kernel) error {
	if d.workload.Training.Readout != network.RateReadout {
		return d.sumLogits(s, k)
	}
	counts, err := d.counts(s, k)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, len(counts)); err != nil {
		return err
	}
	for i, fired := range d.spikes {
		counts[i] += uint32(fired)
	}
	return nil
}

// sumLogits adds the potentials of a classifier to those of the interval.
func (d *Chip) sumLogits(s *schedule.Step, k schedule.Kernel) error {
	sums, err := d.logitSums(s, k)
	if err != nil {
		return err
	}
	x, err := d.advance(s, d.cellOf(k), d.neurons(s, k))
	if err == nil {
		pe.AddTo(sums, x.Potentials)
	}
	return err
}
