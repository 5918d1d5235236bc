package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// chain is a reference of one local block of fully connected layers, trained by any
// rule in fixed point: every value in a map by layer and step, no machine. Layer 0 is
// the input, the last one the classifier. Its arithmetic is the units' of package
// fixed, which the RTL equals; its loops are its own.
type chain struct {
	*fixed.Datapath
	rule           network.Rule
	batch, k       int
	sizes          []int
	w, v, dw       [][]int64 // [layer][input * outputs + output]
	fb             [][]int64 // [layer][neuron * classes + class]
	u, trace, late [][]int64 // [layer][sample * neurons + neuron]: the newest u; of what the layer reads; gamma of the step after
}

func newChain(w *network.Workload, in *tensors.Input, d *fixed.Datapath, k int) *chain {
	c := &chain{Datapath: d, rule: w.Training.Rule, batch: w.Batch, k: k, sizes: []int{w.Net.Input.Size()}}
	for i := range w.Net.Layers {
		c.sizes = append(c.sizes, w.Net.Layers[i].Out.Size())
	}
	c.sizes = append(c.sizes, w.Net.Classes)
	none := []int64{}
	c.w, c.v, c.dw, c.fb, c.u, c.trace, c.late = [][]int64{none}, [][]int64{none}, [][]int64{none}, [][]int64{none}, [][]int64{none}, [][]int64{none}, [][]int64{none}
	matrix := func(values []float32, from, to int) []int64 { // files have [output][input]
		list := make([]int64, from*to)
		for i := range from {
			for o := range to {
				list[i*to+o] = d.Weight.Encode(float64(values[o*from+i]))
			}
		}
		return list
	}
	for l := 1; l < len(c.sizes); l++ {
		from, to := c.sizes[l-1], c.sizes[l]
		values := in.Classifiers[0]
		if l < len(c.sizes)-1 {
			values = in.Weights[l-1]
		}
		c.w = append(c.w, matrix(values, from, to))
		c.v, c.dw = append(c.v, make([]int64, from*to)), append(c.dw, make([]int64, from*to))
		c.u, c.trace, c.late = append(c.u, make([]int64, c.batch*to)), append(c.trace, make([]int64, c.batch*from)), append(c.late, make([]int64, c.batch*to))
		var fb []int64
		if l < len(c.sizes)-1 && len(in.Feedback) > 0 && in.Feedback[l-1] != nil {
			fb = matrix(in.Feedback[l-1], to, w.Net.Classes)
		}
		c.fb = append(c.fb, fb)
	}
	return c
}

// stepStates are what an interval's backward pass takes of a step: inputs of layers, or
// their traces, and potentials.
type stepStates struct{ read, u [][]int64 }

func (c *chain) interval(frames [][]int64, labels []int, last bool) {
	top := len(c.sizes) - 1
	steps := make([]stepStates, c.k)
	counts := make([]int64, c.batch*c.sizes[top])
	for t := range steps {
		x := frames[t]
		steps[t] = stepStates{make([][]int64, top+1), make([][]int64, top+1)}
		for l := 1; l <= top; l++ {
			steps[t].read[l] = x
			from, to := c.sizes[l-1], c.sizes[l]
			next := make([]int64, c.batch*to)
			u := make([]int64, c.batch*to)
			for at := range u {
				sample, o := at/to, at%to
				var sum int64
				for i := range from {
					sum += x[sample*from+i] * c.w[l][i*to+o]
				}
				var fires bool
				if u[at], fires = c.LIF(c.u[l][at], sum); fires {
					next[at] = 1
				}
			}
			c.u[l], steps[t].u[l], x = u, u, next
		}
		for i, s := range x {
			counts[i] += s
		}
	}
	delta := make([]int64, len(counts))
	for i, n := range counts {
		delta[i] = c.OutputError(n, labels[i/c.sizes[top]] == i%c.sizes[top])
	}
	first := c.k - c.rule.Backward(c.k)
	for t := c.k - 1; t >= first; t-- {
		c.backward(steps[t], delta, t == c.k-1)
	}
	if c.rule.OnceAnIteration && !last {
		return
	}
	for l := 1; l <= top; l++ {
		for i := range c.w[l] {
			c.w[l][i], c.v[l][i] = c.Update(c.w[l][i], c.v[l][i], c.dw[l][i])
		}
		clear(c.dw[l])
	}
}

// backward is one step, from the classifier down.
func (c *chain) backward(s stepStates, delta []int64, end bool) {
	top := len(c.sizes) - 1
	gammas := make([][]int64, top+1)
	for l := top; l >= 1; l-- {
		from, to := c.sizes[l-1], c.sizes[l]
		gammas[l] = make([]int64, c.batch*to)
		for at := range gammas[l] {
			sample, o := at/to, at%to
			var spatial int64
			switch fed := l < top && (c.rule.Feedback == network.DirectToAll || c.rule.Feedback == network.DirectFeedback && l < top-1); {
			case l == top:
				spatial = c.Lift(delta[at])
			case fed:
				classes := c.sizes[top]
				for i := range classes {
					spatial += gammas[top][sample*classes+i] * c.fb[l][o*classes+i]
				}
			default:
				above := c.sizes[l+1]
				for i := range above {
					spatial += gammas[l+1][sample*above+i] * c.w[l+1][o*above+i]
				}
			}
			var later int64
			if !end {
				spatial, later = c.Temporal(spatial, c.late[l][at])
				spatial = c.Lift(spatial)
			}
			_, gammas[l][at] = c.Spatial(spatial, later, c.Window(s.u[l][at]))
		}
		read, fraction := s.read[l], 0
		if c.rule.Trace != network.NoTrace {
			for i, x := range read {
				c.trace[l][i] = c.Trace(c.trace[l][i], x<<c.Potential.Fraction)
			}
			read, fraction = c.trace[l], c.Potential.Fraction
		}
		for i := range from {
			for o := range to {
				if end && !c.rule.OnceAnIteration {
					c.dw[l][i*to+o] = 0
				}
				for sample := range c.batch {
					register := gammas[l][sample*to+o] * read[sample*from+i]
					c.dw[l][i*to+o] = c.Accumulate(c.dw[l][i*to+o], fixed.Round(register, fraction))
				}
			}
		}
	}
	c.late = gammas
}

// The machine in fixed point gives, by any rule and in a layer buffer of any size, the
// reference's weights, bit for bit.
func TestFixedPointOfAnyRule(t *testing.T) {
	moved, tiled := 0, 0
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 41))
		k := []int{1, 2, 3}[r.IntN(3)]
		rule := ""
		for _, choice := range []string{"update: iteration, ", "trace: leak, ", "trace: 0.5, ", "feedback: direct, ", "feedback: direct-all, ", fmt.Sprintf("backward_steps: %d, ", 1+r.IntN(k))} {
			taken := map[string]bool{"trace: 0.5, ": k > 1 || len(rule) > 0 && rule[len(rule)-6:] == "leak, ", "trace: leak, ": k > 1}
			if r.IntN(3) == 0 && !taken[choice] && !(choice == "feedback: direct-all, " && len(rule) > 8 && rule[len(rule)-8:] == "direct, ") {
				rule += choice
			}
		}
		text := fmt.Sprintf(`
input: {channels: %d, height: 1, width: 1, encoding: event}
layers: %dFC-%dFC-3FC
timesteps: 6
batch: %d
neuron: {leak: 0.75, reset: 0.25, threshold: 0.25, surrogate_width: 2}
training: {loss: mse, learning_rate: 0.5, momentum: 0.5, rule: {%s}}
`, 2+r.IntN(5), 2+r.IntN(4), 2+r.IntN(4), 1+r.IntN(3), rule)
		w, err := network.Read([]byte(text), "chain.yaml")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		p, err := schedule.New(w, k, 2, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		in := randomInput(w, p.Blocks, seed)
		for i := range w.Net.Layers {
			var fb []float32
			if p.FedBack(i + 1) {
				for range w.Net.Layers[i].Out.Size() * w.Net.Classes {
					fb = append(fb, float32(r.Float64()-0.5))
				}
			}
			in.Feedback = append(in.Feedback, fb)
		}
		formats, err := fixed.ParseFormats("w=q2.10,u=q4.8,e=q4.10,g=q6.10")
		if err != nil {
			t.Fatal(err)
		}
		d, err := fixed.New(w, k, formats)
		if err != nil {
			t.Fatal(err)
		}
		c := newChain(w, in, d, k)
		frame := w.Batch * c.sizes[0]
		for first := 0; first < w.Timesteps; first += k {
			frames := make([][]int64, k)
			for step := range frames {
				for _, x := range in.X[(first+step)*frame:][:frame] {
					frames[step] = append(frames[step], int64(x))
				}
			}
			c.interval(frames, in.Y, first+k == w.Timesteps)
		}
		for _, capacity := range []units.Bytes{0, units.WordBytes} {
			hw := *paperHardware(t)
			hw.OnChip = capacity
			result, err := Run(p, &hw, Options{Untimed: true, Tensors: in, Datapath: d})
			var small *tiling.TooSmall
			if errors.As(err, &small) {
				hw.OnChip = small.Needs
				result, err = Run(p, &hw, Options{Untimed: true, Tensors: in, Datapath: d})
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if result.Steps > p.Steps() {
				tiled++
			}
			for l := 1; l < len(c.sizes); l++ {
				name := fmt.Sprint("w", l)
				if l == len(c.sizes)-1 {
					name = "wc1"
				}
				from, to := c.sizes[l-1], c.sizes[l]
				for i := range from {
					for o := range to {
						want := d.Weight.Value(c.w[l][i*to+o])
						if got := result.Tensors[name].At(o*from + i); got != want {
							t.Fatalf("seed %d, k = %d, %d bytes: %s[%d, %d] is %v on the machine, %v in the reference\n%s", seed, k, hw.OnChip, name, o, i, got, want, text)
						}
						if before := float64(weightBefore(in, l, o*from+i)); want != d.Weight.Value(d.Weight.Encode(before)) {
							moved++
						}
					}
				}
			}
		}
	}
	if moved < 2000 || tiled < 60 {
		t.Errorf("%d weights moved, %d runs were cut: the test shows little", moved, tiled)
	}
}

// weightBefore is a weight before training.
func weightBefore(in *tensors.Input, l, at int) float32 {
	if l <= len(in.Weights) {
		return in.Weights[l-1][at]
	}
	return in.Classifiers[0][at]
}
