package sim

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// engine is a DMA engine: it carries one load or store of its group at a time,
// stream after stream.
type engine struct {
	number  int
	kind    transferKind // noTransfer: idle
	step    int64
	streams []movement
	next    int // the stream that goes next
	since   units.Time
	account *account
}

// port is the way to the DRAM. It serves one stream at a time; engines that have
// one take turns.
type port struct {
	busy    bool
	until   units.Time     // the last stream was served
	turn    int            // the engine that comes next, over all groups
	request [1]dram.Stream // one on its way
}

// carry gives an engine the streams of a load or a store.
func (g *group) carry(e *engine, kind transferKind, step int64) {
	e.kind, e.step, e.next, e.since, e.account = kind, step, 0, g.kernel.now, g.booked.account
	e.streams = append(e.streams[:0], g.streams...)
	if len(e.streams) == 0 {
		g.finish(e)
	}
}

// transfer tells which of the group's transfers is under way: of two, the load,
// which is what PEs wait for.
func (g *group) transfer() (kind transferKind) {
	switch {
	case g.loading > g.loaded:
		return loadTransfer
	case g.storing > g.stored:
		return storeTransfer
	}
	return noTransfer
}

// serve lets the DRAM take streams until it is busy: first those of loads that
// PEs wait for, in turns, then the others. Where there is one engine nobody else
// can come in between, so it takes all of them.
func (m *machine) serve() error {
	if m.port.busy {
		return nil
	}
	g, e := m.chosen()
	if e == nil {
		return nil
	}
	alone := len(m.groups)*len(g.engines) == 1
	for more := true; more; more = alone && e.next < len(e.streams) {
		if err := g.send(e); err != nil {
			return err
		}
	}
	if e.next == len(e.streams) {
		g.finish(e)
	}
	if !alone {
		m.port.busy = true
		m.kernel.schedule(m.port.until, portFree, 0, 0)
	}
	return nil
}

// chosen returns the engine whose stream goes next, nil if none has one.
func (m *machine) chosen() (of *group, chosen *engine) {
	each := len(m.groups[0].engines)
	engines := len(m.groups) * each
	for i := range engines {
		turn := (m.port.turn + i) % engines
		g := m.groups[turn/each]
		e := &g.engines[turn%each]
		if e.kind == noTransfer || e.next == len(e.streams) {
			continue
		}
		if urgent := e.kind == loadTransfer && g.executing == g.loaded; urgent || chosen == nil {
			of, chosen = g, e
			if urgent {
				break
			}
		}
	}
	if chosen != nil {
		m.port.turn = of.number*each + chosen.number + 1
	}
	return of, chosen
}

// send lets the DRAM serve an engine's next stream.
func (g *group) send(e *engine) error {
	moving := &e.streams[e.next]
	e.next++
	p := &g.port
	p.request[0] = moving.Stream
	if g.requests != nil {
		g.requests(g.kernel.now, moving.Stream)
	}
	begun := g.kernel.now.Max(p.until)
	served, err := g.dram.Transfer(e.since, p.request[:])
	if err != nil {
		return err
	}
	p.until = begun.Max(served)
	moved := &e.account.Moved[moving.tensor.Class]
	moved.Time.AddTotal(p.until.Minus(begun))
	g.dram.Book(&moved.Stats)
	g.record(e.step, g.step(e.step), Span{
		Track: Port, From: begun, To: p.until, Write: e.kind == storeTransfer, Tensor: moving.tensor, Words: moving.words,
	})
	return nil
}

// finish ends a load or store with the last of its streams.
func (g *group) finish(e *engine) {
	end, done := g.kernel.now, loadDone
	if e.kind == storeTransfer {
		done = storeDone
	}
	if len(e.streams) > 0 {
		end = g.port.until
		words := units.Words(0)
		for i := range e.streams {
			words += e.streams[i].words
		}
		g.record(e.step, g.step(e.step), Span{
			Track: DMA, Engine: e.number, From: e.since, To: end, Write: e.kind == storeTransfer, Words: words,
		})
	}
	g.kernel.schedule(end, done, g.number, e.number)
}

// handed is spikes that another group handed over, in this one's layer buffer.
type handed struct {
	copyOf
	here bool // all of them
}

// next returns the group that gets this one's spikes.
func (g *group) next() *group { return g.groups[g.number+1] }

// keptFree returns the words on chip that wait for other groups' spikes.
func (g *group) keptFree() units.Words {
	return g.handOver * units.Words(g.places-len(g.received))
}

// mayHand tells whether the next group has room for what a step hands on.
func (g *group) mayHand(s *schedule.Step) bool {
	return len(s.Hands) == 0 || len(g.next().received) < g.next().places
}

// handOn begins to move a product into the next group's buffer, as it is made.
func (g *group) handOn(t role.Tensor) error {
	to, from := g.next(), g.latest(t, g.executing)
	if err := to.buffer.Hold(copyOf{Tensor: t, Step: op.Coming}, to.handOver); err != nil {
		return err
	}
	g.buffer.access(t.Class, to.handOver, 0)
	to.received = append(to.received, handed{copyOf: copyOf{Tensor: t, Step: op.Coming}})
	if g.pes.data != nil {
		return to.pes.data.Receive(t, g.pes.data, from)
	}
	return nil
}

// arrived makes what another group handed on ready to be taken.
func (g *group) arrived(t role.Tensor) {
	for i := range g.received {
		if h := &g.received[i]; h.Tensor == t && h.Step == op.Coming {
			h.here = true
		}
	}
}

// take makes spikes that the group before handed over those of the step that is
// loaded.
func (g *group) take(t schedule.Transfer) error {
	for i := range g.received {
		h := &g.received[i]
		if h.Tensor != t.Tensor || h.Step != op.Coming {
			continue
		}
		h.Step = g.loading
		g.buffer.access(t.Tensor.Class, 0, t.Words)
		if g.pes.data != nil {
			g.pes.data.Rename(copyOf{Tensor: t.Tensor, Step: op.Coming}, h.copyOf)
		}
		return g.buffer.Replace(copyOf{Tensor: t.Tensor, Step: op.Coming}, h.copyOf, t.Words)
	}
	return fmt.Errorf("%v has not come from the group before", t.Tensor)
}

// lacksOfOthers tells what of other groups a step waits for.
func (g *group) lacksOfOthers(s *schedule.Step) lack {
	for _, t := range s.Receives {
		if !slices.ContainsFunc(g.received, func(h handed) bool { return h.Tensor == t.Tensor && h.here }) {
			return lack{handOver, t.Tensor}
		}
	}
	for _, r := range s.Reads {
		if shared, _ := g.memory.shared(r.Tensor); shared == nil || g.number == 0 {
			continue
		}
		if !g.memory.isThere(r.Tensor) {
			return lack{otherStore, r.Tensor}
		}
		before := g.groups[g.number-1]
		for i := before.stored; i < before.storing; i++ {
			for _, w := range before.step(i).Writes {
				if w.Tensor == r.Tensor {
					return lack{otherStore, r.Tensor}
				}
			}
		}
	}
	return lack{}
}
