package nir

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/accelsim-dev/accelsim/internal/hdf5"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Exported is a network as a file of the NIR project.
type Exported struct {
	Root  *hdf5.Group
	Notes []string // what the file cannot say
}

// Write writes the file.
func (x *Exported) Write(to io.Writer) error { return hdf5.Write(to, x.Root) }

// version is that of the specification that files are written by.
const version = "1.0"

// ErrStep says that time constants need a step's length.
var ErrStep = errors.New("has neurons that leak, whose time constants depend on how long a step is: say with --dt, in seconds")

// Export makes a file of a workload and its parameters in one local block; a step is of
// that length, or 0 if none was given.
func Export(w *network.Workload, p *tensors.Parameters, step float64) (*Exported, error) {
	x := &exporter{
		workload: w, parameters: p, step: step, out: &Exported{Root: hdf5.NewGroup()},
		nodes: hdf5.NewGroup(), taken: map[string]bool{"input": true, "output": true},
	}
	if step == 0 {
		x.step = 1
	}
	x.rows = x.oneAxis()
	if err := x.graph(step != 0); err != nil {
		return nil, err
	}
	return x.out, nil
}

// exporter collects nodes and edges.
type exporter struct {
	workload   *network.Workload
	parameters *tensors.Parameters
	step       float64
	rows       bool // maps are rows of one axis
	out        *Exported
	nodes      *hdf5.Group
	edges      []string
	taken      map[string]bool
	outputs    []string // by layer, the input first: the node that its readers read
	neurons    []string // by layer: the node of its neurons
	soft, hard string   // a layer whose spikes subtract, one whose set
}

// oneAxis tells whether the network is of rows that convolutions of one axis cover.
func (x *exporter) oneAxis() bool {
	net := x.workload.Net
	row := net.Input.Height == 1 && net.Input.Width > 1
	for i := range net.Layers {
		l := &net.Layers[i]
		for _, p := range l.Inputs {
			k := p.Kernel
			row = row && (p.Kind != network.Conv || k.Size.Height == 1 && k.Stride.Height == 1 && k.Pad.Height == 0 && k.Dilation.Height == 1)
		}
		row = row && !l.HasPool()
	}
	return row
}

// extents is the shape of a map in the file: trailing extents of 1 are left out.
func (x *exporter) extents(s network.Shape) []int {
	switch {
	case s.Positions() == 1:
		return []int{s.Channels}
	case x.rows:
		return []int{s.Channels, s.Width}
	}
	return []int{s.Channels, s.Height, s.Width}
}

// name returns a name for a node that no other has.
func (x *exporter) name(wanted string) string {
	for x.taken[wanted] {
		wanted += "_"
	}
	x.taken[wanted] = true
	return wanted
}

// add adds a node, and edges from those that it reads.
func (x *exporter) add(name, kind string, values map[string]*hdf5.Dataset, reads ...string) {
	g := hdf5.NewGroup()
	for key, d := range values {
		g.Datasets[key] = d
	}
	g.Datasets["type"] = hdf5.Strings([]string{kind})
	x.nodes.Groups[name] = g
	for _, from := range reads {
		x.edges = append(x.edges, from, name)
	}
}

// shape is the parameter of inputs and outputs.
func shape(extents []int) map[string]*hdf5.Dataset {
	return map[string]*hdf5.Dataset{"shape": hdf5.Integers(extents, len(extents))}
}

// graph makes the file.
func (x *exporter) graph(stepped bool) error {
	net := x.workload.Net
	x.add("input", inputKind, shape(x.extents(net.Input)))
	x.outputs, x.neurons = []string{"input"}, []string{"input"}
	for i := range net.Layers {
		name := net.Layers[i].Name
		if name == "" {
			name = fmt.Sprintf("layer%d", i+1)
		}
		x.neurons = append(x.neurons, x.name(name))
	}
	for i := range net.Layers {
		if err := x.layer(&net.Layers[i]); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	last, err := x.classifier()
	if err != nil {
		return fmt.Errorf("classifier: %w", err)
	}
	x.add("output", outputKind, shape([]int{net.Classes}), last)
	if x.soft != "" && x.hard != "" {
		return fmt.Errorf("spikes of %s subtract and those of %s set a potential; a file is read with one of them", x.soft, x.hard)
	}
	if x.soft != "" {
		x.note("spikes subtract the threshold, which the file does not say: import it with --reset subtract")
	}
	if !stepped && x.hasTime() {
		return ErrStep
	}
	graph := hdf5.NewGroup()
	graph.Groups["nodes"] = x.nodes
	graph.Datasets["edges"] = hdf5.Strings(x.edges, len(x.edges)/2, 2)
	graph.Datasets["type"] = hdf5.Strings([]string{graphKind})
	x.out.Root.Groups["node"] = graph
	x.out.Root.Datasets["version"] = hdf5.Strings([]string{version})
	return nil
}

func (x *exporter) note(format string, args ...any) {
	x.out.Notes = append(x.out.Notes, fmt.Sprintf(format, args...))
}

// hasTime tells whether a node has a time constant, or a delay.
func (x *exporter) hasTime() bool {
	for _, n := range x.nodes.Groups {
		for _, name := range []string{"tau", "tau_mem", "delay"} {
			if n.Datasets[name] != nil {
				return true
			}
		}
	}
	return false
}

// layer adds a layer's nodes.
func (x *exporter) layer(l *network.Layer) error {
	switch {
	case l.BatchNorm:
		return errors.New("has batch norm, which NIR has not; put it into the weights")
	case l.Adds():
		return errors.New("adds another's output to its spikes, which NIR cannot say")
	case l.Pool.Kind == network.FirePool || l.Pool.Kind == network.MaxPool:
		return fmt.Errorf("has %s pooling, which NIR has not; sum and average are known", l.Pool.Kind)
	}
	biased := x.biased(l)
	var reads []string
	for i := range l.Inputs {
		from, err := x.projection(l, &l.Inputs[i], i, biased)
		if err != nil {
			return err
		}
		reads = append(reads, from)
	}
	name := x.neurons[l.Index]
	kind, values, err := x.cells(name, l)
	if err != nil {
		return err
	}
	x.add(name, kind, values, reads...)
	x.outputs = append(x.outputs, name)
	if l.HasPool() {
		pool := x.name(fmt.Sprintf("pool%d", l.Index))
		x.add(pool, map[network.PoolKind]string{network.SumPool: sumKind, network.AveragePool: averageKind}[l.Pool.Kind], map[string]*hdf5.Dataset{
			"kernel_size": both2(l.Pool.Window), "stride": both2(l.Pool.Stride), "padding": both2(l.Pool.Pad),
		}, name)
		x.outputs[l.Index] = pool
	}
	return nil
}

func both2(p network.Pair) *hdf5.Dataset { return hdf5.Integers([]int{p.Height, p.Width}, 2) }

// biased returns which of a layer's inputs gets its bias: the first convolution, which
// has one anyway, or the first with weights; -1 without.
func (x *exporter) biased(l *network.Layer) int {
	if !l.Bias {
		return -1
	}
	conv := slices.IndexFunc(l.Inputs, func(p network.Projection) bool { return p.Kind == network.Conv })
	if conv >= 0 {
		return conv
	}
	return slices.IndexFunc(l.Inputs, func(p network.Projection) bool { return p.Weighted() })
}

// projection adds the nodes between what a layer reads and its neurons, and returns the
// one that those read.
func (x *exporter) projection(l *network.Layer, p *network.Projection, i, biased int) (string, error) {
	from := x.neurons[p.From]
	if p.From != l.Index {
		from = x.outputs[p.From]
		if p.Delay > 0 {
			delay := x.name(fmt.Sprintf("delay%d_%d", l.Index, i+1))
			x.add(delay, delayKind, map[string]*hdf5.Dataset{"delay": full(x.step, x.extents(p.In))}, from)
			from = delay
		}
	}
	if !p.Weighted() {
		return from, nil
	}
	var bias []float32
	if i == biased {
		bias = x.parameters.Biases[l.Index-1]
	}
	name := x.name(l.WeightName(p))
	weights := x.parameters.Weights[p.Index-1]
	if p.Kind == network.FC {
		x.fullyConnected(name, from, p.In, tensors.Floats(weights, tensors.WeightShape(l, p)...), bias)
		return name, nil
	}
	if bias == nil {
		bias = make([]float32, l.Out.Channels)
		x.note("%s has a bias of zeros in the file: NIR's convolutions have one", name)
	}
	x.convolution(name, from, l, p, weights, bias)
	return name, nil
}

// fullyConnected adds a node of weights, behind one that flattens what is no vector.
func (x *exporter) fullyConnected(name, from string, in network.Shape, w tensors.Tensor, bias []float32) {
	if in.Positions() > 1 {
		flatten := x.name("flatten_" + name)
		extents := x.extents(in)
		x.add(flatten, flattenKind, map[string]*hdf5.Dataset{
			"start_dim": hdf5.Integers([]int{0}), "end_dim": hdf5.Integers([]int{-1}), "input_type": hdf5.Integers(extents, len(extents)),
		}, from)
		from = flatten
	}
	values := map[string]*hdf5.Dataset{"weight": hdf5.Floats(w.Float32, w.Shape...)}
	kind := linearKind
	if bias != nil {
		kind, values["bias"] = affineKind, hdf5.Floats(bias, len(bias))
	}
	x.add(name, kind, values, from)
}

func (x *exporter) convolution(name, from string, l *network.Layer, p *network.Projection, weights, bias []float32) {
	k, shape := p.Kernel, tensors.WeightShape(l, p)
	values := map[string]*hdf5.Dataset{"bias": hdf5.Floats(bias, len(bias)), "groups": hdf5.Integers([]int{k.Groups})}
	if x.rows {
		values["weight"] = hdf5.Floats(weights, shape[0], shape[1], shape[3])
		for key, v := range map[string]int{"stride": k.Stride.Width, "padding": k.Pad.Width, "dilation": k.Dilation.Width, "input_shape": p.In.Width} {
			values[key] = hdf5.Integers([]int{v})
		}
		x.add(name, conv1dKind, values, from)
		return
	}
	values["weight"] = hdf5.Floats(weights, shape...)
	in := network.Pair{Height: p.In.Height, Width: p.In.Width}
	for key, v := range map[string]network.Pair{"stride": k.Stride, "padding": k.Pad, "dilation": k.Dilation, "input_shape": in} {
		values[key] = both2(v)
	}
	x.add(name, conv2dKind, values, from)
}

// classifier adds the classifier's nodes, and returns the one that the output reads.
func (x *exporter) classifier() (string, error) {
	net, training := x.workload.Net, x.workload.Training
	in := net.Layer(net.N()).Pooled
	var bias []float32
	if training.ClassifierBias {
		bias = x.parameters.ClassifierBiases[0]
	}
	weight := x.name("wc1")
	x.fullyConnected(weight, x.outputs[net.N()], in, tensors.Floats(x.parameters.Classifiers[0], net.Classes, in.Size()), bias)
	n := x.workload.ClassifierNeuron()
	name, extents := x.name("classifier"), []int{net.Classes}
	switch training.Readout {
	case network.CurrentReadout:
		return weight, nil
	case network.PotentialReadout:
		if n.Leak == 1 {
			return "", errors.New("its potentials are read out and do not leak, which NIR cannot say")
		}
		tau := x.timeConstant(n.Leak)
		x.add(name, leakyKind, map[string]*hdf5.Dataset{
			"tau": full(tau, extents), "r": full(x.undo(1, tau), extents), "v_leak": full(0, extents),
		}, weight)
		return name, nil
	case network.RateReadout:
	}
	kind, values, err := x.neuron(name, n, extents)
	if err != nil {
		return "", err
	}
	x.add(name, kind, values, weight)
	return name, nil
}

// cells are a layer's neurons: of those that differ each parameter has all values.
func (x *exporter) cells(name string, l *network.Layer) (kind string, values map[string]*hdf5.Dataset, err error) {
	n, extents := x.workload.NeuronOf(l), x.extents(l.Out)
	if n.Arrays == 0 {
		return x.neuron(name, n, extents)
	}
	all := map[string][]float64{}
	for i := range l.Out.Size() {
		k, one, err := x.neuron(name, x.parameters.NeuronAt(x.workload, l, i), []int{1})
		if err != nil {
			return "", nil, fmt.Errorf("neuron %d %w", i, err)
		}
		if kind == "" {
			kind = k
		}
		if one["v_reset"] == nil && n.HardReset {
			one["v_reset"] = full(0, []int{1})
		}
		if k != kind {
			return "", nil, fmt.Errorf("has neurons that leak and others that do not, which are two kinds of node")
		}
		for key, d := range one {
			v, _ := d.Float64(0)
			all[key] = append(all[key], v)
		}
	}
	values = map[string]*hdf5.Dataset{}
	for key, list := range all {
		values[key] = hdf5.Doubles(list, extents...)
	}
	return kind, values, nil
}

// neuron undoes what an import makes of a node's equations.
func (x *exporter) neuron(name string, n network.Neuron, extents []int) (kind string, values map[string]*hdf5.Dataset, err error) {
	threshold := below(n.Threshold)
	if !n.HardReset && n.Leak > 0 { // what is subtracted tells it in float64
		if v := n.Reset / n.Leak; above(v) == float64(float32(n.Threshold)) {
			threshold = v
		}
	}
	values = map[string]*hdf5.Dataset{"v_threshold": full(threshold, extents)}
	switch {
	case n.Adaptation:
		return "", nil, errors.New("has a threshold that adapts, which NIR has not")
	case n.Leak == 1 && (n.Synapse || n.Offset != 0) || n.Synapse && n.SynapseLeak == 1:
		return "", nil, errors.New("has a leak of 1 with a current or an offset; NIR's neurons that do not leak have neither")
	case n.Leak == 1:
		kind, values["r"] = ifKind, full(n.Gain()/x.step, extents)
	default:
		tau := x.timeConstant(n.Leak)
		kind, values["tau"] = lifKind, full(tau, extents)
		values["r"], values["v_leak"] = full(x.undo(n.Gain(), tau), extents), full(x.undo(n.Offset, tau), extents)
	}
	if n.Synapse {
		tau := x.timeConstant(n.SynapseLeak)
		kind, values["tau_mem"] = cubaKind, values["tau"]
		delete(values, "tau")
		values["tau_syn"], values["w_in"] = full(tau, extents), full(x.undo(n.SynapseGain, tau), extents)
	}
	if n.HardReset {
		x.hard = name
		if n.ResetTo != 0 { // without one it is zero
			values["v_reset"] = full(n.ResetTo, extents)
		}
		return kind, values, nil
	}
	x.soft = name
	if want := float64(n.Leak * threshold); math.Abs(n.Reset-want) > 1e-6*want {
		return "", nil, fmt.Errorf("subtracts %v for a spike; NIR's neurons subtract the threshold before the leak, %v, or have a hard_reset", n.Reset, want)
	}
	return kind, values, nil
}

// timeConstant returns the tau of a leak: 1 - dt/tau is the leak again, to the bit.
func (x *exporter) timeConstant(leak float64) float64 { return x.step / (1 - leak) }

// undo returns the v of which v dt/tau is a value.
func (x *exporter) undo(value, tau float64) float64 { return value * tau / x.step }

// full is one value for every neuron, in the smaller type that has it.
func full(v float64, extents []int) *hdf5.Dataset {
	n := 1
	for _, extent := range extents {
		n *= extent
	}
	if float64(float32(v)) == v {
		return hdf5.Floats(slices.Repeat([]float32{float32(v)}, n), extents...)
	}
	return hdf5.Doubles(slices.Repeat([]float64{v}, n), extents...)
}

// below returns the next float32 below one, of which above is that again.
func below(v float64) float64 {
	return float64(math.Nextafter32(float32(v), float32(math.Inf(-1))))
}
