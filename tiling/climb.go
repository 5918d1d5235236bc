package tiling

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// keepShare is the part of a buffer that tensors may occupy between steps: one
// in so many words.
const keepShare = 4

// thrifts are how much more a fetched word may weigh; with the last, clocks only
// decide between tilings that fetch the same.
var thrifts = []float64{0, 1, 4, 16, 64, 1e9}

// thriftHalvings is how often the gap between two of thrifts is halved.
const thriftHalvings = 3

// climb goes up the ladder and stays with the cheapest plan, if it moves no more
// words than any before. What stays on chip between steps takes room from tiles:
// it also tries without.
func (t *Planner) climb(least Words, live liveness) {
	type rung struct {
		size        units.Words
		keeps       bool
		thrift      thrift
		moved, cost units.Words
	}
	variants := []bool{true, false}
	if t.program.Received() != 0 || t.program.Handed() != 0 {
		variants = variants[:1] // what another group hands over, or gets, should stay
	}
	var best rung
	// Sizes of the whole buffer, whatever is pinned in it: real ones are rungs.
	for _, size := range ladder(least[0]+t.pinned[0], t.room.Words[0]+t.pinned[0]) {
		size -= t.pinned[0]
		next := best
		for _, keeps := range variants {
			t.use(Room{Shared: true, Words: Words{size}}, keeps, least, live)
			t.thriftily(func() bool {
				moved, idle := t.weigh()
				if best.size != 0 && moved > best.moved {
					return false
				}
				// Of plans that cost the same, the one with most room has the fewest tiles.
				cost := moved + idle
				if next.size == 0 || cost < next.cost || cost == next.cost && next.size < size {
					next = rung{size, keeps, t.thrift, moved, cost}
				}
				return true
			})
		}
		best = next
	}
	t.use(Room{Shared: true, Words: Words{best.size}}, best.keeps, least, live)
	t.thrift = best.thrift
}

// thrift is how much more than usual a fetched word weighs: in the steps that
// come before a place in the network, and in the others.
type thrift struct {
	before, others float64
	border         int
}

// of returns what it is for a step.
func (t thrift) of(place int) float64 {
	if place < t.border {
		return t.before
	}
	return t.others
}

// placeOf is where in the network a step is: layers and then classifiers, each
// with its steps forward before those backward.
func (t *Planner) placeOf(s *schedule.Step) int {
	place := s.Layer
	if place == 0 {
		place = t.program.Workload().Net.N() + s.Block
	}
	place *= 2
	if s.Kind == schedule.BackwardLayer || s.Kind == schedule.BackwardClassifier {
		place++
	}
	return place
}

// thriftily tries more and more thrift until it is enough, then values between
// the last two, and then the lower of the last two in as many of the steps as can
// do with it.
func (t *Planner) thriftily(enough func() bool) {
	try := func(all float64) bool {
		t.thrift = thrift{others: all}
		return enough()
	}
	at := slices.IndexFunc(thrifts, try)
	if at <= 0 {
		return
	}
	low, high := thrifts[at-1], thrifts[at]
	for range thriftHalvings {
		if middle := math.Sqrt((low + 1) * (high + 1)); try(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	places := 2 * (t.program.Workload().Net.N() + len(t.program.Blocks) + 1)
	sort.Search(places, func(border int) bool {
		t.thrift = thrift{low, high, border + 1}
		return !enough()
	})
}

// ladder lists the sizes to plan for: the smallest that does, and 4, 5, 6 and 7
// times every power of two up to the capacity.
func ladder(least, capacity units.Words) []units.Words {
	sizes := []units.Words{least}
	for power := units.Words(1); 4*power <= capacity; power *= 2 {
		for size := 4 * power; size <= min(7*power, capacity); size += power {
			if size > least {
				sizes = append(sizes, size)
			}
		}
	}
	return sizes
}

// use plans for so much room, with or without tensors that stay in it.
func (t *Planner) use(room Room, keeps bool, least Words, live liveness) {
	t.keepNothing()
	if keeps {
		t.limitKept(room, least, live)
	}
	t.used = room
	t.Rewind()
}

// least returns the words on chip that the program cannot do without when
// nothing stays between steps.
func (t *Planner) least() (least Words, err error) {
	t.keepNothing()
	places := t.places
	t.places = 0
	defer func() { t.places = places }()
	t.used = Room{Shared: t.room.Shared} // nothing fits twice: smallest tiles
	var worst [schedule.NumBuffers]string
	t.Rewind()
	for t.different() {
		needs := t.prepare().in(t.room)
		for b, n := range needs {
			if n > least[b] {
				least[b], worst[b] = n, describe(&t.step)
			}
		}
		t.finishStep()
	}
	for b, n := range least {
		if n <= t.room.Words[b] {
			continue
		}
		e := &TooSmall{Step: worst[b], Capacity: t.room.bytes(t.room.Words[b] + t.pinned[b]), Needs: t.room.bytes(n + t.pinned[b])}
		if !t.room.Shared {
			e.Buffer = schedule.Buffer(b).String()
		}
		return least, e
	}
	return least, nil
}

// liveness is what the program keeps on chip between steps: how many words at
// most, by buffer, of the tensors up to a size.
type liveness [schedule.NumBuffers][]struct{ size, most units.Words }

func (t *Planner) liveness() (live liveness) {
	type step struct {
		buffer int
		words  units.Words
	}
	var steps [][]step // before or after each of the program's
	var before []schedule.Tensor
	sizes := [schedule.NumBuffers]map[units.Words]bool{}
	for b := range sizes {
		sizes[b] = map[units.Words]bool{}
	}
	note := func(at []step, c schedule.Class, n units.Words) []step {
		b := t.room.buffer(c)
		sizes[b][n] = true
		return append(at, step{b, n})
	}
	t.steps.Rewind()
	for t.different() {
		on := slices.Clone(before)
		before = before[:0]
		for _, k := range t.step.Keeps {
			if t.places > 0 && t.isReceived(k) {
				continue // has one of the places
			}
			if t.program.Pins(k) {
				continue // room for it is set aside
			}
			before = append(before, k)
			if !slices.Contains(on, k) {
				on = append(on, k)
			}
		}
		var at []step
		for _, k := range on {
			at = note(at, k.Class, t.program.Words(k.Class, k.Index))
		}
		if t.places > 0 {
			for range t.places {
				at = note(at, schedule.Spikes, t.program.Words(schedule.Spikes, t.program.Received()))
			}
		}
		steps = append(steps, at)
	}
	for b := range live {
		for _, size := range slices.Sorted(maps.Keys(sizes[b])) {
			var most units.Words
			for _, at := range steps {
				var sum units.Words
				for _, x := range at {
					if x.buffer == b && x.words <= size {
						sum += x.words
					}
				}
				most = max(most, sum)
			}
			live[b] = append(live[b], struct{ size, most units.Words }{size, most})
		}
	}
	return live
}

func (t *Planner) keepNothing() {
	for b := range t.limit {
		t.limit[b] = -1
	}
}

// limitKept decides what may stay on chip between steps: the smallest tensors
// first, as many sizes as fit together into their share of the room, and beside
// the smallest tiles.
func (t *Planner) limitKept(room Room, least Words, live liveness) {
	for b := range live {
		for _, upTo := range live[b] {
			if upTo.most > room.Words[b]/keepShare || upTo.most > room.Words[b]-least[b] {
				break
			}
			t.limit[b] = upTo.size
		}
	}
}

func describe(s *schedule.Step) string {
	if s.Layer == 0 {
		return fmt.Sprintf("the %s step of block %d's classifier", s.Kind, s.Block)
	}
	return fmt.Sprintf("the %s step of layer %d", s.Kind, s.Layer)
}

// weigh returns the words that an iteration moves, and the words' worth of PEs
// that idle in steps that are cut.
func (t *Planner) weigh() (moved, idle units.Words) {
	defer t.Rewind()
	t.Rewind()
	intervals := t.program.Intervals()
	steps := t.program.Steps() / int64(intervals)
	known := map[stageKey][2]units.Words{} // by steps that are planned alike
	for i := int64(0); ; i++ {
		if i == 2*steps && intervals > 3 { // all between the first and the last are alike
			t.steps.Skip(intervals)
			t.resident = append(t.resident[:0], t.steps.Held()...)
		}
		if !t.steps.Next(&t.step) {
			return moved, idle
		}
		s, times := &t.step, units.Words(1)
		if s.Interval == 2 {
			times = units.Words(max(1, intervals-2))
		}
		t.place()
		key := t.keyOf(s)
		n, ok := known[key]
		if !ok {
			t.divide()
			n = [2]units.Words{t.plan.traffic(s), t.plan.idle()}
			known[key] = n
		}
		moved += n[0] * times
		idle += n[1] * times
		t.finishStep()
	}
}
