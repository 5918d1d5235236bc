package importing

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

const head = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"

var options = ScaleSim{Timesteps: 10, Encoding: network.Event}

func importText(text string, o ScaleSim) (*Topology, error) {
	return ReadTopology(strings.NewReader(text), "t.csv", o)
}

// TestTopologies holds what shapes become to what a reader of the file meant.
func TestTopologies(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    ScaleSim
		layers     string
		input      network.Shape
	}{
		{
			"LeNet-1, its first map padded", "@lenet1.csv",
			ScaleSim{Padding: 2},
			"6C5-6AP2-16C5p0-16AP2-120C5p0-128FC-47FC",
			network.Shape{Channels: 1, Height: 28, Width: 28},
		},
		{
			"SCALE-Sim's AlexNet, maps before padding, no classifier", "@alexnet.csv",
			ScaleSim{Classes: 1000},
			"96C11p0s4-96AP2-256C5-256AP2-384C3-384C3-256C3-1000FC",
			network.Shape{Channels: 3, Height: 224, Width: 224},
		},
		{
			"maps after padding", head + "a,8,8,3,3,2,4,1,\nb,8,8,3,3,4,6,1,\nf,1,1,1,1,216,5,1,\n",
			ScaleSim{Padding: 1},
			"4C3-6C3-5FC",
			network.Shape{Channels: 2, Height: 6, Width: 6},
		},
		{
			"only fully connected", head + "a,1,1,1,1,100,20,1\nb,1,1,1,1,20,5,1\n",
			ScaleSim{},
			"20FC-5FC",
			network.Shape{Channels: 100, Height: 1, Width: 1},
		},
		{
			"pooling before a fully connected layer", head + "a,10,10,3,3,2,4,1,\nf,1,1,1,1,64,5,1,\n",
			ScaleSim{},
			"4C3p0-4AP2-5FC",
			network.Shape{Channels: 2, Height: 10, Width: 10},
		},
		{
			"global pooling", head + "a,10,10,3,3,2,4,1,\nf,1,1,1,1,4,5,1,\n",
			ScaleSim{},
			"4C3p0-4AP8-5FC",
			network.Shape{Channels: 2, Height: 10, Width: 10},
		},
		{
			"the classifier as a filter that covers its map", head + "a,10,10,3,3,2,4,2,\nf,4,4,4,4,4,5,1,\n",
			ScaleSim{},
			"4C3p0s2-5FC",
			network.Shape{Channels: 2, Height: 10, Width: 10},
		},
		{
			"fully connected layers as rows", "@fc-as-row.csv",
			ScaleSim{},
			"4C3p0-10FC-5FC",
			network.Shape{Channels: 2, Height: 6, Width: 6},
		},
		{
			"only fully connected, as rows and columns", head + "a,1,784,1,784,1,100,1\nb,100,1,100,1,1,20,1\nc,1,20,1,20,1,5,20\n",
			ScaleSim{},
			"100FC-20FC-5FC",
			network.Shape{Channels: 784, Height: 1, Width: 1},
		},
		{
			"a row of several channels", head + "a,6,6,3,3,2,4,1,\nf,1,16,1,16,4,5,1,\n",
			ScaleSim{},
			"4C3p0-5FC",
			network.Shape{Channels: 2, Height: 6, Width: 6},
		},
		{
			"a row after pooling", head + "a,6,6,3,3,2,4,1,\nf,1,16,1,16,1,5,1,\n",
			ScaleSim{},
			"4C3p0-4AP2-5FC",
			network.Shape{Channels: 2, Height: 6, Width: 6},
		},
		{
			"sparsity, blank lines, no trailing comma, Windows line ends",
			"\ufeffLayer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,Sparsity\r\n\r\na,6,6,3,3,2,4,1,2:4\r\n,,,\r\nf,1,1,1,1,64,5,1,1:1,\r\n",
			ScaleSim{},
			"4C3p0-5FC",
			network.Shape{Channels: 2, Height: 6, Width: 6},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if file, ok := strings.CutPrefix(c.text, "@"); ok {
				text, err := os.ReadFile(filepath.Join("testdata", file))
				if err != nil {
					t.Fatal(err)
				}
				c.text = string(text)
			}
			c.options.Timesteps, c.options.Encoding = options.Timesteps, options.Encoding
			got, err := importText(c.text, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got.Layers != c.layers || got.Input != c.input {
				t.Errorf("%s of %v, want %s of %v", got.Layers, got.Input, c.layers, c.input)
			}
			yaml, err := got.YAML("t.csv")
			if err != nil {
				t.Fatal(err)
			}
			w, err := network.Read(yaml, "t.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if w.Timesteps != 10 || w.Net.Input != c.input {
				t.Errorf("read back: T %d, input %v", w.Timesteps, w.Net.Input)
			}
		})
	}
}

func TestTopologiesThatAreWrong(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    ScaleSim
		want       string
	}{
		{"empty", "", ScaleSim{}, "t.csv: is empty; the first line is the header"},
		{"header only", head, ScaleSim{}, "t.csv:1: no layers below the header"},
		{"no header", "a,8,8,3,3,2,4,1,\n", ScaleSim{}, "t.csv:1: the first line is a layer; it must be the header"},
		{"GEMM format", "Layer,M,N,K\nq,1,2,3\n", ScaleSim{}, "t.csv:1: this is no conv topology"},
		{"too few fields", head + "a,8,8,3,3,2,4\n", ScaleSim{}, "t.csv:2: 7 fields; a layer has a name and IFMAP height"},
		{"too many fields", head + "a,8,8,3,3,2,4,1,9\n", ScaleSim{}, "t.csv:2: 9 fields"},
		{"no number", head + "\na,8,eight,3,3,2,4,1,\n", ScaleSim{}, `t.csv:3: IFMAP width is "eight"; write a whole number from 1`},
		{"zero", head + "a,8,8,3,3,2,4,0,\n", ScaleSim{}, `t.csv:2: strides is "0"`},
		{"huge", head + "a,8,8,3,3,2,99999999999999999999,1,\n", ScaleSim{}, "t.csv:2: number of filters"},
		{"filter larger than map", head + "a,2,2,3,3,2,4,1,\n", ScaleSim{}, "t.csv:2: a has a 3x3 filter, larger than its 2x2 map"},
		{"padding eats the map", head + "a,4,4,3,3,2,4,1,\n", ScaleSim{Padding: 2}, "t.csv:2: a padding of 2 on each side leaves nothing"},
		{"branches", "@alpha.csv", ScaleSim{}, "t.csv:9: PolicyHead_Conv reads 256 channels, but the layer before makes 1x1x1"},
		{"map that nothing leads to", head + "a,8,8,3,3,2,4,1,\nb,7,5,3,3,4,4,1,\nf,1,1,1,1,60,5,1,\n", ScaleSim{}, "t.csv:3: b reads a 7x5 map, but the layer before makes 6x6"},
		{"depthwise", head + "a,8,8,3,3,2,4,1,\nb,6,6,3,3,1,4,1,\nf,1,1,1,1,64,5,1,\n", ScaleSim{}, "t.csv:3: b reads 1 channels"},
		{"values that nothing leads to", head + "a,8,8,3,3,2,4,1,\nf,1,1,1,1,63,5,1,\n", ScaleSim{}, "t.csv:3: f reads 63 channels"},
		{"ends in a convolution", head + "a,8,8,3,3,2,4,1,\n", ScaleSim{}, "t.csv:2: the last layer, a, is a convolution of a 8x8 map"},
		{"rectangular filter", head + "a,8,8,3,1,2,4,1,\nf,1,1,1,1,192,5,1,\n", ScaleSim{}, "t.csv:2: filter of 3x1"},
		{"long line", head + strings.Repeat("a", input.MaxLine+1), ScaleSim{}, "t.csv:2: a line of more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if file, ok := strings.CutPrefix(c.text, "@"); ok {
				text, err := os.ReadFile(filepath.Join("testdata", file))
				if err != nil {
					t.Fatal(err)
				}
				c.text = string(text)
			}
			c.options.Timesteps, c.options.Encoding = options.Timesteps, options.Encoding
			_, err := importText(c.text, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestStridesThatDoNotDivide: SCALE-Sim rounds up, which is said with its work.
func TestStridesThatDoNotDivide(t *testing.T) {
	text, err := os.ReadFile("testdata/stride-ceil.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		classes    int
		note       string // "" for none
	}{
		{"stride-ceil.csv", string(text), 10, "line 2, Conv1: stride 2 does not divide: SCALE-Sim rounds up to a map of 4x4 (1440 MACs), here it is 3x3 (810 MACs)"},
		{"one that divides", head + "a,9,9,3,3,2,5,2,\n", 10, ""},
		{"by one row only", head + "a,9,8,3,3,1,5,2,\n", 10, "SCALE-Sim rounds up to a map of 4x4 (720 MACs), here it is 4x3 (540 MACs)"},
		{"stride 3", head + "a,10,10,3,3,1,1,3,\n", 10, "SCALE-Sim rounds up to a map of 4x4 (144 MACs), here it is 3x3 (81 MACs)"},
		{"what follows reads their map, so ours is padded", head + "a,8,8,3,3,2,5,2,\nf,1,1,1,1,80,5,1,\n", 0, ""},
		{"stride 1", head + "a,8,8,3,3,2,5,1,\n", 10, ""},
	} {
		o := options
		o.Classes = c.classes
		top, err := importText(c.text, o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		notes := strings.Join(top.Notes, "\n")
		if strings.Contains(notes, "SCALE-Sim rounds up") != (c.note != "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s: %s; notes:\n%s", c.name, top.Layers, notes)
		}
	}
}

// TestOneLayerIsNoNetwork and other workloads that the layers cannot be are
// refused when the file is written.
func TestOneLayerIsNoNetwork(t *testing.T) {
	for name, o := range map[string]ScaleSim{
		"no trainable layer": options,
		"zero time steps":    {Timesteps: 0, Encoding: network.Event, Classes: 3},
		"unknown encoding":   {Timesteps: 1, Encoding: "rate", Classes: 3},
	} {
		top, err := importText(head+"f,1,1,1,1,10,5,1,\n", o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := top.YAML("t.csv"); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestNamesStayInComments: a layer's name cannot smuggle a key into the file.
func TestNamesStayInComments(t *testing.T) {
	top, err := importText(head+"a\u2028batch: 7,10,10,3,3,2,4,1,\nb\rbatch: 7,1,1,1,1,64,5,1,\n", options)
	if err != nil {
		t.Fatal(err)
	}
	yaml, err := top.YAML("x\nbatch: 7")
	if err != nil {
		t.Fatal(err)
	}
	if w, err := network.Read(yaml, "t.yaml"); err != nil || w.Batch != 128 {
		t.Errorf("%v\n%s", err, yaml)
	}
}

func FuzzReadTopology(f *testing.F) {
	for _, name := range []string{"alexnet.csv", "lenet1.csv", "alpha.csv"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), 0, 10)
	}
	f.Add(head+"a,10,10,3,3,2,4,1,\nf,1,1,1,1,64,5,1,2:4,\n", 1, 0)
	f.Fuzz(func(t *testing.T, text string, padding, classes int) {
		o := options
		o.Padding, o.Classes = padding, classes
		top, err := ReadTopology(strings.NewReader(text), "fuzz.csv", o)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.csv:") {
				t.Errorf("error without the file's name: %v", err)
			}
			return
		}
		yaml, err := top.YAML("fuzz.csv")
		if err != nil {
			return
		}
		w, err := network.Read(yaml, "fuzz.yaml")
		if err != nil || w.Net.Input != top.Input {
			t.Errorf("what was written cannot be read: %v\n%s", err, yaml)
		}
	})
}

func spikeNet(t testing.TB) *network.Workload {
	t.Helper()
	w, err := network.Open("testdata/spikes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestSpikesRecordedInPyTorch reads what testdata/record.py recorded; the counts
// are PyTorch's own.
func TestSpikesRecordedInPyTorch(t *testing.T) {
	set, err := tensors.ReadFile("testdata/spikes.npz")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Activity(set, spikeNet(t))
	if err != nil {
		t.Fatal(err)
	}
	if *m.Input != (Ratio{575, 1920}) || m.Layers[0] != (Ratio{197, 960}) || m.Layers[1] != (Ratio{65, 180}) {
		t.Errorf("%+v %+v", *m.Input, m.Layers)
	}
	file := filepath.Join(t.TempDir(), "activity.yaml")
	if err := os.WriteFile(file, m.YAML("spikes.npz"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := spikeNet(t)
	if err := w.SetActivity(file); err != nil {
		t.Fatal(err)
	}
	for i, r := range m.Layers {
		if got := w.Activity.Layers[i].String(); got != r.decimal() {
			t.Errorf("layer %d reads back as %s, was %s", i+1, got, r.decimal())
		}
	}
}

// TestSpikesOfTonic are int16, as its ToFrame returns them; the counts are NumPy's.
func TestSpikesOfTonic(t *testing.T) {
	w, err := network.Open("testdata/spikes-int16.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := tensors.Open("testdata/spikes-int16.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := Activity(f, w)
	if err != nil {
		t.Fatal(err)
	}
	if *m.Input != (Ratio{87, 256}) || m.Layers[0] != (Ratio{75, 384}) || m.Layers[1] != (Ratio{21, 48}) {
		t.Errorf("%+v %+v", *m.Input, m.Layers)
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		r    Ratio
		want string
	}{
		{Ratio{0, 7}, "0"},
		{Ratio{7, 7}, "1"},
		{Ratio{1, 8}, "0.125"},
		{Ratio{1, 3}, "0.333333333333333333"},
		{Ratio{2, 3}, "0.666666666666666667"},
		{Ratio{1, 1 << 18}, "0.000003814697265625"},
		{Ratio{3, 1 << 19}, "0.000005722045898438"}, // a tie, to the even digit
		{Ratio{1<<62 - 1, 1 << 62}, "1.000000000000000000"},
	} {
		if got := c.r.decimal(); got != c.want {
			t.Errorf("%+v is %s, want %s", c.r, got, c.want)
		}
	}
}

// TestShapesOfSpikes: time and batch axes may be left out, maps flattened.
func TestShapesOfSpikes(t *testing.T) {
	w := spikeNet(t)
	for _, shapes := range [][2][]int{
		{{5, 3, 4, 4, 4}, {5, 3, 12}},
		{{5, 3, 64}, {5, 3, 12, 1, 1}},
		{{4, 4, 4}, {12}},
		{{3, 64}, {2, 12}},
	} {
		set := tensors.Set{}
		for i, shape := range shapes {
			n := 1
			for _, extent := range shape {
				n *= extent
			}
			values := make([]float32, n)
			values[0] = 2 // a sum of spikes counts once
			set[[]string{"s1", "s2"}[i]] = tensors.Floats(values, shape...)
		}
		m, err := Activity(set, w)
		if err != nil {
			t.Errorf("%v: %v", shapes, err)
			continue
		}
		if m.Layers[0].NonZero != 1 || m.Layers[1].NonZero != 1 || m.Input != nil {
			t.Errorf("%v: %+v", shapes, m)
		}
	}
}

func TestSpikesThatAreWrong(t *testing.T) {
	good := func() tensors.Set {
		return tensors.Set{"s1": tensors.Floats(make([]float32, 64), 1, 1, 64), "s2": tensors.Floats(make([]float32, 12), 1, 1, 12)}
	}
	for _, c := range []struct {
		name   string
		change func(tensors.Set)
		want   string
	}{
		{"unknown name", func(s tensors.Set) { s["u1"] = s["s1"] }, "u1 is no spike tensor; expected s1..s2"},
		{"leading zero", func(s tensors.Set) { s["s01"] = s["s1"] }, "s01 is no spike tensor"},
		{"layer that is not there", func(s tensors.Set) { s["s3"] = s["s1"] }, "s3: there are layers 1 to 2"},
		{"block that is not there", func(s tensors.Set) { s["sc99999999999999999999"] = s["s1"] }, "there are at most 2 local blocks"},
		{"missing", func(s tensors.Set) { delete(s, "s2") }, "s2 is missing; expected what layer 2 passes on, after addition and pooling: [T,B,12]"},
		{"shape", func(s tensors.Set) { s["s1"] = tensors.Floats(make([]float32, 256), 1, 1, 4, 8, 8) }, "s1 has shape [1,1,4,8,8]; expected [T,B,4,4,4]"},
		{"too many axes", func(s tensors.Set) { s["s2"] = tensors.Floats(make([]float32, 12), 1, 1, 1, 12) }, "s2 has shape [1,1,1,12]"},
		{"input's shape", func(s tensors.Set) { s["x"] = s["s2"] }, "x has shape [1,1,12]; expected [T,B,2,8,8]"},
		{"no values", func(s tensors.Set) { s["s2"] = tensors.Floats(nil, 0, 1, 12) }, "s2 has no values"},
		{"negative", func(s tensors.Set) { s["s2"].Float32[3] = -1 }, "s2: value 3 is -1; spikes are finite and not negative"},
		{"a gap in blocks", func(s tensors.Set) { s["sc2"] = s["s2"] }, "sc2 is there but not sc1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := good()
			c.change(set)
			_, err := Activity(set, spikeNet(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestClassifierSpikes are written one per block.
func TestClassifierSpikes(t *testing.T) {
	set := tensors.Set{
		"s1": tensors.Floats(make([]float32, 64), 64), "s2": tensors.Floats(make([]float32, 12), 12),
		"sc1": tensors.Floats([]float32{1, 0, 0, 0}, 4), "sc2": tensors.Floats([]float32{1, 1}, 2),
	}
	m, err := Activity(set, spikeNet(t))
	if err != nil {
		t.Fatal(err)
	}
	if yaml := m.YAML("x.npz"); !bytes.HasSuffix(yaml, []byte("classifiers:\n  - 0.25 # 1 of 4\n  - 1 # 2 of 2\n")) {
		t.Errorf("%s", yaml)
	}
}

// FuzzActivity reads arbitrary bytes as an NPZ file of spikes.
func FuzzActivity(f *testing.F) {
	data, err := os.ReadFile("testdata/spikes.npz")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("PK\x03\x04"))
	w := spikeNet(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "f.npz")
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		set, err := tensors.ReadFile(file)
		if err != nil {
			return
		}
		m, err := Activity(set, w)
		if err != nil {
			return
		}
		for _, r := range m.Layers {
			if r.Total <= 0 || r.NonZero > r.Total {
				t.Errorf("%+v", r)
			}
		}
	})
}
