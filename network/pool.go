package network

// PoolKind tells how a pooling layer joins the values of a window.
type PoolKind string

// The kinds of pooling.
const (
	NoPool      PoolKind = ""
	FirePool    PoolKind = "fire"    // averages, and feeds LIF neurons: the paper's
	AveragePool PoolKind = "average" // of the whole window, padding included
	SumPool     PoolKind = "sum"
	MaxPool     PoolKind = "max"
)

// PoolKinds returns the names of the kinds of pooling.
func PoolKinds() []string {
	return []string{string(FirePool), string(AveragePool), string(SumPool), string(MaxPool)}
}

// Pool is the pooling after a layer; the zero Pool is none. Remainders that no
// window covers are dropped.
type Pool struct {
	Kind                PoolKind
	Window, Stride, Pad Pair
}

// Fires tells whether pooling neurons follow.
func (p Pool) Fires() bool { return p.Kind == FirePool }

// Shape returns the map that pooling makes.
func (p Pool) Shape(in Shape) Shape {
	if p.Kind == NoPool {
		return in
	}
	return Shape{
		in.Channels,
		(in.Height+2*p.Pad.Height-p.Window.Height)/p.Stride.Height + 1,
		(in.Width+2*p.Pad.Width-p.Window.Width)/p.Stride.Width + 1,
	}
}

// value returns the largest count and the scale of what pooling makes of values
// with the given ones.
func (p Pool) value(largest, scale int) (int, int) {
	switch p.Kind {
	case FirePool:
		return 1, 1
	case AveragePool:
		return largest * p.Window.Area(), scale * p.Window.Area()
	case SumPool:
		return largest * p.Window.Area(), scale
	case MaxPool, NoPool:
	}
	return largest, scale
}
