package tiling

import (
	"cmp"
	"sync"

	"github.com/accelsim-dev/accelsim/pe"
)

// Memo remembers what tilings stages have, for plans of any programs, arrays and
// rooms, made at the same time or one after the other. It never changes what a
// plan is. The zero Memo remembers nothing yet.
type Memo struct {
	mutex sync.Mutex
	known map[question]*answer
	held  int // tilings of known
	most  int // that it holds; 0 is mostHeld
}

// question is all that the tilings of a stage depend on.
type question struct {
	array  pe.Array
	shared bool // one buffer for all
	shape  string
}

// answer is made once, by who asks first; others wait.
type answer struct {
	once     sync.Once
	frontier []tiling
}

// mostHeld is how many tilings a memo holds, of about 130 bytes each. One that is
// full forgets all: plans have what they need.
const mostHeld = 1 << 17

func (m *Memo) isFull() bool { return m.held >= cmp.Or(m.most, mostHeld) }

// frontier is [stage.frontier] of a stage, made once.
func (m *Memo) frontier(s *stage, array pe.Array, room Room) []tiling {
	array.Clock = 0 // it counts clocks
	q := question{array, room.Shared, string(s.shape(nil))}
	m.mutex.Lock()
	a := m.known[q]
	if a == nil {
		if m.known == nil || m.isFull() {
			m.known, m.held = map[question]*answer{}, 0
		}
		a = new(answer)
		m.known[q] = a
	}
	m.mutex.Unlock()
	a.once.Do(func() {
		a.frontier = s.frontier(ask(array, s), room)
		m.mutex.Lock()
		m.held += len(a.frontier)
		m.mutex.Unlock()
	})
	return a.frontier
}
