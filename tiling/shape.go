package tiling

import (
	"encoding/binary"
	"math"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// shape appends everything of a stage that its tilings depend on, and nothing
// else: two stages of the same shape have the same tilings, whatever layers and
// time steps they are of.
func (s *stage) shape(key []byte) []byte {
	number := func(n int64) { key = binary.AppendVarint(key, n) }
	flag := func(is bool) {
		if is {
			key = append(key, 1)
		} else {
			key = append(key, 0)
		}
	}
	tensor := func(c role.Role, words units.Words) {
		key = append(key, byte(c.Buffer()))
		number(int64(words))
	}
	lay := func(s *span) {
		key = append(key, byte(s.kind))
		for _, n := range []int64{s.of, s.own, s.pool, s.whole, s.stride, s.pad, s.kernel} {
			number(n)
		}
	}
	flag(s.gradient)
	flag(s.ordered)
	for d := range s.dims {
		number(s.dims[d])
		number(s.grain[d])
		flag(s.uncut[d])
	}
	number(int64(len(s.operands)))
	for i := range s.operands {
		o := &s.operands[i]
		tensor(o.Tensor.Class, o.Words)
		flag(o.generated)
		for _, matters := range o.depends {
			flag(matters)
		}
		for _, list := range o.spans {
			number(int64(len(list)))
			for j := range list {
				lay(&list[j])
			}
		}
	}
	number(int64(len(s.elements)))
	for i := range s.elements {
		e := &s.elements[i]
		flag(e.hasRead)
		if e.hasRead {
			tensor(e.read.Tensor.Class, e.read.Words)
		}
		made := e.isResult && !(e.hasRead && e.product.InPlace)
		flag(made)
		if made {
			tensor(e.product.Tensor.Class, e.product.Words)
		}
	}
	for _, n := range s.fixed() {
		number(int64(n))
	}
	number(int64(len(s.products)))
	for j := range s.products {
		p := &s.products[j]
		for _, n := range []int64{p.work.Rows, p.work.Columns, p.work.Depth, p.work.Repeats, p.work.Drain} {
			number(n)
		}
		number(int64(math.Float64bits(p.work.Density)))
		for d := range p.cuts {
			key = append(key, byte(p.cuts[d]))
			number(p.share[d].n)
			number(p.share[d].of)
			lay(&p.share[d].under)
		}
		for _, n := range p.fixed {
			number(n)
		}
	}
	return key
}

// fixed returns the words on chip that a stage takes however it is cut.
func (s *stage) fixed() (words Words) {
	for _, x := range s.once {
		if !s.pins(x.Tensor) {
			words.add(x.Tensor.Class, x.Words)
		}
	}
	for _, p := range s.onceProducts {
		if small(p.Tensor.Class) && !p.InPlace && !s.pins(p.Tensor) {
			words.add(p.Tensor.Class, p.Words)
		}
	}
	for _, h := range s.holds {
		words.add(h.Class, h.words)
	}
	return words
}
