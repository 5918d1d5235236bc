package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/tiling"
)

// everything is a small workload with every class of tensor in DRAM.
const everything = `
input: {channels: 2, height: 6, width: 6, encoding: event}
layers: 3C3-BN-3AP2-3RB-BN-4RB-4AP2-6FC-3FC
timesteps: 4
batch: 2
neuron: {leak: 0.8, reset: 0.3, threshold: 0.3, surrogate_width: 2}
training: {loss: ce, optimizer: adam, learning_rate: 0.05, classifier: %s}
`

// everyState is a small workload whose layers, pooling neurons and classifiers have
// every state that neurons can have.
const everyState = `
input: {channels: 2, height: 4, width: 4, encoding: event}
layers:
  - conv: {out: 3, kernel: 3}
  - conv: {out: 3, kernel: 3}
    pool: {kind: fire, window: 2}
  - fc: {out: 3}
timesteps: 4
batch: 2
neuron: {leak: 0.8, hard_reset: 0.1, threshold: 0.3, surrogate: atan, surrogate_width: 2, synapse_leak: 0.6, input_gain: 0.9, adaptation: {decay: 0.7, strength: 0.1}}
training: {loss: ce, optimizer: rmsprop, learning_rate: 0.05}
`

func openEverything(t *testing.T, classifier string) (*schedule.Program, *tensors.Input) {
	t.Helper()
	return openText(t, fmt.Sprintf(everything, classifier))
}

func openText(t *testing.T, text string) (*schedule.Program, *tensors.Input) {
	t.Helper()
	w, err := network.Read([]byte(text), "everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := schedule.New(w, 2, min(3, w.Net.N()), schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	return p, randomInput(w, p.Blocks, 7)
}

func randomInput(w *network.Workload, blocks []network.Block, seed uint64) *tensors.Input {
	r := rand.New(rand.NewPCG(seed, seed))
	values := func(n int, low, high float64) []float32 {
		list := make([]float32, n)
		for i := range list {
			list[i] = float32(low + (high-low)*r.Float64())
		}
		return list
	}
	in := &tensors.Input{}
	in.X = values(w.Timesteps*w.Batch*w.Net.Input.Size(), 0, 1)
	for i, v := range in.X {
		in.X[i] = float32(math.Round(float64(v)))
	}
	for range w.Batch {
		in.Y = append(in.Y, r.IntN(w.Net.Classes))
	}
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		in.Weights = append(in.Weights, values(int(l.Weights()), -0.4, 0.6))
		var n *tensors.Norm
		if l.BatchNorm {
			c := l.Out.Channels
			n = &tensors.Norm{Gain: values(c, 0.5, 1.5), Bias: values(c, 0, 0.3), Mean: values(c, -1, 1), Variance: values(c, 0.5, 1.5)}
		}
		in.Norms = append(in.Norms, n)
	}
	for _, b := range blocks {
		in.Classifiers = append(in.Classifiers, values(int(w.Net.ClassifierWeights(b)), -0.4, 0.6))
	}
	return in
}

// edited is a program with one step changed.
type edited struct {
	*schedule.Cursor
	number, at int
	edit       func(*schedule.Step)
}

func (e *edited) Next(s *schedule.Step) bool {
	if !e.Cursor.Next(s) {
		return false
	}
	if e.number == e.at {
		e.edit(s)
	}
	e.number++
	return true
}

// moved is one transfer of a program.
type moved struct {
	schedule.Transfer
	step, index int
	write       bool
}

func transfers(p *schedule.Program) (list []moved) {
	var s schedule.Step
	c := p.Start()
	for i := 0; c.Next(&s); i++ {
		for j, t := range s.Reads {
			list = append(list, moved{t, i, j, false})
		}
		for j, t := range s.Writes {
			list = append(list, moved{t, i, j, true})
		}
	}
	return list
}

// needed tells whether the value that a write puts into DRAM is read later, or
// is one of the results.
func needed(p *schedule.Program, list []moved, w moved) bool {
	for _, later := range list {
		if !later.write && later.step > w.step && later.Tensor == w.Tensor {
			return true
		}
	}
	switch w.Tensor.Class {
	case role.Weight, role.ClassifierWeight, role.NormParameter:
		return w.Tensor.Step == p.Intervals()
	case role.Potential, role.PoolPotential, role.ClassifierPotential, role.NormStatistic:
		return w.Tensor.Step == p.Workload().Timesteps
	}
	return false
}

// differ returns the name of a tensor that two dumps do not agree on, or "".
func differ(a, b tensors.Set) string {
	for _, name := range a.Names() {
		for i := range a[name].Len() {
			if a[name].At(i) != b[name].At(i) {
				return name
			}
		}
	}
	return ""
}

func TestEveryTransferThatIsLeftOutIsCaught(t *testing.T) {
	for name, text := range map[string]string{
		"trainable classifiers": fmt.Sprintf(everything, network.Trainable),
		"random classifiers":    fmt.Sprintf(everything, network.Random),
		"every state":           everyState,
	} {
		p, in := openText(t, text)
		hw := paperHardware(t)
		whole, err := Run(p, hw, Options{Untimed: true, Tensors: in})
		if err != nil {
			t.Fatal(err)
		}
		list := transfers(p)
		caught := map[string]int{}
		for _, m := range list {
			direction := "read"
			if m.write {
				direction = "write"
			}
			source := &edited{Cursor: p.Start(), at: m.step, edit: func(s *schedule.Step) {
				if m.write {
					s.Writes = append(s.Writes[:m.index], s.Writes[m.index+1:]...)
				} else {
					s.Reads = append(s.Reads[:m.index], s.Reads[m.index+1:]...)
				}
			}}
			r, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source})
			isNeeded := !m.write || needed(p, list, m)
			switch {
			case err != nil:
				if !strings.Contains(err.Error(), "step of") && !strings.Contains(err.Error(), "after the iteration") {
					t.Errorf("%s of %v: the error does not name its step: %v", direction, m.Tensor, err)
				}
				if !strings.Contains(err.Error(), m.Tensor.String()) {
					t.Errorf("%s of %v: the error does not name the tensor: %v", direction, m.Tensor, err)
				}
			case isNeeded && differ(whole.Tensors, r.Tensors) == "":
				t.Errorf("nothing notices that the %s of %v in step %d is left out", direction, m.Tensor, m.step)
			case !isNeeded && differ(whole.Tensors, r.Tensors) != "":
				t.Errorf("the write of %v is not needed, but %s differs without it", m.Tensor, differ(whole.Tensors, r.Tensors))
			}
			if isNeeded {
				caught[direction+" of "+m.Tensor.Class.String()+", "+m.Beyond.String()]++
			}
		}
		for _, e := range p.Extents() {
			if !anyKey(caught, "read of "+e.Class.String()+",") {
				t.Errorf("no read of %v was left out", e.Class)
			}
			if !e.Constant && e.Class != role.Label && !anyKey(caught, "write of "+e.Class.String()+",") {
				t.Errorf("no write of %v was left out", e.Class)
			}
		}
		t.Logf("%s: %d transfers left out, one at a time", name, len(list))
	}
}

func anyKey(m map[string]int, prefix string) bool {
	for key := range m {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func TestATransferOfTheWrongStepIsCaught(t *testing.T) {
	for _, text := range []string{fmt.Sprintf(everything, network.Trainable), everyState} {
		p, in := openText(t, text)
		hw := paperHardware(t)
		for _, m := range transfers(p) {
			if m.Tensor.Class == role.Input || m.Tensor.Class == role.Label {
				continue // every step is there, or there is one
			}
			source := &edited{Cursor: p.Start(), at: m.step, edit: func(s *schedule.Step) {
				list := s.Reads
				if m.write {
					list = s.Writes
				}
				list[m.index].Tensor.Step++
			}}
			if _, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source}); err == nil {
				t.Errorf("%v of step %d moved in step %d, and nothing noticed", m.Tensor, m.Tensor.Step+1, m.step)
			}
		}
	}
}

func TestEveryKernelThatIsLeftOutIsCaught(t *testing.T) {
	p, in := openEverything(t, network.Random)
	hw := paperHardware(t)
	whole, err := Run(p, hw, Options{Untimed: true, Tensors: in})
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		step, index int
		schedule.Kernel
	}
	var places []place
	var s schedule.Step
	c := p.Start()
	for i := 0; c.Next(&s); i++ {
		for j, k := range s.Kernels {
			places = append(places, place{i, j, k})
		}
	}
	caught := map[schedule.Op]int{}
	for _, k := range places {
		source := &edited{Cursor: p.Start(), at: k.step, edit: func(s *schedule.Step) {
			s.Kernels = append(s.Kernels[:k.index], s.Kernels[k.index+1:]...)
		}}
		r, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source})
		if err != nil || differ(whole.Tensors, r.Tensors) != "" {
			caught[k.Op]++
			continue
		}
		switch k.Op {
		case schedule.Count, schedule.TemporalError, schedule.SpatialError, schedule.BackProject, schedule.JoinBackward:
			// No spike, or errors that the surrogate stopped: it may add zeros.
		default:
			t.Errorf("nothing notices that %q of %d in step %d is left out", k.Op, k.Index, k.step)
		}
	}
	for op := schedule.SynapticSum; op <= schedule.Regenerate; op++ {
		if caught[op] == 0 {
			t.Errorf("no left-out %q was noticed", op)
		}
	}
}

func TestWhatIsNotKeptOnChipIsGone(t *testing.T) {
	p, in := openEverything(t, network.Trainable)
	hw := paperHardware(t)
	evicted := 0
	var s schedule.Step
	type place struct{ step, index int }
	var places []place
	counted := map[role.Tensor]int{} // interval in which a count of spikes was begun
	for i, cursor := 0, p.Start(); cursor.Next(&s); i++ {
		for _, made := range s.Products {
			counted[made.Tensor] = s.Interval
		}
		for j, kept := range s.Keeps {
			if kept.Class == role.SpikeCount && counted[kept] < s.Interval {
				continue // not there yet
			}
			places = append(places, place{i, j})
		}
	}
	for _, k := range places {
		var name string
		source := &edited{Cursor: p.Start(), at: k.step, edit: func(s *schedule.Step) {
			name = s.Keeps[k.index].String()
			s.Keeps = append(s.Keeps[:k.index], s.Keeps[k.index+1:]...)
		}}
		_, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source})
		switch {
		case err == nil:
			t.Errorf("%s was evicted after step %d, and nothing noticed", name, k.step)
		case !strings.Contains(err.Error(), name):
			t.Errorf("%s was evicted after step %d: %v", name, k.step, err)
		default:
			evicted++
		}
	}
	t.Logf("%d evictions caught", evicted)
}

func TestNumbersDoNotDependOnTiming(t *testing.T) {
	for _, name := range []string{"bn-ce", "res-bptt", "direct-k1", "conv-random"} {
		v := readVector(t, name)
		untimed := v.run(t, Options{Untimed: true})
		timed := v.run(t, Options{Energy: testEnergy(t)})
		if tensor := differ(untimed.Tensors, timed.Tensors); tensor != "" {
			t.Errorf("%s: %s differs between timed and untimed", name, tensor)
		}
		if untimed.Counts != timed.Counts || untimed.Operations != timed.Operations {
			t.Errorf("%s: counts differ between timed and untimed", name)
		}
	}
}

func TestWordsAndMACsDoNotDependOnTheData(t *testing.T) {
	for _, name := range vectorNames(t) {
		v := readVector(t, name)
		with := v.run(t, Options{Untimed: true})
		without, err := Run(v.program, paperHardware(t), Options{Untimed: true})
		if err != nil {
			t.Fatal(err)
		}
		a, b := with.Counts, without.Counts
		a.Forward.Adds, a.Backward.Adds, b.Forward.Adds, b.Backward.Adds = 0, 0, 0, 0
		if a != b || with.Words != without.Words {
			t.Errorf("%s: %+v with tensors, %+v without", name, a, b)
		}
	}
}

func TestTensorsThatDoNotFitAreRefused(t *testing.T) {
	v := readVector(t, "bn-ce")
	hw := paperHardware(t)
	short := func(change func(*tensors.Input)) *tensors.Input {
		in := *v.in
		in.Weights = append([][]float32(nil), in.Weights...)
		in.Norms = append([]*tensors.Norm(nil), in.Norms...)
		change(&in)
		return &in
	}
	for name, in := range map[string]*tensors.Input{
		"x":           short(func(in *tensors.Input) { in.X = in.X[1:] }),
		"1 classifie": short(func(in *tensors.Input) { in.Classifiers = in.Classifiers[:1] }),
		"w2":          short(func(in *tensors.Input) { in.Weights[1] = in.Weights[1][1:] }),
		"batch norm":  short(func(in *tensors.Input) { in.Norms[0] = nil }),
		"bn_gain":     short(func(in *tensors.Input) { in.Norms[0] = &tensors.Norm{} }),
	} {
		_, err := Run(v.program, hw, Options{Untimed: true, Tensors: in})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := schedule.New(v.workload, v.program.K, v.program.N, schedule.Equations)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(p, hw, Options{Untimed: true, Tensors: v.in}); err == nil {
		t.Error("tensors were accepted although only the equations' traffic moves")
	}
}

func TestNumbersDoNotDependOnTheSizeOfTheBuffer(t *testing.T) {
	refetched := 0
	for _, name := range []string{"res-bn", "bn-ce", "conv-random", "direct-k1", "res-bptt"} {
		v := readVector(t, name)
		whole := v.run(t, Options{Untimed: true})
		for capacity := whole.OnChip.Capacity; capacity > 0; capacity -= whole.OnChip.Peak / 20 {
			hw := *paperHardware(t)
			hw.OnChip = capacity
			r, err := Run(v.program, &hw, Options{Tensors: v.in, Energy: testEnergy(t)})
			if errors.As(err, new(*tiling.TooSmall)) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if tensor := differ(whole.Tensors, r.Tensors); tensor != "" {
				t.Errorf("%s with %d bytes on chip: %s differs", name, capacity, tensor)
			}
			if r.OnChip.Peak > capacity {
				t.Errorf("%s: %d bytes on chip hold %d", name, capacity, r.OnChip.Peak)
			}
			if r.Counts.MemoryAccess() != whole.Counts.MemoryAccess() {
				t.Errorf("%s with %d bytes on chip: %d covered words, not %d", name, capacity, r.Counts.MemoryAccess(), whole.Counts.MemoryAccess())
			}
			if r.Words != whole.Words {
				refetched++
			}
		}
	}
	if refetched == 0 {
		t.Error("no buffer was so small that something was fetched again")
	}
}
