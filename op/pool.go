package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// pooling is a kind of pooling: what a window takes, and what it computes of the
// layer's counts, which it replaces, and of the error of its output.
type pooling struct {
	forward, backward func(c *Case, to []Pass) []Pass
	pool, back        func(d *Chip, s *schedule.Step, k schedule.Kernel) error
}

// poolings has a row for every kind.
var poolings = map[network.PoolKind]*pooling{
	network.FirePool: &firePooling, network.AveragePool: &averagePooling, network.SumPool: &sumPooling, network.MaxPool: &maxPooling,
}

func (d *Chip) poolingOf(k schedule.Kernel) *pooling {
	return poolings[d.workload.Net.Layer(k.Index).Pool.Kind]
}

// pool joins a layer's spikes, after addition, window by window.
var pool = Row{
	Nest:   OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass { return poolings[c.Layer.Pool.Kind].forward(c, to) },
	Float:  computes(func(d *Chip, s *schedule.Step, k schedule.Kernel) error { return d.poolingOf(k).pool(d, s, k) }),
	Fixed:  computes((*Chip).firePool),
}

// poolBackward takes the error of a pooling's output to the neurons before it.
var poolBackward = Row{
	Nest:   OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass { return poolings[c.Layer.Pool.Kind].backward(c, to) },
	Float:  computes(func(d *Chip, s *schedule.Step, k schedule.Kernel) error { return d.poolingOf(k).back(d, s, k) }),
	Fixed:  computes((*Chip).fixedPoolBackward),
}

// perWindow is a pass of each neuron of each window.
func perWindow(operands Operands, r pe.Recipe) func(c *Case, to []Pass) []Pass {
	return func(c *Case, to []Pass) []Pass {
		return append(to, Pass{
			Elements: c.Pooled * int64(c.Layer.Pool.Window.Area()), Operands: operands, Recipe: r, Why: schedule.BeyondPooling,
		})
	}
}

// poolCounts replaces the step's counts by those of windows.
func (d *Chip) poolCounts(s *schedule.Step, k schedule.Kernel, window func(p pe.Pooling, sample int, to, counts []float32)) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	if err := need("spikes", d.spikes, box.Size()); err != nil {
		return err
	}
	p, windows := d.pooling(l, box), d.pooled(l, box)
	d.sums = room(d.sums, windows.Size())
	for b := range box.Extent(0) {
		window(p, b, sample(d.sums, b, p.Out.Size()), sample(d.spikes, b, p.In.Size()))
	}
	d.spikes = append(d.spikes[:0], d.sums...)
	return nil
}

// countWindows replaces counts by their sums over windows.
func (d *Chip) countWindows(s *schedule.Step, k schedule.Kernel) error {
	return d.poolCounts(s, k, func(p pe.Pooling, _ int, to, counts []float32) { p.Counts(to, counts) })
}

// oneAddition is that for each neuron of a window.
var oneAddition = perWindow(Operands{Reads: perKind{spikes: 1}}, pe.Recipe{pe.Add: 1})

// poolErrors replaces the error of windows by that of neurons.
func (d *Chip) poolErrors(s *schedule.Step, k schedule.Kernel, spread func(p pe.Pooling, sample int, delta, gamma []float32)) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	p, windows := d.pooling(l, box), d.pooled(l, box)
	d.openErrors(s, windows.Size())
	if err := need("errors of windows", d.spatial, windows.Size()); err != nil {
		return err
	}
	gamma := append([]float32(nil), d.spatial...)
	d.spatial = room(d.spatial, box.Size())
	for b := range box.Extent(0) {
		spread(p, b, sample(d.spatial, b, p.In.Size()), sample(gamma, b, p.Out.Size()))
	}
	return nil
}
