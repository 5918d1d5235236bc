package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// drawing is an SVG in the making. Its numbers are pixels of a page that is
// wide enough.
type drawing struct {
	width, height float64
	strings.Builder
}

func (d *drawing) rect(class string, x, y, width, height float64, tip string) {
	fmt.Fprintf(d, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f">`, class, x, y, width, height)
	if tip != "" {
		fmt.Fprintf(d, "<title>%s</title>", html.EscapeString(tip))
	}
	d.WriteString("</rect>")
}

// shade draws a rectangle paler where less of it is covered.
func (d *drawing) shade(class string, x, y, width, height, covered float64, tip string) {
	if covered > 0.95 {
		d.rect(class, x, y, width, height, tip)
		return
	}
	fmt.Fprintf(d, `<g fill-opacity="%.2f">`, max(covered, 0.2))
	d.rect(class, x, y, width, height, tip)
	d.WriteString("</g>")
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="%s" x1="%.2f" y1="%.2f" x2="%.2f" y2="%.2f"/>`, class, x1, y1, x2, y2)
}

func (d *drawing) circle(class string, x, y, radius float64, tip string) {
	fmt.Fprintf(d, `<circle class="%s" cx="%.2f" cy="%.2f" r="%.1f"><title>%s</title></circle>`, class, x, y, radius, html.EscapeString(tip))
}

// text writes at a point; anchor is start, middle or end.
func (d *drawing) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(d, `<text class="%s" text-anchor="%s" x="%.2f" y="%.2f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

// svg returns the drawing. Everything in it was formatted or escaped above.
func (d *drawing) svg(label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg>`,
		d.width, d.height, html.EscapeString(label), d.String()))
}

// logAxis is a logarithmic axis.
type logAxis struct {
	low, high  float64
	from, till float64 // pixels
}

// at returns where a value lies.
func (a logAxis) at(v float64) float64 {
	return a.from + float64((a.till-a.from)*elementary.Log(v/a.low)/elementary.Log(a.high/a.low))
}

// ticks returns the powers of ten on the axis and, on a short one, their
// doubles and halves.
func (a logAxis) ticks() []float64 {
	factors := []float64{1, 2, 5}
	if a.high/a.low > 1e4 {
		factors = factors[:1]
	}
	var list []float64
	for e := elementary.Decade(a.low); e <= elementary.Decade(a.high); e++ {
		for _, f := range factors {
			if v := f * math.Pow10(e); v >= a.low && v <= a.high {
				list = append(list, v)
			}
		}
	}
	return list
}

// rooflinePlot draws parts under the roofs of DRAM and PEs.
func rooflinePlot(r *Run) plot {
	d := &drawing{width: 1000, height: 430}
	line := r.Attribution.Roofline
	type dot struct {
		name, class, tip string
		x, y             float64
	}
	var dots []dot
	lowX, highX, lowY := line.Balance, line.Balance, line.PeakOperations
	for _, p := range r.Attribution.Parts {
		longer := units.Seconds(p.PEBusy.Max(p.DRAMBusy))
		if p.Intensity == 0 || longer == 0 {
			continue
		}
		speed := float64(p.Operations) / longer
		name, class := fmt.Sprintf("L%d", p.Layer), "blue"
		if p.Layer == 0 {
			name, class = fmt.Sprintf("C%d", p.Block), "orange"
		}
		tip := fmt.Sprintf("%s: %s operations per byte, %s, bound by %s", p.Name, figures(p.Intensity), scaled(speed, "op/s"), p.Bottleneck)
		dots = append(dots, dot{name, class, tip, p.Intensity, speed})
		lowX, highX, lowY = min(lowX, p.Intensity), max(highX, p.Intensity), min(lowY, speed)
	}
	x := logAxis{lowX / 2, highX * 2, 78, 985}
	y := logAxis{min(lowY, line.PeakBytes*lowX) / 2, line.PeakOperations * 1.7, 385, 10}
	for _, v := range x.ticks() {
		d.line("grid", x.at(v), y.from, x.at(v), y.till)
		d.text("", "middle", x.at(v), y.from+16, figures(v))
	}
	for _, v := range y.ticks() {
		d.line("grid", x.from, y.at(v), x.till, y.at(v))
		d.text("", "end", x.from-7, y.at(v)+4, scaled(v, "op/s"))
	}
	d.text("", "middle", (x.from+x.till)/2, d.height-8, "operations per DRAM byte")
	start := max(x.low, y.low/line.PeakBytes)
	d.line("roof", x.at(start), y.at(start*line.PeakBytes), x.at(line.Balance), y.at(line.PeakOperations))
	d.line("roof", x.at(line.Balance), y.at(line.PeakOperations), x.till, y.at(line.PeakOperations))
	d.text("strong", "end", x.till-4, y.at(line.PeakOperations)-6, "all PEs every clock: "+scaled(line.PeakOperations, "op/s"))
	if line.BusyOperations > 0 {
		d.line("dashed", x.at(max(start, line.BusyBalance)), y.at(line.BusyOperations), x.till, y.at(line.BusyOperations))
	}
	middle := math.Sqrt(start * line.Balance)
	d.text("strong", "end", x.at(middle)-8, y.at(middle*line.PeakBytes)-8, "DRAM: "+Rate(line.PeakBytes))
	// Dots that lie on each other share a label: the first and the last.
	type cluster struct {
		class       string
		first, last string
		x, y, size  float64
	}
	var clusters []cluster
	for _, p := range dots {
		cx, cy := x.at(p.x), y.at(p.y)
		d.circle(p.class, cx, cy, 4.5, p.tip)
		i := slices.IndexFunc(clusters, func(c cluster) bool {
			return c.class == p.class && math.Abs(c.x-cx) < 26 && math.Abs(c.y-cy) < 26
		})
		if i < 0 {
			clusters = append(clusters, cluster{p.class, p.name, "", cx, cy, 1})
			continue
		}
		c := &clusters[i]
		c.last = p.name
		c.x, c.y, c.size = (float64(c.size*c.x)+cx)/(c.size+1), min(c.y, cy), c.size+1
	}
	for i, c := range clusters {
		label := c.first
		if c.size == 2 {
			label += ", " + c.last
		} else if c.size > 2 {
			label += " … " + c.last
		}
		below := slices.ContainsFunc(clusters[:i], func(o cluster) bool {
			return math.Abs(o.x-c.x) < 40 && math.Abs(o.y-c.y) < 14
		})
		at := c.y - 9
		if below {
			at = c.y + 18
		}
		d.text("strong", "middle", c.x, at, label)
	}
	return plot{
		SVG:    d.svg("roofline"),
		Legend: []key{{"blue", "L: layers"}, {"orange", "C: classifiers of blocks"}},
		Note: fmt.Sprintf("The peaks balance at %s operations per byte; what PEs execute while they are busy, averaged over all layers, balances at %s.",
			figures(line.Balance), figures(line.BusyBalance)),
	}
}

// timelines draws the first intervals, and t_k of the first one larger.
func timelines(r *Run, t *sim.Trace) []plot {
	const enough = 150 // steps that one can still tell apart
	k := r.Schedule.K
	steps := func(keep func(sim.Span) bool) (n int, from, till units.Time) {
		for _, s := range t.Spans {
			if s.Track == sim.Steps && keep(s) {
				if n == 0 {
					from = s.From
				}
				n, till = n+1, till.Max(s.To)
			}
		}
		return n, from, till
	}
	last := 1
	for ; last < r.Schedule.Intervals; last++ {
		if n, _, _ := steps(func(s sim.Span) bool { return s.Interval <= last+1 }); n > enough {
			break
		}
	}
	n, _, till := steps(func(s sim.Span) bool { return s.Interval <= last })
	title := "The first interval"
	if last > 1 {
		title = fmt.Sprintf("The first %d intervals", last)
	}
	if t.Cut() && int64(n) == t.Limit {
		title += ", as far as it was recorded"
	}
	title += fmt.Sprintf(": %d steps", n)
	list := []plot{timeline(r, t, title, units.Time{}, till)}
	if m, begin, end := steps(func(s sim.Span) bool { return s.Interval == 1 && s.Time == k && !updates(s.Kind) }); m > 0 && m < n/2 {
		title := fmt.Sprintf("Its step t = t_k = %d, where each block's backward follows its forward: %d steps", k, m)
		list = append(list, timeline(r, t, title, begin, end))
	}
	return list
}

func updates(k schedule.Kind) bool {
	return k == schedule.UpdateLayer || k == schedule.UpdateClassifier
}

// timelineRow is a row of a timeline; a track's of one PE group, or how full the
// layer buffer is. All groups' transfers are in the first group's.
type timelineRow struct {
	name   string
	height float64
	track  sim.Track
	group  int
}

// timelineRows lists the rows of a timeline from the top.
func timelineRows(groups int) []timelineRow {
	list := []timelineRow{{"DRAM", 24, sim.Port, 0}}
	if groups == 1 {
		return append(list, timelineRow{"PE steps", 24, sim.Steps, 0}, timelineRow{"PE array", 24, sim.Array, 0},
			timelineRow{"lanes", 24, sim.Lanes, 0})
	}
	for g := range groups {
		list = append(list, timelineRow{fmt.Sprintf("group %d", g+1), 24, sim.Steps, g})
	}
	return list
}

// timeline draws the machine from one time to another: with several PE groups
// the steps of each, with one its units and its layer buffer, too.
func timeline(r *Run, t *sim.Trace, title string, begin, end units.Time) plot {
	d := &drawing{width: 1000}
	const left, right, gap = 64, 990, 7
	scale := (right - left) / max(1, end.Minus(begin).Float64())
	at := func(ps units.Time) float64 {
		return left + float64(scale*ps.Max(begin).Min(end).Minus(begin).Float64())
	}
	y := 4.0
	add := func(name string, height float64) (top float64) {
		top = y
		d.rect("rowback", left, y, right-left, height, "")
		d.text("", "end", left-7, y+float64(height/2)+4, name)
		y += height + gap
		return top
	}
	rows := timelineRows(len(t.Fill))
	top := make([]float64, len(rows))
	for i, row := range rows {
		top[i] = add(row.name, row.height)
	}
	const fillHeight = 56
	fillTop := 0.0
	if len(t.Fill) == 1 {
		fillTop = add("on chip", fillHeight)
	}
	for i, row := range rows {
		for _, run := range merged(t, row, at) {
			d.shade(run.color, run.x, top[i], run.till-run.x, row.height, run.covered/(run.till-run.x), run.tip)
			if label := run.label; label != "" && run.till-run.x > float64(7*float64(len(label))) {
				d.text("inside", "middle", (run.x+run.till)/2, top[i]+float64(row.height/2)+4, label)
			}
		}
	}
	legend := []key{forwardKey, backwardKey, updateKey, {"sky", "DRAM reads"}, {"red", "DRAM writes"}}
	if len(t.Fill) == 1 {
		fillArea(d, r, t.Fill[0], at, end, fillTop, fillHeight)
		legend = append(legend, key{"purple", "layer buffer, of " + Bytes(r.OnChip.Capacity)})
	}
	ticks(d, begin, end, at, y+8)
	d.height = y + 16
	return plot{Title: title, SVG: d.svg(title), Legend: legend}
}

// stretch is a coloured piece of a row.
type stretch struct {
	color, tip, label string
	x, till           float64
	of                int     // spans in it
	covered           float64 // by those spans
	named             float64 // by those that the label names
}

// merged puts a row's spans into pixels. Spans of one colour that are too small
// to be told apart become one piece.
func merged(t *sim.Trace, row timelineRow, at func(units.Time) float64) []stretch {
	const small = 0.7
	var list []stretch
	for _, s := range t.Spans {
		x, till := at(s.From), at(s.To)
		if s.Track != row.track || (s.Group != row.group && s.Track != sim.Port) || till-x < 1e-6 {
			continue
		}
		color, tip, label := phaseKeys[phaseName(s.Kind)].Color, stepName(s), ""
		switch s.Track {
		case sim.Port:
			color = "sky"
			if s.Write {
				color = "red"
			}
			tip, label = s.Tensor.String()+" for "+tip, s.Tensor.String()
		case sim.Steps:
			if label = fmt.Sprintf("L%d", s.Layer); s.Layer == 0 {
				label = fmt.Sprintf("C%d", s.Block)
			}
		default:
			tip = s.Op.String() + ", " + tip
		}
		tip += ", " + Seconds(units.Seconds(s.To.Minus(s.From)))
		if n := len(list); n > 0 {
			p := &list[n-1]
			if p.color == color && x-p.till < small && (till-x < small || p.till-p.x < small) {
				p.of++
				p.covered += till - x
				switch {
				case p.label == label:
					p.named += till - x
				case till-x > p.named:
					p.label, p.tip, p.named = label, tip, till-x
				}
				p.till = till
				continue
			}
		}
		list = append(list, stretch{color, tip, label, x, till, 1, till - x, till - x})
	}
	for i := range list {
		p := &list[i]
		if long := p.till - p.x; p.named < long/2 {
			p.label, p.tip = "", fmt.Sprintf("%d short ones, %s of this time", p.of, Percent(100*p.covered/long))
		}
		if separate := 0.4; p.till-p.x > 4*separate {
			p.till -= separate
			p.covered = min(p.covered, p.till-p.x)
		}
	}
	return list
}

// fillArea draws how full the layer buffer is, of its capacity.
func fillArea(d *drawing, r *Run, fill []sim.Level, at func(units.Time) float64, end units.Time, top, height float64) {
	capacity := float64(max(r.OnChip.Capacity, 1))
	level := func(b units.Bytes) float64 { return top + float64(height*(1-float64(b)/capacity)) }
	var path strings.Builder
	fmt.Fprintf(&path, "M%.2f %.2f", at(units.Time{}), top+height)
	lastX, lastY := -1.0, top+height
	for _, l := range fill {
		x, y := at(l.At), level(l.Occupied)
		if end.Less(l.At) {
			break
		}
		if x-lastX < 0.25 {
			lastY = min(lastY, y) // of levels too short to draw, the fullest
		} else {
			lastY = y
		}
		fmt.Fprintf(&path, "H%.2fV%.2f", x, lastY)
		lastX = x
	}
	fmt.Fprintf(&path, "H%.2fV%.2fZ", at(end), top+height)
	fmt.Fprintf(d, `<path class="purple" d="%s"/>`, path.String())
}

// ticks draws a time axis in steps of 1, 2 or 5.
func ticks(d *drawing, begin, end units.Time, at func(units.Time) float64, y float64) {
	span := end.Minus(begin).Float64()
	step := math.Pow10(elementary.Decade(max(span/5, 1)))
	for _, f := range []float64{5, 2} {
		if span/(step*f) >= 5 {
			step *= f
			break
		}
	}
	d.line("axis", at(begin), y-10, at(end), y-10)
	every := units.Picoseconds(max(step, 1))
	for t := begin.CeilDiv(every).Times(int64(every)); !end.Less(t); t.Add(every) {
		d.line("axis", at(t), y-10, at(t), y-6)
		anchor := "middle"
		if at(t) > 970 {
			anchor = "end"
		}
		d.text("", anchor, at(t), y+5, Seconds(units.Seconds(t)))
	}
}
