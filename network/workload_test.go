package network

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/units"
)

// minimal has the required keys only; three trainable layers.
const minimal = `input: {channels: 2, height: 8, width: 8, encoding: event}
layers: 4C3-4AP2-6C3-12FC-5FC
timesteps: 6
`

func read(t *testing.T, text string) *Workload {
	t.Helper()
	w, err := Read([]byte(text), "dir/tiny.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func dec(t *testing.T, text string) units.Density {
	t.Helper()
	d, err := units.ParseDensity(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var exactly = cmp.Options{
	cmp.Comparer(func(a, b units.Density) bool { return a == b }),
	cmp.AllowUnexported(Network{}, Entry{}),
}

func TestDefaultsOfAWorkloadFile(t *testing.T) {
	w := read(t, minimal)
	if w.Name != "tiny" || w.Dataset != "" || w.Samples != 0 || w.Timesteps != 6 || w.Batch != 128 || w.Dropout != 0 {
		t.Errorf("%+v", w)
	}
	if want := (Neuron{Leak: 0.9, Reset: 0.3, Threshold: 0.5, SurrogateWidth: 0.5}); w.Neuron != want {
		t.Errorf("neuron %+v", w.Neuron)
	}
	want := Training{
		Loss: "mse", Optimizer: "sgd", LearningRate: 0.3, Momentum: 0.9,
		Beta1: 0.9, Beta2: 0.999, Rho: 0.99, Epsilon: 1e-8, Classifier: "trainable",
	}
	if w.Training != want {
		t.Errorf("training %+v", w.Training)
	}
	if diff := cmp.Diff(Uniform(dec(t, "0.1"), 3), w.Activity, exactly); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKeyOfAWorkloadFile(t *testing.T) {
	w := read(t, minimal+`name: mine
dataset: n-caltech101
batch: 7
dropout: 0.25
neuron: {leak: 0.79, reset: 0.31, threshold: 0.437, surrogate_width: 1.213}
training: {loss: ce, optimizer: adam, learning_rate: 0.1, momentum: 0.8, beta1: 0.7, beta2: 0.6, rho: 0.4, epsilon: 0.001, classifier: random}
activity: {input: 0.5, layers: [0.1, 0.2, "0.3"], classifiers: [0.7, 0.8]}
`)
	want := &Workload{
		Name: "mine", Dataset: "n-caltech101", Samples: 8709, Net: w.Net, Timesteps: 6, Batch: 7, OwnBatch: true, Dropout: 0.25,
		Neuron: Neuron{Leak: 0.79, Reset: 0.31, Threshold: 0.437, SurrogateWidth: 1.213},
		Training: Training{
			Loss: "ce", Optimizer: "adam", LearningRate: 0.1, Momentum: 0.8,
			Beta1: 0.7, Beta2: 0.6, Rho: 0.4, Epsilon: 0.001, Classifier: "random",
		},
		Activity: Activity{
			Input:       dec(t, "0.5"),
			Layers:      []units.Density{dec(t, "0.1"), dec(t, "0.2"), dec(t, "0.3")},
			Classifiers: []units.Density{dec(t, "0.7"), dec(t, "0.8")},
		},
	}
	if diff := cmp.Diff(want, w, exactly); diff != "" {
		t.Error(diff)
	}
}

func TestDatasetBringsItsColumnButNotTheLoss(t *testing.T) {
	w := read(t, minimal+"dataset: cifar10-dvs\n")
	if w.Neuron.Leak != 0.8 || w.Neuron.Threshold != 0.4 || w.Training.LearningRate != 0.2 || w.Dropout != 0.1 || w.Samples != 9000 {
		t.Errorf("%+v", w)
	}
	if w.Training.Loss != MSE || w.Batch != 128 || w.Timesteps != 6 {
		t.Errorf("loss, batch and timesteps are the file's: %+v", w)
	}
}

func TestJSONIsAccepted(t *testing.T) {
	w := read(t, `{"input": {"channels": 2, "height": 8, "width": 8, "encoding": "event"},
 "layers": "4C3-4AP2-6C3-12FC-5FC", "timesteps": 6, "batch": 128,
 "activity": {"input": 0.10, "layers": [0.1, 0.1, 0.1]}}`)
	if diff := cmp.Diff(read(t, minimal+"batch: 128\n"), w, exactly); diff != "" {
		t.Error(diff)
	}
}

// TestNumbersAreYAML12 in every workload file: section 10.3.2 of its specification.
func TestNumbersAreYAML12(t *testing.T) {
	for text, want := range map[string]int{
		"010": 10, "0o10": 8, "0x10": 16, "+10": 10, "1e1": 10, "10.0": 10, `"10"`: 10, "0010": 10, "!!int 10": 10,
	} {
		if w := read(t, strings.Replace(minimal, "timesteps: 6", "timesteps: "+text, 1)); w.Timesteps != want {
			t.Errorf("timesteps: %s is %d, want %d", text, w.Timesteps, want)
		}
	}
	for _, text := range []string{"1_0", "0b11", "1,0", "ten"} {
		if w, err := Read([]byte(strings.Replace(minimal, "timesteps: 6", "timesteps: "+text, 1)), "w.yaml"); err == nil {
			t.Errorf("timesteps: %s is %d", text, w.Timesteps)
		}
	}
}

func TestByteOrderMarkAndEmptyDocumentsAreNothing(t *testing.T) {
	for _, text := range []string{"\ufeff" + minimal, "---\n" + minimal + "---\n", "%YAML 1.2\n---\n" + minimal + "...\n"} {
		if diff := cmp.Diff(read(t, minimal), read(t, text), exactly); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestNamesCanBePrinted: what a terminal would obey is escaped.
func TestNamesCanBePrinted(t *testing.T) {
	for text, want := range map[string]string{
		`"\e[31mred\e[0m"`: `\x1b[31mred\x1b[0m`,
		`"a\x9b31m"`:       `a\u009b31m`,
		`"<script>alert(1)</script>\"'&\n` + "`evil`" + `"`: `<script>alert(1)</script>"'&\n` + "`evil`",
		"|\n  two\n  lines\n":                               `two\nlines`,
		"häßlich":                                           "häßlich",
	} {
		if w := read(t, minimal+"name: "+text+"\n"); w.Name != want {
			t.Errorf("%s is called %q, want %q", text, w.Name, want)
		}
	}
	w, err := Read([]byte(minimal), "dir/\x1b]0;title\a.yaml")
	if err != nil || w.Name != `\x1b]0;title\a` {
		t.Errorf("%q, %v", w.Name, err)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	w := read(t, minimal+"batch: &b 7\n"+
		"dropout: &d 0.25\nneuron: {<<: {leak: 0.5, reset: *d}, leak: 0.75}\ntraining: {momentum: *d}\n")
	if w.Batch != 7 || w.Dropout != 0.25 || w.Neuron.Leak != 0.75 || w.Neuron.Reset != 0.25 || w.Training.Momentum != 0.25 {
		t.Errorf("%+v", w)
	}
}

func TestActivityOfAFile(t *testing.T) {
	for _, c := range []struct{ text, want string }{ // input; layers; classifiers
		{"", "0.1; 0.1 0.1 0.1; "},
		{"activity: 0.3", "0.3; 0.3 0.3 0.3; "},
		{"activity: 1", "1; 1 1 1; "},
		{`activity: "0.25"`, "0.25; 0.25 0.25 0.25; "},
		{"activity: {input: 1}", "1; 0.1 0.1 0.1; "},
		{"activity: 0.3 # measured", "0.3; 0.3 0.3 0.3; "},
		{"activity:\n  input: 0.5 # measured\n  layers: # too\n  - 0.2 # one\n  - 0.3\n  - 0.4 # three", "0.5; 0.2 0.3 0.4; "},
		{"activity:\n  classifiers: 0.5 # measured", "0.1; 0.1 0.1 0.1; 0.5"},
		{"activity: {layers: [0, 0.5, 1.0]}", "0.1; 0 0.5 1; "},
		{"activity:\n  layers:\n  - 0.2\n  - 0.3\n  - 0.4", "0.1; 0.2 0.3 0.4; "},
		{"activity: {classifiers: 0.7}", "0.1; 0.1 0.1 0.1; 0.7"},
		{"activity: {classifiers: [0.7, 0.8]}", "0.1; 0.1 0.1 0.1; 0.7 0.8"},
	} {
		a := read(t, minimal+c.text+"\n").Activity
		if got := a.Input.String() + "; " + list(a.Layers) + "; " + list(a.Classifiers); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func list(densities []units.Density) string {
	var s []string
	for _, d := range densities {
		s = append(s, d.String())
	}
	return strings.Join(s, " ")
}

func TestClassifierDensities(t *testing.T) {
	a := Activity{Layers: []units.Density{dec(t, "0.1"), dec(t, "0.2"), dec(t, "0.3")}}
	second := Block{Index: 2, First: 3, Last: 3}
	for _, c := range []struct {
		what        string
		classifiers []string
		blocks      int
		want        string
		fits        bool
	}{
		{"by default the density of the block's last layer", nil, 2, "0.3", true},
		{"one for all", []string{"0.7"}, 2, "0.7", true},
		{"one per block", []string{"0.7", "0.8"}, 2, "0.8", true},
		{"a list for another number of blocks is ignored", []string{"0.7", "0.8"}, 3, "0.3", false},
	} {
		a.Classifiers = nil
		for _, d := range c.classifiers {
			a.Classifiers = append(a.Classifiers, dec(t, d))
		}
		if got := a.Classifier(second, c.blocks).String(); got != c.want || a.ClassifiersFit(c.blocks) != c.fits {
			t.Errorf("%s: %s, fits %v", c.what, got, a.ClassifiersFit(c.blocks))
		}
	}
	a.Input = dec(t, "0.9")
	if got := a.Of(InputLayer).String(); got != "0.9" {
		t.Errorf("density of the input is %s", got)
	}
}

// Errors of a file, which is `minimal` with the given lines in place of those
// with the same key, or after them.
func TestWorkloadErrorsNameLineAndKey(t *testing.T) {
	const density = `; write a decimal between 0 and 1, such as 0.1`
	for _, c := range []struct{ text, want string }{
		{"", "w.yaml: is empty"},
		{"# nothing", "w.yaml: is empty"},
		{"[1]", "w.yaml:1: is of type sequence; write a mapping"},
		{"layers: 3FC-2FC\ntimesteps: 2", `w.yaml: input is missing; write for example "input: {channels: 2, height: 32, width: 32, encoding: event}"`},
		{"input: {channels: 2, height: 8, width: 8, encoding: event}\ntimesteps: 2", `w.yaml: layers is missing; write for example "layers: 16C3-16AP2-10FC"`},
		{"input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: 3FC-2FC", `w.yaml: timesteps is missing; write for example "timesteps: 10"`},
		{minimal + "bach: 3", `w.yaml:4: bach: is not a key (did you mean "batch"?); there are name, dataset, timesteps, batch, layers, input, neuron, training, dropout, activity`},
		{minimal + "neuron:\n  leek: 3", `w.yaml:5: neuron.leek: is not a key (did you mean "leak"?); there are leak, reset, threshold, surrogate_width, surrogate, input_gain, offset, synapse_leak, synapse_gain, hard_reset, reset_gradient, adaptation`},
		{minimal + "training: {lr: 3}", `w.yaml:4: training.lr: is not a key; there are loss, optimizer, learning_rate, momentum, beta1, beta2, rho, epsilon, classifier, readout, classifier_bias, rule`},
		{minimal + "activity:\n  layer: 0.1", `w.yaml:5: activity.layer: is not a key (did you mean "layers"?); there are input, layers, classifiers`},
		{"zz: 1\naa: 2\nmm: 3\ninput: {channels: 1}", "w.yaml:1: zz: is not a key; there are name, dataset, timesteps, batch, layers, input, neuron, training, dropout, activity"},
		{minimal + "neuron: {zz: 1, leak: 2, aa: 3}", "w.yaml:4: neuron.zz: is not a key; there are leak, reset, threshold, surrogate_width, surrogate, input_gain, offset, synapse_leak, synapse_gain, hard_reset, reset_gradient, adaptation"},
		{minimal + "---\ninput: {}", "w.yaml:5: a second document; a workload file is one"},
		{minimal + "activity:\n  input: [0.1]", "w.yaml:5: activity.input: is not a density; write a decimal between 0 and 1, such as 0.1"},
		{minimal + "classes: 5", `w.yaml:4: classes: is not a workload key; the last FC gives the classes, and dataset the samples`},
		{minimal + "samples: 5", `w.yaml:4: samples: is not a workload key; the last FC gives the classes, and dataset the samples`},
		{minimal + "batch: many", "w.yaml:4: batch: is not a number"},
		{minimal + "batch: 1.5", "w.yaml:4: batch: 1.5 is not a whole number between 1 and 2147483647"},
		{minimal + "batch: 99999999999999999999", "w.yaml:4: batch: 1e+20 is not a whole number between 1 and 2147483647"},
		{strings.Replace(minimal, "width: 8", "width: 2147483648", 1), "w.yaml:1: input.width: 2.147483648e+09 is not a whole number between 1 and 2147483647"},
		{minimal + "batch: 0", "w.yaml:4: batch: batch is 0; it must be between 1 and 2147483647"},
		{minimal + "name: [a]", "w.yaml:4: name: is not text"},
		{minimal + "neuron: 3", "w.yaml:4: neuron: is of type integer; write a mapping"},
		{minimal + "dataset: cifar", `w.yaml:4: dataset: no dataset "cifar" (did you mean "cifar10"?); there are cifar10, cifar10-dvs, dvsgesture, emnist, mnist, n-caltech101, tiny-es-imagenet`},
		{minimal + "neuron: {leak: 1.1}", "w.yaml:4: neuron.leak: leak is 1.1; it must be between 0 and 1"},
		{minimal + "neuron: {leak: .nan}", "w.yaml:4: neuron.leak: leak is NaN; it must be between 0 and 1"},
		{minimal + "neuron: {reset: -1}", "w.yaml:4: neuron.reset: reset is -1; it must be at least 0 and below 1e+06"},
		{minimal + "neuron: {threshold: 0}", "w.yaml:4: neuron.threshold: threshold is 0; it must be above 0 and below 1e+06"},
		{minimal + "neuron: {surrogate_width: 0}", "w.yaml:4: neuron.surrogate_width: surrogate_width is 0; it must be above 0 and below 1e+06"},
		{minimal + "training: {learning_rate: .inf}", "w.yaml:4: training.learning_rate: learning_rate is +Inf; it must be above 0 and below 1e+06"},
		{minimal + "training: {learning_rate: 1e6}", "w.yaml:4: training.learning_rate: learning_rate is 1e+06; it must be above 0 and below 1e+06"},
		{minimal + "neuron:\n  leak: 0.5\n  threshold: 2e6", "w.yaml:6: neuron.threshold: threshold is 2e+06; it must be above 0 and below 1e+06"},
		{minimal + "training: {epsilon: 1}", "w.yaml:4: training.epsilon: epsilon is 1; it must be above 0 and below 1"},
		{minimal + "training: {rho: 1}", "w.yaml:4: training.rho: rho is 1; it must be at least 0 and below 1"},
		{minimal + "training: {momentum: 1}", "w.yaml:4: training.momentum: momentum is 1; it must be at least 0 and below 1"},
		{minimal + "training: {loss: l1}", `w.yaml:4: training.loss: loss "l1"; write mse or ce`},
		{minimal + "training: {optimizer: rms}", `w.yaml:4: training.optimizer: optimizer "rms"; write sgd or adam or rmsprop`},
		{minimal + "training: {classifier: frozen}", `w.yaml:4: training.classifier: classifier "frozen"; write trainable or random`},
		{minimal + "dropout: 1", "w.yaml:4: dropout: dropout is 1; it must be at least 0 and below 1"},
		{minimal + "activity: 1.5", `w.yaml:4: activity: density "1.5" is outside 0..1` + density},
		{minimal + "activity: dense", `w.yaml:4: activity: density "dense" is not a decimal number` + density},
		{minimal + "activity: [0.1]", "w.yaml:4: activity: is of type sequence; write a mapping"},
		{minimal + "activity:\n  input: -0.1", `w.yaml:5: activity.input: density "-0.1" is outside 0..1` + density},
		{minimal + "activity:\n  input: 0.1\n  layers:\n  - 0.1\n  - 2\n  - 0.1", `w.yaml:8: activity.layers[1]: density "2" is outside 0..1` + density},
		{minimal + "activity:\n  classifiers: x", `w.yaml:5: activity.classifiers: density "x" is not a decimal number` + density},
		{minimal + "activity: {layers: [0.1]}", "w.yaml:4: activity: layers has 1 densities; this network has 3 trainable layers before the classifier"},
		{minimal + "activity: {classifiers: [0.1, 0.1, 0.1, 0.1]}", "w.yaml:4: activity: classifiers has 4 densities; write one, or one per local block"},
		{minimal + "activity: {classifiers: []}", "w.yaml:4: activity: classifiers has 0 densities; write one, or one per local block"},
		{"timesteps: 6\nlayers: 96C-5FC\ninput: {channels: 2, height: 8, width: 8, encoding: event}", `w.yaml:2: layers: token 1 "96C" has no kernel size; write 96C3`},
		{"timesteps: 6\nlayers: 9FC-5FC\ninput: {channels: 2, height: 8, width: 8}", `w.yaml:3: input: encoding ""; write event or direct`},
		{"timesteps: 6\nlayers: 9FC-5FC\ninput: {channels: 2, width: 8, encoding: event}", "w.yaml:3: input: input height is 0; it must be between 1 and 2147483647"},
		{"timesteps: 6\nlayers: 9FC-5FC\ninput:\n  channels: 0.5", "w.yaml:4: input.channels: 0.5 is not a whole number between 1 and 2147483647"},
		{"timesteps: 0\nlayers: 9FC-5FC\ninput: {channels: 2, height: 8, width: 8, encoding: event}", "w.yaml:1: timesteps: timesteps is 0; it must be between 1 and 2147483647"},
		{"timesteps: 2147483647\nbatch: 2147483647\nlayers: 9FC-5FC\ninput: {channels: 2, height: 8, width: 8, encoding: event}", "w.yaml:3: layers: layer 1 at batch 2147483647 and T = 2147483647: size overflows 64 bits"},
	} {
		if _, err := Read([]byte(c.text), "w.yaml"); err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	for _, text := range []string{minimal + "batch: 1\nbatch: 2", minimal + "name: \"x\nbatch: 2", "a: b: c\n", minimal + "neuron:\n\tleak: 1"} {
		_, err := Read([]byte(text), "w.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), "w.yaml:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(path, []byte(minimal), 0o644); err != nil {
		t.Fatal(err)
	}
	if w := open(t, path); w.Name != "mine" {
		t.Errorf("name %q", w.Name)
	}
	for _, name := range Nets() {
		if w := open(t, name); w.Name != name || w.Batch != 128 || (w.Dataset == "") == slices.Contains(ofTable2, name) {
			t.Errorf("%s: %+v", name, w)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"lenet", `no network "lenet" (did you mean "lenet1"?); there are alexnet, lenet1, lenet2, resnet18, shd-rnn, vgg11, or name a workload file`},
		{"transformer", `no network "transformer"; there are alexnet, lenet1, lenet2, resnet18, shd-rnn, vgg11, or name a workload file`},
		{filepath.Join(dir, "no.yaml"), "workload file: open " + filepath.Join(dir, "no.yaml") + ": no such file or directory"},
	} {
		if _, err := Open(c.name); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// Table 1, as PAPER.md prints it.
func TestDatasets(t *testing.T) {
	for _, c := range []struct {
		name               string
		encoding           Encoding
		channels           int
		timesteps, classes int
		samples, batch     int
		leak, threshold    float64
		optimizer          string
		rate, dropout      float64
	}{
		{"mnist", Direct, 1, 20, 10, 60000, 1024, 0.9, 0.5, SGD, 0.3, 0},
		{"emnist", Direct, 1, 20, 47, 112800, 1024, 0.9, 0.5, SGD, 0.3, 0},
		{"dvsgesture", Event, 2, 60, 11, 1176, 32, 0.3, 0.3, SGD, 0.05, 0.1},
		{"cifar10", Direct, 3, 10, 10, 50000, 128, 0.8, 0.4, SGD, 0.15, 0.1},
		{"cifar10-dvs", Event, 2, 100, 10, 9000, 128, 0.8, 0.4, SGD, 0.2, 0.1},
		{"n-caltech101", Event, 2, 60, 101, 8709, 128, 0.5, 0.5, Adam, 0.0002, 0.1},
		{"tiny-es-imagenet", Event, 2, 8, 200, 100000, 512, 0.5, 0.6, Adam, 0.0005, 0},
	} {
		d, err := LookupDataset(c.name)
		if err != nil {
			t.Fatal(err)
		}
		want := Dataset{
			Name: c.name, Input: Shape{c.channels, d.Input.Height, d.Input.Width}, Encoding: c.encoding,
			Timesteps: c.timesteps, Classes: c.classes, Samples: c.samples, Batch: c.batch, Dropout: c.dropout,
			Neuron: Neuron{Leak: c.leak, Reset: 0.3, Threshold: c.threshold, SurrogateWidth: 0.5},
			Training: Training{
				Loss: MSE, Optimizer: c.optimizer, LearningRate: c.rate, Momentum: 0.9,
				Beta1: 0.9, Beta2: 0.999, Rho: 0.99, Epsilon: 1e-8, Classifier: Trainable,
			},
		}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", c.name, diff)
		}
	}
	if len(Datasets()) != 7 {
		t.Errorf("there are %v", Datasets())
	}
}

func TestSetDataset(t *testing.T) {
	w := open(t, "alexnet")
	w.Training.Classifier = Random
	if err := w.SetDataset("cifar10"); err != nil {
		t.Fatal(err)
	}
	if w.Net.Input != (Shape{3, 32, 32}) || w.Net.Encoding != Direct || w.Net.Classes != 10 || w.Timesteps != 10 || w.Samples != 50000 {
		t.Errorf("%+v %+v", w, w.Net)
	}
	if w.Training.LearningRate != 0.15 || w.Training.Loss != MSE || w.Training.Classifier != Random || w.Batch != 128 {
		t.Errorf("loss, classifier and batch stay, the rest is Table 1's: %+v, batch %d", w.Training, w.Batch)
	}
	if got := w.Net.Layer(1).Weights(); got != 3*96*9 {
		t.Errorf("the first layer has %d weights", got)
	}
	vgg := open(t, "vgg11")
	if err := vgg.SetDataset("mnist"); err != nil {
		t.Fatal(err)
	}
	if vgg.Training.Loss != CrossEntropy || vgg.Net.Input != (Shape{1, 64, 64}) || !vgg.Net.Layer(10).BatchNorm {
		t.Errorf("height, width, loss and batch norm stay: %+v %v", vgg.Training, vgg.Net.Input)
	}
}

func TestSetDatasetKeepsWhatTable1DoesNotName(t *testing.T) {
	w := read(t, minimal+"neuron: {hard_reset: 0, surrogate: atan, synapse_leak: 0.5}\n"+
		"training: {readout: potential, classifier_bias: true, rule: {update: iteration, backward_steps: 2}}\n")
	neuron, training := w.Neuron, w.Training
	if err := w.SetDataset("emnist"); err != nil {
		t.Fatal(err)
	}
	d, err := LookupDataset("emnist")
	if err != nil {
		t.Fatal(err)
	}
	neuron.Leak, neuron.Reset, neuron.Threshold, neuron.SurrogateWidth = d.Neuron.Leak, d.Neuron.Reset, d.Neuron.Threshold, d.Neuron.SurrogateWidth
	if w.Neuron != neuron {
		t.Errorf("neuron %+v, want %+v", w.Neuron, neuron)
	}
	if w.Training.Readout != training.Readout || !w.Training.ClassifierBias || w.Training.Rule != training.Rule {
		t.Errorf("training %+v", w.Training)
	}
}

func TestSetDatasetChangesTheClassifierOnly(t *testing.T) {
	w := read(t, strings.Replace(minimal, "12FC-5FC", "12FCx3", 1))
	if err := w.SetDataset("emnist"); err != nil {
		t.Fatal(err)
	}
	if w.Net.N() != 4 || w.Net.Layer(4).Out.Size() != 12 || w.Net.Classes != 47 {
		t.Errorf("%s", w.Net.Text)
	}
}

func TestSetDatasetErrors(t *testing.T) {
	w := open(t, "alexnet")
	if err := w.SetDataset("imagenet"); err == nil || !strings.HasPrefix(err.Error(), `no dataset "imagenet"`) {
		t.Errorf("%v", err)
	}
	identity := read(t, strings.Replace(strings.Replace(minimal, "channels: 2", "channels: 1", 1), "4C3-4AP2-6C3", "1RB", 1))
	if err := identity.SetDataset("emnist"); err == nil || !strings.HasPrefix(err.Error(), `tiny on emnist: token 1 "1RB" adds directly encoded input`) {
		t.Errorf("%v", err)
	}
}

func TestSetActivity(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	w := read(t, minimal)
	if err := w.SetActivity("0.25"); err != nil || list(w.Activity.Layers) != "0.25 0.25 0.25" || w.Activity.Input.String() != "0.25" {
		t.Errorf("a number is for every density: %v, %v", w.Activity, err)
	}
	if err := w.SetActivity(file("a.yaml", "input: 0.5\nlayers: [0.1, 0.2, 0.3]\nclassifiers: 0.4\n")); err != nil ||
		w.Activity.Input.String() != "0.5" || list(w.Activity.Layers) != "0.1 0.2 0.3" || list(w.Activity.Classifiers) != "0.4" {
		t.Errorf("file: %v, %v", w.Activity, err)
	}
	bad, short := file("b.yaml", "input: 0.5\nlayers: [0.1, 0.2, 7]\n"), file("c.json", `{"layers": [0.1]}`)
	number := file("d.yaml", "2\n")
	for _, c := range []struct{ value, want string }{
		{"1.5", `density "1.5" is outside 0..1; write a decimal between 0 and 1, such as 0.1, or the name of an activity file`},
		{bad, bad + `:2: layers[2]: density "7" is outside 0..1; write a decimal between 0 and 1, such as 0.1`},
		{short, short + ": layers has 1 densities; this network has 3 trainable layers before the classifier"},
		{number, number + `:1: density "2" is outside 0..1; write a decimal between 0 and 1, such as 0.1`},
		{"no/file", "activity file: open no/file: no such file or directory"},
		{"no.json", "activity file: open no.json: no such file or directory"},
		{file("e.yaml", "in: 0.1\n"), filepath.Join(dir, "e.yaml") + `:1: in: is not a key; there are input, layers, classifiers`},
	} {
		if err := w.SetActivity(c.value); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.value, err, c.want)
		}
	}
}

func TestCheckAfterFlags(t *testing.T) {
	w := read(t, minimal)
	if err := w.Check(); err != nil {
		t.Error(err)
	}
	w.Batch = 0
	if err := w.Check(); err == nil || err.Error() != "batch: batch is 0; it must be between 1 and 2147483647" {
		t.Errorf("%v", err)
	}
}

func TestIntervalsThatFit(t *testing.T) {
	if diff := cmp.Diff([]int{1, 2, 4, 5, 10, 20, 25, 50, 100}, Divisors(100)); diff != "" {
		t.Error(diff)
	}
	w := read(t, minimal)
	for _, k := range []int{1, 2, 3, 6} {
		if err := w.CheckInterval(k); err != nil {
			t.Errorf("k = %d: %v", k, err)
		}
	}
	for _, k := range []int{-1, 0, 4, 12} {
		if err := w.CheckInterval(k); err == nil || !strings.HasSuffix(err.Error(), "does not divide T = 6; k may be 1, 2, 3, 6") {
			t.Errorf("k = %d: %v", k, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(minimal)
	f.Add(minimal + "activity: {input: 0.5, layers: [0.1, 0.2, 0.3], classifiers: 0.4}\nneuron: {leak: 0.5}\n")
	f.Add("timesteps: &t 4\nbatch: *t\nactivity: {layers: [&a 0.1], classifiers: *a}\n" + minimal)
	for _, name := range Nets() {
		text, err := builtin.ReadFile("nets/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Read([]byte(text), "fuzz.yaml")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.yaml:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error without a place, or of several lines: %v", err)
			}
			return
		}
		if err := w.Check(); err != nil {
			t.Errorf("read, but refused: %v", err)
		}
		if len(w.Activity.Layers) != w.Net.N() {
			t.Errorf("%d densities of %d layers", len(w.Activity.Layers), w.Net.N())
		}
	})
}
