package network

import (
	"embed"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// Loss functions, optimizers and classifiers that a workload may name.
const (
	MSE          = "mse" // Eq. 3
	CrossEntropy = "ce"  // on mean firing rates

	Trainable = "trainable"
	Random    = "random"
)

var losses, classifiers = []string{MSE, CrossEntropy}, []string{Trainable, Random}

// Training holds the hyper-parameters of Table 1.
type Training struct {
	Loss         string
	Optimizer    string
	LearningRate float64
	Momentum     float64
	Beta1, Beta2 float64 // Adam
	Rho          float64 // RMSprop
	Epsilon      float64 // Adam and RMSprop
	Classifier   string
	// Readout, ClassifierBias and Rule go beyond the paper's.
	Readout        Readout `json:",omitzero"`
	ClassifierBias bool    `json:",omitzero"`
	Rule           Rule    `json:",omitzero"`
	RuleName       string  `json:",omitzero"` // of a rule that was applied to the workload
}

// Activity holds the densities of non-zero values (alpha of Eqs. 15 and 16).
type Activity struct {
	Input       units.Density   // a^0
	Layers      []units.Density // a^1..a^N, after pooling (and addition)
	Classifiers []units.Density // none: a^l of each block's last layer; one; or one per block
}

// Workload is everything that `run` and `train` need to know of the task.
type Workload struct {
	Name      string
	Dataset   string // "" if none
	Samples   int    // training samples of the dataset, 0 if none
	Net       *Network
	Timesteps int
	Batch     int
	OwnBatch  bool // a user's file gives the batch
	Neuron    Neuron
	Training  Training
	Dropout   float64
	Activity  Activity
}

// Defaults of PAPER.md: the EMNIST column with MSE and SGD, Adam's of Kingma and
// Ba (2015), and PyTorch's for RMSprop.
var (
	defaultNeuron   = Neuron{Leak: 0.9, Reset: 0.3, Threshold: 0.5, SurrogateWidth: 0.5}
	defaultTraining = Training{
		Loss: MSE, Optimizer: SGD, LearningRate: 0.3, Momentum: 0.9,
		Beta1: 0.9, Beta2: 0.999, Rho: 0.99, Epsilon: 1e-8, Classifier: Trainable,
	}
	defaultDensity = mustDensity("0.1")
)

const defaultBatch = 128

func mustDensity(text string) units.Density {
	d, err := units.ParseDensity(text)
	if err != nil {
		panic(err) // a constant of this package
	}
	return d
}

// Uniform returns the activity with every density equal to d.
func Uniform(d units.Density, layers int) Activity {
	a := Activity{Input: d, Layers: make([]units.Density, layers)}
	for i := range a.Layers {
		a.Layers[i] = d
	}
	return a
}

// Of returns the density of layer l's output; l may be [InputLayer].
func (a Activity) Of(l int) units.Density {
	if l == InputLayer {
		return a.Input
	}
	return a.Layers[l-1]
}

// Classifier returns the density of the input of b's classifier, when the
// network has the given number of blocks.
func (a Activity) Classifier(b Block, blocks int) units.Density {
	switch {
	case len(a.Classifiers) == 1:
		return a.Classifiers[0]
	case len(a.Classifiers) == blocks:
		return a.Classifiers[b.Index-1]
	}
	return a.Of(b.Last)
}

// ClassifiersFit tells whether the list of classifier densities can be used
// with that many blocks; [Activity.Classifier] ignores it otherwise.
func (a Activity) ClassifiersFit(blocks int) bool {
	return len(a.Classifiers) <= 1 || len(a.Classifiers) == blocks
}

// activityFile is what a file says of densities: one for all, or some.
type activityFile struct {
	all                 *units.Density // written instead of a mapping
	input               *units.Density
	layers, classifiers []units.Density // nil: not given
}

// activityKeys are densities as a file has them.
type activityKeys struct {
	Input       *config.Node `yaml:"input" is:"density"`
	Layers      *config.Node `yaml:"layers" is:"densities"`
	Classifiers *config.Node `yaml:"classifiers" is:"densities"`
}

// readActivity reads one decimal for every density, or a mapping.
func readActivity(d *config.Document, n *config.Node, section string) (*activityFile, error) {
	f := &activityFile{}
	if n.Kind == config.Scalar {
		all, err := readDensity(d, n, section)
		f.all = &all
		return f, err
	}
	var keys activityKeys
	if err := d.DecodeNode(n, section, &keys); err != nil {
		return nil, err
	}
	if section != "" {
		section += "."
	}
	if keys.Input != nil {
		input, err := readDensity(d, keys.Input, section+"input")
		if err != nil {
			return nil, err
		}
		f.input = &input
	}
	var err error
	if f.layers, err = readDensities(d, keys.Layers, section+"layers"); err != nil {
		return nil, err
	}
	f.classifiers, err = readDensities(d, keys.Classifiers, section+"classifiers")
	return f, err
}

// readDensity reads a decimal as it is written.
func readDensity(d *config.Document, n *config.Node, key string) (units.Density, error) {
	if n.Kind != config.Scalar {
		return units.Density{}, d.At(n.Line, key, "is not a density; write a decimal between 0 and 1, such as 0.1")
	}
	density, err := units.ParseDensity(n.Text)
	if err != nil {
		return density, d.At(n.Line, key, "%w", err)
	}
	return density, nil
}

// readDensities reads one decimal or a list; there may be neither.
func readDensities(d *config.Document, n *config.Node, key string) ([]units.Density, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.Kind != config.Sequence:
		density, err := readDensity(d, n, key)
		return []units.Density{density}, err
	}
	list := make([]units.Density, len(n.Items))
	for i, item := range n.Items {
		var err error
		if list[i], err = readDensity(d, item, fmt.Sprintf("%s[%d]", key, i)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// file is the YAML form of a workload, a built-in network or a dataset.
// Pointers tell a missing key from a zero. Whole numbers are read as float64, so
// that 1e3 is one; see [file.whole]. Unlisted keys are a dataset's only.
type file struct {
	Name      string       `yaml:"name"`
	Dataset   *string      `yaml:"dataset" is:"dataset"`
	Classes   *float64     `yaml:"classes,unlisted"`
	Samples   *float64     `yaml:"samples,unlisted"`
	Timesteps *float64     `yaml:"timesteps" is:"count"`
	Batch     *float64     `yaml:"batch" is:"count"`
	Layers    *config.Node `yaml:"layers" is:"layers"`
	Input     *struct {
		Channels float64  `yaml:"channels" is:"count"`
		Height   float64  `yaml:"height" is:"count"`
		Width    float64  `yaml:"width" is:"count"`
		Encoding Encoding `yaml:"encoding" is:"encoding"`
	} `yaml:"input"`
	Neuron   neuronFile `yaml:"neuron" is:"neuron"`
	Training struct {
		Loss         *string  `yaml:"loss" is:"loss"`
		Optimizer    *string  `yaml:"optimizer" is:"optimizer"`
		LearningRate *float64 `yaml:"learning_rate"`
		Momentum     *float64 `yaml:"momentum"`
		Beta1        *float64 `yaml:"beta1"`
		Beta2        *float64 `yaml:"beta2"`
		Rho          *float64 `yaml:"rho"`
		Epsilon      *float64 `yaml:"epsilon"`
		Classifier   *string  `yaml:"classifier" is:"classifier"`

		Readout        *config.Node `yaml:"readout" is:"readout"`
		ClassifierBias *config.Node `yaml:"classifier_bias" is:"flag"`
		Rule           ruleFile     `yaml:"rule" is:"rule"`
	} `yaml:"training"`
	Dropout  *float64     `yaml:"dropout" is:"fraction"`
	Activity *config.Node `yaml:"activity" is:"activity"`
}

//go:embed nets/*.yaml datasets/*.yaml rules/*.yaml
var builtin embed.FS

func builtinNames(dir string) []string {
	entries, _ := builtin.ReadDir(dir) // embedded: cannot fail
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(names)
	return names
}

// Nets returns the names of the built-in networks, sorted.
func Nets() []string { return builtinNames("nets") }

// Datasets returns the names of the built-in datasets, sorted.
func Datasets() []string { return builtinNames("datasets") }

// Dataset is the shape of a dataset and Table 1's column for it.
type Dataset struct {
	Name      string
	Input     Shape // as recorded; networks bring their own height and width
	Encoding  Encoding
	Timesteps int
	Classes   int
	Samples   int // for training
	Batch     int // Table 1; `run` uses 128 everywhere
	Neuron    Neuron
	Training  Training
	Dropout   float64
}

// LookupDataset returns a built-in dataset.
func LookupDataset(name string) (Dataset, error) {
	text, err := builtin.ReadFile("datasets/" + name + ".yaml")
	if err != nil {
		return Dataset{}, fmt.Errorf("no dataset %q%s; there are %s", name, spelling.Suggest(name, Datasets()), strings.Join(Datasets(), ", "))
	}
	var f file
	doc, err := decode(text, name, "a dataset", &f)
	if err != nil {
		return Dataset{}, err
	}
	d := Dataset{
		Name: f.Name, Input: f.shape(), Encoding: f.Input.Encoding,
		Timesteps: int(*f.Timesteps), Classes: int(*f.Classes), Samples: int(*f.Samples), Batch: int(*f.Batch),
		Neuron: defaultNeuron, Training: defaultTraining, Dropout: *f.Dropout,
	}
	return d, f.fill(doc, &d.Neuron, &d.Training, &d.Dropout)
}

// whole refuses fractions and sizes far out of range. It names the key.
func (f *file) whole() (key string, err error) {
	for _, v := range []struct {
		key   string
		value *float64
	}{
		{"timesteps", f.Timesteps},
		{"batch", f.Batch},
		{"input.channels", &f.Input.Channels},
		{"input.height", &f.Input.Height},
		{"input.width", &f.Input.Width},
	} {
		if v.value != nil && (*v.value != math.Trunc(*v.value) || math.Abs(*v.value) > maxNumber) {
			return v.key, fmt.Errorf("%v is not a whole number between 1 and %d", *v.value, maxNumber)
		}
	}
	return "", nil
}

func (f *file) shape() Shape {
	return Shape{int(f.Input.Channels), int(f.Input.Height), int(f.Input.Width)}
}

// fill overwrites what the file names.
func (f *file) fill(d *config.Document, n *Neuron, t *Training, dropout *float64) error {
	for _, p := range []struct{ from, to *float64 }{
		{f.Training.LearningRate, &t.LearningRate},
		{f.Training.Momentum, &t.Momentum},
		{f.Training.Beta1, &t.Beta1},
		{f.Training.Beta2, &t.Beta2},
		{f.Training.Rho, &t.Rho},
		{f.Training.Epsilon, &t.Epsilon},
		{f.Dropout, dropout},
	} {
		if p.from != nil {
			*p.to = *p.from
		}
	}
	for _, p := range []struct{ from, to *string }{
		{f.Training.Loss, &t.Loss}, {f.Training.Optimizer, &t.Optimizer}, {f.Training.Classifier, &t.Classifier},
	} {
		if p.from != nil {
			*p.to = *p.from
		}
	}
	if f.Training.Readout != nil {
		name, err := pick(d, f.Training.Readout, "training.readout", readouts())
		if err != nil {
			return err
		}
		t.Readout = readoutOf(name)
	}
	if f.Training.ClassifierBias != nil {
		on, err := readFlag(d, f.Training.ClassifierBias, "training.classifier_bias")
		if err != nil {
			return err
		}
		t.ClassifierBias = on
	}
	if err := f.Training.Rule.fill(d, "training.rule", &t.Rule); err != nil {
		return err
	}
	if err := f.Neuron.fill(d, "neuron", n); err != nil {
		return err
	}
	if list := n.Arrays.List(); len(list) > 0 {
		return d.On("neuron."+list[0].String(), "is array: classifiers have the file's neuron, and one value; write it into the neuron of a layer")
	}
	return nil
}

// Open returns the built-in network of that name, or reads a workload file. A
// name with a path separator or an extension is a file.
func Open(name string) (*Workload, error) {
	text, filename, err := Source(name)
	if err != nil {
		return nil, err
	}
	w, err := Read(text, filename)
	if err == nil && slices.Contains(Nets(), name) {
		w.OwnBatch = false // 128 everywhere
	}
	return w, err
}

// Source returns the text of the built-in network of that name, or of a
// workload file, and the file's name for errors.
func Source(name string) (text []byte, filename string, err error) {
	text, err = builtin.ReadFile("nets/" + name + ".yaml")
	if err == nil {
		return text, name + ".yaml", nil
	}
	looksLikeFile := strings.ContainsAny(name, `/\.`)
	text, err = input.Text(name)
	switch {
	case err == nil:
		return text, name, nil
	case looksLikeFile || !errors.Is(err, os.ErrNotExist):
		return nil, "", fmt.Errorf("workload file: %w", err)
	}
	return nil, "", fmt.Errorf("no network %q%s; there are %s, or name a workload file", name, spelling.Suggest(name, Nets()), strings.Join(Nets(), ", "))
}

// Read parses a workload file (YAML, of which JSON is a part). Errors name
// file, line and key.
func Read(text []byte, filename string) (*Workload, error) {
	var f file
	doc, err := decode(text, filename, "a workload file", &f)
	if err != nil {
		return nil, err
	}
	at := func(key string, err error) error { return doc.On(key, "%w", err) }
	for _, required := range []struct {
		key     string
		missing bool
		example string
	}{
		{"input", f.Input == nil, "input: {channels: 2, height: 32, width: 32, encoding: event}"},
		{"layers", f.Layers == nil, "layers: 16C3-16AP2-10FC"},
		{"timesteps", f.Timesteps == nil, "timesteps: 10"},
	} {
		if required.missing {
			return nil, fmt.Errorf("%s: %s is missing; write for example %q", filename, required.key, required.example)
		}
	}
	for _, foreign := range []struct {
		key   string
		given bool
	}{{"classes", f.Classes != nil}, {"samples", f.Samples != nil}} {
		if foreign.given {
			return nil, at(foreign.key, errors.New("is not a workload key; the last FC gives the classes, and dataset the samples"))
		}
	}
	if key, err := f.whole(); err != nil {
		return nil, at(key, err)
	}
	w := &Workload{
		Name: f.Name, Batch: defaultBatch, Timesteps: int(*f.Timesteps),
		Neuron: defaultNeuron, Training: defaultTraining,
	}
	if w.Name == "" {
		base := filepath.Base(filename)
		w.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	w.Name = input.Printable(strings.TrimSpace(w.Name)) // every table and title has it
	if f.Dataset != nil && *f.Dataset != "" {
		d, err := LookupDataset(*f.Dataset)
		if err != nil {
			return nil, at("dataset", err)
		}
		w.Dataset, w.Samples = d.Name, d.Samples
		w.Neuron, w.Training, w.Dropout = d.Neuron, d.Training, d.Dropout
		w.Training.Loss = MSE
	}
	if f.Batch != nil {
		w.Batch, w.OwnBatch = int(*f.Batch), true
	}
	if err := f.fill(doc, &w.Neuron, &w.Training, &w.Dropout); err != nil {
		return nil, err
	}
	switch f.Layers.Kind {
	case config.Sequence:
		if err := checkInput(f.shape(), f.Input.Encoding); err != nil {
			return nil, at("input", err)
		}
		r := &listReader{doc: doc, input: f.shape(), neuron: w.Neuron}
		w.Net, err = r.read(f.Layers, "layers", f.Input.Encoding)
		if err != nil && !strings.HasPrefix(err.Error(), doc.File+":") {
			err = at("layers", err)
		}
		if err != nil {
			return nil, err
		}
	case config.Scalar:
		w.Net, err = Parse(f.Layers.Text, f.shape(), f.Input.Encoding)
	default:
		return nil, doc.At(f.Layers.Line, "layers", "is neither Table 2's notation nor a list of layers")
	}
	if err != nil {
		key := "layers"
		if strings.HasPrefix(err.Error(), "input") || strings.HasPrefix(err.Error(), "encoding") {
			key = "input"
		}
		return nil, at(key, err)
	}
	w.Activity = Uniform(defaultDensity, w.Net.N())
	if f.Activity != nil {
		activity, err := readActivity(doc, f.Activity, "activity")
		if err != nil {
			return nil, err
		}
		if err := w.setActivity(activity); err != nil {
			return nil, at("activity", err)
		}
	}
	if key, err := w.check(); err != nil {
		return nil, at(key, err)
	}
	return w, nil
}

// decode reads the one document of a file into a struct.
func decode(text []byte, filename, what string, into any) (*config.Document, error) {
	d, err := config.Parse(text, filename, what)
	if err != nil {
		return nil, err
	}
	return d, d.Decode(into)
}

func (w *Workload) setActivity(f *activityFile) error {
	if f.all != nil {
		w.Activity = Uniform(*f.all, w.Net.N())
		return nil
	}
	if f.input != nil {
		w.Activity.Input = *f.input
	}
	if f.layers != nil {
		if len(f.layers) != w.Net.N() {
			return fmt.Errorf("layers has %d densities; this network has %d trainable layers before the classifier", len(f.layers), w.Net.N())
		}
		w.Activity.Layers = f.layers
	}
	if f.classifiers != nil {
		if n := len(f.classifiers); n == 0 || n > w.Net.N() {
			return fmt.Errorf("classifiers has %d densities; write one, or one per local block", n)
		}
		w.Activity.Classifiers = f.classifiers
	}
	return nil
}

// SetActivity overrides the densities: with a decimal for all of them, or with
// a file that holds the keys input, layers and classifiers.
func (w *Workload) SetActivity(value string) error {
	if d, err := units.ParseDensity(value); err == nil {
		w.Activity = Uniform(d, w.Net.N())
		return nil
	}
	text, filename, err := ActivitySource(value)
	if err != nil {
		return err
	}
	return w.ReadActivity(text, filename)
}

// ActivitySource returns the text of an activity file, and its name for errors.
func ActivitySource(name string) (text []byte, filename string, err error) {
	if text, err = input.Text(name); err == nil {
		return text, name, nil
	}
	if !errors.Is(err, os.ErrNotExist) || strings.ContainsAny(name, `/\`) || filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".json" {
		return nil, "", fmt.Errorf("activity file: %w", err)
	}
	_, err = units.ParseDensity(name)
	return nil, "", fmt.Errorf("%w, or the name of an activity file", err)
}

// ReadActivity overrides the densities with those of an activity file.
func (w *Workload) ReadActivity(text []byte, filename string) error {
	doc, err := config.Parse(text, filename, "an activity file")
	if err != nil {
		return err
	}
	f, err := readActivity(doc, doc.Root, "")
	if err != nil {
		return err
	}
	if err := w.setActivity(f); err != nil {
		return fmt.Errorf("%s: %w", filename, err)
	}
	return nil
}

// SetDataset gives the workload a dataset's T, encoding, channels, classes and
// column of Table 1. Height, width, loss, batch and classifier stay, and so does what
// Table 1 does not name: other parts of neurons, neurons of layers' own, readout, bias
// and rule.
func (w *Workload) SetDataset(name string) error {
	d, err := LookupDataset(name)
	if err != nil {
		return err
	}
	input := w.Net.Input
	input.Channels = d.Input.Channels
	net, err := w.Net.rebuild(input, d.Encoding, d.Classes)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", w.Name, name, err)
	}
	was := w.Training
	w.Net, w.Dataset, w.Samples, w.Timesteps = net, d.Name, d.Samples, d.Timesteps
	n := &w.Neuron
	n.Leak, n.Reset, n.Threshold, n.SurrogateWidth = d.Neuron.Leak, d.Neuron.Reset, d.Neuron.Threshold, d.Neuron.SurrogateWidth
	w.Training, w.Dropout = d.Training, d.Dropout
	w.Training.Loss, w.Training.Classifier = was.Loss, was.Classifier
	w.Training.Readout, w.Training.ClassifierBias, w.Training.Rule = was.Readout, was.ClassifierBias, was.Rule
	return nil
}

// Check refuses values that make no sense and sizes that overflow. It names
// the key.
func (w *Workload) Check() error {
	if key, err := w.check(); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (w *Workload) check() (key string, err error) {
	if key, err = w.Neuron.check(); err != nil {
		return "neuron." + key, err
	}
	for _, v := range []struct {
		key   string
		value int
	}{{"timesteps", w.Timesteps}, {"batch", w.Batch}} {
		if v.value < 1 || v.value > maxNumber {
			return v.key, fmt.Errorf("%s is %d; it must be between 1 and %d", v.key, v.value, maxNumber)
		}
	}
	for _, v := range []struct {
		section, name string
		value         float64
		accepted      interval
	}{
		{"training", "learning_rate", w.Training.LearningRate, interval{low: 0, high: 1e6, open: lower | upper}},
		{"training", "momentum", w.Training.Momentum, interval{low: 0, high: 1, open: upper}},
		{"training", "beta1", w.Training.Beta1, interval{low: 0, high: 1, open: upper}},
		{"training", "beta2", w.Training.Beta2, interval{low: 0, high: 1, open: upper}},
		{"training", "rho", w.Training.Rho, interval{low: 0, high: 1, open: upper}},
		{"training", "epsilon", w.Training.Epsilon, interval{low: 0, high: 1, open: lower | upper}},
		{"", "dropout", w.Dropout, interval{low: 0, high: 1, open: upper}},
	} {
		if !v.accepted.has(v.value) {
			return strings.TrimPrefix(v.section+"."+v.name, "."), fmt.Errorf("%s is %v; it must be %v", v.name, v.value, v.accepted)
		}
	}
	for _, v := range []struct {
		name, value string
		accepted    []string
	}{
		{"loss", w.Training.Loss, losses},
		{"optimizer", w.Training.Optimizer, Optimizers()},
		{"classifier", w.Training.Classifier, classifiers},
	} {
		if !slices.Contains(v.accepted, v.value) {
			return "training." + v.name, fmt.Errorf("%s %q; write %s", v.name, v.value, strings.Join(v.accepted, " or "))
		}
	}
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; w.Training.Rule.Trace == LeakTrace && w.NeuronOf(l).Arrays.Has(LeakParameter) {
			return "training.rule.trace", fmt.Errorf("is leak, and the leak of layer %d's neurons differs: what they read would need a trace for each; write a decay", l.Index)
		}
	}
	if w.Training.ClassifierBias && w.Training.Classifier == Random {
		return "training.classifier_bias", errors.New("is of classifiers that learn; random ones have none: write classifier: trainable")
	}
	return "layers", w.checkTotals()
}

// totalsFactor bounds how many times an iteration's counters may exceed one
// layer's product: reads, writes and sums over layers and classes of traffic.
const totalsFactor = 64

// checkTotals refuses workloads whose iteration counts would overflow.
func (w *Workload) checkTotals() error {
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		for _, product := range [][]int64{
			{l.DenseAdditions(), int64(w.Batch), int64(w.Timesteps), int64(w.Net.N()), totalsFactor},
			{int64(l.Weights()), int64(w.Batch), int64(w.Timesteps), int64(w.Net.N()), totalsFactor},
			{l.inputs(), int64(w.Batch), int64(w.Timesteps), int64(w.Net.N()), totalsFactor},
			{int64(l.Pooled.Size()), int64(w.Net.Classes), int64(w.Batch), int64(w.Timesteps), int64(w.Net.N()), totalsFactor},
		} {
			if _, err := units.Mul(product...); err != nil {
				return fmt.Errorf("layer %d at batch %d and T = %d: %w", l.Index, w.Batch, w.Timesteps, err)
			}
		}
	}
	return nil
}

// Divisors returns the divisors of T, ascending: the truncation intervals k
// that fit.
func Divisors(timesteps int) []int {
	var small, large []int
	for d := 1; d*d <= timesteps; d++ {
		if timesteps%d == 0 {
			small = append(small, d)
			if d*d != timesteps {
				large = append([]int{timesteps / d}, large...)
			}
		}
	}
	return append(small, large...)
}

// CheckInterval refuses a truncation interval that does not divide T.
func (w *Workload) CheckInterval(k int) error {
	if k >= 1 && w.Timesteps%k == 0 {
		return nil
	}
	return fmt.Errorf("k = %d does not divide T = %d; k may be %s", k, w.Timesteps, join(Divisors(w.Timesteps)))
}

func join(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}
