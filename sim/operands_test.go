package sim

import (
	"fmt"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// The buffers, by what is in them.
const (
	weights   = role.WeightBuffer
	states    = role.StateBuffer
	gradients = role.GradientBuffer
	spikes    = role.SpikeBuffer
)

// bookings executes every kernel of a program's first intervals and hands its
// accesses on.
func bookings(t *testing.T, w *network.Workload, k, n int, a pe.Array, see func(*schedule.Step, *schedule.Kernel, accesses)) {
	t.Helper()
	p, err := schedule.New(w, k, n, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	x := newProcessor(a, w, p)
	x.ledger = &ledger{}
	var s schedule.Step
	for c := p.Start(); c.Next(&s); {
		for i := range s.Kernels {
			if _, err := x.execute(&s, &s.Kernels[i]); err != nil {
				t.Fatal(err)
			}
			see(&s, &s.Kernels[i], x.accesses)
		}
	}
}

func reading(t *testing.T, text string) *network.Workload {
	t.Helper()
	w, err := network.Read([]byte(text), "operands.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestTheOptimizerAccessesWhatItsStepMoves: a kernel of the optimizer reads on
// chip each word that the step loads for it, and writes each that the step makes,
// where tensors of their kind are: gradient and moments beside each other,
// parameters in a buffer of their own. Adam has two moments.
func TestTheOptimizerAccessesWhatItsStepMoves(t *testing.T) {
	for _, training := range []string{"{optimizer: adam}", "{optimizer: sgd, momentum: 0.9}", "{optimizer: sgd, momentum: 0}"} {
		w := reading(t, "input: {channels: 2, height: 4, width: 4, encoding: event}\nlayers: 3C3-BN-4FC-5FC\ntimesteps: 2\nbatch: 2\ntraining: "+training+"\n")
		seen := 0
		bookings(t, w, 2, 1, pe.Array{Rows: 2, Columns: 2, Lanes: 2}, func(s *schedule.Step, k *schedule.Kernel, got accesses) {
			if k.Op != schedule.Optimize || len(s.Kernels) > 1 { // with batch norm a step has two
				return
			}
			var want accesses
			for _, r := range s.Reads {
				want[r.Tensor.Class.Buffer()].Reads += r.Words
			}
			for _, made := range s.Products {
				want[made.Tensor.Class.Buffer()].Writes += made.Words
			}
			if got != want {
				t.Errorf("%s, layer %d: %v, its step moves %v", training, s.Layer, got, want)
			}
			seen++
		})
		if seen < 2 {
			t.Errorf("%s: %d updates were seen", training, seen)
		}
	}
}

// TestMatrixProductsAccessTheirOperands, counted by hand: an array of three rows
// and one column takes an operand by rows for three of its results at a time, and
// the one by columns again for each.
func TestMatrixProductsAccessTheirOperands(t *testing.T) {
	w := reading(t, "input: {channels: 6, height: 1, width: 1, encoding: event}\nlayers: 4FC-7FC-5FC\ntimesteps: 1\nbatch: 3\n")
	type of struct {
		op    schedule.Op
		index int // 0 is the classifier
	}
	want := map[of]accesses{
		// 3 samples are the rows: each of 4, 7, 5 columns takes all inputs of all
		// samples, and its own weights once.
		{schedule.SynapticSum, 1}: {spikes: {Reads: 4 * 3 * 6}, weights: {Reads: 4 * 6}, states: {Writes: 3 * 4}},
		{schedule.SynapticSum, 2}: {spikes: {Reads: 7 * 3 * 4}, weights: {Reads: 7 * 4}, states: {Writes: 3 * 7}},
		{schedule.SynapticSum, 0}: {spikes: {Reads: 5 * 3 * 7}, weights: {Reads: 5 * 7}, states: {Writes: 3 * 5}},
		// W^T gamma of layer 2, to the 4 neurons of layer 1: gamma is by rows.
		{schedule.BackProject, 1}: {weights: {Reads: 4 * 7}, gradients: {Reads: 4 * 3 * 7, Writes: 3 * 4}},
		// .. and of the classifier, to the 7 of layer 2.
		{schedule.BackProject, 2}: {weights: {Reads: 7 * 5}, gradients: {Reads: 7 * 3 * 5, Writes: 3 * 7}},
		// dW of each sample: gamma by rows, for each input; inputs by columns, for each
		// three rows, of which there are 2, 3 and 2.
		{schedule.Gradient, 1}: {gradients: {Reads: 3 * 6 * 4, Writes: 3 * 6 * 4}, spikes: {Reads: 3 * 2 * 6}},
		{schedule.Gradient, 2}: {gradients: {Reads: 3 * 4 * 7, Writes: 3 * 4 * 7}, spikes: {Reads: 3 * 3 * 4}},
		{schedule.Gradient, 0}: {gradients: {Reads: 3 * 7 * 5, Writes: 3 * 7 * 5}, spikes: {Reads: 3 * 2 * 7}},
	}
	seen := map[of]bool{}
	bookings(t, w, 1, 2, pe.Array{Rows: 3, Columns: 1, Lanes: 1}, func(s *schedule.Step, k *schedule.Kernel, got accesses) {
		id := of{k.Op, s.Layer}
		if expected, ok := want[id]; ok {
			seen[id] = true
			if got != expected {
				t.Errorf("%v of layer %d: %v, want %v", k.Op, s.Layer, got, expected)
			}
		}
	})
	if len(seen) != len(want) {
		t.Errorf("of %d products %d were executed", len(want), len(seen))
	}
}

// TestVectorKernelsAccessWhatTheirEquationsName, by value of a layer: what stands
// in Eqs. 1 to 7, in batch norm's and in the sums of residual blocks.
func TestVectorKernelsAccessWhatTheirEquationsName(t *testing.T) {
	one := func(reads, writes units.Words) Traffic { return Traffic{reads, writes} }
	want := map[schedule.Op]accesses{
		schedule.Fire:          {states: one(2, 1), spikes: one(0, 1)},    // I^t, u^{t-1}; u^t, s^t
		schedule.Join:          {spikes: one(2, 1)},                       // s and the other operand; their sum
		schedule.Count:         {spikes: one(2, 1)},                       // the count and s; the count
		schedule.Loss:          {spikes: one(2, 0), gradients: one(0, 1)}, // count, label; delta_c
		schedule.SpatialError:  {gradients: one(1, 1), states: one(1, 0)}, // delta, u; gamma
		schedule.TemporalError: {gradients: one(2, 1)},                    // delta, gamma^{t+1}; delta
		schedule.JoinBackward:  {gradients: one(2, 1)},
		schedule.NormForward:   {states: one(1, 2)},                       // I; x and the normalised I
		schedule.NormBackward:  {gradients: one(1, 1), states: one(1, 0)}, // gamma, x; gamma_I
		schedule.PoolBackward:  {gradients: one(2, 1), states: one(1, 0)}, // delta, gamma^{t+1}, u; gamma
		schedule.Regenerate:    {weights: one(0, 1)},
	}
	seen := map[schedule.Op]bool{}
	for _, name := range []string{"lenet1", "resnet18"} {
		w, err := network.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Batch, w.Timesteps = 3, 4
		w.Training.Classifier = network.Random
		blocks, err := w.Net.Blocks(4)
		if err != nil {
			t.Fatal(err)
		}
		bookings(t, w, 2, 4, pe.Array{Rows: 8, Columns: 8, Lanes: 8}, func(s *schedule.Step, k *schedule.Kernel, got accesses) {
			each, ok := want[k.Op]
			if !ok || s.Interval > 1 {
				return
			}
			seen[k.Op] = true
			values := units.Words(w.Batch)
			switch {
			case k.Op == schedule.Regenerate:
				values = w.Net.ClassifierWeights(blocks[s.Block-1])
			case k.Classifier:
				values *= units.Words(w.Net.Classes)
			case k.Op == schedule.PoolBackward:
				values *= units.Words(w.Net.Layer(k.Index).Pooled.Size())
			default:
				values *= w.Net.Layer(k.Index).Neurons()
			}
			for b := range each {
				each[b].Reads *= values
				each[b].Writes *= values
			}
			if got != each {
				t.Errorf("%s: %v of %s: %v, want %v", name, k.Op, place(s), got, each)
			}
		})
	}
	for op := range want {
		if !seen[op] {
			t.Errorf("%v was never executed", op)
		}
	}
}

func place(s *schedule.Step) string { return fmt.Sprintf("layer %d, block %d", s.Layer, s.Block) }
