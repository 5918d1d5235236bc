package sim

import (
	"accelsim/schedule"
	"accelsim/units"
)

// Trace is filled by a timed simulation with what its first steps did when.
type Trace struct {
	Limit int64 // steps to record

	Spans []Span  // in order of their ends within a track
	Fill  []Level // of the layer buffer, at every change
	Total int64   // steps that the iteration had
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
	Track    Track
	From, To units.Picoseconds

	Step                         int64 // numbered from 0
	Kind                         schedule.Kind
	Interval, Time, Block, Layer int

	Write  bool            // DMA, Port
	Tensor schedule.Tensor // Port
	Words  units.Words     // DMA, Port
	Op     schedule.Op     // Array, Lanes
}

// Level is how full the layer buffer is from a time on.
type Level struct {
	At       units.Picoseconds
	Occupied units.Bytes
}

// record enters a span of step i; does nothing without a trace.
func (t *Trace) record(i int64, s *schedule.Step, span Span) {
	if t == nil || i >= t.Limit {
		return
	}
	span.Step, span.Kind = i, s.Kind
	span.Interval, span.Time, span.Block, span.Layer = s.Interval, s.Time, s.Block, s.Layer
	t.Spans = append(t.Spans, span)
}

// fill enters how full the layer buffer is, while recorded steps are in flight.
func (t *Trace) fill(stored int64, at units.Picoseconds, occupied units.Bytes) {
	if t == nil || stored > t.Limit {
		return
	}
	if n := len(t.Fill); n > 0 && t.Fill[n-1].At == at {
		t.Fill = t.Fill[:n-1]
	}
	if n := len(t.Fill); n > 0 && t.Fill[n-1].Occupied == occupied {
		return
	}
	t.Fill = append(t.Fill, Level{at, occupied})
}

// track tells where a kernel is executed.
func track(o schedule.Op) Track {
	switch o {
	case schedule.SynapticSum, schedule.BackProject, schedule.Gradient:
		return Array
	}
	return Lanes
}

// First returns the part of a trace that shows so many steps.
func (t *Trace) First(steps int64) *Trace {
	if steps >= t.Limit {
		return t
	}
	cut := &Trace{Limit: steps, Total: t.Total}
	var end units.Picoseconds
	for _, s := range t.Spans {
		if s.Step < steps {
			cut.Spans = append(cut.Spans, s)
			end = max(end, s.To)
		}
	}
	for _, l := range t.Fill {
		if l.At <= end {
			cut.Fill = append(cut.Fill, l)
		}
	}
	return cut
}
