package op

import (
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// anyCase is a kernel of a layer with a pooling layer, read by another.
func anyCase(t *testing.T) *Case {
	t.Helper()
	net, err := network.Parse("4C3-4AP2-6C3-5FC", network.Shape{Channels: 2, Height: 8, Width: 8}, network.Event)
	if err != nil {
		t.Fatal(err)
	}
	w := &network.Workload{Net: net, Batch: 3, Training: network.Training{Optimizer: network.SGD}}
	return &Case{Workload: w, Layer: net.Layer(1), Synapses: connect(net.Layer(1)), Reader: connect(net.Layer(2)), Neuron: &w.Neuron, Neurons: 3 * 64 * 4, Pooled: 7, Weights: 11, Inputs: 13}
}

func connect(l *network.Layer) *pe.Connection {
	c := pe.Connect(l.First(), l.Out)
	return &c
}

func TestEveryOperationHasACompleteRow(t *testing.T) {
	for o := range schedule.Op(schedule.NumOps) {
		row := Of(o)
		if row == nil {
			t.Errorf("%q has no row", o)
			continue
		}
		if (row.Product == nil) == (row.Passes == nil) {
			t.Errorf("%q is either a product of the array or passes of the lanes", o)
		}
		if row.Nest == 0 {
			t.Errorf("%q goes through no loops", o)
		}
		if row.Float == nil {
			t.Errorf("%q computes nothing", o)
		}
		if p := row.Product; p != nil && (p.Matrix == nil || p.Book == nil || p.Spikes != (p.Events != nil)) {
			t.Errorf("%q has a hole: %+v", o, p)
		}
	}
}

// Every element that goes through a lane is read or written, and is some work.
func TestEveryPassDoesSomething(t *testing.T) {
	c := anyCase(t)
	for o := range schedule.Op(schedule.NumOps) {
		row := Of(o)
		if row.Passes == nil {
			continue
		}
		for _, p := range row.Passes(c, nil) {
			reads, writes := p.Operands.Total()
			if p.Elements <= 0 || reads+writes == 0 || p.Recipe == (pe.Recipe{}) {
				t.Errorf("%q: %+v", o, p)
			}
			if p.Why == schedule.Covered {
				t.Errorf("%q: no recipe is covered by Eqs. 15-17", o)
			}
		}
	}
}

// The passes of a batch norm that is cut do together what the whole does.
func TestBatchNormsPassesAreTheWhole(t *testing.T) {
	c := anyCase(t)
	recipe := func(o schedule.Op) (sum pe.Recipe) {
		for _, p := range Of(o).Passes(c, nil) {
			sum = plus(sum, p.Recipe)
		}
		return sum
	}
	for o, stages := range map[schedule.Op]int{schedule.NormForward: 3, schedule.NormBackward: 2} {
		var sum pe.Recipe
		for _, stage := range Of(o).Stages {
			sum = plus(sum, recipe(stage))
		}
		if len(Of(o).Stages) != stages || sum != recipe(o) {
			t.Errorf("%q: %d stages take %v, the whole %v", o, len(Of(o).Stages), sum, recipe(o))
		}
	}
}

// A pooling neuron takes its window's spikes, then what any neuron takes.
func TestPoolingTakesItsWindow(t *testing.T) {
	passes := pool.Passes(anyCase(t), nil)
	if len(passes) != 2 || passes[0].Elements != 7*4 || passes[1].Elements != 7 {
		t.Fatalf("%+v; want 28 spikes of seven 2x2 windows, then seven neurons", passes)
	}
}

// What an optimizer reads and writes: w, dw, and what it keeps of each parameter.
func TestOptimizersTouchWhatTheyKeep(t *testing.T) {
	for _, c := range []struct {
		training network.Training
		kept     int
	}{
		{network.Training{Optimizer: network.SGD}, 0},
		{network.Training{Optimizer: network.SGD, Momentum: 0.9}, 1},
		{network.Training{Optimizer: network.Adam}, 2},
		{network.Training{Optimizer: network.RMSprop}, 1},
	} {
		got := updateOperands(c.training)
		want := Operands{
			Reads:  [role.Buffers]int{role.WeightBuffer: 1, role.GradientBuffer: 1 + c.kept},
			Writes: [role.Buffers]int{role.WeightBuffer: 1, role.GradientBuffer: c.kept},
		}
		if got != want {
			t.Errorf("%s with momentum %v: %+v, want %+v", c.training.Optimizer, c.training.Momentum, got, want)
		}
	}
}

// The matrix products' operands are in the buffers of what they multiply: W^T
// gamma takes errors by rows and weights by columns, and makes errors.
func TestProductsTakeTheirOperands(t *testing.T) {
	for _, c := range []struct {
		o                      schedule.Op
		rows, columns, results role.Buffer
	}{
		{schedule.SynapticSum, role.SpikeBuffer, role.WeightBuffer, role.StateBuffer},
		{schedule.BackProject, role.GradientBuffer, role.WeightBuffer, role.GradientBuffer},
		{schedule.Gradient, role.GradientBuffer, role.SpikeBuffer, role.GradientBuffer},
	} {
		if p := Of(c.o).Product; p.Rows != c.rows || p.Columns != c.columns || p.Results != c.results {
			t.Errorf("%q: %v by rows, %v by columns, into %v", c.o, p.Rows, p.Columns, p.Results)
		}
	}
}

func TestEveryOptimizerIsThere(t *testing.T) {
	for _, name := range network.Optimizers() {
		if o := optimizers[name]; o.recipe == nil || o.step == nil || o.recipe(network.Training{Optimizer: name}) == (pe.Recipe{}) {
			t.Errorf("nothing trains by %s", name)
		}
	}
	if len(optimizers) != len(network.Optimizers()) {
		t.Errorf("%d optimizers for %v", len(optimizers), network.Optimizers())
	}
}

// What a workload may name has a row here, and no other.
func TestEverySurrogateAndPoolingIsThere(t *testing.T) {
	for _, name := range network.Surrogates() {
		if surrogateRecipes[name] == (pe.Recipe{}) {
			t.Errorf("the derivative %s takes nothing", name)
		}
	}
	for _, name := range network.PoolKinds() {
		p := poolings[network.PoolKind(name)]
		if p == nil || p.forward == nil || p.backward == nil || p.pool == nil || p.back == nil {
			t.Errorf("%s pooling is not complete: %+v", name, p)
		}
	}
	if s, p := len(surrogateRecipes), len(poolings); s != len(network.Surrogates()) || p != len(network.PoolKinds()) {
		t.Errorf("%d derivatives and %d poolings for %v and %v", s, p, network.Surrogates(), network.PoolKinds())
	}
}

// The paper's neuron has no part, so its work is what is left without a look at any.
func TestThePapersNeuronHasNoParts(t *testing.T) {
	n := network.Neuron{Leak: 0.9, Reset: 0.3, Threshold: 0.5, SurrogateWidth: 0.5}
	for i, part := range neuronParts {
		if part.has(n) {
			t.Errorf("part %d", i)
		}
	}
	n.Offset = 0.1
	if one := workOf(&n); one.fire.recipe[pe.Add] != paperWork.fire.recipe[pe.Add]+1 || one.spatial != paperWork.spatial {
		t.Errorf("with an offset: %+v", one)
	}
}
