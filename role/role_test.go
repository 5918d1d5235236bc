package role

import (
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// everything is a workload that has a tensor of every role: a residual block
// with a shortcut, pooling, batch norm, event input.
func everything(t *testing.T) *Sizes {
	t.Helper()
	net, err := network.Parse("4C3-BN-4AP2-8RB-BN-5FC", network.Shape{Channels: 2, Height: 8, Width: 8}, network.Event)
	if err != nil {
		t.Fatal(err)
	}
	net.Layers[0].Neuron = &network.Neuron{Leak: 0.5, Arrays: 1<<network.LeakParameter | 1<<network.ThresholdParameter}
	w := &network.Workload{Net: net, Timesteps: 4, Batch: 3}
	w.Training.Optimizer = network.Adam
	blocks, err := net.Blocks(net.N())
	if err != nil {
		t.Fatal(err)
	}
	return &Sizes{Workload: w, Blocks: blocks, Word: units.WordBytes}
}

func TestEveryRoleHasACompleteRow(t *testing.T) {
	sizes := everything(t)
	names, symbols := map[string]Role{}, map[string]Role{}
	for r := range numRoles {
		row := r.Row()
		if row.Name == "" || row.Symbol == "" || row.Shape == nil {
			t.Errorf("role %d has a hole: %+v", r, row)
			continue
		}
		if other, ok := names[row.Name]; ok {
			t.Errorf("%v and role %d have one name", other, r)
		}
		if other, ok := symbols[row.Symbol]; ok {
			t.Errorf("%v and %v have the symbol %s", other, r, row.Symbol)
		}
		names[row.Name], symbols[row.Symbol] = r, r
		index := 1
		if row.Owner == OfNetwork {
			index = 0
		}
		if words := sizes.Words(r, index); words <= 0 {
			t.Errorf("%v has %d words", r, words)
		}
	}
}

func TestEveryTensorInDRAMHasOnePlaceInTheLayout(t *testing.T) {
	seen := map[Role]int{}
	for owner, roles := range Layout {
		for _, r := range roles {
			seen[r]++
			of := r.Row().Owner
			if of == OfProjection { // a layer's first projection is among what is the layer's
				of = OfLayer
			}
			if of != Owner(owner) {
				t.Errorf("%v stands among tensors of another owner", r)
			}
		}
	}
	for r := range numRoles {
		want := 0
		if r.Row().Slots != NoSlot {
			want = 1
		}
		if seen[r] != want {
			t.Errorf("%v is %d times in the layout, want %d", r, seen[r], want)
		}
	}
}

// A tensor that the table keeps in DRAM has slots there; what only a small
// buffer sends there, and what never leaves the chip, has none of its own.
func TestSlotsFollowWhereTensorsLive(t *testing.T) {
	for r := range numRoles {
		if has, may := r.Row().Slots != NoSlot, r <= SynapticError; has != may {
			t.Errorf("%v: slots %v, though it is %v that it lives in DRAM", r, r.Row().Slots, may)
		}
		if (r < RandomWeight) != r.InMemory() {
			t.Errorf("%v: InMemory is %v", r, r.InMemory())
		}
	}
}

func TestWhatTrainsParametersHasTheirValues(t *testing.T) {
	sizes := everything(t)
	trained := 0
	for r := range numRoles {
		of := r.Row().Trained
		if of == nil {
			continue
		}
		trained++
		values := sizes.Extents(r, 1).Values()
		if n := sizes.Extents(of.Gradient, 1).Values(); n != values {
			t.Errorf("%v of %v has %d values, want %d", of.Gradient, r, n, values)
		}
		if n := sizes.Extents(of.Moment, 1).Values(); n != 2*values { // Adam
			t.Errorf("%v of %v has %d values, want %d", of.Moment, r, n, 2*values)
		}
		if of.Gradient.Row().Lifetime != Accumulated || of.Moment.Row().Lifetime != PerInterval {
			t.Errorf("%v: lifetimes of %v and %v", r, of.Gradient, of.Moment)
		}
	}
	if trained != 5 {
		t.Errorf("%d kinds of parameters learn; weights, classifiers', batch norm's and biases do", trained)
	}
}

func TestTensorsHaveThePapersSymbols(t *testing.T) {
	for _, c := range []struct {
		tensor      Tensor
		want, later string // and three intervals of 5 steps on
	}{
		{Potential.At(2, 3), "U^{3,2}", "U^{18,2}"},
		{Weight.At(2, 1), "W^2", "W^2"},
		{WeightGradient.At(4, 7), "dW^4", "dW^4"},
		{Input.At(0, 3), "X^3", "X^3"},
		{Input.At(0, 0), "X", "X"},
		{Label.At(0, 0), "Y", "Y"},
		{ClassifierDelta.At(1, 10), "δ_c^{10,1}", "δ_c^{25,1}"},
		{SpikeCount.At(3, 0), "ΣS_c^3", "ΣS_c^3"},
		{NormStatistic.At(1, 2), "BN_run^{2,1}", "BN_run^{17,1}"},
	} {
		if got := c.tensor.String(); got != c.want {
			t.Errorf("%+v prints as %s, want %s", c.tensor, got, c.want)
		}
		if got := c.tensor.Later(3, 5).String(); got != c.later {
			t.Errorf("%s is %s later, want %s", c.want, got, c.later)
		}
	}
	if got := Weight.At(1, 2).Later(3, 5).Step; got != 5 {
		t.Errorf("a weight after 2 intervals, three later: step %d", got)
	}
}

// The sizes are those of the field: worked out by hand for 3 samples.
func TestSizesByHand(t *testing.T) {
	sizes := everything(t)
	for _, c := range []struct {
		role  Role
		index int
		want  units.Words
	}{
		{Label, 0, 3},
		{Input, 0, 3 * 2 * 8 * 8 / 32},       // bits
		{Weight, 1, 3 * 3 * 2 * 4},           // 4C3 of two channels
		{Potential, 1, 3 * 4 * 8 * 8},        // before pooling
		{PoolPotential, 1, 3 * 4 * 4 * 4},    // after
		{Spikes, 1, 3 * 4 * 4 * 4 / 32},      // bits after pooling
		{OwnSpikes, 1, 3 * 4 * 8 * 8 / 32},   // bits before
		{NormSaved, 1, 3*4*8*8 + 2*4},        // and 1/std in float64
		{NormSums, 1, 3 * 2 * 4},             // three float64 a channel
		{NormMoment, 1, 2 * 2 * 4},           // Adam's, of gain and bias
		{Moment, 1, 2 * 3 * 3 * 2 * 4},       //
		{ClassifierPotential, 1, 3 * 5},      //
		{ClassifierWeight, 1, 8 * 2 * 2 * 5}, // an RB that widens halves the map
	} {
		if got := sizes.Words(c.role, c.index); got != c.want {
			t.Errorf("%v of %d: %d words, want %d", c.role, c.index, got, c.want)
		}
	}
}
