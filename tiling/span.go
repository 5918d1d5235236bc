package tiling

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// span maps an interval of a stage's rows, or columns, to what an operand has
// for it. Together the tiles' intervals cover 0 to of.
type span struct {
	kind  spanKind
	of    int64 // of the operand
	own   int64 // of what maps to it: the stage's, or after its pooling
	pool  int64 // window of the stage's pooling
	whole int64 // rows, or columns, of the stage; where there is a pooling
	// Of the convolution between the two; a kernel is as large as from its first
	// tap to its last.
	stride, pad, kernel int64
}

type spanKind uint8

const (
	ownSpan    spanKind = iota // the tile's own
	pooledSpan                 // the stage's after pooling
	windowSpan                 // what a convolution's tile looks at
	shadowSpan                 // positions of a convolution that look at a tile, after pooling
)

// at returns what of the operand an interval of the stage has.
func (s *span) at(from, to int64) (first, last int64) {
	switch s.kind {
	case ownSpan:
	case pooledSpan:
		return s.pooled(from, to, s.of)
	case windowSpan:
		clip := func(at int64) int64 { return max(0, min(s.of, at)) }
		first = clip(from*s.stride - s.pad)
		last = clip(max((to-1)*s.stride-s.pad+s.kernel, to*s.stride-s.pad))
		if to >= s.own {
			last = s.of
		}
		return first, last
	case shadowSpan:
		from, to = s.pooled(from, to, s.own)
		first = max(0, units.CeilDiv(max(0, from+s.pad-s.kernel+1), s.stride))
		last = min(s.of, (to-1+s.pad)/s.stride+1)
		if from == 0 {
			first = 0
		}
		if to >= s.own {
			last = s.of
		}
		return min(first, last), last
	}
	return from, to
}

// pooled returns an interval after the stage's pooling, which leaves so many.
func (s *span) pooled(from, to, of int64) (first, last int64) {
	first, last = min(from/s.pool, of), min(to/s.pool, of)
	if to >= s.whole { // windows that overlap are more than there are in the stage
		last = of
	}
	return first, last
}

// spans tell which rows and columns of an operand's map a tile's rows and columns
// need: from the first that any of some spans needs to the last. Without one they
// are the tile's own.
type spans [2][]span

// at returns the hull of what an interval of rows, or columns, has.
func hull(list []span, from, to int64) (first, last int64) {
	if len(list) == 0 {
		return from, to
	}
	first, last = list[0].at(from, to)
	for i := range list[1:] {
		f, l := list[1+i].at(from, to)
		first, last = min(first, f), max(last, l)
	}
	return first, last
}

// and are the spans of what has both. The maps have so many rows and columns.
func (s spans) and(o spans, of [2]int64) spans {
	for i := range s {
		switch {
		case len(s[i]) == 0 && len(o[i]) == 0:
			continue
		case len(s[i]) == 0:
			s[i] = []span{{of: of[i]}}
		case len(o[i]) == 0:
			o[i] = []span{{of: of[i]}}
		}
		for _, more := range o[i] {
			s[i] = append(s[i][:len(s[i]):len(s[i])], more)
		}
	}
	return s
}

// pools are the windows of a layer's pooling, rows and columns.
func pools(l *network.Layer) [2]int64 {
	if l.HasPool() {
		return pair(l.Pool.Window)
	}
	return [2]int64{1, 1}
}

// sides are a shape's rows and columns.
func sides(s network.Shape) [2]int64 { return [2]int64{int64(s.Height), int64(s.Width)} }

func pair(p network.Pair) [2]int64 { return [2]int64{int64(p.Height), int64(p.Width)} }

// pooled is the span of an operand whose map is the stage's own, after pooling.
func pooled(l *network.Layer) (list spans) {
	window, of, whole := pools(l), sides(l.Pooled), sides(l.Out)
	for i := range list {
		list[i] = []span{{kind: pooledSpan, of: of[i], pool: window[i], whole: whole[i]}}
	}
	return list
}

// reach is how far a kernel's first tap is from its last, and one.
func reach(k network.Kernel) (n [2]int64) {
	size, dilation := pair(k.Size), pair(k.Dilation)
	for i := range n {
		n[i] = (size[i]-1)*max(dilation[i], 1) + 1
	}
	return n
}

// window is what a convolution's tile looks at. What no tap looks at, between
// strides and behind the last, is fetched with the tile before it.
func window(p *network.Projection, l *network.Layer) (list spans) {
	in, out := sides(p.In), sides(l.Out)
	kernel, stride, pad := reach(p.Kernel), pair(p.Kernel.Stride), pair(p.Kernel.Pad)
	for i := range list {
		list[i] = []span{{kind: windowSpan, of: in[i], own: out[i], stride: stride[i], pad: pad[i], kernel: kernel[i]}}
	}
	return list
}

// shadow is the positions of a layer whose kernels lie on a tile of the layer
// that a projection of it reads: after pooling, or, where it reads itself, before.
func shadow(reader *network.Layer, p *network.Projection, l *network.Layer) (list spans) {
	pool, in, out, whole := pools(l), sides(p.In), sides(reader.Out), sides(l.Out)
	if reader == l {
		pool = [2]int64{1, 1}
	}
	kernel, stride, pad := reach(p.Kernel), pair(p.Kernel.Stride), pair(p.Kernel.Pad)
	for i := range list {
		list[i] = []span{{
			kind: shadowSpan, of: out[i], own: in[i], pool: pool[i], whole: whole[i],
			stride: stride[i], pad: pad[i], kernel: kernel[i],
		}}
	}
	return list
}
