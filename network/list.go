package network

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// The list form of layers in a workload file: one entry a layer, the last the
// classifier. [Parse] reads the short form.

// listReader makes entries of a list.
type listReader struct {
	doc     *config.Document
	input   Shape
	neuron  Neuron         // the file's, from which layers differ
	named   map[string]int // layers by name
	entries []Entry
}

// entryFile is an entry as it is written. A conv or fc beside `inputs` is an error.
type entryFile struct {
	Name     *config.Node `yaml:"name" is:"name"`
	Conv     *config.Node `yaml:"conv" is:"conv"`
	FC       *config.Node `yaml:"fc" is:"fc"`
	Inputs   *config.Node `yaml:"inputs" is:"inputs"`
	From     *config.Node `yaml:"from" is:"from"`
	Delay    *config.Node `yaml:"delay" is:"delay"`
	Identity *config.Node `yaml:"identity" is:"flag"`
	Norm     *config.Node `yaml:"norm" is:"norm"`
	Neuron   *config.Node `yaml:"neuron" is:"neuron"`
	Add      *config.Node `yaml:"add" is:"name"`
	Pool     *config.Node `yaml:"pool" is:"pool"`
	Unit     *config.Node `yaml:"unit" is:"name"`
}

type inputFile struct {
	From     *config.Node `yaml:"from" is:"from"`
	Delay    *config.Node `yaml:"delay" is:"delay"`
	Conv     *config.Node `yaml:"conv" is:"conv"`
	FC       *config.Node `yaml:"fc" is:"fc"`
	Identity *config.Node `yaml:"identity" is:"flag"`
}

type convFile struct {
	Out      *config.Node `yaml:"out" is:"count"`
	Kernel   *config.Node `yaml:"kernel" is:"pair"`
	Stride   *config.Node `yaml:"stride" is:"pair"`
	Padding  *config.Node `yaml:"padding" is:"padding"`
	Dilation *config.Node `yaml:"dilation" is:"pair"`
	Groups   *config.Node `yaml:"groups" is:"count"`
	Bias     *config.Node `yaml:"bias" is:"flag"`
}

type fcFile struct {
	Out  *config.Node `yaml:"out" is:"count"`
	Bias *config.Node `yaml:"bias" is:"flag"`
}

type poolFile struct {
	Kind    *config.Node `yaml:"kind" is:"poolkind"`
	Window  *config.Node `yaml:"window" is:"pair"`
	Stride  *config.Node `yaml:"stride" is:"pair"`
	Padding *config.Node `yaml:"padding" is:"padding"`
}

// read reads a list of layers.
func (r *listReader) read(n *config.Node, key string, e Encoding) (*Network, error) {
	if len(n.Items) > maxLayers {
		return nil, r.doc.At(n.Line, key, "has %d layers; at most %d are accepted", len(n.Items), maxLayers)
	}
	if len(n.Items) == 0 {
		return nil, r.doc.At(n.Line, key, "is empty; write for example [{conv: {out: 16, kernel: 3}}, {fc: {out: 10}}]")
	}
	r.named = map[string]int{}
	for i, item := range n.Items {
		if err := r.entry(item, fmt.Sprintf("%s[%d]", key, i)); err != nil {
			return nil, err
		}
	}
	return Build(r.entries, summary(r.entries), r.input, e)
}

func (r *listReader) entry(n *config.Node, key string) error {
	var f entryFile
	if err := r.doc.DecodeNode(n, key, &f); err != nil {
		return err
	}
	e := Entry{Origin: fmt.Sprintf("%s:%d: %s", r.doc.File, n.Line, key), Add: NoLayer}
	if err := r.projections(n, &f, key, &e); err != nil {
		return err
	}
	if err := r.parts(&f, key, &e); err != nil {
		return err
	}
	r.entries = append(r.entries, e)
	if f.Name == nil {
		return nil
	}
	name, err := r.text(f.Name, key+".name")
	if err != nil {
		return err
	}
	if _, twice := r.named[name]; twice || name == "input" || name == "self" {
		return r.doc.At(f.Name.Line, key+".name", "%q is taken; every name stands for one layer", name)
	}
	r.entries[len(r.entries)-1].Name = name
	r.named[name] = len(r.entries)
	return nil
}

// projections reads what flows into a layer.
func (r *listReader) projections(n *config.Node, f *entryFile, key string, e *Entry) error {
	own := inputFile{From: f.From, Delay: f.Delay, Conv: f.Conv, FC: f.FC, Identity: f.Identity}
	if f.Inputs == nil {
		return r.projection(n, own, key, e)
	}
	if own != (inputFile{}) {
		return r.doc.At(n.Line, key, "has inputs and a projection beside them; put it among the inputs")
	}
	if f.Inputs.Kind != config.Sequence || len(f.Inputs.Items) == 0 {
		return r.doc.At(f.Inputs.Line, key+".inputs", "is no list of projections; write for example [{conv: {out: 16, kernel: 3}}, {from: self, delay: 1, conv: {kernel: 3}}]")
	}
	for i, item := range f.Inputs.Items {
		at := fmt.Sprintf("%s.inputs[%d]", key, i)
		var in inputFile
		if err := r.doc.DecodeNode(item, at, &in); err != nil {
			return err
		}
		if err := r.projection(item, in, at, e); err != nil {
			return err
		}
	}
	return nil
}

func (r *listReader) projection(n *config.Node, f inputFile, key string, e *Entry) error {
	in := Input{From: len(r.entries)}
	var err error
	if f.From != nil {
		if in.From, err = r.reference(f.From, key+".from", true); err != nil {
			return err
		}
	}
	if f.Delay != nil {
		if in.Delay, err = r.whole(f.Delay, key+".delay", 0, 1); err != nil {
			return err
		}
	}
	kinds := 0
	for _, k := range []struct {
		kind  Kind
		given *config.Node
	}{{Conv, f.Conv}, {FC, f.FC}, {Identity, f.Identity}} {
		if k.given != nil {
			in.Kind = k.kind
			kinds++
		}
	}
	if kinds != 1 {
		return r.doc.At(n.Line, key, "has %d kinds of projection; write one of conv, fc and identity", kinds)
	}
	switch in.Kind {
	case Conv:
		err = r.conv(f.Conv, key+".conv", &in, e)
	case FC:
		err = r.fc(f.FC, key+".fc", &in, e)
	case Identity:
		var on bool
		if on, err = r.flag(f.Identity, key+".identity"); err == nil && !on {
			err = r.doc.At(f.Identity.Line, key+".identity", "is false; write true, or leave the projection out")
		}
	}
	e.Inputs = append(e.Inputs, in)
	return err
}

func (r *listReader) conv(n *config.Node, key string, in *Input, e *Entry) error {
	var f convFile
	if err := r.doc.DecodeNode(n, key, &f); err != nil {
		return err
	}
	if f.Kernel == nil {
		return r.doc.At(n.Line, key, "has no kernel; write for example kernel: 3")
	}
	row := r.reads(e, in.From)
	k := &in.Kernel
	k.Stride, k.Dilation, k.Groups = Square(1), Square(1), 1
	for _, p := range []struct {
		name  string
		given *config.Node
		to    *Pair
		least int
		none  int // the height's, of one number where the map is a row
	}{
		{"kernel", f.Kernel, &k.Size, 1, 1}, {"stride", f.Stride, &k.Stride, 1, 1}, {"dilation", f.Dilation, &k.Dilation, 1, 1},
	} {
		if err := r.pair(p.given, key+"."+p.name, p.to, p.least, row, p.none); err != nil {
			return err
		}
	}
	k.Pad = Pair{k.Dilation.Height * (k.Size.Height - 1) / 2, k.Dilation.Width * (k.Size.Width - 1) / 2}
	if err := r.pair(f.Padding, key+".padding", &k.Pad, 0, row, 0); err != nil {
		return err
	}
	for _, p := range []struct {
		name  string
		given *config.Node
		to    *int
	}{{"out", f.Out, &in.Out}, {"groups", f.Groups, &k.Groups}} {
		if p.given == nil {
			continue
		}
		var err error
		if *p.to, err = r.whole(p.given, key+"."+p.name, 1, maxNumber); err != nil {
			return err
		}
	}
	return r.bias(f.Bias, key, e)
}

func (r *listReader) fc(n *config.Node, key string, in *Input, e *Entry) error {
	var f fcFile
	if err := r.doc.DecodeNode(n, key, &f); err != nil {
		return err
	}
	if f.Out != nil {
		var err error
		if in.Out, err = r.whole(f.Out, key+".out", 1, maxNumber); err != nil {
			return err
		}
	}
	return r.bias(f.Bias, key, e)
}

func (r *listReader) bias(n *config.Node, key string, e *Entry) error {
	if n == nil {
		return nil
	}
	on, err := r.flag(n, key+".bias")
	e.Bias = e.Bias || on
	return err
}

// reads tells whether what a projection of e reads is a row, a map with a height of
// 1, so that one number is the width's. The layer's own spikes are a row where its
// first projection makes one.
func (r *listReader) reads(e *Entry, from int) bool {
	if from <= len(r.entries) {
		return r.isRow(from)
	}
	if len(e.Inputs) == 0 {
		return false // refused later: a layer cannot begin with its own spikes
	}
	return e.Inputs[0].Kind == FC || r.isRow(e.Inputs[0].From)
}

// isRow tells whether the output of a layer before is a row: the network's input is
// one, or a fully connected layer came between.
func (r *listReader) isRow(from int) bool {
	for at := from; at > InputLayer; {
		in := r.entries[at-1].Inputs[0]
		if in.Kind == FC {
			return true
		}
		at = in.From
	}
	return r.input.Height == 1
}

// parts reads what follows the projections.
func (r *listReader) parts(f *entryFile, key string, e *Entry) (err error) {
	if f.Norm != nil {
		if f.Norm.Text != "batch" || f.Norm.Kind != config.Scalar {
			return r.doc.At(f.Norm.Line, key+".norm", "is not a kind of norm; write batch")
		}
		e.BatchNorm = true
	}
	if f.Neuron != nil {
		var own neuronFile
		if err := r.doc.DecodeNode(f.Neuron, key+".neuron", &own); err != nil {
			return err
		}
		n := r.neuron
		if err := own.fill(r.doc, key+".neuron", &n); err != nil {
			return err
		}
		e.Neuron = &n
	}
	if f.Add != nil {
		if e.Add, err = r.reference(f.Add, key+".add", false); err != nil {
			return err
		}
	}
	if f.Unit != nil {
		if e.Unit, err = r.text(f.Unit, key+".unit"); err != nil {
			return err
		}
	}
	if f.Pool != nil {
		return r.pool(f.Pool, key+".pool", e)
	}
	return nil
}

func (r *listReader) pool(n *config.Node, key string, e *Entry) error {
	var f poolFile
	if err := r.doc.DecodeNode(n, key, &f); err != nil {
		return err
	}
	if f.Kind == nil || f.Window == nil {
		return r.doc.At(n.Line, key, "needs a kind and a window; write for example {kind: max, window: 2}")
	}
	kind, err := pick(r.doc, f.Kind, key+".kind", PoolKinds())
	if err != nil {
		return err
	}
	row := r.isRow(e.Inputs[0].From) && (e.Inputs[0].Kind != Conv || e.Inputs[0].Kernel.Size.Height == 1)
	p := &e.Pool
	p.Kind = PoolKind(kind)
	if err := r.pair(f.Window, key+".window", &p.Window, 1, row, 1); err != nil {
		return err
	}
	p.Stride = p.Window
	if err := r.pair(f.Stride, key+".stride", &p.Stride, 1, row, 1); err != nil {
		return err
	}
	if err := r.pair(f.Padding, key+".padding", &p.Pad, 0, row, 0); err != nil {
		return err
	}
	if p.Pad.Height >= p.Window.Height || p.Pad.Width >= p.Window.Width {
		return r.doc.At(f.Padding.Line, key+".padding", "is as large as the window: some windows would have padding only")
	}
	return nil
}

// reference finds the layer that a name stands for; self is the entry's own.
func (r *listReader) reference(n *config.Node, key string, self bool) (int, error) {
	name, err := r.text(n, key)
	if err != nil {
		return 0, err
	}
	if name == "input" {
		return InputLayer, nil
	}
	if name == "self" && self {
		return len(r.entries) + 1, nil
	}
	if layer, ok := r.named[name]; ok {
		return layer, nil
	}
	accepted := []string{"input"}
	if self {
		accepted = append(accepted, "self")
	}
	for i := range r.entries {
		if r.entries[i].Name != "" {
			accepted = append(accepted, r.entries[i].Name)
		}
	}
	return 0, r.doc.At(n.Line, key, "%q is no layer before this one%s; there are %s", name, spelling.Suggest(name, accepted), strings.Join(accepted, ", "))
}

func (r *listReader) text(n *config.Node, key string) (string, error) {
	if n.Kind != config.Scalar || n.Text == "" || len(n.Text) > maxName {
		return "", r.doc.At(n.Line, key, "is not a name of 1 to %d characters", maxName)
	}
	return n.Text, nil
}

// maxName bounds a layer's name.
const maxName = 64

func (r *listReader) flag(n *config.Node, key string) (bool, error) { return readFlag(r.doc, n, key) }

// readFlag reads true or false.
func readFlag(d *config.Document, n *config.Node, key string) (bool, error) {
	if n.Kind == config.Scalar && !n.Quoted {
		switch n.Text {
		case "true", "True", "TRUE":
			return true, nil
		case "false", "False", "FALSE":
			return false, nil
		}
	}
	return false, d.At(n.Line, key, "is neither true nor false")
}

// whole reads a whole number in a range.
func (r *listReader) whole(n *config.Node, key string, least, most int) (int, error) {
	v, err := units.ParseNumber(n.Text)
	if n.Kind != config.Scalar || n.Quoted || err != nil {
		return 0, r.doc.At(n.Line, key, "is not a number")
	}
	if v != math.Trunc(v) || v < float64(least) || v > float64(most) {
		return 0, r.doc.At(n.Line, key, "is %s; it must be a whole number between %d and %d", n.Text, least, most)
	}
	return int(v), nil
}

// pair reads one number for both axes, or [height, width]. One number is the
// width's where the map is a row; the height's is then given.
func (r *listReader) pair(n *config.Node, key string, to *Pair, least int, row bool, height int) (err error) {
	switch {
	case n == nil:
		return nil
	case n.Kind != config.Sequence:
		to.Width, err = r.whole(n, key, least, maxNumber)
		if to.Height = to.Width; row {
			to.Height = height
		}
		return err
	case len(n.Items) != 2:
		return r.doc.At(n.Line, key, "has %d sizes; write one, or [height, width]", len(n.Items))
	}
	if to.Height, err = r.whole(n.Items[0], key+"[0]", least, maxNumber); err != nil {
		return err
	}
	to.Width, err = r.whole(n.Items[1], key+"[1]", least, maxNumber)
	return err
}

// summary writes a list of layers in one line, in Table 2's notation as far as it
// goes: of each layer its first projection with weights and its pooling; + marks
// what else it has.
func summary(entries []Entry) string {
	const longest = 200 // bytes: reports show it in a line
	var b strings.Builder
	for i := range entries {
		if i > 0 {
			b.WriteByte('-')
		}
		if b.Len() > longest {
			fmt.Fprintf(&b, "..(%d layers)", len(entries))
			break
		}
		b.WriteString(entries[i].summary())
	}
	return b.String()
}

func (e *Entry) summary() string {
	s := ""
	for _, in := range e.Inputs {
		switch in.Kind {
		case Conv:
			s = strconv.Itoa(in.Out) + "C" + in.Kernel.Size.short()
			if in.Kernel.Stride != Square(1) {
				s += "s" + in.Kernel.Stride.short()
			}
			if in.Kernel.Groups > 1 {
				s += "g" + strconv.Itoa(in.Kernel.Groups)
			}
		case FC:
			s = strconv.Itoa(in.Out) + "FC"
		case Identity:
			continue
		}
		break
	}
	if len(e.Inputs) > 1 || e.Add != NoLayer || e.Neuron != nil || e.Bias {
		s += "+"
	}
	if e.BatchNorm {
		s += "-BN"
	}
	if e.Pool.Kind != NoPool {
		s += "-" + string(e.Pool.Kind) + e.Pool.Window.short()
	}
	return s
}

// short prints equal sizes as one number, others as HxW.
func (p Pair) short() string {
	if p.Height == p.Width {
		return strconv.Itoa(p.Height)
	}
	return fmt.Sprintf("%dx%d", p.Height, p.Width)
}
