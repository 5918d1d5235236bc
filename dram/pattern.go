package dram

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// Pattern is a synthetic sequence of requests. Addresses wrap at the device's
// capacity.
type Pattern struct {
	Kind     string // one of [PatternKinds]
	Requests int64
	Step     units.Bytes // from one request of a stream to its next; 0: one burst
	Seed     uint64      // of random and randmix
}

// region is the span of random addresses and the distance of layer's and
// copy's streams, in units of its quarter.
const region = 256 * units.MiB

// maxRequests bounds a pattern so that a request's index has its place among
// plans (ageBits).
const maxRequests = 1_000_000_000_000

// chunk is how many requests of a stream copy and layer make in a row.
const chunk = 64

// lineUp is what the streams of a regular pattern are: in turn, chunk requests
// of each.
type lineUp struct {
	base  units.Bytes
	write bool
}

var regular = map[string][]lineUp{
	"seqread":  {{}},
	"seqwrite": {{write: true}},
	"copy":     {{}, {base: 2 * region, write: true}},
	"layer":    {{}, {base: region}, {base: 2 * region, write: true}},
}

// PatternKinds lists the patterns: seqread and seqwrite; copy (64 reads at i,
// 64 writes at 512 MiB + i); layer (64 reads at i, 64 reads at 256 MiB + i, 64
// writes at 512 MiB + i); random (reads) and randmix (one third writes),
// uniform over 1 GiB.
func PatternKinds() []string {
	return []string{"seqread", "seqwrite", "random", "randmix", "copy", "layer"}
}

// request is one burst asked of a controller.
type request struct {
	burst uint64
	cycle units.Cycles // not before
	write bool
}

// generator makes a pattern's requests in batches.
type generator struct {
	streams  []lineUp // nil: random
	step     uint64
	burst    uint64
	capacity uint64
	requests int64
	next     int64 // index of the next request to generate
	seed     uint64
	writes   bool // randmix
}

func newGenerator(p Pattern, d Device) (*generator, error) {
	if !slices.Contains(PatternKinds(), p.Kind) {
		return nil, fmt.Errorf("unknown pattern %q; have %s", p.Kind, strings.Join(PatternKinds(), ", "))
	}
	if p.Requests < 1 || p.Requests > maxRequests {
		return nil, fmt.Errorf("a pattern of %d requests; ask for 1 to %d", p.Requests, int64(maxRequests))
	}
	if p.Step < 0 {
		return nil, fmt.Errorf("a step of %d bytes must not be negative", p.Step)
	}
	if p.Step == 0 {
		p.Step = d.BurstBytes()
	}
	return &generator{
		streams:  regular[p.Kind],
		step:     uint64(p.Step),
		burst:    uint64(d.BurstBytes()),
		capacity: uint64(d.Capacity()),
		requests: p.Requests,
		seed:     p.Seed,
		writes:   p.Kind == "randmix",
	}, nil
}

// turn splits a request's index into the stream it belongs to and its
// position in that stream.
func (g *generator) turn(index int64) (stream int, position int64) {
	n := int64(len(g.streams))
	if n == 1 {
		return 0, index
	}
	return int(index / chunk % n), index/chunk/n*chunk + index%chunk
}

// offset is a position's distance from the start of its stream, wrapped.
func (g *generator) offset(position int64) uint64 {
	hi, lo := bits.Mul64(uint64(position), g.step)
	return bits.Rem64(hi, lo, g.capacity)
}

// fill generates up to len(to) requests and returns how many.
func (g *generator) fill(to []request) (int, error) {
	n := int(min(int64(len(to)), g.requests-g.next))
	if g.streams == nil {
		g.random(to[:n])
		return n, nil
	}
	for i := 0; i < n; {
		stream, position := g.turn(g.next)
		run := n - i
		if len(g.streams) > 1 {
			run = min(run, int(chunk-g.next%chunk))
		}
		s := g.streams[stream]
		at := (uint64(s.base)%g.capacity + g.offset(position)) % g.capacity
		step := g.step % g.capacity
		for j := range run {
			to[i+j] = request{burst: at / g.burst, write: s.write}
			if at += step; at >= g.capacity {
				at -= g.capacity
			}
		}
		i += run
		g.next += int64(run)
	}
	return n, nil
}

// random generates uniform requests; a request's address depends on the seed
// and its index alone.
func (g *generator) random(to []request) {
	span := uint64(4*region) / g.step
	for i := range to {
		x := mix(g.seed + uint64(g.next)*0x9e3779b97f4a7c15)
		hi, _ := bits.Mul64(x, max(1, span))
		to[i] = request{
			burst: hi * g.step % g.capacity / g.burst,
			write: g.writes && mix(x)%3 == 0,
		}
		g.next++
	}
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
