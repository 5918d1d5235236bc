package nir

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/hdf5"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Options say what a file of the NIR project has not.
type Options struct {
	Name      string  // of the workload
	Step      float64 // of time, in the unit of the file's tau (seconds); 0 if none was given
	Timesteps int
	Encoding  network.Encoding
	Reset     Reset
}

// Imported is a network as a workload file and its tensors.
type Imported struct {
	YAML     []byte
	Weights  tensors.Set
	Workload *network.Workload // what the file says
	Notes    []string          // what differs, or was taken to be meant
}

// importer writes a workload of a graph.
type importer struct {
	Options
	*layers
	notes []string
	file  map[string]parameter // the classifier's neuron, which is the file's
}

// Import makes a workload of a graph.
func (g *Graph) Import(o Options) (*Imported, error) {
	given := o.Step != 0
	if !given {
		o.Step = 1
	}
	ls, err := g.findLayers(o.Step)
	if err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if !given && (n.values["tau"] != nil || n.values["tau_mem"] != nil) {
			return nil, fmt.Errorf("%v has a time constant; say with --dt how long a step is, in seconds", n)
		}
	}
	im := &importer{Options: o, layers: ls, notes: append(slices.Clone(g.Notes), ls.notes...)}
	text, err := im.workload()
	if err != nil {
		return nil, err
	}
	w, err := network.Read([]byte(text), o.Name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("is a network that a workload file cannot say: %w", err)
	}
	weights, err := im.weights(w)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# From the NIR file %s: dt %v, reset %s.\n", input.Printable(o.Name), o.Step, o.Reset)
	for _, note := range im.notes {
		fmt.Fprintf(&b, "# %s\n", input.Printable(note))
	}
	return &Imported{YAML: []byte(b.String() + text), Weights: weights, Workload: w, Notes: im.notes}, nil
}

// workload writes the workload file.
func (im *importer) workload() (string, error) {
	shape, err := im.input.shape()
	if err != nil {
		return "", err
	}
	readout, neuron, err := im.classifierNeuron()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\n", strconv.Quote(im.Name))
	fmt.Fprintf(&b, "input: {channels: %d, height: %d, width: %d, encoding: %s}\n", shape.Channels, shape.Height, shape.Width, im.Encoding)
	fmt.Fprintf(&b, "timesteps: %d\n", im.Timesteps)
	if neuron != "" {
		fmt.Fprintf(&b, "neuron: %s\n", neuron)
	}
	var training []string
	if readout != "" {
		training = append(training, "readout: "+readout)
	}
	if im.classifierWeight().is(affineKind) {
		training = append(training, "classifier_bias: true")
	}
	if len(training) > 0 {
		fmt.Fprintf(&b, "training: {%s}\n", strings.Join(training, ", "))
	}
	b.WriteString("layers:\n")
	for _, l := range im.list {
		text, err := im.layer(l)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	weight := im.classifierWeight()
	classes, err := weight.outputs(2)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "  - fc: {out: %d}\n", classes)
	return b.String(), nil
}

func (im *importer) classifierWeight() *Node { return im.classifier.inputs[0].weight }

// shape is the input's: channels, channels and width, or channels, height and width.
func (n *Node) shape() (s network.Shape, err error) {
	d := n.values["shape"]
	if d == nil || d.Len() < 1 || d.Len() > 3 {
		return s, fmt.Errorf("%v: its shape is not of 1 to 3 extents", n)
	}
	extents, err := n.whole("shape", 1, d.Len())
	if err != nil {
		return s, err
	}
	switch len(extents) {
	case 1:
		return network.Shape{Channels: extents[0], Height: 1, Width: 1}, nil
	case 2:
		return network.Shape{Channels: extents[0], Height: 1, Width: extents[1]}, nil
	}
	return network.Shape{Channels: extents[0], Height: extents[1], Width: extents[2]}, nil
}

// classifierNeuron writes the neuron of the classifier, which is the file's, or how it
// is read out.
func (im *importer) classifierNeuron() (readout, neuron string, err error) {
	n := im.classifier.neuron
	if n.weighted() {
		return string(network.CurrentReadout), "", nil
	}
	classes, err := im.classifierWeight().outputs(2)
	if err != nil {
		return "", "", err
	}
	list, err := n.parameters(classes, im.Step, im.Reset)
	if err != nil {
		return "", "", err
	}
	for _, p := range list {
		if !p.uniform() {
			return "", "", fmt.Errorf("%v: the classifier's neurons differ (%s); a workload has one neuron for all of them", n, p.key)
		}
	}
	if n.is(leakyKind) {
		if list[1].values[0] != 1 || list[2].values[0] != 0 {
			return "", "", fmt.Errorf("%v: r dt/tau is %v and v_leak %v; potentials that are read out are those of 1 and 0", n, list[1].values[0], list[2].values[0])
		}
		return string(network.PotentialReadout), flow(list[:1]), nil
	}
	im.file = map[string]parameter{}
	list = withoutDefaults(list)
	for _, p := range list {
		im.file[p.key] = p
	}
	return "", flow(list), nil
}

// defaults are values that need not be written where the file has none.
var defaults = map[string]float64{"input_gain": 1, "offset": 0, "synapse_leak": 0, "synapse_gain": 1}

// withoutDefaults leaves out what a neuron has anyway. A current that leaks is kept.
func withoutDefaults(list []parameter) []parameter {
	return slices.DeleteFunc(list, func(p parameter) bool {
		v, ok := defaults[p.key]
		return ok && p.key != "synapse_leak" && p.uniform() && p.values[0] == v
	})
}

// neuronOf writes what of a layer's neuron differs from the file's.
func (im *importer) neuronOf(l *layer, count int) (string, error) {
	list, err := l.neuron.parameters(count, im.Step, im.Reset)
	if err != nil {
		return "", err
	}
	l.parameters = slices.Clone(list)
	has := map[string]bool{}
	for _, p := range list {
		has[p.key] = true
	}
	for _, key := range []string{"input_gain", "offset", "synapse_leak", "synapse_gain"} {
		if _, inherited := im.file[key]; inherited && !has[key] {
			list = append(list, parameter{key, []float64{defaults[key]}})
		}
	}
	differs := slices.DeleteFunc(list, func(p parameter) bool {
		f, ok := im.file[p.key]
		if !ok {
			v, isDefault := defaults[p.key]
			_, synapse := im.file["synapse_leak"]
			return isDefault && p.uniform() && p.values[0] == v && (p.key != "synapse_leak" || synapse)
		}
		return p.uniform() && p.values[0] == f.values[0]
	})
	if len(differs) == 0 {
		return "", nil
	}
	return flow(differs), nil
}

// layer writes an entry of the list of layers.
func (im *importer) layer(l *layer) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n", strconv.Quote(l.name()))
	entries := make([]string, len(l.inputs))
	counted := map[*Node]bool{}
	for i, p := range l.inputs {
		text, err := im.projection(l, p, counted)
		if err != nil {
			return "", err
		}
		entries[i] = text
	}
	if len(entries) == 1 {
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(entries[0], "\n", "\n    "))
	} else {
		b.WriteString("    inputs:\n")
		for _, e := range entries {
			fmt.Fprintf(&b, "      - {%s}\n", strings.ReplaceAll(e, "\n", ", "))
		}
	}
	if len(counted) > 1 {
		var biased []*Node
		for _, n := range im.list[l.index-1].inputs {
			if counted[n.weight] && !slices.Contains(biased, n.weight) {
				biased = append(biased, n.weight)
			}
		}
		im.notes = append(im.notes, fmt.Sprintf("the biases of %s are summed in %s; an export has one of them", names(biased), l.neuron.Name))
	}
	neuron, err := im.neuronOf(l, l.count())
	if err != nil {
		return "", err
	}
	if neuron != "" {
		fmt.Fprintf(&b, "    neuron: %s\n", neuron)
	}
	if l.pooled() {
		pool, err := l.pool.poolText()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "    pool: %s\n", pool)
	}
	return b.String(), nil
}

// count returns the neurons that the node's parameters are of: the most values that one
// has.
func (l *layer) count() int {
	n := 1
	for _, d := range l.neuron.values {
		if d.Class != hdf5.String {
			n = max(n, d.Len())
		}
	}
	return n
}

// name is what the workload calls a layer.
func (l *layer) name() string {
	const longest = 64
	name := l.neuron.Name
	if len(name) > longest || name == "input" || name == "self" {
		name = fmt.Sprintf("layer %d", l.index)
	}
	return name
}

// projection writes one projection of a layer, a key a line, and collects the nodes
// that have a bias.
func (im *importer) projection(l *layer, p projection, biased map[*Node]bool) (string, error) {
	var keys []string
	switch {
	case p.from == l:
		keys = append(keys, "from: self")
	case p.from == nil && l.index > 1:
		keys = append(keys, "from: input")
	case p.from != nil && p.from.index != l.index-1:
		keys = append(keys, "from: "+strconv.Quote(p.from.name()))
	}
	if p.delay {
		keys = append(keys, "delay: 1")
	}
	if p.weight == nil {
		return strings.Join(append(keys, "identity: true"), "\n"), nil
	}
	bias := ""
	if p.weight.values["bias"] != nil {
		bias, biased[p.weight] = ", bias: true", true
	}
	if p.weight.is(linearKind, affineKind) {
		out, err := p.weight.outputs(2)
		return strings.Join(append(keys, fmt.Sprintf("fc: {out: %d%s}", out, bias)), "\n"), err
	}
	conv, err := p.weight.convText(bias)
	return strings.Join(append(keys, conv), "\n"), err
}

// outputs returns the first extent of a weight with so many dimensions.
func (n *Node) outputs(dimensions int) (int, error) {
	d := n.values["weight"]
	if d == nil || len(d.Shape) != dimensions {
		return 0, fmt.Errorf("%v: its weight is not of %d dimensions", n, dimensions)
	}
	return d.Shape[0], nil
}

// convText writes a convolution.
func (n *Node) convText(bias string) (string, error) {
	axes := 2
	if n.is(conv1dKind) {
		axes = 1
	}
	out, err := n.outputs(2 + axes)
	if err != nil {
		return "", err
	}
	size := n.values["weight"].Shape[2:]
	kernel := network.Pair{Height: 1, Width: size[axes-1]}
	if axes == 2 {
		kernel.Height = size[0]
	}
	stride, err := n.pair("stride", 1, axes, 1)
	if err != nil {
		return "", err
	}
	dilation, err := n.pair("dilation", 1, axes, 1)
	if err != nil {
		return "", err
	}
	padding, err := n.padding(kernel, stride, dilation, axes)
	if err != nil {
		return "", err
	}
	groups, err := n.whole("groups", 1, 1)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("conv: {out: %d, kernel: %s", out, both(kernel))
	if stride != network.Square(1) {
		text += ", stride: " + both(stride)
	}
	text += ", padding: " + both(padding)
	if dilation != network.Square(1) {
		text += ", dilation: " + both(dilation)
	}
	if groups[0] > 1 {
		text += fmt.Sprintf(", groups: %d", groups[0])
	}
	return text + bias + "}", nil
}

// padding reads the padding, which may be a word.
func (n *Node) padding(kernel, stride, dilation network.Pair, axes int) (network.Pair, error) {
	word := text(n.values["padding"])
	reach := network.Pair{Height: dilation.Height * (kernel.Height - 1), Width: dilation.Width * (kernel.Width - 1)}
	switch {
	case word == "":
		return n.pair("padding", 0, axes, 0)
	case word == "valid":
		return network.Pair{}, nil
	case word == "same" && stride == network.Square(1) && reach.Height%2 == 0 && reach.Width%2 == 0:
		return network.Pair{Height: reach.Height / 2, Width: reach.Width / 2}, nil
	}
	return network.Pair{}, fmt.Errorf("%v: padding %q with this kernel and stride has no equal sides; numbers are wanted", n, word)
}

// both writes a size along both axes.
func both(p network.Pair) string { return fmt.Sprintf("[%d, %d]", p.Height, p.Width) }

// poolText writes pooling.
func (n *Node) poolText() (string, error) {
	var sizes [3]network.Pair
	for i, name := range []string{"kernel_size", "stride", "padding"} {
		var err error
		if sizes[i], err = n.pair(name, 1-i/2, 2, 1); err != nil {
			return "", err
		}
	}
	kind := network.SumPool
	if n.is(averageKind) {
		kind = network.AveragePool
	}
	text := fmt.Sprintf("{kind: %s, window: %s", kind, both(sizes[0]))
	if sizes[1] != sizes[0] {
		text += ", stride: " + both(sizes[1])
	}
	if sizes[2] != (network.Pair{}) {
		text += ", padding: " + both(sizes[2])
	}
	return text + "}", nil
}

// weights collects the tensors, in the shapes that the workload asks for.
func (im *importer) weights(w *network.Workload) (tensors.Set, error) {
	set := tensors.Set{}
	put := func(name string, n *Node, key string, shape ...int) error {
		t, rounded, err := n.tensor(key, shape)
		if rounded {
			im.notes = append(im.notes, fmt.Sprintf("%v: its %s was rounded to float32", n, key))
		}
		set[name] = t
		return err
	}
	for i, l := range im.list {
		g := &w.Net.Layers[i]
		if err := l.checkNeurons(g.Out); err != nil {
			return nil, err
		}
		for _, p := range l.parameters {
			if p.uniform() {
				continue
			}
			values := make([]float32, len(p.values))
			for at, v := range p.values {
				values[at] = float32(v)
			}
			set[fmt.Sprintf("%s%d", p.key, g.Index)] = tensors.Floats(values, tensors.NeuronShape(g)...)
		}
		biased := map[*Node]bool{}
		for j, p := range l.inputs {
			if p.weight == nil {
				continue
			}
			to := &g.Inputs[j]
			if err := put(g.WeightName(to), p.weight, "weight", tensors.WeightShape(g, to)...); err != nil {
				return nil, err
			}
			if p.weight.values["bias"] == nil || biased[p.weight] {
				continue
			}
			biased[p.weight] = true
			name := fmt.Sprintf("b%d", g.Index)
			before, summed := set[name]
			if err := put(name, p.weight, "bias", g.Out.Channels); err != nil {
				return nil, err
			}
			for c := range before.Float32 {
				set[name].Float32[c] += before.Float32[c]
			}
			if summed && slices.ContainsFunc(set[name].Float32, func(v float32) bool { return math.IsInf(float64(v), 0) }) {
				return nil, fmt.Errorf("%v: its bias and another's are more than float32 has", p.weight)
			}
		}
	}
	last, weight := w.Net.Layer(w.Net.N()), im.classifierWeight()
	if err := put("wc1", weight, "weight", w.Net.Classes, last.Pooled.Size()); err != nil {
		return nil, err
	}
	if weight.is(affineKind) {
		if err := put("bc1", weight, "bias", w.Net.Classes); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// checkNeurons holds the shapes of a neuron node's parameters to the layer's.
func (l *layer) checkNeurons(out network.Shape) error {
	want := []int{out.Channels, out.Height, out.Width}
	for _, name := range slices.Sorted(maps.Keys(l.neuron.values)) {
		d := l.neuron.values[name]
		if d.Class == hdf5.String || d.Len() == 1 {
			continue
		}
		if !sameShape(d.Shape, want) {
			return fmt.Errorf("%v: %s has shape %s; its layer makes %v", l.neuron, name, tensors.ShapeString(d.Shape), out)
		}
	}
	return nil
}
