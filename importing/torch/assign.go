package torch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// wanted is a parameter of a workload.
type wanted struct {
	name  string
	shape []int
	layer int // whose parameter it is, N+b of block b's classifier
}

// parameters are those of a workload: weights in the order in which they are applied,
// biases, and the channels of layers with batch norm.
type parameters struct {
	weights []wanted
	biases  []wanted
	norms   []wanted // name is bn<l>
}

func newParameters(w *network.Workload, blocks []network.Block) (p parameters) {
	net := w.Net
	for i := range net.Layers {
		l := &net.Layers[i]
		for j := range l.Inputs {
			if in := &l.Inputs[j]; in.Weighted() {
				p.weights = append(p.weights, wanted{l.WeightName(in), tensors.WeightShape(l, in), l.Index})
			}
		}
		if l.Bias {
			p.biases = append(p.biases, wanted{fmt.Sprintf("b%d", l.Index), []int{l.Out.Channels}, l.Index})
		}
		if l.BatchNorm {
			p.norms = append(p.norms, wanted{fmt.Sprintf("bn%d", l.Index), []int{l.Out.Channels}, l.Index})
		}
	}
	for _, b := range blocks {
		at := net.N() + b.Index
		p.weights = append(p.weights, wanted{fmt.Sprintf("wc%d", b.Index), tensors.ClassifierShape(net, b), at})
		if w.Training.ClassifierBias {
			p.biases = append(p.biases, wanted{fmt.Sprintf("bc%d", b.Index), []int{net.Classes}, at})
		}
	}
	return p
}

// Assigned are a workload's parameters out of a file's tensors.
type Assigned struct {
	Set   tensors.Set
	Notes []string // what became what, and what was not used
}

// assigner gives tensors to parameters.
type assigner struct {
	Assigned
	tensors []Tensor
	byName  map[string]*Tensor
	used    map[string]bool
	modules map[int][]string // by layer: of its weights
}

// Assign finds the parameters of a workload among tensors. A tensor is one by its name
// (w1), by what names say (w1: conv1.weight), or else by its shape, the first of those
// left; biases and batch norms are those beside the weights, or in order.
func Assign(w *network.Workload, blocks []network.Block, list []Tensor, names map[string]string) (*Assigned, error) {
	a := &assigner{
		Assigned: Assigned{Set: tensors.Set{}}, tensors: list,
		byName: map[string]*Tensor{}, used: map[string]bool{}, modules: map[int][]string{},
	}
	for i := range list {
		t := &list[i]
		if a.byName[t.Name] != nil {
			return nil, fmt.Errorf("has %q twice", t.Name)
		}
		a.byName[t.Name] = t
	}
	p := newParameters(w, blocks)
	if err := a.check(p, names); err != nil {
		return nil, err
	}
	for _, want := range p.weights {
		if err := a.weight(want, names[want.name]); err != nil {
			return nil, err
		}
	}
	for _, want := range p.biases {
		if err := a.bias(want, names[want.name]); err != nil {
			return nil, err
		}
	}
	if err := a.biasesThatAreNot(p); err != nil {
		return nil, err
	}
	for _, want := range p.norms {
		if err := a.norm(want, names[want.name]); err != nil {
			return nil, err
		}
	}
	a.tellUnused()
	return &a.Assigned, nil
}

// check refuses names of no parameter and of no tensor.
func (a *assigner) check(p parameters, names map[string]string) error {
	var there []string
	for _, list := range [][]wanted{p.weights, p.biases, p.norms} {
		for _, want := range list {
			there = append(there, want.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.Contains(there, name) {
			return fmt.Errorf("--map: the workload has no parameter %q%s; it has %s", name, spelling.Suggest(name, there), some(there))
		}
		tensor := names[name]
		if strings.HasPrefix(name, "bn") {
			tensor += ".running_mean"
		}
		if a.byName[tensor] == nil {
			return fmt.Errorf("--map: the file has no tensor %q%s; it has %s", tensor, spelling.Suggest(tensor, a.names()), some(a.names()))
		}
	}
	return nil
}

func (a *assigner) names() (list []string) {
	for i := range a.tensors {
		list = append(list, a.tensors[i].Name)
	}
	return list
}

// some lists names, at most so many that an error stays a line.
func some(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(", .. (%d in all)", len(names))
	}
	return strings.Join(names, ", ")
}

// weight finds a weight.
func (a *assigner) weight(want wanted, name string) error {
	if name == "" && a.byName[want.name] != nil {
		name = want.name
	}
	if name == "" {
		var fitting []string
		for i := range a.tensors {
			if t := &a.tensors[i]; t.Type.Float() && len(t.Shape) > 1 && !a.used[t.Name] && sameShape(t.Shape, want.shape) {
				fitting = append(fitting, t.Name)
			}
		}
		if len(fitting) == 0 {
			return fmt.Errorf("%s: no tensor of shape %s is left%s; say which one it is with --map %s=NAME", want.name, tensors.ShapeString(want.shape), a.left(), want.name)
		}
		if name = fitting[0]; len(fitting) > 1 {
			a.note("%s is %s, the first of %d of its shape; --map says otherwise", want.name, name, len(fitting))
		}
	}
	if module, ok := strings.CutSuffix(name, ".weight"); ok {
		a.modules[want.layer] = append(a.modules[want.layer], module)
	}
	return a.take(want, name)
}

// left lists the matrices and kernels that are nobody's yet.
func (a *assigner) left() string {
	var list []string
	for i := range a.tensors {
		if t := &a.tensors[i]; len(t.Shape) > 1 && !a.used[t.Name] {
			list = append(list, t.Name+" "+tensors.ShapeString(t.Shape))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": there are " + some(list)
}

// bias finds a bias: that of the module of its layer's weights. Several are added.
func (a *assigner) bias(want wanted, name string) error {
	if name == "" && a.byName[want.name] != nil {
		name = want.name
	}
	if name != "" {
		return a.take(want, name)
	}
	var found []string
	for _, module := range a.modules[want.layer] {
		if a.byName[module+".bias"] != nil {
			found = append(found, module+".bias")
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: the weights of its layer have no bias beside them; say which tensor it is with --map %s=NAME", want.name, want.name)
	}
	var sum []float32
	for _, name := range found {
		if err := a.take(want, name); err != nil {
			return err
		}
		values := a.Set[want.name].Float32
		for i := range sum {
			values[i] += sum[i]
		}
		sum = values
	}
	if len(found) > 1 {
		a.note("%s is the sum of %s", want.name, strings.Join(found, ", "))
	}
	return nil
}

// biasesThatAreNot refuses a bias of weights whose layer has none.
func (a *assigner) biasesThatAreNot(p parameters) error {
	for _, layer := range slices.Sorted(maps.Keys(a.modules)) {
		modules := a.modules[layer]
		if slices.ContainsFunc(p.biases, func(want wanted) bool { return want.layer == layer }) {
			continue
		}
		for _, module := range modules {
			if name := module + ".bias"; a.byName[name] != nil && !a.used[name] {
				return fmt.Errorf("%s is a bias, which its layer has not: write bias: true into the workload, or classifier_bias: true", name)
			}
		}
	}
	return nil
}

// norm finds a batch norm: a module with running statistics, the first of those left.
func (a *assigner) norm(want wanted, module string) error {
	for i := range a.tensors {
		if module != "" {
			break
		}
		t := &a.tensors[i]
		if m, ok := strings.CutSuffix(t.Name, ".running_mean"); ok && !a.used[t.Name] && sameShape(t.Shape, want.shape) {
			module = m
		}
	}
	if module == "" {
		return fmt.Errorf("%s: no batch norm of %d channels is left; say which module it is with --map %s=NAME", want.name, want.shape[0], want.name)
	}
	for i, key := range []string{"weight", "bias", "running_mean", "running_var"} {
		if err := a.take(wanted{name: want.name + "_" + tensors.NormNames[i], shape: want.shape}, module+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// take makes a tensor a parameter.
func (a *assigner) take(want wanted, name string) error {
	t := a.byName[name]
	switch {
	case t == nil:
		return fmt.Errorf("%s: the file has no tensor %q%s", want.name, name, spelling.Suggest(name, a.names()))
	case a.used[name]:
		return fmt.Errorf("%s: %s is another parameter already", want.name, name)
	case !t.Type.Float():
		return fmt.Errorf("%s: %s is of type %v; floating-point numbers are wanted", want.name, name, t.Type)
	case !sameShape(t.Shape, want.shape):
		return fmt.Errorf("%s: %s has shape %s; the workload's is %s", want.name, name, tensors.ShapeString(t.Shape), tensors.ShapeString(want.shape))
	}
	a.used[name] = true
	values, rounded := make([]float32, t.Len()), false
	for i := range values {
		v, exact := t.Float32(i)
		if v-v != 0 {
			return fmt.Errorf("%s: value %d of %s is %v; finite numbers are wanted", want.name, i, name, v)
		}
		values[i], rounded = v, rounded || !exact
	}
	if rounded {
		a.note("%s was rounded to float32", name)
	}
	a.Set[want.name] = tensors.Floats(values, want.shape...)
	a.note("%s is %s %s", want.name, name, tensors.ShapeString(t.Shape))
	return nil
}

func (a *assigner) note(format string, args ...any) {
	a.Notes = append(a.Notes, fmt.Sprintf(format, args...))
}

// tellUnused names the tensors that are no parameter.
func (a *assigner) tellUnused() {
	var list []string
	for _, name := range a.names() {
		if !a.used[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			list = append(list, name)
		}
	}
	if len(list) > 0 {
		a.note("not used: %s", some(list))
	}
}

// sameShape tells whether shapes are the same but for extents of 1.
func sameShape(a, b []int) bool {
	strip := func(s []int) (kept []int) {
		for _, extent := range s {
			if extent != 1 {
				kept = append(kept, extent)
			}
		}
		return kept
	}
	return slices.Equal(strip(a), strip(b))
}
