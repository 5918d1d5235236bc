package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// expected are the values that PyTorch itself has of what it saved (testdata/save.py).
func expected(t *testing.T) tensors.Set {
	t.Helper()
	set, err := tensors.ReadFile("testdata/expected.npz")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func open(t *testing.T, name string) []Tensor {
	t.Helper()
	list, err := Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatPyTorchSavesIsRead(t *testing.T) {
	want := expected(t)
	for _, c := range []struct {
		file    string
		tensors int // of floating-point numbers
	}{{"state.pt", 11}, {"checkpoint.pt", 11}, {"state.safetensors", 11}, {"kinds.pt", 9}} {
		compared := 0
		for _, tensor := range open(t, c.file) {
			if !tensor.Type.Float() {
				continue
			}
			compared++
			w, ok := want[tensor.Name]
			if !ok {
				t.Errorf("%s: %s is not expected", c.file, tensor.Name)
				continue
			}
			if tensors.ShapeString(tensor.Shape) != tensors.ShapeString(w.Shape) || tensor.Len() != w.Len() {
				t.Errorf("%s: %s has shape %v, want %v", c.file, tensor.Name, tensor.Shape, w.Shape)
				continue
			}
			for i := range tensor.Len() {
				if v, _ := tensor.Float32(i); math.Float32bits(v) != math.Float32bits(w.Float32[i]) {
					t.Errorf("%s: value %d of %s is %v, want %v", c.file, i, tensor.Name, v, w.Float32[i])
				}
			}
		}
		if compared != c.tensors {
			t.Errorf("%s: %d tensors, want %d", c.file, compared, c.tensors)
		}
	}
}

func TestWhatWouldRunCodeIsRefused(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"evil.pt", `asks for "system" of "posix", which would run code`},
		{"module.pt", `asks for "Sequential" of "torch.nn.modules.container", which would run code`},
		{"legacy.pt", "was saved by PyTorch before 1.6"},
		{"save.py", "is neither a state dict of PyTorch nor a safetensors file"},
		{"expected.npz", "is an archive without data.pkl"},
	} {
		if _, err := Open("testdata/" + c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
	if _, err := os.Stat("/tmp/accelsim-was-here"); err == nil {
		t.Error("a pickle's code was run")
	}
}

// workload is the text of the network of testdata/save.py.
func workload(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func given(t *testing.T, text string) (*network.Workload, []network.Block) {
	t.Helper()
	w, err := network.Read([]byte(text), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(w.Net.N())
	if err != nil {
		t.Fatal(err)
	}
	return w, blocks
}

func TestTensorsBecomeParameters(t *testing.T) {
	w, blocks := given(t, workload(t))
	values := expected(t)
	want := tensors.Set{}
	for name, from := range map[string]string{
		"w1": "conv1.weight", "b1": "conv1.bias", "w2": "conv2.weight", "w3": "fc.weight", "b3": "fc.bias", "wc1": "out.weight", "bc1": "out.bias",
		"bn2_gain": "bn.weight", "bn2_bias": "bn.bias", "bn2_mean": "bn.running_mean", "bn2_var": "bn.running_var",
	} {
		want[name] = values[from]
	}
	for _, file := range []string{"state.pt", "checkpoint.pt", "state.safetensors"} {
		got, err := Assign(w, blocks, open(t, file), nil)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff(want, got.Set); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestNamesSayWhatIsWhat(t *testing.T) {
	w, blocks := given(t, workload(t))
	list := open(t, "state.pt")
	// The same shapes twice: names decide.
	twin := list[0]
	twin.Name, twin.values = "zero.weight", make([]byte, len(twin.values))
	list = append([]Tensor{twin}, list...)
	got, err := Assign(w, blocks, list, map[string]string{"w1": "conv1.weight"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected(t)["conv1.weight"], got.Set["w1"]); diff != "" {
		t.Error(diff)
	}
	if last := got.Notes[len(got.Notes)-1]; last != "not used: zero.weight" {
		t.Error(last)
	}
	if _, err = Assign(w, blocks, list, nil); err == nil || !strings.Contains(err.Error(), "b1: the weights of its layer have no bias beside them") {
		t.Error(err)
	}
	for _, c := range []struct {
		text  string
		names map[string]string
		want  string
	}{
		{workload(t), map[string]string{"w9": "fc.weight"}, `--map: the workload has no parameter "w9" (did you mean`},
		{workload(t), map[string]string{"w1": "conv.weight"}, `--map: the file has no tensor "conv.weight" (did you mean "conv1.weight"?)`},
		{workload(t), map[string]string{"w1": "conv2.weight"}, "w1: conv2.weight has shape [4,4,3,3]; the workload's is [4,2,3,3]"},
		{workload(t), map[string]string{"w2": "bn.num_batches_tracked"}, "bn.num_batches_tracked is of type int64; floating-point numbers are wanted"},
		{strings.Replace(workload(t), ", bias: true", "", 1), nil, "conv1.bias is a bias, which its layer has not"},
		{strings.Replace(workload(t), "fc: {out: 6", "fc: {out: 7", 1), nil, "w3: no tensor of shape [7,16] is left: there are fc.weight [6,16], out.weight [3,6]"},
		{strings.Replace(workload(t), "    norm: batch\n", "", 1), nil, ""},
	} {
		w, blocks := given(t, c.text)
		_, err := Assign(w, blocks, open(t, "state.pt"), c.names)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestNumbersInNamesAreNumbers(t *testing.T) {
	for _, pair := range [][2]string{{"layers.2.weight", "layers.10.weight"}, {"a", "b"}, {"fc", "fc1"}, {"l09", "l10"}} {
		if natural(pair[0], pair[1]) >= 0 || natural(pair[1], pair[0]) <= 0 {
			t.Errorf("%s does not come before %s", pair[0], pair[1])
		}
	}
}

// pickled is an archive of a pickle and a storage.
func pickled(t testing.TB, program, storage []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range map[string][]byte{"a/data.pkl": program, "a/data/0": storage} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) error {
	_, err := Read(bytes.NewReader(data), int64(len(data)))
	return err
}

// What a file declares takes no room before it is there.
func TestHostileFilesAreRefusedWithinBounds(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64(nil, 1<<40)
	tensor := func(shape, stride string) []byte {
		return []byte("\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01tQK\x00" + shape + stride + "\x89}tRs.")
	}
	pair := func(b ...byte) string { return "J" + string(b) + "J" + string(b) + "\x86" }
	const one = "K\x01K\x01\x86"
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a string of 4 GiB":    {pickled(t, []byte("\x80\x02X\xff\xff\xff\xff"), nil), "ends early"},
		"a shape of 2^60":      {pickled(t, tensor(pair(0xff, 0xff, 0xff, 0x3f), one), make([]byte, 4)), "larger than its file"},
		"a negative shape":     {pickled(t, tensor(pair(0xff, 0xff, 0xff, 0xff), one), make([]byte, 4)), "larger than its file"},
		"strides beyond":       {pickled(t, tensor("K\x02K\x02\x86", one), make([]byte, 8)), "reaches beyond the 2 values"},
		"zero strides":         {pickled(t, tensor("K\x05K\x05\x86", "K\x00K\x00\x86"), make([]byte, 4)), ""},
		"no storage":           {pickled(t, bytes.ReplaceAll(tensor(one, one), []byte("U\x010"), []byte("U\x019")), nil), "its storage data/9 is not in the archive"},
		"an empty stack":       {pickled(t, []byte("\x80\x02R."), nil), "takes from an empty stack"},
		"a call of a dict":     {pickled(t, []byte("\x80\x02})R."), nil), "calls what is no function"},
		"no dict":              {pickled(t, []byte("\x80\x02K\x01."), nil), "is no state dict but a number"},
		"a dict within itself": {pickled(t, []byte("\x80\x02}q\x00U\x01ah\x00sh\x00U\x01bh\x00sh\x00U\x01ch\x00s."), nil), "deep"},
		"an opcode":            {pickled(t, []byte("\x80\x02i"), nil), "opcode 0x69"},
		"a huge header":        {append(huge, '{'), "has a header of"},
		"a short header":       {append(binary.LittleEndian.AppendUint64(nil, 50), "{}"...), "is no safetensors file"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read(c.data)
		runtime.ReadMemStats(&after)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
			t.Errorf("%s takes %d bytes", name, n)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte("\x3e\x00\x00\x00\x00\x00\x00\x00" + `{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}      ` + "1234"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for i := range list {
			if n := list[i].Len(); n > 0 {
				list[i].Float32(n - 1)
			}
		}
	})
}

func FuzzUnpickle(f *testing.F) {
	f.Add([]byte("\x80\x02}q\x00U\x01ah\x00s."))
	f.Add([]byte("\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01tQK\x00K\x01K\x01\x86K\x01K\x01\x86\x89}tRs."))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := unpickle(data)
		if err != nil {
			return
		}
		s := &state{size: 64, stored: 64, left: 64, read: map[string][]byte{"0": make([]byte, 64)}}
		list, err := s.tensors(root)
		total := 0
		for i := range list {
			total += len(list[i].values)
		}
		if err == nil && total > 64 {
			t.Errorf("%d bytes of values out of 64", total)
		}
	})
}

// Of several tensors of a shape each layer takes the next, and it is told.
func TestTensorsOfOneShapeAreTakenInOrder(t *testing.T) {
	w, blocks := given(t, "{input: {channels: 2, height: 1, width: 1, encoding: event}, timesteps: 1, layers: 2FC-2FC-2FC}")
	var list []Tensor
	want := tensors.Set{}
	for i, name := range []string{"w1", "w2", "wc1"} {
		bits := math.Float32bits(float32(i + 1))
		raw := bytes.Repeat(binary.LittleEndian.AppendUint32(nil, bits), 4)
		list = append(list, Tensor{Name: "layer" + name + ".weight", Shape: []int{2, 2}, values: raw})
		v := float32(i + 1)
		want[name] = tensors.Floats([]float32{v, v, v, v}, 2, 2)
	}
	got, err := Assign(w, blocks, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Set); diff != "" {
		t.Error(diff)
	}
	if got.Notes[0] != "w1 is layerw1.weight, the first of 3 of its shape; --map says otherwise" {
		t.Error(got.Notes)
	}
}
