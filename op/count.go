package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// count adds a classifier's spikes to those of the interval.
var count = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondLoss, pe.Recipe{pe.Add: 1}, Operands{perKind{spikes: 2}, perKind{spikes: 1}}),
	Float:  computes((*Chip).count), Fixed: computes((*Chip).count),
}

// counts returns the spike counts of a classifier's interval: made anew at its
// first step, and then kept.
func (d *Chip) counts(s *schedule.Step, k schedule.Kernel) ([]uint32, error) {
	v, err := d.product(s, schedule.Tensor{Class: schedule.SpikeCount, Index: k.Index}, d.neurons(s, k))
	return v.Bits, err
}

func (d *Chip) count(s *schedule.Step, k schedule.Kernel) error {
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
