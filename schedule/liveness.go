package schedule

import "github.com/accelsim-dev/accelsim/role"

// Liveness is what a program's steps say of its tensors, found by going through
// two intervals of it: which values are read again from DRAM after a step, which
// tensors move, and which are there before the iteration starts. Intervals are
// alike, and so are the steps of one kind of row but those of its first time
// step; three time steps stand for any number.

// place is a step without its time, as far as steps differ.
type place struct {
	row          rowKind
	kind         Kind
	block, layer int
	first        bool // the interval's first time step, or its last one backward
	// Where weights are updated once an iteration, intervals differ: the first one
	// begins gradients, the last one updates.
	begins, updates bool
}

func (p *Program) placeOf(s *Step) place {
	row := forwardRow
	switch {
	case s.End:
		row = endRow
	case s.Kind == UpdateLayer || s.Kind == UpdateClassifier:
		row = updateRow
	case !s.Kind.Forward():
		row = backwardRow
	}
	at := place{row: row, kind: s.Kind, block: s.Block, layer: s.Layer, first: s.Time == (s.Interval-1)*p.K+1}
	if row == backwardRow {
		at.first = s.Time == p.LastBackward(s.Interval)
	}
	if p.rule.OnceAnIteration {
		at.begins, at.updates = s.Interval == 1, s.Interval == p.intervals
	}
	return at
}

// visit is a step's meeting with a tensor.
type visit struct {
	place
	Pin
}

// reading tells who reads from DRAM what a step stores, besides the host.
type reading struct {
	ever  bool // some step, if nothing stays on chip
	older bool // some step, when there is a newer value of the tensor
}

// tensorLife is what a program does with a tensor.
type tensorLife struct {
	Pin
	initial bool // it is read before anything writes it
	written bool
}

type liveness struct {
	stored map[visit]reading
	ends   map[visit]bool // the step is the last to need the newest value
	moving []tensorLife   // that cross the DRAM port, in the order in which they first do
}

// event is what a step does with a tensor.
type event struct {
	step int32 // of the program: events of a step are at once
	time int32 // the value's step
	kind eventKind
}

type eventKind uint8

const (
	readEvent eventKind = iota
	makeEvent
	writeEvent
)

// analyse finds the liveness of the paper's policy.
func (p *Program) analyse() *liveness {
	q := *p
	q.K, q.backward, q.intervals = min(p.K, 3), min(p.backward, 3), 2
	if p.rule.OnceAnIteration {
		q.intervals = min(p.intervals, 3)
	}
	events := map[Pin][]event{}
	var places []place // of steps
	var order []Pin
	var s Step
	c := q.Start()
	for n := 0; c.Next(&s); n++ {
		places = append(places, q.placeOf(&s))
		add := func(t role.Tensor, kind eventKind) {
			pin := Pin{t.Class, t.Index}
			if events[pin] == nil {
				order = append(order, pin)
			}
			events[pin] = append(events[pin], event{int32(n), int32(t.Step), kind})
		}
		for _, r := range s.Reads {
			add(r.Tensor, readEvent)
		}
		for _, made := range s.Products {
			add(made.Tensor, makeEvent)
		}
		for _, w := range s.Writes {
			add(w.Tensor, writeEvent)
		}
	}
	l := &liveness{stored: map[visit]reading{}, ends: map[visit]bool{}}
	of := places // whose steps stand for all
	if !p.rule.OnceAnIteration {
		of = places[:len(places)/q.intervals]
	}
	for _, pin := range order {
		l.follow(pin, events[pin], of)
	}
	return l
}

// follow goes through the life of one tensor. What happens after the first
// interval's steps, whose places are given, is what happens after those of any.
func (l *liveness) follow(pin Pin, events []event, places []place) {
	life := tensorLife{Pin: pin}
	moves := false
	wrote := map[int32]bool{} // values, by their time
	newest, known := int32(0), false
	for i, e := range events {
		switch e.kind {
		case readEvent:
			moves = true
			life.initial = life.initial || !wrote[e.time]
			if !known {
				newest, known = e.time, true
			}
		case makeEvent:
			newest, known = e.time, true
		case writeEvent:
			moves = true
			life.written, wrote[e.time] = true, true
		}
		if int(e.step) >= len(places) {
			continue
		}
		at := places[e.step]
		after := events[i+1:]
		if e.kind == writeEvent {
			l.stored[visit{at, pin}] = readingOf(e.time, after)
			continue
		}
		if last := len(after) == 0 || after[0].step != e.step || after[0].kind == writeEvent; last && known && !readingOf(newest, after).ever {
			l.ends[visit{at, pin}] = true
		}
	}
	if moves {
		l.moving = append(l.moving, life)
	}
}

// readingOf tells which of the events that follow read a value.
func readingOf(time int32, after []event) (r reading) {
	newer := int32(-1) // the step that makes another value
	for _, e := range after {
		switch e.kind {
		case readEvent:
			if e.time == time {
				r.ever = true
				r.older = r.older || newer >= 0 && newer < e.step
			}
		case makeEvent:
			if e.time != time && newer < 0 {
				newer = e.step
			}
		case writeEvent:
		}
	}
	return r
}
