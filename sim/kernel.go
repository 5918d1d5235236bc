package sim

import "github.com/accelsim-dev/accelsim/units"

// event is something that happens at a time.
type event struct {
	at   units.Time
	seq  uint64 // order of scheduling: breaks ties
	kind eventKind
	// whose it is
	group  uint16
	engine uint16 // of a load or a store
}

type eventKind uint8

const (
	loadDone eventKind = iota
	storeDone
	executeDone
	portFree // the DRAM has served a stream
)

// kernel is the discrete-event core: a queue of events in the order of
// (time, order of scheduling). Scheduling and taking events does not allocate
// once the queue has grown to its largest size.
type kernel struct {
	now   units.Time
	seq   uint64
	queue []event // a binary heap
}

func (e event) before(o event) bool {
	return e.at.Less(o.at) || (e.at == o.at && e.seq < o.seq)
}

// schedule makes an event happen at a time that is not in the past.
func (k *kernel) schedule(at units.Time, kind eventKind, group, engine int) {
	k.queue = append(k.queue, event{at.Max(k.now), k.seq, kind, uint16(group), uint16(engine)})
	k.seq++
	for i := len(k.queue) - 1; i > 0; {
		parent := (i - 1) / 2
		if !k.queue[i].before(k.queue[parent]) {
			break
		}
		k.queue[i], k.queue[parent] = k.queue[parent], k.queue[i]
		i = parent
	}
}

// next takes the earliest event and advances the time to it. There must be one.
func (k *kernel) next() event {
	first := k.queue[0]
	last := len(k.queue) - 1
	k.queue[0] = k.queue[last]
	k.queue = k.queue[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && k.queue[child+1].before(k.queue[child]) {
			child++
		}
		if !k.queue[child].before(k.queue[i]) {
			break
		}
		k.queue[i], k.queue[child] = k.queue[child], k.queue[i]
		i = child
	}
	k.now = first.at
	return first
}

func (k *kernel) idle() bool { return len(k.queue) == 0 }
