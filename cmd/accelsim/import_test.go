package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/tensors"
)

const (
	importData = "../../importing/testdata/"
	nirData    = "../../testdata/nir/"
	torchData  = "../../importing/torch/testdata/"
)

// TestImportedTopologyRuns: SCALE-Sim's notation of LeNet-1 gives the counts of
// the built-in network.
func TestImportedTopologyRuns(t *testing.T) {
	net := filepath.Join(t.TempDir(), "lenet1.yaml")
	status, stdout, stderr := commandLine(t, "import", "scalesim", importData+"lenet1.csv", "--padding", "2", "--timesteps", "20", "--encoding", "direct", "--out", net)
	if status != exitDone || stdout != "" || !strings.Contains(stderr, "line 3, Conv2: the layer before makes 6x28x28") {
		t.Fatalf("exit %d: %s%s", status, stdout, stderr)
	}
	imported := decodeJSON(t, "run", "--net", net, "--k", "1", "--n", "2", "--timing", "off")["counts"]
	builtin := decodeJSON(t, "run", "--net", "lenet1", "--k", "1", "--n", "2", "--timing", "off")["counts"]
	if !cmp.Equal(imported, builtin) {
		t.Errorf("imported %v\nbuilt in %v", imported, builtin)
	}
}

// TestImportedActivityRuns: densities recorded in PyTorch reach a run.
func TestImportedActivityRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "activity.yaml")
	if text := succeed(t, "import", "activity", importData+"spikes.npz", "--net", importData+"spikes.yaml", "--out", file); text != "" {
		t.Errorf("printed %s", text)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "input: 0.299479166666666667 # 575 of 1920\nlayers:\n  - 0.205208333333333333 # 197 of 960\n  - 0.361111111111111111 # 65 of 180\n"
	if !strings.HasSuffix(string(text), want) {
		t.Errorf("wrote\n%s", text)
	}
	if stdout := succeed(t, "import", "activity", importData+"spikes.npz", "--net", importData+"spikes.yaml"); stdout != string(text) {
		t.Errorf("stdout differs from the file:\n%s", stdout)
	}
	with := decodeJSON(t, "run", "--net", importData+"spikes.yaml", "--timing", "off", "--activity", file)["counts"]
	without := decodeJSON(t, "run", "--net", importData+"spikes.yaml", "--timing", "off")["counts"]
	if cmp.Equal(with, without) {
		t.Error("the densities changed nothing")
	}
}

func TestImportsRefuse(t *testing.T) {
	topology, braille := importData+"alexnet.csv", nirData+"braille_noDelay_noBias_subtract.nir"
	for _, c := range []struct{ args, want string }{
		{"import onnx x", `import does not know "onnx"`},
		{"import scalesim", "0 files; write accelsim import scalesim TOPOLOGY.csv"},
		{"import scalesim nowhere.csv", "open nowhere.csv"},
		{"import scalesim " + topology, topology + ":6: the last layer, Conv5, is a convolution"},
		{"import scalesim " + topology + " --classes 0", "--classes 0; write 1 or more"},
		{"import scalesim " + topology + " --classes 10 --timesteps 0", "timesteps is 0"},
		{"import scalesim " + topology + " --classes 10 --encoding rate", `encoding "rate"; write event or direct`},
		{"import scalesim " + topology + " --classes 10 --out /proc/x.yaml", "--out: no file can be made in the folder /proc"},
		{"import activity " + importData + "spikes.npz", "--net is missing"},
		{"import activity " + topology + " --net lenet1", topology + ": not a readable NPZ file"},
		{"import activity " + importData + "spikes.npz --net lenet1", importData + "spikes.npz: x has shape [5,3,2,8,8]; expected [T,B,1,28,28]"},
		{"import activity " + importData + "spikes.npz --net lenet9", `no network "lenet9"`},
		{"import torch " + torchData + "state.pt --net " + torchData + "net.yaml", "--out is missing"},
		{"import torch " + torchData + "state.pt --out DIR/w.npz", "--net is missing"},
		{"import torch " + torchData + "state.pt --net " + torchData + "net.yaml --out DIR/w.npz --map w1", `--map "w1"; write NAME=TENSOR`},
		{"import torch " + torchData + "state.pt --net " + torchData + "net.yaml --out DIR/w.npz --map w1=a,w1=b", "--map names w1 twice"},
		{"import torch " + torchData + "state.pt --net " + torchData + "net.yaml --out DIR/w.npz --map w7=a", `the workload has no parameter "w7"`},
		{"import torch " + torchData + "state.pt --net " + torchData + "net.yaml --out DIR/w.npz --n 9", "n = 9 is out of range"},
		{"import torch " + torchData + "state.pt --net lenet1 --out DIR/w.npz", "w1: no tensor of shape"},
		{"import torch " + torchData + "evil.pt --net lenet1 --out DIR/w.npz", "which would run code: it is not read"},
		{"export onnx x", `export does not know "onnx"`},
		{"export nir --net lenet1", "--weights is missing"},
		{"export nir --net lenet9 --weights x.npz --out DIR/x.nir", `no network "lenet9"`},
		{"export nir --net lenet1 --weights " + topology + " --out DIR/x.nir", "not a readable NPZ file"},
		{"export nir --net " + vectorFiles + "fc-bptt.yaml --weights " + vectorFiles + "fc-bptt.in.npz --out DIR/x.nir --dt -1", "--dt -1; write the length of a step"},
		{"export nir --net " + vectorFiles + "fc-bptt.yaml --weights " + vectorFiles + "fc-bptt.in.npz --out DIR/x.nir --dt 1", "layer 1: subtracts 0.31 for a spike"},
		{"import nir " + braille, "--out is missing"},
		{"import nir " + braille + " --out DIR", "lif1.lif (CubaLIF) has a time constant; say with --dt"},
		{"import nir " + braille + " --out DIR --dt 0", "--dt 0; write the length of a step in seconds"},
		{"import nir " + braille + " --out DIR --dt NaN", "--dt NaN; write the length of a step in seconds"},
		{"import nir " + braille + " --out DIR --dt 1", "lif2 (CubaLIF): tau_mem is 0.000333"},
		{"import nir " + braille + " --out DIR --dt 1e-4 --steps 0", "--steps 0; write 1 or more"},
		{"import nir " + braille + " --out DIR --dt 1e-4 --reset hard", `--reset "hard"; write file, subtract or zero`},
		{"import nir " + braille + " --out DIR --dt 1e-4 --encoding rate", `--encoding "rate"; write event or direct`},
		{"import nir " + topology + " --out DIR", topology + ": is no HDF5 file"},
		{"import nir nowhere.nir --out DIR", "nowhere.nir"},
		{"import nir " + nirData + "lif_norse.nir --out DIR", "has one layer with weights, 0 (Affine), which is the classifier: N = 0 layers are left to train"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", t.TempDir()))
		status, stdout, stderr := commandLine(t, args...)
		if status != exitBadInput || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("accelsim %s: exit %d, %s%s\nwant %s", c.args, status, stdout, stderr, c.want)
		}
	}
}

// A file of the NIR project runs on the machine like any workload.
func TestImportNIR(t *testing.T) {
	out := t.TempDir()
	status, stdout, stderr := commandLine(t, "import", "nir", nirData+"braille_noDelay_bias_zero_subgraph.nir", "--dt", "1e-4", "--steps", "6", "--out", out)
	if status != 0 || stdout != "" || !strings.Contains(stderr, "lif1.lif1, which has no edge, is taken to be meant") {
		t.Fatalf("exit %d, %q, %q", status, stdout, stderr)
	}
	r := decodeJSON(t, "run", "--net", filepath.Join(out, "braille_noDelay_bias_zero_subgraph.yaml"), "--k", "3", "--n", "1", "--batch", "2")
	if r["crosscheck"].(map[string]any)["pass"] != true {
		t.Error(r["crosscheck"])
	}
	set, err := tensors.ReadFile(filepath.Join(out, "braille_noDelay_bias_zero_subgraph.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(set.Names()); got != "[b1 bc1 w1_1 w1_2 wc1]" {
		t.Error(got)
	}
}

// The spikes of every neuron are those that NIR's equations give in float64
// (testdata/nir/expected.npz: seeded frames, and each neuron's spikes over all steps).
func TestSpikesOfNIRFilesAreTheExpectedOnes(t *testing.T) {
	expected, err := tensors.ReadFile(nirData + "expected.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, short string
		flags       []string
		n           string
		layers      int // the classifier included
	}{
		{"cnn_sinabs", "cnn_sinabs", []string{"--steps", "20"}, "4", 5},
		{"braille_noDelay_noBias_subtract", "braille", []string{"--steps", "60", "--dt", "1e-4", "--reset", "subtract"}, "1", 2},
	} {
		out := t.TempDir()
		succeed(t, append([]string{"import", "nir", nirData + c.file + ".nir", "--out", out}, c.flags...)...)
		frames, spikes := filepath.Join(out, "x.npz"), filepath.Join(out, "spikes.npz")
		if err := (tensors.Set{"x": expected[c.short+"_x"]}).WriteFile(frames); err != nil {
			t.Fatal(err)
		}
		net := filepath.Join(out, c.file)
		given := []string{"--net", net + ".yaml", "--n", c.n, "--batch", "2", "--tensors", frames, "--weights", net + ".npz"}
		status, stdout, stderr := commandLine(t, append([]string{"run", "--format", "json", "--dump-spikes", spikes}, given...)...)
		var r map[string]any
		if err := json.Unmarshal([]byte(stdout), &r); status != 0 || err != nil || !strings.Contains(stderr, "has no labels y: all steps run forward") {
			t.Fatalf("exit %d, %v, %s", status, err, stderr)
		}
		if backward := r["counts"].(map[string]any)["backward"].(map[string]any); backward["reads"] != 0.0 || backward["macs"] != 0.0 {
			t.Errorf("%s: without labels the backward pass has %v", c.file, backward)
		}
		got, err := tensors.ReadFile(spikes)
		if err != nil {
			t.Fatal(err)
		}
		for l := 1; l <= c.layers; l++ {
			name := fmt.Sprintf("s%d", l)
			if l == c.layers {
				name = "s_c1"
			}
			want := expected[fmt.Sprintf("%s_spikes%d", c.short, l)]
			counts := make([]float64, want.Len())
			for i := range got[name].Len() {
				counts[i%len(counts)] += got[name].At(i)
			}
			total := 0.0
			for i, n := range counts {
				if total += n; n != want.At(i) {
					t.Fatalf("%s: neuron %d of %s fires %v times, want %v", c.file, i, name, n, want.At(i))
				}
			}
			if total == 0 {
				t.Errorf("%s: %s has no spikes", c.file, name)
			}
		}
		if status, text, stderr := commandLine(t, append([]string{"verify"}, given...)...); status != 0 || !strings.Contains(text, " s1 ") {
			t.Errorf("verify: exit %d, spikes or not:\n%s%s", status, text, stderr)
		}
	}
}

func TestInferenceRefuses(t *testing.T) {
	folder := t.TempDir()
	set, err := tensors.ReadFile(vectorFiles + "bn-ce.in.npz")
	if err != nil {
		t.Fatal(err)
	}
	delete(set, "y")
	unlabelled := filepath.Join(folder, "bn.npz")
	if err := set.WriteFile(unlabelled); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"run --net " + vectorFiles + "bn-ce.yaml --n 1 --tensors " + unlabelled, "has no labels y, so the network would run forward only; layer 1 has batch norm"},
		{"verify --net " + vectorFiles + "bn-ce.yaml --n 1 --tensors " + unlabelled, "layer 1 has batch norm"},
		{"train --net " + vectorFiles + "bn-ce.yaml --n 1 --tensors " + unlabelled, "y is missing"},
		{"run --net lenet1 --dump-spikes " + folder + "/s.npz", "--dump-spikes needs --tensors"},
		{"run --net lenet1 --weights " + unlabelled, "--weights needs --tensors"},
		{"verify --net lenet1 --weights " + unlabelled, "--weights needs --tensors"},
		{"run --net " + vectorFiles + "bn-ce.yaml --n 1 --tensors " + unlabelled + " --weights " + vectorFiles + "bn-ce.in.npz", "is in another of the files, too"},
	} {
		status, stdout, stderr := commandLine(t, strings.Fields(c.args)...)
		if status != exitBadInput || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("accelsim %s: exit %d, %s%s\nwant %s", c.args, status, stdout, stderr, c.want)
		}
	}
}

// A network's weights come from PyTorch, and it learns on from them.
func TestImportTorch(t *testing.T) {
	weights, dump := filepath.Join(t.TempDir(), "weights.npz"), filepath.Join(t.TempDir(), "out.npz")
	net := torchData + "net.yaml"
	status, stdout, stderr := commandLine(t, "import", "torch", torchData+"state.safetensors", "--net", net, "--out", weights)
	if status != 0 || stdout != "" || !strings.Contains(stderr, "bc1 is out.bias [3]") {
		t.Fatalf("exit %d, %q, %q", status, stdout, stderr)
	}
	frames := filepath.Join(t.TempDir(), "x.npz")
	x := make([]float32, 2*1*2*6*6)
	for i := range x {
		x[i] = float32(i % 2)
	}
	if err := (tensors.Set{"x": tensors.Floats(x, 2, 1, 2, 6, 6), "y": {Shape: []int{1}, Int64: []int64{2}}}).WriteFile(frames); err != nil {
		t.Fatal(err)
	}
	given := []string{"--net", net, "--k", "2", "--n", "3", "--tensors", frames, "--weights", weights}
	succeed(t, append([]string{"run", "--dump", dump}, given...)...)
	succeed(t, append([]string{"verify"}, given...)...)
	first, err := tensors.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	after, err := tensors.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	for i := range first["bc1"].Len() { // SGD's first step: w - lr dw
		want := first["bc1"].Float32[i] - 0.5*after["dbc1_i1"].Float32[i]
		if got := after["bc1"].Float32[i]; got != want {
			t.Errorf("bc1 is %v after a step, want %v", got, want)
		}
	}
}
