// Package sim is the accelerator: it executes a schedule on DRAM, an on-chip
// layer buffer and a PE array, and counts what moved and what was executed.
//
// A step is loaded, executed and stored. One DMA engine serves the DRAM, one
// transfer at a time; the PE array executes one step at a time. While a step is
// executed the next one is loaded (double buffering) and the one before is
// stored, where data allow: a tensor that a pending store will write is not
// loaded before. [Run] reads top to bottom: load, execute, store, retire.
//
// Counters are entered where words cross the DRAM port and where PEs execute,
// and nowhere else. The machine refuses a schedule that reads from DRAM what
// nothing wrote, or uses on chip what is not there.
package sim

import (
	"errors"
	"fmt"

	"accelsim/dram"
	"accelsim/energy"
	"accelsim/hardware"
	"accelsim/onchip"
	"accelsim/pe/fixed"
	"accelsim/schedule"
	"accelsim/tensors"
	"accelsim/tiling"
	"accelsim/units"
)

// Source yields the steps to execute: a [schedule.Program], or in tests one
// with a step changed.
type Source interface {
	Next(*schedule.Step) bool
}

// Options selects what a simulation does besides counting.
type Options struct {
	Untimed bool         // count only: no cycles, no energy
	Engine  dram.Engine  // of the DRAM
	Energy  energy.Table // the zero Table is the hardware's
	// Source replaces the program's own steps.
	Source Source
	// Tensors, if not nil, makes the simulation functional: their numbers go
	// through DRAM, layer buffer and PEs.
	Tensors *tensors.Input
	// Trace, if not nil, is filled with what a timed simulation did when.
	Trace *Trace
	// Requests, if not nil, sees every stream that a timed simulation gives to
	// the DRAM, and when.
	Requests func(at units.Picoseconds, s dram.Stream)
	// Datapath, if not nil, has them computed in fixed point.
	Datapath *fixed.Datapath
	// Observe, if not nil, sees every neuron of a functional simulation fire.
	Observe func(Observation)
	// Progress, if not nil, is called now and then with the steps executed.
	Progress func(done int64)
}

// copyOf names a tensor on chip by the step that loaded or made it: a step may
// load again what a step before it still uses.
type copyOf struct {
	schedule.Tensor
	step int64
}

// window is how many steps are in flight at most: one stored, one executed,
// one loaded.
const window = 3

// machine is the state of one simulation: what all PE groups share.
type machine struct {
	program  *schedule.Program
	memory   *memoryMap
	period   units.Picoseconds
	dram     *dram.Memory
	request  [1]dram.Stream // one on its way
	kernel   kernel
	accounts *accounts
	progress func(int64)
	requests func(units.Picoseconds, dram.Stream)
	trace    *Trace // nil unless asked for
	groups   []*group
}

// group is a PE group: an array with its lanes, a layer buffer and a DMA engine,
// which executes steps of its own.
type group struct {
	*machine
	source Source
	tiles  *tiling.Planner // nil if the buffer is as large as it takes
	buffer *onchip.Buffer[copyOf]
	pes    *processor

	steps   [window]schedule.Step // step i is in i mod window
	fetched bool                  // step `loading` is in its place
	ended   bool                  // the source has no more

	// Steps are numbered from 0. Those before `stored` are finished, before
	// `storing` their store was issued, and so on up to `loading`, whose load
	// has not been issued yet.
	stored, storing, executed, executing, loaded, loading int64

	streams  []movement
	pending  transferKind // what the DMA engine is busy with
	attended attendance
	busy     [numPhases]units.Cycles // PE clocks by phase
	booked   booked
}

// movement is a tensor's way across the DRAM port.
type movement struct {
	dram.Stream
	tensor schedule.Tensor
	words  units.Words
}

type transferKind uint8

const (
	noTransfer transferKind = iota
	loadTransfer
	storeTransfer
)

// attendance is simulated time by what PEs and DRAM were doing.
type attendance struct {
	since units.Picoseconds
	time  [2][3]units.Picoseconds // by PE busy, transferKind
}

// Layout returns the footprint of a program's tensors by class, and a [NotFit]
// error if the hardware's DRAM cannot hold them.
func Layout(p *schedule.Program, hw *hardware.Hardware) (Footprint, error) {
	plan, err := planFor(p, hw)
	if err != nil {
		return Footprint{}, err
	}
	m, err := layOut(plan.extents, hw.DRAM)
	if err != nil {
		return Footprint{}, err
	}
	f := Footprint{Total: m.footprint(), Class: m.bytes, Capacity: hw.DRAM.Capacity()}
	if m.end > f.Capacity {
		return f, &NotFit{Footprint: m.end, Capacity: f.Capacity}
	}
	return f, nil
}

// ErrTiledTensors says that a functional simulation would have to cut steps
// into tiles.
var ErrTiledTensors = errors.New("too few for this workload, and with tensors steps cannot be cut into tiles; use hardware with a larger layer buffer")

// plan is how a program runs on a layer buffer.
type plan struct {
	source   Source
	extents  []schedule.Extent
	capacity units.Words
	tiles    *tiling.Planner // nil if the buffer is as large as it takes
}

// planFor fits the program into the hardware's layer buffer. With only the
// equations' traffic the buffer is the paper's, as large as it takes: what does
// not fit would have to be fetched again, which the equations leave out.
func planFor(p *schedule.Program, hw *hardware.Hardware) (plan, error) {
	if hw.OnChip == 0 || p.Traffic == schedule.Equations {
		return planForPaper(p, hw)
	}
	capacity := units.Words(hw.OnChip / hw.PE.Precision.Word())
	room := tiling.Room{Shared: true, Words: tiling.Words{capacity}, Word: hw.PE.Precision.Word()}
	if hw.Separate {
		room.Shared = false
		for b, buffer := range hw.Buffers {
			room.Words[b] = units.Words(buffer.Capacity / hw.PE.Precision.Word())
		}
	}
	t, err := tiling.New(p, room, hw.PE)
	if err != nil {
		return plan{}, err
	}
	return plan{source: t, extents: t.Extents(), capacity: capacity, tiles: t}, nil
}

// planForPaper gives the program a buffer as large as the paper's policy needs,
// and no larger where more stays on chip: then steps may have to be cut.
func planForPaper(p *schedule.Program, hw *hardware.Hardware) (plan, error) {
	layer, err := p.With(schedule.Policy{})
	if err != nil {
		return plan{}, err
	}
	capacity := layer.WorkingSet()
	if len(p.Policy().Pinned) == 0 || p.WorkingSet() <= capacity {
		p.Rewind()
		return plan{source: p, extents: p.Extents(), capacity: capacity}, nil
	}
	t, err := tiling.New(p, tiling.Room{Shared: true, Words: tiling.Words{capacity}, Word: hw.PE.Precision.Word()}, hw.PE)
	if err != nil {
		return plan{}, err
	}
	return plan{source: t, extents: t.Extents(), capacity: capacity, tiles: t}, nil
}

// Run executes one training iteration of the program on the hardware.
func Run(p *schedule.Program, hw *hardware.Hardware, o Options) (*Result, error) {
	if len(o.Energy.SRAMRead) == 0 {
		o.Energy = hw.Energy
	}
	plan, err := planFor(p, hw)
	if err != nil {
		return nil, err
	}
	if plan.tiles != nil && plan.tiles.Tiled() && o.Tensors != nil {
		return nil, fmt.Errorf("%s has %d bytes on chip: %w", hw.Name, hw.OnChip, ErrTiledTensors)
	}
	memory, err := layOut(plan.extents, hw.DRAM)
	if err != nil {
		return nil, err
	}
	if memory.end > hw.DRAM.Capacity() {
		return nil, &NotFit{Footprint: memory.end, Capacity: hw.DRAM.Capacity()}
	}
	m := &machine{
		program: p, memory: memory,
		period:   hw.PE.Clock.Period(),
		progress: o.Progress,
		requests: o.Requests,
		accounts: newAccounts(p, densities(p.Workload(), p.Blocks)),
		trace:    o.Trace,
	}
	g := &group{
		machine: m, source: plan.source, tiles: plan.tiles,
		buffer: onchip.New[copyOf](plan.capacity),
		pes:    newProcessor(hw.PE, p.Workload(), p),
	}
	m.groups = []*group{g}
	if o.Source != nil {
		g.source = o.Source
	}
	if o.Tensors != nil {
		if g.pes.data, err = newDatapath(p, o); err != nil {
			return nil, err
		}
		if err = g.pes.data.fill(memory); err != nil {
			return nil, err
		}
	}
	if o.Untimed {
		err = g.runUntimed()
	} else {
		if m.dram, err = dram.NewMemory(hw.DRAM, o.Engine); err != nil {
			return nil, err
		}
		err = g.runTimed()
	}
	if err != nil {
		return nil, err
	}
	return m.result(hw, o)
}

// step returns step i, which must be in flight.
func (m *group) step(i int64) *schedule.Step { return &m.steps[i%window] }

// fetch gets the next step from the source, if there is one.
func (m *group) fetch() bool {
	if !m.fetched && !m.ended {
		m.fetched = m.source.Next(m.step(m.loading))
		m.ended = !m.fetched
	}
	return m.fetched
}

// explain says in which step an error happened.
func explain(s *schedule.Step, err error) error {
	where := fmt.Sprintf("layer %d", s.Layer)
	if s.Layer == 0 {
		where = fmt.Sprintf("classifier of block %d", s.Block)
	}
	return fmt.Errorf("%s step of %s at t = %d: %w", s.Kind, where, s.Time, err)
}

// load takes the next step: room on chip for what it reads and makes, and its
// words across the DRAM port into streams.
func (m *group) load() error {
	s := m.step(m.loading)
	m.enter(s)
	m.streams = m.streams[:0]
	m.pes.ledger.spared(s)
	for _, t := range s.Reads {
		if err := m.buffer.Hold(copyOf{t.Tensor, m.loading}, t.Words); err != nil {
			return explain(s, err)
		}
		stream, err := m.memory.stream(t, false)
		if err != nil {
			return explain(s, err)
		}
		if data := m.pes.data; data != nil {
			if err := data.load(t, m.loading, m.memory); err != nil {
				return explain(s, err)
			}
		}
		m.pes.ledger.moved(s, t, false)
		m.buffer.Access(0, t.Words)
		m.streams = append(m.streams, movement{stream, t.Tensor, t.Words})
	}
	for _, made := range s.Products {
		if made.InPlace {
			continue
		}
		if err := m.buffer.Hold(copyOf{made.Tensor, m.loading}, made.Words); err != nil {
			return explain(s, err)
		}
	}
	m.fetched = false
	m.loading++
	return nil
}

// execute runs the kernels of the next loaded step and returns their clocks.
func (m *group) execute() (units.Cycles, error) {
	s := m.step(m.executing)
	m.enter(s)
	for _, t := range s.Uses {
		if !m.onChip(t) {
			return 0, explain(s, fmt.Errorf("%v is not on chip", t))
		}
	}
	data := m.pes.data
	if data != nil {
		data.begin(m.executing)
	}
	var cycles units.Cycles
	for _, k := range s.Kernels {
		cost, err := m.pes.execute(s, k)
		if err != nil {
			return 0, explain(s, err)
		}
		begun := m.kernel.now + units.Picoseconds(cycles)*m.period
		cycles += cost.Cycles
		m.booked.account.Kernels[k.Op] += cost.Cycles
		m.trace.record(m.executing, s, Span{
			Track: track(k.Op), From: begun, To: begun + units.Picoseconds(cost.Cycles)*m.period, Op: k.Op,
		})
		m.buffer.Access(cost.Reads, cost.Writes)
	}
	for _, made := range s.Products {
		if !made.InPlace {
			continue
		}
		made, words, old := copyOf{made.Tensor, m.executing}, made.Words, m.latest(made.Replaces, m.executing)
		if err := m.buffer.Replace(old, made, words); err != nil {
			return 0, explain(s, err)
		}
	}
	if data != nil {
		if err := data.end(s); err != nil {
			return 0, explain(s, err)
		}
	}
	m.busy[phaseOf(s)] += cycles
	m.executing++
	return cycles, nil
}

// store takes the oldest executed step's results across the DRAM port.
func (m *group) store() error {
	s := m.step(m.storing)
	m.enter(s)
	m.streams = m.streams[:0]
	for _, t := range s.Writes {
		if !m.buffer.Has(m.latest(t.Tensor, m.storing)) {
			return explain(s, fmt.Errorf("%v is written to DRAM but is not on chip", t.Tensor))
		}
		stream, err := m.memory.stream(t, true)
		if err != nil {
			return explain(s, err)
		}
		if data := m.pes.data; data != nil {
			if err := data.store(t, m.storing, m.memory); err != nil {
				return explain(s, err)
			}
		}
		m.pes.ledger.moved(s, t, true)
		m.buffer.Access(t.Words, 0)
		m.streams = append(m.streams, movement{stream, t.Tensor, t.Words})
	}
	m.storing++
	return nil
}

// latest returns the copy of a tensor, or of a part of it, that is the last one
// no younger than a step; the step's own if there is none.
func (m *group) latest(t schedule.Tensor, step int64) copyOf {
	found := copyOf{t, -1}
	m.buffer.Any(func(c copyOf) bool {
		if c.Tensor == t && c.step <= step && c.step > found.step {
			found = c
		}
		return false
	})
	if found.step < 0 {
		found.step = step
	}
	return found
}

// superseded tells whether a younger copy of the same tensor is on chip that is
// no younger than a step.
func (m *group) superseded(c copyOf, step int64) bool {
	return m.buffer.Any(func(o copyOf) bool { return o.step > c.step && o.step <= step && o.Tensor == c.Tensor })
}

// onChip tells whether a step before the one that is executed left a tensor.
func (m *group) onChip(t schedule.Tensor) bool {
	return m.buffer.Any(func(c copyOf) bool { return c.Tensor == t && c.step < m.executing })
}

// retire drops from the buffer what no step in flight needs and the last
// executed one does not keep.
func (m *group) retire() {
	m.buffer.Release(func(c copyOf) bool {
		if c.step >= m.executed {
			return true // loaded ahead
		}
		for _, kept := range m.step(m.executed - 1).Keeps {
			if kept == c.Tensor && !m.superseded(c, m.executed-1) {
				return true
			}
		}
		for i := max(c.step, m.stored); i < m.executed; i++ {
			for _, w := range m.step(i).Writes {
				if w.Tensor == c.Tensor && !m.superseded(c, i) {
					return true // waits to be stored
				}
			}
		}
		return false
	})
	if m.pes.data != nil {
		m.pes.data.release(m.buffer.Has)
	}
	if m.progress != nil && m.stored%progressEvery == 0 {
		done := m.stored
		if m.tiles != nil {
			done = m.tiles.Done()
		}
		m.progress(done)
	}
}

// progressEvery is how many steps pass between reports of progress.
const progressEvery = 256

// runUntimed executes step after step.
func (m *group) runUntimed() error {
	for m.fetch() {
		if err := m.load(); err != nil {
			return err
		}
		m.loaded++
		if _, err := m.execute(); err != nil {
			return err
		}
		m.executed++
		if err := m.store(); err != nil {
			return err
		}
		m.stored++
		m.retire()
	}
	return nil
}

// runTimed executes the steps as events: whatever can start does, then time
// moves to the next thing that ends.
func (m *group) runTimed() error {
	for {
		if err := m.start(); err != nil {
			return err
		}
		m.trace.fill(m.stored, m.kernel.now, m.buffer.Occupied().Bytes())
		if m.kernel.idle() {
			return m.checkFinished()
		}
		peBusy, transfer := m.executing > m.executed, m.pending
		e := m.kernel.next()
		m.attend(peBusy, transfer)
		switch e.kind {
		case loadDone:
			m.loaded++
			m.pending = noTransfer
			continue // nothing on chip is needed less
		case storeDone:
			m.stored++
			m.pending = noTransfer
		case executeDone:
			m.executed++
		}
		m.retire()
	}
}

// attend books the time since the last event.
func (m *group) attend(peBusy bool, transfer transferKind) {
	row := 0
	if peBusy {
		row = 1
	}
	m.attended.time[row][transfer] += m.kernel.now - m.attended.since
	m.spend(m.kernel.now-m.attended.since, peBusy, transfer)
	m.attended.since = m.kernel.now
}

// start begins whatever can begin now.
func (m *group) start() error {
	if m.executing == m.executed && m.executing < m.loaded && m.mayReplace() {
		cycles, err := m.execute()
		if err != nil {
			return err
		}
		done := m.kernel.now + units.Picoseconds(cycles)*m.period
		m.kernel.schedule(done, executeDone)
		i := m.executing - 1
		m.trace.record(i, m.step(i), Span{Track: Steps, From: m.kernel.now, To: done})
	}
	if m.pending != noTransfer {
		return nil
	}
	// PEs that wait for data come first; otherwise results leave first.
	canLoad, waiting := m.canLoad(), m.executing == m.loaded
	switch {
	case canLoad && (waiting || m.storing == m.executed):
		if err := m.load(); err != nil {
			return err
		}
		return m.transfer(loadTransfer, loadDone)
	case m.storing < m.executed:
		if err := m.store(); err != nil {
			return err
		}
		return m.transfer(storeTransfer, storeDone)
	}
	return nil
}

// transfer gives the DRAM the streams of a load or a store.
func (m *group) transfer(kind transferKind, done eventKind) error {
	end, words := m.kernel.now, units.Words(0)
	i, write := m.loading-1, false
	if kind == storeTransfer {
		i, write = m.storing-1, true
	}
	for j := range m.streams {
		moving := &m.streams[j]
		m.request[0] = moving.Stream
		if m.requests != nil {
			m.requests(m.kernel.now, moving.Stream)
		}
		served, err := m.dram.Transfer(m.kernel.now, m.request[:]) // waits for those before
		if err != nil {
			return err
		}
		begun := end
		end = max(end, served)
		words += moving.words
		m.moved(moving.tensor.Class, end-begun)
		m.trace.record(i, m.step(i), Span{
			Track: Port, From: begun, To: end, Write: write, Tensor: moving.tensor, Words: moving.words,
		})
	}
	if len(m.streams) > 0 {
		m.trace.record(i, m.step(i), Span{Track: DMA, From: m.kernel.now, To: end, Write: write, Words: words})
	}
	m.pending = kind
	m.kernel.schedule(end, done)
	return nil
}

// mayReplace tells whether the next step to execute may: not before results were
// stored in whose place it puts others.
func (m *group) mayReplace() bool {
	for _, made := range m.step(m.executing).Products {
		if !made.InPlace {
			continue
		}
		for i := m.stored; i < m.executing; i++ {
			for _, w := range m.step(i).Writes {
				if w.Tensor == made.Replaces {
					return false
				}
			}
		}
	}
	return true
}

// canLoad tells whether the next step may be loaded now: at most one step
// ahead of the PEs, into free room, and not before pending results that it
// reads were stored.
func (m *group) canLoad() bool {
	if m.loading > m.executed+1 || m.loading >= m.stored+window || !m.fetch() {
		return false
	}
	s := m.step(m.loading)
	if s.Demand() > m.buffer.Free() {
		return false
	}
	for i := m.storing; i < m.loading; i++ {
		for _, w := range m.step(i).Writes {
			for _, r := range s.Reads {
				if r.Tensor == w.Tensor {
					return false
				}
			}
		}
	}
	return true
}

// checkFinished fails when nothing is under way but steps are left: the next
// one does not fit on chip.
func (m *group) checkFinished() error {
	if !m.fetch() && m.stored == m.loading {
		return nil
	}
	s := m.step(m.loading)
	need := s.Demand() + m.buffer.Occupied()
	return explain(s, fmt.Errorf("needs %d bytes on chip; the layer buffer has %d", need.Bytes(), m.buffer.Capacity().Bytes()))
}
