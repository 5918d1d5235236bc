package tiling

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
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

// planner is what a plan is made with.
type planner struct {
	surveyor
	rules
	pinned  Words // by buffer of the room
	least   Words // on chip that the program cannot do without
	live    liveness
	surveys map[[role.Buffers]units.Words]*survey // by what stays
}

func newPlanner(p *schedule.Program, room Room, places int, array pe.Array, memo *Memo) *planner {
	t := &planner{surveyor: surveyor{array, memo}, surveys: map[[role.Buffers]units.Words]*survey{}}
	t.rules = rules{program: p, places: units.Words(places), room: room}
	for _, pin := range p.Policy().Pinned {
		t.pinned[room.buffer(pin.Class)] += p.Words(pin.Class, pin.Index)
	}
	for b, n := range t.pinned {
		t.room.Words[b] -= n
	}
	return t
}

// choices are what steps may be cut into in some room, with or without tensors
// that stay in it. Of rooms with the same tensors it is asked about the smallest
// first.
func (t *planner) choices(room Room, keeps bool) choices {
	limit := noneKept()
	if keeps {
		limit = t.limitKept(room)
	}
	list, ok := t.surveys[limit]
	if !ok {
		r := t.rules
		r.limit = limit
		list = t.survey(&r, room)
		t.surveys[limit] = list
	}
	return t.in(list, room)
}

// climb goes up the ladder and stays with the cheapest plan, if it moves no more
// words than any before. What stays on chip between steps takes room from tiles:
// it also tries without.
func (t *planner) climb() *Plan {
	type rung struct {
		choices
		thrift      thrift
		moved, cost units.Words
	}
	variants := []bool{true, false}
	if t.program.Received() != 0 || t.program.Handed() != 0 {
		variants = variants[:1] // what another group hands over, or gets, should stay
	}
	var best rung
	// Sizes of the whole buffer, whatever is pinned in it: real ones are rungs.
	for _, size := range ladder(t.least[0]+t.pinned[0], t.room.Words[0]+t.pinned[0]) {
		room := Room{Shared: true, Words: Words{size - t.pinned[0]}, Word: t.room.Word}
		next := best
		for _, keeps := range variants {
			c := t.choices(room, keeps)
			t.thriftily(func(at thrift) bool {
				moved, idle := c.weigh(at)
				if best.survey != nil && moved > best.moved {
					return false
				}
				// Of plans that cost the same, the one with most room has the fewest tiles.
				cost := moved + idle
				if next.survey == nil || cost < next.cost || cost == next.cost && next.room.Words[0] < room.Words[0] {
					next = rung{c, at, moved, cost}
				}
				return true
			})
		}
		best = next
	}
	return best.plan(best.thrift, nil)
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

// thriftily tries more and more thrift until it is enough, then values between
// the last two, and then the lower of the last two in as many of the steps as can
// do with it.
func (t *planner) thriftily(enough func(thrift) bool) {
	everywhere := func(all float64) bool { return enough(thrift{others: all}) }
	at := slices.IndexFunc(thrifts, everywhere)
	if at <= 0 {
		return
	}
	low, high := thrifts[at-1], thrifts[at]
	for range thriftHalvings {
		if middle := math.Sqrt((low + 1) * (high + 1)); everywhere(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	places := 2 * (t.program.Workload().Net.N() + len(t.program.Blocks) + 1)
	sort.Search(places, func(border int) bool { return !enough(thrift{low, high, border + 1}) })
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

// findLeast returns the words on chip that the program cannot do without when
// nothing stays between steps.
func (t *planner) findLeast() (least Words, err error) {
	r := t.rules
	r.limit = noneKept()
	none := t.survey(&r, Room{Shared: t.room.Shared}) // nothing fits twice: all is cut
	t.surveys[r.limit] = none
	var worst [role.Buffers]string
	for b := range worst {
		worst[b] = "what is pinned"
	}
	for i := range none.steps {
		x := &none.steps[i]
		if !x.early {
			continue
		}
		for b, n := range x.least(t.room).in(t.room) {
			if n > least[b] {
				least[b], worst[b] = n, x.String()
			}
		}
	}
	for b, n := range least {
		if n <= t.room.Words[b] {
			continue
		}
		e := &TooSmall{Step: worst[b], Capacity: t.room.bytes(t.room.Words[b] + t.pinned[b]), Needs: t.room.bytes(n + t.pinned[b])}
		if !t.room.Shared {
			e.Buffer = role.Buffer(b).String()
		}
		return least, e
	}
	return least, nil
}

// String names the step.
func (x *surveyed) String() string {
	if x.layer == 0 {
		return fmt.Sprintf("the %s step of block %d's classifier", x.kind, x.block)
	}
	return fmt.Sprintf("the %s step of layer %d", x.kind, x.layer)
}

// liveness is what the program keeps on chip between steps: how many words at
// most, by buffer, of the tensors up to a size. Sizes ascend.
type liveness [role.Buffers][]upTo

type upTo struct{ size, most units.Words }

func (t *planner) liveness() (live liveness) {
	// Before or after each step, the words of each size.
	t.onChip(func(at *liveness) {
		for b := range at {
			for _, n := range at[b] {
				i, known := slices.BinarySearchFunc(live[b], n.size, upTo.compare)
				if !known {
					live[b] = slices.Insert(live[b], i, upTo{size: n.size})
				}
			}
		}
	})
	t.onChip(func(at *liveness) {
		for b := range at {
			slices.SortFunc(at[b], func(x, y upTo) int { return cmp.Compare(x.size, y.size) })
			var sum units.Words
			next := 0
			for i := range live[b] {
				for ; next < len(at[b]) && at[b][next].size <= live[b][i].size; next++ {
					sum += at[b][next].size
				}
				live[b][i].most = max(live[b][i].most, sum)
			}
		}
	})
	return live
}

func (u upTo) compare(size units.Words) int { return cmp.Compare(u.size, size) }

// onChip calls do with the sizes of the tensors, by buffer, that the program keeps
// on chip before or after each step. They are the callee's until it returns.
func (t *planner) onChip(do func(*liveness)) {
	var before, on []role.Tensor
	var seen set
	var at liveness
	for w := t.walk(); w.different(); {
		on = append(on[:0], before...)
		seen.Clear()
		for _, k := range before {
			seen.add(k)
		}
		before = before[:0]
		for _, k := range w.step.Keeps {
			if t.places > 0 && t.isReceived(k) {
				continue // has one of the places
			}
			if t.program.Pins(k) {
				continue // room for it is set aside
			}
			before = append(before, k)
			if !seen.Has(k) {
				on = append(on, k)
			}
		}
		for b := range at {
			at[b] = at[b][:0]
		}
		note := func(c role.Role, index int) {
			b := t.room.buffer(c)
			at[b] = append(at[b], upTo{size: t.program.Words(c, index)})
		}
		for _, k := range on {
			note(k.Class, k.Index)
		}
		for range t.places {
			note(role.Spikes, t.program.Received())
		}
		do(&at)
	}
}

// limitKept returns what may stay on chip between steps: the smallest tensors
// first, as many sizes as fit together into their share of the room, and beside
// the smallest tiles.
func (t *planner) limitKept(room Room) [role.Buffers]units.Words {
	limit := noneKept()
	for b := range t.live {
		for _, upTo := range t.live[b] {
			if upTo.most > room.Words[b]/keepShare || upTo.most > room.Words[b]-t.least[b] {
				break
			}
			limit[b] = upTo.size
		}
	}
	return limit
}
