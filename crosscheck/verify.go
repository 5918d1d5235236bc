package crosscheck

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/golden/plain"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Compared is how one tensor of the golden trainer and of the simulated
// machine differ, over all intervals or steps that it was compared at.
type Compared struct {
	Tensor     string  // as CONTRACT.md names it, without the interval; s<l> is layer l's output at every step
	Values     int64   // compared
	Differing  int64   // not the same bits; zeros are equal whatever their sign
	Difference float64 // largest
	Magnitude  float64 // largest of golden's; of a count, the count
	Count      bool
}

// Spike is a threshold decision that came out differently.
type Spike struct {
	Step, Sample int
	Neuron       string // such as "layer 3, channel 2, row 0, column 5"
	Golden, Sim  float64
	Margin       float64 // golden's |u - u_th|
}

// String names the spike.
func (s Spike) String() string {
	return fmt.Sprintf("step %d, sample %d, %s: u is %g in golden and %g in the simulator, |u - u_th| = %g",
		s.Step, s.Sample, s.Neuron, s.Golden, s.Sim, s.Margin)
}

// Verification is a functional simulation held against the golden trainer on
// the same tensors, value by value.
type Verification struct {
	Pass       bool
	Rows       []Compared
	FirstSpike *Spike // that differs; nil if none does
	Values     int64
	Golden     tensors.Set
	Sim        *sim.Result
}

// Verify runs the golden trainer and the functional simulation of a program on
// the same tensors and compares every weight, gradient, potential and spike.
// What goes beyond Table 2 and the paper's rule is computed by the plain trainer, and
// compared at the iteration's end, an inference's spikes at every step. Otherwise they
// run in turns, a time step at a time, so that no history of potentials is
// kept but of layers that run ahead of others. o.Tensors and o.Observe are
// Verify's own.
func Verify(plan *sim.Plan, in *tensors.Input, o sim.Options) (*Verification, error) {
	program := plan.Program()
	w := program.Workload()
	if len(w.Beyond()) > 0 {
		return verifyPlainly(plan, in, o)
	}
	trainer, err := golden.New(w, program.K, program.N, golden.Options{NoDropout: true})
	if err != nil {
		return nil, err
	}
	v := &verifier{workload: w, trainer: trainer, threshold: float32(w.Neuron.Threshold), rows: map[string]*Compared{}}

	var goldenErr error
	step, stop := iter.Pull(func(yield func(int) bool) {
		watched := true
		trainer.Observe = func(t int) { watched = watched && yield(t) }
		v.golden, goldenErr = trainer.RunTensors(in)
	})
	defer stop()
	turns := &turns{
		blocks: len(program.Blocks), last: w.Timesteps, classified: make([]int, w.Timesteps+1),
		step: step, observe: v.observe,
	}
	o.Tensors, o.Observe = in, turns.take
	result, err := plan.Run(o)
	if err != nil {
		return nil, err
	}
	turns.finish()
	if goldenErr != nil {
		return nil, fmt.Errorf("golden trainer: %w", goldenErr)
	}
	if n := len(turns.ahead); n > 0 {
		return nil, fmt.Errorf("%d observations are of no time step of the golden trainer's; the first is of %d", n, turns.ahead[0].Time)
	}
	if err := v.compareSets(result.Tensors); err != nil {
		return nil, err
	}
	return v.verification(result), nil
}

// verifyPlainly compares what an iteration leaves with the plain trainer's.
func verifyPlainly(plan *sim.Plan, in *tensors.Input, o sim.Options) (*Verification, error) {
	program := plan.Program()
	o.Tensors, o.Observe = in, nil
	var spikes *sim.SpikeRecord
	if program.Inference() {
		var err error
		if spikes, err = sim.NewSpikeRecord(program.Workload(), program.Blocks); err != nil {
			return nil, err
		}
		o.Observe = spikes.Observe
	}
	result, err := plan.Run(o)
	if err != nil {
		return nil, err
	}
	if spikes != nil {
		maps.Copy(result.Tensors, spikes.Set())
	}
	v := &verifier{workload: program.Workload(), rows: map[string]*Compared{}}
	if v.golden, err = plain.Run(program.Workload(), program.K, program.N, in); err != nil {
		return nil, fmt.Errorf("golden trainer: %w", err)
	}
	if err := v.compareSets(result.Tensors); err != nil {
		return nil, err
	}
	return v.verification(result), nil
}

// turns steps the golden trainer along with the simulator. It waits at a time
// step until every block has come to its end; what is seen of later ones
// meanwhile is kept.
type turns struct {
	blocks, last int
	classified   []int // by time step: blocks that have come to its end
	at           int   // golden's time step
	ahead        []op.Observation
	step         func() (int, bool)
	observe      func(op.Observation)
}

// take compares what was seen now or when golden gets there.
func (t *turns) take(seen op.Observation) {
	if t.at == 0 {
		t.next()
	}
	if seen.Time == t.at {
		t.observe(seen)
	} else {
		seen.Potentials, seen.Spikes = slices.Clone(seen.Potentials), slices.Clone(seen.Spikes)
		t.ahead = append(t.ahead, seen)
	}
	if seen.Layer == 0 { // a block's last
		t.classified[seen.Time]++
	}
	for t.at < t.last && t.classified[t.at] == t.blocks && t.next() {
	}
}

// next steps golden once and compares what was seen of that step before.
func (t *turns) next() (ok bool) {
	if t.at, ok = t.step(); !ok {
		return false
	}
	t.ahead = slices.DeleteFunc(t.ahead, func(seen op.Observation) bool {
		if seen.Time != t.at {
			return false
		}
		t.observe(seen)
		return true
	})
	return true
}

// finish compares what is left, and lets golden end.
func (t *turns) finish() {
	for t.next() {
	}
}

// verifier collects differences.
type verifier struct {
	workload  *network.Workload
	trainer   *golden.Trainer
	threshold float32
	rows      map[string]*Compared
	first     *Spike
	golden    tensors.Set
}

func (v *verifier) row(name string) *Compared {
	r := v.rows[name]
	if r == nil {
		r = &Compared{Tensor: name}
		v.rows[name] = r
	}
	return r
}

// compare enters one pair of values.
func (r *Compared) compare(golden, sim float64) {
	r.Values++
	if !math.IsNaN(golden) {
		r.Magnitude = max(r.Magnitude, finite(math.Abs(golden)))
	}
	if golden == sim || math.IsNaN(golden) && math.IsNaN(sim) {
		return
	}
	r.Differing++
	r.Difference = max(r.Difference, finite(math.Abs(golden-sim)))
}

// finite replaces an infinity, or a NaN on one side only, by the largest number.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.MaxFloat64
	}
	return v
}

// observe compares the neurons that just fired with golden's at that step.
func (v *verifier) observe(seen op.Observation) {
	if seen.Output {
		shape := v.workload.Net.Layer(seen.Layer).Pooled
		v.compareMaps(v.row(fmt.Sprintf("s%d", seen.Layer)), v.trainer.Spikes(seen.Layer), seen.Spikes, shape)
		return
	}
	var golden []float32
	var shape network.Shape
	var name, what string
	switch {
	case seen.Layer == 0:
		golden, shape = v.trainer.ClassifierPotentials(seen.Block), network.Shape{Channels: v.workload.Net.Classes, Height: 1, Width: 1}
		name, what = fmt.Sprintf("uc%d", seen.Block), fmt.Sprintf("classifier of block %d", seen.Block)
	case seen.Pool:
		golden, shape = v.trainer.PoolPotentials(seen.Layer), v.workload.Net.Layer(seen.Layer).Pooled
		name, what = fmt.Sprintf("up%d", seen.Layer), fmt.Sprintf("pooling after layer %d", seen.Layer)
	default:
		golden, shape = v.trainer.Potentials(seen.Layer), v.workload.Net.Layer(seen.Layer).Out
		name, what = fmt.Sprintf("u%d", seen.Layer), fmt.Sprintf("layer %d", seen.Layer)
	}
	v.compareMaps(v.row(name), golden, seen.Potentials, shape)
	if v.first == nil {
		v.findSpike(seen, golden, shape, what)
	}
}

// compareMaps compares golden's [B,C,H,W] with the simulator's [B,H,W,C].
func (v *verifier) compareMaps(row *Compared, golden, sim []float32, s network.Shape) {
	if len(golden) != len(sim) {
		row.Differing += int64(len(golden))
		return
	}
	for i, want := range golden {
		row.compare(float64(want), float64(sim[channelsLast(i, s)]))
	}
}

// channelsLast turns an index into [B,C,H,W] into one into [B,H,W,C].
func channelsLast(i int, s network.Shape) int {
	sample, channel, position := i/s.Size(), i/s.Positions()%s.Channels, i%s.Positions()
	return sample*s.Size() + position*s.Channels + channel
}

// findSpike looks for a neuron that fired on one side only.
func (v *verifier) findSpike(seen op.Observation, golden []float32, s network.Shape, what string) {
	for i, u := range golden {
		at := channelsLast(i, s)
		if at >= len(seen.Spikes) || (u >= v.threshold) == (seen.Spikes[at] != 0) {
			continue
		}
		position := i % s.Positions()
		v.first = &Spike{
			Step: seen.Time, Sample: i/s.Size() + 1,
			Neuron: fmt.Sprintf("%s, channel %d, row %d, column %d", what, i/s.Positions()%s.Channels+1, position/s.Width+1, position%s.Width+1),
			Golden: float64(u), Sim: float64(seen.Potentials[at]),
			Margin: math.Abs(float64(u) - float64(v.threshold)),
		}
		return
	}
}

var intervalSuffix = regexp.MustCompile(`_i\d+$`)

// compareSets compares what both sides dump.
func (v *verifier) compareSets(simulated tensors.Set) error {
	for name := range simulated {
		if _, ok := v.golden[name]; !ok {
			return fmt.Errorf("the simulator dumps %s, the golden trainer does not", name)
		}
	}
	for _, name := range v.golden.Names() {
		want := v.golden[name]
		got, ok := simulated[name]
		if !ok {
			return fmt.Errorf("the golden trainer dumps %s, the simulator does not", name)
		}
		if want.Len() != got.Len() {
			return fmt.Errorf("%s is %s in the golden trainer and %s in the simulator", name, tensors.ShapeString(want.Shape), tensors.ShapeString(got.Shape))
		}
		row := v.row(intervalSuffix.ReplaceAllString(name, ""))
		row.Count = want.Int64 != nil
		for i := range want.Len() {
			row.compare(want.At(i), got.At(i))
		}
	}
	return nil
}

// rowOrder is the order of tensors in a verification: by kind, then number.
var rowOrder = []string{"loss", "dw", "dwc", "db", "dbc", "dbn", "w", "b", "wc", "bc", "bn", "u", "up", "uc", "s", "spikes", "spikes_c", "nonzero_in"}

var tensorName = regexp.MustCompile(`^([a-z_]+?)(\d+)`)

func (v *verifier) verification(result *sim.Result) *Verification {
	done := &Verification{Pass: v.first == nil, FirstSpike: v.first, Golden: v.golden, Sim: result}
	for _, row := range v.rows {
		done.Rows = append(done.Rows, *row)
		done.Values += row.Values
		if row.Differing > 0 {
			done.Pass = false
		}
	}
	place := func(name string) (kind, number int) {
		if parts := tensorName.FindStringSubmatch(name); parts != nil {
			kind = slices.Index(rowOrder, parts[1])
			number, _ = strconv.Atoi(parts[2]) // digits
		}
		return kind, number
	}
	slices.SortFunc(done.Rows, func(a, b Compared) int {
		kindA, numberA := place(a.Tensor)
		kindB, numberB := place(b.Tensor)
		return cmp.Or(cmp.Compare(kindA, kindB), cmp.Compare(numberA, numberB), cmp.Compare(a.Tensor, b.Tensor))
	})
	return done
}
