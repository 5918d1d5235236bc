package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows: sections in order.
type page struct {
	Title, Subtitle string
	Footer          string
	Facts           []fact
	Sections        []section
}

// fact is one figure of the head; Mood colours it.
type fact struct{ Name, Value, Note, Mood string }

// section is text, charts and tables under a heading.
type section struct {
	Title  string
	Text   []string
	Charts []chart
	Plots  []plot
	Tables []*Table
}

// chart is a list of stacked bars to one scale.
type chart struct {
	Title  string
	Legend []key
	Bars   []bar
}

// key is a colour's meaning; Color is a class of the style sheet.
type key struct{ Color, Name string }

type bar struct {
	Name, Value string
	Parts       []barPart
}

// barPart is a part of a bar, in thousandths of the chart's width.
type barPart struct {
	Color, Tip string
	X, Width   float64
}

// plot is a drawing that scrolls where the screen is narrow.
type plot struct {
	Title, Note string
	Legend      []key
	SVG         template.HTML
}

// amount is a part of a bar before it is scaled.
type amount struct {
	key
	v    float64
	text string
}

// entry is a bar before it is scaled.
type entry struct {
	name, value string
	amounts     []amount
}

// newChart scales bars to the longest one. The legend has what the bars have.
func newChart(title string, entries []entry) chart {
	c := chart{Title: title}
	longest := 0.0
	for _, e := range entries {
		sum := 0.0
		for _, a := range e.amounts {
			sum += a.v
		}
		longest = max(longest, sum)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		b := bar{Name: e.name, Value: e.value}
		x := 0.0
		for _, a := range e.amounts {
			if a.v <= 0 {
				continue
			}
			if !seen[a.Name] {
				seen[a.Name] = true
				c.Legend = append(c.Legend, a.key)
			}
			width := float64(1000 * ratio(a.v, longest))
			b.Parts = append(b.Parts, barPart{Color: a.Color, Tip: a.Name + ": " + a.text, X: x, Width: width})
			x += width
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}

// The colours, by what they stand for.
var (
	forwardKey   = key{"blue", "forward"}
	backwardKey  = key{"orange", "backward"}
	updateKey    = key{"green", "update"}
	waitPortsKey = key{"purple", "PEs wait for on-chip ports"}
	waitLoadKey  = key{"light", "PEs wait for loads"}
	waitStoreKey = key{"grey", "PEs wait for stores"}
	waitOtherKey = key{"dark", "PEs wait for neither"}

	dramKey   = key{"blue", "DRAM"}
	onChipKey = key{"sky", "on-chip accesses"}
	peKey     = key{"orange", "PE operations"}
	staticKey = key{"grey", "leakage of PEs and on-chip memory"}

	readKey  = key{"blue", "read"}
	writeKey = key{"orange", "written"}
	byteKey  = key{"sky", "bytes"}
)

var phaseKeys = map[string]key{"forward": forwardKey, "backward": backwardKey, "update": updateKey}

// WriteHTML writes a run as one page that needs nothing else. The trace of a
// timed run, if there is one, gives the timeline.
func WriteHTML(w io.Writer, r *Run, t *sim.Trace) error {
	return pageTemplate.Execute(w, runPage(r, t))
}

func runPage(r *Run, t *sim.Trace) page {
	p := page{
		Title:    runName(r),
		Footer:   "Made by accelsim. Every figure comes from the simulation that result.json beside this page records.",
		Subtitle: "One training iteration with temporally-truncated local BPTT (Guo et al. 2023), simulated by accelsim",
		Facts:    runFacts(r),
	}
	add := func(s section) {
		for i, text := range s.Text {
			s.Text[i] = unbroken(text)
		}
		p.Sections = append(p.Sections, s)
	}
	add(section{Title: "What was run", Tables: []*Table{whatTable(r)}})
	add(section{
		Title:  "Cross-check",
		Text:   []string{"Words that crossed the simulated DRAM port and operations that simulated PEs executed, against the paper's equations."},
		Tables: []*Table{checkTable(r)},
	})
	if r.Baseline != nil {
		add(baselineSection(r))
	}
	if r.Cycles != nil {
		add(timeSection(r))
		if r.Attribution != nil {
			add(layersSection(r))
		}
		add(energySection(r))
	}
	add(trafficSection(r))
	if r.Cycles != nil && r.Attribution != nil {
		add(section{
			Title: "Roofline",
			Text: []string{
				"Each layer's operations for every byte that it moves to or from DRAM, and the rate at which it executes them in the longer of its PE and DRAM times. " +
					"Where a zero spike gates a PE, the clock passes and nothing is executed, so layers stay below the peak by the density of spikes; the dashed line, " +
					scaled(r.Attribution.Roofline.BusyOperations, "op/s") + ", is what PEs execute while they are busy.",
			},
			Plots: []plot{rooflinePlot(r)},
		})
	}
	if t != nil && len(t.Spans) > 0 {
		add(section{Title: "Timeline", Plots: timelines(r, t)})
	}
	add(memorySection(r))
	if p := r.Projection; p != nil {
		add(section{Title: "A whole training", Text: []string{fmt.Sprintf(
			"An epoch of %s samples is %s iterations: %s, %s. %d epochs: %s, %s.",
			Integer(p.Samples), Integer(p.Iterations), Seconds(p.SecondsPerEpoch), scaled(p.JoulesPerEpoch, "J"),
			p.Epochs, Seconds(p.Seconds), scaled(p.Joules, "J"))}})
	}
	return p
}

// unbroken keeps numbers and their percent signs on one line.
func unbroken(text string) string { return strings.ReplaceAll(text, " %", "\u00a0%") }

func runName(r *Run) string {
	name := r.Workload.Name
	if r.Workload.Dataset != "" {
		name += " on " + r.Workload.Dataset
	}
	return fmt.Sprintf("%s, (k, n) = (%d, %d)", name, r.Schedule.K, r.Schedule.N)
}

// runFacts are the figures that one looks for first.
func runFacts(r *Run) []fact {
	check := fact{"cross-check", "pass", "every counter equals its equation", "good"}
	if !r.Residency.isLayer() {
		check.Note = "additions and MACs equal their equations; Eqs. 11-14 keep one layer on chip"
	}
	if !r.Crosscheck.Pass {
		check.Value, check.Note, check.Mood = "FAIL", "a counter differs from its equation", "bad"
	}
	list := []fact{check}
	less := func(key string) string {
		if r.Baseline == nil {
			return ""
		}
		v, ok := r.Baseline.Reduction[key]
		switch {
		case !ok:
			return ""
		case v < 0:
			return Percent(-v) + " more than BPTT"
		}
		return Percent(v) + " less than BPTT"
	}
	if r.Seconds != nil {
		list = append(list,
			fact{Name: "time", Value: Seconds(*r.Seconds), Note: less("cycles")},
			fact{Name: "energy", Value: Joules(r.Energy.Total), Note: less("energy")})
	}
	access := r.Counts.Forward.Reads + r.Counts.Forward.Writes + r.Counts.Backward.Reads + r.Counts.Backward.Writes
	list = append(list,
		fact{Name: "memory access, words", Value: scaled(float64(access), ""), Note: less("memory_access")},
		fact{Name: "MACs", Value: scaled(float64(r.Counts.Backward.MACs), ""), Note: less("macs")},
		fact{Name: "DRAM footprint", Value: Bytes(r.DRAM.Footprint), Note: less("footprint")})
	return list
}

func whatTable(r *Run) *Table {
	t := &Table{Header: []string{"", ""}, Left: []int{1}}
	s, hw := r.Schedule, r.Hardware
	t.Add("network", r.Workload.Text)
	t.Add("schedule", fmt.Sprintf("T = %d in %d intervals of k = %d; %d layers in %d local blocks of n = %d; batch %d; %s classifiers",
		s.Timesteps, s.Intervals, s.K, len(r.Workload.Layers), len(s.Blocks), s.N, s.Batch, s.Classifier))
	t.Add("hardware", fmt.Sprintf("%s: %dx%d %s PEs, %s, and %d lanes at %s; %d DMA engine(s)", hw.Name, hw.Rows, hw.Columns, hw.Precision,
		hw.Dataflow, hw.Lanes, scaled(float64(hw.Clock), "Hz"), hw.Engines))
	t.Add("on chip", onChipText(r.OnChip))
	if s.groups() > 1 {
		t.Add("pipelined", groupsText(s.Groups))
	}
	t.Add("DRAM", fmt.Sprintf("%s, %d channel(s), %d ranks, %s", r.DRAM.Device, r.DRAM.Channels, r.DRAM.Ranks, Bytes(r.DRAM.Capacity)))
	if s.Traffic == "equations" {
		t.Add("traffic", "only what Eqs. 11-17 cover")
	}
	if !r.Residency.isLayer() {
		t.Add("residency", r.Residency.text(r.OnChip.Capacity))
	}
	return t
}

func checkTable(r *Run) *Table {
	t := &Table{Header: []string{"quantity", "Eq.", "simulated", "equation", "difference"}, Left: []int{1}}
	if !r.Residency.isLayer() {
		t.Header = []string{"quantity", "Eq.", "simulated", "saved", "equation", "difference"}
	}
	for _, row := range r.Crosscheck.Rows {
		cells := []string{row.Quantity, row.Equation, Integer(row.Simulated)}
		if !r.Residency.isLayer() {
			cells = append(cells, Integer(row.Saved))
		}
		t.Add(append(cells, Integer(row.Analytic), Integer(row.Difference))...)
	}
	return t
}

// comparison is one quantity that runs share; absent ones are not compared.
type comparison struct {
	key, name string
	of        func(*Run) (v float64, text string, ok bool)
}

// comparisons lists what a run is compared by, in the paper's order.
var comparisons = []comparison{
	{"memory_access", "memory access (words)", func(r *Run) (float64, string, bool) { return whole(memoryAccess(r.Counts)) }},
	{"adds", "additions", func(r *Run) (float64, string, bool) {
		return whole(r.Counts.Forward.Adds + r.Counts.Backward.Adds)
	}},
	{"macs", "MACs", func(r *Run) (float64, string, bool) { return whole(r.Counts.Backward.MACs) }},
	{"traffic", allTrafficName, func(r *Run) (float64, string, bool) {
		words := int64(r.Traffic.Words)
		return float64(words), Integer(words), words > 0 // older results have none
	}},
	{"cycles", "cycles (PE clocks)", func(r *Run) (float64, string, bool) {
		if r.Cycles == nil {
			return 0, "", false
		}
		return r.Cycles.Total.Float64(), Total(r.Cycles.Total), true
	}},
	{"seconds", "time", func(r *Run) (float64, string, bool) {
		if r.Seconds == nil {
			return 0, "", false
		}
		return *r.Seconds, Seconds(*r.Seconds), true
	}},
	{"energy", "energy", func(r *Run) (float64, string, bool) {
		if r.Energy == nil {
			return 0, "", false
		}
		return float64(r.Energy.Total), Joules(r.Energy.Total), true
	}},
	{"footprint", "DRAM footprint", func(r *Run) (float64, string, bool) {
		return float64(r.DRAM.Footprint), Bytes(r.DRAM.Footprint), true
	}},
	{"memory_words", "GPU memory, Eqs. 8-10 (words)", func(r *Run) (float64, string, bool) {
		return whole(int64(r.Analytic.MemoryWords))
	}},
}

func whole(n int64) (float64, string, bool) { return float64(n), Integer(n), true }

func memoryAccess(c Counts) int64 {
	return int64(c.Forward.Reads + c.Forward.Writes + c.Backward.Reads + c.Backward.Writes)
}

// asRun puts a baseline into the form of a run, with what it has of one.
func (b *Baseline) asRun() *Run {
	return &Run{
		Schedule: Schedule{K: b.K, N: b.N}, Counts: b.Counts, Cycles: b.Cycles, Seconds: b.Seconds, Energy: b.Energy,
		Analytic: Analytic{MemoryWords: b.MemoryWords}, DRAM: DRAM{Footprint: b.Footprint},
	}
}

func baselineSection(r *Run) section {
	b := r.Baseline
	t := &Table{Header: []string{"quantity", "this run", "BPTT", "reduction"}}
	base := b.asRun()
	for _, q := range comparisons {
		mine, text, ok := q.of(r)
		theirs, theirText, both := q.of(base)
		if ok && both && theirs != 0 {
			t.Add(q.name, text, theirText, Percent(Quantity{Run: mine, Baseline: theirs}.Reduction()))
		}
	}
	s := section{
		Title:  "Against standard BPTT",
		Text:   []string{fmt.Sprintf("(k, n) = (%d, %d) with the same kind of classifier, simulated on the same hardware.", b.K, b.N)},
		Tables: []*Table{t},
	}
	if r.Schedule.groups() > 1 {
		s.Text = append(s.Text, oneGroup+".")
	}
	if b.RanksAdded > 0 {
		s.Text = append(s.Text, fmt.Sprintf("BPTT does not fit in the DRAM: simulated with %d ranks more.", b.RanksAdded))
	}
	return s
}

// timeAmounts is the time of a run by what PEs did: of several groups' PEs, on
// average.
func timeAmounts(r *Run) []amount {
	c, groups := r.Cycles, float64(r.Schedule.groups())
	at := func(k key, v units.Total[units.Cycles]) amount {
		return amount{k, v.Float64() / groups, Seconds(ratio(v.Float64()/groups, float64(r.Hardware.Clock)))}
	}
	waitOtherKey := key{waitOtherKey.Color, waitOtherText(r.Schedule.groups())}
	return []amount{
		at(forwardKey, c.Forward), at(backwardKey, c.Backward), at(updateKey, c.Update),
		at(waitPortsKey, c.StallPorts), at(waitLoadKey, c.StallLoad), at(waitStoreKey, c.StallStore), at(waitOtherKey, c.StallOther),
	}
}

func timeSection(r *Run) section {
	c, groups := r.Cycles, int64(r.Schedule.groups())
	entries := []entry{{"this run", Seconds(*r.Seconds), timeAmounts(r)}}
	if b := r.Baseline; b != nil && b.Cycles != nil {
		base := b.asRun()
		base.Hardware = r.Hardware
		entries = append(entries, entry{"BPTT", Seconds(*b.Seconds), timeAmounts(base)})
	}
	share := func(v units.Total[units.Cycles]) string { return Percent(100 * ratio(v.Float64(), c.Total.Float64())) }
	perGroup, _ := c.PEBusy.DivMod(units.Cycles(groups))
	if groups > 1 {
		entries[0].name += fmt.Sprintf(", %d groups", groups)
	}
	s := section{
		Title: "Where the time went",
		Text: []string{fmt.Sprintf("PEs are busy for %s of %s clocks, the DRAM for %s, both at once for %s. The next step is loaded and the one before stored while PEs compute; what could not be hidden shows as waiting.",
			share(perGroup), Total(c.Total), share(c.DRAMBusy), share(c.Overlap))},
		Charts: []chart{newChart("", entries)},
	}
	if groups > 1 {
		s.Text = append(s.Text, "Pipelined: "+groupsText(r.Schedule.Groups)+". What PEs did is the average of the groups.")
		table := groupTable(r)
		table.Title = ""
		s.Tables = append(s.Tables, table)
	}
	for _, h := range r.Helps {
		s.Text = append(s.Text, "What would help: "+h.Sentence()+".")
	}
	return s
}

func layersSection(r *Run) section {
	var times, energies []entry
	for _, p := range r.Attribution.Parts {
		var busy, ports, load, store, other []amount
		for _, phase := range p.Phases {
			of := func(name string, v units.Time, k key) amount {
				return amount{k, units.Seconds(v), Seconds(units.Seconds(v)) + " in " + name}
			}
			busy = append(busy, of(phase.Phase, phase.PEBusy, phaseKeys[phase.Phase]))
			ports = append(ports, of(phase.Phase, phase.WaitPorts, waitPortsKey))
			load = append(load, of(phase.Phase, phase.WaitLoad, waitLoadKey))
			store = append(store, of(phase.Phase, phase.WaitStore, waitStoreKey))
			other = append(other, of(phase.Phase, phase.WaitOther, key{waitOtherKey.Color, waitOtherText(r.Schedule.groups())}))
		}
		all := slices.Concat(busy, ports, load, store, other)
		name := p.Name + " · " + p.Bottleneck
		times = append(times, entry{name, Seconds(units.Seconds(p.Time)), all})
		energies = append(energies, entry{p.Name, Joules(p.Energy.Total), energyAmounts(&p.Energy)})
	}
	table := layerTable(r, false)
	notes := table.Notes[:2] // help is said above
	table.Title, table.Notes = "", nil
	return section{
		Title: "Layer by layer",
		Text: append([]string{
			"Time belongs to the step that PEs execute or, when they wait, to the one whose load or store they wait for. Beside each name is what takes longest: its computation in PEs, its transfers, or its accesses through the ports of the layer buffer, where they are limited.",
		}, notes...),
		Charts: []chart{newChart("Time", times), newChart("Energy", energies)},
		Tables: []*Table{table},
	}
}

func energyAmounts(e *Energy) []amount {
	of := func(k key, v units.Picojoules) amount { return amount{k, float64(v), Joules(v)} }
	return []amount{of(dramKey, e.DRAM), of(onChipKey, e.OnChip), of(peKey, e.PE), of(staticKey, e.Static)}
}

func energySection(r *Run) section {
	entries := []entry{{"this run", Joules(r.Energy.Total), energyAmounts(r.Energy)}}
	if b := r.Baseline; b != nil && b.Energy != nil {
		entries = append(entries, entry{"BPTT", Joules(b.Energy.Total), energyAmounts(b.Energy)})
	}
	t := &Table{Header: []string{"part", "energy", "share"}}
	add := func(name string, v units.Picojoules) {
		t.Add(name, Joules(v), Percent(100*ratio(float64(v), float64(r.Energy.Total))))
	}
	add("DRAM", r.Energy.DRAM)
	for _, class := range commandClasses {
		if v := r.Energy.DRAMByClass[class.key]; v != 0 {
			add("\u2003"+class.name, v)
		}
	}
	add("on-chip accesses", r.Energy.OnChip)
	add("PE operations", r.Energy.PE)
	for op := range pe.NumOps {
		var n int64
		if r.Attribution == nil {
			break
		}
		for _, p := range r.Attribution.Parts {
			for _, phase := range p.Phases {
				n += phase.Operations[pe.Op(op).String()]
			}
		}
		if n != 0 {
			t.Add("\u2003"+Integer(n)+" "+pe.Op(op).String(), "", "")
		}
	}
	add("leakage", r.Energy.Static)
	return section{Title: "Where the energy went", Charts: []chart{newChart("", entries)}, Tables: []*Table{t}}
}

func trafficAmounts(t Traffic) []amount {
	of := func(k key, v units.Words) amount { return amount{k, float64(v), Integer(v) + " words"} }
	return []amount{of(readKey, t.Reads), of(writeKey, t.Writes)}
}

func trafficSection(r *Run) section {
	var tensors, parts []entry
	for c := range role.InMemory {
		name := role.Role(c).String()
		if t, ok := r.Words[name]; ok {
			tensors = append(tensors, entry{name, scaled(float64(t.Reads+t.Writes), ""), trafficAmounts(t)})
		}
	}
	s := section{
		Title:  "Traffic",
		Text:   []string{"Words of 4 bytes across the DRAM port."},
		Charts: []chart{newChart("By tensor", tensors)},
	}
	if r.Attribution != nil {
		for _, p := range r.Attribution.Parts {
			var t Traffic
			for _, phase := range p.Phases {
				for _, moved := range phase.Tensors {
					t.Reads += moved.Traffic.Reads
					t.Writes += moved.Traffic.Writes
				}
			}
			parts = append(parts, entry{p.Name, scaled(float64(t.Reads+t.Writes), ""), trafficAmounts(t)})
		}
		s.Charts = append(s.Charts, newChart("By layer", parts))
		if r.Cycles != nil {
			table := tensorTable(r)
			table.Title = ""
			s.Tables = append(s.Tables, table)
		}
	}
	beyond := &Table{Title: "Beyond the equations: moved and executed, too", Header: []string{"class", "words", "operations"}}
	for b := range schedule.NumBeyond {
		name := schedule.Beyond(b).String()
		words, operations := r.Beyond.Words[name], r.Beyond.Operations[name]
		if words != 0 || operations != 0 {
			beyond.Add(name, Integer(words), Integer(operations))
		}
	}
	if len(beyond.Rows) > 0 {
		s.Tables = append(s.Tables, beyond)
	}
	if d := r.DRAM.Commands; d != nil {
		t := &Table{
			Title:  "DRAM commands",
			Header: []string{"bursts read", "bursts written", "activates", "precharges", "refreshes", "row hits", "bandwidth used"},
		}
		t.Add(Integer(d.Reads), Integer(d.Writes), Integer(d.Activates), Integer(d.Precharges), Total(d.Refreshes),
			Percent(100*d.RowHitRate), Percent(100*d.Utilisation))
		s.Tables = append(s.Tables, t)
	}
	return s
}

func memorySection(r *Run) section {
	var entries []entry
	for c := range role.InMemory {
		name := role.Role(c).String()
		if v := r.DRAM.Classes[name]; v != 0 {
			entries = append(entries, entry{name, Bytes(v), []amount{{byteKey, float64(v), Integer(v) + " B"}}})
		}
	}
	c := newChart("", entries)
	c.Legend = nil
	return section{
		Title: "Memory",
		Text: []string{fmt.Sprintf("DRAM: %s of %s. On chip: %s of %s at most.",
			Bytes(r.DRAM.Footprint), Bytes(r.DRAM.Capacity), Bytes(r.OnChip.Peak), Bytes(r.OnChip.Capacity))},
		Charts: []chart{c},
	}
}
