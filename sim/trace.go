package sim

import (
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Trace is filled by a timed simulation with what its first steps did when.
type Trace struct {
	Limit int64 // steps to record, of all PE groups together

	Spans []Span    // in order of their ends within a group's track
	Fill  [][]Level // of each group's layer buffer, at every change
	Total int64     // steps that the iteration had
}

// ofEach returns how many of so many steps each group may show.
func (t *Trace) ofEach(steps int64) int64 {
	groups := int64(len(t.Fill))
	return steps/groups + min(1, steps%groups)
}

// Cut tells whether steps are left out.
func (t *Trace) Cut() bool { return t.Total > t.Limit }

// Track is a unit of the machine that does one thing at a time.
type Track uint8

// The tracks.
const (
	DMA   Track = iota // a step's load or store
	Port               // the DRAM moves one tensor
	Steps              // PEs execute a step
	Array              // a kernel on the PE array
	Lanes              // a kernel on the vector lanes
	NumTracks
)

// String names the track.
func (t Track) String() string {
	return [...]string{"DMA", "DRAM", "PE steps", "PE array", "vector lanes"}[t]
}

// Span is something that took time. Which fields say what, the track tells.
type Span struct {
	Group    int // numbered from 0
	Track    Track
	Engine   int // DMA
	From, To units.Time

	Step                         int64 // of the group, numbered from 0
	Kind                         schedule.Kind
	Interval, Time, Block, Layer int

	Write  bool        // DMA, Port
	Tensor role.Tensor // Port
	Words  units.Words // DMA, Port
	Op     schedule.Op // Array, Lanes
}

// Level is how full the layer buffer is from a time on.
type Level struct {
	At       units.Time
	Occupied units.Bytes
}

// record enters a span of the group's step i; does nothing without a trace.
func (g *group) record(i int64, s *schedule.Step, span Span) {
	t := g.trace
	if t == nil || i >= t.ofEach(t.Limit) {
		return
	}
	span.Group, span.Step, span.Kind = g.number, i, s.Kind
	span.Interval, span.Time, span.Block, span.Layer = s.Interval, s.Time, s.Block, s.Layer
	t.Spans = append(t.Spans, span)
}

// recordFill enters how full the layer buffer is, while recorded steps are in
// flight.
func (g *group) recordFill() {
	t := g.trace
	if t == nil || g.stored > t.ofEach(t.Limit) {
		return
	}
	at, occupied, fill := g.kernel.now, g.buffer.Occupied().Of(g.memory.word), &t.Fill[g.number]
	if n := len(*fill); n > 0 && (*fill)[n-1].At == at {
		*fill = (*fill)[:n-1]
	}
	if n := len(*fill); n > 0 && (*fill)[n-1].Occupied == occupied {
		return
	}
	*fill = append(*fill, Level{at, occupied})
}

// track tells where a kernel is executed.
func track(o schedule.Op) Track {
	if op.Of(o).Product != nil {
		return Array
	}
	return Lanes
}

// First returns the part of a trace that shows so many steps.
func (t *Trace) First(steps int64) *Trace {
	if steps >= t.Limit {
		return t
	}
	cut := &Trace{Limit: steps, Fill: make([][]Level, len(t.Fill)), Total: t.Total}
	var end units.Time
	for _, s := range t.Spans {
		if s.Step < t.ofEach(steps) {
			cut.Spans = append(cut.Spans, s)
			end = end.Max(s.To)
		}
	}
	for group, levels := range t.Fill {
		for _, l := range levels {
			if !end.Less(l.At) {
				cut.Fill[group] = append(cut.Fill[group], l)
			}
		}
	}
	return cut
}
