package hdl

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// parameter is one constant of the headers.
type parameter struct {
	name    string
	value   int64
	kind    kind
	bits    int    // of a signed or a table
	literal string // of a table
	comment string
}

type kind uint8

const (
	number  kind = iota // a plain integer
	long                // 64 bits
	encoded             // signed, in a fixed-point format
	table               // packed fields
)

// group is parameters under a heading.
type group struct {
	heading    string
	parameters []parameter
}

// Schema names the version of the headers and of their JSON.
const Schema = "accelsim.hdl/1"

// parameters lists every constant.
func (d *Design) parameters() []group {
	w, a, dp := d.Workload, d.Hardware.PE, d.Datapath
	num := func(name string, v int, comment string) parameter {
		return parameter{name: name, value: int64(v), comment: comment}
	}
	wide := func(name string, v int64, comment string) parameter {
		return parameter{name: name, value: v, kind: long, comment: comment}
	}
	flag := func(name string, v bool, comment string) parameter { return num(name, int(truth(v)), comment) }
	groups := []group{
		{"Schedule", []parameter{
			num("TIMESTEPS", w.Timesteps, "T"),
			num("N", d.N, "layers of a local block"),
			num("INTERVALS", d.Program.Intervals(), "T / K"),
			num("SLOTS", max(d.K, 2), "step slots of potentials and spikes"),
			num("BATCH", w.Batch, "samples"),
			num("LAYERS", w.Net.N(), "trainable layers"),
			num("LOCAL_BLOCKS", len(d.Program.Blocks), ""),
			num("CLASSES", w.Net.Classes, ""),
			flag("CLASSIFIER_TRAINABLE", d.Program.Trainable(), "0: random, regenerated on chip"),
			flag("CROSS_ENTROPY", w.Training.Loss == network.CrossEntropy, "0: MSE"),
			flag("ADAM", w.Training.Optimizer == network.Adam, ""),
			flag("RMSPROP", w.Training.Optimizer == network.RMSprop, "both 0: SGD with momentum, which is what the RTL has"),
			flag("DIRECT_INPUT", w.Net.Encoding == network.Direct, "real input, the same at every step; 0: event frames"),
		}},
		{"Array", []parameter{
			num("ROWS", a.Rows, ""), num("COLUMNS", a.Columns, ""), num("LANES", a.Lanes, "PEs with a vector lane"),
			num("PIPELINE", int(a.Pipeline), "clocks from the last operand to the result"),
			wide("CLOCK_HZ", int64(a.Clock), ""),
			wide("ONCHIP_BYTES", int64(d.OnChip), "layer buffer, in the simulator's 4-byte words"),
		}},
	}
	formats := group{heading: "Fixed-point formats: " + d.Formats.String()}
	for _, s := range widths(dp) {
		formats.parameters = append(formats.parameters, num(s.name, s.value, s.comment))
	}
	formats.parameters = append(formats.parameters, num("ERROR_SHIFT", dp.ErrorShift, "errors and gradients are carried times 2^this"))
	groups = append(groups, formats, d.neuronParameters())
	groups = append(groups, d.layerParameters()...)
	groups = append(groups, d.memoryParameters())
	if d.Block != nil {
		g := group{heading: "Tables of the local block's controller, a field for each layer (accelsim_block)"}
		for _, p := range d.Block.parameters() {
			switch {
			case p.bits > 0:
				g.parameters = append(g.parameters, parameter{name: p.inHeader(), kind: table, bits: p.bits, literal: p.value})
			case p.own:
				g.parameters = append(g.parameters, num(p.inHeader(), p.number, ""))
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func (d *Design) neuronParameters() group {
	dp := d.Datapath
	g := group{heading: "Neuron and training constants, encoded"}
	real := map[string]float64{
		"rate": dp.Rate.Value(), "loss_scale": dp.Loss.Value(),
	}
	for _, p := range dp.Parameters(d.Workload) {
		real[map[string]string{"a/2": "half_width", "1/a": "inverse_width"}[p.Name]] = dp.Potential.Value(p.Encoded)
		real[p.Name] = dp.Potential.Value(p.Encoded)
	}
	says := map[string]string{
		"tau": "tau", "theta": "theta", "u_th": "u_th", "half_width": "a / 2", "inverse_width": "1 / a", "momentum": "m",
		"rate": "learning rate / 2^ERROR_SHIFT", "loss_scale": "2 / (classes K^2 batch), times 2^ERROR_SHIFT",
	}
	for _, c := range constants(dp) {
		g.parameters = append(g.parameters, parameter{
			name: strings.ToUpper(c.port), value: c.value, kind: encoded, bits: c.width,
			comment: fmt.Sprintf("%s = %.6g", says[c.port], real[c.port]),
		})
	}
	return g
}

func (d *Design) layerParameters() []group {
	w := d.Workload
	var groups []group
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		p := l.First()
		g := group{heading: fmt.Sprintf("Layer %d: %s %v to %v", l.Index, l.Label(), p.In, l.Pooled)}
		for _, v := range []struct {
			name    string
			value   int
			comment string
		}{
			{"KIND", map[string]int{"conv": 0, "fc": 1, "shortcut": 2}[l.Label()], "0 convolution, 1 fully connected, 2 shortcut"},
			{"READS", p.From, "the layer whose output it reads, 0 the input"},
			{"IN_CHANNELS", p.In.Channels, ""},
			{"IN_HEIGHT", p.In.Height, ""},
			{"IN_WIDTH", p.In.Width, ""},
			{"OUT_CHANNELS", l.Out.Channels, ""},
			{"OUT_HEIGHT", l.Out.Height, "before pooling"},
			{"OUT_WIDTH", l.Out.Width, ""},
			{"KERNEL", p.Kernel.Size.Height, "0: fully connected"},
			{"STRIDE", max(p.Kernel.Stride.Height, 1), ""},
			{"PAD", p.Kernel.Pad.Height, ""},
			{"POOL_HEIGHT", l.Pool.Window.Height, "0: no pooling"},
			{"POOL_WIDTH", l.Pool.Window.Width, ""},
			{"POOLED_HEIGHT", l.Pooled.Height, ""},
			{"POOLED_WIDTH", l.Pooled.Width, ""},
			{"BATCH_NORM", int(truth(l.BatchNorm)), ""},
			{"VALUE_BITS", l.ValueBits(), "of an output value; 1: spikes"},
		} {
			g.parameters = append(g.parameters, parameter{name: fmt.Sprintf("L%d_%s", l.Index, v.name), value: int64(v.value), comment: v.comment})
		}
		g.parameters = append(g.parameters,
			parameter{name: fmt.Sprintf("L%d_WEIGHT_DEPTH", l.Index), value: int64(l.Weights()), kind: long, comment: "buffer words of W, of dW"},
			parameter{name: fmt.Sprintf("L%d_STATE_DEPTH", l.Index), value: int64(l.Neurons()) * int64(w.Batch), kind: long, comment: "buffer words of U, of gamma: the batch's"},
		)
		groups = append(groups, g)
	}
	for _, b := range d.Program.Blocks {
		prefix := fmt.Sprintf("B%d_", b.Index)
		groups = append(groups, group{fmt.Sprintf("Local block %d", b.Index), []parameter{
			{name: prefix + "FIRST", value: int64(b.First)},
			{name: prefix + "LAST", value: int64(b.Last)},
			{name: prefix + "CLASSIFIER_INPUTS", value: int64(w.Net.ClassifierInputs(b))},
			{name: prefix + "CLASSIFIER_DEPTH", value: int64(w.Net.ClassifierWeights(b)), kind: long, comment: "buffer words of W_c"},
		}})
	}
	return groups
}

func (d *Design) memoryParameters() group {
	device := d.Hardware.DRAM
	g := group{heading: "DRAM: the simulator's address map, in bytes; a word takes 4. Step s is in slot s mod SLOTS, at BASE + slot STRIDE"}
	add := func(name string, v units.Bytes, comment string) {
		g.parameters = append(g.parameters, parameter{name: name, value: int64(v), kind: long, comment: comment})
	}
	add("DRAM_BYTES", device.Capacity(), device.Name)
	add("DRAM_BURST_BYTES", device.BurstBytes(), "")
	for _, a := range d.Addresses {
		name := strings.ToUpper(a.Class.String())
		if a.Index > 0 {
			name = fmt.Sprintf("%s_%d", name, a.Index)
		}
		add(name+"_BASE", a.Base, "")
		add(name+"_STRIDE", a.Stride, "")
		add(name+"_BYTES", a.Words.Bytes(), "of a slot")
		g.parameters = append(g.parameters, parameter{name: name + "_SLOTS", value: int64(a.Slots)})
	}
	return g
}

// banner is the comment at the top of every generated file.
func (d *Design) banner() string {
	return fmt.Sprintf("// %s, accelsim %s\n// workload %s, hardware %s, k = %d, n = %d\n// To make it again: %s\n",
		Schema, oneLine(d.Version), oneLine(d.Workload.Name), oneLine(d.Hardware.Name), d.K, d.N, oneLine(d.Command))
}

// oneLine keeps a name from ending a comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// header writes accelsim_params.vh. It has no include guard: constants belong to
// the module that includes them, and a guard would leave the next module of the
// compilation without.
func (d *Design) header() string {
	return d.list("", "", map[kind]string{
		number: "localparam integer {name} = {value};", long: "localparam [63:0] {name} = 64'd{value};",
		encoded: "localparam signed [{top}:0] {name} = {literal};", table: "localparam [{top}:0] {name} = {literal};",
	}, "")
}

// pkg writes accelsim_pkg.sv. A package belongs to the whole compilation: its
// guard lets two files include it.
func (d *Design) pkg() string {
	return d.list("`ifndef ACCELSIM_PKG_SV\n`define ACCELSIM_PKG_SV\npackage accelsim_pkg;\n", "endpackage\n`endif\n", map[kind]string{
		number: "localparam int {name} = {value};", long: "localparam logic [63:0] {name} = 64'd{value};",
		encoded: "localparam logic signed [{top}:0] {name} = {literal};", table: "localparam logic [{top}:0] {name} = {literal};",
	}, "  ")
}

// namePrefix begins every name of header and package, so that they stand beside a
// user's own.
const namePrefix = "ACCELSIM_"

// A module need not use every constant, and a linter need not say so.
const (
	unusedAllowed = "// verilator lint_save\n// verilator lint_off UNUSED\n"
	unusedAgain   = "// verilator lint_restore\n"
)

func (d *Design) list(before, after string, templates map[kind]string, indent string) string {
	var b strings.Builder
	b.WriteString(d.banner() + before + unusedAllowed)
	for _, g := range d.groups {
		fmt.Fprintf(&b, "\n%s// %s.\n", indent, g.heading)
		for _, p := range g.parameters {
			value := p.literal
			if p.kind == encoded {
				value = literal(p.bits, p.value)
			}
			line := strings.NewReplacer(
				"{name}", namePrefix+p.name, "{value}", fmt.Sprint(p.value), "{top}", fmt.Sprint(p.bits-1), "{literal}", value,
			).Replace(templates[p.kind])
			if p.comment != "" {
				line += "  // " + p.comment
			}
			b.WriteString(indent + line + "\n")
		}
	}
	b.WriteString("\n" + unusedAgain + after)
	return b.String()
}

// words is the number of 64-bit registers that a host reads a constant from.
func (p parameter) words() int {
	if p.kind == table {
		return int(units.CeilDiv(p.bits, registerBits))
	}
	return 1
}

const registerBits = 64

// register is one of them as a Verilog expression, the lowest bits first.
func (p parameter) register(word int) string {
	name := namePrefix + p.name
	switch p.kind {
	case number:
		return fmt.Sprintf("{32'd0, %s}", name)
	case encoded:
		return fmt.Sprintf("{{%d{%s[%d]}}, %s}", registerBits-p.bits, name, p.bits-1, name)
	case table:
		low := word * registerBits
		part := fmt.Sprintf("%s[%d:%d]", name, min(low+registerBits, p.bits)-1, low)
		if missing := low + registerBits - p.bits; missing > 0 {
			return fmt.Sprintf("{%d'd0, %s}", missing, part)
		}
		return part
	}
	return name
}

// rom prints the read-only registers that tell a host every constant, in the
// order of the header; accelsim.json has their addresses.
func (d *Design) rom(indent string) string {
	var b strings.Builder
	address := 0
	for _, g := range d.groups {
		for _, p := range g.parameters {
			for word := range p.words() {
				fmt.Fprintf(&b, "%s16'd%d: config_value = %s;\n", indent, address, p.register(word))
				address++
			}
		}
	}
	return b.String()
}
