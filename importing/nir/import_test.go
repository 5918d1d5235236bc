package nir

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/internal/hdf5"
	"github.com/accelsim-dev/accelsim/network"
)

var update = flag.Bool("update", false, "rewrite the workload files in testdata")

const files = "../../testdata/nir/"

// cases are the files of the NIR project, as they are to be read.
var cases = map[string]Options{
	"cnn_sinabs":                         {Timesteps: 20, Reset: FileReset},
	"braille_noDelay_noBias_subtract":    {Timesteps: 60, Step: 1e-4, Reset: SubtractReset},
	"braille_noDelay_bias_zero_subgraph": {Timesteps: 60, Step: 1e-4, Reset: FileReset},
}

// bring imports a case.
func bring(t testing.TB, name string) (*Graph, *Imported, Options) {
	t.Helper()
	o := cases[name]
	o.Name, o.Encoding = name, network.Event
	g, err := Open(files + name + ".nir")
	if err != nil {
		t.Fatal(err)
	}
	imported, err := g.Import(o)
	if err != nil {
		t.Fatal(err)
	}
	return g, imported, o
}

func TestFilesOfTheProjectBecomeWorkloads(t *testing.T) {
	for name := range cases {
		_, got, _ := bring(t, name)
		file := "testdata/" + name + ".yaml"
		if *update {
			if err := os.WriteFile(file, got.YAML, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got.YAML)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What NETWORKS.md's equations make of the Braille file's numbers, which are float32
// that were widened: tau_mem 1/1500 s, tau_syn 0.0004 s, r 20/3, w_in 4, v_threshold 1.
func TestNeuronsAreForwardEuler(t *testing.T) {
	_, got, _ := bring(t, "braille_noDelay_noBias_subtract")
	n := got.Workload.NeuronOf(got.Workload.Net.Layer(1))
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"leak", n.Leak, 0.85},
		{"input_gain", n.Gain(), 1},
		{"offset", n.Offset, 0},
		{"synapse_leak", n.SynapseLeak, 0.75},
		{"synapse_gain", n.SynapseGain, 1},
		{"reset", n.Reset, 0.85},
		{"threshold", n.Threshold, 1 + 1.0/(1<<23)},
	} {
		if math.Abs(c.got-c.want) > 1e-7 || c.name == "threshold" && c.got != c.want {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if !n.Synapse || n.HardReset {
		t.Error("a CubaLIF neuron with --reset subtract has a synapse and a soft reset")
	}
}

// h5py and NumPy read both files.
func TestWeightsAreThoseThatH5pyReads(t *testing.T) {
	python := needH5py(t)
	for name := range cases {
		_, got, _ := bring(t, name)
		npz := filepath.Join(t.TempDir(), "weights.npz")
		if err := got.Weights.WriteFile(npz); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "testdata/weights.py", files+name+".nir", npz).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// needH5py returns a Python with h5py, or skips the test.
func needH5py(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import h5py, numpy").Run() == nil {
			return python
		}
	}
	t.Skip("no python3 with h5py")
	return ""
}

func TestASingleNeuronHasNoLayerToTrain(t *testing.T) {
	g, err := Open(files + "lif_norse.nir")
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Import(Options{Name: "x", Timesteps: 1, Encoding: network.Event, Reset: FileReset})
	if err == nil || !strings.Contains(err.Error(), "N = 0 layers are left to train") {
		t.Error(err)
	}
}

// sketch is a graph in a few words: nodes with their parameters, and edges.
type sketch struct {
	nodes map[string]*hdf5.Group
	edges []string
}

func node(kind string, values map[string]*hdf5.Dataset) *hdf5.Group {
	g := hdf5.NewGroup()
	for name, d := range values {
		g.Datasets[name] = d
	}
	g.Datasets["type"] = hdf5.Strings([]string{kind})
	return g
}

func ends0(kind string, shape ...int) *hdf5.Group {
	return node(kind, map[string]*hdf5.Dataset{"shape": hdf5.Integers(shape, len(shape))})
}

// weight has value i at place i.
func weight(shape ...int) *hdf5.Dataset {
	n := 1
	for _, extent := range shape {
		n *= extent
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	return hdf5.Floats(values, shape...)
}

func linear(out, in int) *hdf5.Group {
	return node("Linear", map[string]*hdf5.Dataset{"weight": weight(out, in)})
}

func affine(out, in int) *hdf5.Group {
	return node("Affine", map[string]*hdf5.Dataset{"weight": weight(out, in), "bias": weight(out)})
}

func spiking(n int, threshold float64) *hdf5.Group {
	r, v := make([]float64, n), make([]float64, n)
	for i := range r {
		r[i], v[i] = 1, threshold
	}
	return node("IF", map[string]*hdf5.Dataset{"r": hdf5.Doubles(r, n), "v_threshold": hdf5.Doubles(v, n)})
}

// chain is input, two layers of 3 and 2 neurons, output.
func chain() *sketch {
	return &sketch{
		nodes: map[string]*hdf5.Group{
			"in": ends0("Input", 4), "out": ends0("Output", 2),
			"w1": linear(3, 4), "s1": spiking(3, 1), "w2": affine(2, 3), "s2": spiking(2, 1),
		},
		edges: strings.Fields("in w1 w1 s1 s1 w2 w2 s2 s2 out"),
	}
}

func (s *sketch) group() *hdf5.Group {
	g := hdf5.NewGroup()
	g.Datasets["type"] = hdf5.Strings([]string{"NIRGraph"})
	g.Datasets["edges"] = hdf5.Strings(s.edges, len(s.edges)/2, 2)
	g.Groups["nodes"] = hdf5.NewGroup()
	for name, n := range s.nodes {
		g.Groups["nodes"].Groups[name] = n
	}
	return g
}

func (s *sketch) file() *hdf5.Group {
	root := hdf5.NewGroup()
	root.Groups["node"] = s.group()
	return root
}

func (s *sketch) bring(o Options) (*Imported, error) {
	g, err := Read(s.file())
	if err != nil {
		return nil, err
	}
	o.Name, o.Timesteps, o.Encoding = "sketch", 4, network.Event
	if o.Reset == "" {
		o.Reset = FileReset
	}
	return g.Import(o)
}

// Edges that meet are inputs that are added; of neurons that loop, recurrence; a Delay
// of a step is one.
func TestEdgesMeetAndLoop(t *testing.T) {
	s := chain()
	s.nodes["w3"], s.nodes["s3"], s.nodes["wr"] = linear(3, 3), spiking(3, 2), affine(3, 3)
	s.nodes["late"] = node("Delay", map[string]*hdf5.Dataset{"delay": hdf5.Doubles([]float64{1}, 1)})
	s.nodes["w4"] = linear(3, 4)
	s.edges = strings.Fields("in w1 w1 s1 s1 w3 w3 s3 s1 s3 s3 wr wr s3 in late late w4 w4 s3 s3 w2 w2 s2 s2 out")
	got, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `# From the NIR file sketch: dt 1, reset file.
name: "sketch"
input: {channels: 4, height: 1, width: 1, encoding: event}
timesteps: 4
neuron: {leak: 1, threshold: 1.0000001192092896, hard_reset: 0}
training: {classifier_bias: true}
layers:
  - name: "s1"
    fc: {out: 3}
  - name: "s3"
    inputs:
      - {from: input, delay: 1, fc: {out: 3}}
      - {identity: true}
      - {fc: {out: 3}}
      - {from: self, delay: 1, fc: {out: 3, bias: true}}
    neuron: {threshold: 2.000000238418579}
  - fc: {out: 2}
`
	if diff := cmp.Diff(want, string(got.YAML)); diff != "" {
		t.Error(diff)
	}
	if names := fmt.Sprint(got.Weights.Names()); names != "[b2 bc1 w1 w2_1 w2_2 w2_3 wc1]" {
		t.Error(names)
	}
	if w := got.Weights["w2_1"].Shape; fmt.Sprint(w) != "[3 4]" {
		t.Errorf("w2_1, of the delayed input, has shape %v", w)
	}
}

// Graphs in graphs are flattened, whatever their depth.
func TestGraphsInGraphsAreFlattened(t *testing.T) {
	flat, err := chain().bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := chain()
	inner := &sketch{
		nodes: map[string]*hdf5.Group{"a": ends0("Input", 4), "w": s.nodes["w1"], "s1": s.nodes["s1"], "b": ends0("Output", 3)},
		edges: strings.Fields("a w w s1 s1 b"),
	}
	middle := &sketch{
		nodes: map[string]*hdf5.Group{"a": ends0("Input", 4), "g": inner.group(), "b": ends0("Output", 3)},
		edges: strings.Fields("a g g b"),
	}
	delete(s.nodes, "w1")
	delete(s.nodes, "s1")
	s.nodes["m"] = middle.group()
	s.edges = strings.Fields("in m m w2 w2 s2 s2 out")
	deep, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(flat.YAML), `"s1"`, `"m.g.s1"`), string(deep.YAML)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(flat.Weights, deep.Weights); diff != "" {
		t.Error(diff)
	}
}

// Two biases that meet are added; weights are never.
func TestBiasesThatMeetAreSummed(t *testing.T) {
	s := chain()
	s.nodes["w1"], s.nodes["w3"] = affine(3, 4), affine(3, 4)
	s.edges = append(s.edges, strings.Fields("in w3 w3 s1")...)
	got, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{0, 2, 4}, got.Weights["b1"].Float32); diff != "" {
		t.Error(diff)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "biases of w1 (Affine), w3 (Affine) are summed") {
		t.Error(got.Notes)
	}
}

// What is read out of a classifier without neurons is what reaches it, or what leaks.
func TestClassifiersThatDoNotFireAreReadOut(t *testing.T) {
	s := chain()
	delete(s.nodes, "s2")
	s.edges = strings.Fields("in w1 w1 s1 s1 w2 w2 out")
	got, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Workload.Training.Readout != network.CurrentReadout {
		t.Errorf("the readout is %q", got.Workload.Training.Readout)
	}
	s.nodes["s2"] = node("LI", map[string]*hdf5.Dataset{
		"tau": hdf5.Doubles([]float64{4, 4}, 2), "r": hdf5.Doubles([]float64{4, 4}, 2), "v_leak": hdf5.Doubles([]float64{0, 0}, 2),
	})
	s.edges = strings.Fields("in w1 w1 s1 s1 w2 w2 s2 s2 out")
	if got, err = s.bring(Options{Step: 1}); err != nil {
		t.Fatal(err)
	}
	if r, n := got.Workload.Training.Readout, got.Workload.ClassifierNeuron(); r != network.PotentialReadout || n.Leak != 0.75 {
		t.Errorf("the readout is %q, its leak %v", r, n.Leak)
	}
	s.nodes["s2"].Datasets["r"] = hdf5.Doubles([]float64{1, 1}, 2)
	if _, err = s.bring(Options{Step: 1}); err == nil || !strings.Contains(err.Error(), "r dt/tau is 0.25") {
		t.Error(err)
	}
}

func TestWhatALayerCannotBeIsRefusedByName(t *testing.T) {
	pool := func() *hdf5.Group {
		two := hdf5.Integers([]int{2, 2}, 2)
		return node("SumPool2d", map[string]*hdf5.Dataset{"kernel_size": two, "stride": two, "padding": hdf5.Integers([]int{0, 0}, 2)})
	}
	for _, c := range []struct {
		change func(s *sketch)
		want   string
	}{
		{func(s *sketch) { s.nodes["w1"] = node("Sparse", nil) }, `has 1 nodes that are not known: w1 of type "Sparse"`},
		{func(s *sketch) { s.nodes["w1"] = node("Affin", nil) }, `(did you mean "Affine"?)`},
		{func(s *sketch) { delete(s.nodes, "w1") }, `an edge names "w1", which is no node`},
		{func(s *sketch) { s.edges = s.edges[2:] }, "in (Input) leads nowhere"},
		{func(s *sketch) { s.edges = s.edges[:8] }, "nothing leads to out (Output)"},
		{func(s *sketch) { s.nodes["out"] = ends0("Input", 2) }, "has 2 nodes of type Input (in, out); one is wanted"},
		{func(s *sketch) { s.edges = strings.Fields("in w1 w1 w2 w2 s2 s2 out s1 w1 w1 s1") }, "without neurons between them"},
		{func(s *sketch) { s.edges = append(s.edges, "s2", "w1") }, "s2 (IF) is read by more than the output"},
		{func(s *sketch) {
			s.nodes["wb"], s.nodes["s3"], s.nodes["w3"] = linear(3, 3), spiking(3, 1), linear(3, 3)
			s.edges = append(s.edges, strings.Fields("s1 w3 w3 s3 s3 wb wb s1")...)
		}, "has a loop through s1 (IF), s3 (IF)"},
		{func(s *sketch) {
			s.nodes["p"] = pool()
			s.edges = append(s.edges, "s1", "p", "p", "w2")
		}, "s1 (IF) is read by way of p (SumPool2d) and of s1 (IF)"},
		{func(s *sketch) {
			s.nodes["p"] = pool()
			s.edges = strings.Fields("in w1 w1 p p s1 s1 w2 w2 s2 s2 out")
		}, "p (SumPool2d) reads w1 (Linear); pooling of one node's spikes is known"},
		{func(s *sketch) {
			s.nodes["d"] = node("Delay", map[string]*hdf5.Dataset{"delay": hdf5.Doubles([]float64{3}, 1)})
			s.edges = strings.Fields("in d d w1 w1 s1 s1 w2 w2 s2 s2 out")
		}, "d (Delay) is of 3; a step, 1, is the only delay that is known"},
		{func(s *sketch) { s.nodes["w1"] = linear(3, 5) }, "w1 (Linear): weight has shape [3,5]; what it reads and feeds asks for [3,4]"},
		{func(s *sketch) { s.nodes["s1"] = spiking(4, 1) }, "s1 (IF): r has shape [4]; its layer makes 3x1x1"},
		{func(s *sketch) { s.nodes["s2"].Datasets["v_threshold"] = weight(2) }, "s2 (IF): the classifier's neurons differ (threshold)"},
		{func(s *sketch) { delete(s.nodes["s1"].Datasets, "r") }, "s1 (IF) has no r"},
		{func(s *sketch) {
			s.nodes["s1"] = node("LIF", map[string]*hdf5.Dataset{"tau": weight(1), "r": weight(1), "v_leak": weight(1), "v_threshold": weight(1)})
		}, "s1 (LIF) has a time constant; say with --dt"},
		{func(s *sketch) {
			s.nodes["wr"] = linear(2, 2)
			s.edges = append(s.edges, strings.Fields("s2 wr wr s2")...)
		}, "s2 (IF) is read by more than the output"},
		{func(s *sketch) { s.nodes["w1"].Datasets["weight"] = hdf5.Doubles(make([]float64, 12), 12) }, "w1 (Linear): its weight is not of 2 dimensions"},
		{func(s *sketch) { s.nodes["w1"].Datasets["weight"].Bits[5] = 0x7f800000 }, "w1 (Linear): weight has the value +Inf"},
	} {
		s := chain()
		c.change(s)
		_, err := s.bring(Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// An edge may name what is not there where one node is left: the file of the subgraph
// does. Two are a riddle.
func TestOneNodeWithoutEdgesIsMeant(t *testing.T) {
	s := chain()
	s.edges = strings.Fields("in w1 w1 lif lif w2 w2 s2 s2 out")
	got, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "an edge names lif, which is not there; s1, which has no edge, is taken to be meant") {
		t.Error(got.Notes)
	}
	s.nodes["s9"] = spiking(3, 1)
	if _, err := s.bring(Options{}); err == nil || !strings.Contains(err.Error(), `an edge names "lif", which is no node`) {
		t.Error(err)
	}
}

// A convolution on a row has no height; a padding may be a word.
func TestConvolutionsOfOneAxis(t *testing.T) {
	s := chain()
	one := hdf5.Integers([]int{1})
	s.nodes["in"] = ends0("Input", 2, 5)
	s.nodes["w1"] = node("Conv1d", map[string]*hdf5.Dataset{
		"weight": weight(3, 2, 3), "bias": weight(3), "stride": one, "dilation": one, "groups": one, "padding": hdf5.Strings([]string{"same"}),
	})
	s.nodes["s1"] = spiking(1, 1)
	s.nodes["f"] = node("Flatten", nil)
	s.nodes["w2"] = affine(2, 15)
	s.edges = strings.Fields("in w1 w1 s1 s1 f f w2 w2 s2 s2 out")
	got, err := s.bring(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "conv: {out: 3, kernel: [1, 3], padding: [0, 1], bias: true}"; !strings.Contains(string(got.YAML), want) {
		t.Errorf("%s\nhas no %s", got.YAML, want)
	}
	if out := got.Workload.Net.Layer(1).Out; out.String() != "3x1x5" {
		t.Errorf("the layer makes %v", out)
	}
}

func FuzzImport(f *testing.F) {
	var b bytes.Buffer
	if err := hdf5.Write(&b, chain().file()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	data, err := os.ReadFile(files + "lif_norse.nir")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := hdf5.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		g, err := Read(root)
		if err != nil {
			return
		}
		imported, err := g.Import(Options{Name: "fuzz", Step: 1e-3, Timesteps: 2, Encoding: network.Event, Reset: SubtractReset})
		if err != nil {
			return
		}
		if _, err := network.Read(imported.YAML, "fuzz.yaml"); err != nil {
			t.Error(err)
		}
	})
}

// The project's library compresses what it writes.
func TestCompressedFilesAreTheSame(t *testing.T) {
	python := needH5py(t)
	for name := range cases {
		_, want, o := bring(t, name)
		file := filepath.Join(t.TempDir(), name+".nir")
		if out, err := exec.Command(python, "testdata/compress.py", files+name+".nir", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		g, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Import(o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want.YAML), string(got.YAML)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.Weights, got.Weights); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
