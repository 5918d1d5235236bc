package golden

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// drawing draws a random workload of what Table 2's notation cannot write.
type drawing struct {
	r    *rand.Rand
	text strings.Builder
	maps []drawnMap // of the input, then of layers
}

// drawnMap is what a layer makes.
type drawnMap struct{ channels, height, width int }

func (g *drawing) one(of ...string) string { return of[g.r.IntN(len(of))] }

// maybe returns a text once in so many times.
func (g *drawing) maybe(times int, text string) string {
	if g.r.IntN(times) > 0 {
		return ""
	}
	return text
}

func (g *drawing) neuron() string {
	keys := []string{fmt.Sprintf("leak: 0.%d", 5+g.r.IntN(5)), fmt.Sprintf("threshold: 0.%d", 2+g.r.IntN(3)), "surrogate_width: " + g.one("0.7", "1.3")}
	for _, k := range []string{
		"surrogate: " + g.one("triangle", "sigmoid", "atan", "fast-sigmoid"), "hard_reset: " + g.one("0", "0.1", "-0.05"), "synapse_leak: 0.5", "synapse_leak: 0.7, synapse_gain: 1.3", "input_gain: 0.75", "offset: " + g.one("0.03", "0.5", "-0.04"),
		"adaptation: {decay: 0.9, strength: 0.1}", "surrogate: " + g.one("triangle", "sigmoid", "atan", "fast-sigmoid"), "reset_gradient: false",
	} {
		if key, _, _ := strings.Cut(k, ":"); g.r.IntN(5) == 0 && !strings.Contains(strings.Join(keys, ""), key+":") {
			keys = append(keys, k)
		}
	}
	if !strings.Contains(strings.Join(keys, ""), "hard_reset") {
		keys = append(keys, "reset: "+g.one("0.2", "0.35"))
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// kernel draws a convolution from one map to a map of a size; out of 0 channels is
// not written.
func (g *drawing) kernel(from drawnMap, out, groups int, more string) (text string, made drawnMap) {
	for {
		side := func(size int) (k, s, d, p, made int) {
			k, s, d = 1+g.r.IntN(4), 1, 1
			if g.r.IntN(4) == 0 {
				s = 2 + g.r.IntN(2)
			}
			if g.r.IntN(4) == 0 {
				d = 2
			}
			p = g.r.IntN(d*(k-1) + 2)
			if reach := d*(k-1) + 1; size+2*p >= reach {
				made = (size+2*p-reach)/s + 1
			}
			return k, s, d, p, made
		}
		kh, sh, dh, ph, h := side(from.height)
		kw, sw, dw, pw, w := side(from.width)
		if h < 1 || w < 1 || h*w < 2 && from.height*from.width > 9 {
			continue
		}
		text = fmt.Sprintf("conv: {out: %d, kernel: [%d, %d], stride: [%d, %d], dilation: [%d, %d], padding: [%d, %d], groups: %d%s}", out, kh, kw, sh, sw, dh, dw, ph, pw, groups, more)
		return text, drawnMap{out, h, w}
	}
}

// same draws a convolution that keeps the size of a map.
func (g *drawing) same(channels int) string {
	out := ""
	if channels > 0 {
		out = fmt.Sprintf("out: %d, ", channels)
	}
	return fmt.Sprintf("conv: {%skernel: %s%s}", out, g.one("1", "3", "[3, 1]", "[1, 5]"), g.maybe(3, ", dilation: 2"))
}

// like returns the layers before l whose maps are as l's, the input among them.
func (g *drawing) like(m drawnMap) (names []string) {
	for i, other := range g.maps {
		if other == m {
			names = append(names, g.name(i))
		}
	}
	return names
}

func (g *drawing) name(i int) string {
	if i == 0 {
		return "input"
	}
	return fmt.Sprintf("l%d", i)
}

func (g *drawing) layer(event bool) {
	l := len(g.maps)
	at := l - 1
	if g.r.IntN(3) == 0 {
		at = g.r.IntN(l)
	}
	from := g.maps[at]
	channels := []int{2, 4, 6, 9, 12, 20}[g.r.IntN(6)]
	groups := 1
	if g.r.IntN(3) == 0 && from.channels%2 == 0 && channels%2 == 0 {
		groups = 2
	}
	bias := g.maybe(3, ", bias: true")
	var first string
	var made drawnMap
	if l > 1 && g.r.IntN(5) == 0 {
		first, made = fmt.Sprintf("fc: {out: %d%s}", channels, bias), drawnMap{channels, 1, 1}
	} else if g.r.IntN(4) == 0 && from.channels > 1 { // as large as what is read
		first, made = fmt.Sprintf("conv: {out: %d, kernel: 3%s}", from.channels, bias), from
	} else {
		first, made = g.kernel(from, channels, groups, bias)
	}
	delay := func(name string) string {
		if name == "input" && !event {
			return ""
		}
		return g.maybe(2, "delay: 1, ")
	}
	inputs := []string{fmt.Sprintf("{from: %s, %s%s}", g.name(at), g.maybe(3, delay(g.name(at))), first)}
	for _, name := range g.like(made) {
		if g.r.IntN(3) == 0 {
			inputs = append(inputs, fmt.Sprintf("{from: %s, %s%s}", name, delay(name), g.one("identity: true", g.same(made.channels))))
		}
	}
	if g.r.IntN(3) == 0 {
		own := "identity: true"
		switch {
		case made.height*made.width == 1 && g.r.IntN(2) == 0:
			own = "fc: {}"
		case g.r.IntN(2) == 0:
			own = g.same(0)
		}
		inputs = append(inputs, fmt.Sprintf("{from: self, delay: 1, %s}", own))
	}
	if last := len(inputs) - 1; last > 0 && g.r.IntN(3) == 0 && !strings.Contains(inputs[last], "self") && strings.Contains(inputs[last], "identity") {
		inputs[0], inputs[last] = inputs[last], inputs[0]
	}
	parts := []string{fmt.Sprintf("name: l%d", l), "inputs: [" + strings.Join(inputs, ", ") + "]"}
	if bias == "" && g.r.IntN(4) == 0 {
		parts = append(parts, "norm: batch")
	}
	if names := g.like(made); len(names) > 0 && g.r.IntN(2) == 0 {
		if name := names[g.r.IntN(len(names))]; name != "input" || event {
			parts = append(parts, "add: "+name)
		}
	}
	if g.r.IntN(2) == 0 {
		kind, window, stride, padding := g.one("fire", "average", "sum", "max"), 1+g.r.IntN(4), 1+g.r.IntN(4), g.r.IntN(2)
		size := func(n int) int { return (n+2*padding-window)/stride + 1 }
		if window <= made.height+2*padding && window <= made.width+2*padding && padding < window {
			parts = append(parts, fmt.Sprintf("pool: {kind: %s, window: %d, stride: %d, padding: %d}", kind, window, stride, padding))
			made = drawnMap{made.channels, size(made.height), size(made.width)}
		}
	}
	if g.r.IntN(3) == 0 {
		parts = append(parts, "neuron: "+g.neuron())
	}
	fmt.Fprintf(&g.text, "  - {%s}\n", strings.Join(parts, ", "))
	g.maps = append(g.maps, made)
}

// newGeneralTask draws one, with random parameters and input.
func newGeneralTask(t testing.TB, seed uint64) (v task, text string) {
	t.Helper()
	g := &drawing{r: rand.New(rand.NewPCG(seed, 23))}
	encoding := g.one("event", "event", "direct")
	in := drawnMap{1 + g.r.IntN(3), 2 + g.r.IntN(7), 2 + g.r.IntN(7)}
	g.maps = []drawnMap{in}
	steps := 6
	k := []int{1, 1, 2, 3, 6}[g.r.IntN(5)]
	fmt.Fprintf(&g.text, "input: {channels: %d, height: %d, width: %d, encoding: %s}\ntimesteps: %d\nbatch: %d\nlayers:\n", in.channels, in.height, in.width, encoding, steps, 1+g.r.IntN(4))
	for range 1 + g.r.IntN(5) {
		g.layer(encoding == "event")
	}
	fmt.Fprintf(&g.text, "  - fc: {out: %d}\nneuron: %s\n", 2+g.r.IntN(9), g.neuron())
	training := []string{"loss: " + g.one("mse", "ce"), "optimizer: " + g.one("sgd", "adam", "rmsprop"), "learning_rate: 0.01", "readout: " + g.one("spikes", "potential", "current")}
	if g.r.IntN(3) == 0 {
		training = append(training, "classifier: random")
	} else if g.r.IntN(2) == 0 {
		training = append(training, "classifier_bias: true")
	}
	var rule []string
	for _, choice := range []string{
		g.maybe(3, "update: iteration"), g.maybe(3, "feedback: "+g.one("direct", "direct-all")),
		g.maybe(3, fmt.Sprintf("backward_steps: %d", 1+g.r.IntN(k))), g.maybe(2, "trace: "+g.one("0.7", "leak")),
	} {
		if choice != "" && (k == 1 || !strings.HasPrefix(choice, "trace")) {
			rule = append(rule, choice)
		}
	}
	if len(rule) > 0 {
		training = append(training, "rule: {"+strings.Join(rule, ", ")+"}")
	}
	fmt.Fprintf(&g.text, "training: {%s}\n", strings.Join(training, ", "))
	text = g.text.String()
	w, err := network.Read([]byte(text), "random.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	v = task{workload: w, k: k, n: 1 + g.r.IntN(w.Net.N())}
	if blocks, err := w.Net.Blocks(v.n); err != nil || w.Training.Rule.Check(k, blocks) != nil {
		v.n = w.Net.N()
		w.Training.Rule.Feedback = network.Backprop
	}
	v.in = randomInput(t, v, g.r)
	return v, text
}

// randomInput draws parameters with which layers fire, frames and labels.
func randomInput(t testing.TB, v task, r *rand.Rand) *tensors.Input {
	t.Helper()
	w := v.workload
	trainer := newTrainerOrFail(t, w, v.k, v.n, Options{Seed: r.Uint64(), InitScale: 2.5, NoDropout: true})
	in := &tensors.Input{Parameters: *trainer.Parameters()}
	for _, biases := range [][][]float32{in.Biases, in.ClassifierBiases} {
		for _, values := range biases {
			for i := range values {
				values[i] = float32(r.NormFloat64() * 0.1)
			}
		}
	}
	for _, norm := range in.Norms {
		if norm == nil {
			continue
		}
		for _, values := range norm.Slices() {
			for i := range *values {
				(*values)[i] = 0.5 + r.Float32()
			}
		}
	}
	frames := w.Timesteps
	if in.Static = w.Net.Encoding == network.Direct; in.Static {
		frames = 1
	}
	in.X = make([]float32, frames*w.Batch*w.Net.Input.Size())
	for i := range in.X {
		switch x := r.Float32(); {
		case x < 0.6:
		case in.Static:
			in.X[i] = x
		default:
			in.X[i] = 1
		}
	}
	for range w.Batch {
		in.Y = append(in.Y, r.IntN(w.Net.Classes))
	}
	return in
}

// The trainer has the plain one's bits on random networks of any layers, neurons and
// rules: every gradient, weight, potential and count.
func TestAnyNetworkAndRuleEqualsThePlainTrainer(t *testing.T) {
	cases, spiking := uint64(400), 0
	if testing.Short() {
		cases = 100
	}
	for seed := range cases {
		v, text := newGeneralTask(t, seed)
		want := v.plainly(t)
		if want["spikes1"].Int64[0] > 0 {
			spiking++
		}
		mustEqual(t, v.run(t, 1+int(seed%3)), want)
		if t.Failed() {
			t.Fatalf("seed %d, (k, n) = (%d, %d):\n%s", seed, v.k, v.n, text)
		}
	}
	if spiking < int(cases)*9/10 {
		t.Errorf("only %d of %d networks spike", spiking, cases)
	}
}

// readTask is the task of a workload file's text.
func readTask(t testing.TB, text string, k, n int, seed uint64) task {
	t.Helper()
	w, err := network.Read([]byte(text), "task.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v := task{workload: w, k: k, n: n}
	v.in = randomInput(t, v, rand.New(rand.NewPCG(seed, 29)))
	return v
}

// What random networks seldom have.
func TestRareNetworksEqualThePlainTrainer(t *testing.T) {
	for name, text := range map[string]string{
		"counts that no byte holds": `
input: {channels: 2, height: 18, width: 18, encoding: event}
layers:
  - {conv: {out: 3, kernel: 3}, pool: {kind: sum, window: 17, stride: 1}, neuron: {offset: 0.3}}
  - {conv: {out: 4, kernel: 2}, pool: {kind: average, window: 1}}
  - fc: {out: 3}`,
		"a reader that only adds": `
input: {channels: 2, height: 4, width: 4, encoding: event}
layers:
  - {name: a, conv: {out: 4, kernel: 3}}
  - {name: b, inputs: [{from: a, identity: true}, {from: input, conv: {out: 4, kernel: 3}}, {from: self, delay: 1, conv: {kernel: 3}}]}
  - {add: a, inputs: [{from: input, conv: {out: 4, kernel: 5}}]}
  - fc: {out: 3}`,
		"windows side by side, of counts": `
input: {channels: 2, height: 9, width: 8, encoding: event}
layers:
  - {name: a, conv: {out: 5, kernel: 3}, pool: {kind: average, window: 2}}
  - {add: a, conv: {out: 5, kernel: 3}, pool: {kind: fire, window: 2}}
  - {conv: {out: 5, kernel: 1}, pool: {kind: max, window: 2}}
  - fc: {out: 3}`,
		"a reset that is constant": `
input: {channels: 2, height: 5, width: 5, encoding: event}
layers:
  - {conv: {out: 6, kernel: 3}, neuron: {reset_gradient: false}, pool: {kind: fire, window: 2}}
  - {fc: {out: 8}, neuron: {reset_gradient: false}}
  - fc: {out: 3}`,
		"groups, pass and learn": `
input: {channels: 4, height: 6, width: 6, encoding: direct}
layers:
  - conv: {out: 20, kernel: 3, groups: 4}
  - conv: {out: 40, kernel: 3, groups: 20, bias: true, stride: 2}
  - conv: {out: 12, kernel: [1, 3], groups: 2, dilation: 2}
  - fc: {out: 5}`,
	} {
		for seed, k := range []int{1, 2, 4} {
			text := text + "\ntimesteps: 4\nbatch: 3\nneuron: {threshold: 0.3, surrogate_width: 1.5}\n"
			w, err := network.Read([]byte(text), "task.yaml")
			if err != nil {
				t.Fatal(err)
			}
			v := readTask(t, text, k, w.Net.N(), uint64(seed))
			want := v.plainly(t)
			for i := range w.Net.N() {
				if spikes := fmt.Sprintf("spikes%d", i+1); want[spikes].Int64[0] == 0 {
					t.Errorf("%s, k = %d: %s is 0", name, k, spikes)
				}
			}
			mustEqual(t, v.run(t, 2), want)
			if t.Failed() {
				t.Fatalf("%s, k = %d", name, k)
			}
		}
	}
}

// Nothing of a batch is left when the next begins.
func TestABatchBeginsAnew(t *testing.T) {
	for seed := range uint64(60) {
		v, text := newGeneralTask(t, seed)
		trainer := newTrainerOrFail(t, v.workload, v.k, v.n, Options{NoDropout: true})
		var outs [2]tensors.Set
		for i := range outs {
			var err error
			if outs[i], err = trainer.RunTensors(v.in); err != nil {
				t.Fatal(err)
			}
			if _, err := trainer.Predict(v.in.Batch); err != nil {
				t.Fatal(err)
			}
		}
		if mustEqual(t, outs[1], outs[0]); t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
}

// Dropout on any network has the plain trainer's bits.
func TestDropoutOfAnyNetwork(t *testing.T) {
	for seed := range uint64(80) {
		v, text := newGeneralTask(t, seed)
		if holdDropout(t, v, seed); t.Failed() {
			t.Fatalf("seed %d, (k, n) = (%d, %d):\n%s", seed, v.k, v.n, text)
		}
	}
}

// Prediction is the forward pass: before the first update a training step predicts the
// same.
func TestPredictionIsTheForwardPass(t *testing.T) {
	compared := 0
	for seed := range uint64(200) {
		v, text := newGeneralTask(t, seed)
		if strings.Contains(text, "norm") || v.k != v.workload.Timesteps && !v.workload.Training.Rule.OnceAnIteration {
			continue
		}
		compared++
		trainer := newTrainerOrFail(t, v.workload, v.k, v.n, Options{NoDropout: true})
		trainer.SetParameters(&v.in.Parameters)
		predicted, err := trainer.Predict(v.in.Batch)
		if err != nil {
			t.Fatal(err)
		}
		trained, err := trainer.Train(v.in.Batch)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(predicted.Predictions) != fmt.Sprint(trained.Predictions) {
			t.Fatalf("seed %d: predicts %v, then %v in training\n%s", seed, predicted.Predictions, trained.Predictions, text)
		}
	}
	if compared < 30 {
		t.Errorf("%d networks only", compared)
	}
}

// When a network that was trained with dropout predicts, a spike counts 1-p for all who
// read it: it is as if their weights were smaller, exactly so for p = 1/2.
func TestSpikesCountLessWithDropout(t *testing.T) {
	v := readTask(t, `
input: {channels: 2, height: 8, width: 8, encoding: event}
timesteps: 6
batch: 3
layers:
  - {name: a, conv: {out: 6, kernel: 3}, pool: {kind: average, window: 2}, neuron: {threshold: 0.3}}
  - {add: a, inputs: [{conv: {out: 6, kernel: 3}}, {from: self, delay: 1, conv: {kernel: 3}}, {from: a, delay: 1, conv: {out: 6, kernel: 1}}]}
  - {conv: {out: 9, kernel: 3}, pool: {kind: max, window: 3, stride: 2, padding: 1}}
  - {conv: {out: 9, kernel: 1}, pool: {kind: average, window: 2}}
  - fc: {out: 4}
neuron: {threshold: 0.2}
`, 3, 4, 1)
	dropped := *v.workload
	dropped.Dropout = 0.5
	one, other := newTrainerOrFail(t, &dropped, 3, 4, Options{}), newTrainerOrFail(t, v.workload, 3, 4, Options{})
	one.SetParameters(&v.in.Parameters)
	for _, lists := range [][][]float32{v.in.Weights[1:], v.in.Classifiers} {
		for _, weights := range lists {
			for i := range weights {
				weights[i] /= 2
			}
		}
	}
	other.SetParameters(&v.in.Parameters)
	for _, trainer := range []*Trainer{one, other} {
		if _, err := trainer.Predict(v.in.Batch); err != nil {
			t.Fatal(err)
		}
	}
	for l := range 4 {
		sameBits(t, fmt.Sprintf("u%d", l+1), one.Potentials(l+1), other.Potentials(l+1))
		if one.layers[l].spikes[0] == 0 || total(one.layers[l].spikes) != total(other.layers[l].spikes) {
			t.Errorf("layer %d emits %v spikes and %v", l+1, one.layers[l].spikes, other.layers[l].spikes)
		}
	}
	sameBits(t, "uc1", one.ClassifierPotentials(1), other.ClassifierPotentials(1))
}

// The published cases of general networks, whose gradients came from automatic
// differentiation.
func TestGeneralVectorsOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectortest.General(t) {
		t.Run(name, func(t *testing.T) {
			v := vector{vectortest.Read(t, name)}
			_, _, got := v.run(t, Options{})
			v.Hold(t, got)
		})
	}
}

// What the trainer cannot do or hold it refuses in words.
func TestWhatTheTrainerCannotDoIsRefused(t *testing.T) {
	for want, c := range map[string]struct {
		layers string
		change func(w *network.Workload)
	}{
		"an inference learns nothing": {"4FC-2FC", func(w *network.Workload) { w.Training.Rule.Inference = true }},
		"a trace needs k = 1":         {"4FC-2FC", func(w *network.Workload) { w.Training.Rule.Trace = network.LeakTrace }},
		"a feature map of 1x65536x65536 with values up to 1 is too large for the trainer": {"1C1-1AP32768-2FC", func(*network.Workload) {}},
	} {
		size := 4
		if strings.Contains(want, "65536") {
			size = 65536
		}
		text := fmt.Sprintf("input: {channels: 1, height: %d, width: %d, encoding: event}\ntimesteps: 2\nbatch: 1\nlayers: %s\n", size, size, c.layers)
		w, err := network.Read([]byte(text), "task.yaml")
		if err != nil {
			t.Fatal(err)
		}
		c.change(w)
		if _, err := New(w, 2, 1, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
