package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Shapes and weights of the published cases, by hand from their texts.
func TestListsOfLayersHaveTheseShapes(t *testing.T) {
	for name, want := range map[string]string{
		"g-alif":      "2x8x8>4x8x8 W72; 4x8x8>6x8x8 W216 fire>6x4x4; 6x4x4>12x1x1 W1152",
		"g-groups":    "2x8x8>4x8x8 W72 b; 4x8x8>8x8x8 W72; 8x8x8>6x8x8 W48 b; 6x8x8>10x1x1 W3840 b",
		"g-shapes":    "2x9x7>4x5x7 W24; 4x5x7>5x5x7 W180; 5x5x7>4x5x4 W60",
		"g-pools":     "2x12x12>4x12x12 W72 max>4x6x6; 4x6x6>5x6x6 W180 average>5x6x6 /9; 5x6x6>6x6x6 W270 sum>6x3x3",
		"g-recurrent": "12x1x1>14x1x1 14x1x1>14x1x1@0 W364; 14x1x1>9x1x1 W126",
		"g-membrane":  "2x8x8>4x8x8 W72; 4x8x8>4x8x8 4x8x8=@1 W144; 4x8x8>6x4x4 4x8x8>6x4x4 W240",
		"g-delay":     "2x6x6>4x6x6 W72; 4x6x6>5x6x6 W180; 5x6x6>4x6x6 4x6x6=@1 4x6x6>4x6x6@0 W196",
	} {
		w := readGeneral(t, name)
		if got := shapes(w.Net); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// Where the input's height is 1, one number is the width's: the height's kernel and
// stride are 1, its padding 0. Weights by hand: 4*6*3 + 6*6*3, 6*6*5, 6*6*3.
func TestOneNumberIsTheWidthsOnARow(t *testing.T) {
	const head = "input: {channels: 4, height: 1, width: 20, encoding: event}\ntimesteps: 4\nlayers:\n"
	w := read(t, head+`
  - inputs: [{conv: {out: 6, kernel: 3}}, {from: self, delay: 1, conv: {kernel: 3}}]
    pool: {kind: max, window: 2}
  - {conv: {out: 6, kernel: 5, stride: 2, dilation: 2, padding: 4}}
  - {fc: {out: 6}}
  - inputs: [{fc: {out: 6}}, {from: self, delay: 1, conv: {kernel: 3}}]
  - fc: {out: 5}
`)
	const want = "4x1x20>6x1x20 6x1x20>6x1x20@0 W180 max>6x1x10; 6x1x10>6x1x5 W180; 6x1x5>6x1x1 W180; 6x1x1>6x1x1 6x1x1>6x1x1@0 W144"
	if got := shapes(w.Net); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	square := read(t, strings.Replace(head, "height: 1,", "height: 2,", 1)+`
  - inputs: [{conv: {out: 6, kernel: 3}}, {from: self, delay: 1, conv: {kernel: 3}}]
  - fc: {out: 5}
`)
	if got, want := shapes(square.Net), "4x2x20>6x2x20 6x2x20>6x2x20@0 W540"; got != want { // 4*6*9 + 6*6*9
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func readGeneral(t *testing.T, name string) *Workload {
	t.Helper()
	path := filepath.Join("..", "testdata", "vectors", "general", name+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Read(text, path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// shapes prints each layer's projections, weights and pooling: > with weights, =
// without, @ the steps ago.
func shapes(n *Network) string {
	var layers []string
	for i := range n.Layers {
		l := &n.Layers[i]
		var parts []string
		for _, p := range l.Inputs {
			s := p.In.String()
			if p.Weighted() {
				s += ">" + l.Out.String()
			} else {
				s += "="
			}
			switch {
			case p.Delay > 0 && p.From == l.Index:
				s += "@0"
			case p.Delay > 0 || !p.Weighted():
				s += "@1"
			}
			parts = append(parts, s)
		}
		parts = append(parts, fmt.Sprintf("W%d", l.Weights()))
		if l.Bias {
			parts = append(parts, "b")
		}
		if l.HasPool() {
			parts = append(parts, string(l.Pool.Kind)+">"+l.Pooled.String())
		}
		if l.Scale > 1 {
			parts = append(parts, "/9")
		}
		layers = append(layers, strings.Join(parts, " "))
	}
	return strings.Join(layers, "; ")
}

func TestEveryPublishedCaseIsRead(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "vectors", "general", "*.yaml"))
	if len(files) != 21 {
		t.Fatalf("%d cases, want 21", len(files))
	}
	for _, file := range files {
		readGeneral(t, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
}

// Table 2's notation is a short form of a list.
func TestANotationIsAListOfLayers(t *testing.T) {
	const head = "input: {channels: 2, height: 8, width: 8, encoding: event}\ntimesteps: 4\nlayers: "
	short := read(t, head+"3C3-BN-3AP2-4RB-10FC\n")
	long := read(t, head+`
  - {conv: {out: 3, kernel: 3}, norm: batch, pool: {kind: fire, window: 2}, name: stem}
  - {conv: {out: 4, kernel: 3, stride: 2}, unit: residual block 1}
  - {conv: {out: 4, kernel: 3}, unit: residual block 1, name: second}
  - {from: stem, conv: {out: 4, kernel: 1, stride: 2}, add: second, unit: residual block 1}
  - fc: {out: 10}
`)
	for i := range long.Net.Layers {
		long.Net.Layers[i].Name = ""
	}
	if diff := cmp.Diff(short.Net.Layers, long.Net.Layers); diff != "" {
		t.Error(diff)
	}
	for n := 1; n <= 4; n++ {
		a, _ := short.Net.Blocks(n)
		b, _ := long.Net.Blocks(n)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("n = %d: %s", n, diff)
		}
	}
}

func TestWhatAListRefuses(t *testing.T) {
	const head = "input: {channels: 2, height: 8, width: 8, encoding: event}\ntimesteps: 4\nlayers:\n"
	const tail = "  - fc: {out: 10}\n"
	for _, c := range []struct{ entries, want string }{
		{"  - {conv: {out: 3, kernel: 3}, colour: 1}\n" + tail, "w.yaml:4: layers[0].colour: is not a key; there are"},
		{"  - {conv: {out: 3}}\n" + tail, "w.yaml:4: layers[0].conv: has no kernel"},
		{"  - {conv: {out: 3, kernel: 3, groups: 3}}\n" + tail, "has 3 groups, which do not divide its 2 input and 3 output channels"},
		{"  - {conv: {out: 3, kernel: 11, padding: 0}}\n" + tail, "larger than its input 2x8x8"},
		{"  - {conv: {out: 3, kernel: 3}, fc: {out: 3}}\n" + tail, "has 2 kinds of projection"},
		{"  - {norm: batch}\n" + tail, "has 0 kinds of projection"},
		{"  - {from: late, conv: {out: 3, kernel: 3}}\n  - {name: late, fc: {out: 3}}\n" + tail, `"late" is no layer before this one; there are input, self`},
		{"  - {name: a, conv: {out: 3, kernel: 3}}\n  - {name: a, fc: {out: 3}}\n" + tail, `"a" is taken`},
		{"  - {inputs: [{conv: {out: 3, kernel: 3}}, {from: self, conv: {kernel: 3}}]}\n" + tail, "reads its own spikes without a delay"},
		{"  - {inputs: [{from: self, delay: 1, conv: {kernel: 3}}, {conv: {out: 3, kernel: 3}}]}\n" + tail, "begins with its own spikes"},
		{"  - {inputs: [{conv: {out: 3, kernel: 3}}, {conv: {out: 4, kernel: 3}}]}\n" + tail, "different shapes: 3x8x8 and 4x8x8"},
		{"  - {name: a, conv: {out: 3, kernel: 3}}\n  - {conv: {out: 4, kernel: 3}, add: a}\n" + tail, "adds an output of 3x8x8 to spikes of 4x8x8"},
		{"  - {conv: {out: 3, kernel: 3, bias: true}, norm: batch}\n" + tail, "has a bias and batch norm"},
		{"  - {conv: {out: 3, kernel: 3, bias: maybe}}\n" + tail, "w.yaml:4: layers[0].conv.bias: is neither true nor false"},
		{"  - {conv: {out: 3, kernel: [3, 3, 3]}}\n" + tail, "has 3 sizes; write one, or [height, width]"},
		{"  - {conv: {out: 3, kernel: 3}, pool: {kind: median, window: 2}}\n" + tail, `"median"; write fire, average, sum, max`},
		{"  - {conv: {out: 3, kernel: 3}, pool: {kind: max, window: 20}}\n" + tail, "has a 20x20 window, larger than its input 3x8x8"},
		{"  - {conv: {out: 3, kernel: 3}, pool: {kind: max, window: 2, padding: 2}}\n" + tail, "is as large as the window"},
		{"  - {conv: {out: 3, kernel: 3}, neuron: {reset: 1, hard_reset: 0}}\n" + tail, "and reset are both given"},
		{"  - {conv: {out: 3, kernel: 3}, neuron: {surrogate: atam}}\n" + tail, `"atam" (did you mean "atan"?)`},
		{"  - {conv: {out: 3, kernel: 3}, neuron: {synapse_gain: 1}}\n" + tail, "needs a synapse_leak"},
		{"  - {conv: {out: 3, kernel: 3}, neuron: {leak: 2}}\n" + tail, "w.yaml:4: layers[0].neuron.leak"},
		{"  - {inputs: [{identity: true}]}\n" + tail, "has no weights"},
		{"  - {conv: {out: 3, kernel: 3}}\n  - {fc: {out: 10, bias: true}}\n", "is the last layer: the classifier"},
		{"  - {conv: {out: 3, kernel: 3}}\n  - {fc: {}}\n", "is the classifier and has no out"},
		{"  - {fc: {}}\n" + tail, "has an fc without out"},
		{"  - {conv: {out: 3, kernel: 3, padding: 4100}, pool: {kind: sum, window: 4100}}\n" + tail, "counts of more than 16777216 are not exact"},
		{tail, "no trainable layer"},
		{"  []\n", "is empty"},
	} {
		_, err := Read([]byte(head+c.entries), "w.yaml")
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "w.yaml:4: layers[0] ", "layers[0] "), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.entries, err, c.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q has several lines", err)
		}
	}
}

func TestADelayOfADirectInputIsRefused(t *testing.T) {
	const text = "input: {channels: 2, height: 8, width: 8, encoding: %s}\ntimesteps: 4\nlayers:\n" +
		"  - {inputs: [{fc: {out: 3}}, {from: input, delay: 1, fc: {out: 3}}]}\n  - fc: {out: 10}\n"
	if _, err := Read(fmt.Appendf(nil, text, Direct), "w.yaml"); err == nil || !strings.Contains(err.Error(), "over a delay") {
		t.Errorf("direct: %v", err)
	}
	if _, err := Read(fmt.Appendf(nil, text, Event), "w.yaml"); err != nil {
		t.Errorf("event: %v", err)
	}
}

func FuzzList(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "vectors", "general", "*.yaml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Read([]byte(text), "w.yaml")
		if err != nil {
			return
		}
		for i := range w.Net.Layers {
			l := &w.Net.Layers[i]
			if l.Out.Size() < 1 || l.Pooled.Size() < 1 || l.Weights() < 1 || l.MaxValue < 1 || l.Scale < 1 {
				t.Errorf("layer %d: %+v", i+1, l)
			}
		}
		if _, err := w.Net.Blocks(w.Net.N()); err != nil {
			t.Error(err)
		}
	})
}

func TestParametersOfNeuronsMayBeArrays(t *testing.T) {
	const head = "input: {channels: 2, height: 4, width: 4, encoding: event}\ntimesteps: 2\n"
	w, err := Read([]byte(head+"layers: [{conv: {out: 3, kernel: 3}, neuron: {leak: array, synapse_leak: array, hard_reset: array, threshold: 0.25}}, {fc: {out: 2}}]\n"), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := w.NeuronOf(w.Net.Layer(1))
	if got := fmt.Sprint(n.Arrays.List()); got != "[leak hard_reset synapse_leak]" || n.Threshold != 0.25 || !n.HardReset || !n.Synapse || n.IsPaper() {
		t.Errorf("%s, %+v", got, n)
	}
	for _, c := range []struct{ text, want string }{
		{"neuron: {leak: array}\nlayers: 4C3-2FC\n", "w.yaml:3: neuron.leak: is array: classifiers have the file's neuron"},
		{"layers: [{conv: {out: 3, kernel: 3}, neuron: {reset: array}, pool: {kind: fire, window: 2}}, {fc: {out: 2}}]\n", "has neurons that differ (reset is array) and pooling neurons"},
		{"training: {rule: {trace: leak}}\nlayers: [{fc: {out: 3}, neuron: {leak: array}}, {fc: {out: 2}}]\n", "the leak of layer 1's neurons differs"},
		{"layers: [{fc: {out: 3}, neuron: {surrogate_width: array}}, {fc: {out: 2}}]\n", "layers[0].neuron.surrogate_width: is not a number"},
		{"layers: [{fc: {out: 3}, neuron: {leak: arrays}}, {fc: {out: 2}}]\n", "layers[0].neuron.leak: is not a number"},
		{"layers: [{fc: {out: 3}, neuron: {reset: array, hard_reset: 0}}, {fc: {out: 2}}]\n", "and reset are both given"},
	} {
		if _, err := Read([]byte(head+c.text), "w.yaml"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
