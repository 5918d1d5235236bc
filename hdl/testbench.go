package hdl

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/units"
)

// constant is a port that a datapath's constants drive.
type constant struct {
	port  string
	width int
	value int64
}

func constants(d *fixed.Datapath) []constant {
	uw, cw := d.Potential.Width(), d.Constants.Width()
	return []constant{
		{"tau", uw, d.Leak},
		{"theta", uw, d.Reset},
		{"u_th", uw, d.Threshold},
		{"half_width", uw, d.HalfWidth},
		{"inverse_width", uw, d.InverseWidth},
		{"momentum", uw, d.Momentum},
		{"rate", cw, d.Rate.Mantissa},
		{"loss_scale", cw, d.Loss.Mantissa},
	}
}

// widths are the parameters of the RTL that formats, sums and constants give.
func widths(d *fixed.Datapath) []setting {
	return []setting{
		{"WW", d.Weight.Width(), "bits of a weight"},
		{"WF", d.Weight.Fraction, ".. of them fraction"},
		{"UW", d.Potential.Width(), "bits of a potential and of tau, theta, u_th, a/2, 1/a, momentum"},
		{"UF", d.Potential.Fraction, ".. of them fraction"},
		{"EW", d.Error.Width(), "bits of an error"},
		{"EF", d.Error.Fraction, ".. of them fraction, times 2^ERROR_SHIFT"},
		{"GW", d.Gradient.Width(), "bits of a gradient and of a moment"},
		{"GF", d.Gradient.Fraction, ".. of them fraction at the scale 2^ERROR_SHIFT"},
		{"SW", d.SumBits, "bits of an exact synaptic sum (Eq. 1)"},
		{"BW", d.SpatialBits, "bits of an exact spatial error (Eq. 4)"},
		{"RW", d.RegisterBits, "bits of a weight's gradient register (Eq. 7)"},
		{"NW", d.CountBits, "bits of a classifier neuron's spike count"},
		{"K", d.K, "truncation interval"},
		{"CW", d.Constants.Width(), "bits of RATE and LOSS_SCALE"},
		{"LOSS_CF", d.Loss.Fraction, "fraction bits of LOSS_SCALE"},
		{"RATE_CF", d.Rate.Fraction, "fraction bits of RATE"},
	}
}

// setting is a whole number with a name.
type setting struct {
	name    string
	value   int
	comment string
}

// literal prints a signed Verilog constant.
func literal(width int, value int64) string {
	if value < 0 {
		return fmt.Sprintf("-%d'sd%d", width, -value)
	}
	return fmt.Sprintf("%d'sd%d", width, value)
}

// settings prints parameter overrides by name; "CF=LOSS_CF" gives CF the value
// of LOSS_CF.
func settings(d *fixed.Datapath, names []string) string {
	values := map[string]int{}
	for _, w := range widths(d) {
		values[w.name] = w.value
	}
	var list []string
	for _, name := range names {
		to, from, renamed := strings.Cut(name, "=")
		if !renamed {
			from = to
		}
		list = append(list, fmt.Sprintf(".%s(%d)", to, values[from]))
	}
	return strings.Join(list, ", ")
}

// file is one file of an output folder.
type file struct{ name, text string }

// testUnits writes the vectors of units and a testbench that runs each unit
// twice: gapless, when its clocks are compared too, and with pauses on both
// sides.
func testUnits(d *fixed.Datapath, list []*Unit) []file {
	var files []file
	var b strings.Builder
	b.WriteString("// Every unit on random vectors, each output word compared bit for bit.\n`default_nettype none\n")
	for _, u := range list {
		files = append(files, unitTest(&b, d, u)...)
	}
	b.WriteString("`timescale 1ns / 1ns\nmodule accelsim_tb_units;\n")
	b.WriteString("  reg clock = 1'b0, reset = 1'b1;\n  always #5 clock = ~clock;\n")
	fmt.Fprintf(&b, "  wire [%d:0] done;\n", 2*len(list)-1)
	var failed []string
	for i, u := range list {
		for gaps := range 2 {
			at := 2*i + gaps
			fmt.Fprintf(&b, "  wire [31:0] errors%d, cycles%d;\n", at, at)
			fmt.Fprintf(&b, "  accelsim_tb_%s #(.GAPS(%d)) t%d (.clock(clock), .reset(reset), .done(done[%d]), .errors(errors%d), .cycles(cycles%d));\n",
				u.Name, gaps, at, at, at, at)
			failed = append(failed, fmt.Sprintf("errors%d", at))
		}
	}
	b.WriteString("  integer limit = 0;\n  initial begin\n    #42 reset = 1'b0;\n  end\n")
	b.WriteString("  always @(posedge clock) begin\n    limit <= limit + 1;\n")
	longest := units.Cycles(0)
	for _, u := range list {
		longest = max(longest, u.Cycles)
	}
	fmt.Fprintf(&b, "    if (&done || limit == %d) begin\n", 20*longest+1000)
	for i, u := range list {
		fmt.Fprintf(&b, "      if (done[%d] && cycles%d != %d) $display(\"MISMATCH %s: %%0d clocks, the model says %d\", cycles%d);\n",
			2*i, 2*i, u.Cycles, u.Name, u.Cycles, 2*i)
		fmt.Fprintf(&b, "      $display(\"unit %s: %d vectors twice, %%0d mismatches, %%0d clocks, model %d\", errors%d + errors%d, cycles%d);\n",
			u.Name, u.Vectors(), u.Cycles, 2*i, 2*i+1, 2*i)
	}
	fmt.Fprintf(&b, "      if (&done && %s == 0", strings.Join(failed, " + "))
	for i, u := range list {
		fmt.Fprintf(&b, " && cycles%d == %d", 2*i, u.Cycles)
	}
	b.WriteString(") $display(\"PASS units\");\n      else $display(\"FAIL units\");\n      $finish;\n    end\n  end\nendmodule\n`default_nettype wire\n")
	return append(files, file{"tb/accelsim_tb_units.v", b.String()})
}

// unitTest writes the module that tests one unit, and its vectors.
func unitTest(b *strings.Builder, d *fixed.Datapath, u *Unit) (files []file) {
	fmt.Fprintf(b, "module accelsim_tb_%s #(\n    parameter GAPS = 0\n) (\n    input wire clock, input wire reset, output wire done, output wire [31:0] errors, output wire [31:0] cycles\n);\n", u.Name)
	b.WriteString("  reg [31:0] noise;\n  always @(posedge clock) noise <= reset ? 32'd77 : {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};\n")
	b.WriteString("  wire out_ready = GAPS == 0 || noise[3] || noise[9];\n  wire in_ready;\n")
	var ports []string
	ports = append(ports, ".clock(clock)", ".reset(reset)", ".in_ready(in_ready)", ".out_ready(out_ready)")
	for _, name := range u.constants {
		port, from, renamed := strings.Cut(name, "=")
		if !renamed {
			from = port
		}
		for _, c := range constants(d) {
			if c.port == from {
				ports = append(ports, fmt.Sprintf(".%s(%s)", port, literal(c.width, c.value)))
			}
		}
	}
	for i, s := range u.in {
		name := fmt.Sprintf("vectors/%s_in%d.hex", u.Name, i)
		files = append(files, file{name, s.words.String()})
		fmt.Fprintf(b, "  wire in%d_valid;\n  wire [%d:0] in%d;\n", i, s.words.width-1, i)
		fmt.Fprintf(b, "  accelsim_tb_source #(.WIDTH(%d), .COUNT(%d), .GAPS(GAPS), .SEED(%d), .FILE(\"%s\")) source%d (.clock(clock), .reset(reset), .valid(in%d_valid), .ready(in_ready), .data(in%d));\n",
			s.words.width, len(s.words.lines), 12345+i, name, i, i, i)
		ports = append(ports, fmt.Sprintf(".%s(in%d_valid)", s.valid, i))
		at := s.words.width
		for _, f := range s.fields {
			at -= f.width
			port, late, delayed := strings.Cut(f.port, ":")
			from := fmt.Sprintf("in%d[%d:%d]", i, at+f.width-1, at)
			if delayed {
				fmt.Fprintf(b, "  wire [%d:0] %s_late;\n  accelsim_delay #(.WIDTH(%d), .STAGES(%s)) %s_line (.clock(clock), .enable(out_ready), .d(%s), .q(%s_late));\n",
					f.width-1, port, f.width, late, port, from, port)
				from = port + "_late"
			}
			ports = append(ports, fmt.Sprintf(".%s(%s)", port, from))
		}
	}
	var done, errors []string
	for i, s := range u.out {
		name := fmt.Sprintf("vectors/%s_out%d.hex", u.Name, i)
		files = append(files, file{name, s.words.String()})
		fmt.Fprintf(b, "  wire out%d_valid;\n  wire [%d:0] out%d;\n  wire done%d;\n  wire [31:0] errors%d, last%d;\n", i, s.words.width-1, i, i, i, i)
		fmt.Fprintf(b, "  accelsim_tb_sink #(.WIDTH(%d), .COUNT(%d), .FILE(\"%s\"), .NAME(\"%s\")) sink%d (.clock(clock), .reset(reset), .valid(out%d_valid), .ready(out_ready), .data(out%d), .done(done%d), .errors(errors%d), .last(last%d));\n",
			s.words.width, len(s.words.lines), name, u.Name, i, i, i, i, i, i)
		ports = append(ports, fmt.Sprintf(".%s(out%d_valid)", s.valid, i))
		at := s.words.width
		for _, f := range s.fields {
			at -= f.width
			ports = append(ports, fmt.Sprintf(".%s(out%d[%d:%d])", f.port, i, at+f.width-1, at))
		}
		done, errors = append(done, fmt.Sprintf("done%d", i)), append(errors, fmt.Sprintf("errors%d", i))
	}
	fmt.Fprintf(b, "  accelsim_%s #(%s) dut (\n      %s\n  );\n", u.Name, settings(d, u.parameters), strings.Join(ports, ",\n      "))
	fmt.Fprintf(b, "  assign done = %s;\n  assign errors = %s;\n", strings.Join(done, " & "), strings.Join(errors, " + "))
	last := "last0"
	for i := 1; i < len(u.out); i++ {
		last = fmt.Sprintf("(%s > last%d ? %s : last%d)", last, i, last, i)
	}
	fmt.Fprintf(b, "  assign cycles = %s + 1;\nendmodule\n", last)
	return files
}

// BlockTest is a local block with random weights, inputs and labels: what goes
// in, and what the model makes of it, interval by interval.
type BlockTest struct {
	Block     *fixed.Block
	Array     pe.Array
	Intervals int
	Cycles    units.Cycles // of one interval
	Fired     int          // spikes in all, so that a test can tell that something happened
	Moved     int          // weights that the intervals changed
	// Accuracy is the model against float32, after the last interval.
	Accuracy []fixed.Accuracy

	tables   blockTables
	commands words
}

// Commands of the block's testbench.
const (
	commandWrite = iota
	commandStart
	commandCompare
)

// The block's buffers by the numbers that the host uses.
const (
	bufferWeights = iota
	bufferMoments
	bufferGradients
	bufferPotentials
	bufferSpikes
	bufferLabels
)

// NewBlockTest makes the test of a workload's block on an array.
func NewBlockTest(w *network.Workload, b *fixed.Block, a pe.Array, intervals int, seed uint64) *BlockTest {
	t := &BlockTest{Block: b, Array: a, Intervals: intervals, Cycles: b.Cycles(a), tables: layOutBlock(b, a)}
	r := rand.New(rand.NewPCG(seed, 2))
	put := func(command, buffer, address int, data int64) {
		t.commands.put([]field{
			{width: 2, value: int64(command)},
			{width: 3, value: int64(buffer)},
			{width: t.tables.addressBits, value: int64(address)},
			{width: t.tables.hostBits(b), value: data},
		})
	}
	limit := b.Weight.Max() + 1
	for l := range b.Layers() {
		// Large enough that neurons fire.
		reach := min(limit, 3*b.Threshold<<max(0, b.Weight.Fraction-b.Potential.Fraction)>>max(0, b.Potential.Fraction-b.Weight.Fraction)/2)
		for i := range b.W[l] {
			b.W[l][i] = r.Int64N(2*reach) - reach*2/3
			b.W[l][i] = min(max(b.W[l][i], b.Weight.Min()), b.Weight.Max())
			put(commandWrite, bufferWeights, t.tables.weightBase[l+1]+i, b.W[l][i])
			put(commandWrite, bufferMoments, t.tables.weightBase[l+1]+i, 0)
		}
		for i := range b.U[l] {
			put(commandWrite, bufferPotentials, t.tables.neuronBase[l+1]+i, 0)
		}
	}
	reference := fixed.NewReference(w, b)
	before := make([][]int64, b.Layers())
	for l := range before {
		before[l] = append([]int64(nil), b.W[l]...)
	}
	slots, base := max(b.K, 2), 0
	labels := make([]int, b.Batch)
	for range intervals {
		inputs := make([][]bool, b.K)
		for step := range inputs {
			inputs[step] = make([]bool, b.Batch*b.Sizes[0])
			for i := range inputs[step] {
				inputs[step][i] = r.IntN(3) == 0
				at := (base+step+1)%slots*t.tables.spikeSlot + t.tables.spikeBase[0] + i
				put(commandWrite, bufferSpikes, at, truth(inputs[step][i]))
			}
		}
		classes := b.Sizes[b.Layers()]
		for sample := range labels {
			labels[sample] = r.IntN(classes)
			for class := range classes {
				put(commandWrite, bufferLabels, sample*classes+class, truth(class == labels[sample]))
			}
		}
		b.Interval(inputs, labels)
		reference.Interval(inputs, labels)
		base = (base + b.K) % slots
		put(commandStart, 0, base, int64(t.Cycles))
		for l := range b.Layers() {
			for i := range b.W[l] {
				at := t.tables.weightBase[l+1] + i
				put(commandCompare, bufferWeights, at, b.W[l][i])
				if l < b.Trained {
					put(commandCompare, bufferMoments, at, b.V[l][i])
					put(commandCompare, bufferGradients, at, b.DW[l][i])
				}
			}
			for i, u := range b.U[l] {
				put(commandCompare, bufferPotentials, base*t.tables.neuronSlot+t.tables.neuronBase[l+1]+i, u)
				fired := truth(u >= b.Threshold)
				t.Fired += int(fired)
				put(commandCompare, bufferSpikes, base*t.tables.spikeSlot+t.tables.spikeBase[l+1]+i, fired)
			}
		}
	}
	t.Accuracy = reference.Compare()
	for l := range before {
		for i := range before[l] {
			t.Moved += int(truth(before[l][i] != b.W[l][i]))
		}
	}
	return t
}

// Trained is the number of weights that learn.
func (t *BlockTest) Trained() (weights int) {
	for _, w := range t.Block.W[:t.Block.Trained] {
		weights += len(w)
	}
	return weights
}

// blockTables is where the block's buffers hold what.
type blockTables struct {
	addressBits, layerBits                                     int
	sizes, neurons, weights, neuronBase, spikeBase, weightBase []int
	neuronSlot, spikeSlot                                      int
}

func layOutBlock(b *fixed.Block, a pe.Array) (t blockTables) {
	weight, neuron, spike := 0, 0, b.Batch*b.Sizes[0]
	t.sizes, t.neurons, t.weights = []int{b.Sizes[0]}, []int{0}, []int{0}
	t.neuronBase, t.spikeBase, t.weightBase = []int{0}, []int{0}, []int{0}
	for l := 1; l <= b.Layers(); l++ {
		n, w := b.Batch*b.Sizes[l], b.Sizes[l-1]*b.Sizes[l]
		t.sizes, t.neurons, t.weights = append(t.sizes, b.Sizes[l]), append(t.neurons, n), append(t.weights, w)
		t.neuronBase, t.spikeBase, t.weightBase = append(t.neuronBase, neuron), append(t.spikeBase, spike), append(t.weightBase, weight)
		weight, neuron, spike = weight+w, neuron+n, spike+n
	}
	t.neuronSlot, t.spikeSlot = neuron, spike
	slots := max(b.K, 2)
	largest := max(weight, slots*neuron, slots*spike, 2*b.Batch, int(b.K)+1) + max(a.Rows, a.Columns, a.Lanes) + int(a.Pipeline)
	for 1<<t.addressBits <= largest {
		t.addressBits++
	}
	for 1<<t.layerBits <= b.Layers()+1 {
		t.layerBits++
	}
	return t
}

// hostBits is the width of a host word: above every word's and the clocks'.
func (t blockTables) hostBits(b *fixed.Block) int {
	return 1 + max(b.Weight.Width(), b.Gradient.Width(), b.Potential.Width())
}

// packed prints a table with a field for every layer number.
func (t blockTables) packed(list []int) string {
	var w words
	fields := make([]field, 1<<t.layerBits)
	for i := range fields {
		at := len(fields) - 1 - i
		fields[at].width = t.addressBits
		if i < len(list) {
			fields[at].value = int64(list[i])
		}
	}
	w.put(fields)
	return fmt.Sprintf("%d'h%s", w.width, w.lines[0])
}

// parameters are those of accelsim_block that its tables give.
func (t *BlockTest) parameters() []blockParameter {
	b, a, l := t.Block, t.Array, t.tables
	shared := func(name string, v int) blockParameter {
		return blockParameter{name: name, value: fmt.Sprint(v), number: v}
	}
	number := func(name string, v int) blockParameter {
		return blockParameter{name: name, value: fmt.Sprint(v), number: v, own: true}
	}
	table := func(name string, list []int) blockParameter {
		return blockParameter{name: name, value: l.packed(list), bits: l.addressBits << l.layerBits, own: true}
	}
	address := func(name string, v int) blockParameter {
		return blockParameter{name: name, value: fmt.Sprintf("%d'd%d", l.addressBits, v), bits: l.addressBits, own: true}
	}
	return []blockParameter{
		shared("ROWS", a.Rows), shared("COLUMNS", a.Columns), shared("LANES", a.Lanes), shared("PIPELINE", int(a.Pipeline)),
		shared("BATCH", b.Batch), shared("STEPS", b.K), shared("SLOTS", max(b.K, 2)),
		number("LAYERS", b.Layers()), number("TRAINED", b.Trained), number("AW", l.addressBits), number("LW", l.layerBits),
		table("SIZES", l.sizes), table("NEURONS", l.neurons), table("WEIGHTS", l.weights),
		table("NEURON_BASE", l.neuronBase), table("SPIKE_BASE", l.spikeBase), table("WEIGHT_BASE", l.weightBase),
		address("NEURON_SLOT", l.neuronSlot), address("SPIKE_SLOT", l.spikeSlot),
		number("HW", l.hostBits(b)),
	}
}

type blockParameter struct {
	name, value string
	bits        int  // of a table
	number      int  // of a plain number
	own         bool // the block's alone: the header has it under a name of its own
}

// inHeader is the header's name of a parameter, without its prefix.
func (p blockParameter) inHeader() string {
	switch {
	case p.own:
		return "BLOCK_" + p.name
	case p.name == "STEPS":
		return "K"
	}
	return p.name
}

// blockSettings prints all overrides of accelsim_block.
func (t *BlockTest) settings() string {
	var list []string
	for _, p := range t.parameters() {
		list = append(list, fmt.Sprintf(".%s(%s)", p.name, p.value))
	}
	var names []string
	for _, p := range peParameters {
		if p != "K" {
			names = append(names, p)
		}
	}
	return strings.Join(list, ",\n      ") + ",\n      " + settings(t.Block.Datapath, names)
}

// files writes the testbench of the block and its commands.
func (t *BlockTest) files() []file {
	aw, hw := t.tables.addressBits, t.tables.hostBits(t.Block)
	var ports strings.Builder
	for _, c := range constants(t.Block.Datapath) {
		fmt.Fprintf(&ports, ".%s(%s), ", c.port, literal(c.width, c.value))
	}
	text := fmt.Sprintf(blockBench, t.commands.width-1, len(t.commands.lines)-1, hw-1, aw-1,
		t.settings(), ports.String(), len(t.commands.lines))
	text = strings.ReplaceAll(text, "CYCLES", fmt.Sprint(t.Cycles))
	return []file{{"vectors/block.hex", t.commands.String()}, {"tb/accelsim_tb_block.v", text}}
}

// blockBench executes commands: write a word, run an interval, compare a word.
const blockBench = "// A local block through its intervals: every word compared bit for bit, clocks\n" +
	"// with the model.\n`timescale 1ns / 1ns\n`default_nettype none\n" + `module accelsim_tb_block;
  reg clock = 1'b0, reset = 1'b1;
  always #5 clock = ~clock;
  initial #42 reset = 1'b0;
  reg [%d:0] commands[0:%d];
  initial $readmemh("vectors/block.hex", commands);

  reg [31:0] next, errors, compared, intervals;
  reg started, finished;
  wire [1:0] command;
  wire [2:0] buffer;
  wire [%d:0] data, read_data;
  wire [%d:0] address, final_slot;
  assign {command, buffer, address, data} = commands[next];
  wire more = !reset && !finished;
  wire start_ready, done_valid, host_ready, read_valid;
  wire [31:0] cycles;
  accelsim_block #(
      %s
  ) block (
      .clock(clock), .reset(reset), %s
      .start_valid(more && command == 2'd1 && !started), .start_ready(start_ready),
      .done_valid(done_valid), .done_ready(1'b1), .cycles(cycles), .final_slot(final_slot),
      .host_valid(more && (command == 2'd0 || command == 2'd2 && !started)), .host_ready(host_ready),
      .host_write(command == 2'd0), .host_buffer(buffer), .host_address(address), .host_data(data),
      .read_valid(read_valid), .read_ready(1'b1), .read_data(read_data)
  );
  wire advance = command == 2'd0 ? host_ready : command == 2'd1 ? started && done_valid : started && read_valid;
  integer limit = 0;
  always @(posedge clock) begin
    limit <= limit + 1;
    if (command == 2'd1 && start_ready && !started) started <= 1'b1;
    if (command == 2'd2 && host_ready && !started) started <= 1'b1;
    if (more && advance) begin
      started <= 1'b0;
      next <= next + 1;
      if (next + 1 == %d) finished <= 1'b1;
      if (command == 2'd1) begin
        intervals <= intervals + 1;
        if (final_slot !== address) begin
          errors <= errors + 1;
          $display("MISMATCH block: the last step is in slot %%0d, expected %%0d", final_slot, address);
        end
      end
      if (command == 2'd2) begin
        compared <= compared + 1;
        if (read_data !== data) begin
          errors <= errors + 1;
          if (errors < 4) $display("MISMATCH block: interval %%0d buffer %%0d word %%0d is %%h, expected %%h", intervals, buffer, address, read_data, data);
        end
      end
    end
    if (reset) begin
      {next, errors, compared, intervals} <= 128'd0;
      {started, finished} <= 2'b00;
    end
    if (finished || limit == 50000000) begin
      $display("block: %%0d intervals, %%0d words compared, %%0d mismatches, %%0d clocks an interval, model %%0d", intervals, compared, errors, cycles, CYCLES);
      if (!finished) $display("MISMATCH block: not done after %%0d clocks", limit);
      if (cycles != CYCLES) $display("MISMATCH block: %%0d clocks, the model says CYCLES", cycles);
      if (finished && errors == 0 && cycles == CYCLES) $display("PASS block");
      else $display("FAIL block");
      $finish;
    end
  end
endmodule
` + "`default_nettype wire\n"
