package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// sumPooling adds up spikes, which do not fire.
var sumPooling = pooling{
	forward:  perWindow(Operands{Reads: perKind{spikes: 1}}, pe.Recipe{pe.Add: 1}),
	backward: perWindow(Operands{perKind{gradients: 1}, perKind{gradients: 1}}, pe.Recipe{pe.Add: 1}),
	pool: func(d *Chip, s *schedule.Step, k schedule.Kernel) error {
		return d.poolCounts(s, k, func(p pe.Pooling, _ int, to, counts []float32) { p.Counts(to, counts) })
	},
	back: func(d *Chip, s *schedule.Step, k schedule.Kernel) error {
		return d.poolErrors(s, k, func(p pe.Pooling, _ int, delta, gamma []float32) { p.WholeErrors(delta, gamma) })
	},
}
