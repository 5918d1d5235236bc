package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Quantity is one line of the comparison with BPTT.
type Quantity struct {
	Key, Name      string
	Run, Baseline  float64
	runText, bText string
}

// Reduction returns by how many percent the run takes less; negative if more.
func (q Quantity) Reduction() float64 {
	if q.Baseline == 0 {
		return 0
	}
	return 100 * (1 - q.Run/q.Baseline)
}

// Compare lists what the run and its baseline took, in the paper's order; time
// and energy only where both were timed.
func Compare(e *design.Evaluation) []Quantity {
	r, b := e.Run, e.Baseline
	list := []Quantity{
		count("memory_access", "memory access (words)", int64(r.Counts.MemoryAccess()), int64(b.Counts.MemoryAccess())),
		count("adds", "additions", r.Counts.Adds(), b.Counts.Adds()),
		count("macs", "MACs", r.Counts.MACs(), b.Counts.MACs()),
		count("traffic", allTrafficName, int64(allTraffic(r).Words), int64(allTraffic(b.Result).Words)),
	}
	if r.Timing != nil && b.Timing != nil {
		mine, theirs := r.Timing.Cycles.Total, b.Timing.Cycles.Total
		list = append(list, Quantity{
			Key: "cycles", Name: "cycles (PE clocks)", Run: mine.Float64(), Baseline: theirs.Float64(),
			runText: Total(mine), bText: Total(theirs),
		})
		energy, base := r.Timing.Energy.Total(), b.Timing.Energy.Total()
		list = append(list, Quantity{
			Key: "energy", Name: "energy", Run: float64(energy), Baseline: float64(base),
			runText: Joules(energy), bText: Joules(base),
		})
	}
	return append(list, Quantity{
		Key: "footprint", Name: "DRAM footprint", Run: float64(r.Footprint.Total), Baseline: float64(b.Footprint.Total),
		runText: Bytes(r.Footprint.Total), bText: Bytes(b.Footprint.Total),
	})
}

func count(key, name string, run, baseline int64) Quantity {
	return Quantity{
		Key: key, Name: name, Run: float64(run), Baseline: float64(baseline),
		runText: Integer(run), bText: Integer(baseline),
	}
}

// allTrafficName is that of all words that crossed the DRAM port, those that the equations
// leave out, too.
const allTrafficName = "all DRAM traffic (words)"

// WriteRun prints an evaluation as tables; byLayer adds all that is known of
// layers, phases and tensors.
func WriteRun(w io.Writer, e *design.Evaluation, byLayer bool) error {
	writeHeading(w, e)
	tables := []*Table{crosscheckTable(e)}
	if e.Baseline != nil {
		tables = append(tables, baselineTable(e))
	}
	tables = append(tables, beyondTable(e))
	if e.Run.Timing != nil {
		run := NewRun(e)
		run.Attribute(e)
		tables = append(tables, timeTable(e.Run), groupTable(run), layerTable(run, byLayer), energyTable(e.Run), dramTable(e.Run))
		if byLayer {
			tables = append(tables, tensorTable(run))
		}
	}
	tables = append(tables, memoryTable(e.Run))
	if len(e.Run.OnChip.Memories) > 1 {
		tables = append(tables, bufferTable(onChipOf(e.Run.OnChip, e.Run.Timing != nil)))
	}
	for _, t := range tables {
		if len(t.Rows) == 0 {
			continue
		}
		if err := t.Write(w); err != nil {
			return err
		}
	}
	return writeProjection(w, e)
}

func writeHeading(w io.Writer, e *design.Evaluation) {
	r := e.Run
	task := r.Workload
	data := ""
	if task.Dataset != "" {
		data = " on " + task.Dataset
	}
	fmt.Fprintf(w, "%s%s: %s\n", task.Name, data, task.Net.Text)
	fmt.Fprintf(w, "(k, n) = (%d, %d): T = %d in %d intervals, %d layers in %d local blocks, batch %d, %s classifiers\n",
		r.K, r.N, task.Timesteps, r.Intervals, task.Net.N(), len(r.Blocks), task.Batch, task.Training.Classifier)
	if rule := ruleOf(task, r.K); rule != nil {
		fmt.Fprintf(w, "rule %s\n", rule)
	}
	hw := r.Hardware
	special := "" // what is not the paper's
	if hw.PE.Precision != pe.FP32 {
		special += ", " + hw.PE.Precision.String()
	}
	if hw.PE.Dataflow != pe.Gated {
		special += ", " + hw.PE.Dataflow.String()
	}
	if hw.Engines > 1 {
		special += fmt.Sprintf(", %d DMA engines", hw.Engines)
	}
	fmt.Fprintf(w, "%s: %dx%d PEs at %s, %d lanes%s; %s, %d channel(s), %d ranks\n",
		hw.Name, hw.PE.Rows, hw.PE.Columns, scaled(float64(hw.PE.Clock), "Hz"),
		hw.PE.Lanes, special, hw.DRAM.Name, hw.DRAM.Channels, hw.DRAM.Ranks)
	if hw.OnChip == 0 {
		fmt.Fprintf(w, "on chip %s: %s\n", Bytes(r.OnChip.Capacity), hw.Note)
	} else {
		fmt.Fprintf(w, "on chip %s\n", onChipText(onChipOf(r.OnChip, false)))
	}
	if len(r.Groups) > 1 {
		fmt.Fprintln(w, "pipelined: "+groupsText(NewRun(e).Schedule.Groups))
	}
	if e.Traffic == schedule.Equations {
		fmt.Fprintln(w, "only the traffic and operations of Eqs. 11-17 (--traffic equations)")
	}
	fmt.Fprintln(w)
}

// onChipText describes a layer buffer: "2 MiB in 64 banks of 2 ports", or its
// parts.
func onChipText(o OnChip) string {
	built := func(b Buffer) string {
		text := Bytes(b.Capacity)
		if b.Ports > 0 {
			text += fmt.Sprintf(" in %d banks of %d port(s)", b.Banks, b.Ports)
		}
		return text
	}
	if len(o.Buffers) == 1 {
		return built(o.Buffers[0])
	}
	var parts []string
	for _, b := range o.Buffers {
		parts = append(parts, b.Holds+" "+built(b))
	}
	return Bytes(o.Capacity) + ": " + strings.Join(parts, ", ")
}

func crosscheckTable(e *design.Evaluation) *Table {
	t := &Table{
		Title:  fmt.Sprintf("One training iteration, simulated, against the equations (words of %d bytes, operations)", e.Run.Hardware.PE.Precision.Word()),
		Header: []string{"quantity", "Eq.", "simulated", "equation", "difference"},
		Left:   []int{1},
	}
	residency := residencyOf(e)
	for _, row := range e.Check.Rows {
		cells := []string{row.Quantity, row.Equation, Integer(row.Simulated)}
		if !residency.isLayer() {
			cells = append(cells, Integer(row.Saved))
		}
		t.Add(append(cells, Integer(row.Analytic), Integer(row.Difference))...)
	}
	if !residency.isLayer() {
		t.Header = []string{"quantity", "Eq.", "simulated", "saved", "equation", "difference"}
		t.Notes = append(t.Notes, residency.text(e.Run.OnChip.Capacity))
	}
	verdict := "cross-check: PASS, every counter equals its equation"
	if e.Run.Tensors != nil {
		verdict = "cross-check: PASS, words and MACs equal their equations; additions are events of the given tensors,\n" +
			"  beside Eqs. 15 and 16 at the measured densities: padding taps carry none"
	}
	switch {
	case residency.isLayer():
	case e.Run.Tensors != nil:
		verdict = "cross-check: PASS, MACs equal their equation; words are beside Eqs. 11-14, which keep one layer on chip,\n" +
			"  and additions are events of the given tensors"
	default:
		verdict = "cross-check: PASS, additions and MACs equal their equations; words are beside Eqs. 11-14, which keep one layer on chip"
	}
	if !e.Check.Pass {
		verdict = "cross-check: FAIL"
	}
	t.Notes = append(append(t.Notes, verdict), e.Check.Late...)
	return t
}

func baselineTable(e *design.Evaluation) *Table {
	b := e.Baseline
	t := &Table{
		Title:  fmt.Sprintf("Against standard BPTT, (k, n) = (%d, %d), on the same hardware", b.K, b.N),
		Header: []string{"quantity", "this run", "BPTT", "reduction"},
	}
	for _, q := range Compare(e) {
		t.Add(q.Name, q.runText, q.bText, Percent(q.Reduction()))
	}
	memory := Quantity{Run: float64(e.MemoryWords), Baseline: float64(e.BaselineMemoryWords)}
	t.Add("GPU memory, Eqs. 8-10 (words)", Integer(e.MemoryWords), Integer(e.BaselineMemoryWords), Percent(memory.Reduction()))
	if len(e.Run.Groups) > 1 {
		t.Notes = append(t.Notes, oneGroup)
	}
	if b.RanksAdded > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("BPTT does not fit in the DRAM: simulated with %d ranks more", b.RanksAdded))
	}
	return t
}

func beyondTable(e *design.Evaluation) *Table {
	t := &Table{
		Title:  "Beyond the equations: moved and executed, too",
		Header: []string{"class", "words", "operations"},
	}
	for b := range schedule.NumBeyond {
		words, operations := e.Run.Beyond.Words[b], e.Run.Beyond.Operations[b]
		if words != 0 || operations != 0 {
			t.Add(schedule.Beyond(b).String(), Integer(words), Integer(operations))
		}
	}
	return t
}

func timeTable(r *sim.Result) *Table {
	c, groups := r.Timing.Cycles, int64(len(r.Groups))
	t := &Table{
		Title:  fmt.Sprintf("Time: %s, %s PE clocks", Seconds(r.Timing.Seconds), Total(c.Total)),
		Header: []string{"what", "clocks", "share"},
	}
	if groups > 1 {
		t.Notes = append(t.Notes, fmt.Sprintf("clocks of PEs are those of all %d PE groups, shares of PEs of %d times the time", groups, groups))
	}
	share := func(name string, v, of units.Total[units.Cycles]) {
		t.Add(name, Total(v), Percent(100*v.Float64()/max(of.Float64(), 1)))
	}
	add := func(name string, v units.Total[units.Cycles]) { share(name, v, c.Total.Times(groups)) }
	add("PEs busy", c.PEBusy)
	for phase, v := range c.Phase {
		if v.Sign() > 0 {
			add("  "+sim.Phase(phase).String(), v)
		}
	}
	if r.OnChip.Limited() {
		add("PEs wait for on-chip ports", c.StallPorts)
	}
	add("PEs wait for loads", c.StallLoad)
	add("PEs wait for stores", c.StallStore)
	if c.StallOther.Sign() > 0 {
		add(waitOtherText(len(r.Groups)), c.StallOther)
	}
	share("DRAM busy", c.DRAM, c.Total)
	share("  while PEs are", c.Overlap, c.Total)
	return t
}

func energyTable(r *sim.Result) *Table {
	e := r.Timing.Energy
	t := &Table{
		Title:  "Energy: " + Joules(e.Total()),
		Header: []string{"part", "energy", "share"},
	}
	add := func(name string, v units.Picojoules) {
		t.Add(name, Joules(v), Percent(100*float64(v/e.Total())))
	}
	add("DRAM", e.DRAM)
	commands := dramClasses(e.Commands)
	for _, class := range commandClasses {
		if v := commands[class.key]; v != 0 {
			add("  "+class.name, v)
		}
	}
	add("on-chip accesses", e.OnChip)
	if len(r.OnChip.Memories) > 1 {
		for kind, m := range r.OnChip.Memories {
			add("  "+role.Buffer(kind).String(), m.Energy)
		}
	}
	add("PE operations", e.PE)
	add("leakage of PEs and on-chip memory", e.Static)
	if r.Hardware.OnChip == 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("leakage is that of %s on chip: the paper's assumption, not a chip that one can buy", Bytes(r.OnChip.Capacity)))
	}
	var ops []string
	for op, n := range r.Operations {
		if n != 0 {
			ops = append(ops, fmt.Sprintf("%s %s", Integer(n), pe.Op(op)))
		}
	}
	t.Notes = append(t.Notes, "PE operations: "+strings.Join(ops, ", "))
	return t
}

func dramTable(r *sim.Result) *Table {
	s := r.Timing.DRAM
	t := &Table{
		Title: fmt.Sprintf("DRAM: %s bursts read, %s written", Integer(s.Reads), Integer(s.Writes)),
		Header: []string{
			"activates", "precharges", "refreshes", "row hits", "bandwidth used",
		},
	}
	t.Add(Integer(s.Activates), Integer(s.Precharges), Total(s.Refreshes.PlusTotal(s.BankRefreshes)),
		Percent(100*s.RowHitRate()), Percent(100*r.Timing.Utilisation))
	return t
}

func memoryTable(r *sim.Result) *Table {
	t := &Table{
		Title: fmt.Sprintf("Memory: DRAM %s of %s; on chip %s of %s at most",
			Bytes(r.Footprint.Total), Bytes(r.Footprint.Capacity), Bytes(r.OnChip.Peak), Bytes(r.OnChip.Capacity)),
		Header: []string{"tensors", "footprint", "words read", "words written"},
	}
	for c, bytes := range r.Footprint.Class {
		if bytes != 0 {
			traffic := r.Words[c]
			t.Add(role.Role(c).String(), Bytes(bytes), Integer(traffic.Reads), Integer(traffic.Writes))
		}
	}
	return t
}

// bufferTable shows the buffers that the layer buffer consists of.
func bufferTable(o OnChip) *Table {
	t := &Table{
		Title:  "On chip: a buffer for each kind of tensor",
		Header: []string{"holds", "capacity", "banks", "ports", "at most", "words read", "words written", "energy"},
	}
	for _, b := range o.Buffers {
		ports, energy := "no limit", ""
		if b.Ports > 0 {
			ports = strconv.Itoa(b.Ports)
		}
		if b.Energy != nil {
			energy = Joules(*b.Energy)
		}
		t.Add(b.Holds, Bytes(b.Capacity), Integer(b.Banks), ports, Bytes(b.Peak), Integer(b.Reads), Integer(b.Writes), energy)
	}
	return t
}

func writeProjection(w io.Writer, e *design.Evaluation) error {
	p := e.Projection
	if p == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "An epoch of %s samples: %s iterations, %s, %s. %d epochs: %s, %s.\n",
		Integer(p.Samples), Integer(p.Iterations), Seconds(p.SecondsPerEpoch), scaled(p.JoulesPerEpoch, "J"),
		p.Epochs, Seconds(float64(p.Epochs)*p.SecondsPerEpoch), scaled(float64(p.Epochs)*p.JoulesPerEpoch, "J"))
	return err
}
