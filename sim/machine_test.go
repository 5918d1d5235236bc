package sim_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

func paper(t testing.TB) *hardware.Hardware {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	return hw
}

// workload reads a workload on 2x8x8 events, with momentum.
func workload(t testing.TB, layers string, timesteps, batch int) *network.Workload {
	t.Helper()
	w, err := network.Read(fmt.Appendf(nil,
		"input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: %s\ntimesteps: %d\nbatch: %d\n", layers, timesteps, batch), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func simulate(t testing.TB, w *network.Workload, k, n int, traffic schedule.Traffic, hw *hardware.Hardware, o sim.Options) *sim.Result {
	t.Helper()
	p, err := schedule.New(w, k, n, traffic)
	if err != nil {
		t.Fatal(err)
	}
	o.Energy = energy.Default()
	r, err := sim.Run(p, hw, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unread names what was overwritten in DRAM before anything read it.
func unread(r *sim.Result) map[string]int64 {
	list := map[string]int64{}
	for c, n := range r.Unread {
		if n != 0 {
			list[role.Role(c).String()] = n
		}
	}
	return list
}

// TestWhatIsWrittenIsRead: all but what the schedule gives away, counted by
// hand. T = 12 everywhere, and T/k intervals; a value is overwritten by that of
// the next interval, with k = 1 by that of the step after the next.
func TestWhatIsWrittenIsRead(t *testing.T) {
	random := func(w *network.Workload) { w.Training.Classifier = network.Random }
	for _, c := range []struct {
		what, layers string
		k, n         int
		traffic      schedule.Traffic
		edit         func(*network.Workload)
		want         map[string]int64
	}{
		{
			what: "gamma of each interval's first step: 4 layers, 2 classifiers, 2 of 3 intervals",
			// Spikes at t_k of layers 1 and 3 are read on chip by the tops 2
			// and 4, those of 4 by the classifier; those of 2 by layer 3 from DRAM.
			layers: "3FC-4FC-5FC-6FC-7FC", k: 4, n: 2,
			want: map[string]int64{"errors": 4 * 2, "classifier_errors": 2 * 2, "spikes": 3 * 2},
		},
		{
			what:   "one interval: nothing is overwritten but what was read",
			layers: "3FC-4FC-5FC-6FC-7FC", k: 12, n: 4,
			want: map[string]int64{},
		},
		{
			what:   "k = 1: no errors are written, spikes of every step but the last two",
			layers: "3FC-4FC-5FC-6FC-7FC", k: 1, n: 2,
			want: map[string]int64{"spikes": 3 * 10},
		},
		{
			what: "blocks of one layer: every layer is a top, every spike is on chip at t_k",
			// .. but for the reader's own gradient: layer 2 reads those of 1 on
			// chip, and so on.
			layers: "3FC-4FC-5FC-7FC", k: 4, n: 1,
			want: map[string]int64{"errors": 3 * 2, "classifier_errors": 3 * 2, "spikes": 3 * 2},
		},
		{
			what: "a frozen classifier has no gradient: nothing reads the last layer's spikes",
			// Of layer 4 all 12 steps less the 4 of the last interval.
			layers: "3FC-4FC-5FC-6FC-7FC", k: 4, n: 2, edit: random,
			want: map[string]int64{"errors": 4 * 2, "classifier_errors": 2 * 2, "spikes": 2*2 + 8},
		},
		{
			what: "pooling errors of the first step: 2 pooling layers",
			// Spikes after pooling: each layer's reader is a top.
			layers: "2C3-2AP2-3C3-3AP2-5FC-7FC", k: 3, n: 2,
			want: map[string]int64{"errors": 3 * 3, "classifier_errors": 2 * 3, "pooling_errors": 2 * 3, "spikes": 3 * 3},
		},
		{
			what: "batch norm of the tops 2 and 3 at t_k",
			// The normalised sums of layer 1 are read back at t_k. All readers are tops.
			layers: "2C3-BN-3C3-BN-4C3-BN-7FC", k: 6, n: 2,
			want: map[string]int64{"errors": 3, "classifier_errors": 2, "spikes": 3, "norm_saved": 2},
		},
		{
			what: "residual block with shortcut: layer 1 feeds 2, 2 the top 3's sum",
			// The spikes of layer 1 are read by 2 from DRAM at t_k; 2 has no
			// address; those of 3, the sum, only by the classifier on chip.
			layers: "4RB-7FC", k: 4, n: 3,
			want: map[string]int64{"errors": 3 * 2, "classifier_errors": 2, "spikes": 2},
		},
		{
			what:   "the equations move no spikes and no optimizer: nothing reads dW at the end of an interval",
			layers: "3FC-4FC-5FC-6FC-7FC", k: 4, n: 2, traffic: schedule.Equations,
			want: map[string]int64{"errors": 4 * 2, "classifier_errors": 2 * 2, "gradients": 4 * 2, "classifier_gradients": 2 * 2},
		},
	} {
		w := workload(t, c.layers, 12, 2)
		if c.edit != nil {
			c.edit(w)
		}
		for _, untimed := range []bool{true, false} {
			r := simulate(t, w, c.k, c.n, c.traffic, paper(t), sim.Options{Untimed: untimed})
			if diff := cmp.Diff(c.want, unread(r)); diff != "" {
				t.Errorf("%s, untimed %v, want -, got +:\n%s", c.what, untimed, diff)
			}
		}
	}
}

// TestSimulationSizeDoesNotGrow: neither with T nor with the batch.
func TestSimulationSizeDoesNotGrow(t *testing.T) {
	allocated := func(timesteps, batch int, untimed bool) uint64 {
		w := workload(t, "4C3-4AP2-8C3-BN-16FC-5FC", timesteps, batch)
		p, err := schedule.New(w, 4, 1, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		hw := paper(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := sim.Run(p, hw, sim.Options{Untimed: untimed, Energy: energy.Default()}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, untimed := range []bool{true, false} {
		short, large, long := allocated(400, 8, untimed), allocated(400, 8000, untimed), allocated(8400, 8, untimed)
		const noise = 500_000 // of exact sums
		if large > short+noise {
			t.Errorf("untimed %v: %d bytes for batch 8000, %d for 8", untimed, large, short)
		}
		// The input has a place in memory for every time step; a step of the
		// schedule, of which there are 14 in a time step, takes nothing.
		if perStep := float64(long-min(long, short+noise)) / 8000; perStep > 256 {
			t.Errorf("untimed %v: %v bytes for each time step", untimed, perStep)
		}
	}
}

// TestProgressReachesTheEnd and never goes back.
func TestProgressReachesTheEnd(t *testing.T) {
	w := workload(t, "3FC-5FC", 512, 2)
	for _, untimed := range []bool{true, false} {
		var last int64
		calls := 0
		r := simulate(t, w, 4, 1, schedule.All, paper(t), sim.Options{Untimed: untimed, Progress: func(done int64) {
			if done < last {
				t.Errorf("%d steps after %d", done, last)
			}
			last = done
			calls++
		}})
		if last > r.Steps || last < r.Steps-512 || calls < 2 {
			t.Errorf("untimed %v: %d calls, the last at %d of %d steps", untimed, calls, last, r.Steps)
		}
	}
}

// TestLoadsAndStoresOverlapWithComputation: with enough to compute the PEs
// hardly wait, and the iteration takes less than its parts one by one.
func TestLoadsAndStoresOverlapWithComputation(t *testing.T) {
	c := simulate(t, workload(t, "16C3-16C3-16C3-5FC", 8, 8), 4, 1, schedule.All, paper(t), sim.Options{}).Timing.Cycles
	if c.Overlap.Sign() == 0 || !c.Total.Less(c.PEBusy.PlusTotal(c.DRAM)) {
		t.Errorf("nothing overlaps: %+v", c)
	}
	if c.StallOther.Sign() > 0 {
		t.Errorf("PEs wait for neither loads nor stores: %+v", c)
	}
}

// TestOneSlowPartIsTheTime: with very slow PEs the iteration is what they take
// and the first load; with very fast ones it is what the DRAM takes.
func TestOneSlowPartIsTheTime(t *testing.T) {
	w := workload(t, "4C3-8C3-5FC", 4, 4)
	slow := paper(t)
	slow.PE.Clock = 100_000
	if c := simulate(t, w, 2, 1, schedule.All, slow, sim.Options{}).Timing.Cycles; c.PEBusy.Float64() < 0.99*c.Total.Float64() {
		t.Errorf("slow PEs wait: %+v", c)
	}
	fast := paper(t)
	fast.PE.Rows, fast.PE.Columns, fast.PE.Lanes, fast.PE.Pipeline = 1<<14, 1<<14, 1<<16, 0
	fast.PE.Clock = 10 * units.GHz
	if c := simulate(t, w, 2, 1, schedule.All, fast, sim.Options{}).Timing.Cycles; c.DRAM.Float64() < 0.9*c.Total.Float64() {
		t.Errorf("the DRAM waits for fast PEs: %+v", c)
	}
}

// TestFasterHardwareIsNotSlower in any part.
func TestFasterHardwareIsNotSlower(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := workload(t, rapid.SampledFrom([]string{"3FC-4FC-5FC", "4C3-4AP2-8C3-5FC", "2RB-4RB-5FC"}).Draw(r, "layers"), 4, rapid.IntRange(1, 9).Draw(r, "batch"))
		k := rapid.SampledFrom([]int{1, 2, 4}).Draw(r, "k")
		n := rapid.IntRange(1, w.Net.N()).Draw(r, "n")
		hw := paper(t)
		hw.PE.Rows = 1 << rapid.IntRange(0, 5).Draw(r, "rows")
		hw.PE.Lanes = rapid.IntRange(1, 300).Draw(r, "lanes")
		before := simulate(t, w, k, n, schedule.All, hw, sim.Options{})
		hw.PE.Rows *= 2
		hw.PE.Lanes *= 2
		after := simulate(t, w, k, n, schedule.All, hw, sim.Options{})
		if before.Timing.Cycles.PEBusy.Less(after.Timing.Cycles.PEBusy) {
			r.Errorf("%d busy clocks with twice the hardware, %d before", after.Timing.Cycles.PEBusy, before.Timing.Cycles.PEBusy)
		}
		if after.Counts != before.Counts || after.Beyond != before.Beyond {
			r.Errorf("counts depend on the array")
		}
		// The DRAM may be reached at worse moments, by a refresh or so.
		if after.Timing.Seconds > 1.02*before.Timing.Seconds+1e-6 {
			r.Errorf("%v s with twice the hardware, %v before", after.Timing.Seconds, before.Timing.Seconds)
		}
	})
}

func TestDoesNotFit(t *testing.T) {
	hw := paper(t)
	p, err := schedule.New(workload(t, "1024FC-5FC", 4, 40_000_000), 4, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	for _, untimed := range []bool{true, false} {
		_, err := sim.Run(p, hw, sim.Options{Untimed: untimed, Energy: energy.Default()})
		if err == nil || !strings.HasPrefix(err.Error(), "the tensors need ") || !strings.HasSuffix(err.Error(), " bytes; the DRAM has 34359738368") {
			t.Errorf("untimed %v: %v", untimed, err)
		}
	}
}

// TestEnergyIsTheSumOfItsParts and each of them is spent.
func TestEnergyIsTheSumOfItsParts(t *testing.T) {
	r := simulate(t, workload(t, "4C3-4AP2-8C3-5FC", 4, 4), 2, 1, schedule.All, paper(t), sim.Options{})
	e := r.Timing.Energy
	if e.DRAM <= 0 || e.OnChip <= 0 || e.PE <= 0 || e.Static <= 0 {
		t.Errorf("%+v", e)
	}
	if e.Total() != e.DRAM+e.OnChip+e.PE+e.Static || e.DRAM != e.Commands.Total() {
		t.Errorf("%+v", e)
	}
	var want units.Picojoules
	for op, n := range r.Operations {
		want += energy.Default().PE(pe.FP32, pe.Op(op)) * units.Picojoules(n)
	}
	if e.PE != want {
		t.Errorf("operations take %v pJ, want %v", e.PE, want)
	}
}

// TestOperationsBeyondTheEquations of small networks, by hand: elements times
// what each of them takes.
func TestOperationsBeyondTheEquations(t *testing.T) {
	adam := func(w *network.Workload) { w.Training.Optimizer, w.Training.Loss = network.Adam, network.CrossEntropy }
	for _, c := range []struct {
		layers       string
		timesteps, k int
		edit         func(*network.Workload)
		want         map[schedule.Beyond]int64
	}{
		// Batch 3: 384 neurons, 96 pooling neurons of 4 inputs, 9 of the
		// classifier; 36 + 96 weights, 4 of batch norm; densities of 0.1.
		{"2C3-BN-2AP2-3FC", 1, 1, adam, map[schedule.Beyond]int64{
			schedule.BeyondNeuron:           (384 + 9) * 4,           // tau u, + I, - theta s, u >= u_th
			schedule.BeyondSurrogate:        (384 + 9) * 3,           // difference, comparison, product
			schedule.BeyondNorm:             384 * (6 + 6),           // forward, backward
			schedule.BeyondPooling:          96*4 + 96*5 + 96*(3+1),  // sum; its share and firing; surrogate and share
			schedule.BeyondLoss:             9*1 + 9*9,               // count; softmax
			schedule.BeyondOptimizer:        (36 + 96 + 4) * 15,      // Adam
			schedule.BeyondGradientRegister: (36*64*3 + 96*1*3) / 10, // every position, at 0.1
		}},
		{"2C3-2AP2-3FC", 2, 2, func(w *network.Workload) { w.Training.Classifier = network.Random; w.Training.Momentum = 0 }, map[schedule.Beyond]int64{
			schedule.BeyondNeuron:           2 * (384 + 9) * 4,
			schedule.BeyondSurrogate:        2*(384+9)*3 + (384+9)*2, // and theta gamma, tau gamma at t < t_k
			schedule.BeyondPooling:          2*(96*4+96*5+96*4) + 96*4,
			schedule.BeyondLoss:             2*9*1 + 9*4, // MSE
			schedule.BeyondOptimizer:        36,
			schedule.BeyondRandom:           2 * 2 * 96 * 3, // forward and backward, three exclusive ors
			schedule.BeyondGradientRegister: 1382,           // 2 * 691.2, half to even
		}},
		{"2FC-3FC", 1, 1, func(w *network.Workload) { w.Net.Encoding = network.Direct }, map[schedule.Beyond]int64{
			schedule.BeyondNeuron:           (6 + 9) * 4,
			schedule.BeyondSurrogate:        (6 + 9) * 3,
			schedule.BeyondLoss:             9*1 + 9*4,
			schedule.BeyondOptimizer:        (256 + 6) * 2, // momentum
			schedule.BeyondGradientRegister: 79,            // 76.8 + 1.8 to the nearest
			schedule.BeyondDirectInput:      154,           // 2 * 76.8: of the sum and of the gradient
		}},
		// Two blocks of one layer each, and an identity: 384 neurons a layer.
		{"2RB-3FC", 1, 1, nil, map[schedule.Beyond]int64{
			schedule.BeyondNeuron:           (2*384 + 9) * 4,
			schedule.BeyondSurrogate:        (2*384 + 9) * 3,
			schedule.BeyondResidual:         384, // the sum; its operand is the input, which takes no error
			schedule.BeyondLoss:             9*1 + 9*4,
			schedule.BeyondOptimizer:        (36 + 36 + 384) * 2,
			schedule.BeyondGradientRegister: 1498, // (2*36*64*3 + 384*3) / 10 is 1497.6
		}},
	} {
		w := workload(t, c.layers, c.timesteps, 3)
		if c.edit != nil {
			c.edit(w)
		}
		r := simulate(t, w, c.k, w.Net.N(), schedule.All, paper(t), sim.Options{Untimed: true})
		for why := range schedule.Beyond(schedule.NumBeyond) {
			if got := r.Beyond.Operations[why]; got != c.want[why] {
				t.Errorf("%s, k = %d: %d operations of %v, want %d", c.layers, c.k, got, why, c.want[why])
			}
		}
	}
}

func BenchmarkAlexNet(b *testing.B) {
	w, err := network.Open("alexnet")
	if err != nil {
		b.Fatal(err)
	}
	for _, untimed := range []bool{false, true} {
		b.Run(fmt.Sprintf("untimed=%v", untimed), func(b *testing.B) {
			hw := paper(b)
			for b.Loop() {
				simulate(b, w, 10, 1, schedule.All, hw, sim.Options{Untimed: untimed})
			}
		})
	}
}
